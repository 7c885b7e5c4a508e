"""What a platform wants of a report: a student's points, or the reason why there are none yet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from grader.model import Report

DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the instructor has to know about a row; `note` is a stable tag."""

    note: str
    student: str
    message: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A file filled in, how many grades it holds, and what to know about the rest."""

    data: bytes
    grades: int
    warnings: tuple[Warned, ...]


class WrongSheet(ValueError):
    """The file is not the sheet it should be; the message says what is missing and how to get it."""


def waits(report: Report) -> bool:
    """Does an item still wait for a person?  Then no grade leaves the house."""
    return report.score.pending > 0


def number(value: Fraction, decimals: int = DECIMALS, sign: str = ".") -> str:
    """The points as a decimal number, halves rounded up."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    text = str(exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))
    return text.replace(".", sign)


def parse_number(text: str) -> Fraction | None:
    """A number written with a decimal point or a decimal comma; None for anything else."""
    found = re.fullmatch(r"\s*(-?\d{1,9})(?:[.,](\d{1,9}))?\s*%?\s*", text)
    if found is None:
        return None
    return Fraction(f"{found.group(1)}.{found.group(2) or '0'}")


def folded(text: str) -> str:
    """A name or id for comparing: no case, no accents, one space between words."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


@dataclass(frozen=True, slots=True)
class Roster:
    """Finds the report that a row of a sheet belongs to: by id, by login, by mail address, by a name nobody shares."""

    by_id: dict[str, Report]
    by_name: dict[str, Report]

    def find(self, ids: Iterable[str], names: Iterable[str] = ()) -> Report | None:
        """The report of the first id that is known, else of the first name that is one student's only."""
        for one in ids:
            for key in (folded(one), folded(one.split("@", 1)[0])):
                if key and key in self.by_id:
                    return self.by_id[key]
        for name in names:
            for key in (folded(name), folded(_turned(name))):
                if key and key in self.by_name:
                    return self.by_name[key]
        return None


def _turned(name: str) -> str:
    """ "Lovelace, Ada" as "Ada Lovelace"."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name


def roster(reports: Sequence[Report]) -> Roster:
    """The reports by what identifies their students."""
    names = [folded(report.name) for report in reports]
    return Roster(
        {folded(report.student): report for report in reports},
        {folded(r.name): r for r in reports if r.name and names.count(folded(r.name)) == 1},
    )


def missing(reports: Sequence[Report], found: Iterable[Report]) -> tuple[Warned, ...]:
    """Warnings for the students that no row of the sheet belongs to."""
    students = {report.student for report in found}
    message = "No row of the sheet belongs to this student; enter the grade by hand."
    return tuple(Warned("no_row", r.student, message) for r in reports if r.student not in students)
