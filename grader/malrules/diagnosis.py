"""Which misconception gives exactly this answer?  Matched by value at the points of the domain, then confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.compare import Domain, Policy, same
from grader.compare.functions import signatures, smooth_function
from grader.compare.layouts import align
from grader.malrules.malrule import Candidate, Diagnosis, MalRule, Setting
from reference.expression import Expr, calls, instantiate, symbols
from reference.graph import FLOAT, EvaluationError, build, run
from reference.shapes import Shape, ShapeError

POINTS = 6
CLOSE = 1e-9  # relative; a match is confirmed in ball arithmetic
NEAR = 2e-3  # relative; so close that it was meant
MAX_CANDIDATES = 600
MAX_PAIRED = 40  # misconceptions combined with a second slip
MAX_CONFIRMED = 4
CACHED = 64
ANY_LAYOUT = Policy(transposed=True)

FACTOR = "A constant factor is off."
NEARLY = "Very close, but not equal: check the numbers and do not round."
Values = NDArray[np.float64]


def candidates_for(setting: Setting, rules: Sequence[MalRule]) -> tuple[Candidate, ...]:
    """The wrong results of these misconceptions, in order, each once."""
    return _candidates_for(setting, tuple(rules))


@lru_cache(maxsize=CACHED)
def _candidates_for(setting: Setting, rules: tuple[MalRule, ...]) -> tuple[Candidate, ...]:
    found: list[Candidate] = []
    seen: set[tuple[str, Expr]] = set()
    for rule in rules:
        for result in derive_safely(rule, setting):
            if result is setting.truth or (rule.note, result) in seen:
                continue
            seen.add((rule.note, result))
            found.append(Candidate(rule.note, rule.hint, result))
            if len(found) >= MAX_CANDIDATES:
                return tuple(found)
    return tuple(found)


def derive_safely(rule: MalRule, setting: Setting) -> Iterable[Expr]:
    """The rule's results; shapes that do not conform end it."""
    results: list[Expr] = []
    try:
        for result in rule.derive(setting):
            results.append(result)
    except (ShapeError, ZeroDivisionError, OverflowError):
        pass
    return results


def diagnose(
    answer: Expr, candidates: Sequence[Candidate], domain: Domain, truth: Expr | None = None
) -> tuple[Diagnosis, ...]:
    """The misconceptions whose result equals the answer, in the order of the candidates; all of them where several do.

    With the truth given, candidates equal to it are dropped and constant factors and mistyped numbers are recognised.
    """
    if any(s.name not in domain.symbols for s in symbols(answer)):
        return ()
    table = _table(tuple(candidates), domain, truth)
    found = [c for c in table.matching(answer) if c.note]
    confirmed: dict[str, Diagnosis] = {}
    for candidate in found:
        if candidate.note in confirmed or len(confirmed) >= MAX_CONFIRMED:
            continue
        if same(candidate.result, answer, domain, ANY_LAYOUT).verdict in ("yes", "partly"):
            confirmed[candidate.note] = Diagnosis(candidate.note, candidate.hint)
    if confirmed:
        return tuple(confirmed.values())
    return table.proportional(answer)


@dataclass(frozen=True)
class _Table:
    """Candidates with their values at the points, grouped by shape."""

    candidates: tuple[Candidate, ...]
    values: dict[Shape, tuple[list[int], Values]]  # shape -> numbers of candidates, their values row by row
    domain: Domain
    truth: Expr | None
    truth_values: Values | None

    def matching(self, answer: Expr) -> list[Candidate]:
        hits: list[int] = []
        for shape, (numbers, rows) in self.values.items():
            own = _own_values(answer, shape, self.domain)
            if own is not None:
                hits += [n for n, row in zip(numbers, rows, strict=True) if _close(row, own, CLOSE)]
        return [self.candidates[n] for n in sorted(hits)]

    def proportional(self, answer: Expr) -> tuple[Diagnosis, ...]:
        """The truth times a constant, a misconception with its sign turned, or the truth with a mistyped number."""
        if self.truth is None or self.truth_values is None:
            return ()
        own = _own_values(answer, self.truth.shape, self.domain)
        if own is not None:
            ratio = _ratio(own, self.truth_values)
            if ratio is not None and _simple(ratio):
                note, hint = ("sign", "Check the signs.") if ratio == -1 else ("factor.constant", FACTOR)
                return (Diagnosis(note, hint),)
            if _close(own, self.truth_values, NEAR):
                differs = same(self.truth, answer, self.domain, ANY_LAYOUT).verdict == "no"
                return (Diagnosis("number.nearly", NEARLY),) if differs else ()
        return self._proportional_to_candidate(answer)

    def _proportional_to_candidate(self, answer: Expr) -> tuple[Diagnosis, ...]:
        for shape, (numbers, rows) in self.values.items():
            own = _own_values(answer, shape, self.domain)
            if own is None:
                continue
            for n, row in zip(numbers, rows, strict=True):
                ratio = _ratio(own, row)
                if ratio is not None and _simple(ratio) and self.candidates[n].note not in SELF_PAIRED:
                    second = "sign" if ratio == -1 else "factor.constant"
                    return (Diagnosis(self.candidates[n].note, self.candidates[n].hint, second),)
        return ()


SELF_PAIRED = ("sign", "factor.constant", "factor.dropped", "term.dropped", "extra", "absolute_value")


