"""What leaves a doubt never costs points; the table is the specification."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from grader.grading import grade
from grader.problems import load_problem
from grader.reading import read_submission
from tests.core.samples import ROOT

CASES = tomllib.loads((ROOT / "tests" / "cases" / "doubts.toml").read_text(encoding="utf-8"))["case"]


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_an_answer_comes_out_as_a_patient_reader_would_have_it(case: dict[str, Any], tmp_path: Path) -> None:
    problem = load_problem(ROOT / "problems" / case["sheet"], plans=False)
    (tmp_path / "a.md").write_text(case["text"], encoding="utf-8")
    report = grade(problem, read_submission(tmp_path / "a.md", problem.labels()))
    found = {finding.item: finding.verdict.name for finding in report.findings}
    assert {item: found[item] for item in case["verdicts"]} == case["verdicts"]
