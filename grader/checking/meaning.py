"""What a matched answer is worth as an expression: every reading of it, at every choice of sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grader.kinds.plan import Item, Plan, Truth
from grader.matching.statements import Fit, Matched, Statement, Unread
from grader.notation import Reading, elaborate
from grader.notation.unreadable import Misread
from reference import expression as E
from reference.expression import Expr, ShapeError, substitute, symbols

MAX_READINGS = 8


@dataclass(frozen=True)
class Meaning:
    """`readings[r][t]`: reading r at the sizes of truth t.  `shape_trouble`: read, but the shapes do not conform."""

    readings: tuple[tuple[Expr, ...], ...] = ()
    shape_trouble: str = ""
    missing: tuple[str, ...] = ()  # entries of the result that were not written down
    open_names: tuple[str, ...] = ()  # steps named in the answer whose values were never written down
    copied: bool = False  # it is the definition of the step, as the question states it


Own = Sequence[Mapping[str, Expr]]


def make_sense(plan: Plan, item: Item, answer: Matched, values: Own, own: Own) -> Meaning | Unread:
    """The answer as expressions over what is free.  Names of steps stand for the student's own values of them."""
    if answer.final is not None:
        meaning = _whole(plan, answer.final, values, own)
        return _with_open_names(plan, item, answer.final, meaning, own)
    return _assembled(plan, item, answer.entries, values, own)


def _with_open_names(
    plan: Plan, item: Item, statement: Statement, meaning: Meaning | Unread, own: Own
) -> Meaning | Unread:
    """Does the answer rest on steps whose values nobody has seen?  Then nothing has been worked out yet."""
    if isinstance(meaning, Unread) or not meaning.readings or not isinstance(statement.reading, Reading):
        return meaning
    if symbols([plan.truths[0].value(item.step)]):  # a formula is asked: names of other steps belong to it
        return meaning
    truth, vocabulary = plan.truths[0], statement.vocabulary or plan.vocabulary
    assert vocabulary is not None
    typed = elaborate(statement.reading.chain[-1], vocabulary, truth.sizes)
    known = {aim.name for aim in plan.given} | set(truth.domain.symbols) | set(own[0])
    names = {one.name for one in symbols(typed)} & set(truth.derivation.names) - known
    copied = item.step in truth.derivation and truth.derivation[item.step].expr in typed
    return replace(meaning, open_names=tuple(sorted(names)), copied=copied and bool(names))


def _whole(plan: Plan, statement: Statement, values: Own, own: Own) -> Meaning | Unread:
    if not isinstance(statement.reading, Reading):
        return statement.reading
    per_truth: list[tuple[Expr, ...]] = []
    for number, truth in enumerate(plan.truths):
        found = _at_sizes(plan, truth, statement, values[number], own[number])
        if isinstance(found, Unread | str):
            return found if isinstance(found, Unread) else Meaning(shape_trouble=found)
        per_truth.append(found)
    count = min(len(readings) for readings in per_truth)
    return Meaning(tuple(tuple(readings[i] for readings in per_truth) for i in range(min(count, MAX_READINGS))))


def _at_sizes(
    plan: Plan,
    truth: Truth,
    statement: Statement,
    values: Mapping[str, Expr],
    own: Mapping[str, Expr],
) -> tuple[Expr, ...] | Unread | str:
    """Every reading at one choice of sizes; trouble with shapes is a sentence."""
    reading, vocabulary = statement.reading, statement.vocabulary
    assert plan.vocabulary is not None
    assert isinstance(reading, Reading)
    try:
        found = elaborate(reading.chain[-1], vocabulary or plan.vocabulary, truth.sizes)
        return tuple(_with_steps(one, truth, values, own) for one in found)
    except Misread as trouble:
        return Unread(trouble.message, trouble.start, trouble.end, trouble.suggestion)
    except ShapeError as trouble:
        return str(trouble)


def _with_steps(expr: Expr, truth: Truth, values: Mapping[str, Expr], own: Mapping[str, Expr]) -> Expr:
    """Names of steps replaced: the student's own value if there is one, else the true one."""
    names = {one.name for one in symbols([expr])} - set(truth.domain.symbols)
    known = {name: own.get(name, values[name]) for name in names if name in values}
    return substitute(expr, known) if known else expr


def _assembled(
    plan: Plan, item: Item, entries: Sequence[tuple[Fit, Statement]], values: Own, own: Own
) -> Meaning | Unread:
    """A result given entry by entry (or column by column) put together; the last statement of an entry counts."""
    chosen: dict[Fit, Statement] = {}
    for fit, statement in entries:
        if fit not in chosen or isinstance(statement.reading, Reading):
            chosen[fit] = statement
    results: list[Expr] = []
    missing: list[str] = []
    for number, truth in enumerate(plan.truths):
        shape = values[number][item.step].shape
        cells: dict[tuple[int, ...], Expr] = {}
        for fit, statement in chosen.items():
            if isinstance(statement.reading, Unread):
                return statement.reading
            found = _at_sizes(plan, truth, statement, values[number], own[number])
            if isinstance(found, Unread):
                return found
            if isinstance(found, str):
                return Meaning(shape_trouble=found)
            trouble = _put(cells, fit, found[0], shape)
            if trouble:
                return Meaning(shape_trouble=trouble)
        absent = [key for key in _keys(shape) if key not in cells]
        missing = [",".join(map(str, key)) for key in absent]
        for key in absent:  # what is not there is not wrong: it is judged as missing, not as an error
            cells[key] = E.index(values[number][item.step], tuple(k - 1 for k in key))
        results.append(_stacked(cells, shape))
    return Meaning((tuple(results),), missing=tuple(missing))


def _keys(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    if len(shape) == 1:
        return [(i + 1,) for i in range(shape[0])]
    if len(shape) == 2:
        return [(i + 1, j + 1) for i in range(shape[0]) for j in range(shape[1])]
    return []


def _put(cells: dict[tuple[int, ...], Expr], fit: Fit, value: Expr, shape: tuple[int, ...]) -> str:
    """File one entry, row or column under its places; a sentence if it does not fit."""
    keys = _keys(shape)
    wanted: list[tuple[int, ...]]
    if fit.column and len(shape) == 1:
        wanted = [(fit.column,)]
    elif fit.column:
        wanted = [(i + 1, fit.column) for i in range(shape[0])]
    elif len(shape) == 2 and len(fit.entry) == 1:
        wanted = [(fit.entry[0], j + 1) for j in range(shape[1])]
    else:
        wanted = [fit.entry]
    if any(key not in keys for key in wanted):
        return f"there is no entry {','.join(map(str, fit.entry or (fit.column,)))} in the result"
    if len(wanted) == 1:
        parts = [value if not value.shape else E.index(value, (0,) * len(value.shape))]
    else:
        flat = E.reshape(value, (_entries(value.shape),))
        parts = [flat[i] for i in range(flat.shape[0])]
    if len(parts) != len(wanted) or (len(wanted) == 1 and _entries(value.shape) != 1):
        return "an entry of the result has the wrong size"
    cells.update(zip(wanted, parts, strict=True))
    return ""


def _entries(shape: tuple[int, ...]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _stacked(cells: Mapping[tuple[int, ...], Expr], shape: tuple[int, ...]) -> Expr:
    if len(shape) == 1:
        return E.stack([cells[i + 1,] for i in range(shape[0])])
    return E.matrix([[cells[i + 1, j + 1] for j in range(shape[1])] for i in range(shape[0])])
