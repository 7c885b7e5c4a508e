"""Forward mode (tangents) and reverse mode (adjoints) as interpreters over the flat list of equations.

Both run on numbers and on expressions; on expressions the result is a formula.
Source: Griewank & Walther 2008, Evaluating Derivatives, chapter 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np

from reference import expression as E
from reference.algebra import FORMULAS, Algebra, numbers
from reference.expression import ordered
from reference.graph import FLOAT, Field, Graph, build, run_all
from reference.node import Expr
from reference.rules import STANDARD, NotDifferentiable, Rules, pull, push
from reference.shapes import Shape, ShapeError, describe
from reference.simplify import simplify

__all__ = [
    "NotDifferentiable",
    "Rules",
    "adjoints",
    "derivative_of",
    "gradient",
    "jacobian",
    "jvp",
    "tangents",
    "value_and_gradient",
    "vjp",
]

Value = Any


def active(graph: Graph, wrt: frozenset[int]) -> list[bool]:
    """Which equations rest on the given positions."""
    on: list[bool] = []
    for i, equation in enumerate(graph.equations):
        on.append(i in wrt or any(on[k] for k in equation.inputs))
    return on


def tangents(
    graph: Graph, values: Sequence[Value], seeds: Mapping[int, Value], o: Algebra, rules: Rules = STANDARD
) -> list[Value | None]:
    """The tangent of every equation for given tangents of some; None where nothing of the seeds arrives."""
    on = active(graph, frozenset(seeds))
    found: list[Value | None] = []
    for i, equation in enumerate(graph.equations):
        if i in seeds:
            found.append(seeds[i])
        elif not on[i]:
            found.append(None)
        else:
            xs = tuple([values[k] for k in equation.inputs])
            found.append(push(rules, o, equation.node, xs, values[i], tuple([found[k] for k in equation.inputs])))
    return found


def adjoints(
    graph: Graph,
    values: Sequence[Value],
    seeds: Mapping[int, Value],
    o: Algebra,
    rules: Rules = STANDARD,
    wrt: frozenset[int] | None = None,
) -> list[Value | None]:
    """The adjoint of every equation for given adjoints of some; None where nothing of the seeds arrives.

    With `wrt` only equations that rest on those positions are visited.  One pass over the list from its end.
    """
    on = [True] * len(graph.equations) if wrt is None else active(graph, wrt)
    found: list[Value | None] = [None] * len(graph.equations)
    for i, g in seeds.items():
        found[i] = g
    for i in range(len(graph.equations) - 1, -1, -1):
        g, equation = found[i], graph.equations[i]
        if g is None or not equation.inputs or not on[i] or (wrt is not None and i in wrt and i not in seeds):
            continue
        parts = pull(rules, o, equation.node, tuple([values[k] for k in equation.inputs]), values[i], g)
        for k, part in zip(equation.inputs, parts, strict=True):
            if part is None or not on[k]:
                continue
            old = found[k]
            if old is None or rules.accumulate == "last":
                found[k] = part
            elif rules.accumulate == "sum":
                found[k] = old + part
    return found


def _nodes(graph: Graph) -> list[Expr]:
    return [e.node for e in graph.equations]


def _or_zeros(bar: Value | None, node: Expr) -> Expr:
    return bar if isinstance(bar, Expr) else E.zeros(node.shape)


def _as_scalar(expr: Expr) -> Expr:
    if expr.shape and any(n != 1 for n in expr.shape):
        raise ShapeError(f"a gradient belongs to a number, not to {describe(expr.shape)}")
    return E.index(expr, (0,) * len(expr.shape)) if expr.shape else expr


@overload
def gradient(expr: Expr, wrt: Expr, rules: Rules = ...) -> Expr: ...
@overload
def gradient(expr: Expr, wrt: Sequence[Expr], rules: Rules = ...) -> tuple[Expr, ...]: ...
def gradient(expr: Expr, wrt: Expr | Sequence[Expr], rules: Rules = STANDARD) -> Expr | tuple[Expr, ...]:
    """Gradient of a scalar as a formula, of the shape of `wrt` (any nodes, usually symbols).

    Raises ShapeError when `expr` is not a number, NotDifferentiable when a primitive on the way has no derivative.
    """
    wanted: tuple[Expr, ...] = (wrt,) if isinstance(wrt, Expr) else tuple(wrt)
    scalar = _as_scalar(expr)
    graph = build((scalar, *wanted))
    positions = graph.outputs[1:]
    if rules.forward_only:
        found = tuple(_gradient_by_columns(graph, p, rules) for p in positions)
    else:
        values = _nodes(graph)
        bars = adjoints(graph, values, {graph.outputs[0]: E.constant(1)}, FORMULAS, rules, frozenset(positions))
        full = [_or_zeros(bars[p], n) for n, p in zip(wanted, positions, strict=True)]
        found = simplify(full, _nodes(graph))
    return found[0] if isinstance(wrt, Expr) else found


def _gradient_by_columns(graph: Graph, position: int, rules: Rules) -> Expr:
    shape = graph.equations[position].shape
    entries = []
    for key in np.ndindex(*shape):
        seed = E.put(1, shape, key) if shape else E.constant(1)
        out = tangents(graph, _nodes(graph), {position: seed}, FORMULAS, rules)[graph.outputs[0]]
        entries.append(E.constant(0) if out is None else out)
    tidy = simplify(entries, _nodes(graph))
    return E.reshape(E.stack(tidy), shape) if len(shape) > 1 else E.stack(tidy) if shape else tidy[0]


def jvp(expr: Expr, wrt: Expr, tangent: Expr, rules: Rules = STANDARD) -> Expr:
    """The Jacobian times a tangent of the shape of `wrt`, by forward mode, as a formula of the shape of `expr`."""
    graph = build((expr, wrt))
    out, position = graph.outputs
    found = tangents(graph, _nodes(graph), {position: tangent}, FORMULAS, rules)[out]
    return simplify((E.zeros(expr.shape) if found is None else found,), _nodes(graph))[0]


def vjp(expr: Expr, wrt: Expr, adjoint: Expr, rules: Rules = STANDARD) -> Expr:
    """An adjoint of the shape of `expr` times the Jacobian, by reverse mode, as a formula of the shape of `wrt`."""
    graph = build((expr, wrt))
    out, position = graph.outputs
    bars = adjoints(graph, _nodes(graph), {out: adjoint}, FORMULAS, rules, frozenset({position}))
    found = bars[position]
    return simplify((E.zeros(wrt.shape) if found is None else found,), _nodes(graph))[0]


def jacobian(expr: Expr, wrt: Expr, rules: Rules = STANDARD) -> Expr:
    """Jacobian as a formula, numerator layout: shape of `expr` followed by shape of `wrt`.

    Shapes: expr (m,), wrt (n,), result (m, n).  Kept in matrix form (diag(cos(Ax+b)) A) where every step allows it,
    otherwise entry by entry.
    """
    from reference.matrix_form import matrix_jacobian

    if not expr.shape:
        return gradient(expr, wrt, rules)
    if not wrt.shape:
        return jvp(expr, wrt, E.constant(1), rules)
    if len(expr.shape) == 1 and len(wrt.shape) == 1:
        found = matrix_jacobian(expr, wrt, rules)
        if found is not None:
            return found
    return _jacobian_by_rows(expr, wrt, rules)


def _jacobian_by_rows(expr: Expr, wrt: Expr, rules: Rules) -> Expr:
    entries = [entry(expr, key) for key in np.ndindex(*expr.shape)]
    rows = [gradient(e, wrt, rules) for e in entries]
    if len(wrt.shape) == 1:  # entry by entry, which reads as a matrix of formulas
        rows = [E.stack(simplify([E.index(row, i) for i in range(wrt.shape[0])])) for row in rows]
    stacked = E.stack(rows)
    return stacked if len(expr.shape) == 1 else E.reshape(stacked, expr.shape + wrt.shape)


def entry(expr: Expr, key: tuple[int, ...]) -> Expr:
    """One entry of an array; of a stack the expression that was put there."""
    return simplify((E.index(expr, key),), ordered((expr,)))[0]


def derivative_of(body: Expr, params: Sequence[Expr], order: Sequence[int]) -> Expr:
    """Mixed derivative of a function's body: `order[i]` times in params[i], argument by argument, axes appended."""
    found = body
    for param, times in zip(params, order, strict=True):
        for _ in range(times):
            found = jacobian(found, param)
    return found


