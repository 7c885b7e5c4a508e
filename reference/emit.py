"""Straight-line Python for a list of scalar expressions: one assignment per shared value, the rest nested.

The text is made of generated names (v0, v1 …), operators and numbers; no name of a symbol ever enters it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from reference.expression import ordered
from reference.node import Expr
from reference.primitives import PRIMITIVES

MAX_NESTED = 160  # characters of an expression that is written into another one


def _by_table(op: str, attrs: Mapping[str, Any]) -> Callable[..., float]:
    rule = PRIMITIVES[op].forward
    return lambda *values: float(rule(attrs, *values))


DIRECT = {
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / {1})",
    "neg": "(-{0})",
    "abs": "abs({0})",
    "sigmoid": "(1.0 / (1.0 + exp(-{0})) if {0} >= 0.0 else 1.0 - 1.0 / (1.0 + exp({0})))",
    "relu": "({0} if {0} > 0.0 else 0.0)",
    "step": "(1.0 if {0} > 0.0 else 0.0)",
    "sign": "(1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else 0.0)",
    "maximum": "max({0}, {1})",
    "minimum": "min({0}, {1})",
    "select": "({1} if {0} > 0.0 else {2})",
    **{name: f"{name}({{0}})" for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "cbrt")},
    **{name: f"{name}({{0}})" for name in ("log2", "log10", "erf")},
    "arcsin": "asin({0})",
    "arccos": "acos({0})",
    "arctan": "atan({0})",
    "arcsinh": "asinh({0})",
    "arccosh": "acosh({0})",
    "arctanh": "atanh({0})",
}
REPEATED = frozenset({"sigmoid", "relu", "step", "sign", "select"})  # use an argument twice: it gets a name
MATH = tuple(
    "exp log sqrt sin cos tan sinh cosh tanh cbrt log2 log10 erf asin acos atan asinh acosh atanh".split()  # noqa: SIM905
)


def number(value: int | Fraction) -> str:
    """A float literal, bracketed when negative."""
    text = repr(float(value))
    return f"({text})" if text.startswith("-") else text


class Emitter:
    """Lines of a function body and the functions they call; one emitter per function."""

    def __init__(self, prefix: str = "v") -> None:
        self.lines: list[str] = []
        self.functions: dict[str, Any] = {name: getattr(math, name) for name in MATH} | {"power": math.pow}
        self._prefix = prefix
        self._count = 0

    def fresh(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count}"

    def emit(self, outputs: Sequence[Expr], known: Mapping[Expr, str]) -> list[str]:
        """Append the lines that compute the outputs from known names; returns one atom of text per output."""
        nodes = _needed(outputs, known)
        uses: dict[Expr, int] = {}
        for node in nodes:
            weight = 2 if node.op in REPEATED or (node.op == "pow" and node.args[1].op == "constant") else 1
            for a in node.args:
                uses[a] = uses.get(a, 0) + weight
        for out in outputs:
            uses[out] = uses.get(out, 0) + 1
        text: dict[Expr, str] = dict(known)
        for node in nodes:
            written = self._write(node, [text[a] for a in node.args])
            if node.args and (uses[node] > 1 or len(written) > MAX_NESTED):
                name = self.fresh()
                self.lines.append(f"{name} = {written}")
                written = name
            text[node] = written
        return [text[out] for out in outputs]

    def _write(self, node: Expr, args: list[str]) -> str:
        if node.op == "constant":
            return number(node.value)
        if node.op == "pi":
            return repr(math.pi)
        if node.op == "e":
            return repr(math.e)
        if node.op == "pow":
            return self._power(node, args)
        if node.op in DIRECT:
            return DIRECT[node.op].format(*args)
        name = f"f{len(self.functions)}"
        self.functions[name] = _by_table(node.op, dict(node.attrs))
        return f"{name}({', '.join(args)})"

    def _power(self, node: Expr, args: list[str]) -> str:
        exponent = node.args[1]
        if exponent.op == "constant":
            value = exponent.value
            if value in (2, 3):
                return f"({' * '.join([args[0]] * int(value))})"
            if value == -1:
                return f"(1.0 / {args[0]})"
            if value == -2:
                return f"(1.0 / ({args[0]} * {args[0]}))"
            if value == Fraction(1, 2):
                return f"sqrt({args[0]})"
            if isinstance(value, int):
                return f"({args[0]} ** {value})"
        return f"power({args[0]}, {args[1]})"


def _needed(outputs: Sequence[Expr], known: Mapping[Expr, str]) -> list[Expr]:
    """Nodes to be written, arguments first, not looking behind what is known."""
    reached: set[Expr] = set()
    todo = list(outputs)
    while todo:
        node = todo.pop()
        if node not in reached and node not in known:
            reached.add(node)
            todo.extend(node.args)
    return [n for n in ordered(outputs) if n in reached]


def define(
    name: str, parameters: Sequence[str], lines: Sequence[str], functions: Mapping[str, Any]
) -> Callable[..., Any]:
    """The function with that body.  The source holds generated names, numbers and operators only."""
    body = "".join(f"    {line}\n" for line in lines)
    source = f"def {name}({', '.join(parameters)}):\n{body}"
    scope: dict[str, Any] = dict(functions)
    exec(compile(source, f"<compiled {name}>", "exec"), scope)  # noqa: S102  # our own graph as code; no typed text in it
    found: Callable[..., Any] = scope[name]
    return found
