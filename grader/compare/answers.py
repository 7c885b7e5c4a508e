"""An answer as it was typed against a truth: read, elaborated, compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from grader.compare.conditions import Condition, Relation
from grader.compare.evidence import Sameness, Witness
from grader.compare.intermediates import candidates
from grader.compare.policy import EXACT, Policy
from grader.compare.sizes import Case, Sizes, make_cases, same_in_cases
from grader.model import Notation
from grader.notation.elaborate import elaborate
from grader.notation.reading import Reading, read, read_all
from grader.notation.syntax import Syntax
from grader.notation.unreadable import Misread, Unreadable
from grader.notation.vocabulary import Vocabulary, build_vocabulary
from reference.expression import Expr
from reference.shapes import ShapeError

UNKNOWN_NAME = re.compile(r"`([^`]+)` is not a variable of this question")
Same = Literal["yes", "no", "partly", "unknown", "unreadable"]
RELATIONS: tuple[tuple[str, Relation], ...] = (
    (">=", ">="),
    ("<=", "<="),
    ("!=", "!="),
    ("≥", ">="),
    ("≤", "<="),
    ("≠", "!="),
    (">", ">"),
    ("<", "<"),
)
ORDER: tuple[Same, ...] = ("yes", "partly", "unknown", "no", "unreadable")


class AuthorError(ValueError):
    """What the question says (its truth, its symbols, its conditions) is not understood.  The message says what."""


@dataclass(frozen=True, slots=True)
class Task:
    """What answers are compared with, prepared once and used for many."""

    vocabulary: Vocabulary
    cases: tuple[Case, ...]
    policy: Policy = EXACT


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an answer.  `place` is where it could not be read; `sameness` is missing where it was not."""

    same: Same
    how: str
    read_as: str = ""
    message: str = ""
    witness: Witness | None = None
    note: str = ""
    remarks: tuple[str, ...] = ()
    place: tuple[int, int] | None = None
    sameness: Sameness | None = field(default=None, repr=False)


def make_task(
    truth: str,
    symbols: Mapping[str, str],
    definitions: Mapping[str, str] | None = None,
    where: tuple[str, ...] = (),
    policy: Policy = EXACT,
    notation: Notation = "plain",
) -> Task:
    """A task from plain tables.  Raises AuthorError naming what is not understood."""
    try:
        vocabulary = build_vocabulary(dict(symbols), dict(definitions or {}))
    except ValueError as error:
        raise AuthorError(str(error)) from None
    return task_of(truth, vocabulary, where, policy, notation)


def task_of(
    truth: str,
    vocabulary: Vocabulary,
    where: tuple[str, ...] = (),
    policy: Policy = EXACT,
    notation: Notation = "plain",
) -> Task:
    """The same with a vocabulary at hand."""

    def build(sizes: Sizes) -> Expr:
        return read_truth(truth, vocabulary, sizes, notation)

    def conditions(sizes: Sizes) -> tuple[Condition, ...]:
        return tuple(read_condition(text, vocabulary, sizes) for text in where)

    return Task(vocabulary, make_cases(build, vocabulary.symbols, conditions), policy)


def read_truth(text: str, vocabulary: Vocabulary, sizes: Sizes, notation: Notation = "plain") -> Expr:
    """An author's formula.  Raises AuthorError with the reason."""
    reading = read(text, notation, vocabulary)
    if isinstance(reading, Unreadable):
        raise AuthorError(f"`{text}` cannot be read: {reading.sentence}")
    try:
        return elaborate(reading.answer, vocabulary, sizes)[0]
    except Misread as trouble:
        raise AuthorError(f"`{text}` cannot be read: {trouble.message} {trouble.suggestion}".rstrip()) from None
    except ShapeError as trouble:
        raise AuthorError(f"the shapes in `{text}` do not conform: {trouble.message}") from None


def read_condition(text: str, vocabulary: Vocabulary, sizes: Sizes) -> Condition:
    """`x1^2 > x3`.  Raises AuthorError."""
    for sign, relation in RELATIONS:
        if sign in text:
            left, _, right = text.partition(sign)
            try:
                return Condition(read_truth(left, vocabulary, sizes) - read_truth(right, vocabulary, sizes), relation)
            except ShapeError as trouble:
                raise AuthorError(f"the sides of `{text}` do not conform: {trouble.message}") from None
    raise AuthorError(f"`{text}` is no condition; write for example 'x1^2 > x3'")


