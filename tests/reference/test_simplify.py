"""Tidied expressions."""

from __future__ import annotations

from reference import expression as E
from reference.simplify import simplify


def test_a_sum_of_repeated_numbers_keeps_its_shape() -> None:
    s, m = E.symbol("s"), E.symbol("M", (3, 3))
    column = E.broadcast(E.constant(1), (3,)) - E.broadcast(s, (3,))
    assert simplify((column,))[0].shape == (3,)
    assert simplify((m @ column,))[0].shape == (3,)
