"""The marking rule (see `grader.checking.rule`)."""

from __future__ import annotations

from grader.checking.rule import mark

__all__ = ["mark"]
