"""Primitives that combine two or three arguments entry by entry, with broadcasting."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from flint import arb

from reference import balls, reals
from reference.computer_algebra import sp
from reference.primitive import Attrs, Primitive, Value, entries, mapped

Slope = Callable[[Any, tuple[Value, ...], Value], Value]  # (o, xs, y) -> partial derivative in one argument


def combination(
    name: str,
    real: Callable[..., Any],
    ball: Callable[..., Any],
    symbolic: Callable[..., Any],
    slopes: tuple[Slope | None, ...],
    latex: str,
    domain: str = "real",
    kink: str = "",
) -> Primitive:
    """A primitive of several arguments with one partial derivative each (None where it is constant in between)."""
    arity = len(slopes)

    def tangent(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, ts: tuple[Value, ...]) -> Value:
        total = o.zeros_like(y)
        for slope, t in zip(slopes, ts, strict=True):
            if slope is not None and t is not None:
                total = total + t * slope(o, xs, y)
        return total

    def adjoint(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
        return tuple(
            None if slope is None or o.is_constant(x) else o.unbroadcast(g * slope(o, xs, y), o.shape(x))
            for slope, x in zip(slopes, xs, strict=True)
        )

    differentiable = name != "binomial"
    return Primitive(
        name=name,
        forward=lambda attrs, *values: real(*values),
        ball=mapped(ball, arity),
        sympy=mapped(symbolic, arity),
        jvp=tangent if differentiable else None,
        vjp=adjoint if differentiable else None,
        latex=latex,
        cost=entries,
        domain=domain,
        kink=kink,
    )


def _one(o: Any, xs: tuple[Value, ...], y: Value) -> Value:
    return o.number(1)


def _minus_one(o: Any, xs: tuple[Value, ...], y: Value) -> Value:
    return o.number(-1)


def _share(o: Any, xs: tuple[Value, ...], y: Value) -> Value:
    """1 where the first is larger, 1/2 at ties, 0 elsewhere."""
    return (1 + o.sign(xs[0] - xs[1])) / 2


def _rest(o: Any, xs: tuple[Value, ...], y: Value) -> Value:
    return (1 + o.sign(xs[1] - xs[0])) / 2


POWER_SLOPES: tuple[Slope, ...] = (
    lambda o, xs, y: xs[1] * xs[0] ** (xs[1] - o.number(1)) if o.symbolic else xs[1] * o.pow(xs[0], xs[1] - 1),
    lambda o, xs, y: y * o.log(xs[0]),
)

TIE = "any shares in [0, 1] that add up to 1 where the two are equal"

ARITHMETIC: tuple[Primitive, ...] = (
    combination("add", operator.add, operator.add, operator.add, (_one, _one), "{} + {}"),
    combination("sub", operator.sub, operator.sub, operator.sub, (_one, _minus_one), "{} - {}"),
    combination(
        "mul",
        operator.mul,
        operator.mul,
        operator.mul,
        (lambda o, xs, y: xs[1], lambda o, xs, y: xs[0]),
        r"{} \cdot {}",
    ),
    combination(
        "div",
        reals.divide,
        balls.divide,
        operator.truediv,
        (lambda o, xs, y: 1 / xs[1], lambda o, xs, y: -xs[0] / xs[1] ** 2),
        r"\frac{{{}}}{{{}}}",
        "divisor ≠ 0",
    ),
    combination(
        "pow",
        reals.power,
        balls.power,
        operator.pow,
        POWER_SLOPES,
        "{}^{{{}}}",
        "base > 0; base ≥ 0 for exponents > 0; any base but 0 for whole exponents, 0 too from 0 on",
    ),
    combination("maximum", reals.maximum, arb.max, sp.Max, (_share, _rest), r"\max({}, {})", kink=TIE),
    combination("minimum", reals.minimum, arb.min, sp.Min, (_rest, _share), r"\min({}, {})", kink=TIE),
    combination(
        "binomial",
        reals.binomial,
        balls.binomial,
        sp.binomial,
        (None, None),
        r"\binom{{{}}}{{{}}}",
        "whole numbers 0 ≤ k ≤ n",
    ),
    combination(
        "select",
        reals.choose,
        balls.choose,
        lambda c, a, b: sp.Piecewise((a, c > 0), (b, True)),
        (None, lambda o, xs, y: o.step(xs[0]), lambda o, xs, y: 1 - o.step(xs[0])),
        r"\begin{{cases}} {1} & {0} > 0 \\ {2} & \text{{else}} \end{{cases}}",
        kink="the second branch at 0",
    ),
)
