"""Grade the sample class of every shipped sheet and compare each outcome with what was expected.

`python -m grader.demo --out out` prints a table; it exits with 1 if any outcome differs.  The sample classes are the
project's own code, so where the machine offers no isolation they run without, and the table says so.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import click

from grader.batch import BatchError, Graded, NoIsolation, Options, grade_class
from grader.cli import EXIT_INTERNAL, EXIT_OK, EXIT_WRONG
from grader.cli.progress import Meter
from grader.problems import Problem, load_problem
from grader.reporting import expected

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = "expected.toml"
MOST_SHOWN = 40  # differences per sheet


@dataclass(frozen=True, slots=True)
class Shown:
    """How one sheet came out."""

    sheet: str
    submissions: int
    seconds: float
    isolation: str
    differences: tuple[expected.Difference, ...]
    compared: int
    page: Path


def sheets(root: Path) -> tuple[str, ...]:
    """The shipped sheets that have a sample class."""
    problems = sorted(path.parent.name for path in (root / "problems").glob("*/problem.toml"))
    return tuple(name for name in problems if (root / "submissions" / name).is_dir())


def show_sheet(root: Path, sheet: str, out: Path, options: Options) -> Shown:
    """Grade one sample class and compare.  Errors: ProblemError, BatchError."""
    started = time.monotonic()
    problem = load_problem(root / "problems" / sheet)
    submissions = root / "submissions" / sheet
    with Meter() as meter:
        try:
            graded = grade_class(problem, submissions, out / sheet, options, meter.show)
        except NoIsolation as absent:
            click.echo(
                f"{sheet}: {absent}\n{sheet}: the sample class is our own, so it runs without isolation.", err=True
            )
            graded = grade_class(problem, submissions, out / sheet, replace(options, sandbox="none"), meter.show)
    seconds = time.monotonic() - started
    differences, compared = compare_class(graded, submissions / EXPECTED)
    return Shown(
        sheet,
        len(graded.written.reports),
        seconds,
        _isolation(problem, graded),
        differences,
        compared,
        out / sheet / "class.html",
    )


def compare_class(graded: Graded, path: Path) -> tuple[tuple[expected.Difference, ...], int]:
    """The differences between a class and its expectations, and how many outcomes were compared."""
    if not path.is_file():
        return (), 0
    expectations = expected.load(path.read_text(encoding="utf-8"))
    reports = {report.student: report for report in graded.written.reports}
    differences = [
        expected.Difference(student, "report", "a report", "none") for student in expectations if student not in reports
    ]
    unexpected = [student for student in reports if student not in expectations]
    differences += [expected.Difference(student, "expectation", "none", "a report") for student in unexpected]
    compared = 0
    for student, expectation in expectations.items():
        if student in reports:
            compared += len(expectation.items) + 2
            differences += expected.compare(reports[student], expectation)
    return tuple(differences), compared


def _isolation(problem: Problem, graded: Graded) -> str:
    tiers = {report.provenance.isolation for report in graded.written.reports}
    return ", ".join(sorted(tiers)) or "none ran"


def table(rows: list[Shown]) -> str:
    """The outcome as lines of text."""
    out = [f"{'sheet':<18} {'class':>5} {'seconds':>8} {'outcomes':>9} {'differ':>6}  {'isolation':<12} class page"]
    for row in rows:
        out.append(
            f"{row.sheet:<18} {row.submissions:>5} {row.seconds:>8.1f} {row.compared:>9} {len(row.differences):>6}"
            f"  {row.isolation:<12} {row.page}"
        )
    return "\n".join(out)


@click.command()
@click.option("--out", default="out", type=click.Path(path_type=Path), help="Folder for the classes' files.")
@click.option("--jobs", "-j", type=click.IntRange(0), default=0, help="Processes; 0 is one per core.")
@click.option("--sheet", "only", multiple=True, help="Only this sheet; repeatable.")
def main(out: Path, jobs: int, only: tuple[str, ...]) -> None:
    """Grade the sample class of every shipped sheet and compare each outcome with what was expected."""
    from grader.decode import ProblemError

    rows: list[Shown] = []
    broken = False
    for sheet in sheets(ROOT):
        if only and sheet not in only:
            continue
        try:
            rows.append(show_sheet(ROOT, sheet, out, Options(jobs=jobs)))
        except (ProblemError, BatchError, ValueError) as trouble:
            click.echo(f"{sheet}: {trouble}", err=True)
            broken = True
    for row in rows:
        for difference in row.differences[:MOST_SHOWN]:
            click.echo(
                f"{row.sheet}  {difference.student}  {difference.what}: expected {difference.expected},"
                f" found {difference.found}"
            )
        if len(row.differences) > MOST_SHOWN:
            click.echo(f"{row.sheet}  and {len(row.differences) - MOST_SHOWN} more")
    click.echo(table(rows))
    if broken or not rows:
        sys.exit(EXIT_INTERNAL)
    sys.exit(EXIT_WRONG if any(row.differences for row in rows) else EXIT_OK)


if __name__ == "__main__":
    main()
