"""Every hostile notebook in every tier this machine has: contained, and worth what it deserves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import hostile_table as table
import pytest

from grader.execution.hatchery import SandboxError
from grader.execution.pool import Pool

ISOLATED = ("namespaces", "landlock")


@pytest.fixture(scope="module", params=ISOLATED)
def class_run(request, tmp_path_factory):
    """All notebooks of the table, each between two honest ones, in one pool."""
    os.environ["GRADER_SECRET"] = "hunter2"
    bait = tmp_path_factory.mktemp("bait")
    (bait / "other-student.ipynb").write_text("untouched")
    bait.chmod(0o777)
    (bait / "other-student.ipynb").chmod(0o666)
    try:
        pool = Pool(6, tier=request.param)
    except SandboxError as error:
        pytest.skip(f"not offered here: {error}")
    honest = table.notebook([table.HONEST])
    asked = table.probes(7)
    with pool:
        how = {"adapter": table.ADAPTER, "limits": table.LIMITS}
        before = [pool.submit(honest, asked, seed=b"a", **how) for _ in range(3)]
        runs = {
            case["name"]: pool.submit(table.source(case, str(bait)), asked, seed=case["name"].encode(), **how)
            for case in table.cases()
        }
        after = [pool.submit(honest, asked, seed=b"a", **how) for _ in range(3)]
        results = {name: run.result() for name, run in runs.items()}
        neighbours = [run.result() for run in (*before, *after)]
        left = _processes_below(pool._zygote._process.pid)
    del os.environ["GRADER_SECRET"]
    return results, neighbours, left, bait, asked


@pytest.mark.parametrize("case", table.cases(), ids=lambda case: case["name"])
def test_a_hostile_notebook_is_contained_and_gets_what_it_deserves(case, class_run):
    results, _, _, _, asked = class_run
    execution = results[case["name"]]
    shown = execution.notebook.decode() + str(execution.observations)
    assert "STOLEN" not in _outputs(execution.notebook)
    assert "WRITTEN" not in _outputs(execution.notebook)
    assert "CONNECTED" not in _outputs(execution.notebook)
    assert "hunter2" not in _outputs(execution.notebook)
    assert len(execution.observations) == len(asked)
    right = table.right_nodes(asked, execution.observations)
    assert set(right) <= set(case["right"]), "an undeserved point"
    assert right == case["right"], (execution.events, [(o.status, o.detail) for o in execution.observations])
    if case.get("note"):
        assert case["note"] in [event.note for event in execution.events], execution.events
    assert len(shown) < 40_000_000
    shown.encode()  # no lone surrogate gets out


def test_the_neighbours_of_hostile_notebooks_are_graded_as_if_nothing_had_happened(class_run):
    _, neighbours, _, _, asked = class_run
    assert len({(run.notebook, tuple((o.status, o.arrays) for o in run.observations)) for run in neighbours}) == 1
    assert table.right_nodes(asked, neighbours[0].observations) == ["square", "exp"]
    assert all(run.events == () for run in neighbours)


def test_no_process_is_left_and_nothing_outside_has_changed(class_run):
    _, _, left, bait, _ = class_run
    assert left <= 2  # the zygote, and in a process namespace of its own the one that waits for it
    assert [path.name for path in bait.iterdir()] == ["other-student.ipynb"]
    assert (bait / "other-student.ipynb").read_text() == "untouched"
    assert not Path("/tmp/left-behind").exists()
    assert not Path("/tmp/pwned").exists()


def test_the_table_has_every_family_of_attack():
    families = {case["family"] for case in table.cases()}
    assert len(table.cases()) >= 44
    assert len(families) >= 25
    assert len({case["name"] for case in table.cases()}) == len(table.cases())


def _outputs(notebook: bytes) -> str:
    if not notebook:
        return ""
    return json.dumps([cell.get("outputs") for cell in json.loads(notebook)["cells"]])


def _processes_below(root: int) -> int:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    below = {root}
    while grown := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= grown
    return len(below)
