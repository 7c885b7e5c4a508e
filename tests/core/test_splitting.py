"""A formula into its statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.matching.splitting import left_side, split_statements

ROWS = [
    (r"x_1 = \begin{bmatrix} 1 \\ 2 \end{bmatrix}, \quad L = |1| + |2| = 3", 2),
    (r"\begin{aligned} a = 1 &\Rightarrow b = 2 \\ c = 3 &\Rightarrow d = 4 \end{aligned}", 4),
    (r"v_1 &= x_1 w_1 & v_2 &= v_1 + w_0 \\ v_3 &= v_2 - y_1", 3),
    (r"\nabla f &= a \\ &= b \\ &= c", 1),
    (r"f(x) = (1, 2)", 1),
    ("a = 1, b = 2", 2),
    ("f(x, y) = 1", 1),
    (r"\nabla f = (\cos x, \sin x)^\top", 1),
    (r"x = 1, y, z", 1),
]


@pytest.mark.parametrize(("text", "count"), ROWS)
def test_statements_are_told_apart(text: str, count: int) -> None:
    assert len(split_statements(text)) == count


def test_lines_of_plain_text_are_statements() -> None:
    assert [p.text for p in split_statements("t1 = a + b\nt2 = t1*c\n", latex=False)] == ["t1 = a + b", "t2 = t1*c"]


def test_a_boxed_result_is_marked_and_unboxed() -> None:
    (piece,) = split_statements(r"\boxed{f'(x) = \frac{1}{x}}")
    assert (piece.text, piece.boxed) == (r"f'(x) = \frac{1}{x}", True)


@given(st.text(max_size=200))
def test_any_text_gives_at_least_one_piece_and_never_raises(text: str) -> None:
    assert split_statements(text)
    assert split_statements(text, latex=False)
    left_side(text)
