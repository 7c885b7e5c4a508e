"""How much a self-check says: what kind of thing differs, which entry or step, a point where it shows.

A hint never holds a model answer.  At level 3, where the instructor allows it, a witness puts the student's own value
at a point beside a numerical derivative there; where nothing is free (an answer that is a number) there is no such
point, and so no value.
"""

from __future__ import annotations

from dataclasses import replace

from grader.model import Evidence, Finding, Report, Verdict
from grader.reporting.audience import for_student

KIND, PLACE, WITNESS = 1, 2, 3
LEVELS = (KIND, PLACE, WITNESS)
ALWAYS = frozenset({"caret", "resolution"})  # how the answer was read, and where it was not
PLACES = frozenset({"entry", "chain", "misconception", "graph", "probe"})
DIGITS = 4


def with_hints(report: Report, level: int = KIND, witness: bool = False) -> Report:
    """The student's report with the evidence of this level.  `witness`: the instructor allows witnesses."""
    shown = for_student(report)
    return replace(
        shown,
        findings=tuple(
            _hinted(full, student, level, witness)
            for full, student in zip(report.findings, shown.findings, strict=True)
        ),
    )


def more(report: Report, level: int, witness: bool = False) -> int:
    """The next level that would say more about what is not right; 0 if none does."""
    wrong = [finding for finding in report.findings if finding.verdict is Verdict.INCORRECT]
    shown = [
        finding.evidence for finding in with_hints(replace(report, findings=tuple(wrong)), level, witness).findings
    ]
    for higher in range(level + 1, WITNESS + 1):
        next_up = with_hints(replace(report, findings=tuple(wrong)), higher, witness).findings
        if [finding.evidence for finding in next_up] != shown:
            return higher
    return 0


def _hinted(full: Finding, student: Finding, level: int, witness: bool) -> Finding:
    kept = [one for one in student.evidence if one.kind in ALWAYS or (one.kind in PLACES and level >= PLACE)]
    if level >= PLACE:
        kept += _places(full)
    if level >= WITNESS and witness:
        kept += _witnesses(full)
    return replace(student, evidence=tuple(kept))


def _places(full: Finding) -> list[Evidence]:
    """Which entry a witness stands at, without the witness."""
    entries = dict.fromkeys(
        one.text.split(":", 1)[0] for one in full.evidence if one.kind == "witness" and one.text.startswith("entry ")
    )
    return [Evidence("entry", f"Look at {entry}.") for entry in entries]


def _witnesses(full: Finding) -> list[Evidence]:
    """Points with the student's own value against a numerical derivative."""
    found = []
    for one in full.evidence:
        point = [(key, value) for key, value in one.data if key not in ("answer", "truth")]
        values = dict(one.data)
        if one.kind != "witness" or not point or "truth" not in values or "answer" not in values:
            continue
        where = ", ".join(f"{key} = {value}" for key, value in point)
        entry = f"{one.text.split(':', 1)[0]}: " if one.text.startswith("entry ") else ""
        own, numerical = rounded(values["answer"]), rounded(values["truth"])
        if own == numerical:
            own, numerical = values["answer"], "another value"
        text = f"{entry}at {where} your answer gives {own}, a numerical derivative {numerical}"
        found.append(Evidence("witness", text, data=(*point, ("answer", values["answer"]))))
    return found


def rounded(text: str) -> str:
    """A number with a few digits; text that is none unchanged."""
    try:
        return f"{float(text):.{DIGITS}g}"
    except ValueError:
        return text
