"""Canvas' gradebook, filled in: one assignment's column, every byte outside its cells as it was.

Canvas knows an assignment by the number in its column's name, `Title (12345)`, and a student by the column `ID`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.export.grades import Filled, Warned, WrongSheet, folded, missing, number, parse_number, roster, waits
from grader.export.sheets import Cell, Sheet, read_sheet, write_sheet
from grader.model import Report

STUDENT, ID = "student", "id"
LOGINS = ("id", "sis login id", "sis user id", "integration id")
POSSIBLE = "points possible"
ASSIGNMENT = re.compile(r"(?P<title>.*\S)\s*\((?P<id>\d+)\)$")
TEST_STUDENT = frozenset({"student, test", "test student", "teststudent"})


def fill(data: bytes, reports: Sequence[Report], column: str = "") -> Filled:
    """The gradebook with the reports' grades in the column named by its title, its number, or both.

    Without a name it is the only assignment there is, or the one titled as the problem.  Errors: WrongSheet.
    """
    sheet = read_sheet(data)
    header = [folded(name) for name in sheet.header]
    if STUDENT not in header or ID not in header:
        raise WrongSheet("a Canvas gradebook has the columns Student and ID; export it from Grades → Export")
    target = find_assignment(sheet, column, reports[0].title if reports else "")
    possible, first = _possible(sheet, target)
    people = roster(reports, [sheet.value(row, header.index(STUDENT)) for row in sheet.rows[1:]])
    keys = [header.index(name) for name in LOGINS if name in header]
    changes: dict[Cell, str] = {}
    warnings: list[Warned] = []
    found: list[Report] = []
    for row in sheet.rows[first:]:
        name = sheet.value(row, header.index(STUDENT))
        report = people.find([sheet.value(row, at) for at in keys], [name])
        if report is None:
            if folded(name) not in TEST_STUDENT and name:
                warnings.append(Warned("no_report", name, "There is no report for this row; it was left as it is."))
            continue
        found.append(report)
        if target >= len(row):
            warnings.append(Warned("short_row", report.student, "The row is too short to hold a grade."))
            continue
        new, said = _decide(row[target].value.strip(), possible, report)
        warnings += said
        if new is not None and new != row[target].value:
            changes[row[target]] = new
    grades = sum(bool(value) for value in changes.values())
    return Filled(write_sheet(sheet, changes), grades, (*warnings, *missing(reports, found)))


def find_assignment(sheet: Sheet, column: str, title: str) -> int:
    """The number of the assignment's column.  Errors: WrongSheet, naming the columns there are."""
    assignments = {at: match for at, name in enumerate(sheet.header) if (match := ASSIGNMENT.match(name))}
    for at, match in assignments.items():
        if column and folded(column) in (folded(match.group()), folded(match.group("title")), match.group("id")):
            return at
    if not column and len(assignments) == 1:
        return next(iter(assignments))
    named = [at for at, match in assignments.items() if folded(match.group("title")) == folded(title)]
    if not column and len(named) == 1:
        return named[0]
    names = "; ".join(match.group() for match in assignments.values()) or "none"
    raise WrongSheet(f"say with --column which assignment is meant; the file has: {names}")


def _possible(sheet: Sheet, target: int) -> tuple[object, int]:
    """(points possible or None, the first row of students): the rows above hold no students."""
    for at, row in enumerate(sheet.rows[1:4], 1):
        if folded(row[0].value) == POSSIBLE:
            return parse_number(sheet.value(row, target)), at + 1
    return None, 1


def _decide(old: str, possible: object, report: Report) -> tuple[str | None, list[Warned]]:
    student, earned = report.student, report.score.earned
    if waits(report):
        message = f"{number(report.score.pending)} points still wait for a person; the grade was left empty."
        return "", [Warned("pending", student, message)]
    if old.upper() == "EX":
        return None, [Warned("locked", student, "The student is excused; the cell was left as it is.")]
    said: list[Warned] = []
    if isinstance(possible, type(earned)):
        if earned > possible:
            message = (
                f"{number(earned)} is above the {number(possible)} points possible; Canvas takes it as extra credit."
            )
            said.append(Warned("above_maximum", student, message))
        if possible != report.score.possible:
            message = f"Canvas has {number(possible)} points, the problem {number(report.score.possible)}."
            said.append(Warned("other_maximum", student, message))
    if earned < 0:
        return None, [Warned("negative", student, f"{number(earned)} is negative; the cell was left as it is.")]
    before = parse_number(old)
    if before is not None and number(before) == number(earned):
        return None, said
    if old:
        said.append(Warned("graded_before", student, f"The grade {old} on Canvas is replaced by {number(earned)}."))
    return number(earned), said
