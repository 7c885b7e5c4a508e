"""`grader validate`: is a problem sound?"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli import EXIT_OK, EXIT_WRONG
from grader.cli.finding import find_problem

if TYPE_CHECKING:
    from grader.problems import Problem
    from grader.soundness import Soundness, Trouble

QUIET_SECONDS = 3.0  # between two words about the progress
PARAMETERS_SHOWN = 3  # reasons for passing over draws


@click.command("validate")
@click.argument("problem", type=str)
@click.option("--seeds", type=click.IntRange(1, 1000), default=20, show_default=True, help="Variants to look at.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(problem: str, seeds: int, as_json: bool) -> int:
    """Check that a problem is sound.

    Independent routes agree on every model answer, the problem's own cases hold, variants stay well-posed, a
    misconception can be told from the truth, and every question can be answered in its own vocabulary.
    """
    from grader.decode import ProblemError
    from grader.problems import load_problem
    from grader.soundness import examine

    folder = find_problem(problem, (Path.cwd(),))
    try:
        loaded = load_problem(folder)
    except ProblemError as trouble:
        return refuse(folder, trouble, as_json)
    found = examine(loaded, seeds, Teller())
    troubles = (*found.troubles, *statement_troubles(loaded))
    sound = all(one.warning for one in troubles)
    if as_json:
        click.echo(json.dumps(as_data(loaded, found, troubles), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(as_text(loaded, found, troubles)))
    return EXIT_OK if sound else EXIT_WRONG


class Teller:
    """Says on stderr what is looked at, now and then, so that a slow problem does not look like a dead one."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, text: str) -> None:
        if time.monotonic() - self._said > QUIET_SECONDS:
            self._said = time.monotonic()
            click.echo(f"looking at {text} …", err=True)


def refuse(folder: Path, trouble: Any, as_json: bool) -> int:
    """Say everything that is wrong with a problem that could not be loaded."""
    if not as_json:
        click.echo(str(trouble), err=True)
        count, one = len(trouble.mistakes), len(trouble.mistakes) == 1
        until = "it is" if one else "they are"
        said = f"{count} mistake{'' if one else 's'}; nothing can be graded before {until} mended."
        click.echo(said, err=True)
        return EXIT_WRONG
    rows = [{"where": f"{m.file}:{m.line}", "message": str(m), "warning": False} for m in trouble.mistakes]
    click.echo(json.dumps({"problem": folder.name, "sound": False, "troubles": rows}, ensure_ascii=False, indent=2))
    return EXIT_WRONG


def statement_troubles(problem: Problem) -> list[Trouble]:
    """Placeholders that name no parameter, and parameters that students never see."""
    from grader.decode import ProblemError
    from grader.handout.statement import PLACEHOLDER, STATEMENT_FILE, fill_in
    from grader.soundness import Trouble

    path = problem.folder / STATEMENT_FILE if problem.folder else None
    if path is None or not path.is_file():
        return [Trouble(STATEMENT_FILE, "there is no statement: students get none", warning=True)]
    text = path.read_text(encoding="utf-8", errors="replace")
    values = {one.id: problem.parameters(one) for one in problem.questions}
    found = []
    try:
        fill_in(text, values, STATEMENT_FILE)
    except ProblemError as trouble:
        found += [Trouble(f"{m.file}:{m.line}", str(m)) for m in trouble.mistakes]
    shown = {(match["question"], match["name"]) for match in PLACEHOLDER.finditer(text)}
    for question, drawn in values.items():
        for name in drawn:
            if (question, name) not in shown:
                message = f"parameter {name} of {question} is not shown: write {{{{{question}.{name}}}}}"
                found.append(Trouble(STATEMENT_FILE, message, warning=True))
    return found


def as_text(problem: Problem, found: Soundness, troubles: tuple[Trouble, ...]) -> list[str]:
    """Answers with their routes, variants, then troubles and the verdict."""
    from grader.derived import show_rows

    lines = [f"{problem.title} ({problem.id})", *show_rows(found.rows, steps=False), ""]
    for one in found.variants:
        passed = sum(count for _, count in one.reasons)
        lines.append(
            f"variants of {one.question}: {one.different} different in {one.seeds}; {passed} draws passed over"
        )
        lines += [f"  {count} × {reason}" for reason, count in one.reasons[:PARAMETERS_SHOWN]]
    lines += [f"{'warning' if one.warning else 'error'}  {one.where}: {one.message}" for one in troubles]
    sound = all(one.warning for one in troubles)
    counts = (
        _counted(len(problem.questions), "question"),
        _counted(len(problem.items()), "item"),
        _counted(problem.points, "point"),
        _counted(found.cases, "case"),
    )
    lines.append(f"{problem.id} is {'sound' if sound else 'not sound'}: {', '.join(counts)}")
    return lines


def _counted(count: Any, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def as_data(problem: Problem, found: Soundness, troubles: tuple[Trouble, ...]) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "problem": problem.id,
        "sound": all(one.warning for one in troubles),
        "points": str(problem.points),
        "cases": found.cases,
        "questions": list(found.rows),
        "variants": [
            {"question": v.question, "seeds": v.seeds, "different": v.different, "passed_over": dict(v.reasons)}
            for v in found.variants
        ],
        "troubles": [{"where": one.where, "message": one.message, "warning": one.warning} for one in troubles],
    }
