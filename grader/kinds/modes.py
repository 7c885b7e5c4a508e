"""Forward-mode and reverse-mode tables over named intermediates: one derivative per intermediate.

Forward asks dv/dx for every step v, reverse df/dv for every quantity the output rests on.  An error in one row is
carried into the rows that rest on it.  Source: Griewank & Walther 2008, chapter 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.definition import build, build_domain, make_vocabulary
from grader.kinds.plan import Aim, Context, Item, Misconception, Plan, Task, Truth
from grader.notation import Declaration, Vocabulary
from grader.notation.vocabulary import canonical
from reference import expression as E
from reference.derivation import Derivation, DerivationError, Step, evaluate, joined
from reference.expression import Expr
from reference.rules import Rules
from reference.sweeps import adjoint_name, forward_sweep, reverse_sweep, tangent_name

ITEMS = ("<intermediate>", "<variable>")


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    steps: the named intermediates in order, each in terms of earlier ones, the last is the output; symbols: the inputs;
    wrt: the input in question (default: the first); mode; name: what the output is called besides its own name.
    """

    steps: dict[str, str]
    symbols: dict[str, str]
    mode: Literal["forward", "reverse"] = "reverse"
    wrt: str = ""
    name: str = "f"
    where: tuple[str, ...] = ()
    definitions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("`steps` is empty")


@dataclass(frozen=True)
class Table:
    """The worked-out definition: the steps, the variable, and the sweep over them."""

    steps: Derivation
    variable: Expr
    output: str
    sweep: Derivation
    rows: Mapping[str, str]  # item name -> step of the sweep


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """An item for each row; a number in `points` is shared equally."""
    vocabulary = make_vocabulary(task, context, spec.symbols, spec.definitions | spec.steps)
    table = work_out(spec, task, context)
    domain = build_domain(make_vocabulary(task, context, spec.symbols, spec.definitions), {}, spec.where, task)
    whole = joined(table.steps, table.sweep)
    values = evaluate(whole)
    claims = _claims(table, values, domain)
    confirm(claims, task)
    points = task.share(dict.fromkeys(table.rows, 1), list(table.rows))
    items = [_item(spec, task, table, row, points) for row in table.rows]
    return Plan(
        items=tuple(item for item, row in zip(items, table.rows, strict=True) if row in points),
        truths=(Truth({}, whole, domain),),
        vocabulary=with_output(vocabulary, spec, table),
        topics=("calculus",),
        malrules=_misconceptions(spec, table),
        unasked=tuple(item for item, row in zip(items, table.rows, strict=True) if row not in points),
        certify=certifier(claims),
    )


def work_out(spec: Spec, task: Task, context: Context) -> Table:
    """The steps as expressions of each other, and the sweep.  Raises ProblemError."""
    rows: list[Step] = []
    known = dict(spec.symbols)
    for name, text in spec.steps.items():
        reader = make_vocabulary(task, context, known, spec.definitions)
        rows.append(Step(canonical(name), build(text, reader, {}, task, f"steps.{name}")))
        known[name] = "real"
    steps = Derivation(tuple(rows))
    wrt = canonical(spec.wrt or next(iter(spec.symbols)))
    if wrt not in {canonical(name) for name in spec.symbols}:
        raise task.refuse(f"`{spec.wrt}` is not declared", "wrt")
    variable, output = E.symbol(wrt), rows[-1].name
    try:
        if spec.mode == "forward":
            sweep = forward_sweep(steps, {wrt: E.constant(1)})
            named = {step.name: tangent_name(step.name) for step in rows}
        else:
            sweep = reverse_sweep(steps, output, [variable])
            named = {step.name: adjoint_name(step.name) for step in reversed(rows[:-1])} | {wrt: adjoint_name(wrt)}
    except DerivationError as trouble:
        raise task.refuse(str(trouble), "steps") from None
    done = set(sweep.names)
    return Table(steps, variable, output, sweep, {row: step for row, step in named.items() if step in done})


def with_output(vocabulary: Vocabulary, spec: Spec, table: Table) -> Vocabulary:
    """The output's other name may be used too, `f`, and f(x); in reverse mode the rows as `\\bar a`."""
    definitions, symbols, aliases = {**vocabulary.definitions}, {**vocabulary.symbols}, {**vocabulary.aliases}
    if canonical(spec.name) not in vocabulary.known:
        definitions[canonical(spec.name)] = table.output
    if spec.mode == "reverse":
        for row, step in table.rows.items():
            if step not in vocabulary.known and _barred(row) not in vocabulary.known:
                symbols[step] = Declaration("real", ())
                aliases[_barred(row)] = step
    return replace(vocabulary, definitions=definitions, symbols=symbols, aliases=aliases)


def _barred(row: str) -> str:
    r"""The canonical name of `\bar a`."""
    base, mark, rest = row.partition("_")
    return f"{base}bar{mark}{rest}"


def _claims(table: Table, values: Mapping[str, Expr], domain: object) -> tuple[Claim, ...]:
    """The sweep's end against a numerical derivative of the whole function."""
    from grader.compare import Domain

    assert isinstance(domain, Domain)
    last = table.sweep.steps[-1].name
    return (("the derivative", values[table.output], table.variable, values[last], domain),)


def _item(spec: Spec, task: Task, table: Table, row: str, points: Mapping[str, Fraction]) -> Item:
    if spec.mode == "forward":
        targets = [Aim(row, table.variable.name)]
        targets += [Aim(canonical(spec.name), table.variable.name)] if row == table.output else []
        asks = f"the derivative of {row} with respect to {table.variable.name}"
    else:
        targets = [Aim(canonical(spec.name), row), Aim(table.output, row), Aim(_barred(row)), Aim(adjoint_name(row))]
        asks = f"the derivative of {spec.name} with respect to {row}"
    return Item(
        id=task.item_id(row, points),
        form="expression",
        points=points.get(row, Fraction(0)),
        asks=asks,
        step=table.rows[row],
        targets=tuple(targets),
        labels=(row,),
        policy=replace(task.policy, unshown="blank"),  # a row may rest on the names of others without showing them
        bonus=task.bonus,
        main=len(points) == 1,
    )


def _misconceptions(spec: Spec, table: Table) -> tuple[Misconception, ...]:
    """Rows in which only one consumer counted, or in which the inner derivative is missing."""
    found = []
    for step, message, note, other in _broken(spec, table):
        if step in other.names and step in table.sweep.names and other[step].expr is not table.sweep[step].expr:
            found.append(Misconception(note, message, {step: other[step].expr}))
    return tuple(found)


def _broken(spec: Spec, table: Table) -> list[tuple[str, str, str, Derivation]]:
    if spec.mode == "forward":
        message = "The chain rule multiplies by the derivative of what stands inside."
        ones = Derivation(tuple(Step(row.name, _without_tangents(row.expr, table)) for row in table.sweep.steps))
        return [(name, message, "chain_rule.inner_derivative_missing", ones) for name in table.sweep.names]
    message = "This quantity is used more than once: every use adds its part."
    rows = []
    for keep in ("last", "first"):
        one = reverse_sweep(table.steps, table.output, [table.variable], Rules(accumulate=keep))
        rows += [(name, message, "backprop.one_path_only", one) for name in one.names]
    return rows


def _without_tangents(expr: Expr, table: Table) -> Expr:
    """The row with every tangent taken to be 1."""
    return E.substitute(expr, {name: E.constant(1) for name in table.sweep.names})