def value_and_gradient(
    expr: Expr, wrt: Sequence[Expr], env: Mapping[str, Value], field: Field = FLOAT
) -> tuple[Value, tuple[Value, ...]]:
    """Value and gradients as numbers, by reverse mode in the given field.  Shapes: each gradient as its `wrt`."""
    scalar = _as_scalar(expr)
    graph = build((scalar, *wrt))
    values = run_all(graph, env, field)
    with field.scope():
        o = numbers(field)
        out, *positions = graph.outputs
        bars = adjoints(graph, values, {out: field.constant(1)}, o, STANDARD, frozenset(positions))
        found = tuple(o.zeros_like(values[p]) if bars[p] is None else bars[p] for p in positions)
    return values[out], found


def directional(
    expr: Expr, directions: Mapping[Expr, Value], env: Mapping[str, Value], field: Field = FLOAT
) -> tuple[Value, Value]:
    """Value and directional derivative as numbers, by forward mode in the given field."""
    graph = build((expr, *directions))
    values = run_all(graph, env, field)
    with field.scope():
        o = numbers(field)
        out, *positions = graph.outputs
        seeds = dict(zip(positions, directions.values(), strict=True))
        found = tangents(graph, values, seeds, o)[out]
        return values[out], o.zeros_like(values[out]) if found is None else found


def layout(shape: Shape, wrt: Shape) -> Shape:
    """Shape of a Jacobian in numerator layout."""
    return shape + wrt
