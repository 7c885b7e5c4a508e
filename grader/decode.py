"""Plain data (TOML, JSON) to frozen dataclasses by their type hints, with every mistake at once.

A mistake says where (file, line, key path), what, and how to mend it.  Nothing here runs what it reads.
"""

from __future__ import annotations

import base64
import dataclasses
import difflib
import itertools
import json
import tomllib
import types
import typing
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from grader.toml_places import backslash_strings, locate_keys

T = TypeVar("T")
Key = tuple[str | int, ...]

LITERAL_ADVICE = "write mathematics in single quotes, which keep backslashes: '\\frac{1}{2}'"
MAX_SEALED = 4 * 2**20  # bytes of a student's copy once opened


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing an author has to mend.  `line` counts from 1; 0 when no line is known."""

    message: str
    key: str = ""
    file: str = ""
    line: int = 0
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        message, *below = self.message.splitlines() or [""]
        head = ": ".join(part for part in (place, self.key, message) if part)
        first = f"{head}  ({self.suggestion})" if self.suggestion else head
        return "\n".join([first, *(f"    {line}" for line in below)])


class ProblemError(Exception):
    """A problem's definition is wrong; carries every mistake found, in file order."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda one: (one.file, one.line)))
        super().__init__("\n".join(str(one) for one in self.mistakes))


