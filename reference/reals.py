"""Entrywise functions in floating point, real or complex.

Complex values carry a tiny imaginary part (complex step), so every function is continued analytically from the real
part, and where the real function is undefined the result is nan, never a complex branch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Number = Any  # numpy scalar or array, float64 or complex128


def real_part(x: Number) -> Number:
    """The real part; of a real number the number."""
    return np.asarray(x).real[()]


def pick(condition: Number, yes: Number, no: Number) -> Number:
    """Entry by entry `yes` or `no`; a number when all are numbers."""
    chosen: Number = np.where(condition, yes, no)
    return chosen[()]


def where_defined(f: Callable[[Number], Number], defined: Callable[[Number], Number]) -> Callable[[Number], Number]:
    """`f`, with nan wherever the real part is outside its domain."""

    def guarded(x: Number) -> Number:
        inside = defined(real_part(x))
        y = f(x)
        return y if np.all(inside) else pick(inside, y, np.nan)

    return guarded


def divide(a: Number, b: Number) -> Number:
    y = np.divide(a, b)
    return y if np.all(b) else pick(np.equal(b, 0), np.nan, y)


def power(a: Number, b: Number) -> Number:
    """a**b over the reals: nan for a negative base with a fractional exponent and for 0 to a negative power."""
    if np.iscomplexobj(b) and not np.any(np.imag(b)):
        b = real_part(b)
    y = np.power(a, b)
    base, exponent = real_part(a), real_part(b)
    wrong = ((base < 0) & (exponent != np.round(exponent))) | ((base == 0) & (exponent < 0))
    return pick(wrong, np.nan, y) if np.any(wrong) else y


def absolute(x: Number) -> Number:
    return pick(real_part(x) < 0, -x, x) if np.iscomplexobj(x) else np.abs(x)


def sign(x: Number) -> Number:
    return np.sign(real_part(x))


def step(x: Number) -> Number:
    return pick(real_part(x) > 0, 1.0, 0.0)


def choose(condition: Number, yes: Number, no: Number) -> Number:
    return pick(real_part(condition) > 0, yes, no)


def maximum(a: Number, b: Number) -> Number:
    return pick(real_part(a) >= real_part(b), a, b)


def minimum(a: Number, b: Number) -> Number:
    return pick(real_part(a) <= real_part(b), a, b)


def cube_root(x: Number) -> Number:
    return sign(x) * absolute(x) ** (1 / 3) if np.iscomplexobj(x) else np.cbrt(x)


def sigmoid(x: Number) -> Number:
    small = np.exp(-absolute(x))  # never overflows
    return pick(real_part(x) >= 0, 1 / (1 + small), small / (1 + small))


def softplus(x: Number) -> Number:
    return maximum(x, 0.0) + np.log1p(np.exp(-absolute(x)))


_erf = np.vectorize(math.erf, otypes=[float])
_gamma = np.vectorize(lambda x: math.gamma(x) if x > 0 or x != int(x) else math.nan, otypes=[float])


def erf(x: Number) -> Number:
    """For complex x to first order in the imaginary part, which is what a complex step needs."""
    y = _erf(real_part(x))[()]
    return y + 1j * np.imag(x) * 2 / math.sqrt(math.pi) * np.exp(-(real_part(x) ** 2)) if np.iscomplexobj(x) else y


def gelu(x: Number) -> Number:
    return x * (1 + erf(x / math.sqrt(2))) / 2


def factorial(x: Number) -> Number:
    try:
        return _gamma(real_part(x) + 1)[()]
    except OverflowError:
        return np.full(np.shape(x), np.inf)[()]


def binomial(n: Number, k: Number) -> Number:
    def one(n: float, k: float) -> float:
        if n == int(n) >= 0 and k == int(k):
            return float(math.comb(int(n), int(k))) if k >= 0 else 0.0
        try:
            return math.gamma(n + 1) / (math.gamma(k + 1) * math.gamma(n - k + 1))
        except (ValueError, OverflowError):
            return math.nan

    return np.vectorize(one, otypes=[float])(real_part(n), real_part(k))[()]


log = where_defined(np.log, lambda x: x > 0)
log2 = where_defined(np.log2, lambda x: x > 0)
log10 = where_defined(np.log10, lambda x: x > 0)
sqrt = where_defined(np.sqrt, lambda x: x >= 0)
arcsin = where_defined(np.arcsin, lambda x: np.abs(x) <= 1)
arccos = where_defined(np.arccos, lambda x: np.abs(x) <= 1)
arccosh = where_defined(np.arccosh, lambda x: x >= 1)
arctanh = where_defined(np.arctanh, lambda x: np.abs(x) < 1)
