"""What a student reads: read as, verdict, hint; no more than was checked, and never the model answer."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader.cli import check
from grader.problems import load_problem
from grader.reporting import terminal

ROOT = Path(__file__).parents[2]
SHEET = str(ROOT / "problems" / "dl-sheet01")
SYSTEM = str(ROOT / "problems" / "adl4p-ex05")
SLIP = """
## 1d
$\\begin{pmatrix} \\frac{x_1}{\\sqrt{x_1^2-x_3}} & 0 & -\\frac{1}{\\sqrt{x_1^2-x_3}} \\\\
0 & e^{x_2}\\cos(4x_3) & -4e^{x_2}\\sin(4x_3)\\end{pmatrix}$
"""
WITNESS = """
[problem]
id = 'w'
title = 'W'
[hints]
witness = {allowed}
[[question]]
id = '1'
kind = 'derivative'
points = 2
symbols = {{x = 'real'}}
f = 'x^3*exp(x)'
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(check.command, list(arguments), standalone_mode=False)


@pytest.fixture
def answers(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "answers.md"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_how_an_answer_was_read_comes_before_the_verdict_and_the_verdict_before_the_hint(
    answers: Callable[[str], str],
) -> None:
    output = run(answers("## 1a\n$f'(x) = -\\sin(x^3)\\ln(x^4/11) + 4\\cos(x^3)/x$\n"), "--problem", SHEET).output
    places = [output.index(text) for text in ("read as", "Not right", "derivative of the inner function")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("## 1\n$L = 15.5$\n", "All checks passed, 11 are not answered."),
        ("## 1\n$L = 3$\n", ""),
        (
            "## 3\n$\\nabla_\\theta L = (2, 1, 3)$\n\nstatement: For few inputs.\n",
            "All checks you can see passed; 1 more runs",
        ),
        ("nothing\n", "There is no answer to check yet."),
    ],
)
def test_it_claims_no_more_than_was_checked(text: str, sentence: str, answers: Callable[[str], str]) -> None:
    output = run(answers(text), "--problem", SYSTEM).output
    assert sentence in output
    assert sentence or "passed" not in output


def test_hints_go_from_the_kind_of_mistake_to_its_place(answers: Callable[[str], str]) -> None:
    file = answers(SLIP)
    first, second, third = (run(file, "--problem", SHEET, "--hints", str(level)).output for level in (1, 2, 3))
    assert "entry" not in first
    assert "`--hints 2` says more." in first
    assert "Look at entry 1,3." in second
    assert "says more" not in second  # the sheet allows no witnesses
    assert "at x" not in third


@pytest.mark.parametrize("allowed", ["true", "false"])
def test_a_witness_is_shown_only_where_the_instructor_allows_it(
    allowed: str, tmp_path: Path, answers: Callable[[str], str]
) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "problem.toml").write_text(WITNESS.format(allowed=allowed), encoding="utf-8")
    options = ("--problem", str(tmp_path / "w"), "--hints")
    file = answers("1: $5x^2 e^x$\n")
    assert "numerical derivative" not in run(file, *options, "2").output
    shown = run(file, *options, "3").output
    assert ("your answer gives" in shown and "a numerical derivative" in shown) == (allowed == "true")


def test_a_number_is_never_shown_as_a_witness_of_itself(tmp_path: Path, answers: Callable[[str], str]) -> None:
    text = (Path(SYSTEM) / "problem.toml").read_text("utf-8")
    problem = tmp_path / "adl4p-ex05"
    problem.mkdir()
    (problem / "problem.toml").write_text(text.replace("[[question]]", "[hints]\nwitness = true\n[[question]]", 1))
    output = run(answers("## 1\n$L = 3$\n"), "--problem", str(problem), "--hints", "3").output
    assert "15.5" not in output
    assert "31/2" not in output


def test_one_item_can_be_looked_at_alone(answers: Callable[[str], str]) -> None:
    file = answers("## 1f\nf1: $(\\cos x_1 \\cos x_2, -\\sin x_1 \\sin x_2)$, dimension 2\n")
    output = run(file, "--problem", SHEET, "--question", "1f.f1.gradient").output
    assert "1f.f1.gradient" in output
    assert "dimension" not in output
    assert "1 of 1 points" in output
    missed = run(file, "--problem", SHEET, "--question", "1f.f1.gradent")
    assert "did you mean `1f.f1.gradient`?" in str(missed.exception)