def answer_same(answer: str, notation: Notation, task: Task) -> Outcome:
    """What an answer is worth.  Any of its readings being right is right, and said.  Never raises for an answer."""
    found = _compared(answer, notation, task)
    unknown = UNKNOWN_NAME.match(found.message) if found.note == "names.unknown" else None
    if unknown is None:
        return found
    return _with_intermediate(answer, notation, task, unknown[1]) or found


def _with_intermediate(answer: str, notation: Notation, task: Task, name: str) -> Outcome | None:
    """The answer with an undeclared name standing for an intermediate of the truth; None if that is not right."""
    for meaning in candidates(task.cases[0].truth):
        definitions = {**task.vocabulary.definitions, name: meaning}
        found = _compared(answer, notation, replace(task, vocabulary=replace(task.vocabulary, definitions=definitions)))
        if found.same == "yes":
            remark = f"`{name}` was taken for {meaning}, which the question does not name"
            return replace(found, how="intermediate", remarks=(*found.remarks, remark))
    return None


def _compared(answer: str, notation: Notation, task: Task) -> Outcome:
    """The answer in the question's own names."""
    reading = read(answer, notation, task.vocabulary)
    if isinstance(reading, Unreadable):
        return _unreadable(reading)

    syntax = reading.answer

    def build(sizes: Sizes) -> tuple[Expr, ...]:
        return elaborate(syntax, task.vocabulary, sizes)

    try:
        found, chosen = same_in_cases(task.cases, build, task.policy)
    except Misread as trouble:
        return _not_understood(trouble, answer, reading)
    remarks = reading.remarks
    if found.verdict == "no" and found.how == "shape":
        found, reading, remarks = _put_together(answer, notation, task, found, reading)
    if chosen:
        remarks = (*remarks, "the answer can be read in more than one way; one of them was taken")
    return Outcome(
        found.verdict,
        found.how,
        reading.read_as,
        found.message,
        found.witness,
        found.note,
        remarks,
        None,
        found,
    )


def _put_together(
    answer: str, notation: Notation, task: Task, found: Sameness, reading: Reading
) -> tuple[Sameness, Reading, tuple[str, ...]]:
    """`∂f/∂a = …, ∂f/∂b = …` as one vector, where that is the right one; else what was found before."""
    together = components(read_all(answer, notation, task.vocabulary), task.vocabulary)
    if together is None:
        return found, reading, reading.remarks
    whole = replace(reading, chain=(together,), start=together.start)
    try:
        again, _ = same_in_cases(task.cases, lambda sizes: elaborate(together, task.vocabulary, sizes), task.policy)
    except Misread:
        return found, reading, reading.remarks
    return again, whole, (*reading.remarks, "the parts were put together to one vector")


def components(statements: Sequence[Reading | Unreadable], vocabulary: Vocabulary) -> Syntax | None:
    """The entries of a vector given one by one, in the order of the names they belong to; None where they are not."""
    names: dict[str, Syntax] = {}
    wholes: set[str] = set()
    for one in statements:
        if isinstance(one, Unreadable) or one.target is None:
            return None
        target = one.target
        if target.kind == "derivative" and len(target.wrt) == 1 and target.order == 1:
            name, whole = target.wrt[0], f"d{target.name}"
        elif target.kind == "name" and "_" in target.name:
            name, whole = target.name, target.name.partition("_")[0]
        else:
            return None
        if name in names or target.indices:
            return None
        names[name] = one.answer
        wholes.add(whole)
    if len(names) < 2 or len(wholes) > 1:
        return None
    places = {name: k for k, name in enumerate(vocabulary.declared)}
    ordered = sorted(names, key=lambda name: places.get(name, len(places)))
    entries = tuple(names[name] for name in ordered)
    return Syntax("tuple", min(e.start for e in entries), max(e.end for e in entries), entries)


def _not_understood(trouble: Misread, answer: str, reading: Reading) -> Outcome:
    """A formula that was read, but has no value.  One with a name nobody explained cannot be judged: that is doubt."""
    value = trouble.as_value(len(answer))
    if not UNKNOWN_NAME.match(trouble.message):
        return _unreadable(value, reading.read_as)
    return Outcome(
        "unknown",
        "names",
        reading.read_as,
        value.sentence,
        note="names.unknown",
        remarks=reading.remarks,
        place=(value.start, value.end),
    )


def _unreadable(trouble: Unreadable, read_as: str = "") -> Outcome:
    return Outcome(
        "unreadable",
        "unreadable",
        read_as,
        message=trouble.sentence,
        note="unreadable",
        place=(trouble.start, trouble.end),
    )
