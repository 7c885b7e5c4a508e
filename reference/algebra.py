"""What the derivative rules compute with: the same rule runs on numbers, on balls and on expressions.

A rule receives an algebra `o` and values that all carry `+ - * / **` and unary minus; everything else goes through `o`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from reference import expression as E
from reference.graph import FLOAT, Field
from reference.node import Expr, apply, constant
from reference.primitives import PRIMITIVES
from reference.shapes import Shape, axes_of

Value = Any


@dataclass(frozen=True)
class Algebra:
    """Operations of one kind of value.  Any primitive is a method: `o.cos(x)`, `o.sum(x, axis=…, keepdims=…)`."""

    apply: Callable[..., Value]
    shape: Callable[[Value], Shape]
    number: Callable[[int | Fraction], Value]
    pi: Value
    symbolic: bool

    def __getattr__(self, op: str) -> Callable[..., Value]:
        if op not in PRIMITIVES:
            raise AttributeError(op)

        def operation(*args: Value, **attrs: Any) -> Value:
            return self.apply(op, *args, **attrs)

        return operation

    def is_constant(self, x: Value) -> bool:
        """Is this an exact number of an expression, which has no derivative to ask for?"""
        return isinstance(x, Expr) and x.op in ("constant", "pi", "e")

    def filled(self, value: int, shape: Shape) -> Value:
        return self.apply("broadcast", self.number(value), shape=shape) if shape else self.number(value)

    def zeros_like(self, x: Value) -> Value:
        return self.filled(0, self.shape(x))

    def ones_like(self, x: Value) -> Value:
        return self.filled(1, self.shape(x))

    def eye(self, n: int) -> Value:
        return self.apply("diag", self.filled(1, (n,)))

    def as_shape(self, x: Value, shape: Shape) -> Value:
        """The same entries in another shape; a column becomes a row by transposing."""
        have = self.shape(x)
        if have == shape:
            return x
        if (len(have) == 1 and shape == (1, have[0])) or (len(have) == 2 and have[0] == 1 and shape == have[1:]):
            return self.apply("transpose", x)
        return self.apply("reshape", x, shape=shape)

    def unbroadcast(self, g: Value, shape: Shape) -> Value:
        """Sum an adjoint over the axes along which its value was repeated; repeat it where it is too small."""
        have = self.shape(g)
        if have == shape:
            return g
        if len(have) < len(shape) or any(m < n for m, n in zip(have[len(have) - len(shape) :], shape, strict=True)):
            return self.apply("broadcast", g, shape=shape)
        lead = len(have) - len(shape)
        if lead:
            g = self.apply("sum", g, axis=tuple(range(lead)), keepdims=False)
        stretched = tuple(i for i, n in enumerate(shape) if n == 1 and have[lead + i] != 1)
        return self.apply("sum", g, axis=stretched, keepdims=True) if stretched else g

    def expand(self, g: Value, attrs: Mapping[str, Any], shape: Shape) -> Value:
        """A reduction's result, repeated along the axes it was reduced over."""
        if not shape:
            return g
        if not attrs["keepdims"] and attrs["axis"] is not None:
            axes = axes_of(attrs["axis"], len(shape))
            g = self.apply("reshape", g, shape=tuple(1 if i in axes else n for i, n in enumerate(shape)))
        elif not attrs["keepdims"] and self.shape(g) != ():
            g = self.apply("reshape", g, shape=(1,) * len(shape))
        return self.apply("broadcast", g, shape=shape)

    def others(self, x: Value, y: Value, attrs: Mapping[str, Any]) -> Value:
        """For every entry the product of all the others, right also where entries are 0."""
        shape = self.shape(x)
        if not shape:
            return self.number(1)
        axes = axes_of(attrs["axis"], len(shape))
        rest = tuple(i for i in range(len(shape)) if i not in axes)
        order = rest + axes
        moved = self.apply("transpose", x, axes=order) if order != tuple(range(len(shape))) else x
        turned = tuple(shape[i] for i in order)
        count = 1
        for i in axes:
            count *= shape[i]
        kept = tuple(shape[i] for i in rest)
        flat = self.apply("reshape", moved, shape=(*kept, count))
        before = tuple((0, n, 1) for n in kept)
        parts = [self.apply("index", flat, key=(*before, i)) for i in range(count)]
        left, right = [self.filled(1, kept)], [self.filled(1, kept)]
        for i in range(count - 1):
            left.append(left[-1] * parts[i])
            right.append(right[-1] * parts[count - 1 - i])
        others = [a * b for a, b in zip(left, reversed(right), strict=True)]
        stacked = self.apply("reshape", self.apply("stack", *others, axis=len(kept)), shape=turned)
        if order == tuple(range(len(shape))):
            return stacked
        return self.apply("transpose", stacked, axes=tuple(order.index(i) for i in range(len(shape))))


def numbers(field: Field = FLOAT) -> Algebra:
    """The algebra of one field.  Floats are taken as they are, so that rules stay fast."""

    def compute(op: str, *args: Value, **attrs: Any) -> Value:
        rule = getattr(PRIMITIVES[op], field.column)
        return rule(attrs, *[field.constant(a) if isinstance(a, int | Fraction) else a for a in args])

    return Algebra(compute, np.shape, field.constant, field.pi(), False)


def _shape_of(x: Value) -> Shape:
    return x.shape if isinstance(x, Expr) else ()


FORMULAS = Algebra(apply, _shape_of, constant, E.PI, True)
NUMBERS = numbers(FLOAT)
