"""The declared domain of a comparison, and exact points drawn inside it.

Points depend on the content alone (declarations, conditions and a label), never on the process or on the answer, so
that every answer to a question is judged at the same points and the truth's values there are computed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import prod
from random import Random
from typing import Literal

from grader.compare.draws import ARRAY_PLAN, SCALAR_PLAN, Interval, Stratum, draw, seeded
from grader.notation.vocabulary import Declaration
from reference.expression import Expr, symbol
from reference.graph import FLOAT, build, run
from reference.shapes import Shape

Relation = Literal[">", ">=", "<", "<=", "!="]

MAX_ATTEMPTS = 400  # draws per point before the directed search starts
MAX_STEPS = 600  # steps of the directed search per point
MARGIN = 1e-6  # a condition must hold by this much, so that rounding never decides it


@dataclass(frozen=True, slots=True)
class Condition:
    """`expr relation 0`, a condition that narrows the domain."""

    expr: Expr
    relation: Relation

    def shortfall(self, value: float) -> float:
        """By how much the condition fails: 0 where it holds with a margin."""
        if value != value:
            return float("inf")
        if self.relation == "!=":
            return 0.0 if abs(value) > MARGIN else 1.0
        return max(0.0, MARGIN - (value if self.relation.startswith(">") else -value))


@dataclass(frozen=True, slots=True)
class Point:
    """Exact values of every symbol, row by row; scalars have one."""

    values: tuple[tuple[str, tuple[Fraction, ...]], ...]
    stratum: Stratum


@dataclass(frozen=True, eq=False)
class Domain:
    """Names with their declarations (concrete shapes), and conditions on them.

    Two domains with the same content are interchangeable.
    """

    symbols: Mapping[str, Declaration] = field(default_factory=dict)
    where: tuple[Condition, ...] = ()

    @cached_property
    def key(self) -> str:
        """The content as text: what the draws depend on."""
        names = [f"{name}:{d.domain}:{d.lo}:{d.hi}:{d.shape}" for name, d in sorted(self.symbols.items())]
        return ";".join([*names, *(f"{c.relation}{describe_content(c.expr)}" for c in self.where)])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Domain) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def shape(self, name: str) -> Shape:
        return tuple(int(n) for n in self.symbols[name].shape)

    def points(self, label: str = "") -> tuple[Point, ...]:
        """The points of comparison.  Empty if no point of the domain could be found."""
        return tuple(_draw_points(self, label))


def describe_content(expr: Expr) -> str:
    """A text that is the same for the same expression in every process."""
    from reference.expression import ordered

    places = {node: i for i, node in enumerate(ordered([expr]))}
    return ";".join(f"{n.op}{n.attrs}{[places[a] for a in n.args]}{n.shape}" for n in places)


def interval_of(declaration: Declaration) -> Interval:
    """The interval a declared domain stands for."""
    integer = declaration.domain == "integer"
    nonzero = declaration.domain == "nonzero"
    if declaration.domain == "positive":
        return Interval(max(declaration.lo or Fraction(0), Fraction(0)), declaration.hi, nonzero=True, open=True)
    return Interval(declaration.lo, declaration.hi, integer=integer, nonzero=nonzero)


def _draw_points(domain: Domain, label: str) -> Iterator[Point]:
    intervals = {name: interval_of(d) for name, d in sorted(domain.symbols.items())}
    if any(i.empty for i in intervals.values()):
        return
    if not intervals:
        yield Point((), "moderate")
        return
    shapes = {name: domain.shape(name) for name in intervals}
    plan = SCALAR_PLAN if all(s == () for s in shapes.values()) else ARRAY_PLAN
    test = _Conditions(domain)
    misses = 0
    for number, stratum in enumerate(plan):
        rng = seeded("point", domain.key, label, str(number))
        values = _draw_one(intervals, shapes, stratum, rng, test)
        if values is None:
            misses += 1
            if misses >= 3 and number == misses - 1:
                return  # nothing so far: the domain is empty, or as good as
            continue
        yield Point(tuple(values.items()), stratum)


def _draw_one(
    intervals: Mapping[str, Interval],
    shapes: Mapping[str, Shape],
    stratum: Stratum,
    rng: Random,
    test: _Conditions,
) -> dict[str, tuple[Fraction, ...]] | None:
    if not test.conditions:
        return _candidate(intervals, shapes, stratum, rng)
    best: dict[str, tuple[Fraction, ...]] = {}
    least = float("inf")
    for _ in range(MAX_ATTEMPTS):
        values = _candidate(intervals, shapes, stratum, rng)
        shortfall = test.shortfall(values)
        if shortfall == 0:
            return values
        if shortfall < least or not best:
            best, least = values, shortfall
    return _search(best, least, intervals, rng, test)


def _candidate(
    intervals: Mapping[str, Interval], shapes: Mapping[str, Shape], stratum: Stratum, rng: Random
) -> dict[str, tuple[Fraction, ...]]:
    """Numbers for every symbol, no two of the same size, so that kinks like x1 = x2 are not hit."""
    taken: set[Fraction] = set()
    values: dict[str, tuple[Fraction, ...]] = {}
    for name, interval in intervals.items():
        entries: list[Fraction] = []
        for _ in range(prod(shapes[name])):
            value = draw(interval, stratum, rng)
            for _ in range(8):
                if abs(value) not in taken:
                    break
                value = draw(interval, stratum, rng)
            taken.add(abs(value))
            entries.append(value)
        values[name] = tuple(entries)
    return values


def _search(
    values: dict[str, tuple[Fraction, ...]],
    shortfall: float,
    intervals: Mapping[str, Interval],
    rng: Random,
    test: _Conditions,
) -> dict[str, tuple[Fraction, ...]] | None:
    """Redraw one number at a time, keeping what brings the conditions nearer to holding."""
    places = [(name, i) for name, entries in values.items() for i in range(len(entries))]
    strata: tuple[Stratum, ...] = ("moderate", "near_zero", "large", "tiny")
    for _ in range(MAX_STEPS):
        name, place = rng.choice(places)
        entries = list(values[name])
        entries[place] = draw(intervals[name], rng.choice(strata), rng)
        changed = {**values, name: tuple(entries)}
        now = test.shortfall(changed)
        if now == 0:
            return changed
        if now < shortfall or shortfall == float("inf"):
            values, shortfall = changed, now
    return None


class _Conditions:
    """The conditions of a domain, ready to be tried in floats."""

    def __init__(self, domain: Domain) -> None:
        self.conditions = domain.where
        self.shapes = {name: domain.shape(name) for name in domain.symbols}
        self.graph = build([c.expr for c in domain.where]) if domain.where else None

    def shortfall(self, values: Mapping[str, tuple[Fraction, ...]]) -> float:
        """How far the conditions are from holding, all together; 0 where they hold, also on whole arrays entrywise."""
        import numpy as np

        if self.graph is None:
            return 0.0
        env = {
            name: np.array([float(v) for v in entries]).reshape(self.shapes[name]) for name, entries in values.items()
        }
        with np.errstate(all="ignore"):
            found = run(self.graph, env, FLOAT)
        total = 0.0
        for condition, result in zip(self.conditions, found, strict=True):
            total += sum(condition.shortfall(float(v)) for v in np.asarray(result).ravel())
        return total


def symbol_values(point: Point, domain: Domain) -> dict[Expr, tuple[Fraction, ...]]:
    """The point with its symbols as expressions."""
    return {symbol(name, domain.shape(name)): entries for name, entries in point.values}
