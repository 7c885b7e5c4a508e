"""`grader report`: write a class's files again from its journal."""

from __future__ import annotations

import json
from pathlib import Path

import click

from grader.cli import EXIT_OK
from grader.cli.batch import attempt


@click.command("report")
@click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--instructor", is_flag=True, help="Also write instructor/, with the evidence students do not see.")
@click.option("--json", "as_json", is_flag=True, help="Summary as JSON on stdout.")
def command(out: Path, instructor: bool, as_json: bool) -> int:
    """Write reports, gradebook, class page and review list in OUT again, with the decisions in review.csv taken in."""
    from grader import class_files
    from grader.class_files import JOURNAL
    from grader.store import Store

    def write() -> class_files.Written:
        with Store(out / JOURNAL, create=False) as store:
            return class_files.write_class(out, store, store.setting("title", "Class"), for_instructor=instructor)

    written = attempt(write)
    if isinstance(written, int):
        return written
    for trouble in written.trouble:
        click.echo(f"Warning: {trouble}", err=True)
    if as_json:
        click.echo(json.dumps(class_files.summary(written, {}), ensure_ascii=False, indent=1))
    else:
        click.echo(f"{len(written.reports)} reports written; class page {out / 'class.html'}")
        if instructor:
            click.echo(f"For instructors only: {out / class_files.INSTRUCTOR}")
    return EXIT_OK
