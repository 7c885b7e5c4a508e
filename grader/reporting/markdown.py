"""A report as Markdown that GitHub, GitLab and Jupyter show alike: tables, `$…$`, no raw HTML."""

from __future__ import annotations

import re

from grader.model import Evidence, Report
from grader.reporting import drawing, evidence, lines
from grader.reporting.html import place
from grader.reporting.verdicts import LOOKS

SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")
FORMULA = re.compile(r"(\$\$.+?\$\$|\$.+?\$|`[^`\n]+`)", re.DOTALL)


def render(report: Report) -> str:
    """The report as Markdown.  Call `audience.for_student` first when a learner is to read it."""
    score = report.score
    out = [
        f"# {escape(report.title)}: {escape(report.name or report.student)}",
        "",
        f"**{lines.points(score.earned)} of {lines.points(score.possible)} points.**",
    ]
    if score.pending:
        out.append(f"{lines.amount(score.pending)} pending: a person looks at it; neither earned nor lost yet.")
    if report.late_seconds > 0:
        taken = f" {lines.amount(score.penalty)} taken off for it." if score.penalty else ""
        out.append(f"Handed in {lines.lateness(report.late_seconds)}.{taken}")
    out += [f"\n> {prose(remark.message)}" for remark in report.remarks]
    sections = lines.arrange(report)
    out += ["", "| question | points | of | pending |", "|---|---:|---:|---:|"]
    for section in sections:
        mark = section.score
        out.append(
            f"| {escape(mark.question)} | {lines.points(mark.earned)} | {lines.points(mark.possible)} "
            f"| {lines.points(mark.pending) if mark.pending else ''} |"
        )
    for section in sections:
        out += ["", f"## {escape(section.score.question)}"]
        for line in section.lines:
            out += _line(line)
    out += ["", "---", f"Isolation: {escape(report.provenance.isolation)}. Grader {escape(report.provenance.grader)}."]
    return "\n".join(out) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it stands, on one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def prose(text: str) -> str:
    """Text with `$…$` and backquoted code kept and everything else escaped."""
    return "".join(
        " ".join(part.replace("<", r"\lt ").split())
        if FORMULA.fullmatch(part) and part.startswith("$")
        else (part if FORMULA.fullmatch(part) else _escape_around(part))
        for part in FORMULA.split(text)
    )


def _escape_around(text: str) -> str:
    lead = " " if text[:1].isspace() else ""
    trail = " " if text[-1:].isspace() and text.strip() else ""
    return f"{lead}{escape(text)}{trail}"


def _line(line: lines.Line) -> list[str]:
    finding = line.finding
    look = LOOKS[finding.verdict]
    earned = "–" if line.pending else lines.points(line.earned)
    out = ["", f"### {escape(finding.item)}: {look.sign} {look.word} ({earned} / {lines.points(finding.points)})", ""]
    if finding.asks:
        out += [f"*{escape(finding.asks)}*", ""]
    if finding.read_as_latex:
        out += [f"Read as ${finding.read_as_latex}$", ""]
    elif finding.read_as:
        out += [f"Read as {code(finding.read_as)}", ""]
    out.append(prose(finding.message or look.sentence))
    for shown in evidence.shown(finding):
        out += _evidence(shown)
    if line.decision:
        by = escape(line.decision.by or "a person")
        out += ["", f"**Decided by {by}: {lines.points(line.decision.points)}.** {prose(line.decision.reason)}"]
    if place(finding.where):
        out += ["", f"({escape(place(finding.where))})"]
    return out


def _evidence(shown: Evidence) -> list[str]:
    out = ["", f"*{escape(evidence.title(shown))}*" + (f": {prose(shown.text)}" if shown.text else "")]
    where = evidence.caret(shown) if shown.kind == "caret" else None
    if where:
        return [*out, *fence(f"{where.before}{where.meant}{where.after}\n{where.pointer}")]
    if shown.kind == "chain":
        return [
            *out,
            "",
            *(
                f"- {code(link.left)} {link.sign} {code(link.right)} {prose(link.why)}".rstrip()
                for link in evidence.links(shown)
            ),
        ]
    if shown.kind == "graph":
        return [*out, *fence(drawing.describe(drawing.read_graph(shown)))]
    return [*out, "", *(f"- {escape(key)}: {code(value)}" for key, value in evidence.rows(shown))]


def code(text: str) -> str:
    """Text as inline code, whatever back-quotes it holds."""
    flat = " ".join(text.split()) or " "
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {flat} {ticks}" if longest else f"`{flat}`"


def fence(text: str) -> list[str]:
    """Text as a code block whose fence is longer than any in it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    ticks = "`" * (longest + 1)
    return ["", f"{ticks}text", *text.split("\n"), ticks]
