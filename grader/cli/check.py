"""`grader check`: a student's self-check, offline, with the verdicts of the class run."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from grader.cli import EXIT_NOTHING, EXIT_OK, EXIT_WRONG
from grader.cli.finding import find_problem
from grader.model import Report, Verdict

POLL_SECONDS = 0.5


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--problem", "problem_name", help="Folder or name of the problem; found by itself where it can be.")
@click.option("--question", default="", help="Check one question only, for example 1a.")
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
def command(files: tuple[Path, ...], problem_name: str | None, question: str, as_json: bool, watch: bool) -> int:
    """Check your own answers, offline.

    FILES are your hand-in: Markdown, LaTeX, a notebook, TOML or JSON, or the folder with all of it.  You see how each
    answer was understood, whether it is right, and a hint; never the model answer.
    """
    code = check_once(files, problem_name, question, as_json)
    while watch:
        before = stamps(files)
        while stamps(files) == before:
            time.sleep(POLL_SECONDS)
        click.echo("", err=True)
        code = check_once(files, problem_name, question, as_json)
    return code


def check_once(files: tuple[Path, ...], problem_name: str | None, question: str, as_json: bool) -> int:
    """Read, grade, print; the exit code."""

    from grader.decode import ProblemError
    from grader.problems import load_problem
    from grader.reporting import render
    from grader.reporting.audience import for_student

    folder = find_problem(problem_name, files)
    try:
        problem = load_problem(folder, plans=False)
        if question and question not in [one.id for one in problem.questions]:
            from grader.decode import did_you_mean

            near = did_you_mean(question, [one.id for one in problem.questions])
            raise click.ClickException(f"There is no question {question} in {problem.id}; {near}")
        reports = [report_on(problem, file, question) for file in files]
    except ProblemError as trouble:
        raise click.ClickException(f"The problem's definition is wrong:\n{trouble}") from None
    merged = [for_student(report) for report in reports]
    for report in merged:
        if as_json:
            click.echo(render(report, "json"))
        else:
            from grader.reporting import terminal

            click.echo(terminal.render(report, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    return exit_code(merged)


def report_on(problem, file: Path, question: str) -> Report:  # type: ignore[no-untyped-def]
    """The report on one file or folder, code included where the machine can run it safely."""
    from grader.grading import grade
    from grader.reading import read_submission

    submission = read_submission(file, problem.labels())
    variant = problem.variant(submission.student)
    observations = _observe(variant, file, submission, question)
    return grade(variant, submission, observations, only=question)


def _observe(problem, file: Path, submission, question: str):  # type: ignore[no-untyped-def]
    """What the notebook does, if there is one and a question asks for it; a written sheet needs no sandbox."""
    wanted = [one for one in problem.questions if one.kind == "program" and question in ("", one.id)]
    if not wanted or not submission.notebooks:
        return ()
    from grader.job import observe_submission

    return observe_submission(problem, file, submission)


def exit_code(reports: list[Report]) -> int:
    """0 all right, 1 something wrong or unreadable, 5 nothing to check."""
    findings = [finding for report in reports for finding in report.findings]
    answered = [finding for finding in findings if finding.verdict is not Verdict.BLANK]
    if not answered:
        return EXIT_NOTHING
    bad = (Verdict.INCORRECT, Verdict.UNREADABLE, Verdict.CARRIED)
    return EXIT_WRONG if any(finding.verdict in bad for finding in answered) else EXIT_OK


def stamps(files: tuple[Path, ...]) -> tuple[tuple[str, int], ...]:
    """Names and times of change of every file under the given ones."""
    found = []
    for file in files:
        for one in [file, *(file.rglob("*") if file.is_dir() else ())]:
            try:
                found.append((str(one), one.stat().st_mtime_ns))
            except OSError:
                continue
    return tuple(sorted(found))
