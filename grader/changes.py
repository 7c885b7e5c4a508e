"""Two gradings of one class, compared: who changes, where, and why.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from grader import scoring
from grader.model import Decision, Finding, Provenance, Report
from grader.reporting import lines, review


@dataclass(frozen=True, slots=True)
class State:
    """What one grading says of one item."""

    verdict: str
    points: Fraction
    note: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One item of one student that two gradings see differently; None where one of them has no such item.

    `decided` tells that a person's decision counts for the item, so that the points do not move.
    """

    student: str
    item: str
    before: State | None
    after: State | None
    why: str
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A student's total before and after; None where there is no report."""

    student: str
    before: Fraction | None
    after: Fraction | None


@dataclass(frozen=True, slots=True)
class Changes:
    items: tuple[Change, ...]
    totals: tuple[Moved, ...]

    @property
    def students(self) -> tuple[str, ...]:
        named = [change.student for change in self.items] + [moved.student for moved in self.totals]
        return tuple(dict.fromkeys(named))


def compare(before: Mapping[str, Report], after: Mapping[str, Report]) -> Changes:
    """Every difference between two gradings, by student in the order of `after`, then those that are gone."""
    items: list[Change] = []
    totals: list[Moved] = []
    for student in dict.fromkeys([*after, *before]):
        old, new = before.get(student), after.get(student)
        items += compare_reports(old, new)
        earned = tuple(report.score.earned if report else None for report in (old, new))
        if earned[0] != earned[1]:
            totals.append(Moved(student, earned[0], earned[1]))
    return Changes(tuple(items), tuple(totals))


def compare_reports(before: Report | None, after: Report | None) -> tuple[Change, ...]:
    """The items that two reports of one student see differently."""
    old = {finding.item: finding for finding in before.findings} if before else {}
    new = {finding.item: finding for finding in after.findings} if after else {}
    report = after or before
    if report is None:
        return ()
    decided = {decision.item for decision in report.decisions}
    why = explain(before, after)
    found = []
    for item in dict.fromkeys([*new, *old]):
        was, now = _state(old.get(item)), _state(new.get(item))
        if (was and (was.verdict, was.points, was.note)) != (now and (now.verdict, now.points, now.note)):
            found.append(Change(report.student, item, was, now, why, item in decided))
    return tuple(found)


def explain(before: Report | None, after: Report | None) -> str:
    """What differs between what two reports rest on: the hand-in, the problem, the program, the isolation."""
    if before is None:
        return "new submission"
    if after is None:
        return "submission gone"
    reasons = [text for text, changed in _causes(before.provenance, after.provenance) if changed]
    return ", ".join(reasons) or "the program decides differently"


def describe(changes: Changes) -> str:
    """The changes as lines of text, each item with both verdicts, then each total."""
    if not changes.items and not changes.totals:
        return "Nothing changes.\n"
    out = [f"{len(changes.students)} student{'s' if len(changes.students) != 1 else ''} affected."]
    totals = {moved.student: moved for moved in changes.totals}
    for student in changes.students:
        moved = totals.get(student)
        out.append("")
        out.append(f"{student}{f'  {_points(moved.before)} → {_points(moved.after)} points' if moved else ''}")
        for change in changes.items:
            if change.student == student:
                kept = "  (a person decided: points stay)" if change.decided else ""
                out.append(
                    f"  {change.item}  {_show(change.before)} → {_show(change.after)}{kept}  because: {change.why}"
                )
                if change.after and change.after.message:
                    out.append(f"      {change.after.message}")
    return "\n".join(out) + "\n"


def to_data(changes: Changes) -> dict[str, object]:
    """The changes as plain data for `--json`."""
    return {
        "students": list(changes.students),
        "items": [
            {
                "student": change.student,
                "item": change.item,
                "before": _state_data(change.before),
                "after": _state_data(change.after),
                "why": change.why,
                "decided": change.decided,
            }
            for change in changes.items
        ],
        "totals": [
            {
                "student": moved.student,
                "before": None if moved.before is None else str(moved.before),
                "after": None if moved.after is None else str(moved.after),
            }
            for moved in changes.totals
        ],
    }


def _state(finding: Finding | None) -> State | None:
    return None if finding is None else State(finding.verdict, finding.earned, finding.note, finding.message)


def _state_data(state: State | None) -> dict[str, str] | None:
    return None if state is None else {"verdict": state.verdict, "points": str(state.points), "note": state.note}


def _causes(before: Provenance, after: Provenance) -> Sequence[tuple[str, bool]]:
    return (
        ("the hand-in changed", before.submission != after.submission),
        ("the problem changed", before.problem != after.problem),
        (f"grader {before.grader} → {after.grader}", before.grader != after.grader),
        ("other versions of libraries", before.versions != after.versions),
        (f"isolation {before.isolation} → {after.isolation}", before.isolation != after.isolation),
    )


def _show(state: State | None) -> str:
    if state is None:
        return "nothing"
    note = f" {state.note}" if state.note else ""
    return f"{state.verdict}{note} {lines.points(state.points)}"


def _points(value: Fraction | None) -> str:
    return "none" if value is None else lines.points(value)


def take_in(report: Report, decisions: Sequence[Decision], share: Fraction = Fraction(0)) -> Report:
    """The report with people's decisions counted, those that can count.  `share` is what lateness takes.

    What the program found stays in the findings; a decision replaces the points of its item in the score.
    """
    counted = tuple(d for d in decisions if d.student == report.student and not review.admit(d, report))
    names = [question.question for question in report.score.questions]
    titles = {question.question: question.title for question in report.score.questions}
    terms = scoring.Terms({f.item: lines.question_of(f.item, names) for f in report.findings}, titles=titles)
    score = scoring.score(report.findings, counted, terms, scoring.Penalty(report.late_seconds, share))
    possible = {question.question: question.possible for question in report.score.questions}  # bonus items left out
    questions = tuple(replace(q, possible=possible.get(q.question, q.possible)) for q in score.questions)
    return replace(report, decisions=counted, score=replace(score, possible=report.score.possible, questions=questions))