def test_several_files_are_one_hand_in(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text("## 1\n$L = 15.5$\n")
    (tmp_path / "two.md").write_text("## 2\n$L = 8$\n")
    report = json.loads(run(str(tmp_path / "one.md"), str(tmp_path / "two.md"), "--problem", SYSTEM, "--json").output)
    assert {f["item"] for f in report["findings"] if f["verdict"] == "CORRECT"} >= {"1.L", "2.L"}


def test_the_problem_is_found_in_a_handouts_own_folder(tmp_path: Path) -> None:
    from grader.handout import folder

    for name, content in folder.build(load_problem(Path(SYSTEM))).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    answers = (tmp_path / "answers.md").read_text("utf-8").replace("L:\n", "L: $15.5$\n", 1)
    (tmp_path / "answers.md").write_text(answers, encoding="utf-8")
    command = [sys.executable, "-I", "-m", "grader", "check", "answers.md", "--question", "1.L"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 of 1 points" in done.stdout


# Watching


def test_watching_waits_until_a_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "answers.md"
    path.write_text("## 1\n$L = 3$\n")
    moments = iter(
        [
            lambda: path.write_text("## 1\n$L = "),  # being saved
            lambda: path.unlink(),  # replaced by another file, as editors do
            lambda: path.write_text("## 1\n$L = 15.5$\n"),
            lambda: None,
        ]
    )
    seen: list[str] = []

    def once() -> int:
        seen.append(path.read_text())
        return 0

    def pause(_seconds: float) -> None:
        moment = next(moments, None)
        if moment is None:
            raise KeyboardInterrupt
        moment()

    assert check.watch_files((path,), once, pause) == 0
    assert seen == ["## 1\n$L = 3$\n", "## 1\n$L = 15.5$\n"]


def test_watching_survives_a_mistake_and_ends_with_its_code(tmp_path: Path) -> None:
    import click

    def once() -> int:
        raise click.ClickException("no problem here")

    def pause(_seconds: float) -> None:
        raise KeyboardInterrupt

    assert check.watch_files((tmp_path,), once, pause) == 2


# Machines without a sandbox


def test_a_written_sheet_is_checked_where_nothing_can_be_forked_or_limited(answers: Callable[[str], str]) -> None:
    file = answers("## 1a\n$f'(x) = \\frac{4\\cos(x^3)}{x} - 3x^2\\sin(x^3)\\ln\\frac{x^4}{11}$\n")
    program = textwrap.dedent(f"""
        import sys, os
        class Absent:
            names = {{"resource", "fcntl", "pwd", "grp", "termios", "pty", "ctypes"}}
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in self.names or name.split(".")[0] in {{"nbclient", "zmq"}}:
                    raise ModuleNotFoundError(name)
        for name in Absent.names:
            sys.modules.pop(name, None)
        sys.meta_path.insert(0, Absent())
        for name in ("fork", "setsid", "getuid", "geteuid", "register_at_fork"):
            if hasattr(os, name):
                delattr(os, name)
        import socket
        socket.socket.connect = None
        from grader.__main__ import main
        main(["check", {file!r}, "--problem", {SHEET!r}, "--question", "1a"])
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 points" in done.stdout


def test_help_and_a_written_check_import_nothing_heavy(answers: Callable[[str], str]) -> None:
    heavy = {"pandas", "nbclient", "jinja2", "IPython", "zmq", "sympy", "pypdf", "distributed", "latex2mathml"}
    file = answers("## 1a\n$2x$\n")
    for arguments, more in (
        (["--help"], {"numpy", "reference", "flint"}),
        (["check", file, "--problem", SHEET], set()),
    ):
        program = (
            "import sys\nfrom grader.__main__ import main\ntry:\n    main(" + repr(arguments) + ")\n"
            "except SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert not (heavy | more) & set(done.stderr.split()), arguments


def test_the_verdicts_are_those_of_the_class_run(tmp_path: Path) -> None:
    from grader.job import Setting, grade_entrant
    from grader.reading import Handin
    from grader.roster import entrant_of

    problem = load_problem(Path(SYSTEM))
    for student in sorted((ROOT / "submissions" / "adl4p-ex05").iterdir())[:6]:
        if not student.is_dir():
            continue
        alone = check.report_on(problem, check.handin_of((student,)))
        entrant = entrant_of(Handin(student.name, "", (student,), student))
        in_class, _ = grade_entrant(problem, entrant, Setting(SYSTEM, "not needed"))
        assert [(f.item, f.verdict, f.credit, f.note) for f in alone.findings] == [
            (f.item, f.verdict, f.credit, f.note) for f in in_class.findings
        ]


def test_what_was_not_answered_is_named_once_per_question(answers: Callable[[str], str]) -> None:
    output = run(answers("## 1a\n$2x$\n"), "--problem", SHEET).output
    missing = output[output.index("Not answered:") :].split("\n\n")[0]
    assert " ".join(missing.split()) == "Not answered: 1b, 1c, 1d, 1e, 1f, 1g, 1h, 2a, 2b, 2c, 3a, 3b"
    assert max(map(len, terminal.safe(output).splitlines())) < 140
