"""Values of expressions without free symbols."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reference import expression as E
from reference.closed import decimals, exact, is_closed
from reference.printing import plain

HALF = E.constant(Fraction(1, 2))
ROW = E.stack([E.constant(2), E.constant(-3)])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (HALF + 1, "3/2"),
        (E.norm(ROW, 1), "5"),
        (E.abs(ROW[1]) ** 2 / 4, "9/4"),
        (E.sign(ROW), "[1, -1]"),
        (E.outer(ROW, ROW), "[[4, -6], [-6, 9]]"),
    ],
)
def test_fractions_come_out_exact(value: E.Expr, shown: str) -> None:
    found = exact(value)
    assert found is not None
    assert plain(found) == shown


def test_what_is_no_fraction_or_too_long_a_one_is_shown_as_decimals() -> None:
    assert exact(E.exp(HALF)) is None
    assert decimals(E.exp(HALF), 6) == "1.64872"
    assert exact(E.constant(Fraction(10**13 + 1, 10**13))) is None


def test_free_symbols_have_no_value() -> None:
    assert not is_closed(E.symbol("x") + 1)
    assert exact(E.symbol("x")) is None
