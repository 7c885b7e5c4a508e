"""The command line.  One module per command; a command's module is imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Any, NoReturn

import click

# Exit codes, the same everywhere (docs/commands.md).
EXIT_OK = 0
EXIT_WRONG = 1
EXIT_USAGE = 2
EXIT_INTERNAL = 3
EXIT_NOTHING = 5

# command -> one line of help.  Its module is grader.cli.<command>, which defines a click command named `command`.
COMMANDS = {
    "check": "Check your own answers, offline.",
    "batch": "Grade a class.",
    "regrade": "Grade again after a fix and show who changes.",
    "truth": "Show the derived model answers with the cross-check of every route.",
    "validate": "Check that a problem is sound.",
    "compare": "Are two expressions the same?",
    "proofread": "Check a worked solution line by line.",
    "handout": "Make what students get.",
    "ci": "Grade a push.",
    "new": "Start a problem.",
    "doctor": "Show what this machine can isolate.",
    "pack": "Embed the source of an answer in its PDF.",
    "export": "Write files for an LMS.",
    "gradescope": "Make a Gradescope autograder bundle.",
    "audit": "Compare CI's claims with our own run.",
    "report": "Write the class report again from the journal.",
    "serve": "Open the review pages.",
}


class LazyGroup(click.Group):
    """Lists every command from the table and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"grader.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"  Did you mean `{near[0]}`?" if near else "  `grader --help` lists the commands."
            ctx.fail(f"There is no command `{name}`.{hint}")
        return super().resolve_command(ctx, args)


def print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import version

        click.echo(f"grader {version('gradient-grader')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=print_version)
def cli() -> None:
    """Grade and verify the mathematics of deep learning."""


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line; an error of ours is exit code 3 with one line, a usage error 2."""
    try:
        result: Any = cli.main(args=argv, prog_name="grader", standalone_mode=False)
        sys.exit(result if isinstance(result, int) else EXIT_OK)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as problem:
        problem.show()
        sys.exit(EXIT_USAGE)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(EXIT_OK)
    except Exception as trouble:  # noqa: BLE001 - our own trouble, told in one line; nobody reads a traceback
        _tell_internal(trouble)
        sys.exit(EXIT_INTERNAL)


def _tell_internal(trouble: Exception) -> None:
    import os
    import traceback

    if os.environ.get("GRADER_DEBUG"):
        traceback.print_exception(trouble)
    place = traceback.extract_tb(trouble.__traceback__)[-1]
    where = f"{os.path.basename(place.filename)}:{place.lineno}"  # noqa: PTH119 - a name for people
    click.echo(f"Error: the program itself failed ({type(trouble).__name__}: {trouble}; {where}).", err=True)
    click.echo("Nothing was changed by this.  Please report it, with what GRADER_DEBUG=1 prints.", err=True)
