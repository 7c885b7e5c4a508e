"""Primitives that work entry by entry on one argument.  One derivative rule gives both the jvp and the vjp."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from reference import balls, reals
from reference.computer_algebra import sp
from reference.primitive import Attrs, Primitive, Value, entries, mapped


def _jvp(derivative: Callable[..., Value]) -> Callable[..., Value]:
    def tangent(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, ts: tuple[Value, ...]) -> Value:
        return ts[0] * derivative(o, attrs, xs[0], y)

    return tangent


def _vjp(derivative: Callable[..., Value]) -> Callable[..., tuple[Value, ...]]:
    def adjoint(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
        return (g * derivative(o, attrs, xs[0], y),)

    return adjoint


def function(
    name: str,
    real: Callable[[Any], Any],
    ball: Callable[[Any], Any],
    symbolic: Callable[[Any], Any],
    derivative: Callable[[Any, Value, Value], Value] | None,
    latex: str,
    domain: str = "real",
    kink: str = "",
    operations: int = 1,
) -> Primitive:
    """A primitive of one argument; `derivative(o, x, y)` is its slope at x, where its value is y."""
    slope = None if derivative is None else lambda o, attrs, x, y: derivative(o, x, y)
    return Primitive(
        name=name,
        forward=lambda attrs, x: real(x),
        ball=mapped(ball),
        sympy=mapped(symbolic),
        jvp=None if slope is None else _jvp(slope),
        vjp=None if slope is None else _vjp(slope),
        latex=latex,
        cost=entries if operations == 1 else lambda a, s, out: operations * entries(a, s, out),
        domain=domain,
        kink=kink,
        derivative=slope,
    )


def _zero(o: Any, x: Value, y: Value) -> Value:
    return o.zeros_like(x)


ANGLES = (
    function("sin", np.sin, arb.sin, sp.sin, lambda o, x, y: o.cos(x), r"\sin {}"),
    function("cos", np.cos, arb.cos, sp.cos, lambda o, x, y: -o.sin(x), r"\cos {}"),
    function("tan", np.tan, arb.tan, sp.tan, lambda o, x, y: 1 + y**2, r"\tan {}", "cos x ≠ 0"),
    function("sec", lambda x: 1 / np.cos(x), arb.sec, sp.sec, lambda o, x, y: y * o.tan(x), r"\sec {}", "cos x ≠ 0"),
    function(
        "csc",
        lambda x: reals.divide(1, np.sin(x)),
        arb.csc,
        sp.csc,
        lambda o, x, y: -y * o.cot(x),
        r"\csc {}",
        "sin x ≠ 0",
    ),
    function(
        "cot",
        lambda x: reals.divide(1, np.tan(x)),
        arb.cot,
        sp.cot,
        lambda o, x, y: -(1 + y**2),
        r"\cot {}",
        "sin x ≠ 0",
    ),
    function("arcsin", reals.arcsin, arb.asin, sp.asin, lambda o, x, y: 1 / o.sqrt(1 - x**2), r"\arcsin {}", "|x| ≤ 1"),
    function(
        "arccos", reals.arccos, arb.acos, sp.acos, lambda o, x, y: -1 / o.sqrt(1 - x**2), r"\arccos {}", "|x| ≤ 1"
    ),
    function("arctan", np.arctan, arb.atan, sp.atan, lambda o, x, y: 1 / (1 + x**2), r"\arctan {}"),
)

HYPERBOLIC = (
    function("sinh", np.sinh, arb.sinh, sp.sinh, lambda o, x, y: o.cosh(x), r"\sinh {}"),
    function("cosh", np.cosh, arb.cosh, sp.cosh, lambda o, x, y: o.sinh(x), r"\cosh {}"),
    function("tanh", np.tanh, arb.tanh, sp.tanh, lambda o, x, y: 1 - y**2, r"\tanh {}"),
    function(
        "sech", lambda x: 1 / np.cosh(x), arb.sech, sp.sech, lambda o, x, y: -y * o.tanh(x), r"\operatorname{{sech}} {}"
    ),
    function(
        "csch",
        lambda x: reals.divide(1, np.sinh(x)),
        arb.csch,
        sp.csch,
        lambda o, x, y: -y * o.coth(x),
        r"\operatorname{{csch}} {}",
        "x ≠ 0",
    ),
    function(
        "coth", lambda x: reals.divide(1, np.tanh(x)), arb.coth, sp.coth, lambda o, x, y: 1 - y**2, r"\coth {}", "x ≠ 0"
    ),
    function(
        "arcsinh",
        np.arcsinh,
        arb.asinh,
        sp.asinh,
        lambda o, x, y: 1 / o.sqrt(x**2 + 1),
        r"\operatorname{{arcsinh}} {}",
    ),
    function(
        "arccosh",
        reals.arccosh,
        arb.acosh,
        sp.acosh,
        lambda o, x, y: 1 / o.sqrt(x**2 - 1),
        r"\operatorname{{arccosh}} {}",
        "x ≥ 1",
    ),
    function(
        "arctanh",
        reals.arctanh,
        arb.atanh,
        sp.atanh,
        lambda o, x, y: 1 / (1 - x**2),
        r"\operatorname{{arctanh}} {}",
        "|x| < 1",
    ),
)

POWERS = (
    function("exp", np.exp, arb.exp, sp.exp, lambda o, x, y: y, r"\exp {}"),
    function("log", reals.log, arb.log, sp.log, lambda o, x, y: 1 / x, r"\ln {}", "x > 0"),
    function(
        "log2",
        reals.log2,
        balls.log2,
        lambda x: sp.log(x, 2),
        lambda o, x, y: 1 / (x * o.log(2)),
        r"\log_{{2}} {}",
        "x > 0",
    ),
    function(
        "log10",
        reals.log10,
        balls.log10,
        lambda x: sp.log(x, 10),
        lambda o, x, y: 1 / (x * o.log(10)),
        r"\log_{{10}} {}",
        "x > 0",
    ),
    function("sqrt", reals.sqrt, arb.sqrt, sp.sqrt, lambda o, x, y: 1 / (2 * y), r"\sqrt{{{}}}", "x ≥ 0"),
    function(
        "cbrt",
        reals.cube_root,
        balls.cube_root,
        lambda x: sp.real_root(x, 3),
        lambda o, x, y: 1 / (3 * y**2),
        r"\sqrt[3]{{{}}}",
    ),
    function(
        "erf", reals.erf, arb.erf, sp.erf, lambda o, x, y: 2 / o.sqrt(o.pi) * o.exp(-(x**2)), r"\operatorname{{erf}} {}"
    ),
    function(
        "factorial", reals.factorial, balls.factorial, sp.factorial, None, r"{}!", "whole numbers from 0", operations=1
    ),
)

KINKED = (
    function("neg", np.negative, lambda x: -x, lambda x: -x, lambda o, x, y: -o.ones_like(x), r"-{}"),
    function(
        "abs",
        reals.absolute,
        abs,
        sp.Abs,
        lambda o, x, y: o.sign(x),
        r"\left|{}\right|",
        kink="any slope in [-1, 1] at 0",
    ),
    function("sign", reals.sign, arb.sgn, sp.sign, _zero, r"\operatorname{{sign}} {}", kink="0 at 0"),
    function(
        "step",
        reals.step,
        balls.step,
        lambda x: sp.Piecewise((1, x > 0), (0, True)),
        _zero,
        r"\operatorname{{step}} {}",
        kink="0 at 0",
    ),
    function(
        "relu",
        lambda x: reals.maximum(x, 0.0),
        lambda x: x.max(arb(0)),
        lambda x: sp.Max(x, 0),
        lambda o, x, y: o.step(x),
        r"\operatorname{{relu}} {}",
        kink="any slope in [0, 1] at 0",
    ),
)

SMOOTH = (
    function(
        "sigmoid",
        reals.sigmoid,
        balls.sigmoid,
        lambda x: 1 / (1 + sp.exp(-x)),
        lambda o, x, y: y * (1 - y),
        r"\operatorname{{sigmoid}} {}",
        operations=3,
    ),
    function(
        "softplus",
        reals.softplus,
        balls.softplus,
        lambda x: sp.log(1 + sp.exp(x)),
        lambda o, x, y: o.sigmoid(x),
        r"\operatorname{{softplus}} {}",
        operations=3,
    ),
    function(
        "silu",
        lambda x: x * reals.sigmoid(x),
        lambda x: x * balls.sigmoid(x),
        lambda x: x / (1 + sp.exp(-x)),
        lambda o, x, y: o.sigmoid(x) + y * (1 - o.sigmoid(x)),
        r"\operatorname{{silu}} {}",
        operations=4,
    ),
    function(
        "gelu",
        reals.gelu,
        balls.gelu,
        lambda x: x * (1 + sp.erf(x / sp.sqrt(2))) / 2,
        lambda o, x, y: (1 + o.erf(x / o.sqrt(2))) / 2 + x * o.exp(-(x**2) / 2) / o.sqrt(2 * o.pi),
        r"\operatorname{{gelu}} {}",
        operations=5,
    ),
)


def _rational(value: int | Fraction) -> Any:
    return sp.Rational(value.numerator, value.denominator)


def _leaky(o: Any, attrs: Attrs, x: Value, y: Value) -> Value:
    return o.select(x, o.ones_like(x), o.number(attrs["slope"]) * o.ones_like(x))


def _elu(o: Any, attrs: Attrs, x: Value, y: Value) -> Value:
    return o.select(x, o.ones_like(x), y + o.number(attrs["alpha"]))


LEAKY_RELU = Primitive(
    name="leaky_relu",
    forward=lambda attrs, x: reals.choose(x, x, float(attrs["slope"]) * x),
    ball=lambda attrs, x: mapped(lambda v: balls.choose(v, v, balls.exact(attrs["slope"]) * v))(attrs, x),
    sympy=lambda attrs, x: mapped(lambda v: sp.Piecewise((v, v > 0), (_rational(attrs["slope"]) * v, True)))(attrs, x),
    jvp=_jvp(_leaky),
    vjp=_vjp(_leaky),
    latex=r"\operatorname{{leaky\_relu}} {}",
    cost=entries,
    kink="any slope between the two at 0",
    derivative=_leaky,
)

ELU = Primitive(
    name="elu",
    forward=lambda attrs, x: reals.choose(x, x, float(attrs["alpha"]) * np.expm1(reals.minimum(x, 0.0))),
    ball=lambda attrs, x: mapped(lambda v: balls.choose(v, v, balls.exact(attrs["alpha"]) * v.expm1()))(attrs, x),
    sympy=lambda attrs, x: mapped(
        lambda v: sp.Piecewise((v, v > 0), (_rational(attrs["alpha"]) * (sp.exp(v) - 1), True))
    )(attrs, x),
    jvp=_jvp(_elu),
    vjp=_vjp(_elu),
    latex=r"\operatorname{{elu}} {}",
    cost=lambda a, s, out: 3 * entries(a, s, out),
    kink="any slope between the two at 0",
    derivative=_elu,
)

ENTRYWISE: tuple[Primitive, ...] = (*ANGLES, *HYPERBOLIC, *POWERS, *KINKED, *SMOOTH, LEAKY_RELU, ELU)
