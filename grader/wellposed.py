"""Which draw of a question's parameters a student gets: the first that is well-posed.

A draw is refused where the question has no answer at it: the domain is empty, the derivative is zero or nowhere
defined, the numbers run off.  It is passed over, as long as there is a better one, where a misconception gives the
right result there (the question could not show it) or where the result is an ugly number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from grader.decode import ProblemError
from grader.kinds.plan import Item, Plan, Truth
from grader.variants import MAX_ATTEMPTS, IllPosed

PASSED_OVER = 12  # draws looked at before the least bad one is taken
SAME_TROUBLE = 6  # draws refused for the same reason before it is the question's and not the draw's
POINTS = 4
CLOSE = 1e-9
MAX_RESULTS = 200  # wrong results tried for one item

Values = Mapping[str, Fraction]


@dataclass(frozen=True)
class Tidy:
    """How ugly a derived number may be: its largest denominator, and the digits of its numerator."""

    denominator: int = 1000
    digits: int = 6

    def __post_init__(self) -> None:
        if self.denominator < 1 or self.digits < 1:
            raise ValueError("`denominator` and `digits` are at least 1")


@dataclass(frozen=True)
class Refusal:
    """A draw that was not taken, and why."""

    values: Values
    reason: str


@dataclass(frozen=True)
class Drawn:
    """A question at the draw that was taken.  `blemishes` are what is wrong with it though it is the best there is."""

    values: Values
    plans: tuple[Plan, ...]
    refused: tuple[Refusal, ...] = ()
    blemishes: tuple[str, ...] = ()


class NoDraw(Exception):
    """No draw is well-posed; carries every one with its reason, and the mistakes of the first, if it had some."""

    def __init__(self, refused: Sequence[Refusal], first: ProblemError | None) -> None:
        self.refused, self.first = tuple(refused), first
        super().__init__(refused[-1].reason if refused else "there is no draw")


def choose_draw(
    draw: Callable[[int], Values],
    plan: Callable[[Values], tuple[Plan, ...]],
    tidy: Tidy | None,
    always: Callable[[], frozenset[tuple[str, str]]],
) -> Drawn:
    """The first draw without blemishes, else the one with the fewest.  With `tidy` given, ugly ones are refused.

    `draw(attempt)` gives values, `plan(values)` the question at them, `always()` the misconceptions, as (item, note),
    that give the right result at any draw because they have nothing to bite on.  Raises NoDraw.
    """
    refused: list[Refusal] = []
    best: Drawn | None = None
    first: ProblemError | None = None
    seen: set[tuple[tuple[str, Fraction], ...]] = set()
    for attempt in range(MAX_ATTEMPTS):
        values = draw(attempt)
        key = tuple(sorted(values.items()))
        if key in seen:
            continue
        seen.add(key)
        try:
            plans = plan(values)
            _refuse_degenerate(plans, tidy)
        except ProblemError as trouble:
            first = first or trouble
            refused.append(Refusal(values, trouble.mistakes[0].message.splitlines()[0]))
        except IllPosed as trouble:
            refused.append(Refusal(values, str(trouble)))
        else:
            marks = tuple(blemishes(plans, tidy or Tidy(), always))
            if best is None or len(marks) < len(best.blemishes):
                refused += [Refusal(best.values, best.blemishes[0])] if best else []
                best = Drawn(values, plans, (), marks)
            else:
                refused.append(Refusal(values, marks[0] if marks else "another draw was taken"))
            if not marks:
                break
        if best is not None and len(seen) >= PASSED_OVER:
            break
        if best is None and first is not None and len(seen) >= SAME_TROUBLE and len({r.reason for r in refused}) == 1:
            break
    if best is None:
        raise NoDraw(refused, first)
    return Drawn(best.values, best.plans, tuple(refused), best.blemishes)


def _refuse_degenerate(plans: Sequence[Plan], tidy: Tidy | None) -> None:
    """Raises IllPosed where an asked result is zero everywhere or has no finite value, or is ugly against `tidy`."""
    for plan in plans:
        for item, truth in _asked(plan):
            values = _evaluate([truth.value(item.step)], truth)
            if values and not any(np.isfinite(row[0]).all() for row in values):
                raise IllPosed(f"{item.id} is defined nowhere")
            if item.main and values and all(_zero(row[0]) for row in values):
                raise IllPosed(f"{item.id} is zero")
    ugly = list(_ugly(plans, tidy)) if tidy is not None else []
    if ugly:
        raise IllPosed(ugly[0])


def blemishes(plans: Sequence[Plan], tidy: Tidy, always: Callable[[], frozenset[tuple[str, str]]]) -> Iterator[str]:
    """What makes a draw worse than another: misconceptions that are right there, and ugly numbers."""
    found = [pair for plan in plans for pair in coincidences(plan)]
    known = always() if found else frozenset()
    for item, note in found:
        if (item, note) not in known:
            yield f"the misconception {note} gives the right result of {item}"
    yield from _ugly(plans, tidy)


def coincidences(plan: Plan) -> Iterator[tuple[str, str]]:
    """Misconceptions that, carried through everywhere, give the truth: (item, note)."""
    for item, truth in _asked(plan):
        made = list(_wrong_results(plan, item, truth))[:MAX_RESULTS]
        right = truth.value(item.step)
        rows = _evaluate([right, *(result for _, result in made)], truth)
        named: set[str] = set()
        for number, (note, result) in enumerate(made, start=1):
            if note in named or result.shape != right.shape:
                continue
            if result is right or (rows and all(_agree(row[0], row[number]) for row in rows)):
                named.add(note)
                yield item.id, note


def _wrong_results(plan: Plan, item: Item, truth: Truth) -> Iterator[tuple[str, Any]]:
    """What the misconceptions make of an item: the plan's own, and broken rules of calculus; plain slips are none."""
    from grader.checking.misconceptions import rules_for
    from grader.malrules import SLIPS, Setting
    from grader.malrules.diagnosis import derive_safely
    from reference.expression import ShapeError, substitute

    for mistake in plan.malrules:
        if item.step in mistake.replaced:
            try:
                yield mistake.note, substitute(mistake.at(item.step, 0), truth.values)
            except ShapeError:
                continue
    f, wrt = truth.sources.get(item.step, (None, ()))
    if f is None:
        return
    setting = Setting(truth.value(item.step), f, wrt)
    slips = {rule.note for rule in SLIPS}
    for rule in rules_for(plan.topics):
        if rule.note not in slips:
            results = list(derive_safely(rule, setting))
            yield from ((rule.note, result) for result in results[:1])  # the most thorough one comes first


