"""`grader validate`: is a problem sound?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from grader.cli import EXIT_OK, EXIT_WRONG
from grader.cli.finding import find_problem


@click.command("validate")
@click.argument("problem", type=str)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(problem: str, as_json: bool) -> int:
    """Check that a problem is sound.

    Independent routes agree on every model answer, the problem's own cases hold, variants stay well-posed, a
    misconception can be told from the truth, and every question can be answered in its own vocabulary.
    """
    from grader.decode import ProblemError
    from grader.problems import load_problem
    from grader.soundness import CASES_FILE, find_troubles, load_cases

    folder = find_problem(problem, (Path.cwd(),))
    try:
        loaded = load_problem(folder)
    except ProblemError as trouble:
        if as_json:
            rows = [{"where": f"{m.file}:{m.line}", "message": str(m), "warning": False} for m in trouble.mistakes]
            click.echo(
                json.dumps({"problem": folder.name, "sound": False, "troubles": rows}, ensure_ascii=False, indent=2)
            )
        else:
            click.echo(str(trouble), err=True)
        return EXIT_WRONG
    troubles = find_troubles(loaded)
    sound = all(one.warning for one in troubles)
    if as_json:
        rows = [{"where": one.where, "message": one.message, "warning": one.warning} for one in troubles]
        data = {"problem": loaded.id, "sound": sound, "points": str(loaded.points), "troubles": rows}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return EXIT_OK if sound else EXIT_WRONG
    for one in troubles:
        click.echo(f"{'warning' if one.warning else 'error'}  {one.where}: {one.message}")
    try:
        count = len(load_cases(folder))
    except ProblemError:
        count = 0
    items = len(loaded.items())
    word = "sound" if sound else "not sound"
    click.echo(
        f"{loaded.id} is {word}: {len(loaded.questions)} questions, {items} items, {loaded.points} points, "
        f"{count} rows in {CASES_FILE}"
    )
    return EXIT_OK if sound else EXIT_WRONG
