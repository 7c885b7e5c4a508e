"""What a problem makes known to a reader of worked solutions: declared names, definitions, given values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from grader.compare.ledger import Ledger, entries_of
from grader.compare.sizes import at_sizes
from grader.notation.vocabulary import canonical

if TYPE_CHECKING:
    from grader.kinds.plan import Plan
    from grader.problems import Problem


def ledgers_of(problem: Problem) -> dict[str, tuple[Ledger, ...]]:
    """For every question what is known there, once for each of its parts."""
    found: dict[str, tuple[Ledger, ...]] = {}
    for question in problem.questions:
        plans = problem.plans(question)
        found[question.id] = tuple(ledger_of(p) for p in plans if p.vocabulary is not None and p.truths)
    return found


def ledger_of(plan: Plan) -> Ledger:
    """Names with the sizes of the first choice; given values; nothing of what is asked for."""
    from reference.derivation import evaluate

    vocabulary, truth = plan.vocabulary, plan.truths[0]
    assert vocabulary is not None
    steps = {step.name for step in truth.derivation.steps}
    declared = at_sizes(vocabulary.symbols, truth.sizes)
    symbols = {name: d for name, d in declared.items() if name not in steps and canonical(name) not in steps}
    values: dict[str, object] = {}
    worked_out: Mapping[str, object] = evaluate(truth.derivation) if plan.given else {}
    for aim in plan.given:
        value = worked_out.get(aim.name)
        if value is not None and not aim.wrt:
            values |= {aim.name: value, **entries_of(aim.name, value)}  # type: ignore[arg-type]
    known = replace(vocabulary, symbols=symbols)
    return Ledger(known, values, where=truth.domain.where, sizes=truth.sizes)  # type: ignore[arg-type]
