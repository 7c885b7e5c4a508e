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

from grader.compare.conditions import Condition, Conditions, search
from grader.compare.draws import ARRAY_PLAN, SCALAR_PLAN, Interval, Stratum, draw, seeded
from grader.notation.vocabulary import Declaration
from reference.expression import Expr
from reference.shapes import Shape

FIRST_TRIES = 3
SEARCHED: tuple[Stratum, ...] = ("moderate", "near_zero", "large")  # where the directed search starts, besides


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
    test = Conditions(domain.where, shapes) if domain.where else None
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
    test: Conditions | None,
) -> dict[str, tuple[Fraction, ...]] | None:
    if test is None:
        return _candidate(intervals, shapes, stratum, rng)
    left, some = test.attempts, FIRST_TRIES
    while left:
        tried = [_candidate(intervals, shapes, stratum, rng) for _ in range(min(some, left))]
        for values, shortfall in zip(tried, test.shortfalls(tried), strict=True):
            if shortfall == 0:
                return values
        left -= len(tried)
        some *= 4  # most conditions hold at one of the first points; the others are worth trying many at once
    starts = [_candidate(intervals, shapes, s, rng) for s in (stratum, *SEARCHED) for _ in range(test.attempts // 4)]
    return search(starts, intervals, rng, test)


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
            size = abs(value)
            for _ in range(8):
                if size not in taken:
                    break
                value = draw(interval, stratum, rng)
                size = abs(value)
            taken.add(size)
            entries.append(value)
        values[name] = tuple(entries)
    return values
