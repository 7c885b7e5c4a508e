"""An answer in terms of an intermediate that nobody declared."""

from __future__ import annotations

import pytest

from grader.compare.answers import answer_same, make_task

AFFINE = {"A": "matrix 2x3", "x": "vector 3", "b": "vector 2"}


@pytest.mark.parametrize(
    ("truth", "symbols", "answer", "same"),
    [
        ("diag(cos(A*x+b))*A", AFFINE, r"\operatorname{diag}(\cos(y))A", "yes"),
        ("2*x*cos(x^2)", {"x": "real"}, r"2x\cos u", "yes"),
        ("diag(cos(A*x+b))*A", AFFINE, r"A^T\operatorname{diag}(\cos(y))", "unknown"),  # wrong with every meaning of y
        ("cos(A*x+b)", AFFINE, "y", "unknown"),  # a name for the truth itself says nothing
        ("cos(A*x+b)", AFFINE, r"\sin(y)", "unknown"),
        ("outer(d,x)", {"d": "vector 2", "x": "vector 3"}, r"W^T\delta", "unknown"),
        ("a*b", {"a": "real", "b": "real"}, "a q", "unknown"),  # a leaf is no intermediate
    ],
)
def test_an_undeclared_name_may_stand_for_an_argument_of_a_function_only(
    truth: str, symbols: dict[str, str], answer: str, same: str
) -> None:
    outcome = answer_same(answer, "latex", make_task(truth, symbols))
    assert outcome.same == same
    assert (outcome.how == "intermediate") == (same == "yes")
