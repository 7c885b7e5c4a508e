"""Primitives that reduce or normalise along axes.  `axis` is a tuple of non-negative ints, or None for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb

from reference import reals
from reference.computer_algebra import sp
from reference.primitive import Adjoint, Attrs, Forward, Primitive, Tangent, Value, entries, entries_in, mapped
from reference.shapes import axes_of


def fold(ufunc: Any, x: Value, attrs: Attrs) -> Value:
    """Reduce an object array along axes with a two-argument function that need not be reorderable."""
    if not isinstance(x, np.ndarray):
        return x
    axes = axes_of(attrs.get("axis"), x.ndim)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    flat = x.transpose(rest + axes).reshape([x.shape[i] for i in rest] + [-1])
    result = ufunc.reduce(flat, axis=-1)
    if attrs.get("keepdims"):
        return np.reshape(np.asarray(result, dtype=object), [1 if i in axes else x.shape[i] for i in range(x.ndim)])
    return result


def _count(x: Value, attrs: Attrs) -> int:
    shape = np.shape(x)
    count = 1
    for a in axes_of(attrs["axis"], len(shape)):
        count *= shape[a]
    return count


def _over(attrs: Attrs) -> dict[str, Any]:
    return {"axis": attrs["axis"], "keepdims": attrs["keepdims"]}


def _kept(x: Value, attrs: Attrs) -> dict[str, Any]:
    return {"axis": attrs["axis"], "keepdims": True}


def total(attrs: Attrs, x: Value) -> Value:
    return np.sum(x, **_over(attrs)) if isinstance(x, np.ndarray) else x


def average(attrs: Attrs, x: Value) -> Value:
    return total(attrs, x) / _count(x, attrs)


def product(attrs: Attrs, x: Value) -> Value:
    return np.prod(x, **_over(attrs)) if isinstance(x, np.ndarray) else x


_complex_max = np.frompyfunc(lambda a, b: a if a.real >= b.real else b, 2, 1)


def largest(attrs: Attrs, x: Value) -> Value:
    """The maximum by real part, in floating point."""
    if not np.iscomplexobj(x):
        return np.max(x, **_over(attrs))
    return np.asarray(fold(_complex_max, x, attrs)).astype(complex)[()]


def smallest(attrs: Attrs, x: Value) -> Value:
    return -largest(attrs, -x)


_ball_max, _ball_min = np.frompyfunc(arb.max, 2, 1), np.frompyfunc(arb.min, 2, 1)
_sympy_max, _sympy_min = np.frompyfunc(sp.Max, 2, 1), np.frompyfunc(sp.Min, 2, 1)


def _peaks(attrs: Attrs, x: Value) -> Value:
    real = np.real(x)
    hit = (real == np.max(real, axis=attrs["axis"], keepdims=True)).astype(float)
    return hit / np.sum(hit, axis=attrs["axis"], keepdims=True)


def _ball_peaks(attrs: Attrs, x: Value) -> Value:
    """Exact where the balls decide which entry is largest, undefined where they overlap without being equal."""
    top = fold(_ball_max, x, {"axis": attrs["axis"], "keepdims": True})

    def hit(v: arb, best: arb) -> arb:
        if v < best:
            return arb(0)
        return (
            arb(1) if v.is_exact() and best.is_exact() and v == best else arb("nan") if not _alone(v, best) else arb(1)
        )

    hits = np.frompyfunc(hit, 2, 1)(x, top)
    return hits / np.sum(hits, axis=attrs["axis"], keepdims=True)


def _alone(v: arb, best: arb) -> bool:
    return bool(v.mid() == best.mid() and v.rad() == best.rad())


def _sympy_peaks(attrs: Attrs, x: Value) -> Value:
    top = fold(_sympy_max, x, {"axis": attrs["axis"], "keepdims": True})
    hits = np.frompyfunc(lambda v, best: sp.Piecewise((1, v >= best), (0, True)), 2, 1)(x, top)
    return hits / np.sum(hits, axis=attrs["axis"], keepdims=True)


def _softmax(attrs: Attrs, x: Value) -> Value:
    e = np.exp(x - np.max(np.real(x), axis=attrs["axis"], keepdims=True))
    return e / np.sum(e, axis=attrs["axis"], keepdims=True)


def _logsumexp(attrs: Attrs, x: Value) -> Value:
    axis = attrs["axis"]
    top = np.max(np.real(x), axis=axis, keepdims=True)
    log = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return log if attrs["keepdims"] else np.squeeze(log, axis=axis)[()]


def _log_softmax(attrs: Attrs, x: Value) -> Value:
    return x - _logsumexp({"axis": attrs["axis"], "keepdims": True}, x)


def _object_softmax(exp: Forward) -> Forward:
    def evaluate(attrs: Attrs, x: Value) -> Value:
        e = exp({}, x)
        return e / np.sum(e, axis=attrs["axis"], keepdims=True)

    return evaluate


def _object_logsumexp(exp: Forward, log: Forward) -> Forward:
    def evaluate(attrs: Attrs, x: Value) -> Value:
        return log({}, total(attrs, exp({}, x)))

    return evaluate


def _object_log_softmax(exp: Forward, log: Forward) -> Forward:
    lse = _object_logsumexp(exp, log)

    def evaluate(attrs: Attrs, x: Value) -> Value:
        return x - lse({"axis": attrs["axis"], "keepdims": True}, x)

    return evaluate


def norm_from(absolute: Forward, root: Forward, top: Callable[[Attrs, Value], Value]) -> Forward:
    """The norm of order attrs["order"] from |.|, the square root and the maximum of one field."""

    def evaluate(attrs: Attrs, x: Value) -> Value:
        order = attrs["order"]
        if order == "1":
            return total(attrs, absolute({}, x))
        if order == "inf":
            return top(attrs, absolute({}, x))
        squares = total(attrs, x * x)
        return squares if order == "squared" else root({}, squares)

    return evaluate


def _norm_slope(o: Any, attrs: Attrs, x: Value, y: Value) -> Value:
    order = attrs["order"]
    if order == "1":
        return o.sign(x)
    if order == "squared":
        return 2 * x
    if order == "inf":
        return o.peak(o.abs(x), axis=attrs["axis"]) * o.sign(x)
    return x / o.expand(y, attrs, o.shape(x))


def _by_slope(slope: Callable[[Any, Attrs, Value, Value], Value]) -> tuple[Tangent, Adjoint]:
    """jvp and vjp of a reduction from d(result)/d(entry)."""

    def tangent(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, ts: tuple[Value, ...]) -> Value:
        return o.sum(ts[0] * slope(o, attrs, xs[0], y), axis=attrs["axis"], keepdims=attrs["keepdims"])

    def adjoint(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
        return (o.expand(g, attrs, o.shape(xs[0])) * slope(o, attrs, xs[0], y),)

    return tangent, adjoint


def reduction(
    name: str,
    real: Forward,
    ball: Forward,
    symbolic: Forward,
    slope: Callable[[Any, Attrs, Value, Value], Value],
    latex: str,
    kink: str = "",
) -> Primitive:
    tangent, adjoint = _by_slope(slope)
    return Primitive(name, real, ball, symbolic, tangent, adjoint, latex, entries_in, "real", kink)


def _log_softmax_jvp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, ts: tuple[Value, ...]) -> Value:
    return ts[0] - o.sum(o.softmax(xs[0], axis=attrs["axis"]) * ts[0], axis=attrs["axis"], keepdims=True)


def _log_softmax_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    return (g - o.softmax(xs[0], axis=attrs["axis"]) * o.sum(g, axis=attrs["axis"], keepdims=True),)


def _softmax_jvp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, ts: tuple[Value, ...]) -> Value:
    return y * (ts[0] - o.sum(y * ts[0], axis=attrs["axis"], keepdims=True))


def _softmax_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    return (y * (g - o.sum(g * y, axis=attrs["axis"], keepdims=True)),)


def _normalising(attrs: Attrs, shapes: tuple[tuple[int, ...], ...], out: tuple[int, ...]) -> int:
    return 3 * entries(attrs, shapes, out)


_BALL_EXP, _BALL_LOG, _BALL_ABS, _BALL_ROOT = mapped(arb.exp), mapped(arb.log), mapped(abs), mapped(arb.sqrt)
_SYMPY_EXP, _SYMPY_LOG, _SYMPY_ABS, _SYMPY_ROOT = mapped(sp.exp), mapped(sp.log), mapped(sp.Abs), mapped(sp.sqrt)

REDUCTIONS: tuple[Primitive, ...] = (
    reduction("sum", total, total, total, lambda o, a, x, y: o.ones_like(x), r"\sum {}"),
    reduction(
        "mean",
        average,
        average,
        average,
        lambda o, a, x, y: o.ones_like(x) / o.number(_size(o.shape(x), a)),
        r"\operatorname{{mean}} {}",
    ),
    reduction("prod", product, product, product, lambda o, a, x, y: o.others(x, y, a), r"\prod {}"),
    reduction(
        "max",
        largest,
        lambda attrs, x: fold(_ball_max, x, attrs),
        lambda attrs, x: fold(_sympy_max, x, attrs),
        lambda o, a, x, y: o.peak(x, axis=a["axis"]),
        r"\max {}",
        "shares in [0, 1] that add up to 1 among equal maxima",
    ),
    reduction(
        "min",
        smallest,
        lambda attrs, x: fold(_ball_min, x, attrs),
        lambda attrs, x: fold(_sympy_min, x, attrs),
        lambda o, a, x, y: o.peak(-x, axis=a["axis"]),
        r"\min {}",
        "shares in [0, 1] that add up to 1 among equal minima",
    ),
    reduction(
        "norm",
        norm_from(lambda a, x: reals.absolute(x), lambda a, x: reals.sqrt(x), largest),
        norm_from(_BALL_ABS, _BALL_ROOT, lambda attrs, x: fold(_ball_max, x, attrs)),
        norm_from(_SYMPY_ABS, _SYMPY_ROOT, lambda attrs, x: fold(_sympy_max, x, attrs)),
        _norm_slope,
        r"\left\|{}\right\|",
        "any subgradient at 0 (2-norm), at entries that are 0 (1-norm), at ties (maximum norm)",
    ),
    reduction(
        "logsumexp",
        _logsumexp,
        _object_logsumexp(_BALL_EXP, _BALL_LOG),
        _object_logsumexp(_SYMPY_EXP, _SYMPY_LOG),
        lambda o, a, x, y: o.softmax(x, axis=a["axis"]),
        r"\operatorname{{logsumexp}} {}",
    ),
    Primitive(
        "softmax",
        _softmax,
        _object_softmax(_BALL_EXP),
        _object_softmax(_SYMPY_EXP),
        _softmax_jvp,
        _softmax_vjp,
        r"\operatorname{{softmax}} {}",
        _normalising,
    ),
    Primitive(
        "log_softmax",
        _log_softmax,
        _object_log_softmax(_BALL_EXP, _BALL_LOG),
        _object_log_softmax(_SYMPY_EXP, _SYMPY_LOG),
        _log_softmax_jvp,
        _log_softmax_vjp,
        r"\operatorname{{log\_softmax}} {}",
        _normalising,
    ),
    Primitive(
        "peak",
        _peaks,
        _ball_peaks,
        _sympy_peaks,
        lambda o, a, xs, y, ts: o.zeros_like(y),
        lambda o, a, xs, y, g: (None,),
        r"\operatorname{{argmax}} {}",
        entries,
        kink="ties share equally",
    ),
)


def _size(shape: tuple[int, ...], attrs: Attrs) -> int:
    count = 1
    for a in axes_of(attrs["axis"], len(shape)):
        count *= shape[a]
    return count
