"""The sheets' own tests hold, row by row."""

from __future__ import annotations

import pytest

from grader.problems import load_problem
from grader.soundness import Case, case_troubles, load_cases
from tests.core.samples import ROOT, SHEETS

ROWS = [(name, case) for name in SHEETS for case in load_cases(ROOT / "problems" / name)]


@pytest.mark.parametrize(("name", "case"), ROWS, ids=[f"{name}:{case.line}:{case.item}" for name, case in ROWS])
def test_a_row_of_cases_comes_out_as_it_says(name: str, case: Case) -> None:
    problem = load_problem(ROOT / "problems" / name, plans=False)
    assert [one.message for one in case_troubles(problem, (case,))] == []
