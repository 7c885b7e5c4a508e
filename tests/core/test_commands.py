"""`grader check`, `truth`, `validate`, `new`: exit codes, JSON, messages that say how to mend it."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from grader.cli import check, new, truth, validate
from tests.core.samples import ROOT

SYSTEM = str(ROOT / "problems" / "adl4p-ex05")


def run(command: click.Command, *args: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, args, standalone_mode=False)
    if result.exception is not None:
        assert isinstance(result.exception, click.ClickException), result.exception
        return 2, result.exception.format_message()
    return (result.return_value if isinstance(result.return_value, int) else 0), result.output


ANSWERS = {
    "hand-in.md": (
        "## 1\n$x_1 = (1, -6.5, 8)^T$, $L = 15.5$\n\n$\\lambda_1 = (1, -1, 1)^T$\n\n$\\nabla_\\theta L = (2, 1, 3)^T$\n"
    ),
    "hand-in.tex": (
        "\\documentclass{article}\\begin{document}\n\\section*{Exercise 1}\n"
        "\\[ x_1 = (1, -6.5, 8)^T, \\quad L = 15.5 \\]\n\\[ \\lambda_1 = (1, -1, 1)^T \\]\n"
        "\\[ \\nabla_\\theta L = (2, 1, 3)^T \\]\n\\end{document}\n"
    ),
    "hand-in.toml": ("[answers.1]\nx1 = '[1, -6.5, 8]'\nL = '15.5'\nlambda1 = '[1, -1, 1]'\ngradient = '[2, 1, 3]'\n"),
}


def notebook(markdown: str) -> str:
    cell = {"cell_type": "markdown", "metadata": {}, "source": markdown, "id": "a"}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


FILES = {**ANSWERS, "hand-in.ipynb": notebook(ANSWERS["hand-in.md"])}


@pytest.mark.parametrize("name", FILES)
def test_the_same_answers_get_the_same_findings_in_every_format(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    code, output = run(check.command, str(tmp_path / name), "--problem", SYSTEM, "--question", "1", "--json")
    found = {f["item"]: (f["verdict"], f["note"]) for f in json.loads(output)["findings"]}
    assert code == 0
    assert found == dict.fromkeys(("1.x1", "1.L", "1.lambda1", "1.gradient"), ("CORRECT", ""))


def test_the_exit_code_says_whether_something_is_wrong_or_nothing_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    for text, expected in (("# 1\n$L = 3$\n", 1), ("# 1\n$L = (3$\n", 1), ("nothing\n", 5), ("# 1\n$L = 15.5$\n", 0)):
        path.write_text(text, encoding="utf-8")
        assert run(check.command, str(path), "--problem", SYSTEM)[0] == expected, text


def test_a_student_never_reads_the_model_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("# 1\n$L = 3$\n", encoding="utf-8")
    for options in ((), ("--json",)):
        output = run(check.command, str(path), "--problem", SYSTEM, *options)[1]
        assert "15.5" not in output
        assert "31/2" not in output


def test_the_problem_is_found_by_front_matter_and_by_the_folders_name(tmp_path: Path) -> None:
    stated = tmp_path / "a.md"
    stated.write_text("---\nproblem: adl4p-ex05\n---\n# 1\n$L = 15.5$\n", encoding="utf-8")
    assert run(check.command, str(stated))[0] == 0
    inside = tmp_path / "adl4p-ex05" / "anna" / "b.md"
    inside.parent.mkdir(parents=True)
    inside.write_text("# 1\n$L = 15.5$\n", encoding="utf-8")
    assert run(check.command, str(inside))[0] == 0


def test_what_is_not_known_is_answered_with_what_is(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("# 1\n", encoding="utf-8")
    assert "Did you mean `adl4p-ex05`?" in run(check.command, str(path), "--problem", "adl4p-ex5")[1]
    assert "There is no question 9" in run(check.command, str(path), "--problem", SYSTEM, "--question", "9")[1]


def test_truth_shows_answers_and_routes() -> None:
    code, output = run(truth.command, SYSTEM, "--json")
    rows = json.loads(output)["questions"]
    items = {item["item"]: item.get("answer") for row in rows for item in row["items"]}
    assert code == 0
    assert items["2.gradient"] is not None
    checks = [check for row in rows for check in row["checks"]]
    assert all(sum(r["status"] == "agrees" for r in one["routes"]) >= 2 for one in checks)


def test_a_new_problem_validates_as_it_is(tmp_path: Path) -> None:
    assert run(new.command, "my-sheet", "--in", str(tmp_path))[0] == 0
    code, output = run(validate.command, str(tmp_path / "my-sheet"))
    assert code == 0, output
    assert "my-sheet is sound" in output


def test_validate_reports_mistakes_and_cases_that_do_not_hold(tmp_path: Path) -> None:
    run(new.command, "p", "--in", str(tmp_path))
    cases = tmp_path / "p" / "cases.toml"
    cases.write_text(cases.read_text(encoding="utf-8").replace("'INCORRECT'", "'CORRECT'"), encoding="utf-8")
    code, output = run(validate.command, str(tmp_path / "p"))
    assert code == 1
    assert "says CORRECT, comes out INCORRECT" in output
    (tmp_path / "p" / "problem.toml").write_text("[problem]\nid = 'p'\n", encoding="utf-8")
    code, output = run(validate.command, str(tmp_path / "p"), "--json")
    assert code == 1
    assert any("`title` is missing" in row["message"] for row in json.loads(output)["troubles"])
