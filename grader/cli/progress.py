"""Progress of a long run on stderr: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from grader.batch import Progress

LINE_SECONDS = 10.0  # between two lines where there is no terminal


class Meter:
    """Shows how far a class is.  Used as a context manager."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._said = time.monotonic()

    def __enter__(self) -> Meter:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, TextColumn("{task.description}"), console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, progress: Progress) -> None:
        """Take note of progress."""
        if progress.event == "noticed":
            click.echo(f"Warning: {progress.student}", err=True)
            return
        if progress.event in ("again", "given up"):
            click.echo(f"{progress.student}: grading ended without a result; {_then(progress.event)}", err=True)
        if self._bar is not None:
            from rich.markup import escape

            if self._task is None:
                self._task = self._bar.add_task("", total=progress.total)
            self._bar.update(self._task, completed=progress.done, description=escape(progress.student))
        elif time.monotonic() - self._said > LINE_SECONDS:
            self._said = time.monotonic()
            click.echo(f"{progress.done} of {progress.total} graded", err=True)


def _then(event: str) -> str:
    return "it is tried again." if event == "again" else "it goes to a person."
