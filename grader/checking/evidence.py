"""Why a verdict is what it is: witnesses, carets, chains.  What a student sees never holds the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from grader.compare import Sameness
from grader.compare.known import ledger_of
from grader.compare.proofreading import Judged, key_of, proofread
from grader.kinds.plan import Plan
from grader.matching.statements import Matched, Statement, Unread
from grader.model import Answer, Evidence, Finding, Place


def witness_evidence(found: Sameness) -> tuple[Evidence, ...]:
    """Where answer and truth differ: for the student without the truth's value, for the instructor with it."""
    witness = found.witness
    if witness is None:
        return ()
    point = tuple(witness.point)
    student = Evidence("witness", witness.text(audience="student"), "student", (*point, ("answer", witness.answer)))
    both = (*point, ("answer", witness.answer), ("truth", witness.truth))
    return student, Evidence("witness", witness.text(audience="instructor"), "instructor", both)


def caret_evidence(statement: Statement, unread: Unread) -> tuple[Evidence, ...]:
    """The place in the student's own text that was not understood."""
    source = statement.text
    line_start = source.rfind("\n", 0, unread.start) + 1
    line_end = source.find("\n", unread.start)
    line = source[line_start : line_end if line_end >= 0 else len(source)]
    start = min(max(0, unread.start - line_start), len(line))
    end = min(max(start, unread.end - line_start), len(line))
    data = (("source", line), ("start", str(start)), ("end", str(end)))
    return (Evidence("caret", f"{unread.message} {unread.suggestion}".strip(), data=data),)


def remark_evidence(statement: Statement, answer: Matched) -> tuple[Evidence, ...]:
    """How ambiguities were resolved, and that an earlier different answer was not taken."""
    remarks = [Evidence("resolution", text) for text in statement.remarks]
    if answer.conflicting:
        remarks.append(Evidence("resolution", "More than one final result was found; the last one was marked."))
    return tuple(remarks)


def with_chain_evidence(
    question: str, plans: Sequence[Plan], answers: Sequence[Answer], findings: Sequence[Finding]
) -> list[Finding]:
    """The findings with the false links of the chains of equalities that were written.

    Advice only: it never changes verdict or points.  A link is shown at the item whose answer stands in the same
    formula, else at the first item whose answer stands after it.
    """
    chained = [f for answer in answers for f in answer.fragments if f.kind == "formula" and f.text.count("=") > 1]
    if not chained or not findings:
        return list(findings)
    formulas = sorted(
        (f for answer in answers for f in answer.fragments if f.kind == "formula"),
        key=lambda f: (f.where.file, f.where.cell or 0, f.where.line, f.where.column),
    )
    ledgers = tuple(ledger_of(plan) for plan in plans if plan.vocabulary is not None and plan.truths)
    places = {key_of(f.where): question for f in formulas}
    judged = proofread(formulas, questions=places, ledgers={question: ledgers})
    found = list(findings)
    for slip in _by_slip(one for one in judged if one.link.holds == "no"):
        at = _item_of(slip[0].where, found)
        found[at] = replace(found[at], evidence=(*found[at].evidence, _slip_evidence(slip)))
    return found


def _by_slip(false_links: Iterable[Judged]) -> list[list[Judged]]:
    """The false links, those that come from one slip together."""
    groups: dict[object, list[Judged]] = {}
    for number, one in enumerate(false_links):
        groups.setdefault(("alone", number) if one.link.slip is None else one.link.slip, []).append(one)
    return list(groups.values())


def _item_of(where: Place, findings: Sequence[Finding]) -> int:
    places = [(f.where.cell or 0, f.where.line) if f.where else (-1, -1) for f in findings]
    here = (where.cell or 0, where.line)
    after = [i for i, place in enumerate(places) if place >= here]
    return min(after, key=lambda i: places[i]) if after else max(range(len(places)), key=lambda i: places[i])


def _slip_evidence(slip: Sequence[Judged]) -> Evidence:
    data: list[tuple[str, str]] = []
    for one in slip:
        link = one.link
        data += [("left", link.left), ("right", link.right), ("holds", link.holds), ("line", str(one.where.line))]
        if link.why:
            data.append(("why", link.why))
    text = "A step of the chain does not hold."
    if len(slip) > 1:
        text = "One slip: the steps before and after it do not hold."
    return Evidence("chain", text, data=tuple(data))
