"""A domain that is a single exact point: the numbers of a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from grader.compare import Domain, Point
from grader.notation import Declaration
from reference.expression import Expr


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
