"""Worked solutions line by line: exactly the false links are flagged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import cli
from grader.compare.proofreading import Judged, proofread
from grader.model import Fragment, Place


def judged(*formulas: str) -> tuple[Judged, ...]:
    fragments = [Fragment("formula", text, "latex", Place("a.md", line)) for line, text in enumerate(formulas, 1)]
    return proofread(fragments)


def verdicts(*formulas: str) -> list[str]:
    return [one.link.holds for one in judged(*formulas)]


TRUE = [
    ("2^2 + (-1) + 2(-1) = 4 - 1 - 2 = 1",),
    ("L = |1| + |-6.5| + |8| = 15.5",),
    ("\\frac{1}{3} = 0.333",),
    ("\\frac{2}{3} = 0.67",),
    ("\\frac{2}{3} = 0.66",),
    ("\\sqrt{5} \\approx 2.236",),
    ("\\left.12(3x+1)^3\\right|_{x=0} = 12",),
    ("a = 1 - \\frac{1.0876}{6} = 0.81873", "a - e^{-0.2} \\approx 0.0000026"),
    ("b = \\frac{1}{3} = 0.333", "c = 3b - 1 = 0"),
    ("a = (2, -1)^T", "\\mathbb 1[a > 0] = (1, 0)^T"),
    ("e^{-1} = 0.3679", "1 - 0.3679 = 0.632"),
    ("0.731 (1 - 0.731) = 0.1966",),
    ("\\theta_1 = 3", "2\\theta_1 + 1 = 7"),
    ("x_1 = \\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix}", "x_{1,1} + x_{1,2} = 3"),
    ("x = \\begin{bmatrix} 1 + 1 \\\\ 2 \\cdot 3 \\end{bmatrix} = \\begin{bmatrix} 2 \\\\ 4 + 2 = 6 \\end{bmatrix}",),
    (
        "x_{0,1} = 2",
        "\\frac{\\partial a}{\\partial b} = x_{0,1} = 2 \\Rightarrow \\frac{\\partial L}{\\partial b} = 1 \\cdot 2 = 2",
    ),
    (
        "\\frac{\\partial L}{\\partial z} = -2",
        "\\frac{\\partial L}{\\partial w} = 3 \\frac{\\partial L}{\\partial z} = -6",
    ),
    ("\\begin{aligned} a &= 2 + 3 \\\\ &= 5 \\\\ b &= a^2 = 25 \\end{aligned}",),
    ("f'(x) = 2x e^x + x^2 e^x = x e^x (x + 2)",),
    ("x_0 = (1, 2)^T", "w = (3, -1)^T", "w^T x_0 = 3 - 2 = 1"),
    ("x_0 = 1", "y = 2x_0 = 2", "x_0 = 5", "y = 2x_0 = 10"),
]
FALSE = [
    (("e^{-1} \\approx 0.3769",), 1),
    (("\\frac{d}{dx}\\frac{\\sin x}{x} = \\frac{x\\cos x-\\sin x}{x^2} = \\frac{\\cos x}{x}-\\frac{\\sin x}{x}",), 1),
    (
        (
            "\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}"
            "\\begin{bmatrix}1\\\\1\\end{bmatrix} = \\begin{bmatrix}3\\\\8\\end{bmatrix}",
        ),
        1,
    ),
    (("\\left\\|\\begin{bmatrix}2\\\\-5\\end{bmatrix}\\right\\|_1 = 2-5 = -3",), 1),
    (("1 - 3 = -1",), 1),
    (("2 + 2 = 5 = 3 + 2",), 1),
    (("\\frac{1}{3} = 0.32",), 1),
    (("-0.5 - 6 = -6.6",), 1),
    (("\\theta_1 = 3", "2\\theta_1 + 1 = 8"), 1),
    (("x = \\begin{bmatrix} 1 + 1 \\\\ 2 \\cdot 3 \\end{bmatrix} = \\begin{bmatrix} 2 \\\\ 5 \\end{bmatrix}",), 1),
    (("f'(x) = 2x e^x + x^2 e^x = x e^x (x + 3)",), 1),
    (("\\begin{aligned} a &= 2 + 3 = 5 \\\\ b &= a^2 = 26 \\end{aligned}",), 1),
]
OPEN = [
    ("\\text{softmax}(z)_1 = \\frac{e^1}{e^1 + e^2}",),
    ("y = Ax + b = c",),
    ("2q - 4 = 0",),
    ("f'(x) = 2x - 4 = 0",),
    ("\\nabla_\\theta L = \\frac{\\partial L}{\\partial x} \\frac{\\partial x}{\\partial \\theta} = 3",),
    ("(a + b)^2 = a^2 + b^2",),
    ("\\frac{\\partial A}{\\partial t} \\cdot 2 = \\frac{\\partial A}{\\partial s} \\cdot 2",),
]


@pytest.mark.parametrize("formulas", TRUE, ids=lambda f: f[-1])
def test_true_links_are_never_flagged(formulas: tuple[str, ...]) -> None:
    found = verdicts(*formulas)
    assert found
    assert set(found) == {"yes"}


@pytest.mark.parametrize(("formulas", "count"), FALSE, ids=lambda f: f[-1] if isinstance(f, tuple) else str(f))
def test_exactly_the_false_links_are_flagged(formulas: tuple[str, ...], count: int) -> None:
    assert verdicts(*formulas).count("no") == count


@pytest.mark.parametrize("formulas", OPEN, ids=lambda f: f[-1])
def test_what_rests_on_unknown_names_is_never_called_false(formulas: tuple[str, ...]) -> None:
    assert "no" not in verdicts(*formulas)


def test_a_derivative_nobody_worked_out_is_itself_and_no_other() -> None:
    assert verdicts("w = 2 \\frac{\\partial A}{\\partial t} = \\frac{\\partial A}{\\partial t} \\cdot 2") == ["yes"]
    assert verdicts("w = 2 \\frac{\\partial A}{\\partial t} = 2 \\frac{\\partial A}{\\partial s}") == ["unknown"]


def test_a_derivative_in_the_middle_of_a_chain_is_defined_by_it() -> None:
    assert verdicts("v = \\frac{\\partial L}{\\partial x} = 3", "2 \\frac{\\partial L}{\\partial x} = 7")[1:] == ["no"]


def test_a_label_before_a_colon_is_no_member() -> None:
    assert verdicts("1a: 1 + 1 = 2") == ["yes"]


def test_values_of_an_earlier_part_never_make_a_link_false() -> None:
    texts = ("a = 2", "2a = 4", "2a = 6", "2a = 5")
    fragments = [Fragment("formula", t, "latex", Place("a.md", n)) for n, t in enumerate(texts)]
    assert [j.link.holds for j in proofread(fragments, (0, 0, 1, 1))] == ["yes", "unknown", "unknown"]
    assert [j.link.holds for j in proofread(fragments)] == ["yes", "no", "no"]


def test_two_false_links_around_one_bad_member_are_one_slip() -> None:
    found = judged("(-1)^2 + 1 + (-1)(3) = 1 - 3 = -1")
    assert [(one.link.holds, one.link.slip) for one in found] == [("no", 1), ("no", 1)]


def test_two_false_links_that_do_not_make_up_for_each_other_are_two_slips() -> None:
    found = judged("1 + 1 = 3 = 4")
    assert [one.link.slip for one in found] == [1, 2]


def test_a_chain_inside_a_cell_is_judged_with_the_cell_before_it() -> None:
    first = "\\begin{bmatrix} (-1)^2 + 1 + (-1)(3) \\\\ 1 + 0.5 \\end{bmatrix}"
    second = "\\begin{bmatrix} 1 - 3 = -1 \\\\ 1.5 = 1.5 \\end{bmatrix}"
    found = judged(f"x_1 = {first} = {second}")
    assert [one.link.holds for one in found] == ["no", "yes", "no", "yes"]
    assert {one.link.slip for one in found if one.link.holds == "no"} == {1}


def test_a_link_knows_its_line() -> None:
    found = judged("1 = 1", "a = 1 \\\\\n2 = 3")
    assert [one.where.line for one in found] == [1, 3]


HAND_IN = """# Exercise 1
Some words.

