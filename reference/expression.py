"""Expressions: symbols, exact constants, one builder per primitive, substitution, and functions put in for names.

`from reference import expression as E` gives `E.symbol("x", (3,))`, `E.sin(x)`, `E.sum(x, axis=0)` and so on.
Reductions and norms hide builtins of the same name on purpose: they are read as `E.sum`, `E.max`, `E.abs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from reference.node import (
    EULER,
    MAX_NODES,
    PI,
    Expr,
    Operand,
    TooLarge,
    apply,
    constant,
    intern,
    normal_axis,
    normal_key,
    symbol,
)
from reference.shapes import Shape, ShapeError, axes_of, broadcast_shapes

__all__ = [
    "EULER",
    "MAX_NODES",
    "PI",
    "Expr",
    "Function",
    "Operand",
    "ShapeError",
    "TooLarge",
    "apply",
    "call",
    "calls",
    "constant",
    "instantiate",
    "ordered",
    "substitute",
    "symbol",
    "symbols",
]

Axis = int | tuple[int, ...] | None
Unary = Callable[[Operand], Expr]
Order = Literal["1", "2", "inf", "fro", "squared"]


def _unary(op: str) -> Unary:
    def build(x: Operand) -> Expr:
        return apply(op, x)

    build.__name__ = build.__qualname__ = op
    build.__doc__ = f"{op} of every entry."
    return build


neg, exp, log, log2, log10 = (_unary(op) for op in ("neg", "exp", "log", "log2", "log10"))
sin, cos, tan, sec, csc, cot = (_unary(op) for op in ("sin", "cos", "tan", "sec", "csc", "cot"))
arcsin, arccos, arctan = (_unary(op) for op in ("arcsin", "arccos", "arctan"))
sinh, cosh, tanh, sech, csch, coth = (_unary(op) for op in ("sinh", "cosh", "tanh", "sech", "csch", "coth"))
arcsinh, arccosh, arctanh = (_unary(op) for op in ("arcsinh", "arccosh", "arctanh"))
sqrt, cbrt, sign, step, erf, factorial = (_unary(op) for op in ("sqrt", "cbrt", "sign", "step", "erf", "factorial"))
relu, gelu, sigmoid, softplus, silu = (_unary(op) for op in ("relu", "gelu", "sigmoid", "softplus", "silu"))
abs = _unary("abs")


def add(a: Operand, b: Operand) -> Expr:
    return apply("add", a, b)


def sub(a: Operand, b: Operand) -> Expr:
    return apply("sub", a, b)


def mul(a: Operand, b: Operand) -> Expr:
    """Elementwise product; of scalars the product."""
    return apply("mul", a, b)


def div(a: Operand, b: Operand) -> Expr:
    return apply("div", a, b)


def pow(a: Operand, b: Operand) -> Expr:
    return apply("pow", a, b)


def square(x: Operand) -> Expr:
    return apply("pow", x, 2)


def maximum(a: Operand, b: Operand) -> Expr:
    return apply("maximum", a, b)


def minimum(a: Operand, b: Operand) -> Expr:
    return apply("minimum", a, b)


def binomial(n: Operand, k: Operand) -> Expr:
    return apply("binomial", n, k)


def select(condition: Operand, yes: Operand, no: Operand) -> Expr:
    """`yes` where the condition is positive, `no` elsewhere."""
    return apply("select", condition, yes, no)


def leaky_relu(x: Operand, slope: int | Fraction = Fraction(1, 100)) -> Expr:
    return apply("leaky_relu", x, slope=slope)


def elu(x: Operand, alpha: int | Fraction = 1) -> Expr:
    return apply("elu", x, alpha=alpha)


def logarithm(x: Operand, base: Operand) -> Expr:
    """Logarithm to any base, as a quotient of natural logarithms."""
    return div(log(x), log(base))


def _reduce(op: str, x: Expr, axis: Axis, keepdims: bool, **more: Any) -> Expr:
    if not x.shape and op != "norm":
        return x
    return apply(op, x, axis=normal_axis(axis, x.shape), keepdims=keepdims, **more)


def sum(x: Expr, axis: Axis = None, keepdims: bool = False) -> Expr:
    return _reduce("sum", x, axis, keepdims)


def mean(x: Expr, axis: Axis = None, keepdims: bool = False) -> Expr:
    return _reduce("mean", x, axis, keepdims)


def prod(x: Expr, axis: Axis = None, keepdims: bool = False) -> Expr:
    return _reduce("prod", x, axis, keepdims)


def max(x: Expr, axis: Axis = None, keepdims: bool = False) -> Expr:
    return _reduce("max", x, axis, keepdims)


def min(x: Expr, axis: Axis = None, keepdims: bool = False) -> Expr:
    return _reduce("min", x, axis, keepdims)


def logsumexp(x: Expr, axis: Axis = None, keepdims: bool = False) -> Expr:
    return _reduce("logsumexp", x, axis, keepdims)


def norm(x: Expr, order: Order | int = "2", axis: Axis = None, keepdims: bool = False) -> Expr:
    """The norm of that order: "1", "2", "inf", "fro" (of a matrix), "squared" (sum of squares)."""
    return _reduce("norm", x, axis, keepdims, order=str(order))


def softmax(x: Expr, axis: int = -1) -> Expr:
    return apply("softmax", x, axis=normal_axis(axis, x.shape))


def log_softmax(x: Expr, axis: int = -1) -> Expr:
    return apply("log_softmax", x, axis=normal_axis(axis, x.shape))


def peak(x: Expr, axis: Axis = None) -> Expr:
    """1 where the maximum along `axis` is, shared equally among ties, 0 elsewhere."""
    return apply("peak", x, axis=normal_axis(axis, x.shape))


def matmul(a: Expr, b: Expr) -> Expr:
    return apply("matmul", a, b)


def transpose(x: Expr, axes: tuple[int, ...] | None = None) -> Expr:
    return apply("transpose", x) if axes is None else apply("transpose", x, axes=tuple(axes))


def dot(a: Expr, b: Expr) -> Expr:
    return apply("dot", a, b)


def outer(a: Expr, b: Expr) -> Expr:
    return apply("outer", a, b)


def diag(x: Expr) -> Expr:
    """Diagonal matrix of a vector."""
    return apply("diag", x)


def diagonal(x: Expr) -> Expr:
    return apply("diagonal", x)


def trace(x: Expr) -> Expr:
    return apply("trace", x)


def inv(x: Expr) -> Expr:
    return apply("inv", x)


def det(x: Expr) -> Expr:
    return apply("det", x)


def logdet(x: Expr) -> Expr:
    return apply("logdet", x)


def kron(a: Expr, b: Expr) -> Expr:
    return apply("kron", a, b)


def index(x: Expr, key: Any) -> Expr:
    return apply("index", x, key=normal_key(key, x.shape))


def put(x: Operand, shape: Iterable[int], key: Any) -> Expr:
    """An array of zeros with `x` at `key`: the adjoint of `index`."""
    size = tuple(shape)
    return apply("put", x, shape=size, key=normal_key(key, size))


def stack(parts: Sequence[Operand], axis: int = 0) -> Expr:
    if not parts:
        raise ShapeError("an array needs at least one entry")
    operands = [constant(p) for p in parts]
    return apply("stack", *operands, axis=axes_of(axis, len(operands[0].shape) + 1)[0])


def concat(parts: Sequence[Expr], axis: int = 0) -> Expr:
    if not parts:
        raise ShapeError("an array needs at least one part")
    return apply("concat", *parts, axis=axes_of(axis, len(parts[0].shape))[0])


def matrix(rows: Sequence[Sequence[Operand]]) -> Expr:
    """A matrix from its entries, row by row."""
    return stack([stack(row) for row in rows])


def reshape(x: Expr, shape: Iterable[int]) -> Expr:
    return apply("reshape", x, shape=tuple(shape))


def broadcast(x: Operand, shape: Iterable[int]) -> Expr:
    return apply("broadcast", x, shape=tuple(shape))


def zeros(shape: Shape) -> Expr:
    return broadcast(0, shape) if shape else constant(0)


def ones(shape: Shape) -> Expr:
    return broadcast(1, shape) if shape else constant(1)


def eye(n: int) -> Expr:
    return diag(ones((n,)))


def conv(image: Expr, kernel: Expr, stride: int = 1, padding: int = 0) -> Expr:
    """2-D cross-correlation: (H, W)*(h, w) or ([N,] C, H, W)*(K, C, h, w) -> ([N,] K, H', W')."""
    return apply("conv", image, kernel, stride=stride, padding=padding)


def call(
    name: str,
    args: Sequence[Expr],
    order: Sequence[int] | None = None,
    shape: Shape | None = None,
    elementwise: bool | None = None,
) -> Expr:
    """An abstract function, or its derivative of the given order in each argument.

    Without a shape the function works entry by entry and has the common shape of its arguments.  With one, it maps
    whole arguments to a result, and each order of derivative appends the shape of that argument (numerator layout):
    t: (F,) -> (E,) differentiated once is (E, F).  `shape` is the shape of what is denoted, derivatives included.
    """
    entrywise = shape is None if elementwise is None else elementwise
    size = broadcast_shapes(*[a.shape for a in args]) if shape is None else tuple(shape)
    orders = (0,) * len(args) if order is None else tuple(order)
    if len(orders) != len(args):
        raise ValueError(f"{name} has {len(args)} arguments but {len(orders)} orders of differentiation")
    attrs = (("elementwise", entrywise), ("name", name), ("order", orders), ("shape", size))
    return intern("call", tuple(args), attrs, size)


def ordered(outputs: Iterable[Expr]) -> list[Expr]:
    """Every node the outputs rest on, each once, arguments first and left to right: the order of evaluation by hand."""
    done: dict[Expr, None] = {}
    waiting = list(outputs)
    waiting.reverse()
    while waiting:
        node = waiting[-1]
        if node not in done:
            missing = [a for a in node.args if a not in done]
            if missing:
                missing.reverse()
                waiting += missing
                continue
            done[node] = None
        waiting.pop()
    return list(done)


def symbols(outputs: Expr | Iterable[Expr]) -> tuple[Expr, ...]:
    """The symbols that occur, in order of first use."""
    wanted = (outputs,) if isinstance(outputs, Expr) else outputs
    return tuple(n for n in ordered(wanted) if n.op == "symbol")


def calls(outputs: Expr | Iterable[Expr]) -> tuple[Expr, ...]:
    """The applications of abstract functions that occur."""
    wanted = (outputs,) if isinstance(outputs, Expr) else outputs
    return tuple(n for n in ordered(wanted) if n.op == "call")


def rebuild(node: Expr, args: tuple[Expr, ...]) -> Expr:
    """The same operation on other arguments; its shape follows them."""
    if args == node.args:
        return node
    if node.op == "call":
        if node.attr("elementwise"):
            return call(node.name, args, node.attr("order"), broadcast_shapes(*[a.shape for a in args]), True)
        return call(node.name, args, node.attr("order"), node.shape, False)
    return apply(node.op, *args, **dict(node.attrs))


def rewrite(outputs: Sequence[Expr], rule: Callable[[Expr, tuple[Expr, ...]], Expr]) -> tuple[Expr, ...]:
    """Replace every node, arguments first, by `rule(node, new arguments)`."""
    new: dict[Expr, Expr] = {}
    for node in ordered(outputs):
        new[node] = rule(node, tuple([new[a] for a in node.args]))
    return tuple(new[out] for out in outputs)


def substitute(expr: Expr, values: Mapping[str, Operand] | Mapping[Expr, Operand]) -> Expr:
    """Replace symbols (by name) or whole subexpressions (by node), all at once.  Raises ShapeError."""
    by_name = {k: constant(v) for k, v in values.items() if isinstance(k, str)}
    by_node = {k: constant(v) for k, v in values.items() if isinstance(k, Expr)}

    def replace(node: Expr, args: tuple[Expr, ...]) -> Expr:
        if node in by_node:
            return by_node[node]
        if node.op == "symbol":
            return by_name.get(node.name, node)
        return rebuild(node, args)

    return rewrite((expr,), replace)[0]


@dataclass(frozen=True, slots=True)
class Function:
    """A concrete function: its parameters (symbols) and what it computes."""

    params: tuple[Expr, ...]
    body: Expr


def instantiate(expr: Expr, functions: Mapping[str, Function]) -> Expr:
    """Put concrete functions in for abstract ones, derivatives of any order included."""

    def replace(node: Expr, args: tuple[Expr, ...]) -> Expr:
        if node.op != "call" or node.name not in functions:
            return rebuild(node, args)
        function = functions[node.name]
        if len(function.params) != len(args):
            raise ValueError(f"{node.name} takes {len(function.params)} arguments, not {len(args)}")
        derived = _derivative(function, node.attr("order"))
        found = substitute(derived, dict(zip(function.params, args, strict=True)))
        return found if found.shape == node.shape else broadcast(found, node.shape)

    return rewrite((expr,), replace)[0]


@lru_cache(maxsize=256)  # the same function stands in for a name in every comparison of a question
def _derivative(function: Function, order: tuple[int, ...]) -> Expr:
    from reference.modes import derivative_of

    return derivative_of(function.body, function.params, order)
