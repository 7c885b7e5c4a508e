"""When a returned number counts as right, and when it is right only to the accuracy of numerical differentiation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RELATIVE = 1e-9
OF_LARGEST = 0.1  # cancellation inside an operation is measured against its largest entry
OF_UPSTREAM = 1e-3  # and against the upstream gradient, for results that vanish
SINGLE = 2e-5  # for results computed in single precision
SMALLEST = 1e-300
EXACT = 2e-14  # honest results are within a tenth of this; difference quotients are not

Values = NDArray[Any]


def allowed(truth: Values, upstream: float, relative: float = RELATIVE) -> Values:
    """Largest error that counts as rounding, entry by entry.  `upstream` is the largest upstream gradient in size."""
    size = np.abs(truth)
    finite = size[np.isfinite(size)]
    largest = float(finite.max()) if finite.size else 0.0
    return np.asarray(
        relative * (np.where(np.isfinite(size), size, 0.0) + OF_LARGEST * largest + OF_UPSTREAM * upstream)
    )


def plain(answer: Values | None) -> Values | None:
    """The answer as real floats; None if it holds something else (complex numbers with an imaginary part, booleans)."""
    if answer is None or answer.dtype.kind not in "iufc":
        return None
    if answer.dtype.kind == "c":
        return np.asarray(answer.real, float) if not np.any(answer.imag) else None
    return np.asarray(answer, float)


def fits(answer: Values, truth: Values) -> Values | None:
    """The answer in the truth's shape, or None.  Arrays of one entry are the same whatever their number of axes."""
    if answer.shape == truth.shape:
        return answer
    return answer.reshape(truth.shape) if answer.size == truth.size == 1 else None


def agrees(answer: Values | None, truth: Values, upstream: float = 1.0, single: bool = False) -> bool:
    """Is the answer the truth up to rounding?  `single`: computed in single precision."""
    numbers = plain(answer)
    shaped = None if numbers is None else fits(numbers, truth)
    if shaped is None:
        return False
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(shaped - truth)
    same_infinity = shaped == truth  # covers inf against inf
    return bool(np.all(same_infinity | (difference <= allowed(truth, upstream, SINGLE if single else RELATIVE))))


def distance(answer: Values | None, truth: Values, upstream: float = 1.0) -> float:
    """Largest error in units of what is allowed at relative accuracy 1; infinite where shapes or types differ."""
    numbers = plain(answer)
    shaped = None if numbers is None else fits(numbers, truth)
    if shaped is None or not np.all(np.isfinite(shaped)):
        return float("inf")
    with np.errstate(invalid="ignore", over="ignore"):
        errors = np.abs(shaped - truth) / np.maximum(allowed(truth, upstream, 1.0), SMALLEST)
    return float(np.max(errors, initial=0.0)) if np.all(np.isfinite(errors)) else float("inf")


def is_single(answer: Values | None) -> bool:
    """Is every value exactly representable in single precision?  Whole numbers say nothing about that."""
    if answer is None or answer.dtype.kind != "f":
        return False
    if np.all(answer == np.round(answer)):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.all(np.asarray(answer, np.float32).astype(float) == np.asarray(answer, float)))