$$a = 2^2 - 1 = 3$$
$$b = 2a = 5$$
"""


def run(path: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["proofread", str(path), *options], standalone_mode=False)
    return done.return_value, done.output


def test_the_command_prints_the_false_link_with_a_caret(tmp_path: Path) -> None:
    path = tmp_path / "handin.md"
    path.write_text(HAND_IN, encoding="utf-8")
    code, text = run(path)
    assert code == 1
    assert "handin.md:5: 2a = 5" in text
    assert "^^" in text
    assert "1 hold, 1 do not" in text


def test_the_command_writes_one_object(tmp_path: Path) -> None:
    path = tmp_path / "handin.md"
    path.write_text(HAND_IN, encoding="utf-8")
    code, text = run(path, "--json")
    assert code == 1
    links = json.loads(text)["links"]
    assert [(link["line"], link["holds"]) for link in links] == [(4, "yes"), (5, "no")]
    assert {"line", "left", "right", "holds", "why"} <= set(links[0])


def test_nothing_to_check_and_nothing_wrong_have_their_own_codes(tmp_path: Path) -> None:
    empty, right = tmp_path / "empty.md", tmp_path / "right.md"
    empty.write_text("No mathematics here.\n")
    right.write_text("$$1 + 1 = 2$$\n")
    assert run(empty)[0] == 5
    assert run(right)[0] == 0


def test_a_problem_makes_its_names_known(tmp_path: Path) -> None:
    problem = Path(__file__).parents[2] / "problems" / "dl-sheet01"
    path = tmp_path / "handin.md"
    path.write_text("# 1b\n\n$$-\\frac{x-\\mu}{\\sigma^2} = \\frac{x-\\mu}{\\sigma^2}$$\n", encoding="utf-8")
    assert run(path, "--json")[0] == 0
    assert run(path, "--json", "--problem", str(problem))[0] == 1
