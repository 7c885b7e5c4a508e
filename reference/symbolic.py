"""The sympy route: the same expression differentiated by a computer algebra system that shares no rule with ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from reference.graph import SYMPY, build, evaluate, sympy_symbol
from reference.node import Expr

Value = Any
MAX_NODES = 600  # beyond this sympy takes seconds


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


def sympy_column(expr: Expr, env: Mapping[str, Value], directions: Mapping[Expr, Value]) -> Value:
    """The Jacobian times a direction as numbers, all derivatives by sympy.  Shape: as `expr`."""
    outputs = np.asarray(to_sympy(expr), dtype=object)
    names = _symbols(expr, env)
    flat: list[Any] = []
    numbers: list[float] = []
    for s in names:
        flat.extend(np.asarray(sympy_symbol(s.name, s.shape), dtype=object).reshape(-1))
        numbers.extend(np.asarray(env[s.name], dtype=float).reshape(-1))
    total = np.zeros(outputs.shape)
    for wrt, direction in directions.items():
        inputs = np.asarray(sympy_symbol(wrt.name, wrt.shape), dtype=object).reshape(-1)
        weights = np.asarray(direction, dtype=float).reshape(-1)
        for i in np.ndindex(*outputs.shape):
            for variable, weight in zip(inputs, weights, strict=True):
                if weight:
                    slope = sp.diff(outputs[i], variable)
                    total[i] += weight * float(_number(slope, flat, numbers))
    return total


def _number(expr: Any, symbols: Sequence[Any], values: Sequence[float]) -> Any:
    """The value to 30 digits; values are taken exactly as the binary fractions they are."""
    exact = {s: sp.Rational(v) for s, v in zip(symbols, values, strict=True)}
    return sp.N(expr.subs(exact), 30)


def _symbols(expr: Expr, env: Mapping[str, Value]) -> list[Expr]:
    return [e.node for e in build(expr).equations if e.op == "symbol" and e.node.name in env]
