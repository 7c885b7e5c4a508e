"""Commands a student defined (`\\newcommand`, `\\def`, `\\DeclareMathOperator`) and their replacement in formulas."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_MACROS = 300
MAX_EXPANSIONS = 2_000  # in one formula
MAX_EXPANDED = 20_000  # characters of one formula after replacement
MAX_BODY = 2_000

_DEFINITION = re.compile(
    r"\\(?P<how>newcommand|renewcommand|providecommand|DeclareMathOperator|DeclarePairedDelimiter|def|let)\*?\s*"
    r"(?:\{\s*(?P<braced>\\[A-Za-z]+)\s*\}|(?P<bare>\\[A-Za-z]+))"
)
_COMMAND = re.compile(r"\\[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Macro:
    """`body` with `#1` … `#count`; `default` is the first argument's when that is optional."""

    body: str
    count: int = 0
    default: str | None = None


def group(text: str, start: int, opening: str = "{", closing: str = "}") -> int:
    """The offset behind the group that opens at `start`, or -1.  Escaped braces do not count."""
    if start >= len(text) or text[start] != opening:
        return -1
    depth, at = 0, start
    while at < len(text):
        c = text[at]
        if c == "\\":
            at += 2
            continue
        if c == "{" or c == opening:
            depth += 1
        elif c == "}" or c == closing:
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return -1


def definitions(text: str) -> tuple[dict[str, Macro], tuple[tuple[int, int], ...]]:
    """The commands a text defines, and where the definitions stand."""
    macros: dict[str, Macro] = {}
    places: list[tuple[int, int]] = []
    at = 0
    while (match := _DEFINITION.search(text, at)) and len(places) < MAX_MACROS:
        at = match.end()
        name = match.group("braced") or match.group("bare")
        read = _definition(text[match.end() : match.end() + MAX_BODY], match.group("how"))
        if read is None:
            continue
        macro, length = read
        macros[name] = macro
        places.append((match.start(), match.end() + length))
        at = match.end() + length
    return macros, tuple(places)


def _definition(rest: str, how: str) -> tuple[Macro, int] | None:
    """The macro whose definition goes on with `rest`, and how much of it that takes."""
    at = 0
    count, default = 0, None
    if how == "def":
        parameters = re.match(r"(?:#\d)*", rest)
        count = (parameters.end() if parameters else 0) // 2
        at = parameters.end() if parameters else 0
    elif number := re.match(r"\s*\[(\d)\]", rest):
        count, at = int(number.group(1)), number.end()
        if optional := re.match(r"\s*\[([^\]]{0,100})\]", rest[at:]):
            default, at = optional.group(1), at + optional.end()
    while at < len(rest) and rest[at].isspace():
        at += 1
    if how == "let":
        other = re.match(r"=?\s*(\\[A-Za-z]+)", rest[at:])
        return (Macro(other.group(1)), at + other.end()) if other else None
    end = group(rest, at)
    if end < 0:
        return None
    body = rest[at + 1 : end - 1]
    if how == "DeclareMathOperator":
        return Macro(rf"\operatorname{{{body}}}"), end
    if how == "DeclarePairedDelimiter":
        second = group(rest, end)
        return (Macro(f"{body} #1 {rest[end + 1 : second - 1]}", 1), second) if second > 0 else None
    return Macro(body, count, default), end


def expand(formula: str, macros: dict[str, Macro]) -> str:
    """The formula with the student's commands replaced; unchanged when it uses none or never comes to an end."""
    if not macros or not any(match.group() in macros for match in _COMMAND.finditer(formula)):
        return formula
    text, at, replaced = formula, 0, 0
    while match := _COMMAND.search(text, at):
        macro = macros.get(match.group())
        if macro is None:
            at = match.end()
            continue
        replaced += 1
        if replaced > MAX_EXPANSIONS or len(text) > MAX_EXPANDED:
            return formula
        values, end = _arguments(text, match.end(), macro)
        body = _filled(macro.body, values)
        # "\R x" stays two symbols after the replacement.
        follow = (
            " " if body[-1:].isalpha() and re.search(r"\\[A-Za-z]+$", body) and text[end : end + 1].isalpha() else ""
        )
        text = text[: match.start()] + body + follow + text[end:]
        at = match.start()
    return text


def _arguments(text: str, at: int, macro: Macro) -> tuple[list[str], int]:
    values: list[str] = []
    if macro.default is not None:
        optional = re.compile(r"\s*\[([^\]]{0,200})\]").match(text, at)
        values.append(optional.group(1) if optional else macro.default)
        at = optional.end() if optional else at
    while len(values) < macro.count:
        while at < len(text) and text[at].isspace():
            at += 1
        end = group(text, at)
        if end > 0:
            values.append(text[at + 1 : end - 1])
            at = end
        elif at < len(text):
            token = _COMMAND.match(text, at)
            end = token.end() if token else at + 1
            values.append(text[at:end])
            at = end
        else:
            values.append("")
    return values, at


def _filled(body: str, values: list[str]) -> str:
    """The body with `#1`, `#2`, … replaced; a number without a value becomes nothing."""

    def value(hit: re.Match[str]) -> str:
        number = int(hit.group(1))
        return values[number - 1] if 0 < number <= len(values) else ""

    return re.sub(r"#(\d)", value, body)
