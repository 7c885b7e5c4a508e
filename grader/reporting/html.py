"""A report as one HTML page: self-contained, readable offline, printable, without script."""

from __future__ import annotations

from markupsafe import Markup

from grader.model import Evidence, Report, Verdict
from grader.reporting import drawing, evidence, lines, page


def render(report: Report) -> str:
    """The page of one report.  Call `audience.for_student` first when a learner is to read it."""
    sections = lines.arrange(report)
    return page.fill(
        "report.html.j2",
        report=report,
        sections=sections,
        counts=_count(sections),
        late=lines.lateness(report.late_seconds),
        share=_share(report),
        anchor=anchor,
        evidence_title=evidence.title,
        evidence_rows=evidence.rows,
        shown=evidence.shown,
        links=evidence.links,
        caret=evidence.caret,
        draw=_draw,
        describe=lambda shown: drawing.describe(drawing.read_graph(shown)),
        place=place,
    )


def anchor(item: str) -> str:
    """The id of an item's element in the page."""
    return "item-" + "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in item)


def place(where: object) -> str:
    """A place in words: `answers.md, line 12` or `cell 3, line 2`."""
    from grader.model import Place

    if not isinstance(where, Place) or not where.file:
        return ""
    cell = f", cell {where.cell + 1}" if where.cell is not None else ""
    return f"{where.file}{cell}, line {where.line}"


def _draw(shown: Evidence) -> Markup:
    return drawing.draw(drawing.read_graph(shown), shown.text or "Computation graph")


def _share(report: Report) -> dict[str, float]:
    """Parts of the bar in per cent: earned, and waiting."""
    possible = report.score.possible
    if possible <= 0:
        return {"earned": 0.0, "pending": 0.0}
    earned = max(0.0, min(100.0, float(100 * report.score.earned / possible)))
    return {"earned": earned, "pending": min(100 - earned, float(100 * report.score.pending / possible))}


def _count(sections: tuple[lines.Section, ...]) -> list[tuple[Verdict, int]]:
    verdicts = [line.finding.verdict for section in sections for line in section.lines]
    return [(verdict, verdicts.count(verdict)) for verdict in Verdict if verdict in verdicts]
