"""Same or not: two expressions compared at exact points in ball arithmetic.

A difference that excludes zero at a point proves NO.  YES needs both sides to agree to at least 30 digits, with a
bounded error, at every point that can be decided.
Source: Johansson 2017 (ball arithmetic); Schwartz 1980 (identity by evaluation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import prod

from flint import arb, ctx

from grader.compare.domain import Domain, Point, describe_content
from grader.compare.evaluation import Batch, TooMuch
from grader.compare.evidence import Sameness
from grader.compare.layouts import align
from grader.compare.literals import literal_bits
from grader.compare.policy import EXACT, Policy
from grader.compare.tolerance import within
from grader.compare.witness import make_witness
from reference.expression import Expr, calls, symbols, transpose
from reference.shapes import describe

FIRST_BITS = 160
AGREE_BITS = 100  # 2^-100 is 30 digits
ESCALATIONS = (1, 2, 5, 12)  # multiples of the first precision
MAX_BITS = 8_192
MIN_AGREE = 4  # points that must agree before YES
FIRST_LOOK = 3  # points tried before the others: most wrong answers end here
ROUNDS = 4  # of drawing points, until enough of them lie where the truth is defined
CACHED = 512


def same(truth: Expr, answer: Expr, domain: Domain | None = None, policy: Policy = EXACT) -> Sameness:
    """Is the answer the truth, everywhere in the domain?  Deterministic; never raises for anything a student wrote."""
    domain = domain or Domain()
    aligned = align(truth.shape, answer, policy)
    if aligned.answer is None:
        return Sameness("no", "shape", note=aligned.note, message=aligned.message)
    strangers = [s.name for s in symbols(aligned.answer) if s.name not in domain.symbols]
    if strangers:
        names = ", ".join(sorted(strangers))
        return Sameness("unknown", "names", note="names.unknown", message=f"it is not said what {names} is")
    try:
        if calls([truth, aligned.answer]):
            from grader.compare.functions import same_with_functions

            found = same_with_functions(truth, aligned.answer, domain, policy)
        else:
            found = compare(truth, aligned.answer, domain, policy)
    except (TooMuch, OverflowError, MemoryError) as trouble:
        return Sameness("unknown", "effort", note="effort", message=f"too large to be compared: {trouble}")
    return _judge_layout(found, truth, aligned.answer, aligned.note, aligned.message, domain, policy)


def _judge_layout(
    found: Sameness, truth: Expr, answer: Expr, note: str, message: str, domain: Domain, policy: Policy
) -> Sameness:
    """What a right value in another layout is worth, and whether a wrong square matrix is the transpose."""
    if note == "jacobian.transposed":
        if found.verdict not in ("yes", "partly"):
            shape = describe(truth.shape[::-1])
            return Sameness(
                "no",
                "shape",
                note="shape.wrong",
                message=f"the answer is {shape}, but {describe(truth.shape)} is asked",
            )
        if policy.transposed:
            return replace(found, how="layout", note=note, message=message)
        return Sameness("no", "layout", note=note, message=message)
    if note and found.verdict in ("yes", "partly"):
        return Sameness("no", "layout", note=note, message=message)
    square = len(truth.shape) == 2 and truth.shape[0] == truth.shape[1] > 1
    if found.verdict == "no" and square and not calls([truth, answer]):
        turned = compare(truth, transpose(answer), domain, policy)
        if turned.verdict == "yes":
            message = "the answer is the transpose of what is asked"
            if policy.transposed:
                return replace(turned, how="layout", note="jacobian.transposed", message=message)
            return replace(found, note="jacobian.transposed", message=message)
    return found


@dataclass(frozen=True, slots=True)
class Prepared:
    """The truth at its points: only points where it is defined are kept."""

    points: tuple[Point, ...]
    drawn: int
    extra: int


@lru_cache(maxsize=CACHED)
def prepare(truth: Expr, domain: Domain) -> Prepared:
    """Points of the domain where the truth is defined, enough of them if there are any."""
    extra = literal_bits([truth])
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


def compare(truth: Expr, answer: Expr, domain: Domain, policy: Policy) -> Sameness:
    """Compare two expressions of one shape without abstract functions."""
    if truth is answer:
        return Sameness("yes", "identical", entries=(True,) * prod(truth.shape))
    prepared = prepare(truth, domain)
    if not prepared.points:
        note = "domain.empty" if not prepared.drawn else "domain.truth_undefined"
        return Sameness("unknown", "empty_domain", note=note, message="there is no point where the two can be compared")
    extra = max(prepared.extra, literal_bits([answer]))
    tally = _Tally(prod(truth.shape), {}, set(), set(), [])
    count = len(prepared.points)
    every = tuple(range(count))
    for part in (every[:FIRST_LOOK], every[FIRST_LOOK:]):
        if part:
            _look(truth, answer, domain, policy, part, FIRST_BITS + extra, extra, tally)
        if tally.differs and tally.entries == 1:
            break
    if not (tally.differs and tally.entries == 1):
        _escalate(truth, answer, domain, policy, extra, tally)
    return _conclude(truth, answer, domain, prepared, tally, extra)


def _escalate(truth: Expr, answer: Expr, domain: Domain, policy: Policy, extra: int, tally: _Tally) -> None:
    """Look at what is still open, and confirm what seems undefined, at higher precision."""
    for multiple in ESCALATIONS[1:]:
        part = tuple(sorted({*tally.open, *(tally.undefined if multiple == ESCALATIONS[1] else ())}))
        if not part:
            return
        bits = FIRST_BITS * multiple + extra
        tally.open = []
        tally.undefined -= set(part)
        _look(truth, answer, domain, policy, part, bits, extra, tally)


def _look(
    truth: Expr,
    answer: Expr,
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
    right, given = (v.reshape(len(part), -1) for v in batch.of([truth, answer]))
    with ctx.workprec(batch.bits):
        small = arb(2) ** -(AGREE_BITS + extra)
        for place, number in enumerate(part):
            seen = [_see(t, a, small, policy) for t, a in zip(right[place], given[place], strict=True)]
            wrong = [i for i, s in enumerate(seen) if s == "differs"]
            if wrong:
                tally.differs[number] = wrong
            elif all(s == "agrees" for s in seen):
                tally.agrees.add(number)
            elif "undefined" in seen:
                tally.undefined.add(number)
            else:
                tally.open.append(number)


def _see(truth: arb, answer: arb, small: arb, policy: Policy) -> str:
    """differs (proved), agrees (to 30 digits), undefined (the answer) or open (not precise enough)."""
    if not answer.is_finite():
        return "undefined" if truth.is_finite() else "open"
    if not truth.is_finite():
        return "open"
    difference = answer - truth
    if not policy.exact:
        return within(truth, answer, difference, policy)
    if not difference.contains(0):
        return "differs"
    scale = max(truth.abs_upper(), answer.abs_upper())
    if difference.abs_upper() <= small * scale or (scale <= small and truth.contains(0) and answer.contains(0)):
        return "agrees"
    return "open"


def _conclude(truth: Expr, answer: Expr, domain: Domain, prepared: Prepared, tally: _Tally, extra: int) -> Sameness:
    entries = _entries(tally)
    if tally.differs:
        witness = make_witness(truth, answer, domain, [prepared.points[i] for i in sorted(tally.differs)], extra)
        note = "entries.some_right" if any(entries) else ""
        return Sameness("no", "witness", witness, note, entries=entries, points=len(tally.differs))
    telling = {i for i in tally.undefined if prepared.points[i].stratum != "huge"}
    enough = min(MIN_AGREE, len(prepared.points))
    if len(tally.agrees) < enough or len(tally.open) > len(tally.agrees):
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


def _entries(tally: _Tally) -> tuple[bool, ...]:
    wrong = {i for places in tally.differs.values() for i in places}
    return tuple(i not in wrong for i in range(tally.entries))


def is_number(expr: Expr) -> bool:
    """Does the expression hold no symbols?"""
    return not symbols(expr)


def exact_value(expr: Expr) -> Fraction | None:
    """The exact value of a literal number, a sign and a fraction bar included; None for anything else."""
    if expr.op == "constant":
        return Fraction(expr.value)
    if expr.op == "neg":
        inner = exact_value(expr.args[0])
        return None if inner is None else -inner
    if expr.op == "div":
        above, below = exact_value(expr.args[0]), exact_value(expr.args[1])
        return above / below if above is not None and below else None
    return None
