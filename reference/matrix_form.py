"""Jacobians that stay in matrix form: forward mode with matrices for tangents, diag(f'(u)) J for an entrywise f."""

from __future__ import annotations

from reference import expression as E
from reference.algebra import FORMULAS
from reference.graph import Equation, build
from reference.node import Expr
from reference.primitives import PRIMITIVES
from reference.rules import Rules, raised
from reference.simplify import simplify

o = FORMULAS


class _NoMatrixForm(Exception):
    """A step has no rule here; the Jacobian is then written entry by entry."""


def matrix_jacobian(expr: Expr, wrt: Expr, rules: Rules) -> Expr | None:
    """Jacobian (m, n) of a vector (m,) with respect to a vector (n,) in matrix form; None where there is none.

    A part that is itself entrywise in `wrt` is carried as a vector of slopes and becomes diag(...) only when needed.
    """
    if rules.jvp or rules.vjp or rules.accumulate != "sum":
        return None
    graph = build((expr, wrt))
    out, position = graph.outputs
    n = wrt.shape[0]
    slopes: dict[int, _Linear | None] = {}
    try:
        for i, equation in enumerate(graph.equations):
            if i == position:
                slopes[i] = _Linear(E.ones((n,)), None)
            elif all(slopes[k] is None for k in equation.inputs):
                slopes[i] = None
            else:
                slopes[i] = _step(
                    equation,
                    [graph.equations[k].node for k in equation.inputs],
                    [slopes[k] for k in equation.inputs],
                    rules,
                )
    except _NoMatrixForm:
        return None
    found = slopes[out]
    result = E.zeros((*expr.shape, n)) if found is None else found.matrix()
    return simplify((result,), [e.node for e in graph.equations])[0]


class _Linear:
    """The Jacobian diag(scale) @ core of one node; core None is the identity.  A scalar node's core is its gradient."""

    __slots__ = ("core", "scale")

    def __init__(self, scale: Expr, core: Expr | None) -> None:
        self.scale, self.core = scale, core

    def times(self, factor: Expr) -> _Linear:
        return _Linear(factor * self.scale, self.core)

    def matrix(self) -> Expr:
        scale = simplify((self.scale,))[0]
        if self.core is None:
            if scale.op == "broadcast" and not scale.args[0].shape:
                return scale.args[0] * E.eye(scale.shape[0])
            return E.diag(scale)
        if scale.op == "broadcast" and not scale.args[0].shape:
            return scale.args[0] * self.core
        if not scale.shape:
            return scale * self.core
        return E.diag(scale) @ self.core


def _step(equation: Equation, args: list[Expr], parts: list[_Linear | None], rules: Rules) -> _Linear:
    node, op = equation.node, equation.op
    if len(node.shape) > 1 or any(len(a.shape) > 1 for a, p in zip(args, parts, strict=True) if p is not None):
        raise _NoMatrixForm
    if op == "call" and node.attr("elementwise") and len(args) == 1:
        return _scaled(node, args[0], parts[0], raised(node, 0)[0])
    primitive = PRIMITIVES.get(op)
    if primitive is not None and primitive.derivative is not None:
        slope = (
            rules.slopes[op](o, args[0], node)
            if op in rules.slopes
            else primitive.derivative(o, dict(node.attrs), args[0], node)
        )
        return _scaled(node, args[0], parts[0], slope)
    if op in ("add", "sub", "mul", "div", "pow"):
        return _combined(node, args, parts)
    if op == "matmul" and parts[0] is None and parts[1] is not None and len(args[0].shape) == 2:
        return _Linear(E.ones(node.shape), args[0] @ parts[1].matrix())
    if op in ("dot", "sum", "norm", "logsumexp") and not node.shape:
        return _scalar(node, args, parts)
    raise _NoMatrixForm


def _scaled(node: Expr, x: Expr, part: _Linear | None, slope: Expr) -> _Linear:
    if part is None or node.shape != x.shape:
        raise _NoMatrixForm
    return part.times(slope)


def _combined(node: Expr, args: list[Expr], parts: list[_Linear | None]) -> _Linear:
    """Entrywise combination: the sum over arguments of slope times its Jacobian."""
    terms = []
    for k, (x, part) in enumerate(zip(args, parts, strict=True)):
        if part is None:
            continue
        seeds = tuple(E.ones(a.shape) if i == k else E.zeros(a.shape) for i, a in enumerate(args))
        rule = PRIMITIVES[node.op].jvp
        assert rule is not None
        slope = simplify((rule(o, dict(node.attrs), tuple(args), node, seeds),))[0]
        if x.shape == node.shape:
            terms.append(part.times(slope))
        elif not x.shape:  # a scalar factor of a vector: column times row
            terms.append(_Linear(E.ones(node.shape), E.outer(E.broadcast(slope, node.shape), part.matrix())))
        else:
            raise _NoMatrixForm
    if len(terms) == 1:
        return terms[0]
    first, second = terms
    if first.core is second.core:
        return _Linear(first.scale + second.scale, first.core)
    one = E.ones(node.shape) if node.shape else E.constant(1)
    return _Linear(one, first.matrix() + second.matrix())


def _scalar(node: Expr, args: list[Expr], parts: list[_Linear | None]) -> _Linear:
    """A reduction to a number: its gradient (n,) is the sum of Jᵀ times the vjp of each argument."""
    rule = PRIMITIVES[node.op].vjp
    assert rule is not None
    bars = rule(o, dict(node.attrs), tuple(args), node, E.constant(1))
    total: Expr | None = None
    for bar, part in zip(bars, parts, strict=True):
        if part is None:
            continue
        if part.core is None:
            term = part.scale * bar
        else:
            term = part.core.T @ (part.scale * bar)
        total = term if total is None else total + term
    assert total is not None
    return _Linear(E.constant(1), total)
