"""Every fenced example of the docs is run or checked: problem files load, commands and options exist, JSON is JSON."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from grader.cli import COMMANDS, cli
from grader.decode import ProblemError, Source, decode
from grader.problems import About, Head, LatePolicy, Words, load_problem
from grader.soundness import Case
from tests.docs.walk import ROOT, Block, blocks, commands

PAGES = sorted((ROOT / "docs").glob("*.md"))
ALL = [(path.name, block) for path in PAGES for block in blocks(path.read_text(encoding="utf-8"))]
WALKED = ("first-sheet.md",)  # run from top to bottom by a test of its own
HEAD = "[problem]\nid = 'example'\ntitle = 'Example'\n\n"
ROOMS = {"problem": About, "vocabulary": Words, "late": LatePolicy}


def of(*languages: str) -> list[object]:
    return [
        pytest.param(page, block, id=f"{page}:{block.line}")
        for page, block in ALL
        if block.language in languages and page not in WALKED
    ]


@pytest.mark.parametrize(("page", "block"), of("toml"))
def test_a_toml_example_is_understood(page: str, block: Block, tmp_path: Path) -> None:
    data = tomllib.loads(block.body)
    if "question" in data and page in ("problems.md", "autograd.md"):
        _load(block.body, data, tmp_path)
    for name, room in ROOMS.items():
        if name in data:
            assert not _mistakes(room, data[name])
    for case in data.get("case", []):
        assert not _mistakes(Case, {("together" if key == "with" else key): one for key, one in case.items()})
    if page == "problems.md" and not set(data) & {"question", "case", *ROOMS}:  # keys of a question by themselves
        own = {name: value for name, value in data.items() if name in ("parameters", "tidy", "credit")}
        assert own == data or page != "problems.md", f"line {block.line}: nothing checks {sorted(set(data) - set(own))}"
        assert not _mistakes(Head, {"id": "x", "kind": "derivative", **own})


def _load(text: str, data: dict[str, object], folder: Path) -> None:
    """The example as a problem file, completed where it shows only a part of one."""
    (folder / "problem.toml").write_text(("" if "problem" in data else HEAD) + text, encoding="utf-8")
    try:
        load_problem(folder)
    except ProblemError as trouble:
        left_out = re.compile(r"there is no earlier question|is no file|the key `\w+` is missing|adapter")
        rest = [str(one) for one in trouble.mistakes if not left_out.search(one.message)]
        assert rest == []


def _mistakes(room: type[object], table: object) -> list[str]:
    source = Source()
    decode(room, table, source)
    return [str(one) for one in source.mistakes]


@pytest.mark.parametrize(("page", "block"), of("json"))
def test_a_json_example_is_json(page: str, block: Block) -> None:
    for line in [block.body] if block.body.lstrip().startswith(("{\n", "[\n")) else block.body.splitlines():
        json.loads(line)


def command_lines() -> list[object]:
    found = []
    for page, block in ALL:
        if block.language in ("console", "sh", "bash") and page not in WALKED:
            shown = [one.line for one in commands(block.body)] or block.body.splitlines()
            found += [(page, block.line, line) for line in shown if line.startswith("grader ")]
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        found += [(path.name, 0, line) for line in re.findall(r"`(grader [a-z][^`\n]*)`", text)]
    return [pytest.param(line, id=f"{page}:{line}") for page, _, line in dict.fromkeys(found)]


@pytest.mark.parametrize("line", command_lines())
def test_a_command_line_of_the_docs_is_one(line: str) -> None:
    words = shlex.split(line.replace("…", ""), comments=True)
    assert words[1] in COMMANDS or words[1].isupper(), line
    if words[1].isupper():
        return
    command = cli.get_command(None, words[1])  # type: ignore[arg-type]
    assert isinstance(command, click.Command)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word.split("=")[0] for word in words[2:] if word.startswith("-") and word != "-"} <= known


def test_every_option_of_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `grader (\w+)[^`]*`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    for name in COMMANDS:
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert name in sections, f"`grader {name}` has no section"
        assert "Exit codes:" in sections[name], name
        for parameter in command.params if command else ():
            if isinstance(parameter, click.Option) and not parameter.hidden:
                longest = max(parameter.opts, key=len)
                assert f"`{longest}`" in sections[name], f"grader {name} {longest}"


def test_no_section_of_the_commands_stands_twice() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    names = re.findall(r"^## `grader (\w+)", text, re.MULTILINE)
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_links_of_the_docs_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        page = path if not name else (path.parent / name)
        assert page.exists(), target
        if anchor and page.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, target


def _anchor(heading: str) -> str:
    """As the web shows it: small letters, no punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
