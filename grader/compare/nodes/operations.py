"""The operations a node may stand for: how each is built from the reference's primitives, and where to look at it.

There is no derivative here: a node is compared with the exact vector–Jacobian product that the reference derives from
`build`.  A new operation is one entry.  An array layout is numpy's: `matmul` of a vector and a matrix is numpy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from reference import expression as E
from reference.expression import Expr

Shape = tuple[int, ...]
Attrs = Mapping[str, Any]
Domain = Literal["real", "positive", "nonzero"]
Profile = Literal["unary", "binary", "reduction", "matmul", "transpose", "reshape", "concat", "rows", "dense", "loss"]
Kink = Literal["none", "zero", "tied", "pair"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.  `build(arguments, attributes)` gives its reference expression.

    `domain` is that of each argument (the last entry repeats), `high` the largest magnitude to look at.
    `extremes` are magnitudes at which exponentials are tried.  `kink` says where it is not differentiable: an entry at
    `zero`, `tied` entries of one array, a tied `pair` of entries.  `attributes` lists the choices for each attribute; a
    problem that names none gets the first choice.
    """

    name: str
    build: Callable[[Sequence[Expr], Attrs], Expr]
    profile: Profile
    arity: int = 1
    domain: tuple[Domain, ...] = ("real",)
    extremes: tuple[float, ...] = ()
    high: float = 2.0
    kink: Kink = "none"
    linear: bool = False
    attributes: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    def domain_of(self, position: int) -> Domain:
        return self.domain[min(position, len(self.domain) - 1)]


def _entrywise(name: str, **more: Any) -> Operation:
    builder: Callable[..., Expr] = getattr(E, name)
    return Operation(name, lambda xs, attrs: builder(xs[0]), "unary", **more)


def _pairwise(name: str, **more: Any) -> Operation:
    builder: Callable[..., Expr] = getattr(E, name)
    return Operation(name, lambda xs, attrs: builder(xs[0], xs[1]), "binary", arity=2, **more)


AXES: tuple[Any, ...] = (None, 0, 1, -1, (0, 1), (-1,))
REDUCING = (("axis", AXES), ("keepdims", (False, True)))


def _reduction(name: str, **more: Any) -> Operation:
    builder: Callable[..., Expr] = getattr(E, name)

    def build(xs: Sequence[Expr], attrs: Attrs) -> Expr:
        return builder(xs[0], axis=attrs.get("axis"), keepdims=bool(attrs.get("keepdims", False)))

    return Operation(name, build, "reduction", attributes=REDUCING, **more)


def _power(xs: Sequence[Expr], attrs: Attrs) -> Expr:
    return E.pow(xs[0], Fraction(attrs.get("exponent", 2)))


def _leaky(xs: Sequence[Expr], attrs: Attrs) -> Expr:
    return E.leaky_relu(xs[0], attrs.get("slope", SLOPES[0]))


def _matmul(xs: Sequence[Expr], attrs: Attrs) -> Expr:
    """numpy's: a vector on the left is a row, on the right a column; the added axis goes away again."""
    a, b = xs
    if len(a.shape) == 1 and len(b.shape) == 1:
        return E.dot(a, b)
    if len(a.shape) == 1:
        product = E.matmul(E.reshape(a, (1, *a.shape)), b)
        return E.reshape(product, (*product.shape[:-2], product.shape[-1]))
    if len(b.shape) == 1:
        product = E.matmul(a, E.reshape(b, (*b.shape, 1)))
        return E.reshape(product, product.shape[:-1])
    return E.matmul(a, b)


def _transpose(xs: Sequence[Expr], attrs: Attrs) -> Expr:
    rank = len(xs[0].shape)
    axes = attrs.get("axes")
    return E.transpose(xs[0], tuple(range(rank))[::-1] if axes is None else tuple(a % rank for a in axes))


def _reshape(xs: Sequence[Expr], attrs: Attrs) -> Expr:
    return E.reshape(xs[0], tuple(attrs["shape"]))


def _concat(xs: Sequence[Expr], attrs: Attrs) -> Expr:
    return E.concat(list(xs), axis=attrs.get("axis", 0))


def _rows(builder: Callable[..., Expr]) -> Callable[[Sequence[Expr], Attrs], Expr]:
    return lambda xs, attrs: builder(xs[0], axis=attrs.get("axis", -1))


def _dense(xs: Sequence[Expr], attrs: Attrs) -> Expr:
    """Rows are samples: x (n, i), W (i, o), b (o,) give x W + b."""
    product = E.matmul(xs[0], xs[1])
    return product if len(xs) == 2 else E.add(product, xs[2])


def _averaged(loss: Expr, attrs: Attrs, count: int) -> Expr:
    return E.div(loss, count) if attrs.get("reduction", "mean") == "mean" else loss


