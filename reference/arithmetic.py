"""Primitives that combine two or three arguments entry by entry, with broadcasting."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import arb

from reference import balls, reals
from reference.primitive import Attrs, Primitive, Value, entries, mapped


def combination(
    name: str,
    real: Callable[..., Any],
    ball: Callable[..., Any],
    symbolic: Callable[..., Any],
    slopes: Callable[..., tuple[Value, ...]] | None,
    latex: str,
    domain: str = "real",
    kink: str = "",
    arity: int = 2,
) -> Primitive:
    """A primitive of several arguments; `slopes(o, xs, y)` are its partial derivatives (None where it is constant)."""

    def tangent(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, ts: tuple[Value, ...]) -> Value:
        assert slopes is not None
        total = o.zeros_like(y)
        for slope, t in zip(slopes(o, xs, y), ts, strict=True):
            if slope is not None:
                total = total + t * slope
        return total

    def adjoint(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
        assert slopes is not None
        return tuple(
            None if slope is None else o.unbroadcast(g * slope, o.shape(x))
            for slope, x in zip(slopes(o, xs, y), xs, strict=True)
        )

    return Primitive(
        name=name,
        forward=lambda attrs, *values: real(*values),
        ball=mapped(ball, arity),
        sympy=mapped(symbolic, arity),
        jvp=None if slopes is None else tangent,
        vjp=None if slopes is None else adjoint,
        latex=latex,
        cost=entries,
        domain=domain,
        kink=kink,
    )


def _power_slopes(o: Any, xs: tuple[Value, ...], y: Value) -> tuple[Value, ...]:
    """b a**(b-1) and, where the exponent is not a constant, y ln a.  The base of 0**b has slope 0 in b."""
    a, b = xs
    if o.is_constant(b):
        return b * a ** (b - o.number(1)), None
    return b * a ** (b - o.number(1)), y * o.log(a)


def _add_slopes(o: Any, xs: tuple[Value, ...], y: Value) -> tuple[Value, ...]:
    return o.number(1), o.number(1)


def _sub_slopes(o: Any, xs: tuple[Value, ...], y: Value) -> tuple[Value, ...]:
    return o.number(1), o.number(-1)


def _mul_slopes(o: Any, xs: tuple[Value, ...], y: Value) -> tuple[Value, ...]:
    return xs[1], xs[0]


def _div_slopes(o: Any, xs: tuple[Value, ...], y: Value) -> tuple[Value, ...]:
    a, b = xs
    return 1 / b, -a / b**2


def _max_slopes(o: Any, xs: tuple[Value, ...], y: Value) -> tuple[Value, ...]:
    a, b = xs
    half = (1 + o.sign(a - b)) / 2
    return half, 1 - half


def _min_slopes(o: Any, xs: tuple[Value, ...], y: Value) -> tuple[Value, ...]:
    a, b = xs
    half = (1 + o.sign(b - a)) / 2
    return half, 1 - half


def _select_slopes(o: Any, xs: tuple[Value, ...], y: Value) -> tuple[Value, ...]:
    taken = o.step(xs[0])
    return None, taken, 1 - taken


def _sympy_power(a: Any, b: Any) -> Any:
    return a**b


TIE = "any shares in [0, 1] that add up to 1 where the two are equal"

ARITHMETIC: tuple[Primitive, ...] = (
    combination("add", operator.add, operator.add, operator.add, _add_slopes, "{} + {}"),
    combination("sub", operator.sub, operator.sub, operator.sub, _sub_slopes, "{} - {}"),
    combination("mul", operator.mul, operator.mul, operator.mul, _mul_slopes, r"{} \cdot {}"),
    combination("div", reals.divide, balls.divide, operator.truediv, _div_slopes, r"\frac{{{}}}{{{}}}", "divisor ≠ 0"),
    combination(
        "pow",
        reals.power,
        balls.power,
        _sympy_power,
        _power_slopes,
        "{}^{{{}}}",
        "base > 0; base ≥ 0 for exponents > 0; any base but 0 for whole exponents, 0 too from 0 on",
    ),
    combination("maximum", reals.maximum, arb.max, sp.Max, _max_slopes, r"\max({}, {})", kink=TIE),
    combination("minimum", reals.minimum, arb.min, sp.Min, _min_slopes, r"\min({}, {})", kink=TIE),
    combination(
        "binomial", reals.binomial, balls.binomial, sp.binomial, None, r"\binom{{{}}}{{{}}}", "whole numbers 0 ≤ k ≤ n"
    ),
    combination(
        "select",
        reals.choose,
        balls.choose,
        lambda c, a, b: sp.Piecewise((a, c > 0), (b, True)),
        _select_slopes,
        r"\begin{{cases}} {1} & {0} > 0 \\ {2} & \text{{else}} \end{{cases}}",
        kink="the second branch at 0",
        arity=3,
    ),
)
