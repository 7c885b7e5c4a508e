"""Every sample class comes out as it was expected by hand, and the demo says so when one does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader import demo
from grader.batch import Options
from grader.reporting import expected

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("sheet", demo.sheets(ROOT))
def test_every_outcome_of_the_sample_class_is_as_expected(sheet: str, tmp_path: Path) -> None:
    shown = demo.show_sheet(ROOT, sheet, tmp_path, Options(jobs=2))
    assert [f"{d.student} {d.what}: {d.expected} / {d.found}" for d in shown.differences] == []
    assert shown.compared > shown.submissions


def test_a_different_outcome_is_named(tmp_path: Path) -> None:
    sheet, student = "adl4p-ex05", "amara"
    shutil.copytree(ROOT / "problems" / sheet, tmp_path / "problems" / sheet)
    shutil.copytree(ROOT / "submissions" / sheet / student, tmp_path / "submissions" / sheet / student)
    text = '[students.amara]\ntotal = "39"\n[students.amara.items]\n"1.x1" = "INCORRECT"\n[students.gone]\n'
    (tmp_path / "submissions" / sheet / demo.EXPECTED).write_text(text)
    shown = demo.show_sheet(tmp_path, sheet, tmp_path / "out", Options(jobs=1))
    found = {(d.student, d.what) for d in shown.differences}
    assert {("amara", "1.x1"), ("amara", "total"), ("gone", "report")} <= found
    assert "adl4p-ex05" in demo.table([shown])


@pytest.mark.parametrize("sheet", [path.parent.name for path in (ROOT / "submissions").glob("*/expected.toml")])
def test_every_expectation_is_well_formed_and_has_its_student(sheet: str) -> None:
    folder = ROOT / "submissions" / sheet
    expectations = expected.load((folder / demo.EXPECTED).read_text())
    assert set(expectations) == {path.name for path in folder.iterdir() if path.is_dir()}
