"""Problem files: sound ones load, wrong ones are refused with all mistakes at once, each with a way to mend it."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import pytest

from grader.decode import ProblemError
from grader.kinds import KINDS, load_kind
from grader.model import Verdict
from grader.problems import About, Head, LatePolicy, Words, load_problem
from grader.scoring import score
from grader.soundness import Case, find_troubles
from grader.variants import Parameter
from tests.core.samples import ROOT, SHEETS, findings, make_problem, report_on, write_problem

PRODUCT = """
[[question]]
id = '1'
kind = 'derivative'
points = 2
symbols = {x = 'real'}
f = 'x^2 * exp(x)'
"""


def refused(folder: Path, questions: str, head: str = "") -> str:
    with pytest.raises(ProblemError) as caught:
        make_problem(folder, questions, head)
    return str(caught.value)


def test_all_mistakes_of_a_file_come_at_once_with_file_line_key_and_suggestion(tmp_path: Path) -> None:
    questions = """
[[question]]
id = '1'
kind = 'derivativ'
points = 2

[[question]]
id = '2'
kind = 'derivative'
ponits = 2
symbols = {x = 'real'}
f = "x^2 \\\\frac"

[[question]]
id = '2'
kind = 'graph'
points = 'many'
ask = 'drawings'
symbols = {x = 'real'}
f = 'x'
"""
    with pytest.raises(ProblemError) as caught:
        load_problem(write_problem(tmp_path / "p", questions, "tilte = 'x'"))
    shown = "\n".join(str(one) for one in caught.value.mistakes)
    for expected in (
        "problem.toml:4: problem.tilte: unknown key `tilte`  (did you mean `title`?)",
        "did you mean `derivative`?",
        "did you mean `points`?",
        "write mathematics in single quotes",
        "the id `2` is used twice",
        "expected a number or a table, found the text 'many'",
        "did you mean `drawing`?",
    ):
        assert expected in shown, shown
    assert all(one.line for one in caught.value.mistakes if one.file)


REFUSALS = {
    "unknown name": ("symbols = {x = 'real'}\nf = 'x*y'", "y"),
    "no dependence": ("symbols = {y = 'real', x = 'real'}\nf = 'x'\nwrt = 'y'", "does not depend"),
    "undeclared variable": ("symbols = {x = 'real'}\nf = 'x'\nwrt = 'y'", "is not declared"),
    "empty domain": ("symbols = {x = 'positive'}\nf = 'x^2'\nwhere = ['x < 0']", "domain is empty"),
    "a condition that is none": ("symbols = {x = 'real'}\nf = 'x^2'\nwhere = ['x']", "is no condition"),
    "unreadable": ("symbols = {x = 'real'}\nf = 'x^^('", "question 1.f"),
    "shapes": ("symbols = {x = 'vector 2', y = 'vector 3'}\nf = 'x^T*y'", "do not conform"),
    "a domain that is none": ("symbols = {x = 'rael'}\nf = 'x'", "x: 'rael'"),
    "an abstract function that is missing": ("symbols = {x = 'real'}\nf = 'p(x) + x'", "p"),
    "nothing declared": ("f = '1'", "nothing is declared"),
    "undefined everywhere": ("symbols = {x = 'positive'}\nf = 'log(-x)'", "at no point of the domain"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_an_unsound_definition_is_refused_with_its_reason(name: str, tmp_path: Path) -> None:
    body, reason = REFUSALS[name]
    text = refused(tmp_path / "p", f"[[question]]\nid = '1'\nkind = 'derivative'\npoints = 1\n{body}")
    assert reason in text
    assert "problem.toml:" in text


def test_an_item_that_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    text = refused(tmp_path / "p", PRODUCT.replace("points = 2", "points = {derivative = 1, dimesion = 1}"))
    assert "did you mean `dimension`?" in text


def test_a_structure_is_only_asked_where_there_is_one(tmp_path: Path) -> None:
    question = """
