"""What a platform wants of a report: a student's points, or the reason why there are none yet."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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

    exact: Mapping[str, Report]
    by_id: Mapping[str, Report]  # folded, those that one student only has
    by_name: Mapping[str, Report]
    shared: frozenset[str]  # names that several rows of the sheet bear: no row is told by one of them

    def find(self, ids: Iterable[str], names: Iterable[str] = ()) -> Report | None:
        """The report of the first id that is known, else of the first name that is one student's only."""
        for one in ids:
            if one in self.exact:
                return self.exact[one]
            for key in (folded(one), folded(one.split("@", 1)[0])):
                if key and key in self.by_id:
                    return self.by_id[key]
        for name in names:
            for key in (folded(name), folded(_turned(name))):
                if key and key in self.by_name and folded(name) not in self.shared:
                    return self.by_name[key]
        return None


def _turned(name: str) -> str:
    """ "Lovelace, Ada" as "Ada Lovelace"."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name


def roster(reports: Sequence[Report], names: Iterable[str] = ()) -> Roster:
    """The reports by what identifies their students.  `names` are those of all the sheet's rows."""
    rows = Counter(folded(name) for name in names)
    return Roster(
        {report.student: report for report in reports},
        _unique((folded(report.student), report) for report in reports),
        _unique((folded(report.name), report) for report in reports),
        frozenset(name for name, count in rows.items() if count > 1),
    )


def _unique(pairs: Iterable[tuple[str, Report]]) -> dict[str, Report]:
    """The reports by keys, without the keys that several have."""
    found = list(pairs)
    counts = Counter(key for key, _ in found)
    return {key: report for key, report in found if key and counts[key] == 1}


def missing(reports: Sequence[Report], found: Iterable[Report]) -> tuple[Warned, ...]:
    """Warnings for the students that no row of the sheet belongs to."""
    students = {report.student for report in found}
    message = "No row of the sheet belongs to this student; enter the grade by hand."
    return tuple(Warned("no_row", r.student, message) for r in reports if r.student not in students)