@lru_cache(maxsize=CACHED)
def _table(candidates: tuple[Candidate, ...], domain: Domain, truth: Expr | None) -> _Table:
    by_shape: dict[Shape, list[int]] = {}
    for n, candidate in enumerate(candidates):
        by_shape.setdefault(candidate.result.shape, []).append(n)
    right = None if truth is None else _values([truth], domain)[0]
    table: dict[Shape, tuple[list[int], Values]] = {}
    for shape, numbers in by_shape.items():
        rows = _values([candidates[n].result for n in numbers], domain)
        keep = [
            i
            for i in range(len(numbers))
            if not (truth is not None and truth.shape == shape and right is not None and _close(rows[i], right, CLOSE))
        ]
        if keep:
            table[shape] = ([numbers[i] for i in keep], rows[keep])
    return _Table(candidates, table, domain, truth, right)


@lru_cache(maxsize=CACHED)
def _environments(domain: Domain) -> tuple[dict[str, Any], ...]:
    points = [p for p in domain.points("diagnosis") if p.stratum in ("moderate", "mixed", "near_zero")][:POINTS]
    return tuple(
        {n: np.array([float(v) for v in entries]).reshape(domain.shape(n)) for n, entries in p.values} for p in points
    )


def _values(expressions: Sequence[Expr], domain: Domain) -> Values:
    """Values (expressions, points, *shape) in floats, nan where undefined or where a function stays abstract."""
    used = calls(expressions)
    if used:
        chosen = {s.name: smooth_function(s, 0) for s in signatures(expressions)}
        expressions = [instantiate(e, chosen) for e in expressions]
    graph = build(tuple(expressions))
    rows = []
    for env in _environments(domain):
        try:
            out = run(graph, {n: v[()] for n, v in env.items()}, FLOAT)
        except (EvaluationError, OverflowError):
            return np.full((len(expressions), 1, *expressions[0].shape), np.nan)
        rows.append(np.array([np.broadcast_to(np.asarray(v, dtype=float), expressions[0].shape) for v in out]))
    return np.stack(rows, axis=1) if rows else np.full((len(expressions), 1, *expressions[0].shape), np.nan)


def _own_values(answer: Expr, shape: Shape, domain: Domain) -> Values | None:
    aligned = align(shape, answer, Policy())
    if aligned.answer is None or (aligned.note and aligned.note != "jacobian.transposed"):
        return None
    if aligned.note:
        return None
    found: Values = _values([aligned.answer], domain)[0]
    return found


def _close(a: Values, b: Values, tolerance: float) -> bool:
    if a.shape != b.shape:
        return False
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < max(1, both.size // 4):
        return False
    gap = np.abs(a - b)[both]
    size = (np.abs(a) + np.abs(b))[both]
    return bool(np.all(gap <= tolerance * size + 1e-300))


def _ratio(a: Values, b: Values) -> Fraction | None:
    """The constant a/b if it is one and simple; None also where a single number would make any ratio constant."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 2 or not np.any(b[both]):
        return None
    x, y = a[both], b[both]
    if np.any((np.abs(y) < 1e-300) != (np.abs(x) < 1e-300)):
        return None
    live = np.abs(y) >= 1e-300
    with np.errstate(over="ignore", invalid="ignore"):
        quotients = x[live] / y[live]
    if np.sum(live) < 2:
        return None
    first = float(quotients[0])
    if not np.all(np.abs(quotients - first) <= CLOSE * abs(first)):
        return None
    exact = Fraction(first).limit_denominator(64)
    return exact if abs(float(exact) - first) <= CLOSE * abs(first) else None


def _simple(ratio: Fraction) -> bool:
    return ratio not in (0, 1) and abs(ratio.numerator) <= 64


def paired(setting: Setting, first: Sequence[Candidate], second: Sequence[MalRule]) -> tuple[Candidate, ...]:
    """Two mistakes at once: each of the first misconceptions' results with one of the second's slips in it."""
    return _paired(setting, tuple(first), tuple(second))


@lru_cache(maxsize=CACHED)
def _paired(setting: Setting, first: tuple[Candidate, ...], second: tuple[MalRule, ...]) -> tuple[Candidate, ...]:
    found: list[Candidate] = []
    for candidate in first[:MAX_PAIRED]:
        slipped = Setting(candidate.result, setting.f, setting.wrt)
        for rule in second:
            for result in derive_safely(rule, slipped):
                found.append(Candidate(f"{candidate.note} + {rule.note}", candidate.hint, result))
                if len(found) >= MAX_CANDIDATES:
                    return tuple(found)
    return tuple(found)


def name_mistake(answer: Expr, setting: Setting, domain: Domain, rules: Sequence[MalRule]) -> tuple[Diagnosis, ...]:
    """The misconceptions behind a wrong answer: single ones first, then pairs.  Empty: none of them is known to us."""
    from grader.malrules.slips import SLIPS

    single = candidates_for(setting, rules)
    found = diagnose(answer, single, domain, setting.truth)
    if found:
        return found
    concepts = [c for c in single if c.note not in {r.note for r in SLIPS}]
    double = paired(setting, concepts, [r for r in SLIPS if r.note in ("sign", "term.dropped", "factor.dropped")])
    found = diagnose(answer, double, domain, setting.truth)
    return tuple(_as_pair(d) for d in found)


def _as_pair(found: Diagnosis) -> Diagnosis:
    first, _, second = found.note.partition(" + ")
    return Diagnosis(first, found.hint, second or found.with_note)
