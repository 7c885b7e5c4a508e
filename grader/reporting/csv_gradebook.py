"""The class's points as one CSV table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader.model import Report
from grader.reporting import lines

if TYPE_CHECKING:
    import pandas

FIXED = ("student", "name")
SUMS = ("total", "possible", "percent", "pending", "late", "isolation", "note")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run such a cell as a formula


def render(reports: Sequence[Report]) -> str:
    """The gradebook as CSV text: one line per student in the order given, one column per question."""
    text = table(reports).to_csv(index=False, lineterminator="\n")
    assert isinstance(text, str)
    return text


def table(reports: Sequence[Report]) -> pandas.DataFrame:
    """The gradebook as a pandas table.  Points are decimals; `pending` points count neither way."""
    import pandas

    questions = list(dict.fromkeys(q.question for report in reports for q in report.score.questions))
    columns = [*FIXED, *questions, *SUMS]
    return pandas.DataFrame([_row(report, questions) for report in reports], columns=columns)


def cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    flat = " ".join(text.split())
    return f"'{flat}" if flat.startswith(FORMULA_STARTS) else flat


def _row(report: Report, questions: list[str]) -> list[str]:
    score = report.score
    earned = {q.question: lines.points(q.earned) for q in score.questions}
    percent = f"{float(100 * score.earned / score.possible):.1f}" if score.possible else ""
    notes = sorted({remark.note for remark in report.remarks})
    return [
        cell(report.student),
        cell(report.name),
        *(earned.get(question, "") for question in questions),
        lines.points(score.earned),
        lines.points(score.possible),
        percent,
        lines.points(score.pending),
        lines.lateness(report.late_seconds),
        report.provenance.isolation,
        " ".join(notes),
    ]
