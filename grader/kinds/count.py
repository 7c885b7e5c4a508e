"""How many operations a derivative takes: as a formula over known intermediates, in a forward, in a reverse sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from grader.compare import Domain, same
from grader.kinds import modes
from grader.kinds.definition import build, build_domain, make_vocabulary
from grader.kinds.plan import Context, Item, Plan, Task, Truth
from grader.notation import Vocabulary
from reference import expression as E
from reference.cost import operations
from reference.derivation import Derivation, Step, evaluate
from reference.expression import Expr
from reference.modes import gradient
from reference.simplify import simplify
from reference.sweeps import forward_sweep, reverse_sweep, sweep_operations, value_operations

ITEMS = ("value", "formula", "forward", "reverse")


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    steps, symbols, wrt: as in a table of modes; formula: how the derivative is written, over steps and inputs; known:
    what of it is at hand already (steps, or formulas of them such as `sqrt(c)`).  Asked are `value` (all steps),
    `formula`, `forward`, `reverse` (a sweep with the values of all steps at hand).
    """

    steps: dict[str, str]
    symbols: dict[str, str]
    formula: str = ""
    known: tuple[str, ...] = ()
    wrt: str = ""
    where: tuple[str, ...] = ()
    definitions: dict[str, str] = field(default_factory=dict)


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """Counts are whole numbers, marked as formulas."""
    table = modes.work_out(modes.Spec(spec.steps, spec.symbols, "reverse", spec.wrt), task, context)
    counts = _count(spec, task, context, table)
    points = task.share({"formula" if spec.formula else "reverse": 1}, list(counts))
    steps = Derivation(tuple(Step(name, E.constant(value)) for name, value in counts.items()))
    return Plan(
        items=tuple(_item(task, name, points) for name in points),
        truths=(Truth({}, steps, Domain({})),),
        vocabulary=Vocabulary(symbols={}, decimal_comma=context.decimal_comma),
    )


def _count(spec: Spec, task: Task, context: Context, table: modes.Table) -> dict[str, int]:
    forward = forward_sweep(table.steps, {table.variable.name: E.constant(1)})
    reverse = reverse_sweep(table.steps, table.output, [table.variable])
    found = {
        "value": value_operations(table.steps),
        "forward": sweep_operations(table.steps, forward),
        "reverse": sweep_operations(table.steps, reverse),
    }
    if spec.formula:
        found["formula"] = _count_formula(spec, task, context, table)
    return found


def _count_formula(spec: Spec, task: Task, context: Context, table: modes.Table) -> int:
    """Operations of the formula, which must be the derivative.  Raises ProblemError if it is not."""
    names = {**spec.symbols, **dict.fromkeys(spec.steps, "real")}
    vocabulary = make_vocabulary(task, context, names, spec.definitions)
    formula = build(spec.formula, vocabulary, {}, task, "formula")
    known = [build(text, vocabulary, {}, task, "known") for text in spec.known]
    values = evaluate(table.steps)
    domain = build_domain(make_vocabulary(task, context, spec.symbols, spec.definitions), {}, spec.where, task)
    derived = gradient(values[table.output], table.variable)
    if same(derived, E.substitute(formula, values), domain).verdict != "yes":
        raise task.refuse("the formula is not the derivative of the last step", "formula")
    return operations(simplify((formula,))[0], [*known, *_steps_known(table, spec)])


def _steps_known(table: modes.Table, spec: Spec) -> list[Expr]:
    return [step.symbol for step in table.steps.steps if step.name in spec.known]


def _item(task: Task, name: str, points: Mapping[str, Fraction]) -> Item:
    words = {
        "value": ("value", "the operations of the value"),
        "formula": ("formula", "the operations of the formula"),
        "forward": ("forward", "forward sweep", "forward mode", "the operations of the forward sweep"),
        "reverse": ("reverse", "reverse sweep", "backward", "the operations of the reverse sweep"),
    }
    return Item(
        id=task.item_id(name, points),
        form="expression",
        points=points[name],
        asks=words[name][-1],
        step=name,
        labels=words[name],
        policy=task.policy,
        bonus=task.bonus,
        main=len(points) == 1,
    )
