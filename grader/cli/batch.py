"""`grader batch`: grade a class."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli import EXIT_INTERNAL, EXIT_OK, EXIT_USAGE, EXIT_WRONG

if TYPE_CHECKING:
    from grader.batch import Graded

SHARD = re.compile(r"(\d{1,5})/(\d{1,5})")


def read_shard(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[int, int]:
    match = SHARD.fullmatch(value or "1/1")
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise click.BadParameter(f"expected i/n with 1 ≤ i ≤ n, such as 2/8, not {value!r}.")
    return int(match[1]), int(match[2])


@click.command("batch")
@click.argument("problem", type=click.Path(exists=True, path_type=Path))
@click.argument("submissions", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for reports, gradebook and journal."
)
@click.option("--jobs", "-j", type=click.IntRange(0), default=0, help="Processes; 0, the default, is one per core.")
@click.option(
    "--sandbox",
    type=click.Choice(["auto", "namespaces", "landlock", "none"]),
    default="auto",
    help="Isolation of student code; auto is the strongest this machine offers and refuses if there is none.",
)
@click.option("--scheduler", default="", metavar="ADDRESS", help="Use the Dask cluster of this scheduler.")
@click.option("--shard", callback=read_shard, metavar="I/N", help="Grade only the I-th of N parts of the class.")
@click.option(
    "--merge",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Take over a shard's folder; repeatable.",
)
@click.option(
    "--pattern", default="", metavar="REGEX", help="How folders of students are named; group `student` is the id."
)
@click.option("--seed", default="", envvar="GRADER_SEED", help="Secret that per-student variants are drawn from.")
@click.option(
    "--fail-below", type=click.FloatRange(0, 100), metavar="SHARE", help="Exit 1 if a student is below: 0.5 or 50."
)
@click.option("--json", "as_json", is_flag=True, help="Summary as JSON on stdout.")
def command(
    problem: Path,
    submissions: Path,
    out: Path,
    jobs: int,
    sandbox: str,
    scheduler: str,
    shard: tuple[int, int],
    merge: tuple[Path, ...],
    pattern: str,
    seed: str,
    fail_below: float | None,
    as_json: bool,
) -> int:
    """Grade every submission in the folder SUBMISSIONS for PROBLEM.

    Started again with the same --out it continues where it was stopped.  Decisions in review.csv are taken in.
    """
    from grader.batch import Options, grade_class
    from grader.cli.progress import Meter

    options = Options(jobs, "" if sandbox == "auto" else sandbox, scheduler, shard, merge, check_pattern(pattern), seed)
    loaded = load(problem)
    if isinstance(loaded, int):
        return loaded
    with stopping_in_order(), Meter() as meter:
        result = attempt(lambda: grade_class(loaded, submissions, out, options, meter.show))
    if isinstance(result, int):
        return result
    report_result(result, out, as_json)
    return _exit_code(result, fail_below)


@contextlib.contextmanager
def stopping_in_order() -> Iterator[None]:
    """A polite kill ends the run like Ctrl-C: what was under way is withdrawn, nobody is blamed for it."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def check_pattern(pattern: str) -> str:
    """The regular expression, checked.  Errors: click.BadParameter."""
    try:
        re.compile(pattern)
    except re.error as trouble:
        raise click.BadParameter(f"--pattern is no regular expression: {trouble}.") from trouble
    return pattern


def load(folder: Path) -> Any:
    """The problem, or the exit code after its mistakes were printed."""
    from grader.decode import ProblemError
    from grader.problems import load_problem

    try:
        return load_problem(folder)
    except ProblemError as mistakes:
        click.echo(str(mistakes), err=True)
        return EXIT_USAGE


def attempt(run: Any) -> Any:
    """What `run` returns, or the exit code after its trouble was printed."""
    from grader.batch import BatchError
    from grader.store import StoreError

    try:
        return run()
    except (BatchError, StoreError) as trouble:
        click.echo(f"Error: {trouble}", err=True)
        return EXIT_USAGE
    except OSError as trouble:
        click.echo(f"Error: {trouble}", err=True)
        return EXIT_INTERNAL


def report_result(result: Graded, out: Path, as_json: bool) -> None:
    """What came out: JSON on stdout, or a few lines."""
    from grader import class_files

    data = class_files.summary(result.written, result.seconds)
    for trouble in result.written.trouble:
        click.echo(f"Warning: {trouble}", err=True)
    if as_json:
        click.echo(json.dumps({"out": str(out), "fresh": result.fresh, **data}, ensure_ascii=False, indent=1))
        return
    reports = result.written.reports
    click.echo(f"{len(reports)} submission{'s' if len(reports) != 1 else ''}, {result.fresh} graded now.")
    if data["pending_items"]:
        click.echo(f"{data['pending_items']} items need a person: {out / class_files.REVIEW}")
    click.echo(f"Class page  {out / 'class.html'}")
    click.echo(f"Gradebook   {out / 'gradebook.csv'}")
    click.echo(f"Reports     {out / class_files.REPORTS}")


def _exit_code(result: Graded, fail_below: float | None) -> int:
    if fail_below is None:
        return EXIT_OK
    scores = [report.score for report in result.written.reports]
    share = fail_below if fail_below <= 1 else fail_below / 100
    low = [s for s in scores if s.possible > 0 and float(s.earned / s.possible) < share]
    return EXIT_WRONG if low else EXIT_OK
