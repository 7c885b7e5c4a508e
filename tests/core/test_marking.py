"""The marking rule: an early error costs once, doubt never costs and never pays."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.grading import grade
from grader.model import Submission, Verdict
from grader.problems import Problem, load_problem
from grader.soundness import model_answer
from reference import printing
from reference.derivation import evaluate
from reference.expression import constant, stack
from tests.core.samples import ROOT, SHEETS, findings, hand_in, make_problem, report_on

PENDING = (Verdict.UNREADABLE, Verdict.UNDECIDED)


@cache
def sheet(name: str) -> Problem:
    return load_problem(ROOT / "problems" / name, plans=False)


def model_answers(problem: Problem, notation: str = "plain") -> dict[str, str]:
    """Every derived answer that can be typed."""
    return {
        item.id: text
        for question in problem.questions
        if question.kind != "program"
        for plan in problem.plans(question)
        for item in plan.items
        if (text := model_answer(plan, item, notation)) is not None  # type: ignore[arg-type]
    }


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("notation", ["plain", "latex"])
def test_model_answers_earn_full_marks(name: str, notation: str) -> None:
    problem = sheet(name)
    answers = model_answers(problem, notation)
    found = findings(problem, answers)
    assert {item: found[item].verdict for item in answers if item != "1g"} == {
        item: Verdict.CORRECT for item in answers if item != "1g"
    }
    assert all(found[item].credit == 1 for item in answers if item != "1g")


@pytest.mark.parametrize("name", SHEETS)
def test_an_empty_submission_earns_nothing_and_loses_nothing_to_doubt(name: str) -> None:
    problem = sheet(name)
    report = grade(problem, Submission("nobody", ()))
    written = [f for f in report.findings if not f.item.startswith("3a") and not f.item.startswith("3b")]
    assert {f.verdict for f in written} == {Verdict.BLANK}
    assert report.score.earned == 0
    assert report.score.possible == problem.points


def test_the_sheets_have_the_points_of_their_sources() -> None:
    assert (sheet("dl-sheet01").points, sheet("adl4p-ex05").points) == (100, 45)


def test_the_truths_of_the_controlled_system_come_out_derived() -> None:
    problem = sheet("adl4p-ex05")
    (plan,) = problem.plans(problem.question("2"))
    truth = plan.truths[0]
    shown = {name: printing.plain(truth.value(name)) for name in truth.derivation.names}
    same = findings(
        problem,
        {"2.x1": "[-1, 1/2, 3]", "2.x2": "[-3/2, 3/4, 23/4]", "2.L": "8", "2.lambda2": "[-1, 1, 1]",
         "2.lambda1": "[-2, -5/2, 2]", "2.gradient": "[3, -2, 7]"},
    )  # fmt: skip
    assert {f.verdict for item, f in same.items() if item.startswith("2.")} == {Verdict.CORRECT}, shown


STEPS = ("x_1", "x_2", "L", "lambda_2", "lambda_1", "gradient")
ITEMS = ("2.x1", "2.x2", "2.L", "2.lambda2", "2.lambda1", "2.gradient")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(STEPS) - 1), st.lists(st.integers(2, 9), min_size=3, max_size=3))
def test_an_error_at_one_step_worked_on_correctly_costs_only_that_step(step: int, values: list[int]) -> None:
    problem = sheet("adl4p-ex05")
    (plan,) = problem.plans(problem.question("2"))
    truth = plan.truths[0]
    shape = truth.value(STEPS[step]).shape
    wrong = (
        stack([constant(Fraction(v) + Fraction(1, 7)) for v in values]) if shape else constant(Fraction(values[0], 7))
    )
    clamped = evaluate(truth.derivation, given={STEPS[step]: wrong})
    answers = {item: printing.plain(clamped[name]) for item, name in zip(ITEMS, STEPS, strict=True)}
    found = findings(problem, answers)
    assert found[ITEMS[step]].verdict is Verdict.INCORRECT
    others = {item: found[item].verdict for item in ITEMS if item != ITEMS[step]}
    assert set(others.values()) <= {Verdict.CORRECT, Verdict.CARRIED}, others


def test_an_error_that_leaves_nothing_to_be_shown_goes_to_a_person() -> None:
    found = findings(sheet("adl4p-ex05"), {"1.lambda1": "[0, 0, 0]", "1.gradient": "[0, 0, 0]"})
    assert found["1.lambda1"].verdict is Verdict.INCORRECT
    assert (found["1.gradient"].verdict, found["1.gradient"].note) == (Verdict.UNDECIDED, "carried.degenerate")


def test_a_step_not_written_down_is_credited_when_a_later_one_shows_it() -> None:
    found = findings(sheet("adl4p-ex05"), {"2.gradient": "[3, -2, 7]"})
    assert all(found[item].note == "implied" and found[item].verdict is Verdict.CORRECT for item in ITEMS[:-1])


def test_a_wrong_later_step_implies_nothing() -> None:
    found = findings(sheet("adl4p-ex05"), {"2.gradient": "[3, -2, 8]"})
    assert all(found[item].verdict is Verdict.BLANK for item in ITEMS[:-1])


def test_unshown_steps_stay_blank_where_the_question_says_so(tmp_path: Path) -> None:
    question = """