@dataclass(slots=True)
class Source:
    """A file under decoding: where its keys stand, and the mistakes found so far."""

    file: str = ""
    lines: Mapping[Key, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def line_of(self, key: Key) -> int:
        """The line of a key, or of the nearest table around it; 0 if nothing is known."""
        while key:
            if key in self.lines:
                return self.lines[key]
            key = key[:-1]
        return 0

    def report(self, key: Key, message: str, suggestion: str = "") -> None:
        self.mistakes.append(Mistake(message, show_key(key), self.file, self.line_of(key), suggestion))

    def refuse(self) -> None:
        """Raise what was found, if anything was.  Raises ProblemError."""
        if self.mistakes:
            raise ProblemError(self.mistakes)


def show_key(key: Key) -> str:
    """`("question", 2, "part", 0)` as `question[3].part[1]`: people count from one."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text


def did_you_mean(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """A suggestion for a misspelt word, or the list of what is known."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return "known: " + ", ".join(sorted(known)) if known else ""


def read_toml(path: Path) -> tuple[dict[str, Any], Source]:
    """A TOML file's data and the places of its keys.

    Text that is no TOML, is not UTF-8, or cannot be opened raises ProblemError; a backslash in a basic string is
    recorded as a mistake on the returned Source, so that it is reported together with the others.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as trouble:
        raise ProblemError(
            [Mistake("the file is not UTF-8 text", file=str(path), suggestion=f"save it as UTF-8 ({trouble.reason})")]
        ) from None
    except OSError as trouble:
        raise ProblemError([Mistake(f"cannot be read: {trouble.strerror}", file=str(path))]) from None
    source = Source(str(path), locate_keys(text))
    for line, excerpt in backslash_strings(text):
        source.mistakes.append(
            Mistake(f"a backslash inside double quotes ({excerpt})", "", str(path), line, LITERAL_ADVICE)
        )
    try:
        return tomllib.loads(text), source
    except tomllib.TOMLDecodeError as trouble:
        line = _line_in(str(trouble))
        if not any(one.line == line for one in source.mistakes):
            line = line or _line_of_open_quote(text)
            source.mistakes.append(Mistake(f"not TOML: {trouble}", "", str(path), line, _toml_advice(str(trouble))))
        raise ProblemError(source.mistakes) from None


TOML_ADVICE = (
    ("Illegal character '\\n'", "a quote is missing at the end of the line"),
    ("Expected \"'", "a quote is missing at the end"),
    ("Unterminated string", "a quote is missing at the end"),
    ("Invalid value", "text stands in single quotes, 'x^2'; a list ends with ]"),
    ("Expected '='", "write key = value"),
    ("Cannot overwrite a value", "the key stands twice"),
    ("Cannot declare", "the table stands twice; several questions are [[question]]"),
    ("Unclosed array", "a comma or a bracket ] is missing"),
    ("Expected ']'", "a bracket ] is missing"),
    ("Unclosed inline table", "a brace } is missing, or the table goes over several lines"),
    ("Expected newline or end of document", "one key a line; text stands in quotes"),
)


def _toml_advice(trouble: str) -> str:
    return next((advice for words, advice in TOML_ADVICE if trouble.startswith(words)), "")


def _line_of_open_quote(text: str) -> int:
    """The first line with an odd number of single quotes; 0 if there is none, or where texts go over several lines."""
    if "'''" in text:
        return 0
    odd = (number for number, line in enumerate(text.splitlines(), start=1) if line.split("#")[0].count("'") % 2)
    return next(odd, 0)


def seal(definitions: str, drawn: Mapping[str, Mapping[str, str]]) -> str:
    """A TOML text and drawn parameters (question → name → value) as one word that nobody reads by accident.

    No secret: the definition of one question can be the answer of another, so it must not lie there to be read.
    """
    content = json.dumps({"definitions": definitions, "drawn": drawn}, ensure_ascii=False, sort_keys=True)
    return base64.b85encode(zlib.compress(content.encode(), 9)).decode("ascii")


def unseal(word: object) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """What `seal` was given, the TOML as data.  Raises ValueError for anything else, bounded in size."""
    if not isinstance(word, str):
        raise ValueError("it is no text")
    try:
        opener = zlib.decompressobj()
        content = json.loads(opener.decompress(base64.b85decode(word), MAX_SEALED))
        definitions, drawn = tomllib.loads(content["definitions"]), content["drawn"]
    except (ValueError, zlib.error, KeyError, TypeError, RecursionError, AttributeError):
        raise ValueError("it cannot be opened") from None
    if not isinstance(drawn, dict) or not all(isinstance(one, dict) for one in drawn.values()):
        raise ValueError("it cannot be opened")
    return definitions, drawn


def decode(cls: type[T], data: Any, source: Source, key: Key = ()) -> T | None:
    """An instance of the dataclass `cls` from a table; None after mistakes, which are recorded on `source`."""
    before = len(source.mistakes)
    value = _decode_dataclass(cls, data, source, key)
    return None if len(source.mistakes) > before else typing.cast(T, value)


def decode_json(cls: type[T], data: Any, file: str = "") -> T:
    """As `decode`, for data that has no lines.  Raises ProblemError with every mistake."""
    source = Source(file)
    value = decode(cls, data, source)
    source.refuse()
    assert value is not None
    return value


def fields_of(cls: type[Any]) -> tuple[str, ...]:
    """The keys a table for this dataclass may have."""
    return tuple(one.name for one in dataclasses.fields(cls) if one.init)


def _line_in(message: str) -> int:
    words = message.replace(",", " ").split()
    for word, following in itertools.pairwise(words):
        if word == "line" and following.isdigit():
            return int(following)
    return 0


def _decode_dataclass(cls: type[Any], data: Any, source: Source, key: Key) -> Any:
    if not isinstance(data, Mapping):
        source.report(key, f"expected a table, found {_describe(data)}")
        return None
    hints = typing.get_type_hints(cls)
    known = {one.name: one for one in dataclasses.fields(cls) if one.init}
    for name in data:
        if name not in known:
            source.report((*key, name), f"unknown key `{name}`", did_you_mean(str(name), known))
    values: dict[str, Any] = {}
    before = len(source.mistakes)
    for name, one in known.items():
        if name in data:
            values[name] = decode_value(hints[name], data[name], source, (*key, name))
        elif one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING:
            source.report(key, f"the key `{name}` is missing")
    if len(source.mistakes) > before:  # what __post_init__ would say of wrong values leads astray
        return None
    try:
        return cls(**values)
    except ValueError as trouble:  # a dataclass may refuse a combination in __post_init__
        source.report(key, str(trouble))
        return None


def decode_value(hint: Any, data: Any, source: Source, key: Key) -> Any:
    """One value by its type hint; a value of the wrong type is recorded and gives None."""
    origin = typing.get_origin(hint)
    if hint is Any:
        return data
    if origin in (Union, types.UnionType):
        return _decode_union(hint, data, source, key)
    if origin is Literal:
        return _decode_choice(typing.get_args(hint), data, source, key)
    if origin is tuple:
        return _decode_tuple(typing.get_args(hint), data, source, key)
    if origin in (dict, Mapping):
        return _decode_mapping(typing.get_args(hint)[1], data, source, key)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _decode_dataclass(hint, data, source, key)
    if hint is Fraction:
        return _decode_fraction(data, source, key)
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if isinstance(hint, type) and isinstance(data, hint) and not (hint is int and isinstance(data, bool)):
        return data
    source.report(key, f"expected {_name(hint)}, found {_describe(data)}", _how_to_write(hint, data))
    return None


def _decode_union(hint: Any, data: Any, source: Source, key: Key) -> Any:
    """The first member that takes the value; if none does, the complaint of the member that came nearest."""
    members = [one for one in typing.get_args(hint) if one is not types.NoneType]
    if data is None and len(members) < len(typing.get_args(hint)):
        return None
    complaints: list[list[Mistake]] = []
    for member in members:
        trial = Source(source.file, source.lines)
        value = decode_value(member, data, trial, key)
        if not trial.mistakes:
            return value
        complaints.append(trial.mistakes)
    wanted = " or ".join(_name(member) for member in members)
    fitting = [found for found in complaints if not found[0].message.startswith("expected")]
    if fitting:
        source.mistakes.extend(fitting[0])
    elif len(members) == 1:
        source.mistakes.extend(complaints[0])
    else:
        source.report(key, f"expected {wanted}, found {_describe(data)}")
    return None


def _decode_choice(choices: tuple[Any, ...], data: Any, source: Source, key: Key) -> Any:
    if data in choices and not (isinstance(data, bool) and data not in (True, False)):
        return data
    source.report(key, f"`{data}` is no choice here", did_you_mean(str(data), [str(one) for one in choices]))
    return None


def _decode_tuple(args: tuple[Any, ...], data: Any, source: Source, key: Key) -> Any:
    if not isinstance(data, list | tuple):
        source.report(key, f"expected a list, found {_describe(data)}", f"write [{data!r}]")
        return None
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(decode_value(args[0], one, source, (*key, i)) for i, one in enumerate(data))
    if len(args) != len(data):
        source.report(key, f"expected {len(args)} entries, found {len(data)}")
        return None
    return tuple(decode_value(arg, one, source, (*key, i)) for i, (arg, one) in enumerate(zip(args, data, strict=True)))


def _decode_mapping(hint: Any, data: Any, source: Source, key: Key) -> Any:
    if not isinstance(data, Mapping):
        source.report(key, f"expected a table, found {_describe(data)}", "write {name = value}")
        return None
    return {str(name): decode_value(hint, one, source, (*key, str(name))) for name, one in data.items()}


def _decode_fraction(data: Any, source: Source, key: Key) -> Fraction | None:
    """Exact numbers: integers, decimals as written (0.1 is 1/10), and '3/2'."""
    try:
        if isinstance(data, int) and not isinstance(data, bool):
            return Fraction(data)
        if isinstance(data, float | str) and len(str(data)) <= 40:
            return Fraction(str(data).strip())
    except (ValueError, ZeroDivisionError):
        pass
    source.report(key, f"expected a number, found {_describe(data)}", "write 2, 1.5 or '3/2'")
    return None


def _describe(data: Any) -> str:
    if isinstance(data, bool):
        return f"the truth value {str(data).lower()}"
    if isinstance(data, Mapping):
        return "a table"
    if isinstance(data, list | tuple):
        return "a list"
    if isinstance(data, datetime | date):
        return f"the date {data.isoformat()}"
    kind = {str: "the text", int: "the number", float: "the number"}.get(type(data), "the value")
    shown = repr(data) if isinstance(data, str) else str(data)
    return f"{kind} {shown if len(shown) <= 60 else shown[:57] + '…'}"


def _name(hint: Any) -> str:
    if typing.get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_name(one) for one in typing.get_args(hint) if one is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return "a list"
    if typing.get_origin(hint) in (dict, Mapping) or dataclasses.is_dataclass(hint):
        return "a table"
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", Fraction: "a number"}
    return names.get(hint, "a date with time" if hint is datetime else getattr(hint, "__name__", str(hint)))


def _how_to_write(hint: Any, data: Any) -> str:
    if hint is str and not isinstance(data, list | Mapping):
        return f"put it in single quotes: '{data}'"
    if hint is bool:
        return "write true or false, without quotes"
    if hint is datetime:
        return "write 2024-11-21T11:59:00+01:00"
    return ""
