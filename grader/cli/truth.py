"""`grader truth`: the derived model answers, with the cross-check of every route."""

from __future__ import annotations

import json
from pathlib import Path

import click

from grader.cli import EXIT_OK, EXIT_WRONG
from grader.cli.finding import find_problem


@click.command("truth")
@click.argument("problem", type=str)
@click.option("--question", default="", help="One question only.")
@click.option("--seed", default="", help="The variant of a student.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(problem: str, question: str, seed: str, as_json: bool) -> int:
    """Show the derived model answers and how every independent route to them came out.

    For instructors: nothing of this is ever shown to a student.
    """
    from grader.decode import ProblemError, did_you_mean
    from grader.derived import question_rows, show_rows, sound_row
    from grader.problems import load_problem

    folder = find_problem(problem, (Path.cwd(),))
    try:
        loaded = load_problem(folder).variant(seed)
    except ProblemError as trouble:
        raise click.ClickException(f"The problem's definition is wrong:\n{trouble}") from None
    if loaded.sealed:
        raise click.ClickException(f"{folder} is a student's copy: it checks answers and shows none.")
    ids = [one.id for one in loaded.questions]
    if question and question not in ids:
        raise click.ClickException(f"There is no question {question}; {did_you_mean(question, ids)}")
    rows = [row for one in loaded.questions if question in ("", one.id) for row in question_rows(loaded, one)]
    if as_json:
        click.echo(json.dumps({"problem": loaded.id, "seed": seed, "questions": rows}, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join([f"{loaded.title} ({loaded.id})", *show_rows(rows)]))
    agreed = all(sound_row(row) for row in rows)
    return EXIT_OK if agreed else EXIT_WRONG
