"""A point where two expressions differ, as simple as can be found, with both values there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from flint import arb, ctx

from grader.compare.domain import Domain, Point, interval_of
from grader.compare.draws import seeded
from grader.compare.evaluation import Batch
from grader.compare.evidence import Witness
from reference.expression import Expr, ordered

DIGITS = 6
SHOWN = (DIGITS, 12, 24)
SIMPLE = (
    Fraction(2),
    Fraction(3),
    Fraction(1, 2),
    Fraction(-1),
    Fraction(5),
    Fraction(-2),
    Fraction(3, 2),
    Fraction(4),
)
BITS = 256
TRIES = 3  # simple points tried
LARGE = 200  # nodes; for larger answers none is
LARGEST_WHOLE = 10**12  # shown without a point
MAX_SHOWN = 12  # numbers of a point that are shown; larger points are described by their first ones


def make_witness(truth: Expr, answer: Expr, domain: Domain, points: Sequence[Point], extra: int) -> Witness:
    """The witness at a point of small whole numbers if they differ there too, else at the first point found."""
    tries = TRIES if len(ordered([answer])) <= LARGE else 0
    simple = [_simple_point(domain, number) for number in range(tries)]
    for point in [*(p for p in simple if p is not None), points[0]]:
        found = _at(truth, answer, point, extra)
        if found is not None:
            return found
    found = _at(truth, answer, points[0], extra, proved=False)
    assert found is not None
    return found


def _simple_point(domain: Domain, number: int) -> Point | None:
    if not domain.symbols or domain.where:
        return None
    rng = seeded("witness", domain.key, str(number))
    values: list[tuple[str, tuple[Fraction, ...]]] = []
    for name, declaration in sorted(domain.symbols.items()):
        interval = interval_of(declaration)
        fitting = [v for v in SIMPLE if interval.holds(v)]
        if not fitting:
            return None
        count = 1
        for n in domain.shape(name):
            count *= n
        values.append((name, tuple(rng.choice(fitting) for _ in range(count))))
    return Point(tuple(values), "moderate")


def _at(truth: Expr, answer: Expr, point: Point, extra: int, proved: bool = True) -> Witness | None:
    env: Mapping[str, Sequence[tuple[Fraction, ...]]] = {name: [entries] for name, entries in point.values}
    batch = Batch(env, 1, BITS + extra)
    right, given = (v.reshape(-1) for v in batch.of([truth, answer]))
    with ctx.workprec(batch.bits):
        for place, (t, a) in enumerate(zip(right, given, strict=True)):
            differs = t.is_finite() and a.is_finite() and not (a - t).contains(0)
            if differs or not proved:
                given_text, right_text = show_apart(a, t)
                return Witness(_shown(point), given_text, right_text, entry_of(place, truth.shape))
    return None


def undefined_witness(truth: Expr, answer: Expr, point: Point, extra: int) -> Witness | None:
    """A point where the truth has a value and an entry of the answer has none."""
    env: Mapping[str, Sequence[tuple[Fraction, ...]]] = {name: [entries] for name, entries in point.values}
    right, given = (v.reshape(-1) for v in Batch(env, 1, BITS + extra).of([truth, answer]))
    for place, (t, a) in enumerate(zip(right, given, strict=True)):
        if t.is_finite() and not a.is_finite():
            return Witness(_shown(point), show_ball(a), show_ball(t), entry_of(place, truth.shape))
    return None


def show_apart(answer: arb, truth: arb) -> tuple[str, str]:
    """Both values, with as many digits as it takes to tell them apart."""
    for digits in SHOWN:
        shown = show_ball(answer, digits), show_ball(truth, digits)
        if shown[0] != shown[1]:
            return shown
    short = show_ball(truth)
    return f"{short} + {show_ball(answer - truth)}", short


def entry_of(place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Row and column, counted from 1, of an entry numbered row by row from 0."""
    found: list[int] = []
    for n in reversed(shape):
        place, here = divmod(place, n)
        found.append(here + 1)
    return tuple(reversed(found))


def _shown(point: Point) -> tuple[tuple[str, str], ...]:
    shown: list[tuple[str, str]] = []
    for name, entries in point.values:
        if len(entries) == 1:
            shown.append((name, str(entries[0])))
        else:
            more = ", …" if len(entries) > MAX_SHOWN else ""
            shown.append((name, "(" + ", ".join(map(str, entries[:MAX_SHOWN])) + more + ")"))
    return tuple(shown)


def show_ball(value: arb, digits: int = DIGITS) -> str:
    """That many digits; whole numbers without a point."""
    if not value.is_finite():
        return "undefined"
    whole = value.unique_fmpz() if value == 0 or 1 <= abs(value) < LARGEST_WHOLE else None
    if whole is not None and value.is_exact():
        return str(int(whole))
    return str(value.str(digits, radius=False))
