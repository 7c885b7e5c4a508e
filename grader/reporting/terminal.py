"""A report for a terminal: read as, verdict, hint.  Imports nothing heavy; a self-check must be fast."""

from __future__ import annotations

import re
import textwrap

from grader.model import Evidence, Finding, Report, Verdict
from grader.reporting import drawing, evidence, lines
from grader.reporting.verdicts import LOOKS

COLOURS = {"good": "32", "carried": "34", "bad": "31", "pending": "33", "blank": "90"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
INDENT = "      "
WIDTH = 100  # characters of a line of prose; formulas are never broken


def render(report: Report, colour: bool = False, remarks: bool = True, later: int = 0, hint: int = 0) -> str:
    """The report as lines of text.  `colour` is the caller's to decide (a terminal, and no NO_COLOR).

    `later` counts checks that only grading runs; `hint` is the level of hints that would say more, 0 if none does.
    """
    out = [f"{safe(report.title)}  {safe(report.name or report.student)}".rstrip()]
    if remarks:
        out += [f"  ! {text}" for remark in report.remarks for text in _wrapped(safe(remark.message), "    ")]
    blank: list[str] = []
    for section in lines.arrange(report):
        missing = [line for line in section.lines if line.finding.verdict is Verdict.BLANK and line.decision is None]
        whole = len(missing) == len(section.lines)
        blank += [section.score.question] if whole else [line.finding.item for line in missing]
        for line in section.lines:
            if line not in missing:
                out += ["", *finding_lines(line.finding, colour, line)]
    if blank:
        out += ["", *_wrapped(safe(f"Not answered: {', '.join(blank)}"), "  ")]
    return "\n".join([*out, "", *closing(report, colour, later, hint)]) + "\n"


def closing(report: Report, colour: bool, later: int, hint: int) -> list[str]:
    """Points, and a sentence that claims no more than was checked."""
    score = report.score
    total = f"{lines.points(score.earned)} of {lines.points(score.possible)} points"
    waiting = f", {lines.points(score.pending)} wait for a person" if score.pending else ""
    late = f" ({lines.lateness(report.late_seconds)})" if report.late_seconds > 0 else ""
    out = [paint(f"{total}{waiting}{late}", "1", colour), outcome(report, later)]
    if hint:
        out.append(f"`--hints {hint}` says more.")
    return [line for line in out if line]


def outcome(report: Report, later: int) -> str:
    """Is everything right?  Never "all passed" where something was not asked here, or not answered."""
    verdicts = [finding.verdict for finding in report.findings]
    answered = [verdict for verdict in verdicts if verdict is not Verdict.BLANK]
    if not answered:
        return "There is no answer to check yet."
    if any(verdict in (Verdict.INCORRECT, Verdict.UNREADABLE, Verdict.CARRIED) for verdict in answered):
        return ""
    missing = len(verdicts) - len(answered)
    unanswered = f", {missing} {'is' if missing == 1 else 'are'} not answered" if missing else ""
    if later:
        return f"All checks you can see passed; {later} more {'runs' if later == 1 else 'run'} at grading{unanswered}."
    return f"All checks passed{unanswered}."


def finding_lines(finding: Finding, colour: bool = False, line: lines.Line | None = None) -> list[str]:
    """One item: how it was read, its verdict and points, the message, the evidence."""
    look = LOOKS[finding.verdict]
    line = line or lines.Line(finding, None)
    earned = "–" if line.pending else lines.points(line.earned)
    verdict = paint(f"{look.sign} {look.word}", COLOURS[look.tone], colour)
    out = [f"  {paint(safe(finding.item), '1', colour)}{_place(finding)}"]
    if finding.read_as:
        out.append(f"{INDENT}read as  {safe(finding.read_as)}")
    out.append(f"{INDENT}{verdict}  {earned} / {lines.points(finding.points)}")
    if finding.message:
        out += [f"{INDENT}{text}" for text in _wrapped(safe(plain(finding.message)), "")]
    elif finding.verdict in (Verdict.UNREADABLE, Verdict.UNDECIDED):
        out.append(f"{INDENT}{look.sentence}")
    for shown in evidence.shown(finding):
        out += [f"{INDENT}{text}" for text in evidence_lines(shown, finding.message)]
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


def _wrapped(text: str, indent: str) -> list[str]:
    """Prose in lines of at most WIDTH characters; its own line ends are kept."""
    options = {"subsequent_indent": indent, "break_long_words": False, "break_on_hyphens": False}
    return [part for line in text.split("\n") for part in textwrap.wrap(line, WIDTH, **options) or [""]]  # type: ignore[arg-type]


def _place(finding: Finding) -> str:
    where = finding.where
    if where is None or not where.file:
        return ""
    cell = f":cell {where.cell + 1}" if where.cell is not None else ""
    return f"   {safe(where.file)}{cell}:{where.line}:{where.column}"


def evidence_lines(shown: Evidence, message: str = "") -> list[str]:
    """Evidence as lines; a caret does not say again what the finding's message has said."""
    text = _wrapped(safe(plain(shown.text)), "") if shown.text else []
    where = evidence.caret(shown) if shown.kind == "caret" else None
    if where:
        said = message.strip()
        rest = shown.text.removeprefix(said).strip() if said else shown.text
        line = safe(f"{where.before}{where.meant}{where.after}").replace("\t", " ")
        told = _wrapped(safe(plain(rest)), "") if rest else []
        return [*told, f"  {line}", f"  {where.pointer}".replace("\t", " ")]
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
