"""A report arranged for reading: questions, their lines, and what counts for each."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from grader.model import Decision, Finding, QuestionScore, Report


@dataclass(frozen=True, slots=True)
class Line:
    """One item: what the program found, what a person decided, and the points that count."""

    finding: Finding
    decision: Decision | None

    @property
    def earned(self) -> Fraction:
        return self.decision.points if self.decision else self.finding.earned

    @property
    def pending(self) -> bool:
        return self.finding.verdict.pending and self.decision is None


@dataclass(frozen=True, slots=True)
class Section:
    """One question with its lines.  `score.question` is its id; "" collects items of no question."""

    score: QuestionScore
    lines: tuple[Line, ...]


def arrange(report: Report) -> tuple[Section, ...]:
    """The report's findings by question, in the order of the score, every finding exactly once."""
    decided = {decision.item: decision for decision in report.decisions}
    names = [question.question for question in report.score.questions]
    grouped: dict[str, list[Line]] = {name: [] for name in names}
    for finding in report.findings:
        line = Line(finding, decided.get(finding.item))
        grouped.setdefault(question_of(finding.item, names), []).append(line)
    scores = {question.question: question for question in report.score.questions}
    return tuple(
        Section(scores.get(name) or _sum_up(name, lines), tuple(lines)) for name, lines in grouped.items() if lines
    )


def question_of(item: str, questions: list[str]) -> str:
    """The question an item belongs to: the longest question id that the item's id starts with, else its first part."""
    fitting = [name for name in questions if item == name or item.startswith(f"{name}.")]
    return max(fitting, key=len) if fitting else item.split(".", 1)[0]


def waiting(report: Report) -> tuple[Line, ...]:
    """The lines that need a person and have none yet."""
    return tuple(line for section in arrange(report) for line in section.lines if line.pending)


def points(value: Fraction) -> str:
    """A number of points for reading: `2`, `1.5`, `0.67`."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.2f}".rstrip("0").rstrip(".")


def amount(value: Fraction) -> str:
    """Points with their unit: `1 point`, `1.5 points`."""
    return f"{points(value)} point{'' if value == 1 else 's'}"


def exact(value: Fraction) -> str:
    """A fraction without loss: `3/2`, `2`."""
    return str(value)


def lateness(seconds: int) -> str:
    """How late, in words: `2 days 3 h late`; empty when in time."""
    if seconds <= 0:
        return ""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes = rest // 60
    parts = [f"{days} day{'s' if days != 1 else ''}" if days else "", f"{hours} h" if hours else ""]
    if not days:
        parts.append(f"{minutes} min" if minutes else "")
    return f"{' '.join(part for part in parts if part) or 'less than a minute'} late"


def _sum_up(question: str, lines: list[Line]) -> QuestionScore:
    return QuestionScore(
        question,
        sum((line.earned for line in lines), Fraction(0)),
        sum((line.finding.points for line in lines), Fraction(0)),
        sum((line.finding.points for line in lines if line.pending), Fraction(0)),
    )
