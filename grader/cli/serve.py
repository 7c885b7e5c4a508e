"""`grader serve`: the review pages of a class, on this machine only."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import EXIT_OK, EXIT_USAGE
from grader.cli.batch import attempt

PORT = 8642


@click.command("serve")
@click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="Port on 127.0.0.1.")
def command(out: Path, port: int) -> int:
    """Review what waits for a person in OUT, a folder that `grader batch` wrote.  Needs the extra `service`."""
    from grader.service import app

    absent = app.missing()
    if absent:
        click.echo(f"Error: {absent}", err=True)
        return EXIT_USAGE
    click.echo(f"Review pages at http://127.0.0.1:{port}  (Ctrl-C stops)", err=True)
    ended = attempt(lambda: app.run(out, port))
    return ended if isinstance(ended, int) else EXIT_OK
