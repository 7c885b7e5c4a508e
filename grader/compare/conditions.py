"""Conditions that narrow a domain, such as x1^2 > x2: tried in floats, and searched for where chance fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from grader.compare.draws import Interval
from reference.expression import Expr
from reference.graph import FLOAT, build, run
from reference.shapes import Shape

Relation = Literal[">", ">=", "<", "<=", "!="]
Values = Mapping[str, tuple[Fraction, ...]]

ATTEMPTS = 60  # draws per point before the directed search starts
ATTEMPTS_ONE_BY_ONE = 20  # where points can only be tried singly
STEPS = 200  # of the directed search, all walkers at once
STEPS_ONE_BY_ONE = 60
MARGIN = 1e-6  # a condition must hold by this much, so that rounding never decides it
GRID = 10_007  # a prime: the denominator of what the search finds


@dataclass(frozen=True, slots=True)
class Condition:
    """`expr relation 0`, a condition that narrows the domain; of an array it is meant for every entry."""

    expr: Expr
    relation: Relation

    def shortfall(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much the condition fails, entry by entry: 0 where it holds with a margin."""
        if self.relation == "!=":
            missing = np.where(np.abs(value) > MARGIN, 0.0, 1.0)
        else:
            missing = np.maximum(0.0, MARGIN - (value if self.relation.startswith(">") else -value))
        return np.where(np.isnan(missing), np.inf, missing)


class Conditions:
    """Several conditions, ready to be tried.  Points of scalars are tried all at once."""

    def __init__(self, conditions: Sequence[Condition], shapes: Mapping[str, Shape]) -> None:
        self.conditions = tuple(conditions)
        self.shapes = dict(shapes)
        self.graph = build([c.expr for c in conditions])
        self.together = all(e.shape == () for e in self.graph.equations)
        self.attempts = ATTEMPTS if self.together else ATTEMPTS_ONE_BY_ONE

    def shortfalls(self, points: Sequence[Values]) -> NDArray[np.float64]:
        """How far each point is from meeting all conditions; 0 where it meets them."""
        names = list(points[0])
        return self.of_rows(names, np.array([[float(v) for name in names for v in p[name]] for p in points]))

    def of_rows(self, names: Sequence[str], rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same for points given as rows of numbers, name by name."""
        if self.together:
            return self._total({name: rows[:, i] for i, name in enumerate(names)}, len(rows))
        return np.array([self._total(self._env(names, row), 1)[0] for row in rows])

    def _env(self, names: Sequence[str], row: NDArray[np.float64]) -> dict[str, Any]:
        env: dict[str, Any] = {}
        start = 0
        for name in names:
            size = int(np.prod(self.shapes[name]))
            env[name] = row[start : start + size].reshape(self.shapes[name])
            start += size
        return env

    def _total(self, env: Mapping[str, Any], count: int) -> NDArray[np.float64]:
        total = np.zeros(count)
        for condition, value in zip(self.conditions, run(self.graph, env, FLOAT), strict=True):
            missing = condition.shortfall(np.asarray(value, dtype=float))
            total += missing if self.together else missing.sum()
        return total


def search(
    starts: Sequence[Values], intervals: Mapping[str, Interval], rng: Random, test: Conditions
) -> dict[str, tuple[Fraction, ...]] | None:
    """Move many walkers, one number at a time, to where the conditions hold; None if none gets there.

    A step either redraws a number from the starts or shifts it a little; it is kept unless it leads away.
    """
    names = list(starts[0])
    owners = [name for name in names for _ in starts[0][name]]
    rows = np.array([[float(v) for name in names for v in p[name]] for p in starts])
    pool = rows.copy()
    dice = np.random.default_rng(rng.getrandbits(64))
    count, width = rows.shape
    everyone = np.arange(count)
    missing = test.of_rows(names, rows)
    for _ in range(STEPS if test.together else STEPS_ONE_BY_ONE):
        place = dice.integers(width, size=count)
        fresh = pool[dice.integers(count, size=count), place]
        here = rows[everyone, place]
        shifted = here + dice.normal(size=count) * 10.0 ** dice.uniform(-3, 0.5, size=count) * np.maximum(
            np.abs(here), 0.1
        )
        moved = rows.copy()
        moved[everyone, place] = np.where(dice.random(count) < 0.3, fresh, shifted)
        now = test.of_rows(names, moved)
        better = now <= missing
        rows[better], missing[better] = moved[better], now[better]
        for walker in np.flatnonzero(missing == 0):
            found = _exact(names, owners, rows[walker], intervals)
            if found is not None and test.shortfalls([found])[0] == 0:
                return found
            missing[walker] = np.inf
    return None


def _exact(
    names: Sequence[str], owners: Sequence[str], row: NDArray[np.float64], intervals: Mapping[str, Interval]
) -> dict[str, tuple[Fraction, ...]] | None:
    """The row as exact numbers of the domain; None where one falls outside."""
    values: dict[str, list[Fraction]] = {name: [] for name in names}
    for name, number in zip(owners, row, strict=True):
        interval = intervals[name]
        if not np.isfinite(number):
            return None
        value = Fraction(round(number)) if interval.integer else Fraction(round(number * GRID), GRID)
        if not interval.holds(value):
            return None
        values[name].append(value)
    return {name: tuple(entries) for name, entries in values.items()}
