"""Two expressions of one shape at the same points: where they differ, agree, or cannot be compared.

Source: Johansson 2017 (ball arithmetic); Schwartz 1980 (identity by evaluation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import prod

import numpy as np
from flint import arb, ctx

from grader.compare.domain import Domain, Point, describe_content
from grader.compare.evaluation import Batch
from grader.compare.evidence import Sameness
from grader.compare.literals import literal_bits
from grader.compare.policy import Policy
from grader.compare.tolerance import within
from grader.compare.witness import make_witness, undefined_witness
from reference.expression import Expr, ordered

FIRST_BITS = 192
AGREE_BITS = 100  # 2^-100 is 30 digits
ESCALATIONS = (1, 2, 5, 12)  # multiples of the first precision
MAX_BITS = 8_192
FAR = ("huge", "high_edge")
MIN_AGREE = 4  # points that must agree before YES
LARGE = 200  # nodes; larger answers are tried at the first points before the others
FIRST_LOOK = 2
ENOUGH = 10  # points that agree, so that huge ones need not be pressed
ROUNDS = 4  # of drawing points, until enough of them lie where the truth is defined
CACHED = 512


@dataclass(frozen=True, slots=True)
class Prepared:
    """The truth at its points: only points where it is defined are kept."""

    points: tuple[Point, ...]
    drawn: int
    extra: int


@lru_cache(maxsize=CACHED)
def prepare(truth: Expr, domain: Domain) -> Prepared:
    """Points of the domain where the truth is defined, enough of them if there are any."""
    extra = literal_bits(ordered([truth]))
    label = describe_content(truth)
    kept: list[Point] = []
    drawn = 0
    wanted = 0
    for number in range(ROUNDS):
        points = domain.points(f"{label}#{number}")
        wanted = wanted or len(points)
        drawn += len(points)
        if points:
            values = _batch(points, FIRST_BITS + extra).of([truth])[0].reshape(len(points), -1)
            kept += [p for p, row in zip(points, values, strict=True) if all(v.is_finite() for v in row)]
        if len(kept) >= wanted or not domain.symbols:
            break
    return Prepared(tuple(kept[: max(wanted, 1)]), drawn, extra)


@lru_cache(maxsize=CACHED)
def _truth_batch(truth: Expr, domain: Domain, bits: int, part: tuple[int, ...]) -> Batch:
    """A batch holding the truth's values at some of its points; cached, so that many answers share them."""
    points = prepare(truth, domain).points
    batch = _batch([points[i] for i in part], bits)
    batch.of([truth])
    return batch


def _batch(points: Sequence[Point], bits: int) -> Batch:
    env = {name: [dict(p.values)[name] for p in points] for name, _ in points[0].values} if points else {}
    return Batch(env, len(points), min(bits, MAX_BITS))


@dataclass(slots=True)
class _Tally:
    """What is known about each point and entry so far."""

    entries: int
    differs: dict[int, list[int]]  # point -> entries that differ there
    agrees: set[int]
    undefined: set[int]
    open: list[int]


def compare(truth: Expr, answer: Expr, domain: Domain, policy: Policy, nodes: Sequence[Expr] | None = None) -> Sameness:
    """Compare two expressions of one shape without abstract functions.  `nodes`: the answer's order of evaluation."""
    if truth is answer:
        return Sameness("yes", "identical", entries=(True,) * prod(truth.shape))
    prepared = prepare(truth, domain)
    if not prepared.points:
        note = "domain.empty" if not prepared.drawn else "domain.truth_undefined"
        return Sameness("unknown", "empty_domain", note=note, message="there is no point where the two can be compared")
    order = ordered([answer]) if nodes is None else nodes
    extra = max(prepared.extra, literal_bits(order))
    tally = _Tally(prod(truth.shape), {}, set(), set(), [])
    count = len(prepared.points)
    every = tuple(range(count))
    for part in (every[:FIRST_LOOK], every[FIRST_LOOK:]) if len(order) > LARGE else (every,):
        if part and not tally.differs:
            _look(truth, answer, order, domain, policy, part, FIRST_BITS + extra, extra, tally)
    if not (tally.differs and tally.entries == 1):
        _escalate(truth, answer, order, domain, policy, extra, tally)
    return _conclude(truth, answer, domain, prepared, tally, extra)


def _escalate(
    truth: Expr,
    answer: Expr,
    order: Sequence[Expr],
    domain: Domain,
    policy: Policy,
    extra: int,
    tally: _Tally,
) -> None:
    """Look at what is still open, and confirm what seems undefined, at higher precision."""
    points = prepare(truth, domain).points
    for multiple in ESCALATIONS[1:]:
        part = tuple(sorted({*tally.open, *tally.undefined}))
        far = all(points[i].stratum in FAR for i in part) and not tally.undefined
        if not part or (len(tally.agrees) >= ENOUGH and far):
            return  # what happens to 1 - tanh² at 900 needs thousands of bits and tells nothing new
        bits = FIRST_BITS * multiple + extra
        tally.open = []
        tally.undefined -= set(part)
        _look(truth, answer, order, domain, policy, part, bits, extra, tally)


