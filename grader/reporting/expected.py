"""Expected outcomes of a sample class: read them, compare a report with them (docs/reports.md, *Expected outcomes*)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from fractions import Fraction

from grader.model import Finding, Report, Verdict

POINTS = re.compile(r"\d+(?:\.\d+)?(?:/\d+)?")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one item must come to; an empty note and points None are not compared."""

    verdict: Verdict
    note: str = ""
    points: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one student must come to; what is None is not compared."""

    items: tuple[tuple[str, Outcome], ...]
    total: Fraction | None = None
    pending: Fraction | None = None
    default: Outcome | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    student: str
    what: str  # an item, "total", "pending", "remarks"
    expected: str
    found: str


def load(text: str) -> dict[str, Expectation]:
    """The expectations in the text of an expected.toml, by student.  Errors: ValueError naming student and key."""
    students = tomllib.loads(text).get("students", {})
    return {name: _expectation(name, table) for name, table in students.items()}


def compare(report: Report, expectation: Expectation) -> tuple[Difference, ...]:
    """Where a report is not what was expected; empty when it is."""
    found = {finding.item: finding for finding in report.findings}
    listed = dict(expectation.items)
    differences: list[Difference] = []
    for item, outcome in expectation.items:
        differences += _compare_item(report.student, item, outcome, found.get(item))
    for item, finding in found.items():
        if item not in listed and expectation.default:
            differences += _compare_item(report.student, item, expectation.default, finding)
    sums = (("total", expectation.total, report.score.earned), ("pending", expectation.pending, report.score.pending))
    for what, wanted, value in sums:
        if wanted is not None and wanted != value:
            differences.append(Difference(report.student, what, str(wanted), str(value)))
    noted = {remark.note for remark in report.remarks}
    missing = [note for note in expectation.remarks if note not in noted]
    if missing:
        differences.append(
            Difference(report.student, "remarks", ", ".join(missing), ", ".join(sorted(noted)) or "none")
        )
    return tuple(differences)


def parse_outcome(text: str) -> Outcome:
    """`INCORRECT jacobian.transposed 3/2`: verdict, then optionally a note, then optionally points."""
    words = text.split()
    if not words or words[0] not in Verdict.__members__ or len(words) > 3:
        raise ValueError(f"expected a verdict, then a note, then points, not {text!r}.")
    points = Fraction(words.pop()) if len(words) > 1 and POINTS.fullmatch(words[-1]) else None
    if len(words) > 2:
        raise ValueError(f"{words[2]!r} is no number of points.")
    return Outcome(Verdict[words[0]], words[1] if len(words) > 1 else "", points)


def _compare_item(student: str, item: str, outcome: Outcome, finding: Finding | None) -> list[Difference]:
    wanted = " ".join(
        part for part in (outcome.verdict, outcome.note, "" if outcome.points is None else str(outcome.points)) if part
    )
    if finding is None:
        return [Difference(student, item, wanted, "no such item")]
    same = (
        finding.verdict is outcome.verdict
        and (not outcome.note or finding.note == outcome.note)
        and (outcome.points is None or finding.earned == outcome.points)
    )
    found = " ".join(part for part in (finding.verdict, finding.note, str(finding.earned)) if part)
    return [] if same else [Difference(student, item, wanted, found)]


def _expectation(student: str, table: object) -> Expectation:
    try:
        if not isinstance(table, dict):
            raise ValueError("must be a table.")
        unknown = set(table) - {"total", "pending", "default", "remarks", "items", "name"}
        if unknown:
            raise ValueError(f"unknown key {', '.join(sorted(unknown))}.")
        return Expectation(
            tuple((item, parse_outcome(text)) for item, text in table.get("items", {}).items()),
            _number(table.get("total")),
            _number(table.get("pending", "0")),
            parse_outcome(table["default"]) if "default" in table else None,
            tuple(table.get("remarks", ())),
        )
    except (ValueError, TypeError, AttributeError) as trouble:
        raise ValueError(f"students.{student}: {trouble}") from trouble


def _number(value: object) -> Fraction | None:
    return None if value is None else Fraction(str(value))
