"""Forward and reverse mode written out as derivations: one tangent, or one adjoint, per named step.

The forward table of a derivation `a = …, b = …` is `da = …, db = …`; the reverse table runs backwards and gives every
quantity the sum over its consumers of their adjoint times a local partial derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reference import expression as E
from reference.cost import elementary, operations
from reference.derivation import Derivation, DerivationError, Step
from reference.expression import substitute, symbols
from reference.modes import gradient, jacobian, jvp, vjp
from reference.node import Expr
from reference.rules import STANDARD, Rules
from reference.simplify import simplify

Naming = Callable[[str], str]


def tangent_name(name: str) -> str:
    """d<name>"""
    return f"d{name}"


def adjoint_name(name: str) -> str:
    """bar_<name>"""
    return f"bar_{name}"


@dataclass(frozen=True, slots=True)
class Edge:
    """A local partial derivative: d(child)/d(parent) as a formula over the names of the derivation's quantities."""

    child: str
    parent: str
    partial: Expr


def reused(steps: Derivation, expr: Expr) -> Expr:
    """The formula with every subexpression that is a step written by that step's name."""
    return substitute(expr, {step.expr: step.symbol for step in steps.steps if step.expr.args})


def local_partials(steps: Derivation, rules: Rules = STANDARD) -> tuple[Edge, ...]:
    """One edge per step and quantity it uses; Jacobians in numerator layout where arrays are involved."""
    found = []
    for step in steps.steps:
        for parent in symbols(step.expr):
            partial = gradient(step.expr, parent, rules) if not step.expr.shape else jacobian(step.expr, parent, rules)
            found.append(Edge(step.name, parent.name, _named(step, partial)))
    return tuple(found)


def _named(step: Step, formula: Expr) -> Expr:
    """The step's own value by its name: 1/(2*sqrt(c)) is 1/(2*d) when d = sqrt(c)."""
    return substitute(formula, {step.expr: step.symbol}) if step.expr.args else formula


def forward_sweep(
    steps: Derivation,
    seeds: Mapping[str, Expr],
    rules: Rules = STANDARD,
    naming: Naming = tangent_name,
) -> Derivation:
    """The tangents of all steps that rest on the seeded inputs, as further steps over primal and tangent names.

    `seeds` gives inputs their tangents (of the input's shape).  Evaluate together with the primal steps: `joined`.
    """
    tangents: dict[str, Expr] = dict(seeds)
    rows: list[Step] = []
    for step in steps.steps:
        active = [s for s in symbols(step.expr) if s.name in tangents]
        if not active:
            continue
        total: Expr | None = None
        if rules.jvp:  # a replaced rule looks at all tangents of a step at once
            total = _pushed_together(step, active, tangents, rules)
        else:
            for parent in active:
                part = jvp(step.expr, parent, tangents[parent.name], rules)
                total = part if total is None else total + part
        assert total is not None
        formula = _named(step, simplify((total,))[0])
        rows.append(Step(naming(step.name), formula))
        tangents[step.name] = E.symbol(naming(step.name), step.expr.shape)
    return Derivation(tuple(rows))


def _pushed_together(step: Step, active: Sequence[Expr], tangents: Mapping[str, Expr], rules: Rules) -> Expr:
    from reference.algebra import FORMULAS
    from reference.graph import build
    from reference.modes import tangents as push_all

    graph = build((step.expr, *active))
    out, *places = graph.outputs
    seeds = {place: tangents[s.name] for place, s in zip(places, active, strict=True)}
    found = push_all(graph, [e.node for e in graph.equations], seeds, FORMULAS, rules)[out]
    return E.zeros(step.expr.shape) if found is None else found


def reverse_sweep(
    steps: Derivation,
    output: str,
    wrt: Sequence[Expr],
    rules: Rules = STANDARD,
    naming: Naming = adjoint_name,
) -> Derivation:
    """The adjoints of a scalar output's ingredients, from the output backwards, down to the inputs `wrt`.

    Each step is the sum over the consumers of a quantity, in reverse order, of adjoint times local partial.  With
    rules.accumulate "last" or "first" only one consumer counts.
    """
    if steps[output].expr.shape != ():
        raise DerivationError(f"{output} is not a number")
    inputs = {s.name: s for s in wrt}
    active = set(inputs)
    for step in steps.steps:
        if active.intersection(step.uses):
            active.add(step.name)
    bars: dict[str, Expr] = {output: E.constant(1)}
    pending: dict[str, list[Expr]] = {}
    rows: list[Step] = []
    needed = {output, *steps.needed_for(output)}

    def settle(quantity: Expr) -> None:
        parts = pending.get(quantity.name, [])
        if not parts:
            total: Expr = E.zeros(quantity.shape)
        elif rules.accumulate == "sum":
            total = parts[0]
            for part in parts[1:]:
                total = total + part
        else:
            total = parts[-1] if rules.accumulate == "last" else parts[0]
        rows.append(Step(naming(quantity.name), simplify((total,))[0]))
        bars[quantity.name] = E.symbol(naming(quantity.name), quantity.shape)

    for step in reversed(steps.steps):
        if step.name not in needed or step.name not in active:
            continue
        if step.name != output:
            settle(step.symbol)
        for parent in symbols(step.expr):
            if parent.name in active:
                part = vjp(step.expr, parent, bars[step.name], rules)
                pending.setdefault(parent.name, []).append(_named(step, part))
    for quantity in wrt:
        settle(quantity)
    return Derivation(tuple(rows))


def sweep_operations(steps: Derivation, sweep: Derivation) -> int:
    """Operations of a sweep when the values of all steps are known; one computed for two rows counts once."""
    return operations([row.expr for row in sweep.steps])


def value_operations(steps: Derivation) -> int:
    """Operations of computing all steps."""
    return operations([step.expr for step in steps.steps])


def sweep_cost(sweep: Derivation) -> int:
    """Elementary operations of a sweep, arrays counted by their entries."""
    return elementary([row.expr for row in sweep.steps])
