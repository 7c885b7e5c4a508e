"""`grader handout PROBLEM --out DIR`: what students get."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from grader.cli import EXIT_OK, EXIT_USAGE
from grader.pushes.workflows import PLACEHOLDER_ACTION


@click.command("handout")
@click.argument("problem", type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
@click.option(
    "--students",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with one student's id a line: a folder with a variant for each.",
)
@click.option("--seed", default="", help="Secret of this class; variants are drawn from it and the student's id.")
@click.option("--action", default=PLACEHOLDER_ACTION, help="The grading action, as owner/repository@commit.")
@click.option("--json", "as_json", is_flag=True, help="Say on stdout, as JSON, what was written.")
def command(problem: Path, out: Path, students: Path | None, seed: str, action: str, as_json: bool) -> int:
    """Statement, answer templates, notebook without solutions, workflow and instructions."""
    from grader.decode import ProblemError
    from grader.handout import folder, leaks
    from grader.handout.notebook import UnclosedRegion
    from grader.problems import load_problem

    try:
        loaded = load_problem(problem)
        folders = {out / student: loaded.variant(f"{seed}/{student}") for student in _ids(students)} or {out: loaded}
        built = {path: (variant, folder.build(variant, action)) for path, variant in folders.items()}
    except (ProblemError, UnclosedRegion) as refused:
        click.echo(str(refused), err=True)
        return EXIT_USAGE
    given_away = [
        f"{path}: {line}" for path, (variant, files) in built.items() for line in leaks.find_leaks(variant, files)
    ]
    if given_away:
        click.echo("Nothing was written: the handout would give answers away.", err=True)
        click.echo("\n".join(given_away), err=True)
        return EXIT_USAGE
    written = [_write(path / name, content) for path, (_, files) in built.items() for name, content in files.items()]
    if as_json:
        json.dump({"files": [str(path) for path in written]}, sys.stdout, indent=1)
        click.echo()
    else:
        click.echo(f"{len(written)} files in {out}")
    return EXIT_OK


def _ids(path: Path | None) -> list[str]:
    """Student ids, one a line; those that could leave the folder are refused by click's usage error."""
    lines = path.read_text(encoding="utf-8").split("\n") if path else []
    ids = [line.strip() for line in lines if line.strip()]
    for one in ids:
        if one in (".", "..") or any(mark in one for mark in "/\\\0"):
            raise click.BadParameter(f"`{one}` cannot be the name of a folder", param_hint="--students")
    return ids


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
