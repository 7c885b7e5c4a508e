"""`grader proofread`: check a worked solution line by line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import EXIT_NOTHING, EXIT_OK, EXIT_WRONG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.compare.ledger import Ledger
    from grader.compare.proofreading import Judged, Key


@click.command(name="proofread")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--problem",
    type=click.Path(exists=True, path_type=Path),
    help="Folder of the problem, whose definitions are then known.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine output: one object with all links.")
def command(file: Path, problem: Path | None, as_json: bool) -> int:
    """Does every equality sign in FILE (.md, .tex, .ipynb, .txt, a PDF with its source) hold?

    Exit code 0: no link is false, 1: some are, 5: there is no chain of equalities.
    """
    from grader.compare.parts import number_parts
    from grader.compare.proofreading import proofread
    from grader.compare.table import as_line
    from grader.reading import formulas

    questions, ledgers = _known(file, problem) if problem is not None else ({}, {})
    fragments = formulas(file)
    judged = proofread(fragments, number_parts(file, fragments), questions, ledgers)
    if as_json:
        click.echo(as_line({"links": [_as_data(one) for one in judged]}))
    else:
        _print_report(file, judged)
    if not judged:
        return EXIT_NOTHING
    return EXIT_WRONG if any(one.link.holds == "no" for one in judged) else EXIT_OK


def _known(file: Path, folder: Path) -> tuple[Mapping[Key, str], Mapping[str, tuple[Ledger, ...]]]:
    from grader.compare.known import ledgers_of
    from grader.compare.proofreading import key_of
    from grader.decode import ProblemError
    from grader.problems import load_problem
    from grader.reading import read_submission

    try:
        problem = load_problem(folder)
    except ProblemError as trouble:
        raise click.UsageError(str(trouble)) from None
    answers = read_submission(file, problem.labels()).answers
    places = {key_of(f.where): answer.question for answer in answers for f in answer.fragments}
    return places, ledgers_of(problem)


def _as_data(judged: Judged) -> dict[str, object]:
    link = judged.link
    found: dict[str, object] = {
        "line": judged.where.line,
        "left": link.left,
        "right": link.right,
        "holds": link.holds,
        "why": link.why,
    }
    if judged.where.cell is not None:
        found["cell"] = judged.where.cell
    if link.slip is not None:
        found["slip"] = link.slip
    return found


def _print_report(file: Path, judged: Sequence[Judged]) -> None:
    from grader.notation.unreadable import caret

    counts = {kind: sum(one.link.holds == kind for one in judged) for kind in ("yes", "no", "unknown")}
    slips = len({one.link.slip for one in judged if one.link.slip is not None})
    for one in judged:
        if one.link.holds != "no":
            continue
        cell = f"cell {one.where.cell}, " if one.where.cell is not None else ""
        click.echo(f"{file.name}:{cell}{one.where.line}: {one.link.left} = {one.link.right}")
        for line in caret(one.text, one.link.start, one.link.end).splitlines():
            click.echo(f"    {line}")
        click.echo(f"    {one.link.why}")
    if not judged:
        click.echo("There is no chain of equalities here.")
        return
    summary = f"{counts['yes']} hold, {counts['no']} do not, {counts['unknown']} cannot be told"
    click.echo(f"{summary} ({slips} slip{'' if slips == 1 else 's'})" if slips else summary)
