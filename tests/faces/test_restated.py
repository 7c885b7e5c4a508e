"""Writing down what is asked is no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.jupyter.session import Check
from grader.model import Verdict

SHEET = Path(__file__).parents[2] / "problems" / "dl-sheet01"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("1a", "$f'(x)$"),
        ("1b", "$f'(x) = \\frac{df}{dx}$"),
        ("1c", "$\\sigma'(x)$"),
        ("1e.jacobian", "$\\frac{\\partial f}{\\partial x}$"),
        ("1h.derivative", "$\\frac{df}{dx}$"),
    ],
)
def test_a_name_for_what_is_asked_earns_nothing(question: str, answer: str) -> None:
    check = Check()
    check.problem(SHEET)
    (finding,) = check(question, answer).findings
    assert finding.verdict is Verdict.UNDECIDED
    assert finding.note == "restated"


def test_the_result_in_terms_of_the_function_itself_is_an_answer() -> None:
    check = Check()
    check.problem(SHEET)
    assert check("1c", "$\\sigma'(x) = \\sigma(x)(1 - \\sigma(x))$")
