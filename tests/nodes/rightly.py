"""Right implementations of every operation, written by hand in plain numpy and independently of the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Values = Any
Forward = Callable[..., Values]  # (*xs, **attrs)
Backward = Callable[..., tuple[Values, ...]]  # (xs, y, g, **attrs)


def reduced(g: Values, shape: tuple[int, ...]) -> Values:
    """Sum over the axes along which an input of this shape was repeated."""
    g = np.asarray(g)
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=axes, keepdims=True) if axes else g


def spread(g: Values, x: Values, axis: Any = None, keepdims: bool = False) -> Values:
    """Bring a gradient of a reduction back to the number of axes of its argument."""
    g = np.asarray(g)
    if axis is None:
        return g.reshape((1,) * x.ndim) if g.ndim != x.ndim else g
    return g if keepdims else np.expand_dims(g, axis)


def two(da: Callable[..., Values], db: Callable[..., Values]) -> Backward:
    def backward(xs: Any, y: Values, g: Values) -> tuple[Values, ...]:
        a, b = xs
        return reduced(da(a, b, y, g), np.shape(a)), reduced(db(a, b, y, g), np.shape(b))

    return backward


def one(d: Callable[..., Values]) -> Backward:
    return lambda xs, y, g: (g * d(xs[0], y),)


def sum_back(xs: Any, y: Values, g: Values, axis: Any = None, keepdims: bool = False) -> tuple[Values, ...]:
    return (np.ones_like(xs[0], float) * spread(g, xs[0], axis, keepdims),)


def mean_back(xs: Any, y: Values, g: Values, axis: Any = None, keepdims: bool = False) -> tuple[Values, ...]:
    count = xs[0].size / max(np.size(y), 1)
    return (np.ones_like(xs[0], float) * spread(g, xs[0], axis, keepdims) / count,)


def extreme_back(xs: Any, y: Values, g: Values, axis: Any = None, keepdims: bool = False) -> tuple[Values, ...]:
    hit = xs[0] == spread(y, xs[0], axis, keepdims)
    ties = hit.sum(axis=axis, keepdims=True)
    return (hit * spread(g, xs[0], axis, keepdims) / ties,)


def lse(x: Values, axis: Any = None, keepdims: bool = False) -> Values:
    top = np.max(x, axis=axis, keepdims=True)
    found = top + np.log(np.exp(x - top).sum(axis=axis, keepdims=True))
    return found if keepdims else np.squeeze(found, axis=axis) if axis is not None else found.reshape(())


def lse_back(xs: Any, y: Values, g: Values, axis: Any = None, keepdims: bool = False) -> tuple[Values, ...]:
    return (np.exp(xs[0] - spread(y, xs[0], axis, keepdims)) * spread(g, xs[0], axis, keepdims),)


def matmul_back(xs: Any, y: Values, g: Values) -> tuple[Values, ...]:
    a, b = xs
    if a.ndim == 1 and b.ndim == 1:
        return g * b, g * a
    if b.ndim == 1:
        return np.outer(g, b), a.T @ g
    if a.ndim == 1:
        return b @ g, np.outer(a, g)
    return reduced(g @ np.swapaxes(b, -1, -2), a.shape), reduced(np.swapaxes(a, -1, -2) @ g, b.shape)


def transpose_back(xs: Any, y: Values, g: Values, axes: Any = None) -> tuple[Values, ...]:
    return (np.transpose(g, None if axes is None else np.argsort(axes)),)


def concat_back(xs: Any, y: Values, g: Values, axis: int = 0) -> tuple[Values, ...]:
    return tuple(np.split(g, [xs[0].shape[axis]], axis=axis))


def softmax(x: Values, axis: int = -1) -> Values:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_back(xs: Any, y: Values, g: Values, axis: int = -1) -> tuple[Values, ...]:
    return (y * (g - (g * y).sum(axis=axis, keepdims=True)),)


def log_softmax(x: Values, axis: int = -1) -> Values:
    return x - lse(x, axis, True)


def log_softmax_back(xs: Any, y: Values, g: Values, axis: int = -1) -> tuple[Values, ...]:
    return (g - np.exp(y) * g.sum(axis=axis, keepdims=True),)


def dense_back(xs: Any, y: Values, g: Values) -> tuple[Values, ...]:
    x, w, _ = xs
    return g @ w.T, x.T @ g, g.sum(axis=0)


def cross_entropy(z: Values, labels: Any = ()) -> Values:
    return -log_softmax(z)[np.arange(len(labels)), list(labels)].mean()


def cross_entropy_back(xs: Any, y: Values, g: Values, labels: Any = ()) -> tuple[Values, ...]:
    p = softmax(xs[0])
    p[np.arange(len(labels)), list(labels)] -= 1
    return (g * p / len(labels),)


def sigmoid(x: Values) -> Values:
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x, float)))


def stable_sigmoid(x: Values) -> Values:
    x = np.asarray(x, float)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def bce(z: Values, labels: Any = ()) -> Values:
    return (np.logaddexp(0, z) - np.asarray(labels) * z).mean()


def bce_back(xs: Any, y: Values, g: Values, labels: Any = ()) -> tuple[Values, ...]:
    return (g * (stable_sigmoid(xs[0]) - np.asarray(labels)) / len(labels),)


def pow_back(xs: Any, y: Values, g: Values, exponent: Any = 2) -> tuple[Values, ...]:
    return (g * exponent * np.asarray(xs[0], float) ** (exponent - 1),)


RIGHT: Mapping[str, tuple[Forward, Backward]] = {
    "add": (np.add, two(lambda a, b, y, g: g, lambda a, b, y, g: g)),
    "sub": (np.subtract, two(lambda a, b, y, g: g, lambda a, b, y, g: -g)),
    "mul": (np.multiply, two(lambda a, b, y, g: g * b, lambda a, b, y, g: g * a)),
    "div": (np.divide, two(lambda a, b, y, g: g / b, lambda a, b, y, g: -g * a / b**2)),
    "maximum": (np.maximum, two(lambda a, b, y, g: g * (a >= b), lambda a, b, y, g: g * (a < b))),
    "minimum": (np.minimum, two(lambda a, b, y, g: g * (a < b), lambda a, b, y, g: g * (a >= b))),
    "power": (
        lambda a, b: np.asarray(a, float) ** b,
        two(lambda a, b, y, g: g * b * np.asarray(a, float) ** (b - 1), lambda a, b, y, g: g * y * np.log(a)),
    ),
    "pow": (lambda x, exponent=2: np.asarray(x, float) ** exponent, pow_back),
    "neg": (np.negative, one(lambda x, y: -1.0)),
    "square": (np.square, one(lambda x, y: 2 * x)),
    "reciprocal": (lambda x: 1 / x, one(lambda x, y: -y * y)),
    "sqrt": (np.sqrt, one(lambda x, y: 0.5 / y)),
    "exp": (np.exp, one(lambda x, y: y)),
    "log": (np.log, one(lambda x, y: 1 / x)),
    "sin": (np.sin, one(lambda x, y: np.cos(x))),
    "cos": (np.cos, one(lambda x, y: -np.sin(x))),
    "tan": (np.tan, one(lambda x, y: 1 + y**2)),
    "arctan": (np.arctan, one(lambda x, y: 1 / (1 + x**2))),
    "sinh": (np.sinh, one(lambda x, y: np.cosh(x))),
    "cosh": (np.cosh, one(lambda x, y: np.sinh(x))),
    "tanh": (np.tanh, one(lambda x, y: 1 - y**2)),
    "sigmoid": (stable_sigmoid, one(lambda x, y: y * (1 - y))),
    "softplus": (lambda x: np.logaddexp(0, x), one(lambda x, y: stable_sigmoid(x))),
    "silu": (
        lambda x: x * stable_sigmoid(x),
        one(lambda x, y: stable_sigmoid(x) * (1 + x * (1 - stable_sigmoid(x)))),
    ),
    "relu": (lambda x: np.maximum(x, 0), one(lambda x, y: (x > 0) * 1.0)),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.01 * x), one(lambda x, y: np.where(x > 0, 1.0, 0.01))),
    "abs": (np.abs, one(lambda x, y: np.sign(x))),
    "sum": (np.sum, sum_back),
    "mean": (np.mean, mean_back),
    "max": (np.max, extreme_back),
    "min": (np.min, extreme_back),
    "logsumexp": (lse, lse_back),
    "dot": (np.dot, matmul_back),
    "matmul": (np.matmul, matmul_back),
    "transpose": (np.transpose, transpose_back),
    "reshape": (lambda x, shape=None: np.reshape(x, shape), lambda xs, y, g, shape=None: (g.reshape(xs[0].shape),)),
    "concat": (lambda a, b, axis=0: np.concatenate([a, b], axis), concat_back),
    "softmax": (softmax, softmax_back),
    "log_softmax": (log_softmax, log_softmax_back),
    "dense": (lambda x, w, b: x @ w + b, dense_back),
    "squared_error": (
        lambda a, b: ((a - b) ** 2).mean(),
        lambda xs, y, g: (g * 2 * (xs[0] - xs[1]) / xs[0].size, -g * 2 * (xs[0] - xs[1]) / xs[0].size),
    ),
    "cross_entropy": (cross_entropy, cross_entropy_back),
    "binary_cross_entropy": (bce, bce_back),
}
