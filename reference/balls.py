"""Entrywise functions in ball arithmetic.  A ball that touches where a function is undefined gives a non-finite ball.

Source: Johansson 2017, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic.
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb, fmpq

UNDEFINED = arb("nan")
HALF = fmpq(1, 2)
MAX_WHOLE = 2**40  # flint ends the process when asked for the digits of a number with an enormous exponent


def exact(value: int | Fraction) -> arb:
    """A ball around an exact number, of the precision in force."""
    if isinstance(value, Fraction):
        return arb(fmpq(value.numerator, value.denominator))
    return arb(value)


def divide(a: arb, b: arb) -> arb:
    return UNDEFINED if b.contains(0) else a / b


def power(a: arb, b: arb) -> arb:
    """a**b over the reals: 0**0 = 1, a negative base only with an exact integer exponent."""
    if b.is_exact() and b.is_integer():
        if a.contains(0) and not a.is_zero() and abs(b) < MAX_WHOLE:  # flint's own rule gives up on a ball around zero
            return UNDEFINED if b < 0 else whole_power(a, int(b.unique_fmpz()))
        return UNDEFINED if b < 0 and a.contains(0) else a**b
    if a > 0 or (a.is_zero() and b > 0):
        return a**b
    return UNDEFINED


def whole_power(a: arb, exponent: int) -> arb:
    """a**exponent by squaring, for a whole exponent of zero or more."""
    result, square = arb(1), a
    while exponent:
        if exponent & 1:
            result = result * square
        exponent >>= 1
        if exponent:
            square = square * square
    return result


def cube_root(x: arb) -> arb:
    if x.is_zero():
        return arb(0)
    if x > 0:
        return x.root(3)
    return -((-x).root(3)) if x < 0 else UNDEFINED


def step(x: arb) -> arb:
    if x > 0:
        return arb(1)
    return arb(0) if x <= 0 else arb(0.5, 0.5)


def choose(condition: arb, yes: arb, no: arb) -> arb:
    if condition > 0:
        return yes
    return no if condition <= 0 else yes.union(no)


def sigmoid(x: arb) -> arb:
    return 1 / (1 + (-x).exp())


def softplus(x: arb) -> arb:
    return x.exp().log1p() if x < 0 else x + (-x).exp().log1p()


def gelu(x: arb) -> arb:
    return x * (1 + (x / arb(2).sqrt()).erf()) / 2


def factorial(x: arb) -> arb:
    return (x + 1).gamma()


def binomial(n: arb, k: arb) -> arb:
    return (n + 1).gamma() * (k + 1).rgamma() * (n - k + 1).rgamma()


def log2(x: arb) -> arb:
    return x.log() / arb(2).log()


def log10(x: arb) -> arb:
    return x.log() / arb(10).log()
