"""`grader new`: a folder to start a problem from; it validates as it is."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import EXIT_OK

PROBLEM = """\
# Definitions only: every model answer is derived from them.  docs/problems.md describes every key.
[problem]
id = '{id}'
title = '{id}'

[[question]]
id = '1'
kind = 'derivative'
points = 2
title = 'A product'
symbols = {{x = 'real'}}
f = 'x^2 * exp(x)'
"""
STATEMENT = """\
# {id}

## 1 (2 points)
$f(x) = x^2 e^x$ for real $x$. Find $f'(x)$.
"""
CASES = """\
# What students might write and what must become of it; `grader validate` runs these rows.
[[case]]
item = '1'
answer = '''f'(x) = 2x e^x + x^2 e^x'''
verdict = 'CORRECT'

[[case]]
item = '1'
answer = '''2x e^x'''
verdict = 'INCORRECT'
"""


@click.command("new")
@click.argument("name")
@click.option("--in", "parent", default="problems", type=click.Path(path_type=Path), help="Where to put the folder.")
def command(name: str, parent: Path) -> int:
    """Start a problem: a folder with one question that validates as it is."""
    if not name or not all(c.isalnum() or c in "-_." for c in name) or name.startswith("."):
        raise click.ClickException(f"`{name}` can't be a problem's id: letters, digits, - _ . only.")
    folder = parent / name
    if folder.exists():
        raise click.ClickException(f"{folder} is there already.")
    folder.mkdir(parents=True)
    for file, text in (("problem.toml", PROBLEM), ("statement.md", STATEMENT), ("cases.toml", CASES)):
        (folder / file).write_text(text.format(id=name), encoding="utf-8")
    click.echo(f"{folder}/ is started.  Next: `grader truth {folder}`, `grader validate {folder}`.")
    return EXIT_OK
