"""Self-checks inside a notebook: `check("1a", r"…")`, `%check 1a …`."""

from __future__ import annotations

from grader.jupyter.session import check

__all__ = ["check"]
