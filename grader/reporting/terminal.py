"""A report for a terminal: read as, verdict, hint.  Imports nothing heavy; a self-check must be fast."""

from __future__ import annotations

import re

from grader.model import Evidence, Finding, Report, Verdict
from grader.reporting import drawing, evidence, lines
from grader.reporting.verdicts import LOOKS

COLOURS = {"good": "32", "carried": "34", "bad": "31", "pending": "33", "blank": "90"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
INDENT = "      "


def render(report: Report, colour: bool = False, remarks: bool = True) -> str:
    """The report as lines of text.  `colour` is the caller's to decide (a terminal, and no NO_COLOR)."""
    out = [f"{safe(report.title)}  {safe(report.name or report.student)}".rstrip()]
    if remarks:
        out += [f"  ! {safe(remark.message)}" for remark in report.remarks]
    for section in lines.arrange(report):
        for line in section.lines:
            out += ["", *finding_lines(line, colour)]
    score = report.score
    total = f"{lines.points(score.earned)} of {lines.points(score.possible)} points"
    waiting = f", {lines.points(score.pending)} wait for a person" if score.pending else ""
    late = f" ({lines.lateness(report.late_seconds)})" if report.late_seconds > 0 else ""
    return "\n".join([*out, "", paint(f"{total}{waiting}{late}", "1", colour)]) + "\n"


def finding_lines(line: lines.Line, colour: bool = False) -> list[str]:
    """One item: its verdict and points, how it was read, the message, the evidence."""
    finding = line.finding
    look = LOOKS[finding.verdict]
    earned = "–" if line.pending else lines.points(line.earned)
    verdict = paint(f"{look.sign} {look.word}", COLOURS[look.tone], colour)
    out = [f"  {safe(finding.item):<12} {verdict}  {earned} / {lines.points(finding.points)}{_place(finding)}"]
    if finding.read_as:
        out.append(f"{INDENT}read as  {safe(finding.read_as)}")
    if finding.message:
        out += [f"{INDENT}{text}" for text in safe(plain(finding.message)).split("\n")]
    elif finding.verdict in (Verdict.UNREADABLE, Verdict.UNDECIDED):
        out.append(f"{INDENT}{look.sentence}")
    for shown in evidence.shown(finding):
        out += [f"{INDENT}{text}" for text in _evidence(shown)]
    if line.decision:
        by = safe(line.decision.by or "a person")
        out.append(f"{INDENT}decided by {by}: {lines.points(line.decision.points)}  {safe(line.decision.reason)}")
    return out


def plain(text: str) -> str:
    """Text with `$…$` for a terminal: the dollars are dropped."""
    return re.sub(r"\$\$?(.+?)\$\$?", r"\1", text)


def safe(text: str) -> str:
    """Text without control characters: nothing a student typed may drive the terminal."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _place(finding: Finding) -> str:
    where = finding.where
    if where is None or not where.file:
        return ""
    cell = f":cell {where.cell + 1}" if where.cell is not None else ""
    return f"   {safe(where.file)}{cell}:{where.line}:{where.column}"


def _evidence(shown: Evidence) -> list[str]:
    text = [safe(plain(shown.text))] if shown.text else []
    where = evidence.caret(shown) if shown.kind == "caret" else None
    if where:
        line = safe(f"{where.before}{where.meant}{where.after}").replace("\t", " ")
        return [*text, f"  {line}", f"  {where.pointer}".replace("\t", " ")]
    if shown.kind == "chain":
        links = evidence.links(shown)
        return [
            *text,
            *(
                f"  {safe(k.left)} {k.sign} {safe(k.right)}{f'   ({safe(plain(k.why))})' if k.why else ''}"
                for k in links
            ),
        ]
    if shown.kind == "graph":
        return [*text, *(f"  {safe(line)}" for line in drawing.describe(drawing.read_graph(shown)).split("\n"))]
    return [*text, *(f"  {safe(key)}: {safe(value)}" for key, value in evidence.rows(shown))]
