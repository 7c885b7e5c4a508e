"""`grader check`: a student's self-check, offline, with the verdicts of the class run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import EXIT_NOTHING, EXIT_OK, EXIT_USAGE, EXIT_WRONG
from grader.cli.finding import find_problem
from grader.model import Observation, Report, Submission, Verdict

if TYPE_CHECKING:
    from grader.problems import Problem
    from grader.reading import Handin

POLL_SECONDS = 0.3
WHOLE_HAND_IN = ("documentation_missing", "notebook_missing")
CLEAR = "\x1b[2J\x1b[3J\x1b[H"
Stamps = tuple[tuple[str, int, int], ...]


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--problem", "problem_name", help="Folder or name of the problem; found by itself where it can be.")
@click.option("--question", default="", help="Check one question (1a) or one item (1f.f1.gradient) only.")
@click.option(
    "--hints",
    type=click.IntRange(1, 3),
    default=1,
    help="How much a hint says: 1 what kind of thing differs, 2 which entry or step, 3 a point where it shows.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes; Ctrl-C ends it.")
def command(
    files: tuple[Path, ...], problem_name: str | None, question: str, hints: int, as_json: bool, watch: bool
) -> int:
    """Check your own answers, offline.

    FILES are your hand-in: Markdown, LaTeX, a notebook, TOML or JSON, or the folder with all of it.  You see how each
    answer was understood, whether it is right, and a hint; never the model answer.
    """

    def once() -> int:
        return check_once(files, problem_name, question, hints, as_json)

    return watch_files(files, once) if watch else once()


def check_once(files: tuple[Path, ...], problem_name: str | None, question: str, hints: int, as_json: bool) -> int:
    """Read, grade, print; the exit code."""
    from grader.decode import ProblemError
    from grader.problems import load_problem
    from grader.reporting import render
    from grader.reporting.hints import PLACE, more, with_hints

    folder = find_problem(problem_name, files)
    try:
        problem = load_problem(folder, plans=False)
        owner = question_named(problem, question)
        item = question if question != owner else ""
        full = report_on(problem, handin_of(files), owner, item, lines=hints >= PLACE or as_json)
    except ProblemError as trouble:
        raise click.ClickException(f"The problem's definition is wrong:\n{trouble}") from None
    report = with_hints(full, hints, problem.hints.witness)
    if as_json:
        click.echo(render(report, "json"))
    else:
        from grader.reporting import terminal

        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        deeper = more(full, hints, problem.hints.witness)
        click.echo(terminal.render(report, colour, later=checks_at_grading(problem, report), hint=deeper), nl=False)
    return exit_code(report)


def question_named(problem: Problem, label: str) -> str:
    """The question that `--question` names, by its own id or an item's; "" for all.  Errors: ClickException."""
    from grader.decode import did_you_mean

    ids = [one.id for one in problem.questions]
    owner = max((one for one in ids if label == one or label.startswith(f"{one}.")), key=len, default="")
    if not label or label == owner:
        return label
    known = [item.id for item in problem.items(problem.question(owner))] if owner else ids
    if label in known:
        return owner
    raise click.ClickException(f"There is no question {label} in {problem.id}; {did_you_mean(label, known)}")


def handin_of(files: tuple[Path, ...]) -> Handin:
    """All files together are one hand-in; names in it are relative to the folder they share."""
    from grader.reading import Handin
    from grader.reading.submission import student_id

    whole = [path.resolve() for path in files]
    folders = [path if path.is_dir() else path.parent for path in whole]
    root = Path(os.path.commonpath(folders))
    return Handin(student_id(files[0]), "", tuple(dict.fromkeys(whole)), root)


