"""`grader new`: a folder to start a problem from; it validates as it is."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import EXIT_OK
from grader.kinds import KINDS

PROBLEM = """\
# Definitions only: every model answer is derived from them.  docs/problems.md describes every key.
# Mathematics stands in single quotes, which keep backslashes: '\\frac{{1}}{{2}}' or '1/2'.
[problem]
id = '{id}'
title = '{id}'
# due = 2030-01-31T12:00:00+01:00   # lateness is recorded, and priced only if there is a table [late]
"""
STATEMENT = "# {id}\n"
CASES = """\
# What students might write and what must become of it; `grader validate` runs these rows.
"""
WRONG = """\
[[case]]
item = '1'
answer = '''2x e^x'''
verdict = 'INCORRECT'
why = 'the derivative of one factor only'
"""


@click.command("new")
@click.argument("name", default="")
@click.option(
    "--in", "parent", default="problems", show_default=True, type=click.Path(path_type=Path), help="Where to put it."
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(sorted(KINDS)),
    help="A question of this kind to start with, repeatable; without NAME it is only shown.",
)
def command(name: str, parent: Path, kinds: tuple[str, ...]) -> int:
    """Start a problem: a folder with a question that validates as it is.

    Without NAME, shows a small question of each --kind, to be copied.
    """
    if not name and kinds:
        click.echo(show(kinds), nl=False)
        return EXIT_OK
    if not name:
        raise click.UsageError("say what the problem is called, or --kind to see a question of a kind.")
    if not all(c.isalnum() or c in "-_." for c in name) or name.startswith("."):
        raise click.ClickException(f"`{name}` can't be a problem's id: letters, digits, - _ . only.")
    folder = parent / name
    if folder.exists():
        raise click.ClickException(f"{folder} is there already.")
    try:
        folder.mkdir(parents=True)
        for file, text in files(name, kinds).items():
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as trouble:
        raise click.ClickException(f"{folder} can't be made: {trouble.strerror}.") from None
    click.echo(f"{folder}/ is started.  Next: `grader truth {folder}`, `grader validate {folder}`.")
    return EXIT_OK


def show(kinds: tuple[str, ...]) -> str:
    """A question of each kind, with what a student would read and a right answer as comments."""
    from grader.cli import starters

    blocks = []
    for number, kind in enumerate(kinds, start=1):
        one = starters.STARTERS[kind]
        lines = [f"# statement.md: {one.statement}"]
        if one.answer:
            lines += [f"# right, for {number}{one.item}: {'; '.join(one.answer.splitlines())}"]
        blocks.append(starters.question(kind, str(number)) + "\n".join(lines) + "\n")
    return "\n".join(blocks)


def files(name: str, kinds: tuple[str, ...]) -> dict[str, str]:
    """The files of the folder: name -> text."""
    from grader.cli import starters

    chosen = [(kind, str(number)) for number, kind in enumerate(kinds or ("derivative",), start=1)]
    questions = [starters.question(kind, label) for kind, label in chosen]
    sections = [starters.statement(kind, label) for kind, label in chosen]
    rows = [row for kind, label in chosen if (row := starters.case(kind, label))]
    rows += [] if kinds else [WRONG]
    return {
        "problem.toml": "\n".join([PROBLEM.format(id=name), *questions]),
        "statement.md": "\n".join([STATEMENT.format(id=name), *sections]),
        "cases.toml": "\n".join([CASES.rstrip("\n"), *rows]) + ("" if rows else "\n"),
    }
