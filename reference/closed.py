"""Values of expressions without free symbols: exact where they are fractions, else as decimals."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference import expression as E
from reference.expression import calls, symbols
from reference.graph import FLOAT, SYMPY, build, run
from reference.node import Expr

# Operations that keep fractions fractions; sympy evaluates them to numbers at once.
RATIONAL_NAMES = """
constant add sub mul div neg abs sign maximum minimum relu sum mean prod max min index stack concat reshape broadcast
transpose matmul dot outer diag diagonal trace kron det inv put zeros ones where step conv conv_kernel conv_image
"""
RATIONAL = frozenset(RATIONAL_NAMES.split())
DIGITS = 12
LONGEST_FRACTION = 10**12  # numerators and denominators beyond this are no help to a reader: decimals then


def is_closed(expr: Expr) -> bool:
    """Has it a value of its own?"""
    return not symbols([expr]) and not calls([expr])


def exact(expr: Expr) -> Expr | None:
    """The value as constants; None if it has free symbols or is no fraction of reasonable length."""
    if not is_closed(expr) or not all(_keeps_fractions(equation.node) for equation in build(expr).equations):
        return None
    value = np.asarray(run(build(expr), {}, SYMPY)[0], dtype=object)
    if not all(_is_short_fraction(entry) for entry in value.reshape(-1)):
        return None
    return _constants(value)


def decimals(expr: Expr, digits: int = DIGITS) -> str:
    """The value of a closed expression to so many significant digits: `0.5`, `[1, 2.25]`, `[[1, 0], [0, 1]]`."""
    value = np.asarray(run(build(expr), {}, FLOAT)[0], dtype=float)
    return _written(value, digits)


def _keeps_fractions(node: Expr) -> bool:
    if node.op == "pow":
        exponent = node.args[1]
        return exponent.op == "constant" and dict(exponent.attrs)["value"].denominator == 1
    if node.op == "norm":
        return dict(node.attrs).get("order") in ("1", "squared", "inf")
    return node.op in RATIONAL


def _is_short_fraction(entry: Any) -> bool:
    return bool(getattr(entry, "is_Rational", False)) and max(abs(int(entry.p)), int(entry.q)) <= LONGEST_FRACTION


def _constants(value: Any) -> Expr:
    from fractions import Fraction

    if value.ndim == 0:
        number = value.item()
        return E.constant(Fraction(int(number.p), int(number.q)))
    return E.stack([_constants(np.asarray(row, dtype=object)) for row in value])


def _written(value: Any, digits: int) -> str:
    if value.ndim == 0:
        return f"{float(value):.{digits}g}"
    return "[" + ", ".join(_written(row, digits) for row in value) + "]"
