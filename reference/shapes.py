"""Shape of a result from the shapes of its arguments, one rule per operation, with errors in a learner's words.

Conventions: `()` scalar, `(n,)` vector that behaves as a column, `(1, n)` row, `(m, n)` matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

Shape = tuple[int, ...]
Attrs = Mapping[str, Any]
Rule = Callable[..., Shape]


class ShapeError(ValueError):
    """The shapes of an operation's arguments do not conform."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def describe(shape: Shape) -> str:
    """A shape in words: "a number", "a vector of length 3", "a 2x3 matrix"."""
    if shape == ():
        return "a number"
    if len(shape) == 1:
        return f"a vector of length {shape[0]}"
    if len(shape) == 2 and shape[0] == 1 and shape[1] > 1:
        return f"a row vector of length {shape[1]}"
    return f"a {'x'.join(str(n) for n in shape)} {'matrix' if len(shape) == 2 else 'array'}"


def broadcast_shapes(*shapes: Shape, verb: str = "combined elementwise with") -> Shape:
    """The common shape under numpy's broadcasting.  Raises ShapeError naming the first pair that does not conform."""
    result: Shape = ()
    for shape in shapes:
        rank = max(len(result), len(shape))
        left = (1,) * (rank - len(result)) + result
        right = (1,) * (rank - len(shape)) + shape
        if any(m != n and m != 1 and n != 1 for m, n in zip(left, right, strict=True)):
            raise ShapeError(f"{describe(result)} cannot be {verb} {describe(shape)}")
        result = tuple(n if m == 1 else m for m, n in zip(left, right, strict=True))
    return result


def matmul_shape(a: Shape, b: Shape) -> Shape:
    """(m, n)(n, k) -> (m, k), a vector being an (n, 1) column; leading axes beyond two are a batch."""
    refusal = ShapeError(f"{describe(a)} cannot be multiplied by {describe(b)}")
    if not a or not b:
        raise refusal
    if len(a) > 2 or len(b) > 2:
        return _batched(a, b, refusal)
    rows, inner = a if len(a) == 2 else (a[0], 1)
    if inner != b[0]:
        raise refusal
    return (rows,) if len(b) == 1 else (rows, b[1])


def _batched(a: Shape, b: Shape, refusal: ShapeError) -> Shape:
    if len(a) < 2 or a[-1] != (b[0] if len(b) == 1 else b[-2]):
        raise refusal
    if len(b) == 1:
        return a[:-1]
    try:
        return (*broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])
    except ShapeError:
        raise refusal from None


def axes_of(axis: int | tuple[int, ...] | None, rank: int) -> tuple[int, ...]:
    """The axes meant, sorted and non-negative; None means all.  Raises ShapeError for an axis that is not there."""
    if axis is None:
        return tuple(range(rank))
    wanted = (axis,) if isinstance(axis, int) else tuple(axis)
    if any(not -rank <= a < rank for a in wanted):
        raise ShapeError(f"there is no axis {axis} in {rank} dimension{'' if rank == 1 else 's'}")
    found = tuple(sorted(a % rank for a in wanted))
    if len(set(found)) != len(found):
        raise ShapeError(f"the same axis is named twice in {axis}")
    return found


def _elementwise(attrs: Attrs, *shapes: Shape) -> Shape:
    return broadcast_shapes(*shapes)


def _added(attrs: Attrs, *shapes: Shape) -> Shape:
    return broadcast_shapes(*shapes, verb="added to")


def _subtracted(attrs: Attrs, a: Shape, b: Shape) -> Shape:
    try:
        return broadcast_shapes(a, b)
    except ShapeError:
        raise ShapeError(f"{describe(b)} cannot be subtracted from {describe(a)}") from None


def _multiplied(attrs: Attrs, a: Shape, b: Shape) -> Shape:
    return broadcast_shapes(a, b, verb="multiplied elementwise by")