[[question]]
id = '1'
kind = 'derivative'
points = {jacobian = 1, structure = 1}
symbols = {x = 'vector 2'}
f = '[x1*x2, x1^2 + x2]'
"""
    assert "no structure" in refused(tmp_path / "p", question)


def test_points_of_parts_are_shared_or_their_own(tmp_path: Path) -> None:
    parts = "[[question.part]]\nid = 'a'\nf = 'x'\n[[question.part]]\nid = 'b'\nf = 'x^2'\n"
    shared = f"[[question]]\nid = '1'\nkind = 'derivative'\npoints = 3\nsymbols = {{x = 'real'}}\n{parts}"
    problem = make_problem(tmp_path / "p", shared)
    assert [(item.id, item.points) for item in problem.items()] == [("1.a", Fraction(3, 2)), ("1.b", Fraction(3, 2))]
    own = shared.replace("points = 3", "points = {a = 1, b = 5}")
    assert make_problem(tmp_path / "q", own).points == 6


def test_a_question_takes_over_the_keys_of_another(tmp_path: Path) -> None:
    again = PRODUCT + "\n[[question]]\nid = '2'\nlike = '1'\npoints = 1\norder = 2\n"
    found = findings(make_problem(tmp_path / "p", again), {"2": "(x^2 + 4*x + 2)*exp(x)"})
    assert found["2"].verdict is Verdict.CORRECT


def test_variants_follow_the_student_and_not_other_questions(tmp_path: Path) -> None:
    one = PRODUCT.replace("x^2", "a*x^2") + "parameters = {a = {integer = [2, 900]}}\n"
    two = PRODUCT.replace("'1'", "'0'") + one
    first, second = make_problem(tmp_path / "p", one), make_problem(tmp_path / "q", two)
    values = {}
    for student in ("anna", "ben", "chi"):
        drawn = first.variant(student).parameters(first.question("1"))
        assert drawn == second.variant(student).parameters(second.question("1"))
        values[student] = drawn["a"]
    assert len(set(values.values())) == 3
    variant = first.variant("anna")
    found = findings(variant, {"1": f"{values['anna']}*(2*x + x^2)*exp(x)"})
    assert found["1"].verdict is Verdict.CORRECT
    assert findings(variant, {"1": f"{values['ben']}*(2*x + x^2)*exp(x)"})["1"].verdict is Verdict.INCORRECT


def test_draws_without_a_solution_are_drawn_again_and_refused_if_there_is_no_other(tmp_path: Path) -> None:
    question = """
[[question]]
id = '1'
kind = 'rollout'
points = {gradient = 1}
parameters = {a = {choice = [0, 3]}}
step = ['x1*theta1']
start = ['a']
values = [3]
loss = 'x1^2'
"""
    problem = make_problem(tmp_path / "p", question)
    drawn = {problem.variant(str(seed)).parameters(problem.question("1"))["a"] for seed in range(12)}
    assert drawn == {3}
    text = refused(tmp_path / "q", question.replace("[0, 3]", "[0]"))
    assert "no draw of the parameters is well-posed" in text


def test_a_bonus_question_adds_to_what_is_earned_only(tmp_path: Path) -> None:
    problem = make_problem(tmp_path / "p", PRODUCT + PRODUCT.replace("'1'", "'2'") + "bonus = true\n")
    report = report_on(problem, {"2": "(2*x + x^2)*exp(x)"})
    assert (report.score.earned, report.score.possible, problem.points) == (2, 2, 2)
    assert score  # the rules themselves are tested in test_scoring


def test_lateness_is_priced_only_where_the_problem_says_so(tmp_path: Path) -> None:
    from dataclasses import replace

    from grader.grading import grade
    from tests.core.samples import hand_in

    due = "due = 2025-01-01T12:00:00+01:00"
    plain = make_problem(tmp_path / "p", PRODUCT, due)
    priced = make_problem(tmp_path / "q", PRODUCT, f"{due}\n[late]\nper_day = 0.25\ngrace_minutes = 10")
    for problem, earned in ((plain, Fraction(2)), (priced, Fraction(3, 2))):
        submission = replace(hand_in(problem, {"1": "(2*x + x^2)*exp(x)"}), submitted="2025-01-01T13:00:00+01:00")
        report = grade(problem, submission)
        assert (report.score.earned, report.late_seconds) == (earned, 3600)
        assert [remark.note for remark in report.remarks] == ["late"]


def test_the_controlled_system_is_sound() -> None:
    assert find_troubles(load_problem(ROOT / "problems" / "adl4p-ex05")) == ()


@pytest.mark.parametrize("name", SHEETS)
def test_every_question_of_the_sheets_has_cases(name: str) -> None:
    from grader.soundness import load_cases

    problem = load_problem(ROOT / "problems" / name, plans=False)
    cases = load_cases(ROOT / "problems" / name)
    for question in problem.questions:
        if question.kind != "program":
            assert sum(case.item.split(".")[0] == question.id for case in cases) >= 6, question.id


def test_every_key_and_kind_is_documented() -> None:
    text = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    for table in (About, Words, LatePolicy, Head, Parameter, Case):
        for field in dataclasses.fields(table):
            name = {"together": "with"}.get(field.name, field.name)
            assert f"`{name}`" in text or field.name == "line", (table.__name__, field.name)
    for kind in ("derivative", "matrix_derivative", "chain_rule", "graph", "rollout", "prose", "program"):
        assert kind in KINDS
        assert f"`{kind}`" in text, kind
    for kind in ("derivative", "graph", "rollout", "prose"):
        for field in dataclasses.fields(load_kind(kind).Spec):
            assert f"`{field.name}`" in text, (kind, field.name)