[[question]]
id = '1'
kind = 'rollout'
points = {x1 = 1, gradient = 1}
unshown = 'blank'
step = ['x1*theta1']
start = [2]
values = [3]
loss = 'x1^2'
"""
    found = findings(make_problem(tmp_path / "p", question), {"1.gradient": "[24]"})
    assert (found["1.x1"].verdict, found["1.gradient"].verdict) == (Verdict.BLANK, Verdict.CORRECT)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_answer_at_all_gets_a_finding_and_doubt_earns_nothing(text: str) -> None:
    report = report_on(sheet("adl4p-ex05"), {"1.gradient": text, "1.x1": text})
    for finding in report.findings:
        if finding.verdict in PENDING:
            assert finding.earned == 0


CARETS = [("1a", r"\frac{x"), ("1a", r"3x^2 + \qwert"), ("1a", "x +"), ("1d", r"\begin{bmatrix} 1 & 2 \\")]


@pytest.mark.parametrize(("item", "text"), CARETS)
def test_what_cannot_be_read_is_pending_with_a_caret_inside_the_students_text(item: str, text: str) -> None:
    finding = findings(sheet("dl-sheet01"), {item: text})[item]
    assert finding.verdict is Verdict.UNREADABLE
    (caret,) = [dict(e.data) for e in finding.evidence if e.kind == "caret"]
    assert 0 <= int(caret["start"]) <= int(caret["end"]) <= len(caret["source"])
    assert caret["source"] in text


def test_a_wrong_answer_has_a_witness_and_the_student_never_sees_the_truth() -> None:
    finding = findings(sheet("dl-sheet01"), {"1a": r"-2x^2 \sin(x^3)"})["1a"]
    students = [e for e in finding.evidence if e.audience == "student" and e.kind == "witness"]
    assert students
    assert all("truth" not in dict(e.data) for e in students)
    assert any("truth" in dict(e.data) for e in finding.evidence if e.audience == "instructor")


def test_the_same_hand_in_gets_the_same_report_twice() -> None:
    problem = sheet("dl-sheet01")
    answers = {"1a": r"3x^2 \sin(x^3)", "1d": "[[1, 2, 3], [4, 5, 6]]", "2a.A": "t1 = c^2\nt2 = a + b"}
    assert grade(problem, hand_in(problem, answers)) == grade(problem, hand_in(problem, answers))


def test_our_own_exception_makes_the_question_undecided_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    problem = sheet("dl-sheet01")
    monkeypatch.setattr("grader.checking.rule._judge", broken)
    report = grade(problem, hand_in(problem, {"1a": "x", "1h.dimension": "M x N"}))
    found = {f.item: f for f in report.findings}
    assert (found["1a"].verdict, found["1a"].note) == (Verdict.UNDECIDED, "internal")
    assert found["1h.dimension"].verdict is Verdict.CORRECT


WRITTEN = [
    ("dl-sheet01", "# 1e\nIt is $\\mathrm{diag}(a'(x_1),\\dots,a'(x_n))$, so diagonal.\n", "1e.jacobian 1e.structure"),
    ("dl-sheet01", "# 1c\nWith $u = e^{-x}$:\n$$\\sigma' = \\frac{u}{(1+u)^2}$$\n", "1c"),
    ("dl-sheet01", "# 1c\n$\\boxed{\\sigma'(x) = \\sigma(x)(1-\\sigma(x))}$\n\n$\\sigma'(x) = 5$\n", "1c"),
    ("dl-sheet01", "# 1c\nsigma'(x) = exp(-x)/(1 + exp(-x))^2\n", "1c"),
    ("dl-sheet01", "# 1c\n$$y' = \\sigma(x)(1-\\sigma(x))$$\n", "1c"),
    ("adl4p-ex05", "# 1\n$g = \\frac{dL}{d\\theta} = (2,1,3)$\n", "1.gradient"),
    ("adl4p-ex05", "# 2\n$$x_1 = (-1, 1/2, 3)^T, \\quad x_2 = (-3/2, 3/4, 23/4)^T\\quad L = 8$$\n", "2.x1 2.x2 2.L"),
]


@pytest.mark.parametrize(("name", "text", "items"), WRITTEN)
def test_answers_are_found_the_way_people_write_them(name: str, text: str, items: str, tmp_path: Path) -> None:
    from grader.reading import read_submission

    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    report = grade(sheet(name), read_submission(tmp_path / "a.md", sheet(name).labels()))
    found = {finding.item: finding.verdict for finding in report.findings}
    assert {found[item] for item in items.split()} == {Verdict.CORRECT}


def test_what_the_statement_gives_is_never_taken_for_an_answer(tmp_path: Path) -> None:
    from grader.reading import read_submission

    text = "# 1\nGiven: $x_0 = (2,-1,3)^T$, $\\theta = (-1,4,2)^T$, $L = \\|x_1\\|_1$\n"
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    report = grade(sheet("adl4p-ex05"), read_submission(tmp_path / "a.md", sheet("adl4p-ex05").labels()), only="1")
    assert {finding.verdict for finding in report.findings} == {Verdict.BLANK}
