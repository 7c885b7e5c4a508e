"""Macros a student defines with `\\newcommand` or `\\def`, expanded within limits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from grader.notation.unreadable import Misread

MAX_MACROS = 100
MAX_EXPANSIONS = 500  # in one text
MAX_MACRO_DEPTH = 12  # macros within macros
MAX_EXPANSION = 5_000  # characters of one expansion

_NEW = re.compile(
    r"\\(?:re|provide)?newcommand\*?\s*\{?\s*\\([A-Za-z]+)\s*\}?\s*(?:\[(\d)\])?\s*(?=\{)"
    r"|\\providecommand\*?\s*\{?\s*\\([A-Za-z]+)\s*\}?\s*(?:\[(\d)\])?\s*(?=\{)"
    r"|\\DeclareMathOperator\*?\s*\{\s*\\([A-Za-z]+)\s*\}\s*(?=\{)"
    r"|\\def\s*\\([A-Za-z]+)\s*((?:#\d)*)\s*(?=\{)"
)


@dataclass
class Macros:
    """name → (number of arguments, body); counts what was expanded.  Lives for one text."""

    table: dict[str, tuple[int, str]] = field(default_factory=dict)
    body_start: int = 0
    expansions: int = 0
    depth: int = 0

    def enter(self, at: int, stop: int) -> None:
        self.depth += 1
        if self.depth > MAX_MACRO_DEPTH:
            raise Misread(at, stop, "The macros of this answer call each other without end.")

    def leave(self) -> None:
        self.depth -= 1

    def expand(self, text: str, name: str, at: int, stop: int) -> tuple[str, int]:
        """The body with its arguments put in, and where the call ends in `text`."""
        self.expansions += 1
        if self.expansions > MAX_EXPANSIONS:
            raise Misread(at, stop, "The macros of this answer expand to too much to be read.")
        count, body = self.table[name]
        arguments: list[str] = []
        for _ in range(count):
            argument, stop = read_argument(text, stop)
            arguments.append(argument)
        out = re.sub(r"#(\d)", lambda m: arguments[int(m[1]) - 1] if 0 < int(m[1]) <= count else "", body)
        if len(out) > MAX_EXPANSION:
            raise Misread(at, stop, "The macros of this answer expand to too much to be read.")
        return out, stop


def read_argument(text: str, at: int) -> tuple[str, int]:
    """One TeX argument from `at`: a brace group without its braces, a command, or a character."""
    while at < len(text) and text[at].isspace():
        at += 1
    if at >= len(text):
        raise Misread(at, at, "A macro lacks its argument here.")
    if text[at] == "{":
        end = matching_brace(text, at)
        return text[at + 1 : end], end + 1
    if text[at] == "\\":
        found = re.compile(r"\\(?:[A-Za-z]+|.)", re.DOTALL).match(text, at)
        if found:
            return found.group(), found.end()
    return text[at], at + 1


def matching_brace(text: str, at: int) -> int:
    """Offset of the brace that closes the one at `at`; raises Misread when there is none."""
    depth = 0
    for position in range(at, len(text)):
        if text[position] == "\\":
            continue
        if position and text[position - 1] == "\\":
            continue
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise Misread(at, at + 1, "This brace is never closed.", "Add a `}`.")


def collect_macros(text: str) -> Macros:
    """The definitions that open a text.  Definitions further on are an unknown command there."""
    macros = Macros()
    at = 0
    while len(macros.table) < MAX_MACROS:
        while at < len(text) and text[at].isspace():
            at += 1
        found = _NEW.match(text, at)
        if not found:
            break
        end = matching_brace(text, found.end())
        body = text[found.end() + 1 : end]
        if found[5]:
            macros.table[found[5]] = (0, f"\\operatorname{{{body}}}")
        else:
            name = found[1] or found[3] or found[6]
            count = int(found[2] or found[4] or len(found[7] or "") // 2)
            macros.table[name] = (count, body)
        at = end + 1
    macros.body_start = at
    return macros
