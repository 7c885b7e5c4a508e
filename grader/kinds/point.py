"""A domain that is a single exact point: the numbers of a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from grader.compare import Domain, Point
from grader.notation import Declaration
from reference.expression import Expr

SLACK = Fraction(1, 10**12)  # rounding of floats


@dataclass(frozen=True)
class Single(Domain):
    """Holds exactly the entries given, row by row."""

    at: Mapping[str, tuple[Fraction, ...]] = field(default_factory=dict)

    def points(self, label: str = "") -> tuple[Point, ...]:
        return (Point(tuple(self.at.items()), "moderate"),)


def single_point(variable: Expr, value: Expr) -> Single:
    """The point where `variable` has the constant value `value`."""
    return points_at({variable: value})


def points_at(values: Mapping[Expr, Expr]) -> Single:
    """The point where each variable has its constant value."""
    declared = {variable.name: Declaration("real", variable.shape) for variable in values}
    return Single(declared, (), at={variable.name: exact_entries(value) for variable, value in values.items()})


def exact_entries(value: Expr) -> tuple[Fraction, ...]:
    """The entries of a constant expression, row by row; floats where they are no fractions."""
    import numpy as np

    from reference.graph import FLOAT, build, run

    numbers = np.asarray(run(build(value), {}, FLOAT)[0], dtype=float).ravel()
    return tuple(Fraction(float(one)) for one in numbers)


def is_mixture(point: Sequence[Fraction], corners: Sequence[Sequence[Fraction]]) -> bool:
    """Is a point a convex combination of corners?  Exact, up to `SLACK` in each entry, by the simplex method.

    Feasibility of Σ λ_k c_k = x, Σ λ_k = 1, λ ≥ 0, with Bland's rule.  Source: Chvátal 1983, chapter 3.
    """
    rows = [[Fraction(c[i]) for c in corners] for i in range(len(point))] + [[Fraction(1)] * len(corners)]
    goal = [*(_near(value, [c[i] for c in corners]) for i, value in enumerate(point)), Fraction(1)]
    for row, value in zip(rows, goal, strict=True):
        if value < 0:
            row[:] = [-one for one in row]
    table = [
        [*row, *(Fraction(int(i == j)) for j in range(len(rows))), abs(value)]
        for i, (row, value) in enumerate(zip(rows, goal, strict=True))
    ]
    basis = [len(corners) + i for i in range(len(rows))]
    while True:
        cost = [
            sum((t[j] for t, b in zip(table, basis, strict=True) if b >= len(corners)), Fraction(0))
            for j in range(len(corners))
        ]
        enter = next((j for j, gain in enumerate(cost) if gain > 0 and j not in basis), None)
        if enter is None:
            return all(t[-1] == 0 for t, b in zip(table, basis, strict=True) if b >= len(corners))
        leave = min(
            (t[-1] / t[enter], b, i) for i, (t, b) in enumerate(zip(table, basis, strict=True)) if t[enter] > 0
        )[2]
        _pivot(table, leave, enter)
        basis[leave] = enter


def _pivot(table: list[list[Fraction]], row: int, column: int) -> None:
    factor = table[row][column]
    table[row] = [one / factor for one in table[row]]
    for i, other in enumerate(table):
        if i != row and other[column]:
            share = other[column]
            table[i] = [a - share * b for a, b in zip(other, table[row], strict=True)]


def _near(value: Fraction, own: Sequence[Fraction]) -> Fraction:
    """A float's fraction as the simple one that is meant, or the corner's own value where it is within rounding."""
    for one in own:
        if abs(value - one) <= SLACK * (1 + abs(one)):
            return one
    return value.limit_denominator(10**6)
