"""`grader ci`: grade a push and tell it in the forms a runner and class tools read."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import EXIT_INTERNAL, EXIT_OK, EXIT_WRONG

if TYPE_CHECKING:
    from grader.model import Report
    from grader.roster import Entrant

PathOption = click.Path(path_type=Path)


@click.command("ci")
@click.argument("submission", default=".", type=click.Path(exists=True, path_type=Path))
@click.option("--problem", "problem_name", help="Folder or name of the problem; found by itself where it can be.")
@click.option("--student", default="", help="Name the report is made out to; default: the folder's.")
@click.option(
    "--sandbox",
    type=click.Choice(["auto", "namespaces", "landlock", "none"]),
    default="auto",
    help="Isolation of the code; auto is the strongest this machine offers.",
)
@click.option("--seed", default="", envvar="GRADER_SEED", help="Secret that per-student variants are drawn from.")
@click.option("--summary", type=PathOption, help="Append a summary in Markdown to this file ($GITHUB_STEP_SUMMARY).")
@click.option("--outputs", type=PathOption, help="Append result, points and possible to this file ($GITHUB_OUTPUT).")
@click.option("--out", type=PathOption, help="Folder for the report and a badge.")
@click.option("--classroom50", type=PathOption, help="Write result.json of Classroom 50 here.")
@click.option("--release-body", type=PathOption, help="Write the summary as a release's text here.")
@click.option("--fail-below", type=click.FloatRange(0, 1), help="Exit 1 below this share of the points.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on stdout.")
def command(
    submission: Path,
    problem_name: str | None,
    student: str,
    sandbox: str,
    seed: str,
    summary: Path | None,
    outputs: Path | None,
    out: Path | None,
    classroom50: Path | None,
    release_body: Path | None,
    fail_below: float | None,
    as_json: bool,
) -> int:
    """Grade what was pushed.

    Annotations go to stdout (with --json: to stderr).  Exit code 0 whenever it was graded.
    """
    from grader.pushes import annotations
    from grader.pushes import classroom50 as classroom
    from grader.pushes import summary as markdown
    from grader.reporting import json_report
    from grader.reporting.audience import for_student

    try:
        report = for_student(grade_push(submission, problem_name, student, sandbox, seed))
    except click.ClickException:
        raise
    except Exception:  # noqa: BLE001 - our own trouble is told as ours, and is no result
        traceback.print_exc(file=sys.stderr)
        click.echo("::error title=Grading could not run::This is not about your answers; tell your instructor.")
        return EXIT_INTERNAL
    for line in [*annotations.annotate(report, folder=_folder(submission)), annotations.points_notice(report)]:
        click.echo(line, err=as_json)
    text = markdown.summary(report)
    if summary is not None:
        _append(summary, text)
    if outputs is not None:
        _append(outputs, _outputs(report, out))
    if classroom50 is not None:
        classroom50.write_text(json.dumps(classroom.result(report), ensure_ascii=False, indent=1) + "\n", "utf-8")
    if release_body is not None:
        release_body.write_text(text, "utf-8")
    if out is not None:
        _write_folder(out, report)
    if as_json:
        click.echo(json_report.render(report))
    return EXIT_WRONG if fail_below is not None and _share(report) < fail_below else EXIT_OK


def grade_push(submission: Path, problem_name: str | None, student: str, sandbox: str, seed: str) -> Report:
    """The report on a checkout.  Errors: click.ClickException when the problem cannot be found or is unsound."""
    from grader import observing
    from grader.cli.finding import find_problem
    from grader.decode import ProblemError
    from grader.job import Setting, grade_entrant
    from grader.problems import load_problem

    try:
        problem = load_problem(find_problem(problem_name, (submission,)))
        tier = observing.NOT_NEEDED
        if observing.program_questions(problem):
            tier = observing.find_tier("" if sandbox == "auto" else sandbox, observing.imports_of(problem))
    except (ProblemError, observing.NoTier) as trouble:
        raise click.ClickException(str(trouble)) from None
    report, _ = grade_entrant(problem, _entrant(submission, student), Setting(str(problem.folder), tier, seed))
    return report


def _entrant(submission: Path, student: str) -> Entrant:
    from grader.reading.bundles import Handin
    from grader.reading.commits import last_commit_time
    from grader.reading.submission import student_id
    from grader.roster import entrant_of

    path = submission.resolve()
    root = path if path.is_dir() else path.parent
    return entrant_of(Handin(student or student_id(path), "", (path,), root, last_commit_time(root)))


def _folder(submission: Path) -> str:
    """Where the hand-in stands in the checkout, which is the working directory; "" at its root or outside it."""
    whole = submission.resolve()
    folder = whole if whole.is_dir() else whole.parent
    here = Path.cwd().resolve()
    inside = folder.relative_to(here).as_posix() if folder.is_relative_to(here) else "."
    return "" if inside == "." else inside


def _outputs(report: Report, out: Path | None) -> str:
    from grader.pushes import legacy
    from grader.pushes.annotations import decimal

    score = report.score
    lines = [
        f"result={legacy.encode(report)}",
        f"points={decimal(score.earned)}",
        f"possible={decimal(score.possible)}",
    ]
    if out is not None:
        lines.append(f"report={out.resolve()}")
    return "\n".join(lines) + "\n"


def _write_folder(out: Path, report: Report) -> None:
    from grader.pushes.badge import badge
    from grader.reporting import html, json_report, markdown

    out.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("report.html", html.render(report)),
        ("report.md", markdown.render(report)),
        ("report.json", json_report.render(report)),
        ("badge.svg", badge(report)),
    ):
        (out / name).write_text(text, "utf-8")


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)


def _share(report: Report) -> float:
    return float(report.score.earned / report.score.possible) if report.score.possible else 1.0
