"""Numeric factors of expressions: found, taken out, and written back as a person writes them."""

from __future__ import annotations

from fractions import Fraction

from reference import expression as E
from reference.node import Expr, constant
from reference.shapes import Shape

Number = int | Fraction

MAX_SIGNS = 4  # how deep a factor is looked for inside signs and fractions


def filling(x: Expr) -> Number | None:
    """The number every entry of an expression equals, if that is plain to see."""
    while x.op == "broadcast":
        x = x.args[0]
    return x.value if x.op == "constant" else None


def filled(value: Number, shape: Shape) -> Expr:
    return E.broadcast(value, shape) if shape else constant(value)


def fitted(x: Expr, shape: Shape) -> Expr:
    """`x` repeated to a shape, unless it has that already."""
    return x if x.shape == shape else E.broadcast(x, shape)


def coefficient(x: Expr, depth: int = MAX_SIGNS) -> tuple[Number, Expr | None]:
    """A numeric factor and the rest: 2*x -> (2, x), -x -> (-1, x), 3 -> (3, None), 2*x/y -> (2, x/y)."""
    if x.op == "constant":
        return x.value, None
    if depth == 0:
        return 1, x
    if x.op == "neg":
        inner, rest = coefficient(x.args[0], depth - 1)
        return -inner, rest
    if x.op == "mul" and x.args[0].op == "constant" and x.args[1].shape == x.shape:
        return x.args[0].value, x.args[1]
    if x.op == "div":
        (m, p), (n, q) = coefficient(x.args[0], depth - 1), coefficient(x.args[1], depth - 1)
        if n == 0 or (m == n == 1 and q is not None):
            return 1, x
        factor = Fraction(m) / n
        if q is None:
            return (factor, p) if p is None or p.shape == x.shape else (1, x)
        return (factor, E.div(1 if p is None else p, q)) if q.shape == x.shape or p is not None else (1, x)
    return 1, x


def scaled(factor: Number, rest: Expr | None) -> Expr:
    """factor * rest, written as a person would: 2*x, x/2, 2*x/y, -x."""
    if rest is None:
        return constant(factor)
    if factor == 0:
        return filled(0, rest.shape)
    if factor == 1:
        return rest
    repeated = filling(rest)
    if repeated is not None:
        return filled(factor * repeated, rest.shape)
    if factor < 0:
        return E.neg(scaled(-factor, rest))
    exact = Fraction(factor)
    if rest.op == "div" and rest.args[1].op != "constant":
        top, bottom = rest.args
        if exact.denominator != 1:
            bottom = E.mul(exact.denominator, bottom)
        if exact.numerator != 1:
            one = top.op == "constant" and top.value == 1
            top = constant(exact.numerator) if one else E.mul(exact.numerator, top)
        return E.div(top, bottom)
    top = rest if exact.numerator == 1 else E.mul(exact.numerator, rest)
    return top if exact.denominator == 1 else E.div(top, exact.denominator)
