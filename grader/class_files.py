"""The files of a class: reports, gradebook, class page, review list.  Written whole or not at all, never half."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.analytics import summarise
from grader.changes import take_in
from grader.model import Decision, Report
from grader.reporting import class_page, csv_gradebook, html, json_report, markdown, review
from grader.reporting.audience import for_student
from grader.store import Store

JOURNAL = "grader.sqlite"
REPORTS = "reports"
INSTRUCTOR = "instructor"
SEEN = "review_seen"  # setting: the decisions that review.csv showed when it was last written
REVIEW = "review.csv"
LONGEST_NAME = 80  # characters of a student's id that a file name keeps
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # names that Windows keeps for devices


@dataclass(frozen=True, slots=True)
class Written:
    """What the files of a class say in short."""

    reports: tuple[Report, ...]
    files: Mapping[str, str]  # student -> name of the report's file without suffix
    trouble: tuple[str, ...]  # rows of review.csv that could not be taken in


def file_names(students: Iterable[str]) -> dict[str, str]:
    """A file name for each student, different for different students on any file system, none leading elsewhere."""
    names = {student: _file_name(student) for student in students}
    taken: dict[str, list[str]] = {}
    for student, name in names.items():
        taken.setdefault(name.lower(), []).append(student)
    for sharing in taken.values():
        for student in sharing if len(sharing) > 1 else ():
            names[student] = f"{names[student]}-{_short_digest(student)}"
    return names


def write_whole(path: Path, text: str) -> None:
    """The text as the file's content: readers see the old file or the new one.  An equal file is left alone."""
    data = text.encode("utf-8", "replace")
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.write_bytes(data)
    beside.replace(path)


def clear_remains(out: Path) -> None:
    """Remove files that a run was writing when it was killed."""
    for path in (*out.glob(".*.new"), *out.glob("*/.*.new")):
        number = path.name.removesuffix(".new").rpartition(".")[2]
        if number.isdigit() and not _lives(int(number)):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    if os.name != "posix":  # asking would end it there
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_report(out: Path, name: str, report: Report) -> None:
    """One student's report in every form, as a student may see it."""
    shown = for_student(report)
    write_whole(out / REPORTS / f"{name}.json", json_report.render(shown))
    write_whole(out / REPORTS / f"{name}.md", markdown.render(shown))
    write_whole(out / REPORTS / f"{name}.html", html.render(shown))


def read_reports(store: Store) -> tuple[Report, ...]:
    """The class's reports with people's decisions, complete, in the order of the class."""
    decisions = store.decisions()
    return tuple(
        take_in(json_report.parse(verdict.report), decisions, verdict.share)
        for _student, verdict in store.class_verdicts()
    )


def write_class(out: Path, store: Store, title: str, *, for_instructor: bool = False) -> Written:
    """All files of a class from its journal.  A person's rows in review.csv are taken in first and stay as they are."""
    clear_remains(out)
    before = read_review(out)
    trouble = take_in_review(store, before)
    reports = read_reports(store)
    files = file_names(report.student for report in reports)
    for report in reports:
        write_report(out, files[report.student], report)
        if for_instructor:
            write_whole(out / INSTRUCTOR / f"{files[report.student]}.html", html.render(report))
    write_whole(out / "gradebook.csv", csv_gradebook.render(reports))
    write_whole(out / "class.html", class_page.render(title, reports, summarise(reports), files))
    write_whole(out / REVIEW, review.render(reports, dict(files), before))
    remember_review(store)
    return Written(reports, files, trouble)


def read_review(out: Path) -> review.Reviewed:
    """What a person wrote into review.csv; nothing where there is none.  Text that is no UTF-8 is read as Latin-1."""
    path = out / REVIEW
    if not path.is_file():
        return review.Reviewed()
    data = path.read_bytes()
    try:
        return review.read(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return review.read(data.decode("latin-1"))


def take_in_review(store: Store, reviewed: review.Reviewed) -> tuple[str, ...]:
    """Keep the decisions of review.csv that can count; the rest in words, with their lines.

    Only rows that changed since they were last taken in are decisions: an older row must not undo what a person
    decided in the review pages since.  A row that was emptied takes its decision back.
    """
    reports: dict[str, Report] = {
        student: json_report.parse(verdict.report) for student, verdict in store.class_verdicts()
    }
    spelt = {csv_gradebook.cell(student): student for student in reports}
    seen = _seen(store)
    trouble = [f"{REVIEW}:{row.line}: {row.message}" for row in reviewed.bad]
    for written in reviewed.decisions:
        decision = replace(written, student=spelt.get(written.student, written.student))
        why = review.admit(decision, reports.get(decision.student))
        if why:
            trouble.append(f"{REVIEW}: {why}")
        elif seen.get((decision.student, decision.item)) != _spelling(decision):
            store.decide([decision])
    for student, item in reviewed.empty:
        if (spelt.get(student, student), item) in seen:
            store.undecide(spelt.get(student, student), item)
    return tuple(trouble)


def remember_review(store: Store) -> None:
    """Note what the review list shows, so that only a person's later changes count as new."""
    store.set_setting(SEEN, json.dumps([[d.student, d.item, *_spelling(d)] for d in store.decisions()]))


def _seen(store: Store) -> dict[tuple[str, str], tuple[str, ...]]:
    rows = json.loads(store.setting(SEEN, "[]"))
    return {(student, item): tuple(rest) for student, item, *rest in rows}


def _spelling(decision: Decision) -> tuple[str, ...]:
    return str(decision.points), " ".join(decision.reason.split()), " ".join(decision.by.split())


def summary(written: Written, seconds: Mapping[str, float]) -> dict[str, object]:
    """The class in short, for `--json`."""
    slowest: Sequence[str] = sorted(seconds, key=lambda student: -seconds[student])[:5]
    return {
        "submissions": len(written.reports),
        "pending_items": sum(
            finding.verdict.pending and finding.item not in {d.item for d in report.decisions}
            for report in written.reports
            for finding in report.findings
        ),
        "students": [
            {
                "student": report.student,
                "name": report.name,
                "report": f"{REPORTS}/{written.files[report.student]}.html",
                "earned": json_report.fraction(report.score.earned),
                "possible": json_report.fraction(report.score.possible),
                "pending": json_report.fraction(report.score.pending),
                "late_seconds": report.late_seconds,
                "isolation": report.provenance.isolation,
                "remarks": [remark.note for remark in report.remarks],
            }
            for report in written.reports
        ],
        "slowest": [{"student": student, "seconds": round(seconds[student], 3)} for student in slowest],
        "trouble": list(written.trouble),
    }


def _file_name(student: str) -> str:
    name = UNSAFE.sub("_", student).strip("._")[:LONGEST_NAME]
    changed = name != student
    if not name or RESERVED.fullmatch(name):
        name, changed = f"student_{name}".rstrip("_"), True
    return f"{name}-{_short_digest(student)}" if changed and len(student) > LONGEST_NAME else name


def _short_digest(student: str) -> str:
    return hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:8]
