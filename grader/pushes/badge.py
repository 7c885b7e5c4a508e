"""A badge: points as a small SVG, drawn here so that nothing is fetched."""

from __future__ import annotations

from xml.sax.saxutils import escape

from grader.model import Report
from grader.pushes.annotations import decimal

LABEL = "points"
WIDTH_PER_CHARACTER = 6.6
PADDING = 10
COLOURS = ((1.0, "#2e7d32"), (0.75, "#558b2f"), (0.5, "#b26a00"), (0.0, "#b3261e"))


def badge(report: Report) -> str:
    """SVG text, 20 px high: `points | 23.5 / 24`."""
    score = report.score
    value = f"{decimal(score.earned)} / {decimal(score.possible)}" + (" …" if score.pending else "")
    share = float(score.earned / score.possible) if score.possible else 0.0
    colour = next(colour for least, colour in COLOURS if share >= least)
    left, right = (round(len(text) * WIDTH_PER_CHARACTER + PADDING) for text in (LABEL, value))
    middle = left + right / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{LABEL}: {escape(value)}"><title>{LABEL}: {escape(value)}</title>'
        f'<rect width="{left}" height="20" fill="#444"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
        f'<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2}" y="14">{LABEL}</text><text x="{middle}" y="14">{escape(value)}</text></g></svg>\n'
    )
