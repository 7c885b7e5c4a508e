"""A page of the docs as a walk: files to write, commands to run, and what they print.

A fenced block of `console` holds commands (`$ …`) and their output; any other block is a file if the line above it
ends with its name, as in `cases.toml`:.  `python -m tests.docs.walk PAGE` runs a page and writes the outputs into it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`(?P<name>[\w./-]+\.\w+)`:\s*\Z")
PROGRESS = re.compile(r"^(?:looking at .* …|\d+ of \d+ graded)\n", re.MULTILINE)  # depends on how busy the machine is
SECONDS = 120


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, text, place in the page, and the file it stands for, if any."""

    language: str
    body: str
    start: int  # of the body, in characters
    line: int
    name: str = ""


@dataclass(frozen=True)
class Command:
    """A command line and what the page says it prints, stdout and stderr together."""

    line: str
    output: str


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for match in BLOCK.finditer(text):
        named = NAME.search(text[: match.start()])
        name = named["name"] if named and match["language"] != "console" else ""
        line = text.count("\n", 0, match.start()) + 1
        yield Block(match["language"], match["body"], match.start("body"), line, name)


def commands(body: str) -> list[Command]:
    """The commands of a console block with the output that follows each."""
    found: list[Command] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], ""))
        elif found:
            found[-1] = Command(found[-1].line, f"{found[-1].output}{line}\n")
    return found


def run(line: str, folder: Path) -> str:
    """What a command prints in this folder, with `grader` being the program of this tree."""
    environment = {
        **os.environ, "PATH": f"{folder / '.bin'}:{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "120",
        "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "",
    }  # fmt: skip
    environment.pop("GRADER_SEED", None)
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=SECONDS, check=False,
    )  # fmt: skip
    return PROGRESS.sub("", done.stdout.decode())


def prepare(folder: Path) -> None:
    """A command `grader` for the folder."""
    script = folder / ".bin" / "grader"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m grader "$@"\n', encoding="utf-8")
    script.chmod(0o755)


def walk(text: str, folder: Path) -> Iterator[tuple[Block, Command, str]]:
    """Go through a page: write its files, run its commands; each command with what it printed."""
    prepare(folder)
    for block in blocks(text):
        if block.name:
            path = folder / block.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")
        elif block.language == "console":
            for command in commands(block.body):
                yield block, command, run(command.line, folder)


def rewritten(text: str, folder: Path) -> str:
    """The page with every command's output as it is now."""
    bodies: dict[int, tuple[Block, str]] = {}
    for block, command, output in walk(text, folder):
        before = bodies.get(block.start, (block, ""))[1]
        bodies[block.start] = (block, f"{before}$ {command.line}\n{output}")
    for start, (block, body) in sorted(bodies.items(), reverse=True):
        text = text[:start] + body + text[start + len(block.body) :]
    return text


if __name__ == "__main__":
    page = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as place:
        page.write_text(rewritten(page.read_text(encoding="utf-8"), Path(place)), encoding="utf-8")
