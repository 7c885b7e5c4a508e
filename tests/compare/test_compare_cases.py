"""The case table: what is the same as what."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from grader.compare.answers import Task, answer_same, make_task

TABLE = Path(__file__).parent.parent / "cases" / "compare.toml"
QUESTIONS: list[dict[str, Any]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))["question"]
CASES = [
    pytest.param(question, notation, *case[:3], case[3] if len(case) > 3 else case[1], id=f"{question['id']}-{case[0]}")
    for question in QUESTIONS
    for notation in ("latex", "plain")
    for case in question.get(notation, ())
]


@cache
def task_of(name: str) -> Task:
    question = next(q for q in QUESTIONS if q["id"] == name)
    where = tuple(question.get("where", ()))
    return make_task(question["truth"], question["symbols"], question.get("definitions"), where)


@pytest.mark.parametrize(("question", "notation", "answer", "right", "why", "today"), CASES)
def test_an_answer_gets_its_verdict(
    question: dict[str, Any], notation: Any, answer: str, right: str, why: str, today: str
) -> None:
    outcome = answer_same(answer, notation, task_of(question["id"]))
    assert outcome.same == today, f"{why}: {outcome}"
    if outcome.same == "no" and outcome.how == "witness":
        assert outcome.witness is not None


def test_the_table_is_large_enough() -> None:
    assert len(CASES) >= 150
