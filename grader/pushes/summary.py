"""The step summary and the release body: Markdown tables of a report."""

from __future__ import annotations

from grader.model import Finding, Report, Verdict
from grader.pushes.annotations import decimal

# GitHub refuses a step summary of more than 1 MiB.
MAX_SUMMARY_BYTES = 1024 * 1024
MARKS = {
    Verdict.CORRECT: "✅ right",
    Verdict.CARRIED: "✅ right from an earlier error",
    Verdict.INCORRECT: "❌ not right",
    Verdict.BLANK: "⬜ no answer",
    Verdict.UNREADABLE: "⏳ could not be read",
    Verdict.UNDECIDED: "⏳ a person will look at this",
}
PARTLY = "❌ partly right"
FOOTER = "This is feedback. The grade is the instructor's own run of this commit."


def summary(report: Report) -> str:
    """Markdown: points, one row per item, remarks.  Cut at a row with a note when it would be too long."""
    head = [f"## {cell(report.title or report.problem)}", "", points_line(report), ""]
    head += [f"- {cell(remark.message)}" for remark in report.remarks]
    head += ["", "| Item | Verdict | Points | Read as | What to look at |", "|---|---|---|---|---|"]
    rows = [_row(finding) for finding in report.findings]
    tail = ["", FOOTER, ""]
    room = MAX_SUMMARY_BYTES - sum(len(line.encode()) + 1 for line in [*head, *tail]) - 200
    kept: list[str] = []
    for row in rows:
        room -= len(row.encode()) + 1
        if room < 0:
            kept.append(f"| … | and {len(rows) - len(kept)} more | | | |")
            break
        kept.append(row)
    return "\n".join([*head, *kept, *tail])


def points_line(report: Report) -> str:
    """`**23.5 of 24 points**`, and what still waits."""
    score = report.score
    waiting = f", {decimal(score.pending)} more wait for a person" if score.pending else ""
    return f"**{decimal(score.earned)} of {decimal(score.possible)} points**{waiting}"


def cell(text: str) -> str:
    """Text as a table cell: one line, no markup of the student's own."""
    flat = " ".join(text.split())
    for mark, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;"), ("`", "&#96;"), ("[", "&#91;")):
        flat = flat.replace(mark, entity)
    return flat


def _row(finding: Finding) -> str:
    points = f"{decimal(finding.earned)}/{decimal(finding.points)}"
    partly = finding.verdict is Verdict.INCORRECT and finding.credit > 0
    mark = PARTLY if partly else MARKS[finding.verdict]
    return f"| {cell(finding.item)} | {mark} | {points} | {cell(finding.read_as)} | {cell(finding.message)} |"
