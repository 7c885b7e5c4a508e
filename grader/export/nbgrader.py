"""The class's grades as the CSV table that `nbgrader export` writes, so that its consumers can read ours."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from grader.export.grades import Filled, Warned, number, waits
from grader.model import Report

COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def table(reports: Sequence[Report]) -> Filled:
    """One row per student; points that still wait for a person leave the scores empty."""
    from grader.reporting.csv_gradebook import cell

    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    warnings: list[Warned] = []
    for report in sorted(reports, key=lambda one: one.student):
        first, _, last = report.name.rpartition(" ")
        row = dict.fromkeys(COLUMNS, "")
        row |= {"assignment": report.problem, "student_id": cell(report.student), "first_name": cell(first)}
        row |= {"last_name": cell(last), "max_score": number(report.score.possible)}
        if waits(report):
            message = f"{number(report.score.pending)} points still wait for a person; the score was left empty."
            warnings.append(Warned("pending", report.student, message))
        else:
            row["raw_score"] = number(report.score.earned + report.score.penalty)
            row["late_submission_penalty"] = number(report.score.penalty)
            row["score"] = number(report.score.earned)
        writer.writerow(row)
    return Filled(text.getvalue().encode(), len(reports) - len(warnings), tuple(warnings))
