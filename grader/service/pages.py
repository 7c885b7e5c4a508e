"""The review pages as text.  Everything a student typed is escaped; there is no script."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from grader.model import Report
from grader.reporting import drawing, evidence, lines, page
from grader.reporting.html import place


def pending_list(title: str, reports: Sequence[Report], everything: bool = False) -> str:
    """The items that wait for a person, or with `everything` all items, each with a link to its page."""
    rows = [
        (report, line, item_url(report.student, line.finding.item))
        for report in reports
        for section in lines.arrange(report)
        for line in section.lines
        if everything or line.pending
    ]
    decided = sum(len(report.decisions) for report in reports)
    return page.fill("review_list.html.j2", title=title, rows=rows, decided=decided, everything=everything)


def item_page(title: str, report: Report, line: lines.Line, token: str, upcoming: str, error: str = "") -> str:
    """One item with all its evidence, the instructor's included, and a form for points and a reason."""
    return page.fill(
        "review_item.html.j2",
        title=title,
        report=report,
        line=line,
        token=token,
        upcoming=upcoming,
        error=error,
        place=place,
        evidence_title=evidence.title,
        evidence_rows=evidence.rows,
        shown=evidence.shown,
        links=evidence.links,
        caret=evidence.caret,
        draw=lambda shown: drawing.draw(drawing.read_graph(shown), shown.text or "Computation graph"),
        describe=lambda shown: drawing.describe(drawing.read_graph(shown)),
    )


def item_url(student: str, item: str) -> str:
    return "/item?" + urlencode({"student": student, "item": item})


def find_line(reports: Sequence[Report], student: str, item: str) -> tuple[Report, lines.Line] | None:
    """The report and line of an item; None when there is none."""
    for report in reports:
        if report.student == student:
            for section in lines.arrange(report):
                for line in section.lines:
                    if line.finding.item == item:
                        return report, line
    return None


def upcoming(reports: Sequence[Report], student: str, item: str) -> str:
    """The address of the next pending item after this one, the same item of the next student first; else the list."""
    waiting = [(report.student, line.finding.item) for report in reports for line in lines.waiting(report)]
    others = [pair for pair in waiting if pair != (student, item)]
    order = [report.student for report in reports]
    at = order.index(student) if student in order else -1
    later = sorted(others, key=lambda pair: (pair[1] != item, order.index(pair[0]) <= at, order.index(pair[0])))
    return item_url(*later[0]) if later else "/"
