"""Which of a student's formulas answers which item."""

from __future__ import annotations

from collections.abc import Sequence

from grader.kinds.plan import Plan
from grader.matching.assigning import match_part
from grader.matching.parting import split_parts
from grader.matching.statements import Matched, Statement, Unread
from grader.model import Answer, Fragment

__all__ = ["Matched", "Statement", "Unread", "match_question", "sections_of"]


def match_question(
    question: str, parts: Sequence[str], plans: Sequence[Plan], answers: Sequence[Answer]
) -> list[dict[str, Matched]]:
    """For each plan of a question (one per part, texts last), what was found for its items."""
    pools = split_parts(question, parts, answers)
    everything = split_parts(question, [""], answers)[0]
    return [match_part(plan, pools[i] if i < len(pools) else everything) for i, plan in enumerate(plans)]


def sections_of(question: str, parts: Sequence[str], answers: Sequence[Answer]) -> dict[str, tuple[Fragment, ...]]:
    """What stands in each part of a question, by task id ("2a.A", or "1d" where there are no parts)."""
    pools = split_parts(question, parts, answers)
    names = [f"{question}.{part}" if part else question for part in parts]
    return {name: tuple(fragment for _, fragment in pool) for name, pool in zip(names, pools, strict=True)}