def _look(
    truth: Expr,
    answer: Expr,
    order: Sequence[Expr],
    domain: Domain,
    policy: Policy,
    part: tuple[int, ...],
    bits: int,
    extra: int,
    tally: _Tally,
) -> None:
    """Compare at the points `part` and write down what is seen."""
    known = _truth_batch(truth, domain, bits, part)
    batch = Batch(known.env, known.count, known.bits)
    batch.values.update(known.values)
    right, given = (v.reshape(len(part), -1) for v in batch.of([truth, answer], order))
    need = AGREE_BITS + extra
    see = _see if policy.exact else partial(_see_rounded, policy=policy)
    with ctx.workprec(batch.bits):
        differences = given - right
        for place, number in enumerate(part):
            seen = [see(t, a, d, need) for t, a, d in zip(right[place], given[place], differences[place], strict=True)]
            if "differs" in seen:
                tally.differs[number] = [i for i, s in enumerate(seen) if s == "differs"]
            elif seen.count("agrees") == len(seen):
                tally.agrees.add(number)
            elif "undefined" in seen:
                tally.undefined.add(number)
            else:
                tally.open.append(number)


def _see_rounded(truth: arb, answer: arb, difference: arb, need: int, policy: Policy) -> str:
    """The same where the policy accepts rounded answers."""
    if not difference.is_finite():
        return "undefined" if truth.is_finite() and not answer.is_finite() else "open"
    return within(truth, answer, difference, policy)


def _see(truth: arb, answer: arb, difference: arb, need: int) -> str:
    """differs (proved), agrees (to `need` bits), undefined (the answer) or open (not precise enough)."""
    if not difference.is_finite():
        return "undefined" if truth.is_finite() and not answer.is_finite() else "open"
    if not difference.contains(0):
        return "differs"
    if truth.rel_accuracy_bits() > need and answer.rel_accuracy_bits() > need:
        return "agrees"
    small = arb(2) ** -need
    if difference.abs_upper() <= small * max(truth.abs_upper(), answer.abs_upper()):
        return "agrees"
    both_zero = truth.contains(0) and answer.contains(0)
    return "agrees" if both_zero and max(truth.abs_upper(), answer.abs_upper()) <= small else "open"


def _conclude(truth: Expr, answer: Expr, domain: Domain, prepared: Prepared, tally: _Tally, extra: int) -> Sameness:
    entries = _entries(tally)
    if tally.differs:
        witness = make_witness(truth, answer, domain, [prepared.points[i] for i in sorted(tally.differs)], extra)
        note = "entries.some_right" if any(entries) else ""
        return Sameness("no", "witness", witness, note, entries=entries, points=len(tally.differs))
    telling = {i for i in tally.undefined if prepared.points[i].stratum != "huge"}
    enough = min(MIN_AGREE, len(prepared.points))
    if len(tally.agrees) < enough or len(tally.open) > len(tally.agrees):
        if (
            len(tally.undefined) >= max(enough, 1)
            and not tally.agrees
            and not tally.open
            and not (overflows(answer, [prepared.points[i] for i in sorted(tally.undefined)], MAX_BITS // 4))
        ):
            return _undefined_everywhere(truth, answer, prepared, tally, extra)
        note = "domain.undefined_everywhere" if tally.undefined and not tally.agrees else "effort"
        how = "undefined" if note.startswith("domain") else "effort"
        return Sameness("unknown", how, note=note, message="there are not enough points where the two can be compared")
    if telling:
        place = prepared.points[min(telling)]
        where = ", ".join(f"{n} = {', '.join(map(str, v))}" for n, v in place.values)
        return Sameness(
            "partly",
            "undefined",
            note="domain.partly_undefined",
            message=f"equal wherever both are defined, but the answer is undefined for example at {where}",
            entries=entries,
            points=len(tally.agrees),
        )
    return Sameness("yes", "balls", entries=entries, points=len(tally.agrees))


def overflows(answer: Expr, points: Sequence[Point], bits: int) -> bool:
    """Is a value lost because it is too big to hold, rather than because a function is undefined there?"""
    order = ordered([answer])
    batch = _batch(points, bits)
    batch.of([answer], order)
    for node in order:
        value, _ = batch.values[node]
        entries = value.flat if isinstance(value, np.ndarray) else (value,)
        if any(not v.is_finite() and not v.is_nan() for v in entries):
            return True
    return False


def _undefined_everywhere(truth: Expr, answer: Expr, prepared: Prepared, tally: _Tally, extra: int) -> Sameness:
    """The truth has a value wherever it was looked at, the answer nowhere: another function."""
    message = "the answer is undefined wherever it was looked at, the truth is not"
    witness = undefined_witness(truth, answer, prepared.points[min(tally.undefined)], extra)
    count = len(tally.undefined)
    return Sameness("no", "undefined", witness, "domain.undefined_everywhere", message, points=count)


def _entries(tally: _Tally) -> tuple[bool, ...]:
    wrong = {i for places in tally.differs.values() for i in places}
    return tuple(i not in wrong for i in range(tally.entries))
