"""The README's first screen is what the program does with the files it shows; its commands exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from grader.cli import COMMANDS, cli
from tests.docs.walk import ROOT, blocks, commands, prepare, run

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST = [block for block in blocks(TEXT) if block.language in ("toml", "markdown", "text")][:3]


def test_the_first_example_prints_what_the_readme_shows(tmp_path: Path) -> None:
    problem, answers, report = FIRST
    assert [block.language for block in FIRST] == ["toml", "markdown", "text"]
    (tmp_path / "problem.toml").write_text(problem.body, encoding="utf-8")
    (tmp_path / "answers.md").write_text(answers.body, encoding="utf-8")
    prepare(tmp_path)
    assert "`grader check answers.md --problem .`" in TEXT
    assert run("grader check answers.md --problem .", tmp_path) == report.body


def lines() -> list[str]:
    found = [command.line for block in blocks(TEXT) if block.language == "console" for command in commands(block.body)]
    return found + re.findall(r"`(grader [a-z][^`]*)`", TEXT)


@pytest.mark.parametrize("line", lines())
def test_every_command_of_the_readme_is_one(line: str) -> None:
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return
    assert words[0] == "grader"
    assert words[1] in COMMANDS
    command = cli.get_command(None, words[1])  # type: ignore[arg-type]
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_every_page_the_readme_names_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (ROOT / target).exists(), target
