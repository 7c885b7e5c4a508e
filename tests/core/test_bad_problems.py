"""Malformed and unsound problem files: every mistake at once, each with file, line, key, what, and how to mend it.

The files stand in tests/cases/bad_problems; expected.toml has the exact message for each.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import validate
from grader.decode import ProblemError
from grader.problems import load_problem
from tests.core.samples import ROOT, write_problem

FOLDER = ROOT / "tests" / "cases" / "bad_problems"
EXPECTED = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != "expected")


def test_every_file_has_its_message() -> None:
    assert sorted(EXPECTED) == NAMES
    assert len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_problem_is_refused_with_exactly_this(name: str, tmp_path: Path) -> None:
    shutil.copy(FOLDER / f"{name}.toml", tmp_path / "problem.toml")
    with pytest.raises(ProblemError) as caught:
        load_problem(tmp_path)
    said = str(caught.value).replace(f"{tmp_path}/", "")
    assert said == EXPECTED[name]["message"].strip("\n")


@pytest.mark.parametrize("name", ["many_at_once", "unsound_at_once", "not_toml"])
def test_validate_refuses_with_the_same_words_and_code_one(name: str, tmp_path: Path) -> None:
    shutil.copy(FOLDER / f"{name}.toml", tmp_path / "problem.toml")
    result = CliRunner().invoke(validate.command, [str(tmp_path)], standalone_mode=False)
    assert result.return_value == 1
    assert EXPECTED[name]["message"].strip("\n").splitlines()[0] in result.stderr.replace(f"{tmp_path}/", "")
    assert "nothing can be graded before" in result.stderr
    result = CliRunner().invoke(validate.command, [str(tmp_path), "--json"], standalone_mode=False)
    troubles = json.loads(result.stdout)["troubles"]
    assert [one["message"].replace(f"{tmp_path}/", "") for one in troubles] == [
        str(one).replace(f"{tmp_path}/", "") for one in _mistakes(tmp_path)
    ]


def _mistakes(folder: Path) -> tuple[object, ...]:
    with pytest.raises(ProblemError) as caught:
        load_problem(folder)
    return caught.value.mistakes


NORMAL = """
[[question]]
id = '1'
kind = 'minimiser'
points = 5
symbols = {Phi = 'matrix pxn', theta = 'vector p', Y = 'vector n'}
f = 'norm(Phi^T*theta - Y)^2'
wrt = 'theta'
"""
UNSOUND_CASES = {
    "a formula that does not conform, said to be right": (
        "[[case]]\nitem = '1'\nnotation = 'plain'\nanswer = 'inv(Phi^T*Phi)*Phi^T*Y'\nverdict = 'CORRECT'\n",
        "cases.toml:1 (1): says CORRECT, comes out INCORRECT shape.conform",
    ),
    "an item that does not exist": (
        "[[case]]\nitem = '2'\nanswer = 'x'\nverdict = 'CORRECT'\n",
        "there is no item `2`",
    ),
    "a verdict that does not exist": (
        "[[case]]\nitem = '1'\nanswer = 'x'\nverdict = 'RIGHT'\n",
        "`RIGHT` is no choice here",
    ),
    "a table that does not exist": ("[[cases]]\nitem = '1'\n", "unknown table `cases`"),
    "a note that does not come out": (
        "[[case]]\nitem = '1'\nnotation = 'plain'\nanswer = 'Y'\nverdict = 'INCORRECT'\nnote = 'sign'\n",
        "says sign, comes out",
    ),
}


@pytest.mark.parametrize("name", UNSOUND_CASES)
def test_cases_that_cannot_hold_make_a_problem_unsound(name: str, tmp_path: Path) -> None:
    text, said = UNSOUND_CASES[name]
    write_problem(tmp_path, NORMAL)
    (tmp_path / "cases.toml").write_text(text, encoding="utf-8")
    result = CliRunner().invoke(validate.command, [str(tmp_path)], standalone_mode=False)
    assert result.return_value == 1
    assert said in result.stdout
    assert "test is not sound" in result.stdout
