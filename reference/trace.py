"""The table of a computation: value, tangent adjoint of every intermediate, the formula of every local partial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reference import expression as E
from reference.algebra import numbers
from reference.cost import is_number
from reference.derivation import fresh_names
from reference.graph import FLOAT, Field, Graph, run_all
from reference.modes import adjoints, gradient, jacobian, tangents
from reference.node import Expr
from reference.rules import STANDARD, NotDifferentiable, Rules
from reference.shapes import Shape

Value = Any


@dataclass(frozen=True, slots=True)
class LocalPartial:
    """d(row)/d(argument) as a formula over the names of the table and as a number; None where there is none."""

    argument: str
    formula: Expr | None
    value: Value


@dataclass(frozen=True, slots=True)
class Row:
    """One intermediate.  Shapes: tangent as value, adjoint as value; None where nothing arrives."""

    name: str
    node: Expr
    formula: Expr
    value: Value
    tangent: Value
    adjoint: Value
    partials: tuple[LocalPartial, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    rows: tuple[Row, ...]

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)


def trace(
    graph: Graph,
    env: Mapping[str, Value],
    directions: Mapping[str, Value] | None = None,
    upstream: Value = 1,
    names: Mapping[Expr, str] | None = None,
    field: Field = FLOAT,
    rules: Rules = STANDARD,
    prefix: str = "v",
) -> Trace:
    """The value | tangent | adjoint table of a graph, one row per input and operation, in order of evaluation.

    `directions` gives symbols their tangents (the others have none); `upstream` is the adjoint of the first output;
    `names` names intermediates, the others are v1, v2 ….  Raises EvaluationError for a symbol without a value.
    """
    nodes = [e.node for e in graph.equations]
    called = _names(nodes, names or {}, prefix)
    values = run_all(graph, env, field)
    with field.scope():
        o = numbers(field)
        seeds = {
            i: field.take((directions or {})[n.name])
            for i, n in enumerate(nodes)
            if n.op == "symbol" and n.name in (directions or {})
        }
        dots = tangents(graph, values, seeds, o, rules)
        bars = adjoints(graph, values, {graph.outputs[0]: field.take(upstream)}, o, rules)
    rows = []
    for i, node in enumerate(nodes):
        if is_number(node):
            continue
        formula, partials = _local(node, called, rules)
        known = {called[a]: values[graph.equations[i].inputs[k]] for k, a in enumerate(node.args) if a in called}
        known[called[node]] = values[i]
        evaluated = tuple(LocalPartial(p, f, _number(f, known, field)) for p, f in partials)
        rows.append(Row(called[node], node, formula, values[i], dots[i], bars[i], evaluated))
    return Trace(tuple(rows))


def _names(nodes: Sequence[Expr], given: Mapping[Expr, str], prefix: str) -> dict[Expr, str]:
    following = fresh_names([n.name for n in nodes if n.op == "symbol"] + list(given.values()), prefix)
    called: dict[Expr, str] = {}
    for node in nodes:
        if node in given:
            called[node] = given[node]
        elif node.op == "symbol":
            called[node] = node.name
        elif not is_number(node):
            called[node] = following()
    return called


def _local(node: Expr, called: Mapping[Expr, str], rules: Rules) -> tuple[Expr, tuple[tuple[str, Expr | None], ...]]:
    """The row's own formula and its partials, over the names of its arguments."""
    if not node.args:
        return node, ()
    stand_ins = {a: E.symbol(called[a], a.shape) if a in called else a for a in node.args}
    whole = E.rebuild(node, tuple(stand_ins[a] for a in node.args))
    own = E.symbol(called[node], node.shape)
    partials: list[tuple[str, Expr | None]] = []
    for argument in dict.fromkeys(a for a in node.args if a in called):
        stand_in = stand_ins[argument]
        try:
            raw = _partial(whole, stand_in, node.shape, rules)
        except NotDifferentiable:
            partials.append((called[argument], None))
            continue
        partials.append((called[argument], E.substitute(raw, {whole: own})))
    return whole, tuple(partials)


def _partial(whole: Expr, argument: Expr, shape: Shape, rules: Rules) -> Expr:
    return jacobian(whole, argument, rules) if shape else gradient(whole, argument, rules)


def _number(formula: Expr | None, known: Mapping[str, Value], field: Field) -> Value:
    if formula is None:
        return None
    from reference.graph import evaluate

    return evaluate(formula, known, field)
