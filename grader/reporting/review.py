"""review.csv: what needs a person, and the person's word read back.  A row that a person filled in is never changed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.model import Decision, Finding, Report
from grader.reporting import lines
from grader.reporting.csv_gradebook import cell
from grader.reporting.html import anchor, place

COLUMNS = ("student", "item", "possible", "why", "where", "read_as", "link", "points", "reason", "by")
OWN = ("points", "reason", "by")  # a person's columns
LONGEST_POINTS = 20
NUMBER = re.compile(r"\s*(\d{1,6})(?:[.,](\d{1,6})|\s*/\s*(\d{1,6}))?\s*")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken in; it stays in the file and has no effect."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a review.csv says: decisions, rows with trouble, every row a person touched as it stands, and the others."""

    decisions: tuple[Decision, ...] = ()
    bad: tuple[BadRow, ...] = ()
    rows: tuple[tuple[tuple[str, str], ...], ...] = ()
    empty: tuple[tuple[str, str], ...] = ()  # student and item of the rows nobody filled in


def render(reports: Sequence[Report], files: dict[str, str], before: Reviewed | None = None) -> str:
    """review.csv for a class: every item that needs a person, and every row a person ever filled in.

    `files` maps a student to the file of the report, without suffix.  Rows filled in in `before` keep the person's
    columns to the letter, unless a person decided otherwise elsewhere since; such decisions are shown there too.
    """
    before = before or Reviewed()
    own = {(dict(row)["student"], dict(row)["item"]): dict(row) for row in before.rows}
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for report in reports:
        decided = {decision.item: decision for decision in report.decisions}
        for finding in report.findings:
            key = (cell(report.student), cell(finding.item))
            kept = own.pop(key, None)
            if not (finding.verdict.pending or kept or finding.item in decided):
                continue
            row = _row(report, finding, files)
            decision = decided.get(finding.item)
            if kept and not _overruled(kept, decision):
                row |= {column: kept.get(column, "") for column in OWN}
            elif decision:
                row |= {"points": str(decision.points), "reason": cell(decision.reason), "by": cell(decision.by)}
            writer.writerow(row)
    for row in own.values():  # students or items that are gone: the person's words stay
        writer.writerow({column: row.get(column, "") for column in COLUMNS})
    return out.getvalue()


def read(text: str) -> Reviewed:
    """What a person wrote into review.csv.  Accepts `,` `;` or tab between columns and a byte order mark."""
    text = text.removeprefix("\ufeff")
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, restkey="more")
    decisions: list[Decision] = []
    bad: list[BadRow] = []
    rows: list[tuple[tuple[str, str], ...]] = []
    empty: list[tuple[str, str]] = []
    missing = [column for column in ("student", "item", "points", "reason") if column not in (reader.fieldnames or ())]
    if missing:
        return Reviewed(bad=(BadRow(1, f"review.csv has no column `{'`, `'.join(missing)}`."),))
    for raw in reader:
        row = {str(key): value for key, value in raw.items() if isinstance(value, str)}
        student, item = row.get("student", "").removeprefix("'"), row.get("item", "").removeprefix("'")
        if not any(row.get(column, "").strip() for column in OWN):
            empty.append((student, item))
            continue
        rows.append(tuple((column, row.get(column, "")) for column in COLUMNS))
        points = parse_points(row.get("points", ""))
        if points is None:
            message = f"points must be a number such as 2, 1.5 or 3/2, not {row.get('points', '').strip()!r}."
            bad.append(BadRow(reader.line_num, message))
            continue
        decisions.append(Decision(student, item, points, row.get("reason", "").strip(), row.get("by", "").strip()))
    return Reviewed(tuple(decisions), tuple(bad), tuple(rows), tuple(empty))


def parse_points(text: str) -> Fraction | None:
    """`2`, `1.5`, `1,5`, `3/2` as an exact fraction; None for anything else."""
    match = NUMBER.fullmatch(text) if len(text) <= LONGEST_POINTS else None
    if match is None:
        return None
    whole, decimals, below = match.groups()
    if below is not None:
        return Fraction(int(whole), int(below)) if int(below) else None
    return Fraction(f"{whole}.{decimals}") if decimals else Fraction(int(whole))


def admit(decision: Decision, report: Report | None) -> str:
    """Why a decision cannot count for a report; empty when it can."""
    if report is None:
        return f"there is no student {decision.student!r}."
    finding = next((f for f in report.findings if f.item == decision.item), None)
    if finding is None:
        return f"{decision.student} has no item {decision.item!r}."
    if decision.points > finding.points:
        return f"{decision.points} points are more than the {finding.points} that {decision.item} is worth."
    return ""


def _overruled(kept: dict[str, str], decision: Decision | None) -> bool:
    """Did a person decide otherwise since this row was filled in?  A row that says no points was never taken in."""
    points = parse_points(kept["points"])
    return decision is not None and points is not None and points != decision.points


def _row(report: Report, finding: Finding, files: dict[str, str]) -> dict[str, str]:
    file = files.get(report.student, "")
    return {
        "student": cell(report.student),
        "item": cell(finding.item),
        "possible": lines.points(finding.points),
        "why": cell(f"{finding.verdict}: {finding.message or finding.note}"),
        "where": cell(place(finding.where)),
        "read_as": cell(finding.read_as),
        "link": f"reports/{file}.html#{anchor(finding.item)}" if file else "",
        "points": "",
        "reason": "",
        "by": "",
    }
