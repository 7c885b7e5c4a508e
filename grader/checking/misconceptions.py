"""Which misconception gives exactly this answer: the plan's own first, then those of calculus, then plain slips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from grader.compare import Domain, Sameness
from grader.kinds.certify import concrete
from grader.kinds.plan import Item, Plan, Truth
from reference.derivation import evaluate
from reference.expression import Expr, ShapeError, calls, substitute

if TYPE_CHECKING:  # misconceptions are loaded when an answer is wrong
    from grader.malrules import Diagnosis, MalRule, Setting

Readings = tuple[tuple[Expr, ...], ...]
Values = Sequence[Mapping[str, Expr]]
SameEverywhere = Callable[[Plan, Item, Readings, Sequence[Expr]], Sameness]


@dataclass(frozen=True)
class Known:
    """The mistake behind an answer.  `second` is a slip made besides, "" if there is none."""

    note: str
    hint: str
    second: str = ""


def find_misconception(
    plan: Plan, item: Item, readings: Readings, values: Values, own: Values, off: Sequence[str], same: SameEverywhere
) -> Known | None:
    """The first known mistake that gives the answer, from the truth or from the student's own earlier values."""
    for mistake in plan.malrules:
        if item.step not in mistake.replaced:
            continue
        for clamp in (False, True) if off else (False,):
            made = [
                _mistaken(truth, mistake.at(item.step, i), item, own[i] if clamp else {}, off)
                for i, truth in enumerate(plan.truths)
            ]
            results = [one for one in made if one is not None]
            if len(results) == len(made) and same(plan, item, readings, results).verdict == "yes":
                return Known(mistake.note, mistake.message)
    return _from_calculus(plan, item, readings, values)


def _mistaken(truth: Truth, mistaken: Expr, item: Item, own: Mapping[str, Expr], off: Sequence[str]) -> Expr | None:
    """What the mistake makes of the item's step."""
    given = {name: own[name] for name in off if name in own and name != item.step}
    try:
        values = evaluate(truth.derivation, given=given)
        return substitute(mistaken, values)
    except ShapeError:
        return None


def _from_calculus(plan: Plan, item: Item, readings: Readings, values: Values) -> Known | None:
    """Rules of differentiation broken, or a slip in the result; worked out at the first choice of sizes."""
    from grader.malrules import Setting, name_mistake

    truth = plan.truths[0]
    f, wrt = truth.sources.get(item.step, (None, ()))
    setting = Setting(values[0][item.step], f, wrt)
    rules = rules_for(plan.topics if f is not None else ())
    for reading in readings:
        if calls([setting.truth]):
            found = _among_abstract(reading[0], setting, truth.domain, rules)
        else:
            found = name_mistake(reading[0], setting, truth.domain, rules)
        if found:
            return Known(found[0].note, found[0].hint, found[0].with_note)
    return None


def _among_abstract(
    answer: Expr, setting: Setting, domain: Domain, rules: tuple[MalRule, ...]
) -> tuple[Diagnosis, ...]:
    """As `name_mistake` for single mistakes, with smooth functions put in for all candidates together."""
    from grader.malrules import candidates_for, diagnose

    candidates = candidates_for(setting, rules)
    mine, right, *results = concrete((answer, setting.truth, *(one.result for one in candidates)))
    made = [replace(one, result=result) for one, result in zip(candidates, results, strict=True)]
    return diagnose(mine, made, domain, right)


def rules_for(topics: Sequence[str]) -> tuple[MalRule, ...]:
    """The misconceptions of some topics, then slips."""
    from grader.malrules.calculus import CALCULUS
    from grader.malrules.matrices import MATRICES
    from grader.malrules.slips import SLIPS

    known = {"calculus": CALCULUS, "matrix": MATRICES}
    return (*(rule for topic in topics if topic in known for rule in known[topic]), *SLIPS)
