"""Why a verdict is what it is: witnesses, carets, chains.  What a student sees never holds the truth."""

from __future__ import annotations

from grader.compare import Sameness
from grader.kinds.plan import Plan
from grader.matching.statements import Matched, Statement, Unread
from grader.model import Evidence


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


def chain_evidence(plan: Plan, answer: Matched) -> tuple[Evidence, ...]:
    """Links of the written chain of equalities and whether each holds.  Advice only: it never changes points."""
    return ()