def report_on(problem: Problem, handin: Handin, question: str = "", item: str = "", lines: bool = True) -> Report:
    """The whole report, instructor's evidence included; on one question or one item where they are named."""
    from dataclasses import replace

    from grader.grading import grade, terms_of
    from grader.reading import read_handin
    from grader.scoring import score

    submission = read_handin(handin, problem.labels())
    variant = problem.variant(submission.student)
    observations = _observe(variant, handin, submission, question)
    report = grade(variant, submission, observations, only=question, lines=lines)
    if not any(path.is_dir() for path in handin.paths):  # of single files nobody expects that they are everything
        report = replace(report, remarks=tuple(one for one in report.remarks if one.note not in WHOLE_HAND_IN))
    if not item:
        return report
    kept = tuple(finding for finding in report.findings if finding.item == item)
    return replace(report, findings=kept, score=score(kept, (), terms_of(variant, [variant.question(question)])))


def _observe(problem: Problem, handin: Handin, submission: Submission, question: str) -> tuple[Observation, ...]:
    """What the notebook does, if there is one and a question asks for it; a written sheet needs no sandbox.

    Code runs in the strongest isolation there is, or without any: it is one's own.
    """
    wanted = [one for one in problem.questions if one.kind == "program" and question in ("", one.id)]
    if not wanted or not submission.notebooks:
        return ()
    from grader.job import probe_seed
    from grader.observing import NoTier, find_tier, imports_of, observe

    try:
        tier = find_tier("", imports_of(problem))
    except NoTier:
        tier = "none"
    seed = probe_seed(problem.digest, "", submission.digest)
    return observe(problem, handin, submission, seed, tier).observations


def checks_at_grading(problem: Problem, report: Report) -> int:
    """How many answered items get checks that do not run here: code (fresh inputs), and what waits for a person."""
    programs = {question.id for question in problem.questions if question.kind == "program"}
    later = 0
    for finding in report.findings:
        code = any(finding.item == one or finding.item.startswith(f"{one}.") for one in programs)
        later += finding.verdict is not Verdict.BLANK and (code or finding.verdict is Verdict.UNDECIDED)
    return later


def exit_code(report: Report) -> int:
    """0 all right, 1 something wrong or unreadable, 5 nothing to check."""
    answered = [finding for finding in report.findings if finding.verdict is not Verdict.BLANK]
    if not answered:
        return EXIT_NOTHING
    bad = (Verdict.INCORRECT, Verdict.UNREADABLE, Verdict.CARRIED)
    return EXIT_WRONG if any(finding.verdict in bad for finding in answered) else EXIT_OK


def watch_files(files: tuple[Path, ...], once: Callable[[], int], pause: Callable[[float], None] = time.sleep) -> int:
    """Check, and check again after every change, until Ctrl-C.  The exit code of the last check."""
    code = EXIT_OK
    try:
        while True:
            before = stamps(files)
            try:
                code = once()
            except click.ClickException as trouble:  # a file that is being saved, or a mistake to mend: go on
                trouble.show()
                code = EXIT_USAGE
            click.echo("Watching; Ctrl-C ends it.", err=True)
            wait_for_change(files, before, pause)
            if sys.stdout.isatty():
                click.echo(CLEAR, nl=False)
            else:
                click.echo("\n--- changed ---\n", err=True)
    except KeyboardInterrupt:
        return code


def wait_for_change(files: tuple[Path, ...], before: Stamps, pause: Callable[[float], None]) -> None:
    """Return once something differs from `before`, every file named is there, and nothing is being written any more."""
    last = stamps(files)
    while True:
        pause(POLL_SECONDS)
        now = stamps(files)
        if now != before and now == last and all(file.exists() for file in files):
            return
        last = now


def stamps(files: tuple[Path, ...]) -> Stamps:
    """Name, time of change and size of every file under the given ones, hidden ones left out."""
    found = []
    for file in files:
        for one in [file, *(file.rglob("*") if file.is_dir() else ())]:
            if any(part.startswith(".") for part in one.relative_to(file).parts):
                continue
            try:
                state = one.stat()
            except OSError:
                continue
            found.append((str(one), state.st_mtime_ns, state.st_size))
    return tuple(sorted(found))
