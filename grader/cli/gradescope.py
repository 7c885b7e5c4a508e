"""`grader gradescope PROBLEM`: an autograder's archive for Gradescope, and what runs inside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from grader.cli import EXIT_INTERNAL, EXIT_OK

MAX_METADATA = 4 * 2**20


@click.command("gradescope")
@click.argument("problem", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default=Path("autograder.zip"), type=click.Path(path_type=Path), help="The archive to write.")
@click.option(
    "--grade", type=click.Path(exists=True, path_type=Path), help="Grade this hand-in instead (in the autograder)."
)
@click.option("--metadata", type=click.Path(path_type=Path), help="Gradescope's submission_metadata.json.")
@click.option("--results", type=click.Path(path_type=Path), help="Where results.json goes.")
@click.option("--sandbox", default="", help="Isolation for the hand-in's code; by default the strongest there is.")
def command(
    problem: Path, out: Path, grade: Path | None, metadata: Path | None, results: Path | None, sandbox: str
) -> int:
    """Make the archive that Gradescope takes as a programming assignment's autograder.

    Upload it under Configure Autograder.  It holds setup.sh, run_autograder, the problem and this program.
    """
    from grader.decode import ProblemError
    from grader.problems import load_problem

    try:
        load_problem(problem)
    except ProblemError as trouble:
        raise click.ClickException(f"The problem's definition is wrong:\n{trouble}") from None
    if grade is not None:
        return _grade(problem, grade, metadata, results or Path("results.json"), sandbox)
    from grader.export.autograder import build

    out.parent.mkdir(parents=True, exist_ok=True)
    data = build(problem)
    out.write_bytes(data)
    click.echo(f"{out}: {len(data) / 2**20:.1f} MB")
    return EXIT_OK


def _grade(problem: Path, handed_in: Path, metadata: Path | None, results: Path, sandbox: str) -> int:
    """Grade one hand-in; results.json is written whatever happens, so that the student is told."""
    from grader.export import gradescope

    results.parent.mkdir(parents=True, exist_ok=True)
    try:
        report = _report(problem, handed_in, _metadata(metadata), sandbox)
    except Exception as trouble:  # noqa: BLE001 - our own trouble must not cost a student the whole result
        results.write_bytes(gradescope.failure("The autograder could not run; your instructor has been told."))
        click.echo(f"{type(trouble).__name__}: {trouble}", err=True)
        return EXIT_INTERNAL
    results.write_bytes(gradescope.results(report).data)
    return EXIT_OK


def _report(problem: Path, handed_in: Path, about: dict[str, Any], sandbox: str):  # type: ignore[no-untyped-def]
    from grader.job import Setting, grade_entrant
    from grader.problems import load_problem
    from grader.reading.files import gather
    from grader.reading.submission import digest
    from grader.roster import Entrant

    users = about.get("users")
    first = users[0] if isinstance(users, list) and users and isinstance(users[0], dict) else {}
    student = str(first.get("sid") or first.get("email") or first.get("id") or "student")
    submitted = about.get("created_at")
    entrant = Entrant(
        student=student,
        paths=(str(handed_in.resolve()),),
        root=str(handed_in.resolve() if handed_in.is_dir() else handed_in.resolve().parent),
        digest=digest(gather(handed_in).files),
        name=str(first.get("name") or ""),
        submitted=submitted if isinstance(submitted, str) else None,
    )
    report, _share = grade_entrant(load_problem(problem), entrant, Setting(str(problem), sandbox))
    return report


def _metadata(path: Path | None) -> dict[str, Any]:
    """What Gradescope says about the submission; nothing where it says nothing readable."""
    if path is None or not path.is_file():
        return {}
    try:
        with path.open("rb") as stream:
            data = json.loads(stream.read(MAX_METADATA))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
