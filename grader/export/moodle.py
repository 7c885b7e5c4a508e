"""Moodle's offline grading worksheet, filled in; every byte outside the grade cells stays what it was.

Headers are in the site's language, so columns are told by known names first and by what stands in them second.
Moodle skips without a word a row whose grade is empty, negative, above the maximum, unchanged, locked, or changed on
the site since the download: each such row is warned about here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.export.grades import Filled, Warned, WrongSheet, folded, missing, number, parse_number, roster, waits
from grader.export.sheets import Cell, Sheet, read_sheet, write_sheet
from grader.model import Report

# Folded names of the columns in the languages they were seen in.
GRADE = frozenset(
    {"grade", "bewertung", "note", "nota", "calificacion", "qualificacio", "valutazione", "cijfer", "karakter"}
    | {"betyg", "karakter", "ocena", "hodnoceni", "ertekeles", "arvosana", "not", "oцenka", "puntuacion"}
)
IDENTIFIER = frozenset(
    {"identifier", "id", "kennung", "identifikator", "identificador", "identifiant", "identificativo"}
)
NAME = frozenset(
    {"full name", "vollstandiger name", "nombre completo", "nom complet", "nome completo", "volledige naam", "name"}
    | {"cognome nome", "nom et prenom", "fullt navn", "nombre", "nome"}
)
EMAIL = frozenset({"email address", "e-mail-adresse", "email", "e-mail", "direccion de correo", "adresse de courriel"})
NUMBER = frozenset({"id number", "id-nummer", "matrikelnummer", "numero de id", "numero d'identification", "idnumber"})
NO = frozenset({"no", "nein", "non", "nee", "nao", "nie", "nej", "nei", "ne", "nem", "ei", "hayir", "0", "false"})
LOCKED = frozenset({"locked", "gesperrt", "bloqueado", "verrouille", "bloccato", "vergrendeld"})
EMPTY = frozenset({"", "-", "–"})

_PARTICIPANT = re.compile(r"[^\d]*?(\d+)")


@dataclass(frozen=True, slots=True)
class Columns:
    """Numbers of the worksheet's columns."""

    identifier: int
    grade: int
    maximum: int | None
    changeable: int | None
    graded: int | None  # when the grade was last changed on the site
    name: int | None
    email: int | None
    number: int | None


def fill(data: bytes, reports: Sequence[Report], grade_column: str = "") -> Filled:
    """The worksheet with the reports' grades.  Errors: WrongSheet."""
    sheet = read_sheet(data)
    columns = find_columns(sheet, grade_column)
    sign = _decimal_sign(sheet, columns)
    people = roster(reports, [sheet.value(row, columns.name) for row in sheet.rows[1:]])
    changes: dict[Cell, str] = {}
    warnings: list[Warned] = []
    found: list[Report] = []
    for row in sheet.rows[1:]:
        report = people.find(_ids(sheet, row, columns), [sheet.value(row, columns.name)])
        if report is None:
            who = sheet.value(row, columns.name) or sheet.value(row, columns.identifier)
            warnings.append(Warned("no_report", who, "There is no report for this row; its grade was left as it is."))
            continue
        found.append(report)
        if columns.grade >= len(row):
            warnings.append(Warned("short_row", report.student, "The row is too short to hold a grade."))
            continue
        old = row[columns.grade]
        new, said = _decide(sheet, row, columns, report, sign)
        warnings += said
        if new is not None and new != old.value:
            changes[old] = new
    grades = sum(bool(value) for value in changes.values())
    return Filled(write_sheet(sheet, changes), grades, (*warnings, *missing(reports, found)))


