"""What the table holds for one primitive, and the entry-by-entry machinery the families share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference.shapes import SHAPES, Rule

Attrs = Mapping[str, Any]
Value = Any  # a numpy number or array, an arb, a sympy expression, an object array of these, or an Expr
Forward = Callable[..., Value]  # (attrs, *values)
Tangent = Callable[..., Value]  # (o, attrs, xs, y, ts) -> tangent of y; a None in ts is a tangent known to be zero
Adjoint = Callable[..., tuple[Value, ...]]  # (o, attrs, xs, y, g) -> one adjoint per argument, None for zero
Cost = Callable[..., int]  # (attrs, shapes of arguments, shape of result) -> elementary operations


@dataclass(frozen=True, slots=True)
class Primitive:
    """One row of the table.

    `forward`, `ball`, `sympy` evaluate in three fields; `jvp` and `vjp` are written once, for numbers and for
    expressions alike, over the algebra `o` they are handed; `latex` is a template with one `{}` per argument;
    `domain` says in words where the primitive is defined, `kink` what is taken where it has no derivative.
    """

    name: str
    forward: Forward
    ball: Forward
    sympy: Forward
    jvp: Tangent | None
    vjp: Adjoint | None
    latex: str
    cost: Cost
    domain: str = "real"
    kink: str = ""
    derivative: Callable[..., Value] | None = None  # of an entrywise function of one argument: (o, attrs, x, y)

    @property
    def shape(self) -> Rule:
        return SHAPES[self.name]


def entries(attrs: Attrs, shapes: tuple[tuple[int, ...], ...], out: tuple[int, ...]) -> int:
    """One operation per entry of the result."""
    count = 1
    for n in out:
        count *= n
    return count


def entries_in(attrs: Attrs, shapes: tuple[tuple[int, ...], ...], out: tuple[int, ...]) -> int:
    """A reduction: one operation fewer than there are entries, per result."""
    return max(entries(attrs, (), shapes[0]) - entries(attrs, (), out), 1)


def free(attrs: Attrs, shapes: tuple[tuple[int, ...], ...], out: tuple[int, ...]) -> int:
    """Moving entries about computes nothing."""
    return 0


def mapped(f: Callable[..., Any], arity: int = 1) -> Callable[..., Any]:
    """`f` on single values, or entry by entry on object arrays."""
    entrywise = np.frompyfunc(f, arity, 1)

    def evaluate(attrs: Attrs, *values: Value) -> Value:
        if any(isinstance(v, np.ndarray) for v in values):
            return entrywise(*values)
        return f(*values)

    return evaluate
