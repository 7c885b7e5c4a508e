"""Decimal answers: how far from the truth they may be, by the question's policy."""

from __future__ import annotations

from fractions import Fraction

from flint import arb, fmpq

from grader.compare.policy import Policy


def within(truth: arb, answer: arb, difference: arb, policy: Policy) -> str:
    """agrees, differs or open: is the answer within the policy's tolerance of the truth?"""
    limit = allowed(truth, policy)
    if limit is None:
        return "open"
    size = abs(difference)
    if size <= limit:
        return "agrees"
    return "differs" if size > limit else "open"


def allowed(truth: arb, policy: Policy) -> arb | None:
    """The largest error accepted for this value; None where the value is not known well enough to say.

    With `decimals = 4` the unit is that of the fourth significant digit of the truth; zero must be met to 10^-4.
    """
    if policy.tolerance is not None:
        return abs(truth) * _ball(policy.tolerance)
    if policy.places is not None:
        unit = _ball(Fraction(1, 10**policy.places))
        return (unit / 2 if policy.rounding == "nearest" else unit) * _ball(1 + Fraction(1, 10**12))
    assert policy.decimals is not None
    if truth.contains(0):
        return (
            _ball(Fraction(1, 10**policy.decimals)) if truth.abs_upper() < arb(10) ** (-policy.decimals - 3) else None
        )
    magnitude = (abs(truth).log() / arb(10).log()).floor()
    if not magnitude.is_exact():
        upper = abs(truth).upper().log() / arb(10).log()
        magnitude = upper.floor().lower().floor()
        if not magnitude.is_exact():
            magnitude = magnitude.mid()
    unit = arb(10) ** (magnitude - policy.decimals + 1)
    half = unit / 2 if policy.rounding == "nearest" else unit
    return half * _ball(1 + Fraction(1, 10**12))


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))
