"""Marking policies, row by row of tests/cases/policies.toml; late policy and bonus to the exact fraction."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from grader.grading import grade
from tests.core.samples import ROOT, findings, hand_in, make_problem

ROWS = tomllib.loads((ROOT / "tests" / "cases" / "policies.toml").read_text(encoding="utf-8"))["case"]


@pytest.mark.parametrize("row", ROWS, ids=[row["why"] for row in ROWS])
def test_a_policy_does_what_its_row_says(row: dict[str, Any], tmp_path: Path) -> None:
    question = f"[[question]]\nid = '1'\npoints = {row.get('points', 4)}\n{row['question']}\n"
    problem = make_problem(tmp_path, question, row.get("head", ""))
    item = row.get("item", "1")
    answers = dict(row.get("with", {}))
    if "answer" in row:
        answers[item] = row["answer"]
    found = findings(problem, answers)[item]
    assert found.verdict == row["verdict"], (found.note, found.message)
    if "note" in row:
        assert found.note == row["note"]
    if "credit" in row:
        assert found.credit == Fraction(row["credit"])


PRODUCT = "[[question]]\nid = '{id}'\nkind = 'derivative'\npoints = {points}\nsymbols = {{x = 'real'}}\nf = 'x^3'\n"
LATE = (
    "due = 2025-01-01T12:00:00+01:00\n[late]\nper_day = '1/7'\ngrace_minutes = 15\nfloor = '1/5'\n"
    "extensions = {student = 1440}\n"
)


@pytest.mark.parametrize(
    ("submitted", "share"),
    [
        ("2025-01-01T11:59:59+01:00", 0),
        ("2025-01-02T12:15:00+01:00", 0),  # the student has a day more, and the quarter of an hour
        ("2025-01-02T12:15:01+01:00", Fraction(1, 7)),
        ("2025-01-03T12:15:01+01:00", Fraction(2, 7)),
        ("2025-02-01T12:00:00+01:00", Fraction(4, 5)),  # the floor stays
    ],
)
def test_lateness_costs_the_exact_share_with_grace_extension_and_floor(
    submitted: str, share: Fraction, tmp_path: Path
) -> None:
    problem = make_problem(tmp_path, PRODUCT.format(id="1", points="'10/3'"), LATE)
    handed = replace(hand_in(problem, {"1": "3*x^2"}), submitted=submitted)
    score = grade(problem, handed).score
    assert score.earned == Fraction(10, 3) * (1 - share)
    assert score.penalty == Fraction(10, 3) * share


def test_a_bonus_can_make_good_what_lateness_took(tmp_path: Path) -> None:
    questions = PRODUCT.format(id="1", points=4) + PRODUCT.format(id="2", points=2) + "bonus = true\n"
    problem = make_problem(tmp_path, questions, LATE)
    handed = replace(hand_in(problem, {"1": "3*x^2", "2": "3*x^2"}), submitted="2025-01-03T00:00:00+01:00")
    score = grade(problem, handed).score
    assert (score.earned, score.possible) == (Fraction(6) * Fraction(6, 7), 4)