def _decide(
    sheet: Sheet, row: tuple[Cell, ...], columns: Columns, report: Report, sign: str
) -> tuple[str | None, list[Warned]]:
    """The cell's new value (None: as it is), and what the instructor has to know about the row."""
    student, earned = report.student, report.score.earned
    old = sheet.value(row, columns.grade)
    if waits(report):
        message = f"{number(report.score.pending)} points still wait for a person; the grade was left empty."
        return "", [Warned("pending", student, message)]
    if sheet.value(row, columns.changeable) and folded(sheet.value(row, columns.changeable)) in NO | LOCKED:
        message = "Moodle says this grade can't be changed (it is locked or overridden); it would skip the row."
        return None, [Warned("locked", student, message)]
    maximum = parse_number(sheet.value(row, columns.maximum))
    if earned < 0:
        return None, [Warned("negative", student, f"{number(earned)} is negative; Moodle would skip the row.")]
    if maximum is not None and earned > maximum:
        message = f"{number(earned)} is above Moodle's maximum of {number(maximum)}; Moodle would skip the row."
        return None, [Warned("above_maximum", student, message)]
    said: list[Warned] = []
    if maximum is not None and maximum != report.score.possible:
        message = f"Moodle's maximum is {number(maximum)}, the problem has {number(report.score.possible)} points."
        said.append(Warned("other_maximum", student, message))
    before = parse_number(old)
    if before is not None and before == _rounded(earned):
        said.append(Warned("unchanged", student, "The grade is what it was; Moodle skips the row."))
        return None, said
    if before is not None or folded(sheet.value(row, columns.graded)) not in EMPTY:
        message = "There is a grade on the site; if it was changed after the download, Moodle skips the row."
        said.append(Warned("graded_before", student, message))
    return number(earned, sign=sign), said


def _rounded(value: Fraction) -> Fraction:
    return Fraction(number(value))


def _ids(sheet: Sheet, row: tuple[Cell, ...], columns: Columns) -> list[str]:
    """What may be the student's id: the participant's number, the id number, the mail address."""
    participant = _PARTICIPANT.fullmatch(sheet.value(row, columns.identifier))
    found = [participant.group(1)] if participant else []
    return [*found, sheet.value(row, columns.number), sheet.value(row, columns.email)]


def _decimal_sign(sheet: Sheet, columns: Columns) -> str:
    """The sign that the worksheet's own numbers use; a comma where fields are separated by semicolons else."""
    for row in sheet.rows[1:]:
        for column in (columns.maximum, columns.grade):
            found = re.fullmatch(r"-?\d+([.,])\d+", sheet.value(row, column))
            if found:
                return found.group(1)
    return "," if sheet.delimiter == ";" else "."


def find_columns(sheet: Sheet, grade_column: str = "") -> Columns:
    """The worksheet's columns.  Errors: WrongSheet."""
    header = [folded(name) for name in sheet.header]
    identifier = _named(header, IDENTIFIER)
    if identifier is None or not _are_participants(sheet, identifier):
        identifier = next((at for at in range(len(header)) if _are_participants(sheet, at)), identifier)
    if grade_column:
        grade = next((at for at, name in enumerate(sheet.header) if folded(name) == folded(grade_column)), None)
    else:
        grade = _named(header, GRADE)
    maximum = _maximum(sheet, grade)
    if grade is None and not grade_column and maximum is not None:
        grade = maximum - 1
    if grade is None or identifier is None:
        what = "grade" if grade is None else "identifier"
        names = ", ".join(sheet.header)
        raise WrongSheet(f"no column of this file is the {what}; its columns are: {names}. Name it with --column.")
    behind = maximum + 1 if maximum is not None and maximum + 1 < len(header) else None
    modified = behind + 2 if behind is not None and behind + 2 < len(header) else None
    name = _named(header, NAME)
    return Columns(
        identifier,
        grade,
        maximum,
        behind,
        modified,
        name,
        _named(header, EMAIL) or _mails(sheet),
        _named(header, NUMBER),
    )


def _named(header: list[str], names: frozenset[str]) -> int | None:
    return next((at for at, name in enumerate(header) if name in names), None)


def _are_participants(sheet: Sheet, column: int) -> bool:
    values = [sheet.value(row, column) for row in sheet.rows[1:]]
    return bool(values) and all(re.fullmatch(r"[^\d@]{2,40}?\d+", value) for value in values)


def _mails(sheet: Sheet) -> int | None:
    for at in range(len(sheet.header)):
        values = [sheet.value(row, at) for row in sheet.rows[1:]]
        if values and all("@" in value for value in values):
            return at
    return None


def _maximum(sheet: Sheet, grade: int | None) -> int | None:
    """The column behind the grade that has one and the same positive number in every row."""
    for at in range(1 if grade is None else grade + 1, len(sheet.header)):
        values = {parse_number(sheet.value(row, at)) for row in sheet.rows[1:]}
        if len(values) == 1 and (value := values.pop()) is not None and value > 0:
            return at
        if grade is not None:
            return None
    return None
