"""The pages for students and on pushes say what happens: their examples are run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from grader.jupyter.session import Check
from grader.pushes.workflows import PLATFORMS
from tests.pushes import runner

ROOT = Path(__file__).parents[2]
STUDENTS = (ROOT / "docs" / "students.md").read_text("utf-8")
PUSHES = (ROOT / "docs" / "pushes.md").read_text("utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.M | re.S)


def commands(page: str) -> list[list[str]]:
    return [shlex.split(line[2:]) for block in blocks(page, "console") for line in block.splitlines()]


def run(words: list[str], folder: Path, *allowed: int) -> str:
    assert words[0] == "grader"
    command = [sys.executable, "-m", *words]
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment, check=False, timeout=120
    )
    assert done.returncode in (allowed or (0,)), done.stderr
    return done.stdout


@pytest.fixture
def handout(tmp_path: Path) -> Path:
    """The handout that the page on pushes makes, with the answers that the page for students shows."""
    first = commands(PUSHES)[0]
    run([*(str(ROOT / word) if word.startswith("problems/") else word for word in first)], tmp_path)
    folder = tmp_path / "handout"
    (answers,) = blocks(STUDENTS, "markdown")
    text = (folder / "answers.md").read_text("utf-8")
    start = text.index("x1:")
    text = text[:start] + answers + "\n" + text[text.index("## 2") :]
    (folder / "answers.md").write_text(text, encoding="utf-8")
    return folder


def test_a_student_reads_what_the_page_says(handout: Path) -> None:
    (command,) = commands(STUDENTS)
    (shown,) = blocks(STUDENTS, "text")
    output = run(command, handout, 1)
    for line in shown.splitlines():
        assert line in output, line


def test_the_notebook_example_is_right(handout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(handout)
    check = Check()
    (example,) = blocks(STUDENTS, "python")
    texts = re.findall(r'check\("1", r"""(.*?)"""\)', example, re.S)
    assert [f.verdict for f in check("1", texts[0]).findings[:2]] == ["CORRECT", "CORRECT"]
    assert check("1.L", "31/2")


def test_the_commands_on_pushes_run(handout: Path, tmp_path: Path) -> None:
    _handout, ci, batch, audit = commands(PUSHES)
    run(ci, handout)
    clones = tmp_path / "clones" / "ada"
    handout.rename(tmp_path / "moved")
    clones.parent.mkdir()
    (tmp_path / "moved").rename(clones)
    claims = tmp_path / "claims" / "ada"
    claims.mkdir(parents=True)
    (clones / "report" / "report.json").rename(claims / "report.json")
    run([*(str(ROOT / word) if word.startswith("problems/") else word for word in batch), "--jobs", "1"], tmp_path)
    assert "ada" in run(audit, tmp_path)


def test_every_input_output_platform_and_standing_is_described() -> None:
    action = runner.load(ROOT / "action.yml")
    from typing import get_args

    from grader.pushes.claims import Standing

    for name in [*action["inputs"], *action["outputs"], *PLATFORMS, *get_args(Standing)]:
        assert f"`{name}`" in PUSHES, name


def test_every_option_and_verdict_is_described_for_students() -> None:
    from grader.cli.check import command
    from grader.reporting.verdicts import LOOKS

    for option in ("--question", "--hints", "--watch", "--json"):
        assert option in STUDENTS
        assert any(option in parameter.opts for parameter in command.params)
    for look in LOOKS.values():
        assert f"| {look.word} |" in STUDENTS or look.word == "No answer"
