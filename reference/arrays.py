"""Primitives that move entries about, and the convolution with its two adjoints."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.linear import bilinear, everywhere, linear, zeros
from reference.primitive import Attrs, Primitive, Value, entries, free
from reference.shapes import Shape


def slices_of(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """What numpy wants for the key of an index: entries, and ranges kept as triples."""
    return tuple(k if isinstance(k, int) else slice(k[0], None if k[2] < 0 and k[1] < 0 else k[1], k[2]) for k in key)


def stacked(attrs: Attrs, *parts: Value) -> Value:
    if parts and not isinstance(parts[0], np.ndarray | np.generic | float | int | complex):
        result = np.empty(len(parts), dtype=object)
        result[:] = parts
        return result
    return np.stack(parts, axis=attrs["axis"])


def joined(attrs: Attrs, *parts: Value) -> Value:
    return np.concatenate(parts, axis=attrs["axis"])


def indexed(attrs: Attrs, x: Value) -> Value:
    return x[slices_of(attrs["key"])]


def placed(attrs: Attrs, x: Value) -> Value:
    result = zeros(attrs["shape"], x)
    result[slices_of(attrs["key"])] = x
    return result


def reshaped(attrs: Attrs, x: Value) -> Value:
    return np.reshape(np.asarray(x), attrs["shape"])[()]


def repeated(attrs: Attrs, x: Value) -> Value:
    return np.broadcast_to(np.asarray(x), attrs["shape"])


def _stack_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    before = tuple((0, n, 1) for n in o.shape(g)[: attrs["axis"]])
    return tuple(o.index(g, key=(*before, i)) for i in range(len(xs)))


def _concat_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    axis = attrs["axis"]
    before = tuple((0, n, 1) for n in o.shape(g)[:axis])
    parts, start = [], 0
    for x in xs:
        size = o.shape(x)[axis]
        parts.append(o.index(g, key=(*before, (start, start + size, 1))))
        start += size
    return tuple(parts)


# ---- convolution: cross-correlation, and what its adjoints compute -------------------------------------------------


def _as_batch(x: Value) -> Value:
    return x.reshape((1,) * (4 - x.ndim) + x.shape)


def _as_filters(w: Value) -> Value:
    return w[None, None] if w.ndim == 2 else w


def _windows(x: Value, i: int, j: int, stride: int, size: tuple[int, int]) -> Value:
    return x[:, :, i : i + stride * (size[0] - 1) + 1 : stride, j : j + stride * (size[1] - 1) + 1 : stride]


def _padded(x: Value, padding: int) -> Value:
    if not padding:
        return x
    n, c, h, w = x.shape
    result = zeros((n, c, h + 2 * padding, w + 2 * padding), x)
    result[:, :, padding : padding + h, padding : padding + w] = x
    return result


def correlate(attrs: Attrs, image: Value, kernel: Value) -> Value:
    """([N,] C, H, W) with (K, C, h, w) -> ([N,] K, H', W'); two plain matrices give a matrix."""
    x, w = _padded(_as_batch(image), attrs["padding"]), _as_filters(kernel)
    stride = attrs["stride"]
    size = tuple((n - k) // stride + 1 for n, k in zip(x.shape[2:], w.shape[2:], strict=True))
    total: Any = 0
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            total = total + np.tensordot(
                _windows(x, i, j, stride, (size[0], size[1])), w[:, :, i, j], axes=((1,), (1,))
            )
    result = np.moveaxis(total, -1, 1)
    return result[0, 0] if image.ndim == 2 else result[0] if image.ndim == 3 else result


def correlate_image(attrs: Attrs, g: Value, kernel: Value) -> Value:
    """Adjoint of `correlate` in the image: every output's share is written back where it was read."""
    upstream, w = _as_batch(g), _as_filters(kernel)
    shape, stride, padding = attrs["shape"], attrs["stride"], attrs["padding"]
    batch = (1,) * (4 - len(shape)) + tuple(shape)
    h, v = batch[2] + 2 * padding, batch[3] + 2 * padding
    total = zeros((batch[0], batch[1], h, v), upstream[:1, :1, :1, :1] * w[:1, :1, :1, :1])
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            part = np.moveaxis(np.tensordot(upstream, w[:, :, i, j], axes=((1,), (0,))), -1, 1)
            _windows(total, i, j, stride, (upstream.shape[2], upstream.shape[3]))[...] += part
    return total[:, :, padding : h - padding, padding : v - padding].reshape(shape)


