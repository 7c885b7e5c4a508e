"""Findings of an item, one short function per verdict."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from grader.kinds.plan import Item
from grader.model import Evidence, Finding, Place, Verdict

ZERO, ONE = Fraction(0), Fraction(1)


def right(item: Item, note: str = "", message: str = "", **more: Any) -> Finding:
    return Finding(item.id, Verdict.CORRECT, ONE, item.points, note, message, **more)


def carried(item: Item, note: str = "carried", message: str = "", **more: Any) -> Finding:
    said = message or "Right with what you had before; the earlier error is not counted again."
    return Finding(item.id, Verdict.CARRIED, ONE, item.points, note, said, **more)


def wrong(item: Item, note: str, message: str, credit: Fraction = ZERO, **more: Any) -> Finding:
    return Finding(item.id, Verdict.INCORRECT, credit, item.points, note, message, **more)


def blank(item: Item) -> Finding:
    return Finding(item.id, Verdict.BLANK, ZERO, item.points, "blank", "There is no answer to this.")


def unreadable(item: Item, message: str, note: str = "unreadable", **more: Any) -> Finding:
    return Finding(item.id, Verdict.UNREADABLE, ZERO, item.points, note, message, **more)


def undecided(item: Item, note: str, message: str, **more: Any) -> Finding:
    return Finding(item.id, Verdict.UNDECIDED, ZERO, item.points, note, message, **more)


def internal(item: Item, detail: str, where: Place | None = None) -> Finding:
    """Our own trouble: it costs nothing and a person looks."""
    evidence = (Evidence("internal", detail, "instructor"),)
    message = "The program could not mark this; a person will."
    return Finding(item.id, Verdict.UNDECIDED, ZERO, item.points, "internal", message, evidence=evidence, where=where)
