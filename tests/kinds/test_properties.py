"""What holds for every kind of question: model answers, empty hand-ins, early errors, misconceptions, doubt."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.grading import grade
from grader.kinds.plan import Item, Plan
from grader.model import Submission, Verdict
from grader.problems import Problem
from grader.soundness import model_answer
from reference import printing
from reference.derivation import evaluate
from reference.expression import Expr, ShapeError, constant, stack, substitute, symbols
from reference.graph import FLOAT, build, run
from tests.core.samples import findings, make_problem, report_on

QUESTIONS = (Path(__file__).parent / "questions.toml").read_text(encoding="utf-8")
SEEDS = ("", "anna", "bruno")
CARRIED = ("forward", "reverse", "momentum", "descent", "adagrad", "rmsprop", "euler", "midpoint", "net")


@cache
def problem(seed: str = "") -> Problem:
    return make_problem(Path(mkdtemp()) / "p", QUESTIONS).variant(seed)


def plan_of(question: str, seed: str = "") -> Plan:
    (plan,) = problem(seed).plans(problem(seed).question(question))
    return plan


IDS = [question.id for question in problem().questions]


def typed(value: Expr, item: Item) -> str:
    """A value as a student would type it: as it is, or in decimals where numbers that are no fractions are asked."""
    if symbols([value]):
        return printing.plain(value)
    numbers = np.asarray(run(build(value), {}, FLOAT)[0], dtype=float)
    shown = np.vectorize(
        lambda one: f"{one:.12f}" if item.policy.decimals else str(Fraction(float(one)).limit_denominator(10**9))
    )
    return str(shown(numbers).tolist()).replace("'", "")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("notation", ["plain", "latex"])
@pytest.mark.parametrize("question", IDS)
def test_model_answers_earn_full_marks(question: str, notation: str, seed: str) -> None:
    plan = plan_of(question, seed)
    answers = {item.id: model_answer(plan, item, notation) for item in plan.items}  # type: ignore[arg-type]
    given_ = {item: text for item, text in answers.items() if text is not None}
    found = findings(problem(seed), given_)
    assert {item: found[item].verdict for item in given_} == dict.fromkeys(given_, Verdict.CORRECT), given_


@pytest.mark.parametrize("question", IDS)
def test_an_empty_hand_in_is_blank(question: str) -> None:
    report = grade(problem(), Submission("nobody", ()), only=question)
    assert {finding.verdict for finding in report.findings} == {Verdict.BLANK}
    assert report.score.earned == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("question", CARRIED)
def test_an_error_at_one_step_worked_on_correctly_costs_only_that_step(question: str, seed: str) -> None:
    plan = plan_of(question, seed)
    truth = plan.truths[0]
    steps = [item for item in plan.items if item.step]
    for broken in steps:
        value = truth.value(broken.step)
        wrong = value * Fraction(8, 7) + Fraction(1, 3)
        if broken.step not in truth.derivation.names:
            continue
        clamped = evaluate(truth.derivation, given={broken.step: wrong})
        answers = {item.id: typed(clamped[item.step], item) for item in steps}
        found = findings(problem(seed), answers)
        assert found[broken.id].verdict is Verdict.INCORRECT, (broken.id, answers[broken.id])
        others = {item.id: found[item.id].verdict for item in steps if item.id != broken.id}
        assert set(others.values()) <= {Verdict.CORRECT, Verdict.CARRIED}, (broken.id, others)


@pytest.mark.parametrize("question", IDS)
def test_a_misconception_is_diagnosed_as_itself_or_one_listed_before_it(question: str) -> None:
    plan = plan_of(question)
    truth = plan.truths[0]
    notes: list[str] = []
    for mistake in plan.malrules:
        notes.append(mistake.note)
        for item in plan.items:
            if item.step not in mistake.replaced:
                continue
            try:
                value = substitute(mistake.at(item.step, 0), truth.values)
            except ShapeError:
                continue
            found = findings(problem(), {item.id: typed(value, item)})[item.id]
            if found.verdict is Verdict.CORRECT:
                continue  # here the mistake makes no difference
            assert found.verdict is Verdict.INCORRECT
            assert found.note in (*notes, "jacobian.transposed"), (mistake.note, found.note)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(IDS), st.text(max_size=40), st.booleans())
def test_any_text_gets_a_finding_and_doubt_earns_nothing(question: str, text: str, latex: bool) -> None:
    item = plan_of(question).items[0].id
    report = report_on(problem(), {item: text + ("\\," if latex else "")})
    for finding in report.findings:
        if finding.verdict.pending:
            assert finding.earned == 0
    right = grade(problem(), Submission("nobody", ()))
    assert report.score.possible == right.score.possible


def test_two_steps_with_the_same_error_are_not_both_excused() -> None:
    shifted = stack([constant(1), constant(1)])
    plan = plan_of("descent")
    answers = {item.id: printing.plain(plan.truths[0].value(item.step)) for item in plan.items}
    answers["descent.w1"] = answers["descent.w2"] = printing.plain(shifted)
    found = findings(problem(), answers)
    assert found["descent.w1"].verdict is Verdict.INCORRECT
    assert found["descent.w2"].verdict is Verdict.INCORRECT
