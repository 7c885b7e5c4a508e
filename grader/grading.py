"""One hand-in to one report.  Pure: the same problem, hand-in, observations and decisions give the same report.

This is the one place where our own exceptions are caught: the question they came from becomes UNDECIDED with the note
`internal`; it costs nobody points and stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from grader.checking import mark
from grader.checking.evidence import with_chain_evidence
from grader.kinds.plan import Plan
from grader.kinds.verdicts import internal
from grader.matching import match_question, sections_of
from grader.model import (
    Answer,
    Decision,
    Finding,
    Fragment,
    Observation,
    Provenance,
    Remark,
    Report,
    Submission,
)
from grader.problems import Problem, Question
from grader.scoring import Penalty, Terms, price_lateness, score, seconds_late

MAX_DETAIL = 400
Note = Callable[[str, BaseException], None]


def grade(
    problem: Problem,
    submission: Submission,
    observations: Iterable[Observation] = (),
    decisions: Iterable[Decision] = (),
    provenance: Provenance | None = None,
    only: str = "",
    noticed: Note | None = None,
    lines: bool = True,
) -> Report:
    """The report on a hand-in.  `only` marks a single question; `noticed` is told of our own exceptions (a log).

    Without `lines` the chains of equalities are not proofread: their false links are advice, never points.
    """
    seen = {one.probe: one for one in observations}
    questions = [one for one in problem.questions if not only or one.id == only]
    sections = _sections(problem, submission)
    findings: list[Finding] = []
    for question in questions:
        marked = _mark_question(problem, question, submission, seen, sections, noticed)
        findings.extend(_proofread(problem, question, submission, marked, noticed) if lines else marked)
    asks = {item.id: item.asks for question in questions for item in problem.items(question)}
    findings = [replace(finding, asks=asks.get(finding.item, "")) for finding in findings]
    own = tuple(one for one in decisions if one.student in ("", submission.student))
    late = seconds_late(submission.submitted, problem.about.due)
    return Report(
        problem=problem.id,
        title=problem.title,
        student=submission.student,
        name=submission.name,
        findings=tuple(findings),
        score=score(findings, own, terms_of(problem, questions), _penalty(problem, submission, late)),
        decisions=own,
        remarks=(*submission.remarks, *_remarks(problem, submission, findings, late, only)),
        provenance=provenance or Provenance(problem=problem.digest, submission=submission.digest),
        late_seconds=late,
    )


def terms_of(problem: Problem, questions: Sequence[Question]) -> Terms:
    """Which question each item belongs to, and which items are a bonus."""
    owner = {item.id: question.id for question in questions for item in problem.items(question)}
    bonus = frozenset(item.id for question in questions for item in problem.items(question) if item.bonus)
    return Terms(owner, bonus, {question.id: question.title for question in questions})


def answers_to(submission: Submission, question: str) -> tuple[Answer, ...]:
    """What a hand-in has for one question."""
    return tuple(one for one in submission.answers if one.question == question)


def _sections(problem: Problem, submission: Submission) -> Mapping[str, tuple[Fragment, ...]]:
    """The fragments of every question's parts, by task id ("2a.A")."""
    found: dict[str, tuple[Fragment, ...]] = {}
    for question in problem.questions:
        parts = [part.id for part in question.parts]
        found.update(sections_of(question.id, parts, answers_to(submission, question.id)))
    return found


def _mark_question(
    problem: Problem,
    question: Question,
    submission: Submission,
    observations: Mapping[str, Observation],
    sections: Mapping[str, tuple[Fragment, ...]],
    noticed: Note | None,
) -> list[Finding]:
    plans = problem.plans(question)
    try:
        parts = [part.id for part in question.parts]
        matched = match_question(question.id, parts, plans, answers_to(submission, question.id))
    except Exception as trouble:  # noqa: BLE001  the one place: our trouble must not cost a student
        if noticed is not None:
            noticed(question.id, trouble)
        return [internal(item, _detail(trouble)) for plan in plans for item in plan.items]
    findings: list[Finding] = []
    for plan, found in zip(plans, matched, strict=True):
        seen = {name: replace(one, observations=dict(observations)) for name, one in found.items()}
        findings.extend(_mark_plan(plan, seen, sections, question.id, noticed))
    return findings


def _proofread(
    problem: Problem, question: Question, submission: Submission, findings: list[Finding], noticed: Note | None
) -> list[Finding]:
    """The findings with the false links of the chains beside them."""
    try:
        return with_chain_evidence(question.id, problem.plans(question), answers_to(submission, question.id), findings)
    except Exception as trouble:  # noqa: BLE001  advice that fails is left out
        if noticed is not None:
            noticed(question.id, trouble)
        return findings


def _mark_plan(
    plan: Plan,
    matched: Mapping[str, object],
    sections: Mapping[str, tuple[Fragment, ...]],
    question: str,
    noticed: Note | None,
) -> tuple[Finding, ...]:
    try:
        return mark(plan, matched, sections)  # type: ignore[arg-type]
    except Exception as trouble:  # noqa: BLE001  the one place: our trouble must not cost a student
        if noticed is not None:
            noticed(question, trouble)
        return tuple(internal(item, _detail(trouble)) for item in plan.items)


def _detail(trouble: BaseException) -> str:
    return f"{type(trouble).__name__}: {trouble}"[:MAX_DETAIL]


def _penalty(problem: Problem, submission: Submission, late: int) -> Penalty | None:
    policy = problem.late
    if policy is None or not late:
        return None
    more = policy.extensions.get(submission.student, 0)
    return price_lateness(late, policy.per_day, policy.grace_minutes, policy.floor, more)


def _remarks(
    problem: Problem, submission: Submission, findings: Sequence[Finding], late: int, only: str
) -> tuple[Remark, ...]:
    """Lateness, and required parts of the hand-in that are missing."""
    found: list[Remark] = []
    if late:
        found.append(Remark("late", f"Handed in {_duration(late)} after the deadline."))
    if any(finding.note == "picture" for finding in findings):
        found.append(Remark("picture", "There are pictures in this hand-in; a person reads them."))
    if only:
        return tuple(found)
    if "documentation" in problem.about.required and not _has_documentation(problem, submission):
        found.append(Remark("documentation_missing", "The documentation, which is always required, is missing."))
    if "notebook" in problem.about.required and not submission.notebooks:
        found.append(Remark("notebook_missing", "The notebook, which is required, is missing."))
    return tuple(found)


def _has_documentation(problem: Problem, submission: Submission) -> bool:
    """Is there anything written?  What stands beside the code of a notebook that was handed out is not."""
    programs = {question.id for question in problem.questions if question.kind == "program"}
    written = [
        fragment
        for answer in submission.answers
        for fragment in answer.fragments
        if fragment.kind != "code" and (answer.question not in programs or not fragment.where.file.endswith(".ipynb"))
    ]
    return bool(written) or any(remark.note == "pdf_for_person" for remark in submission.remarks)


def _duration(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes = max(1, rest // 60) if not (days or hours) else rest // 60
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    return " ".join(f"{n} {name}{'' if n == 1 else 's'}" for n, name in parts if n)
