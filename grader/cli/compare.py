"""`grader compare`: are two expressions the same?"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from grader.cli import EXIT_NOTHING, EXIT_OK, EXIT_WRONG

if TYPE_CHECKING:
    from grader.compare.answers import Outcome

FUSE_SECONDS = 0.8  # of computing time for one answer; effort is bounded by counts, this is the last resort
AGAIN_SECONDS = 0.05  # the fuse fires again, should its exception be swallowed where none can be raised
PROGRESS_SECONDS = 2.0
BLANK = "-"


class Fused(Exception):
    """The fuse has blown."""


@click.command(name="compare")
@click.argument("answer", required=False)
@click.argument("truth", required=False)
@click.option(
    "--table",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Compare every line of a JSON-lines file (- for stdin).",
)
@click.option(
    "--symbols",
    "-s",
    multiple=True,
    metavar="NAME=DOMAIN",
    help="Domain or shape of a name: x=nonzero, A='matrix 2x3'.",
)
@click.option(
    "--define", "-d", multiple=True, metavar="NAME=TEXT", help="A name the answer may use: 'sigma(x)=1/(1+exp(-x))'."
)
@click.option("--where", "-w", multiple=True, metavar="CONDITION", help="Narrow the domain: 'x1^2 > x3'.")
@click.option(
    "--format",
    "notation",
    type=click.Choice(["latex", "plain"]),
    help="How the answer is written (default: by its looks).",
)
@click.option("--decimals", type=click.IntRange(1, 50), help="Accept decimals right to that many significant digits.")
@click.option("--json", "as_json", is_flag=True, help="Machine output.")
def command(
    answer: str | None,
    truth: str | None,
    table: str | None,
    symbols: tuple[str, ...],
    define: tuple[str, ...],
    where: tuple[str, ...],
    notation: str | None,
    decimals: int | None,
    as_json: bool,
) -> int:
    """Is ANSWER the same as TRUTH?

    TRUTH is in plain notation, where `*` between matrices is the matrix product.  Exit code 0: the same (or equal
    wherever both are defined), 1: not the same, not readable or not decided, 2: the question itself is not understood.
    """
    if table is not None:
        if answer is not None or symbols or define or where:
            raise click.UsageError("--table takes everything from its rows; leave the other arguments out.")
        return _compare_table(table)
    if answer is None or truth is None:
        raise click.UsageError("Give an ANSWER and a TRUTH, or --table FILE.")
    return _compare_one(answer, truth, symbols, define, where, notation, decimals, as_json)


def _compare_one(
    answer: str,
    truth: str,
    symbols: tuple[str, ...],
    define: tuple[str, ...],
    where: tuple[str, ...],
    notation: str | None,
    decimals: int | None,
    as_json: bool,
) -> int:
    from grader.compare.answers import AuthorError, answer_same, make_task
    from grader.compare.policy import Policy
    from grader.compare.undeclared import declare_free_names

    definitions = dict(_split(text, "--define") for text in define)
    declared = dict(_split(text, "--symbols") for text in symbols)
    try:
        declared = declare_free_names(truth, declared, definitions)
        style: Any = "latex" if "\\" in truth else "plain"
        task = make_task(truth, declared, definitions, where, Policy(decimals=decimals), style)
    except AuthorError as trouble:
        raise click.UsageError(str(trouble)) from None
    chosen: Any = notation or ("latex" if "\\" in answer else "plain")
    outcome = with_fuse(lambda: answer_same(answer, chosen, task))
    if as_json:
        import json

        from grader.compare.table import result_of

        click.echo(
            json.dumps(
                result_of("", outcome) | {"note": outcome.note, "remarks": list(outcome.remarks)}, ensure_ascii=False
            )
        )
    else:
        _print_outcome(answer, outcome)
    return EXIT_OK if outcome.same in ("yes", "partly") else EXIT_WRONG


def _split(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise click.UsageError(f"{option} {text!r}: write NAME=VALUE, for example {option} x=nonzero")
    return name.strip(), value.strip()


def _print_outcome(answer: str, outcome: Outcome) -> None:
    words = {
        "yes": "the same",
        "no": "not the same",
        "partly": "the same wherever both are defined",
        "unknown": "cannot tell",
        "unreadable": "not readable",
    }
    click.echo(words[outcome.same])
    if outcome.read_as:
        click.echo(f"  read as  {outcome.read_as}")
    if outcome.place is not None:
        from grader.notation.unreadable import caret

        click.echo("\n".join(f"  {line}" for line in caret(answer, *outcome.place).splitlines()))
    if outcome.message:
        click.echo(f"  because  {outcome.message}")
    if outcome.witness is not None:
        click.echo(f"  witness  {outcome.witness.text()}")
    for remark in outcome.remarks:
        click.echo(f"  remark   {remark}")


def _compare_table(path: str) -> int:
    from grader.compare.table import compare_lines

    count = 0
    for line in compare_lines(_with_progress(_lines(path)), with_fuse):
        sys.stdout.write(line + "\n")
        count += 1
    sys.stdout.flush()
    return EXIT_OK if count else EXIT_NOTHING


def _lines(path: str) -> Iterator[bytes]:
    try:
        if path == BLANK:
            yield from sys.stdin.buffer
            return
        with Path(path).open("rb") as file:
            yield from file
    except OSError as trouble:
        raise click.UsageError(f"{path} cannot be read: {trouble.strerror}") from None


def _with_progress(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines; every few seconds how far we are, on stderr."""
    last = time.monotonic()
    for number, line in enumerate(lines):
        now = time.monotonic()
        if now - last > PROGRESS_SECONDS:
            click.echo(f"{number} rows compared", err=True)
            last = now
        yield line


def with_fuse(work: Callable[[], Outcome]) -> Outcome:
    """The outcome, or "cannot tell" when computing it takes too long.  Only the main thread has a fuse."""
    from grader.compare.answers import Outcome

    blown = Outcome("unknown", "effort", message="this would take too long to compare", note="effort")
    try:
        before = signal.signal(signal.SIGPROF, _blow)
    except (ValueError, AttributeError):  # not the main thread, or a system without this signal
        return work()
    signal.setitimer(signal.ITIMER_PROF, FUSE_SECONDS, AGAIN_SECONDS)
    try:
        return work()
    except (Fused, RecursionError, MemoryError):
        return blown
    finally:
        _disarm(before)


def _disarm(before: Any) -> None:
    """Put the signal back; a last firing on the way is harmless."""
    while True:
        try:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
            return
        except Fused:
            continue


def _blow(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Fused
