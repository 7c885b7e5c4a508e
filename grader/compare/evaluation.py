"""Expressions in ball arithmetic at many points at once.

Every value has the points as its first axis, so that one pass over the nodes serves all points; a node without symbols
is computed once.  What a primitive does to balls is written in reference.primitives, here only its use along that axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq

from reference.arrays import slices_of
from reference.balls import power
from reference.expression import Expr, ordered
from reference.primitives import PRIMITIVES
from reference.shapes import UNARY

ENTRYWISE = frozenset((*UNARY, "add", "sub", "mul", "div", "pow", "maximum", "minimum", "select", "binomial"))
Balls = Any  # an object array of arb with the points first, or an arb or array of arb without points


SLOW_POWER = np.frompyfunc(power, 2, 1)


def fast_power(base: Balls, exponent: Balls) -> Balls:
    """Powers of arrays; the careful rule is asked only where the plain one gives up."""
    if isinstance(exponent, arb) and isinstance(base, np.ndarray):
        if exponent == 2:
            return base * base
        if exponent == 3:
            return base * base * base
        found = base**exponent
        lost = [i for i, v in enumerate(found.flat) if not v.is_finite()]
        for i in lost:
            found.flat[i] = power(base.flat[i], exponent)
        return found
    return SLOW_POWER(base, exponent)


DIRECT: dict[str, Any] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "neg": np.negative,
    "div": np.true_divide,  # flint's quotient by a ball that holds zero is not finite, as it should be
    "pow": fast_power,
}


def _transposed(attrs: dict[str, Any], node: Expr, value: Balls) -> Balls:
    """A vector becomes a row and a row a vector; anything else turns its axes as numpy does."""
    if value.ndim > 2:
        axes = attrs.get("axes") or range(value.ndim - 2, -1, -1)
        value = value.transpose((0, *(axis + 1 for axis in axes)))
    return value.reshape((len(value), *node.shape))


def _product(attrs: dict[str, Any], node: Expr, left: Balls, right: Balls) -> Balls:
    """Matrix times matrix or vector, row times matrix, at every point."""
    columns = right if right.ndim == 3 else right[:, :, None]
    column = left.ndim == 2 and right.ndim == 3 and right.shape[1] == 1
    rows = left if left.ndim == 3 else left[:, :, None] if column else left[:, None, :]
    return (rows[:, :, :, None] * columns[:, None, :, :]).sum(axis=2).reshape((len(left), *node.shape))


def _flat(value: Balls) -> Balls:
    """Rows and columns alike as vectors."""
    return value.reshape((len(value), -1))


# What can be done at all points in one step of numpy: (attributes, node, values with the points first).
TOGETHER: dict[str, Callable[..., Balls]] = {
    "index": lambda attrs, node, value: value[(slice(None), *slices_of(attrs["key"]))],
    "reshape": lambda attrs, node, value: value.reshape((len(value), *node.shape)),
    "transpose": _transposed,
    "matmul": _product,
    "dot": lambda attrs, node, left, right: (_flat(left) * _flat(right)).sum(axis=1).reshape((len(left), *node.shape)),
    "outer": lambda attrs, node, left, right: _flat(left)[:, :, None] * _flat(right)[:, None, :],
}
MAX_ENTRIES = 200_000  # entries times points of one node


class TooMuch(Exception):
    """An expression is too large to be evaluated; the comparison is undecided."""


class Batch:
    """Values of expressions at fixed points, at one precision; a node shared by several is computed once."""

    def __init__(self, env: Mapping[str, Sequence[tuple[Fraction, ...]]], count: int, bits: int) -> None:
        self.env = env
        self.count = count
        self.bits = bits
        self.values: dict[Expr, tuple[Balls, bool]] = {}  # value, and whether it has the axis of the points

    def of(self, outputs: Sequence[Expr], nodes: Sequence[Expr] | None = None) -> list[Any]:
        """One object array (points, *shape) for each output.  `nodes`: their order of evaluation, where known."""
        values = self.values
        with ctx.workprec(self.bits):
            for node in ordered(outputs) if nodes is None else nodes:
                if node not in values:
                    values[node] = self._value(node)
            return [self._full(*self.values[out], out.shape) for out in outputs]

    def _full(self, value: Balls, batched: bool, shape: tuple[int, ...]) -> Any:
        if batched:
            return value
        full = np.empty((self.count, *shape), dtype=object)
        full[...] = value
        return full

    def _value(self, node: Expr) -> tuple[Balls, bool]:
        op = node.op
        if op == "constant":
            return exact_ball(node.value), False
        if op == "symbol":
            return self._symbol(node), True
        if op == "pi":
            return arb.pi(), False
        if op == "e":
            return arb(1).exp(), False
        size = self.count
        for n in node.shape:
            size *= n
        if size > MAX_ENTRIES:
            raise TooMuch(f"{op} has {size} entries")
        args = [self.values[a] for a in node.args]
        attrs = dict(node.attrs)
        if not any(batched for _, batched in args):
            rule = DIRECT.get(op)
            values = [v for v, _ in args]
            return (rule(*values) if rule is not None else PRIMITIVES[op].ball(attrs, *values)), False
        if op in ENTRYWISE:
            return self._entrywise(op, attrs, node, args), True
        if op == "stack":
            parts = [self._full(v, b, a.shape) for (v, b), a in zip(args, node.args, strict=True)]
            return np.stack(parts, axis=attrs["axis"] + 1), True
        rule = TOGETHER.get(op)
        if rule is not None and all(len(a.shape) <= 2 for a in node.args):
            full = [self._full(v, b, a.shape) for (v, b), a in zip(args, node.args, strict=True)]
            return rule(attrs, node, *full), True
        return self._pointwise(op, attrs, node, args), True

    def _symbol(self, node: Expr) -> Any:
        rows = self.env[node.name]
        if not node.shape:
            return np.array([exact_ball(row[0]) for row in rows], dtype=object)
        flat = np.empty((self.count, len(rows[0])), dtype=object)
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                flat[i, j] = exact_ball(value)
        return flat.reshape((self.count, *node.shape))

    def _entrywise(self, op: str, attrs: dict[str, Any], node: Expr, args: list[tuple[Balls, bool]]) -> Any:
        rank = len(node.shape)
        values = []
        for (value, batched), arg in zip(args, node.args, strict=True):
            short = rank - len(arg.shape)
            if batched and short:
                value = value.reshape((self.count, *(1,) * short, *arg.shape))
            values.append(value)
        direct = DIRECT.get(op)
        return direct(*values) if direct is not None else PRIMITIVES[op].ball(attrs, *values)

    def _pointwise(self, op: str, attrs: dict[str, Any], node: Expr, args: list[tuple[Balls, bool]]) -> Any:
        rule = PRIMITIVES[op].ball
        result = np.empty((self.count, *node.shape), dtype=object)
        for i in range(self.count):
            result[i] = rule(attrs, *[v[i] if batched else v for v, batched in args])
        return result


def exact_ball(value: int | Fraction) -> arb:
    """A ball around an exact number at the precision in force; an integer and a dyadic fraction are exact."""
    if isinstance(value, int):
        return arb(value)
    return arb(fmpq(value.numerator, value.denominator))