def _squared_error(xs: Sequence[Expr], attrs: Attrs) -> Expr:
    difference = E.sub(xs[0], xs[1])
    entries = 1
    for n in difference.shape:
        entries *= n
    return _averaged(E.sum(E.mul(difference, difference)), attrs, entries)


def _cross_entropy(xs: Sequence[Expr], attrs: Attrs) -> Expr:
    """Softmax with cross-entropy on logits (n, classes); `labels` are the right classes."""
    logits, labels = xs[0], attrs["labels"]
    chosen = [E.index(logits, (row, label)) for row, label in enumerate(labels)]
    total = E.sub(E.sum(E.logsumexp(logits, axis=1)), E.sum(E.stack(chosen)))
    return _averaged(total, attrs, len(labels))


def _binary_cross_entropy(xs: Sequence[Expr], attrs: Attrs) -> Expr:
    """Cross-entropy of sigmoid(logits) (n,) with `labels` 0 or 1: the sum of softplus(z) - label z."""
    logits = xs[0]
    chosen = [E.index(logits, (i,)) for i, label in enumerate(attrs["labels"]) if label]
    return _averaged(E.sub(E.sum(E.softplus(logits)), E.sum(E.stack(chosen))), attrs, len(attrs["labels"]))


SLOPES = tuple(Fraction(n, 1000) for n in (10, 100, 200, 300, 250, 50, 1))  # of leaky ReLUs, the usual one first
EXPONENTIAL = (40.0, 80.0, 800.0)
EXPONENTS = (3, 2, -1, -2, 0.5)

OPERATIONS: Mapping[str, Operation] = {
    one.name: one
    for one in (
        _pairwise("add", linear=True),
        _pairwise("sub", linear=True),
        _pairwise("mul"),
        _pairwise("div", domain=("real", "nonzero")),
        _pairwise("maximum", kink="pair"),
        _pairwise("minimum", kink="pair"),
        Operation("power", lambda xs, attrs: E.pow(xs[0], xs[1]), "binary", 2, ("positive", "real")),
        Operation("pow", _power, "unary", domain=("nonzero",), attributes=(("exponent", EXPONENTS),)),
        _entrywise("neg", linear=True),
        _entrywise("square"),
        Operation("reciprocal", lambda xs, attrs: E.div(1, xs[0]), "unary", domain=("nonzero",)),
        _entrywise("sqrt", domain=("positive",)),
        _entrywise("exp", extremes=(40.0,)),
        _entrywise("log", domain=("positive",)),
        _entrywise("sin"),
        _entrywise("cos"),
        _entrywise("tan", high=1.1),
        _entrywise("arctan"),
        _entrywise("sinh"),
        _entrywise("cosh"),
        _entrywise("tanh", extremes=EXPONENTIAL),
        _entrywise("sigmoid", extremes=EXPONENTIAL),
        _entrywise("softplus", extremes=EXPONENTIAL),
        _entrywise("silu", extremes=(40.0,)),
        _entrywise("relu", kink="zero"),
        Operation("leaky_relu", _leaky, "unary", kink="zero"),
        _entrywise("abs", kink="zero"),
        _reduction("sum", linear=True),
        _reduction("mean", linear=True),
        _reduction("max", kink="tied"),
        _reduction("min", kink="tied"),
        _reduction("logsumexp", extremes=EXPONENTIAL),
        Operation("dot", _matmul, "matmul", 2),
        Operation("matmul", _matmul, "matmul", 2),
        Operation("transpose", _transpose, "transpose", linear=True, attributes=(("axes", (None, (1, 0))),)),
        Operation("reshape", _reshape, "reshape", linear=True, attributes=(("shape", ()),)),
        Operation("concat", _concat, "concat", 2, linear=True, attributes=(("axis", (0, 1, -1)),)),
        Operation("softmax", _rows(E.softmax), "rows", extremes=EXPONENTIAL, attributes=(("axis", (-1, 0)),)),
        Operation("log_softmax", _rows(E.log_softmax), "rows", extremes=EXPONENTIAL, attributes=(("axis", (-1, 0)),)),
        Operation("dense", _dense, "dense", 3),
        Operation("squared_error", _squared_error, "loss", 2),
        Operation("cross_entropy", _cross_entropy, "loss", 1, attributes=(("labels", ()),)),
        Operation("binary_cross_entropy", _binary_cross_entropy, "loss", 1, attributes=(("labels", ()),)),
    )
}
REDUCTIONS = frozenset({"squared_error", "cross_entropy", "binary_cross_entropy"})  # a mean or a sum over samples
GUARDED = {"log": 0, "div": 1, "sqrt": 0, "reciprocal": 0}  # operations often written with + eps, and on which argument
