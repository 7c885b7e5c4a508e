"""The sympy route: the same expression differentiated by a computer algebra system that shares no rule with ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from reference.graph import SYMPY, build, evaluate, sympy_symbol
from reference.node import Expr

Value = Any
MAX_NODES = 600  # beyond this sympy takes seconds
MAX_TREE = 40_000  # nodes written out without sharing, times variables: sympy differentiates the tree
DIGITS = 30


def to_sympy(expr: Expr) -> Value:
    """A sympy expression, or an object array of them; symbols are real, entries named x_1, x_1_2 …."""
    return evaluate(expr, {}, SYMPY)


def sympy_jacobian(expr: Expr, wrt: Expr) -> Value:
    """Object array of shape expr.shape + wrt.shape of sympy derivatives."""
    outputs = np.asarray(to_sympy(expr), dtype=object)
    inputs = np.asarray(sympy_symbol(wrt.name, wrt.shape), dtype=object)
    found = np.empty(outputs.shape + inputs.shape, dtype=object)
    for i in np.ndindex(*outputs.shape):
        for j in np.ndindex(*inputs.shape):
            found[i + j] = sp.diff(outputs[i], inputs[j])
    return found


def tree_size(expr: Expr) -> int:
    """Nodes of the sympy expressions of all entries, written out without sharing."""
    sizes: dict[Any, int] = {}
    outputs = np.asarray(to_sympy(expr), dtype=object).reshape(-1)
    for node in _arguments_first(outputs):
        sizes[node] = 1 + sum(sizes[one] for one in node.args)
    return sum(sizes[sp.S.Zero + one] for one in outputs)


def sympy_column(expr: Expr, env: Mapping[str, Value], directions: Mapping[Expr, Value]) -> Value:
    """The Jacobian times a direction as numbers, all derivatives by sympy.  Shape: as `expr`."""
    known: dict[Any, Any] = {}
    for s in _symbols(expr, env):
        names = np.asarray(sympy_symbol(s.name, s.shape), dtype=object).reshape(-1)
        values = np.asarray(env[s.name], dtype=float).reshape(-1)
        known |= {n: sp.Float(sp.Rational(v), DIGITS) for n, v in zip(names, values, strict=True)}
    total = np.zeros(expr.shape)
    for wrt, direction in directions.items():
        weights = np.asarray(direction, dtype=float).reshape(-1)
        slopes = _slopes(expr, wrt)
        for (i, slope), weight in ((one, w) for column, w in zip(slopes, weights, strict=True) if w for one in column):
            total[i] += weight * float(_number(slope, known))
    return total


@lru_cache(maxsize=256)
def _slopes(expr: Expr, wrt: Expr) -> tuple[tuple[tuple[tuple[int, ...], Any], ...], ...]:
    """For each entry of `wrt`, every entry of `expr` differentiated by it, with its place."""
    found = sympy_jacobian(expr, wrt).reshape((*expr.shape, -1))
    places = tuple(np.ndindex(*expr.shape))
    return tuple(tuple((i, found[(*i, j)]) for i in places) for j in range(found.shape[-1]))


def _number(expr: Any, known: dict[Any, Any]) -> Any:
    """The value to 30 digits.  `known` holds the values of symbols and takes up that of every node it comes by.

    Every distinct node is worked out once; `subs` would walk the tree without sharing.
    """
    for node in _arguments_first([expr]):
        if node not in known:
            known[node] = node.func(*(known[one] for one in node.args)) if node.args else sp.N(node, DIGITS)
    return sp.N(known[sp.S.Zero + expr], DIGITS)


def _arguments_first(outputs: Iterable[Any]) -> list[Any]:
    """Every distinct node of sympy expressions once, arguments before what they are arguments of."""
    found: dict[Any, None] = {}
    stack = [(sp.S.Zero + one, False) for one in outputs]
    while stack:
        node, open_ = stack.pop()
        if node in found:
            continue
        if open_:
            found[node] = None
        else:
            stack.append((node, True))
            stack.extend((one, False) for one in node.args)
    return list(found)


def _symbols(expr: Expr, env: Mapping[str, Value]) -> list[Expr]:
    return [e.node for e in build(expr).equations if e.op == "symbol" and e.node.name in env]
