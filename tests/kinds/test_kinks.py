"""At a kink every mixture of what its sides give is right, and nothing else."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.kinds.point import is_mixture
from tests.core.samples import findings, make_problem

QUESTION = """
[[question]]
id = 'top'
kind = 'primitive'
points = {vjp = 1}
symbols = {x = 'vector 3'}
f = 'max(x)'
at = {x = [2, 2, 1], g = [1]}

[[question]]
id = 'size'
kind = 'primitive'
points = {vjp = 1}
symbols = {x = 'vector 2'}
f = 'abs(x)'
at = {x = [0, -3], g = [2, 5]}
"""


@pytest.mark.parametrize(
    ("item", "answer", "verdict"),
    [
        ("top.vjp", "(1, 0, 0)", "CORRECT"),
        ("top.vjp", "(0.3, 0.7, 0)", "CORRECT"),
        ("top.vjp", "(1, 1, 0)", "INCORRECT"),
        ("top.vjp", "(0, 0, 0)", "INCORRECT"),
        ("top.vjp", "(0, 0.9, 0.1)", "INCORRECT"),
        ("size.vjp", "(0, -5)", "CORRECT"),
        ("size.vjp", "(-2, -5)", "CORRECT"),
        ("size.vjp", "(1/3, -5)", "CORRECT"),
        ("size.vjp", "(2.1, -5)", "INCORRECT"),
        ("size.vjp", "(0, 5)", "INCORRECT"),
    ],
)
def test_an_answer_at_a_kink(item: str, answer: str, verdict: str, tmp_path: Path) -> None:
    assert findings(make_problem(tmp_path / "p", QUESTION), {item: answer})[item].verdict == verdict


CORNERS = st.lists(st.tuples(*[st.integers(-3, 3).map(Fraction)] * 2), min_size=1, max_size=5)


@given(CORNERS, st.lists(st.integers(0, 5), min_size=5, max_size=5))
def test_every_mixture_is_one_and_nothing_beyond_the_corners_is(
    corners: list[tuple[Fraction, ...]], weights: list[int]
) -> None:
    used = [Fraction(w) for w in weights[: len(corners)]]
    total = sum(used, Fraction(0))
    if not total:
        return
    point = [sum((w * c[i] for w, c in zip(used, corners, strict=True)), Fraction(0)) / total for i in range(2)]
    assert is_mixture(point, corners)
    beyond = max(c[0] for c in corners) + Fraction(1, 1000)
    assert not is_mixture([beyond, point[1]], corners)
