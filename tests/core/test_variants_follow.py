"""A sheet with parameters: truth, statement, handout and marking follow a student's numbers, whatever they are."""

from __future__ import annotations

import re
import tomllib
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from grader.decode import unseal
from grader.derived import item_row
from grader.handout.folder import build
from grader.handout.statement import latex
from grader.model import Verdict
from grader.problems import Problem, load_problem
from grader.soundness import case_troubles, examine, load_cases
from grader.wellposed import blemishes
from tests.core.samples import ROOT, make_problem, report_on

FOLDER = ROOT / "tests" / "cases" / "varied_problem"
SEEDS = [f"student-{number}" for number in range(8)]


@cache
def problem() -> Problem:
    return load_problem(FOLDER)


def values_of(variant: Problem) -> dict[str, dict[str, Fraction]]:
    return {one.id: dict(variant.parameters(one)) for one in variant.questions}


def test_students_get_different_numbers() -> None:
    for question in problem().questions:
        drawn = {tuple(problem().variant(seed).parameters(question).items()) for seed in SEEDS}
        assert len(drawn) > 2, question.id


@pytest.mark.parametrize("seed", SEEDS)
def test_the_model_answers_of_a_variant_earn_full_marks_there_and_show_its_numbers(seed: str) -> None:
    variant = problem().variant(seed)
    answers = {}
    for question in variant.questions:
        for plan in variant.plans(question):
            for item in plan.items:
                answers[item.id] = str(item_row(plan, item)["answer"]).replace("; ", "\n")
    report = report_on(variant, answers)
    assert {f.item: f.verdict for f in report.findings} == dict.fromkeys(answers, Verdict.CORRECT)
    assert report.score.earned == variant.points


@pytest.mark.parametrize("seed", SEEDS)
def test_the_problems_own_cases_hold_in_every_variant(seed: str) -> None:
    assert list(case_troubles(problem().variant(seed), load_cases(FOLDER))) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_no_draw_is_degenerate_ugly_or_hides_a_misconception(seed: str) -> None:
    variant = problem().variant(seed)
    values = values_of(variant)
    assert values["1"]["c"] != 0  # the function would be zero
    assert values["1"]["k"] != 1  # a forgotten inner derivative could not be seen
    assert values["2"]["b"] != Fraction(1, 7)  # the states would have ugly denominators
    for question in variant.questions:
        assert variant.drawn(question).blemishes == ()
        tidy = question.head.tidy
        if tidy is not None:
            assert not list(blemishes(variant.plans(question), tidy, frozenset))


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_statement_and_sealed_copy_hold_the_variants_numbers(seed: str) -> None:
    variant = problem().variant(seed)
    files = {name: content.decode() for name, content in build(variant).items()}
    statement = files["statement.md"]
    assert "{{" not in statement
    for drawn in values_of(variant).values():
        assert all(latex(value) in statement for value in drawn.values())
    sealed = next(text for name, text in files.items() if name.endswith("problem.toml"))
    _, drawn_there = unseal(tomllib.loads(sealed)["sealed"])
    assert drawn_there == {q: {n: str(v) for n, v in drawn.items()} for q, drawn in values_of(variant).items()}


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_a_students_copy_marks_as_the_instructor_does(seed: str, tmp_path: Path) -> None:
    variant = problem().variant(seed)
    for name, content in build(variant).items():
        if name.startswith(".grader/"):
            path = tmp_path / Path(name).relative_to(".grader").name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    copy = load_problem(tmp_path)
    assert values_of(copy) == values_of(variant)
    answers = {"1": "c*exp(x)*(cos(k*x) + sin(k*x))", "2.x1": "[a^2 + 1, 2*b*a]", "2.L": "17"}
    mine, theirs = (report_on(one, answers).findings for one in (variant, copy))
    assert [(f.item, f.verdict, f.note) for f in mine] == [(f.item, f.verdict, f.note) for f in theirs]


def test_another_students_answer_is_wrong_here() -> None:
    first, second = (problem().variant(seed) for seed in ("student-0", "student-1"))
    k, c = (values_of(first)["1"][name] for name in ("k", "c"))
    text = f"({c})*exp(x)*({k}*cos({k}*x) + sin({k}*x))"
    assert report_on(first, {"1": text}).findings[0].verdict is Verdict.CORRECT
    assert report_on(second, {"1": text}).findings[0].verdict is Verdict.INCORRECT


def test_edits_of_other_questions_change_nobodys_numbers(tmp_path: Path) -> None:
    text = (FOLDER / "problem.toml").read_text(encoding="utf-8")
    questions = text[text.index("[[question]]") :]
    alone = make_problem(tmp_path / "a", questions[questions.rindex("[[question]]") :])
    extra = "[[question]]\nid = '0'\nkind = 'derivative'\nsymbols = {x = 'real'}\nf = 'x^2'\n\n"
    among = make_problem(tmp_path / "b", extra + questions.replace("'A wave'", "'Another title'"))
    for seed in SEEDS:
        drawn = [one.variant(seed).parameters(one.question("3")) for one in (alone, among)]
        assert drawn[0] == drawn[1]


def test_validate_says_which_draws_were_passed_over_and_why() -> None:
    found = examine(problem(), seeds=12)
    assert found.troubles == ()
    reasons = " ".join(reason for one in found.variants for reason, _ in one.reasons)
    for expected in ("1 is zero", "chain_rule.inner_derivative_missing gives the right result", "ugly value"):
        assert expected in reasons


def test_a_question_that_cannot_be_told_from_a_misconception_takes_the_least_bad_draw(tmp_path: Path) -> None:
    question = """
[[question]]
id = '1'
kind = 'derivative'
points = 1
symbols = {x = 'real'}
parameters = {k = {choice = [1, -1]}, m = {choice = [1, 2]}}
f = 'sin(k^2*x) + m'
"""
    made = make_problem(tmp_path, question)
    found = made.variant("s").drawn(made.question("1"))
    assert found.plans
    assert re.fullmatch("-?1", str(found.values["k"]))
