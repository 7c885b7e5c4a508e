"""Kernels: the same verdicts with and without fork, state that is not shared, ends that are noticed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import hostile_table as table
import pytest

from grader.execution.canaries import canaries, require_isolation
from grader.execution.client import Kernel
from grader.execution.hatchery import SandboxError
from grader.execution.limits import TIERS, Limits
from grader.execution.pool import Pool, observe

DIES_BY = 10.0  # seconds, generous: the machine may be busy


def text_of(execution):
    return [
        "".join(
            output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", [])
        )
        for cell in json.loads(execution.notebook)["cells"]
    ]


@pytest.fixture(scope="module")
def pool():
    with Pool(2) as shared:
        yield shared


def test_every_way_to_run_gives_the_same_verdicts():
    asked = table.probes(3)
    source = table.notebook([table.HONEST, "print('x')\n1 / 0"])
    seen = []
    for tier, fork in [*((tier, True) for tier in TIERS), ("none", False)]:
        try:
            with Pool(1, tier=tier, fork=fork) as pool:
                execution = pool.observe(source, asked, seed=b"s", adapter=table.ADAPTER)
        except SandboxError:
            continue
        assert execution.tier == tier
        seen.append(
            (execution.notebook, tuple((o.status, o.arrays, o.flags) for o in execution.observations), execution.events)
        )
    assert len(seen) >= 2
    assert all(one == seen[0] for one in seen)
    assert table.right_nodes(asked, execution.observations) == ["square", "exp"]


def test_a_module_runs_like_a_notebook(pool):
    execution = pool.observe(table.HONEST, table.probes(1), seed=b"s", adapter=table.ADAPTER)
    assert table.right_nodes(table.probes(1), execution.observations) == ["square", "exp"]


def test_files_beside_the_notebook_can_be_imported_and_cannot_leave_their_folder(pool):
    files = (("nodes/__init__.py", ""), ("nodes/square.py", "value = 7"))
    execution = pool.observe(table.notebook(["from nodes.square import value\nprint(value)"]), seed=b"s", files=files)
    assert text_of(execution) == ["7\n"]
    for name in ("../x", "/etc/x", "a/../../x", ""):
        refused = pool.observe(table.notebook(["1"]), seed=b"s", files=((name, ""),))
        assert [event.note for event in refused.events] == ["notebook.unreadable"]


def test_a_student_has_the_same_draws_each_time_and_another_has_others(pool):
    source = table.notebook(["import random, numpy as np\nprint(random.random(), np.random.rand(), hash('x'))"])
    one, again, other = (text_of(pool.observe(source, seed=seed)) for seed in (b"1", b"1", b"2"))
    assert one == again
    assert one != other


def test_nothing_a_notebook_does_is_seen_by_the_next(pool):
    spoil = "import numpy as np, builtins\nnp.left_behind = builtins.left_behind = 1\nopen('left', 'w').close()"
    look = "import os, numpy as np, builtins\n"
    look += "print(hasattr(np, 'left_behind'), hasattr(builtins, 'left_behind'), os.listdir())"
    pool.observe(table.notebook([spoil]), seed=b"1")
    assert text_of(pool.observe(table.notebook([look]), seed=b"2")) == ["False False []\n"]


def test_libraries_that_differentiate_are_noticed_and_refused(pool):
    execution = pool.observe(
        table.notebook([table.HONEST, "import sympy", "__import__('to' + 'rch')"]),
        table.probes(1),
        seed=b"s",
        adapter=table.ADAPTER,
    )
    assert execution.imports == ("sympy", "torch")
    assert "imports.derivatives" in [event.note for event in execution.events]
    assert [event.message[:19] for event in execution.events if event.note == "cell.raised"] == [
        "ModuleNotFoundError"
    ] * 2


def test_a_declared_import_can_be_imported():
    execution = observe(table.notebook(["import sympy\nprint(sympy.Symbol('x'))"]), seed=b"s", imports=("sympy",))
    assert text_of(execution) == ["x\n"]


def test_cells_after_an_error_still_run(pool):
    execution = pool.observe(table.notebook(["1 / 0", "print('on')"]), seed=b"s")
    assert text_of(execution)[1] == "on\n"
    assert [(event.note, event.cell) for event in execution.events] == [("cell.raised", 0)]


def test_without_an_adapter_probes_are_absent(pool):
    assert {o.status for o in pool.observe(table.notebook(["1"]), table.probes(1), seed=b"s").observations} == {
        "absent"
    }


def test_a_death_is_noticed_at_once(pool):
    async def die():
        kernel = Kernel(pool._zygote.hatch(Limits(), 1), Limits())
        await kernel.open()
        kernel.execute("import os; os._exit(3)")
        await asyncio.wait_for(kernel.dead.wait(), DIES_BY)
        await kernel.close()
        return kernel.reason, kernel.detail

    assert asyncio.run(die()) == ("kernel.died", "ended with status 3")


def test_questions_to_a_kernel_that_is_gone_are_dropped_in_silence(pool, caplog):
    async def ask_the_dead():
        kernel = Kernel(pool._zygote.hatch(Limits(), 1), Limits())
        await kernel.open()
        kernel.execute("import os; os._exit(3)")
        await asyncio.wait_for(kernel.dead.wait(), DIES_BY)
        for number in range(40):
            kernel.ask([{"op": "probe", "id": number, "request": {}}])
            await asyncio.sleep(0)
        await kernel.close()

    asyncio.run(ask_the_dead())
    assert caplog.records == []


@pytest.mark.parametrize("tier", ["namespaces", "landlock"])
def test_the_canaries_are_caught(tier):
    try:
        with Pool(1, tier=tier) as pool:
            results = canaries(pool)
    except SandboxError as error:
        pytest.skip(f"not offered here: {error}")
    assert len(results) >= 20
    assert [result for result in results if not result.held] == []


def test_without_isolation_other_peoples_code_is_refused_unless_asked_for():
    with Pool(1, tier="none") as pool:
        with pytest.raises(SandboxError, match="--sandbox none"):
            require_isolation(pool)
        assert require_isolation(pool, without_isolation=True) == ()


def test_a_pool_never_falls_back_to_no_isolation_by_itself(monkeypatch):
    tried = []

    def refuse(way, imports=()):
        tried.append(way.tier)
        raise SandboxError("not here")

    monkeypatch.setattr("grader.execution.pool.try_way", refuse)
    with pytest.raises(SandboxError, match="not here"):
        Pool(1)
    assert "none" not in tried


def test_a_zygote_that_dies_is_replaced_and_nobody_loses_by_it():
    with Pool(1) as pool:
        pool.observe(table.notebook(["1"]), seed=b"s")
        dead = pool._zygote._process
        dead.kill()
        dead.wait()
        execution = pool.observe(table.notebook([table.HONEST]), table.probes(1), seed=b"s", adapter=table.ADAPTER)
        assert execution.events == ()
        assert table.right_nodes(table.probes(1), execution.observations) == ["square", "exp"]


def test_when_the_grader_is_killed_nothing_of_it_is_left(tmp_path):
    marker = tmp_path / "started"
    program = (
        "from grader.execution.pool import Pool\n"
        "from pathlib import Path\n"
        "import json, os, time\n"
        "pool = Pool(2)\n"
        "source = json.dumps({'cells': [{'cell_type': 'code', 'source': 'while True: pass'}]}).encode()\n"
        "for i in range(2): pool.submit(source, seed=b'x')\n"
        "time.sleep(0.5)\n"
        f"Path({str(marker)!r}).write_text(str(pool._zygote._process.pid))\n"
        "time.sleep(600)\n"
    )
    grader = subprocess.Popen([sys.executable, "-c", program])
    while not marker.exists() or not marker.read_text():
        assert grader.poll() is None
        time.sleep(0.05)
    zygote = int(marker.read_text())
    below = _below(zygote)
    assert len(below) >= 3
    os.kill(grader.pid, signal.SIGKILL)
    grader.wait()
    deadline = time.monotonic() + DIES_BY
    while any(_alive(pid) for pid in below) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in below if _alive(pid)] == []


def _below(root):
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    found = {root}
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    return found


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
