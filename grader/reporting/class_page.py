"""The class as one HTML page: distribution, difficulty, frequent notes, who waits for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from markupsafe import Markup

from grader.model import Report
from grader.reporting import lines, page
from grader.reporting.html import anchor

if TYPE_CHECKING:
    from grader.analytics import ClassStatistics

CHART_WIDTH, CHART_HEIGHT = 480, 170


def render(
    title: str, reports: Sequence[Report], statistics: ClassStatistics, files: Mapping[str, str], base: str = "reports/"
) -> str:
    """The page of a class.  `files` maps a student to the file of the report, without suffix."""
    return page.fill(
        "class.html.j2",
        title=title,
        reports=reports,
        class_=statistics,
        histogram=histogram(statistics.histogram),
        files=files,
        base=base,
        anchor=anchor,
        late=lines.lateness,
        pending_total=sum(len(waiting.items) for waiting in statistics.waiting),
        isolation=sorted({report.provenance.isolation for report in reports}),
    )


def histogram(bins: Sequence[int]) -> Markup:
    """Counts per tenth of the possible points as an SVG bar chart with its numbers in words."""
    highest = max([*bins, 1])
    left, bottom = 6, CHART_HEIGHT - 24
    step = (CHART_WIDTH - 2 * left) / max(1, len(bins))
    words = "; ".join(f"{_span(place, len(bins))}: {count}" for place, count in enumerate(bins))
    parts = [
        f'<svg class="chart" viewBox="0 0 {CHART_WIDTH} {CHART_HEIGHT}" role="img"'
        f' aria-label="{escape(f"Students per share of the points. {words}", quote=True)}">',
        f'<line x1="{left}" y1="{bottom}" x2="{CHART_WIDTH - left}" y2="{bottom}"/>',
    ]
    for place, count in enumerate(bins):
        height = (bottom - 22) * count / highest
        x = left + place * step
        parts.append(
            f'<rect class="value" x="{x + 2:.1f}" y="{bottom - height:.1f}" width="{step - 4:.1f}"'
            f' height="{height:.1f}" rx="3"/>'
        )
        if count:
            parts.append(
                f'<text x="{x + step / 2:.1f}" y="{bottom - height - 6:.1f}" text-anchor="middle">{count}</text>'
            )
    for place in range(0, len(bins) + 1, 2):
        x = left + place * step
        anchor_at = "start" if place == 0 else ("end" if place == len(bins) else "middle")
        share = f"{100 * place // max(1, len(bins))} %"
        parts.append(f'<text x="{x:.1f}" y="{CHART_HEIGHT - 6}" text-anchor="{anchor_at}">{share}</text>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - numbers and escaped words only


def _span(place: int, count: int) -> str:
    return f"{100 * place // count} to {100 * (place + 1) // count} per cent"
