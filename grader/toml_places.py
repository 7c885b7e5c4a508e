"""Where the keys of a TOML text stand, and which of its strings hold a backslash that TOML would swallow.

A tolerant scanner, not a parser: `tomllib` decides what the text means, this only finds line numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Key = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'))*)\s*="""
)
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'""")
_EXCERPT = 40


@dataclass(frozen=True, slots=True)
class _String:
    start: int
    end: int
    basic: bool


def locate_keys(text: str) -> dict[Key, int]:
    """Line (from 1) of every table and key, arrays of tables with their index: `("question", 2, "points")`."""
    places: dict[Key, int] = {}
    counts: dict[Key, int] = {}
    prefix: Key = ()
    for number, line in _outside_values(text):
        header = _HEADER.match(line)
        if header:
            prefix = _open_table(_split(header[2]), header[1] == "[[", counts)
            places.setdefault(prefix, number)
            continue
        assignment = _ASSIGNMENT.match(line)
        if assignment:
            key = prefix
            for part in _split(assignment[1]):
                key = (*key, part)
                places.setdefault(key, number)
    return places


def backslash_strings(text: str) -> list[tuple[int, str]]:
    """Lines and excerpts of basic ("…") strings that hold a backslash."""
    found = []
    for string in _strings(text):
        body = text[string.start : string.end]
        if string.basic and "\\" in body:
            shown = body if len(body) <= _EXCERPT else body[: _EXCERPT - 1] + "…"
            found.append((text.count("\n", 0, string.start) + 1, shown.replace("\n", " ")))
    return found


def _split(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _KEY_PART.findall(dotted)]


def _open_table(parts: list[str], array: bool, counts: dict[Key, int]) -> Key:
    """The key path of a header; every array of tables on the way is addressed by its latest entry."""
    key: Key = ()
    for position, part in enumerate(parts):
        key = (*key, part)
        if array and position == len(parts) - 1:
            counts[key] = counts.get(key, -1) + 1
        if key in counts:
            key = (*key, counts[key])
    return key


def _outside_values(text: str) -> list[tuple[int, str]]:
    """Numbered lines that begin a statement: neither inside a multi-line string nor inside an open bracket."""
    inside = [False] * (text.count("\n") + 2)
    masked = list(text)
    for string in _strings(text):
        first = text.count("\n", 0, string.start) + 1
        last = first + text.count("\n", string.start, string.end)
        for number in range(first + 1, last + 1):
            inside[number] = True
        for position in range(string.start + 1, string.end - 1):
            if masked[position] != "\n":
                masked[position] = "_"
    lines = []
    depth = 0
    for number, (line, bare) in enumerate(zip(text.split("\n"), "".join(masked).split("\n"), strict=True), start=1):
        starts = depth == 0 and not inside[number]
        if starts:
            lines.append((number, line))
        code = bare.split("#", 1)[0]
        if not (starts and _HEADER.match(line)):
            depth = max(0, depth + sum(code.count(c) for c in "[{") - sum(code.count(c) for c in "]}"))
    return lines


def _strings(text: str) -> list[_String]:
    """Every string literal of a TOML text, comments skipped.  An unterminated one ends at its line's end."""
    found = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "#":
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif character in "\"'":
            end = _string_end(text, position)
            found.append(_String(position, end, character == '"'))
            position = end
        else:
            position += 1
    return found


def _string_end(text: str, start: int) -> int:
    quote = text[start]
    triple = text.startswith(quote * 3, start)
    delimiter = quote * 3 if triple else quote
    position = start + len(delimiter)
    while position < len(text):
        if text.startswith(delimiter, position):
            return position + len(delimiter)
        if text[position] == "\n" and not triple:
            return position
        position += 2 if quote == '"' and text[position] == "\\" else 1
    return len(text)