def _divided(attrs: Attrs, a: Shape, b: Shape) -> Shape:
    return broadcast_shapes(a, b, verb="divided elementwise by")


def _same(attrs: Attrs, shape: Shape) -> Shape:
    return shape


def _reduced(attrs: Attrs, shape: Shape) -> Shape:
    axes = axes_of(attrs["axis"], len(shape))
    if attrs["keepdims"]:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def _product(attrs: Attrs, a: Shape, b: Shape) -> Shape:
    return matmul_shape(a, b)


def _transposed(attrs: Attrs, shape: Shape) -> Shape:
    axes = attrs.get("axes")
    if axes is not None:
        if sorted(axes) != list(range(len(shape))):
            raise ShapeError(f"{axes} is not an order of the {len(shape)} axes of {describe(shape)}")
        return tuple(shape[a] for a in axes)
    if len(shape) > 2:
        return (*shape[:-2], shape[-1], shape[-2])
    if len(shape) == 1:
        return (1, shape[0])
    return shape[1:] if len(shape) == 2 and shape[0] == 1 else shape[::-1]


def length_of(shape: Shape) -> int | None:
    """Length of a vector, row or single column; None for anything else."""
    if len(shape) == 1:
        return shape[0]
    if len(shape) == 2 and 1 in shape:
        return shape[0] * shape[1]
    return None


def _dotted(attrs: Attrs, a: Shape, b: Shape) -> Shape:
    m, n = length_of(a), length_of(b)
    if m is None or n is None:
        raise ShapeError(f"a dot product needs two vectors, not {describe(a)} and {describe(b)}")
    if m != n:
        raise ShapeError(f"the dot product of {describe(a)} and {describe(b)} does not exist")
    return ()


def _outer(attrs: Attrs, a: Shape, b: Shape) -> Shape:
    m, n = length_of(a), length_of(b)
    if m is None or n is None:
        raise ShapeError(f"an outer product needs two vectors, not {describe(a)} and {describe(b)}")
    return (m, n)


def _square(shape: Shape, what: str) -> int:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(f"only a square matrix has {what}, not {describe(shape)}")
    return shape[0]


def _diag(attrs: Attrs, shape: Shape) -> Shape:
    n = length_of(shape)
    if n is None:
        raise ShapeError(f"diag(...) makes a diagonal matrix of a vector, not of {describe(shape)}")
    return (n, n)


def _diagonal(attrs: Attrs, shape: Shape) -> Shape:
    return (_square(shape, "a diagonal"),)


def _trace(attrs: Attrs, shape: Shape) -> Shape:
    _square(shape, "a trace")
    return ()


def _inverse(attrs: Attrs, shape: Shape) -> Shape:
    n = _square(shape, "an inverse")
    return (n, n)


def _determinant(attrs: Attrs, shape: Shape) -> Shape:
    _square(shape, "a determinant")
    return ()


def _kron(attrs: Attrs, a: Shape, b: Shape) -> Shape:
    if len(a) not in (1, 2) or len(b) not in (1, 2):
        raise ShapeError(f"the Kronecker product of {describe(a)} and {describe(b)} does not exist")
    if len(a) == len(b) == 1:
        return (a[0] * b[0],)
    (m, n), (p, q) = (s if len(s) == 2 else (s[0], 1) for s in (a, b))
    return (m * p, n * q)


def _stacked(attrs: Attrs, *shapes: Shape) -> Shape:
    first = shapes[0]
    for shape in shapes[1:]:
        if shape != first:
            raise ShapeError(f"{describe(first)} and {describe(shape)} cannot be entries of one array")
    axis = attrs["axis"]
    return (*first[:axis], len(shapes), *first[axis:])


def _concatenated(attrs: Attrs, *shapes: Shape) -> Shape:
    first, axis = shapes[0], attrs["axis"]
    for shape in shapes[1:]:
        if len(shape) != len(first) or shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            raise ShapeError(f"{describe(first)} and {describe(shape)} cannot be joined along axis {axis}")
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


