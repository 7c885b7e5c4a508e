"""What a misconception is: a stable note, a hint, and the wrong results it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reference.expression import Expr


@dataclass(frozen=True, slots=True)
class Setting:
    """What a question differentiates: f with respect to `wrt`, and the right result.

    f may be missing where only the result is known; `wrt` holds one array symbol, or several scalar ones whose partial
    derivatives stand side by side in the truth.
    """

    truth: Expr
    f: Expr | None = None
    wrt: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class MalRule:
    """A misconception.  `derive` gives every wrong result it may lead to, most thorough first.

    The note is the same for all variants of a question and is what statistics count; the hint speaks to the learner and
    never contains the answer.
    """

    note: str
    hint: str
    derive: Callable[[Setting], Iterable[Expr]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One wrong result with the misconception behind it."""

    note: str
    hint: str
    result: Expr


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A misconception that gives exactly the student's answer.  `with_note` names the second one of a pair."""

    note: str
    hint: str
    with_note: str = ""
