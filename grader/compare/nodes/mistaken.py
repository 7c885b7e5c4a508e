"""The gradients a node with a known mistake gives: what an engine over it computes when the engine is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.compare.nodes.operations import Attrs
from grader.compare.nodes.truth import Values, Variant, truth_at

if TYPE_CHECKING:
    from grader.compare.nodes.diagnosis import Diagnosis


def _silently(function: Callable[[Any], Any]) -> Callable[[Any], Values]:
    def inverse(value: Any) -> Values:
        with np.errstate(all="ignore"):
            return np.asarray(function(value))

    return inverse


# The derivative as a function of the result, given the argument, is the derivative at the inverse of the argument.
INVERSES: Mapping[str, Callable[[Any], Values]] = {
    "tanh": _silently(np.arctanh),
    "sigmoid": _silently(lambda v: np.log(v / (1 - v))),
    "exp": _silently(np.log),
    "sqrt": _silently(np.square),
}


def mistaken_gradients(
    fault: Diagnosis, variant: Variant, inputs: tuple[Values, ...], attrs: Attrs, upstream: Values
) -> tuple[Values, ...] | None:
    """Gradients under the diagnosed mistake; None where the diagnosis does not say what is computed instead."""

    def exact(g: Any) -> tuple[Values, ...]:
        return truth_at(variant, inputs, attrs, np.asarray(g, float)).gradients

    right = exact(upstream)
    if fault.factors:
        return tuple(k * d for k, d in zip(fault.factors, right, strict=False))
    if fault.note == "node.upstream_ignored":
        return exact(np.ones_like(upstream))
    if fault.note == "node.upstream_twice":
        return exact(upstream * upstream)
    if fault.note == "node.local_derivative_missing":
        return tuple(reduce_to(upstream, x.shape) for x in inputs)
    if fault.note == "node.argument_for_value" and variant.operation in INVERSES:
        moved = INVERSES[variant.operation](np.asarray(inputs[0], float))
        return truth_at(variant, (moved,), attrs, upstream).gradients if np.all(np.isfinite(moved)) else None
    if fault.note == "node.swapped" and len(right) == 2:
        return right[::-1]
    if fault.note in ("node.missing_reduction", "node.broadcast") and all(x.shape == upstream.shape for x in inputs):
        return right  # wrong only where something is broadcast
    if fault.note in ("node.integer_input", "node.extreme_input", "node.kink", "node.numbers", "node.batched"):
        return right if upstream.shape != () or fault.note != "node.numbers" else None
    return None


def reduce_to(value: Values, shape: tuple[int, ...]) -> Values:
    """Sum over the axes along which an input of this shape was repeated; a single number is repeated."""
    if value.ndim < len(shape):
        return np.array(np.broadcast_to(value, shape)) if value.size == 1 else value
    summed = value.sum(axis=tuple(range(value.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and summed.shape[i] != 1)
    return np.asarray(summed.sum(axis=axes, keepdims=True) if axes else summed)