def _indexed(attrs: Attrs, shape: Shape) -> Shape:
    key = attrs["key"]
    kept = [len(range(*k)) for k in key if not isinstance(k, int)]
    return (*kept, *shape[len(key) :])


def _given(attrs: Attrs, *shapes: Shape) -> Shape:
    return tuple(attrs["shape"])


def _reshaped(attrs: Attrs, shape: Shape) -> Shape:
    if prod(attrs["shape"]) != prod(shape):
        raise ShapeError(f"{describe(shape)} cannot be rearranged into {describe(attrs['shape'])}")
    return tuple(attrs["shape"])


def _broadcasted(attrs: Attrs, shape: Shape) -> Shape:
    target: Shape = tuple(attrs["shape"])
    if broadcast_shapes(shape, target) != target:
        raise ShapeError(f"{describe(shape)} cannot be repeated to {describe(target)}")
    return target


def _along(attrs: Attrs, shape: Shape) -> Shape:
    if not shape:
        raise ShapeError("a number has no entries to normalise")
    axes_of(attrs["axis"], len(shape))
    return shape


def _norm(attrs: Attrs, shape: Shape) -> Shape:
    if attrs["order"] == "2" and len(shape) == 2 and 1 not in shape and attrs["axis"] is None:
        raise ShapeError("say which norm of a matrix is meant: the Frobenius norm is norm(A, 'fro')")
    return _reduced(attrs, shape)


def _convolved(attrs: Attrs, image: Shape, kernel: Shape) -> Shape:
    """(H, W) * (h, w), (C, H, W) * (K, C, h, w) or (N, C, H, W) * (K, C, h, w), cross-correlation."""
    plain = len(image) == len(kernel) == 2
    if not plain and (len(image) not in (3, 4) or len(kernel) != 4 or image[-3] != kernel[1]):
        raise ShapeError(f"{describe(image)} cannot be convolved with filters of shape {describe(kernel)}")
    stride, padding = attrs["stride"], attrs["padding"]
    size = tuple((n + 2 * padding - k) // stride + 1 for n, k in zip(image[-2:], kernel[-2:], strict=True))
    if min(size) < 1:
        raise ShapeError("the filter is larger than the padded image")
    return size if plain else (*image[:-3], kernel[0], *size)


UNARY = (
    "neg",
    "exp",
    "log",
    "log2",
    "log10",
    "sin",
    "cos",
    "tan",
    "sec",
    "csc",
    "cot",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "sech",
    "csch",
    "coth",
    "arcsinh",
    "arccosh",
    "arctanh",
    "sqrt",
    "cbrt",
    "abs",
    "sign",
    "step",
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "sigmoid",
    "softplus",
    "silu",
    "erf",
    "factorial",
)

SHAPES: dict[str, Rule] = {
    **dict.fromkeys(UNARY, _same),
    "add": _added,
    "sub": _subtracted,
    "mul": _multiplied,
    "div": _divided,
    **dict.fromkeys(("pow", "maximum", "minimum", "binomial", "select"), _elementwise),
    **dict.fromkeys(("sum", "mean", "prod", "max", "min", "logsumexp"), _reduced),
    "norm": _norm,
    **dict.fromkeys(("softmax", "log_softmax", "peak"), _along),
    "matmul": _product,
    "transpose": _transposed,
    "dot": _dotted,
    "outer": _outer,
    "diag": _diag,
    "diagonal": _diagonal,
    "trace": _trace,
    "inv": _inverse,
    "det": _determinant,
    "logdet": _determinant,
    "kron": _kron,
    "stack": _stacked,
    "concat": _concatenated,
    "index": _indexed,
    "put": _given,
    "reshape": _reshaped,
    "broadcast": _broadcasted,
    "conv": _convolved,
    "conv_image": _given,
    "conv_kernel": _given,
    "call": _given,
}
