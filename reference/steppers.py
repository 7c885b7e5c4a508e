"""Explicit Runge-Kutta methods by their tableaus: Euler, midpoint, Heun, the classical method of order four.

Source: Hairer, Nørsett & Wanner 1993, §II.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from reference import expression as E
from reference.expression import substitute
from reference.node import Expr, Operand

_HALF, _SIXTH, _THIRD = Fraction(1, 2), Fraction(1, 6), Fraction(1, 3)


@dataclass(frozen=True)
class Tableau:
    """Row i of `stages` says how much of k_1 … k_{i} goes into the state of stage i+1; `weights` make the step."""

    stages: tuple[tuple[Fraction, ...], ...]
    weights: tuple[Fraction, ...]


TABLEAUS = {
    "euler": Tableau(((),), (Fraction(1),)),
    "midpoint": Tableau(((), (_HALF,)), (Fraction(0), Fraction(1))),
    "heun": Tableau(((), (Fraction(1),)), (_HALF, _HALF)),
    "rk4": Tableau(
        ((), (_HALF,), (Fraction(0), _HALF), (Fraction(0), Fraction(0), Fraction(1))),
        (_SIXTH, _THIRD, _THIRD, _SIXTH),
    ),
}


def explicit_step(method: str, state: Expr, slope: Expr, dt: Operand, time: Expr | None = None) -> Expr:
    """The next state of x' = slope(x, t) over `state` and `time`, both symbols.  Shape: as `state`.

    Stage i is taken at t + c_i dt, c_i being the sum of its row.  Raises KeyError for a method that is not in TABLEAUS.
    """
    tableau, h = TABLEAUS[method], E.constant(dt)
    slopes: list[Expr] = []
    for row in tableau.stages:
        values: dict[Expr, Operand] = {state: _moved(state, h, row, slopes)}
        shift = sum(row, Fraction(0))
        if time is not None and shift:
            values[time] = time + h * shift
        slopes.append(substitute(slope, values))
    return _moved(state, h, tableau.weights, slopes)


def _moved(state: Expr, h: Expr, weights: tuple[Fraction, ...], slopes: list[Expr]) -> Expr:
    found = state
    for weight, slope in zip(weights, slopes, strict=False):
        if weight:
            found = found + (h if weight == 1 else h * weight) * slope
    return found
