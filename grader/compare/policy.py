"""What a question accepts as the same."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Layout = Literal["column", "row"]
MAX_DIGITS = 50


@dataclass(frozen=True, slots=True)
class Policy:
    """How strictly an answer is compared.

    layouts     shapes accepted where the truth is a vector: as a column, as a row, or both (a gradient is often either)
    transposed  is the transpose of a matrix accepted too (numerator against denominator layout)?
    decimals    significant digits to which a decimal answer must be right; None: answers are exact
    rounding    "nearest": at most half a unit of the last of those digits off; "unit": a whole unit, so that cutting
                digits off is as good as rounding them
    places      the same, counted as digits after the point
    tolerance   relative error accepted instead, if the question states one
    partly      does "equal, but undefined on part of the domain" earn the points ("credit") or not ("no")?
    """

    layouts: tuple[Layout, ...] = ("column", "row")
    transposed: bool = False
    decimals: int | None = None
    places: int | None = None
    rounding: Literal["nearest", "unit"] = "unit"
    tolerance: Fraction | None = None
    partly: Literal["credit", "no"] = "credit"

    @property
    def exact(self) -> bool:
        return self.decimals is None and self.places is None and self.tolerance is None


EXACT = Policy()
