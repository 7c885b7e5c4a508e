"""Straight-line numpy for a list of array expressions: operators where numpy has them, the table's rule elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from reference.emit import number
from reference.expression import ordered
from reference.node import Expr
from reference.primitives import PRIMITIVES

OPERATORS = {"add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "neg": "-{0}"}
UFUNCS = {
    name: getattr(np, name)
    for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "arcsinh", "sign", "abs", "cbrt")
}


def array_lines(outputs: Sequence[Expr], inputs: Sequence[Expr]) -> tuple[list[str], dict[str, Any]]:
    """Lines over parameters a0, a1 … and the functions they call; the last line returns the outputs."""
    functions: dict[str, Any] = {
        "asarray": np.asarray,
        "zeros": np.zeros,
        "dot": np.dot,
        "full": np.full,
        "array": np.array,
        "total": np.add.reduce,
    }
    functions.update({f"u_{name}": f for name, f in UFUNCS.items()})
    lines = [f"a{i} = asarray(a{i}, dtype='d')" for i, s in enumerate(inputs) if s.shape]
    text: dict[Expr, str] = {s: f"a{i}" for i, s in enumerate(inputs)}
    nodes = ordered(outputs)
    last = {a: i for i, node in enumerate(nodes) for a in node.args}
    names: set[Expr] = set()
    for i, node in enumerate(nodes):
        if node in text:
            continue
        written = _leaf(node) or _write(node, [text[a] for a in node.args], functions)
        if not node.args:
            text[node] = written
            continue
        lines.append(f"v{i} = {written}")
        text[node] = f"v{i}"
        names.add(node)
        finished = [a for a in dict.fromkeys(node.args) if last[a] == i and a in names and a not in outputs]
        if finished:  # arrays that are not needed again are let go at once
            lines.append(f"del {', '.join(text[a] for a in finished)}")
    lines.append(f"return ({', '.join(text[out] for out in outputs)},)")
    return lines, functions


def _leaf(node: Expr) -> str:
    if node.op == "constant":
        return number(node.value)
    if node.op == "pi":
        return repr(math.pi)
    return repr(math.e) if node.op == "e" else ""


def _write(node: Expr, args: list[str], functions: dict[str, Any]) -> str:
    op = node.op
    if op in OPERATORS:
        return OPERATORS[op].format(*args)
    if op in UFUNCS:
        return f"u_{op}({args[0]})"
    if op == "pow" and node.args[1].op == "constant" and node.args[1].value == 2:
        return f"{args[0]} * {args[0]}"
    special = _SPECIAL.get(op)
    written = special(node, args) if special is not None else ""
    if written:
        return written
    name = f"f{len(functions)}"
    functions[name] = _rule(op, dict(node.attrs))
    return f"{name}({', '.join(args)})"


def _rule(op: str, attrs: Mapping[str, Any]) -> Callable[..., Any]:
    rule = PRIMITIVES[op].forward
    return lambda *values: rule(attrs, *values)


def _matmul(node: Expr, args: list[str]) -> str:
    a, b = node.args
    if len(a.shape) == 2 and len(b.shape) <= 2:
        return f"dot({args[0]}, {args[1]})"
    if len(a.shape) == 1 and len(b.shape) == 2:  # column times row
        return f"{args[0]}[:, None] * {args[1]}"
    return ""


def _outer(node: Expr, args: list[str]) -> str:
    if all(len(a.shape) == 1 for a in node.args):
        return f"{args[0]}[:, None] * {args[1]}"
    return ""


def _transpose(node: Expr, args: list[str]) -> str:
    shape = node.args[0].shape
    if node.attr("axes"):
        return ""
    if len(shape) == 1:
        return f"{args[0]}[None, :]"
    return f"{args[0]}[0]" if len(shape) == 2 and shape[0] == 1 else f"{args[0]}.T" if len(shape) == 2 else ""


def _sum(node: Expr, args: list[str]) -> str:
    if not node.args[0].shape:
        return args[0]
    axis, keep = node.attr("axis"), node.attr("keepdims")
    if axis is None or len(axis) == len(node.args[0].shape):
        axis = None if len(node.args[0].shape) > 1 else 0
    return f"total({args[0]}, axis={axis}, keepdims={keep})" if keep or axis != 0 else f"total({args[0]})"


def _norm(node: Expr, args: list[str]) -> str:
    if node.attr("order") == "squared" and len(node.args[0].shape) == 1 and not node.attr("keepdims"):
        return f"dot({args[0]}, {args[0]})"
    return ""


def _index(node: Expr, args: list[str]) -> str:
    key = node.attr("key")
    if all(isinstance(k, int) for k in key):
        return f"{args[0]}[{', '.join(str(k) for k in key)}]"
    return ""


def _dot(node: Expr, args: list[str]) -> str:
    return f"dot({args[0]}, {args[1]})" if all(len(a.shape) == 1 for a in node.args) else ""


def _stack(node: Expr, args: list[str]) -> str:
    return f"array([{', '.join(args)}])" if not any(a.shape for a in node.args) else ""


_SPECIAL: dict[str, Callable[[Expr, list[str]], str]] = {
    "matmul": _matmul,
    "outer": _outer,
    "transpose": _transpose,
    "sum": _sum,
    "norm": _norm,
    "index": _index,
    "stack": _stack,
    "dot": _dot,
}
