"""`grader regrade`: grade a class again, show who changes and why, and only then let it count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from grader.cli import EXIT_OK, EXIT_USAGE
from grader.cli.batch import attempt, load


@click.command("regrade")
@click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--diff", is_flag=True, help="Only show what changes; this is the default.")
@click.option("--apply", "apply_", is_flag=True, help="Let the new verdicts count and write the files again.")
@click.option("--problem", type=click.Path(exists=True, path_type=Path), help="Folder of the problem, if it moved.")
@click.option("--submissions", type=click.Path(exists=True, path_type=Path), help="Submissions, if they moved.")
@click.option("--jobs", "-j", type=click.IntRange(0), default=0, help="Processes; 0, the default, is one per core.")
@click.option(
    "--sandbox",
    type=click.Choice(["as before", "auto", "namespaces", "landlock", "none"]),
    default="as before",
    help="Isolation of student code.",
)
@click.option("--json", "as_json", is_flag=True, help="The changes as JSON on stdout.")
def command(
    out: Path,
    diff: bool,
    apply_: bool,
    problem: Path | None,
    submissions: Path | None,
    jobs: int,
    sandbox: str,
    as_json: bool,
) -> int:
    """Grade the class in OUT, a folder that `grader batch` wrote, again with today's program and problem.

    Shows every student and item that changes, before and after, and why.  Nothing counts before --apply; people's
    decisions stay in any case.
    """
    from grader.batch import regrade_class
    from grader.changes import describe, to_data
    from grader.cli.progress import Meter

    if diff and apply_:
        raise click.UsageError("--diff only shows, --apply changes; give one of them.")
    places = attempt(lambda: _places(out, problem, submissions))
    if isinstance(places, int):
        return places
    loaded = load(places[0])
    if isinstance(loaded, int):
        return loaded
    with Meter() as meter:
        changes = attempt(lambda: regrade_class(loaded, places[1], out, jobs, sandbox, apply_, meter.show))
    if isinstance(changes, int):
        return changes
    click.echo(json.dumps(to_data(changes), ensure_ascii=False, indent=1) if as_json else describe(changes), nl=as_json)
    if not apply_ and changes.students:
        click.echo(f"Nothing counts yet.  Apply with: grader regrade {out} --apply", err=True)
    return EXIT_OK


def _places(out: Path, problem: Path | None, submissions: Path | None) -> Any:
    """Problem and submissions, as given or as the journal knows them."""
    from grader.class_files import JOURNAL
    from grader.store import Store

    with Store(out / JOURNAL, create=False) as store:
        found = (problem or Path(store.setting("problem")), submissions or Path(store.setting("submissions")))
    for path, option in zip(found, ("--problem", "--submissions"), strict=True):
        if not path.exists():
            click.echo(f"Error: {path} is not there any more; say where with {option}.", err=True)
            return EXIT_USAGE
    return found
