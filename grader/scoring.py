"""Findings to a score, in exact fractions.  Pure: the same findings, decisions and dates give the same score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from grader.model import Decision, Finding, QuestionScore, Score

ZERO = Fraction(0)
SECONDS_OF_A_DAY = 86_400


@dataclass(frozen=True)
class Terms:
    """What scoring has to know of a problem: which question each item belongs to, and which items are a bonus.

    A bonus item adds to what is earned and never to what is possible.
    """

    question_of: Mapping[str, str]
    bonus: frozenset[str] = frozenset()
    titles: Mapping[str, str] = field(default_factory=dict)  # of the questions


@dataclass(frozen=True)
class Penalty:
    """What lateness takes: `share` of the points earned, in 0…1."""

    seconds: int = 0
    share: Fraction = ZERO


def score(
    findings: Sequence[Finding], decisions: Iterable[Decision], terms: Terms, penalty: Penalty | None = None
) -> Score:
    """Points per question and in all.

    A pending item is neither earned nor lost.  A person's decision replaces what the program found for its item (the
    last one if there are several), and the item is pending no more.  The penalty is taken from the sum earned.
    """
    decided = {decision.item: decision.points for decision in decisions}
    earned: dict[str, Fraction] = {}
    possible: dict[str, Fraction] = {}
    pending: dict[str, Fraction] = {}
    for finding in findings:
        question = terms.question_of.get(finding.item, finding.item)
        for sums in (earned, possible, pending):
            sums.setdefault(question, ZERO)
        if finding.item not in terms.bonus:
            possible[question] += finding.points
        if finding.item in decided:
            earned[question] += decided[finding.item]
        elif finding.verdict.pending:
            pending[question] += finding.points
        else:
            earned[question] += finding.earned
    questions = tuple(
        QuestionScore(name, earned[name], possible[name], pending[name], terms.titles.get(name, "")) for name in earned
    )
    total = sum(earned.values(), ZERO)
    taken = total * penalty.share if penalty is not None and total > 0 else ZERO
    return Score(
        earned=total - taken,
        possible=sum(possible.values(), ZERO),
        pending=sum(pending.values(), ZERO),
        questions=questions,
        penalty=taken,
    )


def seconds_late(submitted: str | None, due: datetime | None) -> int:
    """How long after the deadline a hand-in came; 0 if in time, or if either moment is unknown or unreadable."""
    if submitted is None or due is None:
        return 0
    moment = parse_moment(submitted, due)
    if moment is None:
        return 0
    return max(0, int((moment - due) / timedelta(seconds=1)))


def parse_moment(text: str, like: datetime) -> datetime | None:
    """An ISO 8601 moment; one without a zone is in the zone of `like`.  None if the text is no moment."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=like.tzinfo)


def price_lateness(
    late: int, per_day: Fraction, grace_minutes: int = 0, floor: Fraction = ZERO, extension_minutes: int = 0
) -> Penalty:
    """The share taken for `late` seconds: `per_day` for every begun day after grace and extension, `floor` stays.

    Within the grace period nothing is taken; after it, days count from its end.
    """
    beyond = late - 60 * (grace_minutes + extension_minutes)
    if beyond <= 0:
        return Penalty(late)
    days = -(-beyond // SECONDS_OF_A_DAY)
    return Penalty(late, min(per_day * days, 1 - floor))
