"""Grading and verification of the mathematics of deep learning.

`from grader import check` and `%load_ext grader` are for notebooks; nothing is imported before they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.jupyter import check as check

__all__ = ["check"]


def __getattr__(name: str) -> Any:
    if name == "check":
        from grader.jupyter import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext grader`: the magics `%check` and `%%check`."""
    from grader.jupyter.magics import register

    register(shell)
