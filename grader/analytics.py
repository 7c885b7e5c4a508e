"""What a class's reports say together: distribution, difficulty, frequent notes, who waits for a person.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from statistics import median

from grader.model import Report, Verdict
from grader.reporting import lines

BINS = 10  # of the histogram, over 0…100 per cent
MOST_NOTES = 25
WORKLESS = frozenset({"", "blank", "carried", "implied"})  # notes that name no mistake
FEWEST_FOR_CORRELATION = 4


@dataclass(frozen=True, slots=True)
class QuestionStatistics:
    """One question over the class.  `share` is the mean of points earned over points not pending, in 0…1.

    `correlation` is that of the question with the rest of the sheet (None where too few or all alike).
    """

    question: str
    possible: Fraction
    share: Fraction | None
    full: int
    none: int
    pending: int
    correlation: float | None


@dataclass(frozen=True, slots=True)
class NoteCount:
    note: str
    count: int
    students: int
    items: tuple[str, ...]
    message: str  # of its first finding, as an example


@dataclass(frozen=True, slots=True)
class Waiting:
    """A student with items that need a person."""

    student: str
    name: str
    items: tuple[tuple[str, Verdict, str], ...]  # item, verdict, why
    points: Fraction


@dataclass(frozen=True, slots=True)
class Troubled:
    """A submission something was noticed about."""

    student: str
    name: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassStatistics:
    count: int
    possible: Fraction
    mean: Fraction | None
    median: Fraction | None
    best: Fraction | None
    histogram: tuple[int, ...]
    questions: tuple[QuestionStatistics, ...]
    notes: tuple[NoteCount, ...]
    waiting: tuple[Waiting, ...]
    troubled: tuple[Troubled, ...]


def summarise(reports: Sequence[Report]) -> ClassStatistics:
    """The statistics of a class; every figure is exact but the correlation."""
    earned = [report.score.earned for report in reports]
    return ClassStatistics(
        count=len(reports),
        possible=max((report.score.possible for report in reports), default=Fraction(0)),
        mean=Fraction(sum(earned, Fraction(0)), len(earned)) if earned else None,
        median=Fraction(median(earned)) if earned else None,
        best=max(earned, default=None),
        histogram=_histogram(reports),
        questions=_questions(reports),
        notes=_notes(reports),
        waiting=_waiting(reports),
        troubled=tuple(
            Troubled(report.student, report.name, tuple(remark.message for remark in report.remarks))
            for report in reports
            if report.remarks
        ),
    )


def _histogram(reports: Sequence[Report]) -> tuple[int, ...]:
    bins = [0] * BINS
    for report in reports:
        if report.score.possible > 0:
            share = report.score.earned / report.score.possible
            bins[min(BINS - 1, max(0, int(share * BINS)))] += 1
    return tuple(bins)


def _questions(reports: Sequence[Report]) -> tuple[QuestionStatistics, ...]:
    names = list(dict.fromkeys(q.question for report in reports for q in report.score.questions))
    return tuple(_question(name, reports) for name in names)


def _question(name: str, reports: Sequence[Report]) -> QuestionStatistics:
    scores = [(q, report) for report in reports for q in report.score.questions if q.question == name]
    settled = [q.possible - q.pending for q, _ in scores]
    total = sum(settled, Fraction(0))
    return QuestionStatistics(
        question=name,
        possible=max(q.possible for q, _ in scores),
        share=sum((q.earned for q, _ in scores), Fraction(0)) / total if total > 0 else None,
        full=sum(q.earned >= q.possible > 0 for q, _ in scores),
        none=sum(q.earned == 0 and q.pending == 0 for q, _ in scores),
        pending=sum(q.pending > 0 for q, _ in scores),
        correlation=_correlation(
            [float(q.earned) for q, _ in scores], [float(report.score.earned - q.earned) for q, report in scores]
        ),
    )


def _correlation(xs: list[float], ys: list[float]) -> float | None:
    if len(xs) < FEWEST_FOR_CORRELATION:
        return None
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sqrt(sum((x - mx) ** 2 for x in xs) * sum((y - my) ** 2 for y in ys))
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / spread if spread > 0 else None


def _notes(reports: Sequence[Report]) -> tuple[NoteCount, ...]:
    counts: Counter[str] = Counter()
    students: dict[str, set[str]] = {}
    items: dict[str, Counter[str]] = {}
    message: dict[str, str] = {}
    for report in reports:
        for finding in report.findings:
            if finding.note in WORKLESS or finding.verdict is Verdict.BLANK:
                continue
            counts[finding.note] += 1
            students.setdefault(finding.note, set()).add(report.student)
            items.setdefault(finding.note, Counter())[finding.item] += 1
            message.setdefault(finding.note, finding.message)
    frequent = sorted(counts, key=lambda note: (-counts[note], note))[:MOST_NOTES]
    return tuple(
        NoteCount(
            note,
            counts[note],
            len(students[note]),
            tuple(sorted(items[note], key=lambda item: (-items[note][item], item))),
            message[note],
        )
        for note in frequent
    )


def _waiting(reports: Sequence[Report]) -> tuple[Waiting, ...]:
    found = []
    for report in reports:
        pending = [line.finding for line in lines.waiting(report)]
        if pending:
            items = tuple((f.item, f.verdict, f.message or f.note) for f in pending)
            found.append(Waiting(report.student, report.name, items, sum((f.points for f in pending), Fraction(0))))
    return tuple(found)