def correlate_kernel(attrs: Attrs, image: Value, g: Value) -> Value:
    """Adjoint of `correlate` in the filters."""
    x, upstream = _padded(_as_batch(image), attrs["padding"]), _as_batch(g)
    shape = attrs["shape"]
    rows, columns = shape[-2:]
    result = np.empty((upstream.shape[1], x.shape[1], rows, columns), dtype=np.result_type(image.dtype, g.dtype))
    for i in range(rows):
        for j in range(columns):
            part = _windows(x, i, j, attrs["stride"], (upstream.shape[2], upstream.shape[3]))
            result[:, :, i, j] = np.tensordot(upstream, part, axes=((0, 2, 3), (0, 2, 3)))
    return result.reshape(shape)


def _steps(attrs: Attrs) -> dict[str, int]:
    return {"stride": attrs["stride"], "padding": attrs["padding"]}


def _conv_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    image, kernel = xs
    return (
        o.apply("conv_image", g, kernel, shape=o.shape(image), **_steps(attrs)),
        o.apply("conv_kernel", image, g, shape=o.shape(kernel), **_steps(attrs)),
    )


def _conv_image_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    upstream, kernel = xs
    return (
        o.apply("conv", g, kernel, **_steps(attrs)),
        o.apply("conv_kernel", g, upstream, shape=o.shape(kernel), **_steps(attrs)),
    )


def _conv_kernel_vjp(o: Any, attrs: Attrs, xs: tuple[Value, ...], y: Value, g: Value) -> tuple[Value, ...]:
    image, upstream = xs
    return (
        o.apply("conv_image", upstream, g, shape=o.shape(image), **_steps(attrs)),
        o.apply("conv", image, g, **_steps(attrs)),
    )


def _conv_cost(attrs: Attrs, shapes: tuple[Shape, ...], out: Shape) -> int:
    """2 C h w - 1 operations per entry of the result."""
    kernel = shapes[1]
    window = kernel[-1] * kernel[-2] * (kernel[1] if len(kernel) == 4 else 1)
    return (2 * window - 1) * entries(attrs, shapes, out)


def _conv_adjoint_cost(attrs: Attrs, shapes: tuple[Shape, ...], out: Shape) -> int:
    return 2 * entries(attrs, (), shapes[0]) * entries(attrs, (), shapes[1])


ARRAYS: tuple[Primitive, ...] = (
    everywhere("stack", stacked, linear("stack"), _stack_vjp, r"({})", free),
    everywhere("concat", joined, linear("concat"), _concat_vjp, r"({})", free),
    everywhere(
        "index",
        indexed,
        linear("index"),
        lambda o, a, xs, y, g: (o.apply("put", g, key=a["key"], shape=o.shape(xs[0])),),
        r"{}_{{{}}}",
        free,
    ),
    everywhere(
        "put",
        placed,
        linear("put"),
        lambda o, a, xs, y, g: (o.apply("index", g, key=a["key"]),),
        r"\operatorname{{put}} {}",
        free,
    ),
    everywhere(
        "reshape", reshaped, linear("reshape"), lambda o, a, xs, y, g: (o.reshape(g, shape=o.shape(xs[0])),), "{}", free
    ),
    everywhere(
        "broadcast",
        repeated,
        linear("broadcast"),
        lambda o, a, xs, y, g: (o.unbroadcast(g, o.shape(xs[0])),),
        "{}",
        free,
    ),
    everywhere("conv", correlate, bilinear("conv"), _conv_vjp, r"{} \star {}", _conv_cost),
    everywhere(
        "conv_image",
        correlate_image,
        bilinear("conv_image"),
        _conv_image_vjp,
        r"\operatorname{{conv\_image}}({}, {})",
        _conv_adjoint_cost,
    ),
    everywhere(
        "conv_kernel",
        correlate_kernel,
        bilinear("conv_kernel"),
        _conv_kernel_vjp,
        r"\operatorname{{conv\_kernel}}({}, {})",
        _conv_adjoint_cost,
    ),
)