def _asked(plan: Plan) -> Iterator[tuple[Item, Truth]]:
    for item in plan.items:
        if item.form == "expression" and item.step and plan.truths:
            yield item, plan.truths[0]


def _evaluate(outputs: Sequence[Any], truth: Truth) -> list[list[Any]]:
    """Float values of the outputs at some points of the domain; abstract functions replaced by smooth ones."""
    from grader.kinds.certify import concrete, environments
    from reference.graph import FLOAT, EvaluationError, build, run

    graph = build(concrete(tuple(outputs)))
    rows = []
    for env in environments(truth.domain, POINTS):
        try:
            with np.errstate(all="ignore"):
                rows.append([np.asarray(value, dtype=float) for value in run(graph, env, FLOAT)])
        except (EvaluationError, OverflowError, TypeError, ValueError):
            continue
    return rows


def _zero(value: Any) -> bool:
    return bool(np.all(value == 0))


def _agree(a: Any, b: Any) -> bool:
    if a.shape != b.shape or not np.isfinite(a).all():
        return a.shape == b.shape and bool(np.array_equal(np.isfinite(a), np.isfinite(b)))
    return bool(np.all(np.abs(a - b) <= CLOSE * (np.abs(a) + np.abs(b))))


def _ugly(plans: Sequence[Plan], tidy: Tidy) -> Iterator[str]:
    """Items whose result is a fraction beyond the limits.  Decimals and formulas are not judged."""
    from reference.closed import exact
    from reference.expression import ordered

    for plan in plans:
        for item, truth in _asked(plan):
            if item.policy.decimals is not None or item.policy.places is not None:
                continue
            number = exact(truth.value(item.step))
            if number is None or truth.derivation[item.step].expr.op == "constant":
                continue  # a count is as large as it is
            for node in ordered((number,)):
                if node.op == "constant" and _is_ugly(Fraction(node.value), tidy):
                    yield f"{item.id} has the ugly value {node.value}"
                    break


def _is_ugly(value: Fraction, tidy: Tidy) -> bool:
    return value.denominator > tidy.denominator or len(str(abs(value.numerator))) > tidy.digits


__all__ = ["Drawn", "NoDraw", "Refusal", "Tidy", "blemishes", "choose_draw", "coincidences"]
