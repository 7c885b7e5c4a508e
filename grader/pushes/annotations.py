"""Workflow commands that put findings at their lines.  Source: GitHub, «Workflow commands for GitHub Actions»."""

from __future__ import annotations

from fractions import Fraction

from grader.model import Finding, Place, Report, Verdict

# A step shows ten annotations; the tenth says how many more there are.
MAX_ANNOTATIONS = 9
LEVELS = {
    Verdict.INCORRECT: "error",
    Verdict.UNREADABLE: "warning",
    Verdict.UNDECIDED: "notice",
    Verdict.CARRIED: "notice",
}
TITLES = {
    Verdict.INCORRECT: "not right",
    Verdict.UNREADABLE: "could not be read",
    Verdict.UNDECIDED: "a person will look at this",
    Verdict.CARRIED: "right from an earlier error",
}


def escape_message(text: str) -> str:
    """Text that cannot end the command or begin another."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """The same for a property's value, where `:` and `,` are separators."""
    return escape_message(text).replace(":", "%3A").replace(",", "%2C")


def annotate(report: Report, limit: int = MAX_ANNOTATIONS, folder: str = "") -> list[str]:
    """At most `limit` annotations, the most serious first, then one line that counts the rest.

    `folder` is where the hand-in stands in the repository; a runner names files from the repository's root.
    """
    order = list(LEVELS)
    told = [finding for finding in report.findings if finding.verdict in LEVELS and finding.where is not None]
    told.sort(key=lambda finding: order.index(finding.verdict))
    lines = [_annotation(finding, folder) for finding in told[:limit]]
    if len(told) > limit:
        lines.append(f"::notice title={escape_property('More findings')}::and {len(told) - limit} more in the summary")
    return lines


def points_notice(report: Report) -> str:
    """The line class tools look for: `::notice title=Autograding complete::Points 23.5/24`."""
    score = report.score
    return f"::notice title=Autograding complete::Points {decimal(score.earned)}/{decimal(score.possible)}"


def decimal(value: Fraction) -> str:
    """A number as people write points: `23.5`, `24`, `2.67`."""
    return f"{float(value):.2f}".rstrip("0").rstrip(".")


def _annotation(finding: Finding, folder: str) -> str:
    assert finding.where is not None
    properties = {**_place(finding.where, folder), "title": f"{finding.item}: {TITLES[finding.verdict]}"}
    written = ",".join(f"{key}={escape_property(value)}" for key, value in properties.items())
    where = f"cell {finding.where.cell + 1}: " if finding.where.cell is not None else ""
    message = f"{where}{finding.message or TITLES[finding.verdict]}"
    return f"::{LEVELS[finding.verdict]} {written}::{escape_message(message)}"


def _place(where: Place, folder: str) -> dict[str, str]:
    """File, line and column as a runner shows them: lines only where the file itself has that line."""
    file, inside, _ = where.file.partition(".pdf/")
    name = f"{folder}/{file}{inside.rstrip('/')}" if folder else f"{file}{inside.rstrip('/')}"
    if inside or where.cell is not None:  # a source inside a PDF, a cell inside a notebook
        return {"file": name}
    return {"file": name, "line": str(where.line), "col": str(where.column)}
