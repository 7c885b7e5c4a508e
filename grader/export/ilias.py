"""ILIAS' status sheet of an exercise (saved as CSV), filled in: `update`, `status`, `mark`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from grader.export.grades import Filled, Warned, WrongSheet, folded, missing, number, roster, waits
from grader.export.sheets import Cell, read_sheet, write_sheet
from grader.model import Report

NEEDED = ("update", "login", "status", "mark")
PASSED, FAILED = "passed", "failed"
PASS_SHARE = Fraction(1, 2)


def fill(data: bytes, reports: Sequence[Report], column: str = "mark", passed_from: Fraction = PASS_SHARE) -> Filled:
    """The sheet with marks, and passed or failed by the share of the points.  Errors: WrongSheet."""
    sheet = read_sheet(data)
    header = [folded(name) for name in sheet.header]
    lacking = [name for name in NEEDED if name not in header]
    if lacking:
        raise WrongSheet(f"an ILIAS status sheet has the columns {', '.join(NEEDED)}; missing: {', '.join(lacking)}")
    at = {name: header.index(name) for name in header}
    mark = at.get(folded(column or "mark"), at["mark"])
    names = [
        f"{sheet.value(row, at.get('firstname'))} {sheet.value(row, at.get('lastname'))}" for row in sheet.rows[1:]
    ]
    people = roster(reports, names)
    changes: dict[Cell, str] = {}
    warnings: list[Warned] = []
    found: list[Report] = []
    for row in sheet.rows[1:]:
        login = sheet.value(row, at["login"])
        name = f"{sheet.value(row, at.get('firstname'))} {sheet.value(row, at.get('lastname'))}"
        report = people.find([login, sheet.value(row, at.get("usr_id"))], [name])
        if report is None:
            warnings.append(Warned("no_report", login, "There is no report for this row; it was left as it is."))
            continue
        found.append(report)
        if waits(report):
            message = f"{number(report.score.pending)} points still wait for a person; the mark was left empty."
            warnings.append(Warned("pending", report.student, message))
            continue
        if max(mark, at["status"], at["update"]) >= len(row):
            warnings.append(Warned("short_row", report.student, "The row is too short to hold a mark."))
            continue
        passed = report.score.earned >= passed_from * report.score.possible
        changes[row[mark]] = number(report.score.earned)
        changes[row[at["status"]]] = PASSED if passed else FAILED
        changes[row[at["update"]]] = "1"
    return Filled(write_sheet(sheet, changes), len(changes) // 3, (*warnings, *missing(reports, found)))
