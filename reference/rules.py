"""Derivative rules in force: the table's own, or with some replaced (a misconception is one rule replaced)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reference.algebra import Algebra
from reference.node import Expr
from reference.primitive import Value
from reference.primitives import PRIMITIVES
from reference.shapes import Shape

Slope = Callable[[Algebra, Value, Value], Value]  # (o, x, y) -> dy/dx of an entrywise function


class NotDifferentiable(ValueError):
    """A primitive without a derivative rule stands between the inputs and the output."""


@dataclass(frozen=True)
class Rules:
    """Replacements, by primitive.

    `slopes` replaces the derivative of an entrywise function of one argument, in both modes.  `jvp` replaces a forward
    rule; it is handed None as the tangent of an argument that does not depend on the inputs.  `vjp` replaces a reverse
    rule.  `accumulate` says what happens when a second adjoint reaches a node: "sum" (right), "last" or "first".
    """

    slopes: Mapping[str, Slope] = field(default_factory=dict)
    jvp: Mapping[str, Callable[..., Value]] = field(default_factory=dict)
    vjp: Mapping[str, Callable[..., tuple[Value, ...]]] = field(default_factory=dict)
    accumulate: str = "sum"

    @property
    def forward_only(self) -> bool:
        """Do the replacements say something about tangents that reverse mode does not know?"""
        return bool(self.jvp) and not self.vjp


STANDARD = Rules()


def push(rules: Rules, o: Algebra, node: Expr, xs: tuple[Value, ...], y: Value, ts: tuple[Value | None, ...]) -> Value:
    """Tangent of one equation from those of its arguments; None is a tangent known to be zero."""
    op, attrs = node.op, dict(node.attrs)
    if op in rules.jvp:
        return rules.jvp[op](o, attrs, xs, y, ts)
    if op in rules.slopes:
        return ts[0] * rules.slopes[op](o, xs[0], y)
    if op == "call":
        return _push_call(o, node, ts)
    rule = PRIMITIVES[op].jvp
    if rule is None:
        raise NotDifferentiable(f"{op} has no derivative here")
    return rule(o, attrs, xs, y, ts)


def pull(rules: Rules, o: Algebra, node: Expr, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value | None, ...]:
    """Adjoints that one equation sends to its arguments; None is an adjoint known to be zero."""
    op, attrs = node.op, dict(node.attrs)
    if op in rules.vjp:
        return rules.vjp[op](o, attrs, xs, y, g)
    if op in rules.slopes:
        return (g * rules.slopes[op](o, xs[0], y),)
    if op == "call":
        return _pull_call(o, node, g)
    rule = PRIMITIVES[op].vjp
    if rule is None:
        raise NotDifferentiable(f"{op} has no derivative here")
    return rule(o, attrs, xs, y, g)


# ---- abstract functions: only symbolically -------------------------------------------------------------------------


def raised(node: Expr, position: int) -> tuple[Expr, tuple[int, ...]]:
    """The derivative of a call in one argument, and the order of axes that puts that argument's axes last.

    A call of order (1, 1) has its axes in the order of its arguments whatever was differentiated first.
    """
    from reference.expression import call

    order: tuple[int, ...] = tuple(k + (i == position) for i, k in enumerate(node.attr("order")))
    if node.attr("elementwise"):
        return call(node.name, node.args, order, node.shape, True), ()
    ranks = [len(a.shape) for a in node.args]
    base = len(node.shape) - sum(r * k for r, k in zip(ranks, node.attr("order"), strict=True))
    insert = base + sum(r * k for r, k in zip(ranks[: position + 1], node.attr("order")[: position + 1], strict=True))
    extra = node.args[position].shape
    shape = (*node.shape[:insert], *extra, *node.shape[insert:])
    total, width = len(shape), len(extra)
    axes = (*range(insert), *range(insert + width, total), *range(insert, insert + width))
    return call(node.name, node.args, order, shape, False), axes


def _derivative_matrix(o: Algebra, node: Expr, position: int) -> Value:
    """Derivative of a whole-argument call with the differentiated argument's axes last."""
    derived, axes = raised(node, position)
    return derived if axes == tuple(range(len(axes))) else o.transpose(derived, axes=axes)


def contract(o: Algebra, derivative: Value, t: Value, out: Shape, inner: Shape) -> Value:
    """Sum over `inner` of derivative[out, inner] t[inner]."""
    if not inner:
        return derivative * t
    if len(inner) == 1 and not out:
        return o.dot(derivative, t)
    if len(inner) == 1 and len(out) == 1:
        return o.matmul(derivative, t)
    rows, columns = _count(out), _count(inner)
    flat = o.matmul(o.as_shape(derivative, (rows, columns)), o.as_shape(t, (columns,)))
    return o.as_shape(flat, out)


def contract_left(o: Algebra, derivative: Value, g: Value, out: Shape, inner: Shape) -> Value:
    """Sum over `out` of g[out] derivative[out, inner]."""
    if not out:
        return g * derivative
    if not inner:
        return o.dot(derivative, g) if len(out) == 1 else o.sum(derivative * g, axis=None, keepdims=False)
    if len(inner) == 1 and len(out) == 1:
        return o.matmul(o.transpose(derivative), g)
    rows, columns = _count(out), _count(inner)
    flat = o.matmul(o.transpose(o.as_shape(derivative, (rows, columns))), o.as_shape(g, (rows,)))
    return o.as_shape(flat, inner)


def _count(shape: Shape) -> int:
    count = 1
    for n in shape:
        count *= n
    return count


def _push_call(o: Algebra, node: Expr, ts: tuple[Value | None, ...]) -> Value:
    total = None
    for i, t in enumerate(ts):
        if t is None:
            continue
        if node.attr("elementwise"):
            part = t * raised(node, i)[0]
        else:
            part = contract(o, _derivative_matrix(o, node, i), t, node.shape, node.args[i].shape)
        total = part if total is None else total + part
    return o.zeros_like(node) if total is None else total


def _pull_call(o: Algebra, node: Expr, g: Value) -> tuple[Value, ...]:
    if node.attr("elementwise"):
        return tuple(o.unbroadcast(g * raised(node, i)[0], a.shape) for i, a in enumerate(node.args))
    return tuple(
        contract_left(o, _derivative_matrix(o, node, i), g, node.shape, a.shape) for i, a in enumerate(node.args)
    )
