"""What `check` returns: the verdict with a typeset echo for a notebook, and as plain text."""

from __future__ import annotations

from dataclasses import dataclass

from grader.model import Finding, Verdict

COLOURS = {"good": "#2e7d32", "carried": "#1565c0", "bad": "#b3261e", "pending": "#8a5a00", "blank": "#777"}


@dataclass(frozen=True, repr=False)
class Checked:
    """The findings on one answer, in the problem's order, as a student may see them."""

    label: str
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Is everything that was asked right?"""
        return all(one.verdict is Verdict.CORRECT for one in self.findings)

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        from grader.reporting import terminal

        told = [f"! {terminal.safe(remark)}" for remark in self.remarks]
        return "\n".join([*told, *(line for one in self.findings for line in terminal.finding_lines(one))])

    def _repr_html_(self) -> str:
        from grader.reporting import mathml

        told = [f"<p>{mathml.prose(remark)}</p>" for remark in self.remarks]
        return "".join(["<div>", *told, *(_html(one) for one in self.findings), "</div>"])


def _html(finding: Finding) -> str:
    """One finding: read as, verdict, what to look at.  Everything a student typed is escaped by mathml."""
    from grader.reporting import evidence, mathml, terminal
    from grader.reporting.verdicts import LOOKS

    look = LOOKS[finding.verdict]
    read = finding.read_as_latex or finding.read_as
    lines = []
    if read:
        shown = mathml.formula(read) if finding.read_as_latex else mathml.prose(read)
        lines.append(f"<div>read as&ensp;{shown}</div>")
    verdict = f'<b style="color:{COLOURS[look.tone]}">{look.sign} {look.word}</b>'
    lines.append(f"<div><b>{mathml.prose(finding.item)}</b>&ensp;{verdict}</div>")
    if finding.message:
        lines.append(f"<div>{mathml.prose(finding.message)}</div>")
    for one in evidence.shown(finding):
        text = "\n".join(terminal.evidence_lines(one, finding.message))
        tag = "pre" if one.kind in ("caret", "graph", "chain") else "div"
        lines.append(f"<{tag}>{mathml.prose(text) if tag == 'div' else _escaped(text)}</{tag}>")
    return f'<div style="margin:.4em 0">{"".join(lines)}</div>'


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)
