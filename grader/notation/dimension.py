"""Answers that say a size: `\\mathbb{R}^{M\\times N}`, `2x3`, `(2, 3)`, `2 by 3`, `n-dimensional`, `1 \\times n`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.model import Notation
from grader.notation.elaborate.scope import Account, Scope, whole_number
from grader.notation.parser import Parser
from grader.notation.reading import scan
from grader.notation.syntax import Syntax
from grader.notation.unreadable import Misread, Unreadable
from grader.notation.vocabulary import Vocabulary
from reference.node import Expr

_WORDS = re.compile(
    r"(?<!\\)\b(?:the|an?|is|it|has|have|shape|size|dimensions?|dim|of|entries|rows?|columns?|col|vector|matrix|gradient|"
    r"jacobian|space|real|scalar|and|in|with|length|components?|dimensional|therefore|so|which|are|elements?|"
    r"Dimension|Vektor|Matrix|Zeilen|Spalten|und|ein|eine|der|die|das)\b|-dim(?:ensional)?\b|-D\b",
    re.IGNORECASE,
)
_SCALAR = re.compile(r"\b(?:scalar|number|Skalar)\b", re.IGNORECASE)
_ROW = re.compile(r"\brow[ -]?vector\b|\bZeilenvektor\b", re.IGNORECASE)
_COLUMN = re.compile(r"\bcolumn[ -]?vector\b|\bSpaltenvektor\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dimension:
    """Sizes read from a text: () a number, (n,) a vector, (m, n) a matrix; what only words said in `orientation`."""

    sizes: tuple[Syntax, ...]
    orientation: str = ""  # "row", "column" or ""

    def numbers(self, sizes: dict[str, int]) -> tuple[int, ...] | None:
        """The sizes as numbers for given values of their names; None where one is not known."""
        scope = Scope(Vocabulary(), sizes, Account(), _no_value)
        found = [whole_number(size, scope) for size in self.sizes]
        return None if None in found else tuple(size for size in found if size is not None)


def _no_value(node: Syntax, scope: Scope) -> Expr:
    raise AssertionError("sizes are whole numbers")


def read_dimension(text: str, notation: Notation, vocabulary: Vocabulary) -> Dimension | Unreadable:
    """What a text says about a size.  Never raises on a student's text."""
    length = len(text)
    if length > 2_000:
        return Unreadable("This is too long for a dimension.", 0, length)
    orientation = "row" if _ROW.search(text) else "column" if _COLUMN.search(text) else ""
    plain = re.sub(r"[(\[]\s*[)\]]", lambda m: " " * len(m.group()), _without_words(text))
    if not plain.strip(" .,:;$"):
        if _SCALAR.search(text):
            return Dimension(())
        return Unreadable("There is no dimension here.", 0, length, "Write for example 2x3.")
    try:
        latex = notation == "latex" or "\\" in plain
        found = _read(plain, latex, vocabulary)
    except Misread as trouble:
        return trouble.as_value(length)
    return Dimension(found, orientation)


def _without_words(text: str) -> str:
    """The text with its words blanked out, so that places stay."""
    out = re.sub(r"\\(?:text|mathrm|operatorname|textrm)\s*\{([^{}]*)\}", lambda m: _blank_words(m), text)
    return _WORDS.sub(lambda m: " " * len(m.group()), re.sub(r"(?<=[\w}])\s*\bby\b\s*", lambda m: _by(m), out))


def _blank_words(found: re.Match[str]) -> str:
    inner = found[1].strip()
    return found.group() if len(inner) == 1 else inner.ljust(len(found.group()))


def _by(found: re.Match[str]) -> str:
    width = len(found.group())
    return "×".center(width)


_CROSS = re.compile(r"(?<=[\w)])\s*(?<![A-Za-z]{2})[xX]\s*(?=[\w(])")


def _read(text: str, latex: bool, vocabulary: Vocabulary) -> tuple[Syntax, ...]:
    text = re.sub(r"(?<=\d)\s*[xX]\s*(?=[\dA-Za-z])|(?<=\b[A-Za-z])\s*x\s*(?=[\dA-Za-z]\b)", _as_cross, text)
    text = re.sub(r"(?<=\b[A-Za-z])x(?=[A-Za-z]\b)", "×", text)
    tokens = [
        t for t in scan(text, latex, Vocabulary()) if t.kind not in ("stop", "dollar", "text", "&", "row", "line")
    ]
    for k, token in enumerate(tokens):
        if token.kind == "rel" and token.text in ("in", "=", "≈"):
            return _read_sizes([*tokens[k + 1 :]], latex, len(text))
        if token.kind == "colon":
            return _read_sizes([*tokens[k + 1 :]], latex, len(text))
    return _read_sizes(tokens, latex, len(text))


def _as_cross(found: re.Match[str]) -> str:
    return "×".center(len(found.group()))


def _read_sizes(tokens: list, latex: bool, length: int) -> tuple[Syntax, ...]:  # type: ignore[type-arg]
    for k, token in enumerate(tokens):
        if token.kind == "rel" and token.text in ("in", "="):
            return _read_sizes(tokens[k + 1 :], latex, length)
    while tokens and tokens[-1].kind in (",", ";", "sep", "colon"):
        tokens = tokens[:-1]
    parser = Parser(tokens, Vocabulary(), latex, length)
    node = parser.sum()
    if parser.peek() in (",", ";"):
        parts = [node]
        while parser.peek() in (",", ";"):
            parser.take()
            parts.append(parser.sum())
        node = Syntax("tuple", parts[0].start, parts[-1].end, tuple(parts))
    if parser.peek() != "end":
        raise parser.unexpected()
    sizes = sizes_of(node)
    for size in sizes:
        if size.kind not in ("number", "name", "sum", "product", "index", "power"):
            raise Misread(size.start, size.end, "This is not a size.", "Write for example 2x3.")
        if size.kind == "number" and not isinstance(size.value, int):
            raise Misread(size.start, size.end, "A size is a whole number.")
    return sizes


def sizes_of(node: Syntax) -> tuple[Syntax, ...]:
    """R^{m×n}, m×n, (m, n), n."""
    if node.kind == "power" and node.args[0].text in ("reals", "R"):
        return sizes_of(node.args[1])
    if node.kind == "name" and node.text == "reals":
        return ()
    if node.kind in ("tuple", "list", "grid"):
        return node.args
    if node.kind == "product" and "times" in node.data and set(node.data) <= {"times", "join", "star"}:
        return _split_at_times(node)
    return (node,)


def _split_at_times(node: Syntax) -> tuple[Syntax, ...]:
    groups: list[list[Syntax]] = [[node.args[0]]]
    for join, factor in zip(node.data, node.args[1:], strict=True):
        if join == "times":
            groups.append([factor])
        else:
            groups[-1].append(factor)
    out = []
    for group in groups:
        joined = Syntax("product", group[0].start, group[-1].end, tuple(group), "", None, ("join",) * (len(group) - 1))
        out.append(group[0] if len(group) == 1 else joined)
    return tuple(out)
