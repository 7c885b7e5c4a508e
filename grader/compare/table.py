"""Many comparisons at once: lines of JSON in, lines of JSON out, in the same order.  No row stops a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from grader.compare.answers import AuthorError, Outcome, Task, answer_same, make_task
from grader.model import Notation

FORMATS = ("latex", "plain")
MAX_LINE = 2_000_000  # characters of one row
CACHED_TASKS = 256
Fuse = Callable[[Callable[[], Outcome]], Outcome]


class RowError(ValueError):
    """A row of the table is malformed; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison asked for."""

    id: str | int | float | None
    answer: str
    truth: str
    format: Notation
    symbols: tuple[tuple[str, str], ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()
    where: tuple[str, ...] = ()


def compare_lines(lines: Iterable[str | bytes], fuse: Fuse) -> Iterator[str]:
    """One line of JSON for each line that is not blank."""
    for line in lines:
        if line.strip():
            yield as_line(compare_line(line, fuse))


def as_line(result: Mapping[str, Any]) -> str:
    """JSON that any output can take: broken characters are spelt out, since no encoding holds them."""
    text = json.dumps(result, ensure_ascii=False)
    broken = any("\ud800" <= character <= "\udfff" for character in text)
    return json.dumps(result) if broken else text


def compare_line(line: str | bytes, fuse: Fuse) -> dict[str, Any]:
    """The result for one row, whatever the row is."""
    known: dict[str, Any] = {}
    try:
        row = parse_row(line, known)
        task = _task(row.truth, row.symbols, row.definitions, row.where)
        outcome = fuse(lambda: answer_same(row.answer, row.format, task))
    except (RowError, AuthorError) as trouble:
        return result_of(known.get("id"), Outcome("unreadable", f"row: {trouble}"))
    return result_of(row.id, outcome)


@lru_cache(maxsize=CACHED_TASKS)
def _task(
    truth: str,
    symbols: tuple[tuple[str, str], ...],
    definitions: tuple[tuple[str, str], ...],
    where: tuple[str, ...],
) -> Task:
    return make_task(truth, dict(symbols), dict(definitions), where, notation="latex" if "\\" in truth else "plain")


def result_of(name: object, outcome: Outcome) -> dict[str, Any]:
    how = outcome.how
    if outcome.same == "unreadable" and outcome.message:
        how = outcome.message
    elif outcome.same in ("no", "unknown", "partly") and outcome.message:
        how = f"{outcome.how}: {outcome.message}"
    return {
        "id": name,
        "same": outcome.same,
        "how": how,
        "read_as": outcome.read_as,
        "witness": None if outcome.witness is None else outcome.witness.text(),
    }


def parse_row(line: str | bytes, known: dict[str, Any] | None = None) -> Row:
    """A row from its text.  `known` receives the id as soon as it is there.  Raises RowError."""
    text = _decoded(line)
    if len(text) > MAX_LINE:
        raise RowError(f"the line is longer than {MAX_LINE} characters")
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as trouble:
        raise RowError(f"this is not JSON ({_reason(trouble)})") from None
    if not isinstance(data, dict):
        raise RowError("a row is an object with id, answer, truth, format, symbols, definitions")
    name = data.get("id")
    if name is not None and (isinstance(name, bool) or not isinstance(name, str | int | float)):
        raise RowError("`id` has to be a text or a number")
    if known is not None:
        known["id"] = name
    missing = [key for key in ("answer", "truth") if key not in data]
    if missing:
        raise RowError(f"the key `{'` and `'.join(missing)}` is missing")
    answer, truth = (_text(data, key) for key in ("answer", "truth"))
    notation = data.get("format", "latex" if "\\" in answer else "plain")
    if notation not in FORMATS:
        raise RowError(f"`format` is {notation!r}; it has to be latex or plain")
    return Row(
        name,
        answer,
        truth,
        cast(Notation, notation),
        _pairs(data, "symbols"),
        _pairs(data, "definitions"),
        _texts(data, "where"),
    )


def _decoded(line: str | bytes) -> str:
    if isinstance(line, str):
        return line
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as trouble:
        raise RowError(f"the line is not UTF-8 (byte {trouble.start + 1})") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _reason(trouble: Exception) -> str:
    if isinstance(trouble, json.JSONDecodeError):
        return f"column {trouble.colno}: {trouble.msg}"
    return "nested too deeply" if isinstance(trouble, RecursionError) else str(trouble)[:200]


def _text(data: Mapping[str, Any], key: str) -> str:
    if not isinstance(data[key], str):
        raise RowError(f"`{key}` has to be a text, not {_kind(data[key])}")
    return cast(str, data[key])


def _pairs(data: Mapping[str, Any], key: str) -> tuple[tuple[str, str], ...]:
    found = data.get(key)
    if found is None:
        return ()
    if not isinstance(found, dict):
        raise RowError(f"`{key}` has to be an object of name: text, not {_kind(found)}")
    for name, value in found.items():
        if not isinstance(value, str):
            raise RowError(f"`{key}.{name}` has to be a text, not {_kind(value)}")
    return tuple(found.items())


def _texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = data.get(key)
    if found is None:
        return ()
    if isinstance(found, str):
        return (found,)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise RowError(f"`{key}` has to be a list of texts")
    return tuple(found)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", str: "a text", type(None): "null"}
    return names.get(type(value), "a number")
