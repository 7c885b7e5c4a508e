"""Numbers drawn inside a one-dimensional domain: exact, seeded, and stratified by size.

A draw is an exact rational whose denominator is a prime of at least 7, so that it never sits on the kinks and poles
that exercises put at integers, halves and tenths: what happens on a set of measure zero decides nothing.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Stratum = Literal["moderate", "near_zero", "tiny", "large", "huge", "low_edge", "high_edge", "mixed"]

# One point per element, in this order; the first ones are the ones a person can follow in a witness.
SCALAR_PLAN: tuple[Stratum, ...] = (
    "moderate",
    "moderate",
    "moderate",
    "moderate",
    "near_zero",
    "large",
    "mixed",
    "moderate",
    "low_edge",
    "high_edge",
    "tiny",
    "mixed",
    "near_zero",
    "moderate",
    "large",
    "moderate",
    "mixed",
    "huge",
    "moderate",
    "tiny",
    "moderate",
)
# Arrays have many entries each, so fewer points see as much.
ARRAY_PLAN: tuple[Stratum, ...] = (
    "moderate",
    "moderate",
    "moderate",
    "mixed",
    "moderate",
    "near_zero",
    "large",
    "moderate",
    "mixed",
    "moderate",
)
PRIMES = (7, 11, 13, 17, 19, 23)
INTEGER_REACH = 9  # |n| for an integer without bounds


@dataclass(frozen=True, slots=True)
class Interval:
    """Where one real number may lie.  `None` is unbounded, `open` excludes the ends."""

    lo: Fraction | None = None
    hi: Fraction | None = None
    integer: bool = False
    nonzero: bool = False
    open: bool = False

    @property
    def empty(self) -> bool:
        if self.lo is None or self.hi is None:
            return False
        if self.integer:
            whole = range(-(-self.lo.numerator // self.lo.denominator), self.hi.numerator // self.hi.denominator + 1)
            return not [n for n in (whole if len(whole) < 3 else whole[:3]) if n or not self.nonzero]
        return self.lo > self.hi or (self.lo == self.hi and (self.open or (self.nonzero and self.lo == 0)))

    def holds(self, value: Fraction) -> bool:
        """Is the value inside?  Ends belong to a closed interval."""
        if self.lo is not None and (value < self.lo or (self.open and value == self.lo)):
            return False
        if self.hi is not None and (value > self.hi or (self.open and value == self.hi)):
            return False
        return not (self.integer and value.denominator != 1) and not (self.nonzero and value == 0)


def seeded(*content: str) -> random.Random:
    """A generator that depends on the content alone: the same in every process and on every machine."""
    digest = hashlib.sha256("\x1f".join(content).encode("utf-8", "surrogatepass")).digest()
    return random.Random(int.from_bytes(digest[:16], "big"))  # noqa: S311  # points, not secrets


def generic(low: float, high: float, rng: random.Random) -> Fraction:
    """A rational with a prime denominator in [low, high], never an integer.  Needs 0 < low < high."""
    prime = rng.choice(PRIMES)
    while (high - low) * prime < 4:  # fine enough to have room between the ends
        prime *= rng.choice(PRIMES)
    first, last = int(low * prime) + 1, int(high * prime)
    for _ in range(20):
        numerator = rng.randint(first, max(first, last))
        if numerator % prime:
            return Fraction(numerator, prime)
    return Fraction(first * prime + 1, prime * prime)


def draw(interval: Interval, stratum: Stratum, rng: random.Random) -> Fraction:
    """One number of the interval.  The interval must not be empty."""
    if interval.integer:
        return _whole(interval, rng)
    if interval.lo is not None and interval.hi is not None:
        return _bounded(interval.lo, interval.hi, stratum, rng)
    if interval.lo is None and interval.hi is None:
        return -_magnitude(stratum, rng) if rng.random() < 0.5 else _magnitude(stratum, rng)
    if interval.lo is not None:
        return interval.lo + _magnitude(stratum, rng)
    assert interval.hi is not None
    return interval.hi - _magnitude(stratum, rng)


def _magnitude(stratum: Stratum, rng: random.Random) -> Fraction:
    if stratum == "mixed":
        stratum = rng.choice(("near_zero", "moderate", "large"))
    if stratum in ("near_zero", "low_edge"):
        return generic(0.02, 0.4, rng)
    if stratum == "tiny":
        return generic(0.1, 2, rng) * Fraction(1, 10 ** rng.randint(3, 8))
    if stratum == "large":
        return generic(4, 30, rng)
    if stratum in ("huge", "high_edge"):
        return generic(50, 900, rng)
    return generic(0.4, 4, rng)


def _bounded(lo: Fraction, hi: Fraction, stratum: Stratum, rng: random.Random) -> Fraction:
    width = hi - lo
    if width == 0:
        return lo
    part = generic(0.001, 1, rng) if stratum != "tiny" else generic(0.001, 1, rng) / 10**5
    if stratum == "low_edge":
        return lo + width * part / 50
    if stratum == "high_edge":
        return hi - width * part / 50
    if stratum in ("near_zero", "tiny") and lo <= 0 <= hi:
        return (hi if rng.random() < hi / width else lo) * part / (20 if stratum == "near_zero" else 1)
    if stratum == "tiny":
        return lo + width * part if rng.random() < 0.5 else hi - width * part
    if part == 1:
        part = Fraction(6, 7)
    return lo + width * part


def _whole(interval: Interval, rng: random.Random) -> Fraction:
    lo = interval.lo if interval.lo is not None else (interval.hi or Fraction(0)) - INTEGER_REACH
    hi = interval.hi if interval.hi is not None else (interval.lo or Fraction(0)) + INTEGER_REACH
    if interval.lo is None and interval.hi is None:
        lo, hi = Fraction(-INTEGER_REACH), Fraction(INTEGER_REACH)
    first, last = -(-lo.numerator // lo.denominator), hi.numerator // hi.denominator
    for _ in range(50):
        value = Fraction(rng.randint(first, last))
        if interval.holds(value):
            return value
    return next(Fraction(n) for n in range(first, last + 1) if interval.holds(Fraction(n)))
