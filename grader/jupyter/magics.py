"""`%check 1a …` and `%%check 1a` for IPython."""

from __future__ import annotations

from typing import Any

from grader.jupyter.checked import Checked
from grader.jupyter.session import Trouble, check

USAGE = "%check 1a 2*x*exp(x^2)   or, for longer answers, a cell that begins with %%check 1a"


def run(line: str, cell: str | None = None) -> Checked | None:
    """The verdict on what stands behind the label, or below it."""
    label, _, rest = line.strip().partition(" ")
    answer = cell if cell is not None else rest
    if not label or not answer.strip():
        print(USAGE)
        return None
    try:
        return check(label, answer.strip("\n"))
    except Trouble as trouble:
        print(f"check: {trouble}")
        return None


def register(shell: Any) -> None:
    """Make the magics known to an IPython shell."""
    shell.register_magic_function(run, "line_cell", "check")
