"""Primitives of linear algebra.  A vector (n,) is a column, (1, n) a row; numpy and object arrays alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb, arb_mat

from reference import reals
from reference.computer_algebra import sp
from reference.node import Expr, constant
from reference.primitive import Adjoint, Attrs, Forward, Primitive, Tangent, Value, entries, free
from reference.shapes import Shape


def product(attrs: Attrs, a: Value, b: Value) -> Value:
    """(m, k)(k, n) -> (m, n), a vector on the left being a column."""
    return np.matmul(a[:, None], b) if a.ndim == 1 else np.matmul(a, b)


def turn(attrs: Attrs, x: Value) -> Value:
    axes = attrs.get("axes")
    if axes is not None:
        return np.transpose(x, axes)
    if np.ndim(x) == 0:
        return x
    if x.ndim == 1:
        return x[None, :]
    return x[0] if x.ndim == 2 and x.shape[0] == 1 else np.swapaxes(x, -1, -2)


def _flat(x: Value) -> Value:
    return x if x.ndim == 1 else x.reshape(-1)


def inner(attrs: Attrs, a: Value, b: Value) -> Value:
    return np.dot(_flat(a), _flat(b))


def outside(attrs: Attrs, a: Value, b: Value) -> Value:
    return _flat(a)[:, None] * _flat(b)[None, :]


def zeros(shape: Shape, like: Value) -> Value:
    """An array of zeros of the same kind of number as `like`."""
    if isinstance(like, np.ndarray | np.generic | float | complex) and np.asarray(like).dtype != object:
        return np.zeros(shape, dtype=np.asarray(like).dtype)
    first = like.reshape(-1)[0] if isinstance(like, np.ndarray) else like
    zero = arb(0) if isinstance(first, arb) else constant(0) if isinstance(first, Expr) else sp.Integer(0)
    return np.full(shape, zero, dtype=object)


def diagonal_matrix(attrs: Attrs, x: Value) -> Value:
    flat = _flat(x)
    result = zeros((flat.size, flat.size), x)
    np.fill_diagonal(result, flat)
    return result


def trace(attrs: Attrs, x: Value) -> Value:
    return np.trace(x)


def kronecker(attrs: Attrs, a: Value, b: Value) -> Value:
    if a.ndim == b.ndim == 1:
        return (a[:, None] * b[None, :]).reshape(-1)
    a, b = (x[:, None] if x.ndim == 1 else x for x in (a, b))
    (m, n), (p, q) = a.shape, b.shape
    return (a[:, None, :, None] * b[None, :, None, :]).reshape(m * p, n * q)


def _inverse(attrs: Attrs, x: Value) -> Value:
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return np.full_like(x, np.nan)


def _ball_matrix(x: Value) -> arb_mat:
    return arb_mat([list(row) for row in x])


def _objects(rows: Any, n: int) -> Value:
    result = np.empty((n, n), dtype=object)
    for i in range(n):
        for j in range(n):
            result[i, j] = rows[i, j]
    return result


def _ball_inverse(attrs: Attrs, x: Value) -> Value:
    try:
        return _objects(_ball_matrix(x).inv(), x.shape[0])
    except ZeroDivisionError:
        return np.full(x.shape, arb("nan"), dtype=object)


def _ball_determinant(attrs: Attrs, x: Value) -> Value:
    return _ball_matrix(x).det()


def _sympy_inverse(attrs: Attrs, x: Value) -> Value:
    return _objects(sp.Matrix(x).inv(), x.shape[0])


def _sympy_determinant(attrs: Attrs, x: Value) -> Value:
    return sp.Matrix(x).det()


def linear(name: str) -> Tangent:
    def tangent(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, ts: tuple[Value, ...]) -> Value:
        full = tuple(o.zeros_like(x) if t is None else t for x, t in zip(xs, ts, strict=True))
        return o.apply(name, *full, **attrs)

    return tangent


def bilinear(name: str) -> Tangent:
    def tangent(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, ts: tuple[Value, ...]) -> Value:
        (a, b), (s, t) = xs, ts
        if s is None or t is None:
            return o.apply(name, a, t, **attrs) if s is None else o.apply(name, s, b, **attrs)
        return o.apply(name, s, b, **attrs) + o.apply(name, a, t, **attrs)

    return tangent


def _matmul_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    """ga = g bᵀ, gb = aᵀ g."""
    a, b = xs
    m, n = o.shape(a), o.shape(b)
    if len(m) > 2 or len(n) > 2:
        if len(n) == 1:
            column = o.reshape(b, shape=(n[0], 1))
            ga, gb = _matmul_vjp(o, attrs, (a, column), None, o.reshape(g, shape=(*o.shape(g), 1)))
            return ga, o.reshape(gb, shape=n)
        ga, gb = o.matmul(g, _swapped(o, b)), o.matmul(_swapped(o, a), g)
        return o.unbroadcast(ga, m), o.unbroadcast(gb, n)
    return o.as_shape(o.matmul(g, o.transpose(b)), m), o.as_shape(o.matmul(o.transpose(a), g), n)


def _swapped(o: Any, x: Value) -> Value:
    rank = len(o.shape(x))
    return o.transpose(x, axes=(*range(rank - 2), rank - 1, rank - 2))


def _transpose_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    axes = attrs.get("axes")
    if axes is not None:
        return (o.transpose(g, axes=tuple(axes.index(i) for i in range(len(axes)))),)
    return (o.as_shape(o.transpose(g), o.shape(xs[0])),)


def _dot_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    a, b = xs
    return o.as_shape(g * b, o.shape(a)), o.as_shape(g * a, o.shape(b))


def _outer_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    a, b = xs
    column_a, column_b = (o.as_shape(x, (_length(o.shape(x)),)) for x in (a, b))
    return o.as_shape(o.matmul(g, column_b), o.shape(a)), o.as_shape(o.matmul(o.transpose(g), column_a), o.shape(b))


def _length(shape: Shape) -> int:
    return shape[0] if len(shape) == 1 else shape[0] * shape[1]


def _trace_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    return (g * o.eye(o.shape(xs[0])[0]),)


def _inv_jvp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, ts: tuple[Value, ...]) -> Value:
    return -o.matmul(o.matmul(y, ts[0]), y)


def _inv_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    turned = o.transpose(y)
    return (o.as_shape(-o.matmul(o.matmul(turned, g), turned), o.shape(xs[0])),)


def _det_slope(o: Any, x: Value, y: Value) -> Value:
    return y * _logdet_slope(o, x)


def _logdet_slope(o: Any, x: Value) -> Value:
    return o.as_shape(o.transpose(o.inv(x)), o.shape(x))


def _kron_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    a, b = xs
    (m, n), (p, q) = (s if len(s) == 2 else (s[0], 1) for s in (o.shape(a), o.shape(b)))
    split = o.reshape(g, shape=(m, p, n, q))
    ga = o.sum(split * o.reshape(b, shape=(1, p, 1, q)), axis=(1, 3), keepdims=False)
    gb = o.sum(split * o.reshape(a, shape=(m, 1, n, 1)), axis=(0, 2), keepdims=False)
    return o.reshape(ga, shape=o.shape(a)), o.reshape(gb, shape=o.shape(b))


def _matmul_cost(attrs: Attrs, shapes: tuple[Shape, ...], out: Shape) -> int:
    """Multiplications and additions: 2k - 1 per entry of the result."""
    inner_size = shapes[0][-1] if len(shapes[0]) > 1 else 1
    return (2 * inner_size - 1) * entries(attrs, shapes, out)


def _dot_cost(attrs: Attrs, shapes: tuple[Shape, ...], out: Shape) -> int:
    return 2 * _length(shapes[0]) - 1


def _cubic(attrs: Attrs, shapes: tuple[Shape, ...], out: Shape) -> int:
    n: int = shapes[0][0]
    return n**3


def everywhere(
    name: str, real: Forward, tangent: Tangent, adjoint: Adjoint, latex: str, cost: Callable[..., int]
) -> Primitive:
    """A primitive whose forward works on arrays of any kind of number."""
    return Primitive(name, real, real, real, tangent, adjoint, latex, cost)


LINEAR: tuple[Primitive, ...] = (
    everywhere("matmul", product, bilinear("matmul"), _matmul_vjp, "{} {}", _matmul_cost),
    everywhere("transpose", turn, linear("transpose"), _transpose_vjp, r"{}^{{\top}}", free),
    everywhere("dot", inner, bilinear("dot"), _dot_vjp, r"{}^{{\top}} {}", _dot_cost),
    everywhere("outer", outside, bilinear("outer"), _outer_vjp, r"{} {}^{{\top}}", entries),
    everywhere(
        "diag",
        diagonal_matrix,
        linear("diag"),
        lambda o, a, xs, y, g: (o.as_shape(o.diagonal(g), o.shape(xs[0])),),
        r"\operatorname{{diag}}({})",
        free,
    ),
    everywhere(
        "diagonal",
        lambda attrs, x: np.diagonal(x),
        linear("diagonal"),
        lambda o, a, xs, y, g: (o.diag(g),),
        r"\operatorname{{diagonal}}({})",
        free,
    ),
    everywhere(
        "trace", trace, linear("trace"), _trace_vjp, r"\operatorname{{tr}}({})", lambda a, s, out: max(s[0][0] - 1, 0)
    ),
    everywhere("kron", kronecker, bilinear("kron"), _kron_vjp, r"{} \otimes {}", entries),
    Primitive(
        "inv", _inverse, _ball_inverse, _sympy_inverse, _inv_jvp, _inv_vjp, r"{}^{{-1}}", _cubic, "invertible matrices"
    ),
    Primitive(
        "det",
        lambda attrs, x: np.linalg.det(x),
        _ball_determinant,
        _sympy_determinant,
        lambda o, a, xs, y, ts: o.sum(ts[0] * _det_slope(o, xs[0], y), axis=None, keepdims=False),
        lambda o, a, xs, y, g: (g * _det_slope(o, xs[0], y),),
        r"\det({})",
        _cubic,
        "derivative at invertible matrices",
    ),
    Primitive(
        "logdet",
        lambda attrs, x: reals.log(np.linalg.det(x)),
        lambda attrs, x: _ball_determinant(attrs, x).log(),
        lambda attrs, x: sp.log(_sympy_determinant(attrs, x)),
        lambda o, a, xs, y, ts: o.sum(ts[0] * _logdet_slope(o, xs[0]), axis=None, keepdims=False),
        lambda o, a, xs, y, g: (g * _logdet_slope(o, xs[0]),),
        r"\ln \det({})",
        _cubic,
        "positive determinant",
    ),
)
