"""Student code is never run without isolation unless somebody said so, and every report names the tier."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader import batch, demo, observing
from grader.batch import NoIsolation, Options, grade_class
from grader.execution import pool
from grader.execution.hatchery import SandboxError
from grader.problems import load_problem

ROOT = Path(__file__).parents[2]
SHEET = "dl-sheet01"


@pytest.fixture
def no_isolation(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SandboxError("not here")

    observing.find_tier.cache_clear()
    monkeypatch.setattr(pool, "start_zygote", refuse)


def make_class(tmp_path: Path, student: str) -> Path:
    shutil.copytree(ROOT / "submissions" / SHEET / student, tmp_path / "submissions" / SHEET / student)
    return tmp_path / "submissions" / SHEET


@pytest.mark.usefixtures("no_isolation")
def test_without_isolation_a_class_with_code_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    problem = load_problem(ROOT / "problems" / SHEET)
    with pytest.raises(NoIsolation, match="--sandbox none"):
        grade_class(problem, make_class(tmp_path, "noor"), tmp_path / "out", Options(jobs=1), lambda _: None)


@pytest.mark.usefixtures("no_isolation")
def test_the_demo_runs_our_own_class_without_isolation_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "problems" / SHEET, tmp_path / "problems" / SHEET)
    make_class(tmp_path, "noor")
    shown = demo.show_sheet(tmp_path, SHEET, tmp_path / "out", Options(jobs=1))
    assert shown.isolation == "none"
    assert "our own" in capsys.readouterr().err


@pytest.mark.usefixtures("no_isolation")
def test_a_written_sheet_needs_no_isolation() -> None:
    problem = load_problem(ROOT / "problems" / "adl4p-ex05")
    assert batch.isolation_of(problem, Options()) == observing.NOT_NEEDED


def test_the_probes_depend_on_every_byte_of_the_hand_in_and_on_nothing_else() -> None:
    from grader.job import probe_seed

    seeds = {probe_seed("p", "s", "d"), probe_seed("q", "s", "d"), probe_seed("p", "t", "d"), probe_seed("p", "s", "e")}
    assert len(seeds) == 4
    assert probe_seed("p", "s", "d") in seeds
