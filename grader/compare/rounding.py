"""Decimals as roundings: is a number its neighbour, to the digits shown?"""

from __future__ import annotations

from fractions import Fraction

from flint import arb, ctx, fmpq

from grader.compare.evaluation import Batch
from grader.notation.syntax import Syntax, walk
from reference.expression import Expr, symbols

BITS = 256
INEXACT_DIGITS = 3  # a decimal with this many digits after its point may itself be rounded
MAX_PLACES = 40
UNITS_OFF = 20  # units of the last digit that rounding on the way may well add up to


def is_rounding(left: Expr, right: Expr, left_syntax: Syntax, right_syntax: Syntax, sign: str) -> bool:
    """May the difference be due to rounding alone?

    A bare decimal may be its neighbour rounded or cut off at the digits it shows.  A decimal inside a longer formula
    may have been rounded before if it shows at least three digits after its point; the error this leads to is then
    bounded by varying all such decimals at once.
    """
    if symbols(left) or symbols(right) or left.shape != right.shape:
        return False
    a, b = _values(left), _values(right)
    units = [_units(syntax, len(a)) for syntax in (left_syntax, right_syntax)]
    slack = _carried(left_syntax) + _carried(right_syntax)
    if sign == "≈" and units[0] is None and units[1] is None:
        units[1] = _whole(right_syntax, len(b))
    with ctx.workprec(BITS):
        for place, (x, y) in enumerate(zip(a, b, strict=True)):
            unit = max((u[place] for u in units if u is not None), default=Fraction(0))
            scale = max(abs(x), abs(y), arb(1))
            allowed = _ball(unit) + _ball(slack) * scale
            if not abs(x - y) < allowed and not (x - y).contains(0):
                return False
    return True


def total_change(value: Expr, moved: list[Expr]) -> Fraction:
    """The sum of |moved − value| of numbers, rounded up; 0 where one of them has no value."""
    first = _values(value)[0]
    with ctx.workprec(BITS):
        total = sum((abs(_values(other)[0] - first) for other in moved), arb(0))
        return Fraction(float(total.upper()) * (1 + 1e-9)) if total.is_finite() else Fraction(0)


def within_slack(left: Expr, right: Expr, slack: Fraction, right_syntax: Syntax) -> bool:
    """Do two numbers differ by no more than rounded values in them and the digits shown explain?"""
    if left.shape or right.shape or symbols(left) or symbols(right):
        return False
    shown = decimals_shown(right_syntax)
    allowed = 2 * slack + (Fraction(1, 10**shown) if shown else 0)
    with ctx.workprec(BITS):
        return bool(abs(_values(left)[0] - _values(right)[0]) <= _ball(allowed))


def misses_its_digits(left: Expr, right: Expr, right_syntax: Syntax) -> bool:
    """Is the decimal on the right, shown with three digits or more, far more off than its last digits could be?"""
    if left.shape or right.shape or not decimals_shown(right_syntax):
        return False
    a, b = _values(left)[0], _values(right)[0]
    unit = Fraction(1, 10 ** decimals_shown(right_syntax))
    with ctx.workprec(BITS):
        return bool(abs(b) >= _ball(100 * unit) and abs(a - b) > _ball(UNITS_OFF * unit))


def relative_gap(left: Expr, right: Expr) -> float | None:
    """The largest |left − right| / |left| over all entries; None where it is not a number."""
    if symbols(left) or symbols(right) or left.shape != right.shape:
        return None
    gaps = [
        abs(x - y) / abs(x) if not x.contains(0) else abs(x - y)
        for x, y in zip(_values(left), _values(right), strict=True)
    ]
    return max((float(g.mid()) for g in gaps), default=None)


def _values(expr: Expr) -> list[arb]:
    return list(Batch({}, 1, BITS).of([expr])[0].reshape(-1))


def _units(syntax: Syntax, count: int) -> list[Fraction] | None:
    """The unit of the last digit shown, per entry; zero for an entry that is not a bare decimal."""
    cells = syntax.args if syntax.kind in ("grid", "tuple", "list") else (syntax,)
    if len(cells) != count:
        return None
    found = [_unit(cell) for cell in cells]
    return found if any(found) else None


def _unit(node: Syntax) -> Fraction:
    while node.kind in ("negative", "chain") and node.args:
        node = node.args[-1]
    if node.kind == "sum" and len(node.args) == 1:
        node = node.args[0]
    return Fraction(1, 10 ** decimals_shown(node)) if decimals_shown(node) else Fraction(0)


def _whole(syntax: Syntax, count: int) -> list[Fraction]:
    return [Fraction(1)] * count


def decimals_shown(node: Syntax) -> int:
    """Digits after the point of a decimal numeral; 0 for anything else."""
    if node.kind != "number" or node.text != "decimal" or node.value is None:
        return 0
    return min(max(_places(Fraction(node.value)), 1), MAX_PLACES)


def _places(value: Fraction) -> int:
    places = 0
    while value.denominator != 1 and places < MAX_PLACES:
        value *= 10
        places += 1
    return places


def _carried(syntax: Syntax) -> Fraction:
    """Relative error that decimals inside a formula may bring along."""
    if syntax.kind == "number":
        return Fraction(0)
    total = Fraction(0)
    for node in walk(syntax):
        shown = decimals_shown(node)
        if shown >= INEXACT_DIGITS and node.value:
            total += Fraction(1, 10**shown) / abs(Fraction(node.value))
    return total


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))
