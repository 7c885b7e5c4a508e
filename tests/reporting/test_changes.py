"""Decisions taken into a report."""

from __future__ import annotations

from dataclasses import replace

from grader.changes import take_in
from tests.reporting import samples


def test_taking_in_decisions_keeps_the_questions_titles() -> None:
    report = samples.REPORT
    questions = tuple(replace(q, title=f"Title of {q.question}") for q in report.score.questions)
    after = take_in(replace(report, score=replace(report.score, questions=questions)), ())
    assert [q.title for q in after.score.questions] == [q.title for q in questions]
