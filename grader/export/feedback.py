"""Feedback files for Moodle: one folder per student, named as in the download of the submissions."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence

from grader.export.grades import Filled, Warned, roster
from grader.export.moodle import find_columns
from grader.export.sheets import read_sheet
from grader.model import Report

FILE = "report.html"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same reports give the same archive
MAX_NAME = 120

_PARTICIPANT = re.compile(r"[^\d]*?(\d+)")


def pack(reports: Sequence[Report], pages: Mapping[str, bytes], worksheet: bytes | None = None) -> Filled:
    """A ZIP archive with `Full Name_<id>_assignsubmission_file_/report.html` for every student with a page.

    `pages` are the reports' pages by student.  Names and participants' numbers come from the worksheet when it is
    given, else from the reports of a class that was downloaded from Moodle.  Errors: WrongSheet.
    """
    known = _from_worksheet(worksheet, reports) if worksheet is not None else {}
    warnings: list[Warned] = []
    packed = io.BytesIO()
    count = 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for report in sorted(reports, key=lambda one: one.student):
            page = pages.get(report.student)
            name, number = known.get(report.student, (report.name, report.student))
            if page is None:
                warnings.append(Warned("no_page", report.student, "There is no page for this student."))
            elif not (name and number.isdigit()):
                message = "Moodle's name and number of this student are not known; give the worksheet with --file."
                warnings.append(Warned("no_row", report.student, message))
            else:
                info = zipfile.ZipInfo(f"{folder_name(name, number)}/{FILE}", EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                archive.writestr(info, page)
                count += 1
    return Filled(packed.getvalue(), count, tuple(warnings))


def folder_name(name: str, number: str) -> str:
    """The folder's name as Moodle makes it, without what a file's name can't hold."""
    clean = re.sub(r"[\\/:*?\"<>|\x00-\x1f]", "", name).strip(". ")[:MAX_NAME] or "student"
    return f"{clean}_{number}_assignsubmission_file_"


def _from_worksheet(worksheet: bytes, reports: Sequence[Report]) -> dict[str, tuple[str, str]]:
    """(full name, participant's number) by student."""
    sheet = read_sheet(worksheet)
    columns = find_columns(sheet)
    people = roster(reports, [sheet.value(row, columns.name) for row in sheet.rows[1:]])
    found: dict[str, tuple[str, str]] = {}
    for row in sheet.rows[1:]:
        participant = _PARTICIPANT.fullmatch(sheet.value(row, columns.identifier))
        if participant is None:
            continue
        ids = [participant.group(1), sheet.value(row, columns.number), sheet.value(row, columns.email)]
        name = sheet.value(row, columns.name)
        report = people.find(ids, [name])
        if report is not None:
            # Without names (blind marking) Moodle calls the folder by the identifier itself.
            found[report.student] = (name or sheet.value(row, columns.identifier), participant.group(1))
    return found
