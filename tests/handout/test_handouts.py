"""Handouts of every shipped problem: blank they grade to nothing, and they give nothing away."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import check as checking
from grader.cli import handout as command
from grader.decode import ProblemError, seal, unseal
from grader.handout import folder, leaks, templates
from grader.model import Report, Verdict
from grader.problems import Problem, load_problem

ROOT = Path(__file__).parents[2]
PROBLEMS = sorted(path.parent.name for path in (ROOT / "problems").glob("*/problem.toml"))
WRITTEN = ("answers.md", "answers.tex", "answers.ipynb")
SECRET = "a-secret-of-this-class"
VARIED = """
[problem]
id = 'varied'
title = 'A varied sheet'

[[question]]
id = '1'
kind = 'derivative'
points = 2
symbols = {x = 'real'}
f = 'exp(k*x) + x^m'
parameters = {k = {integer = [2, 40]}, m = {choice = [2, 3, 4]}}

[[question]]
id = '2'
like = '1'
points = 3
"""


@lru_cache
def shipped(name: str) -> Problem:
    return load_problem(ROOT / "problems" / name)


@lru_cache
def files(name: str) -> dict[str, bytes]:
    return folder.build(shipped(name))


def write(content: dict[str, bytes], into: Path) -> Path:
    for name, data in content.items():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return into


def copy_of(handed_out: Path) -> Problem:
    return load_problem(next((handed_out / ".grader").iterdir()))


def self_check(path: Path, handed_out: Path) -> Report:
    return checking.report_on(copy_of(handed_out), checking.handin_of((path,)))


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("part", ["answers.md", "answers.tex", "answers.ipynb", "notebook.ipynb", "."])
def test_a_blank_handout_grades_to_nothing_without_an_error(name: str, part: str, tmp_path: Path) -> None:
    if part != "." and part not in files(name):
        pytest.skip("not part of this handout")
    handed_out = write(files(name), tmp_path)
    report = self_check(handed_out / part, handed_out)
    assert {finding.verdict for finding in report.findings} == {Verdict.BLANK}
    assert report.score.earned == report.score.pending == 0
    assert report.score.possible == shipped(name).points


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_handout_gives_nothing_away(name: str) -> None:
    problem, content = shipped(name), files(name)
    assert leaks.find_leaks(problem, content) == []
    assert not {path for path in content if Path(path).name in ("cases.toml", "program.py", "expected.toml")}
    solved = [line for _what, line in leaks.solution_lines(problem)]
    assert bool(solved) == any(question.kind == "program" for question in problem.questions)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_definitions_in_a_handout_cannot_be_read_by_accident(name: str) -> None:
    (sealed,) = (data.decode() for path, data in files(name).items() if path.endswith("/problem.toml"))
    assert "[[question]]" not in sealed
    assert copy_is_whole(sealed, name)


def copy_is_whole(sealed: str, name: str) -> bool:
    word = re.findall(r"^sealed = '([^']+)'", sealed, re.M)
    definitions, _drawn = unseal(word[0] if word else sealed.split("'''")[1])
    return len(definitions["question"]) == len(shipped(name).questions)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_formula_of_a_statement_is_typeset(name: str) -> None:
    page = files(name)["statement.html"].decode()
    text = (ROOT / "problems" / name / "statement.md").read_text("utf-8")
    formulas = re.findall(r"\$\$.+?\$\$|\$.+?\$", text, re.S)
    assert page.count("<math") == len(formulas)
    assert "$" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    assert not re.search(r"(?:src|href)=|<script", page)


@pytest.mark.parametrize("label", ["the notebook", "the statement", "a template"])
def test_a_planted_answer_is_found(label: str) -> None:
    problem = shipped("dl-sheet01")
    answer = next(text for what, text in leaks.model_answers(problem) if what.endswith(" 1a"))
    where = {"the notebook": "notebook.ipynb", "the statement": "statement.md", "a template": "answers.tex"}[label]
    planted = {**files("dl-sheet01"), where: files("dl-sheet01")[where] + answer.encode()}
    assert [line for line in leaks.find_leaks(problem, planted) if line.startswith(where)]


@pytest.mark.parametrize("text", ["", "x", "###", seal("[problem]", {})[:-5]])
def test_a_damaged_copy_is_the_students_to_mend(text: str, tmp_path: Path) -> None:
    (tmp_path / "problem.toml").write_text(f"sealed = '''{text}'''\n", encoding="utf-8")
    with pytest.raises(ProblemError, match="damaged"):
        load_problem(tmp_path)


def test_a_copy_checks_and_shows_nobody_an_answer(tmp_path: Path) -> None:
    handed_out = write(files("adl4p-ex05"), tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "grader", "truth", str(handed_out / ".grader" / "adl4p-ex05")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "student's copy" in done.stderr


# Variants


@pytest.fixture
def varied(tmp_path: Path) -> Path:
    problem = tmp_path / "varied"
    problem.mkdir()
    (problem / "problem.toml").write_text(VARIED, encoding="utf-8")
    (problem / "statement.md").write_text("## 1\n$f(x) = e^{ {{1.k}} x} + x^{ {{1.m}} }$\n", encoding="utf-8")
    return problem


def hand_out(problem: Path, out: Path, *students: str) -> int:
    roll = out.parent / "students.txt"
    roll.write_text("\n".join(students), encoding="utf-8")
    arguments = [str(problem), "--out", str(out), "--students", str(roll), "--seed", SECRET]
    return CliRunner().invoke(command.command, arguments, standalone_mode=False).return_value


def answers_to(values: dict[str, dict[str, str]]) -> str:
    return "".join(
        f"## {q}\n\n$f'(x) = {v['k']} e^{{{v['k']} x}} + {v['m']} x^{{{int(v['m']) - 1}}}$\n\n"
        for q, v in values.items()
    )


def test_a_students_copy_and_the_class_run_draw_the_same_values(varied: Path, tmp_path: Path) -> None:
    from grader.batch import Options, grade_class
    from grader.reporting import json_report

    students = ("ada", "boris", "clara.m")
    assert hand_out(varied, tmp_path / "out", *students) == 0
    drawn = {}
    for student in students:
        handed_out = tmp_path / "out" / student
        copy = copy_of(handed_out)
        drawn[student] = folder.drawn_values(copy)
        (handed_out / "answers.md").write_text(answers_to(drawn[student]), encoding="utf-8")
        report = self_check(handed_out / "answers.md", handed_out)
        assert report.score.earned == 5
        assert SECRET not in "".join(path.read_text("utf-8") for path in handed_out.rglob("*") if path.is_file())
    assert len({json.dumps(values) for values in drawn.values()}) > 1
    grade_class(
        load_problem(varied), tmp_path / "out", tmp_path / "graded", Options(jobs=1, seed=SECRET), lambda _done: None
    )
    for student in students:
        report = json_report.parse((tmp_path / "graded" / "reports" / f"{student}.json").read_text("utf-8"))
        assert report.score.earned == Fraction(5), student


def test_the_answers_to_another_students_values_are_wrong(varied: Path, tmp_path: Path) -> None:
    hand_out(varied, tmp_path / "out", "ada", "boris")
    ada, boris = (tmp_path / "out" / one for one in ("ada", "boris"))
    (ada / "answers.md").write_text(answers_to(folder.drawn_values(copy_of(boris))), encoding="utf-8")
    assert self_check(ada / "answers.md", ada).score.earned < 5


def test_the_statement_and_the_copy_hold_the_same_values(varied: Path, tmp_path: Path) -> None:
    hand_out(varied, tmp_path / "out", "ada")
    values = folder.drawn_values(copy_of(tmp_path / "out" / "ada"))["1"]
    statement = (tmp_path / "out" / "ada" / "statement.md").read_text("utf-8")
    assert re.findall(r"\d+", statement.split("f(x)")[1]) == [values["k"], values["m"]]


@pytest.mark.parametrize("students", [(), ("a/b",), ("..",), ("ada", "ada"), ("Ada Lovelace",)])
def test_a_list_of_students_that_grading_would_read_differently_is_refused(
    students: tuple[str, ...], varied: Path, tmp_path: Path
) -> None:
    roll = tmp_path / "students.txt"
    roll.write_text("\n".join(students), encoding="utf-8")
    arguments = [str(varied), "--out", str(tmp_path / "out"), "--students", str(roll)]
    assert CliRunner().invoke(command.command, arguments).exit_code == 2
    assert not (tmp_path / "out").exists()


def test_drawn_values_are_never_handed_out_to_everybody(varied: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command.command, [str(varied), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "--students" in result.output


# Templates


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("name", ["dl-sheet01", "adl4p-ex05"])
def test_the_template_compiles_and_its_pdf_is_graded(name: str, tmp_path: Path) -> None:
    handed_out = write(files(name), tmp_path)
    source = handed_out / "answers.tex"
    first, answer = (
        {"dl-sheet01": ("1a", "1b"), "adl4p-ex05": ("1", "2")}[name][0],
        {
            "dl-sheet01": "$f'(x) = \\frac{4\\cos(x^3)}{x} - 3x^2\\sin(x^3)\\ln\\frac{x^4}{11}$",
            "adl4p-ex05": "$L = 15.5$",
        }[name],
    )
    heading = f"\\section*{{{first}}}"
    source.write_text(source.read_text("utf-8").replace(heading, f"{heading}\n{answer}\n"), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "answers.tex"]
    done = subprocess.run(command, cwd=handed_out, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    report = self_check(handed_out / "answers.pdf", handed_out)
    assert report.score.earned == {"dl-sheet01": 2, "adl4p-ex05": 4}[name]  # L shows x_1 right


def test_titles_survive_the_way_into_tex() -> None:
    sheet = templates.Sheet("x", "Ein & Blatt: 50% of $5_a^b #1 ~ {x} \\y", (templates.Slot("1", "", "1"),))
    text = templates.tex(sheet)
    assert r"\title{Ein \& Blatt: 50\% of \$5\_a b \#1   \{x\}  y}" in text


@pytest.mark.parametrize("name", WRITTEN)
def test_model_answers_filled_into_a_template_earn_full_marks(name: str, tmp_path: Path) -> None:
    """Every label of a template is read back as the item it stands for."""
    problem = shipped("adl4p-ex05")
    text = json.loads(files(problem.id)[name]) if name.endswith(".ipynb") else files(problem.id)[name].decode()
    answers = {what.split()[-1]: secret for what, secret in leaks.model_answers(problem)}  # the last is LaTeX
    for question in problem.questions:
        heading = f"\\section*{{{question.id}}}" if name.endswith(".tex") else f"## {question.id}\n"
        for item in problem.items(question):
            if item.id not in answers:
                continue
            label = f"\n{item.id.removeprefix(question.id)[1:]}:"
            if isinstance(text, str):
                before, after = text.split(heading, 1)
                text = before + heading + after.replace(label, f"{label} ${answers[item.id]}$", 1)
            else:
                (cell,) = (one for one in text["cells"] if f"{one['source']}\n".startswith(heading))
                cell["source"] = f"{cell['source']}\n".replace(label, f"{label} ${answers[item.id]}$", 1)
    handed_out = write(files(problem.id), tmp_path)
    (handed_out / name).write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    report = self_check(handed_out / name, handed_out)
    assert report.score.earned == 40
    assert not report.remarks
