"""`grader handout PROBLEM --out DIR`: what students get."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import EXIT_OK, EXIT_USAGE
from grader.pushes.workflows import PLACEHOLDER_ACTION

if TYPE_CHECKING:
    from grader.problems import Problem
    from grader.pushes.workflows import Platform


@click.command("handout")
@click.argument("problem", type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
@click.option(
    "--students",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with one student's id a line: a folder with a variant for each.",
)
@click.option(
    "--seed",
    default="",
    envvar="GRADER_SEED",
    help="Secret of this class; variants are drawn from it and the student's id.",
)
@click.option("--action", default=PLACEHOLDER_ACTION, help="The grading action, as owner/repository@commit.")
@click.option(
    "--platform",
    type=click.Choice(["actions", "classroom", "classroom50"]),
    default="actions",
    help="What grades a push: plain Actions, the former Classroom, or Classroom 50.",
)
@click.option("--json", "as_json", is_flag=True, help="Say on stdout, as JSON, what was written.")
def command(
    problem: Path, out: Path, students: Path | None, seed: str, action: str, platform: Platform, as_json: bool
) -> int:
    """Statement, answer templates, notebook without solutions, workflow and instructions."""
    from grader.decode import ProblemError
    from grader.handout import folder, leaks
    from grader.handout.notebook import UnclosedRegion
    from grader.problems import load_problem

    try:
        loaded = load_problem(problem)
        folders = _variants(loaded, out, _ids(students), seed)
        built = {path: (variant, folder.build(variant, action, platform)) for path, variant in folders.items()}
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
    if action == PLACEHOLDER_ACTION and platform != "classroom50":
        click.echo(f"The workflow names {action}: give --action, or put your copy's commit there.", err=True)
    if as_json:
        json.dump({"files": [str(path) for path in written]}, sys.stdout, indent=1)
        click.echo()
    else:
        click.echo(f"{len(written)} files in {out}")
    return EXIT_OK


def _variants(loaded: Problem, out: Path, ids: list[str], seed: str) -> dict[Path, Problem]:
    """Folder → the variant in it, drawn as grading draws it.  Errors: a usage error without a list of students."""
    from grader.job import variant_seed

    if ids:
        return {out / one: loaded.variant(variant_seed(seed, one)) for one in ids}
    if any(question.head.parameters for question in loaded.questions):
        raise click.UsageError(f"{loaded.id} draws values for each student: give --students FILE, and --seed.")
    return {out: loaded}


def _ids(path: Path | None) -> list[str]:
    """Student ids, one a line.  Errors: a usage error for one that grading would call differently, or given twice.

    A variant belongs to the id that the name of a student's folder gives, so the id has to survive as such a name.
    """
    from grader.reading.submission import STUDENT_ID

    lines = path.read_text(encoding="utf-8-sig").splitlines() if path else []
    ids = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for one in ids:
        name = STUDENT_ID.sub("_", one).strip("_")
        if one != name or one in (".", ".."):
            raise click.BadParameter(f"`{one}` is no id of a student; write `{name}`", param_hint="--students")
    if path is not None and not ids:
        raise click.BadParameter(f"{path} names nobody", param_hint="--students")
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise click.BadParameter(f"`{twice[0]}` stands there twice", param_hint="--students")
    return ids


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
