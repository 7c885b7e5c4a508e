"""A text cut into statements: chains of equalities, each with what it says something about."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from grader.notation.tokens import Token

_HARD = frozenset(("implies", "to", "blank", "math"))
_OPENING = frozenset(("open", "{", "env_open"))
_CLOSING = frozenset(("close", "}", "env_close"))
_LOOSE = frozenset(("stop", ",", ";", "sep", "colon", "row", "line", "&", "dollar"))
_EQUAL = frozenset(("=", "≈"))


@dataclass(frozen=True, slots=True)
class Stretch:
    """The tokens of one statement, and whether words around it were left out."""

    tokens: tuple[Token, ...]
    words: tuple[str, ...] = ()


def regions(text: str) -> list[tuple[int, int]]:
    """Where the mathematics stands: between dollars or `\\[ \\]` where there are any, else everywhere."""
    if "$" not in text and "\\[" not in text and "\\(" not in text:
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    pattern = re.compile(
        r"(?<!\\)\$\$(.+?)(?<!\\)\$\$|(?<!\\)\$([^$]+?)(?<!\\)\$|\\\[(.+?)\\\]|\\\((.+?)\\\)", re.DOTALL
    )
    for match in pattern.finditer(text):
        group = next(g for g in range(1, 5) if match.group(g) is not None)
        found.append(match.span(group))
    return found or [(0, len(text))]


def cut(tokens: list[Token]) -> list[Stretch]:
    """Statements of a token list, in order.  Pure bookkeeping: nothing is parsed here."""
    out: list[Stretch] = []
    for segment in _hard_segments(_without_asides(_without_alignment(tokens))):
        out += _soft_statements(segment)
    return [s for s in (_trimmed(stretch) for stretch in out) if s.tokens]


def _without_asides(tokens: list[Token]) -> list[Token]:
    """`(using the power rule)`: brackets that begin with a word of prose go."""
    out: list[Token] = []
    k = 0
    while k < len(tokens):
        is_aside = tokens[k].kind == "open" and k + 1 < len(tokens) and tokens[k + 1].kind == "text" and out
        if not is_aside:
            out.append(tokens[k])
            k += 1
            continue
        depth = 0
        while k < len(tokens):
            depth += {"open": 1, "close": -1}.get(tokens[k].kind, 0)
            k += 1
            if depth == 0:
                break
    return out


def _depths(tokens: list[Token]) -> list[int]:
    """Bracket depth before each token."""
    depth = 0
    out = []
    for token in tokens:
        if token.kind in _CLOSING:
            depth = max(0, depth - 1)
        out.append(depth)
        if token.kind in _OPENING:
            depth += 1
    return out


def _without_alignment(tokens: list[Token]) -> list[Token]:
    """`&` at the top level goes; between two complete equations it separates."""
    if not any(t.kind == "&" for t in tokens):
        return tokens
    out: list[Token] = []
    depths = _depths(tokens)
    for k, token in enumerate(tokens):
        if token.kind != "&" or depths[k] > 0:
            out.append(token)
            continue
        before = tokens[k - 1] if k else None
        after = tokens[k + 1] if k + 1 < len(tokens) else None
        beside = {t.kind for t in (before, after) if t is not None}
        if before is None or after is None or beside & {"rel", "row", "&", "+", "-", "*", "sep"}:
            continue
        out.append(Token("sep", "quad", token.start, token.end))
    return out


def _hard_segments(tokens: list[Token]) -> list[list[Token]]:
    """Split at arrows, line ends that end a statement, and prose."""
    if not any(t.kind in ("sep", "row", "line", "text") for t in tokens):
        return [tokens]
    tokens = _single_breaks(tokens)
    out: list[list[Token]] = [[]]
    depths = _depths(tokens)
    for k, token in enumerate(tokens):
        if depths[k] > 0:
            out[-1].append(token)
        elif token.kind == "sep" and token.text in _HARD:
            out.append([])
        elif token.kind in ("row", "line"):
            if not _continues(tokens, k):
                out.append([])
        else:
            out[-1].append(token)
    return [segment for segment in out if segment]


def _single_breaks(tokens: list[Token]) -> list[Token]:
    """Several line breaks in a row as one."""
    breaks = ("row", "line")
    return [t for k, t in enumerate(tokens) if not (t.kind in breaks and k and tokens[k - 1].kind in breaks)]


def _continues(tokens: list[Token], at: int) -> bool:
    """Does the line after the break at `at` go on with the formula before it?"""
    k = at + 1
    while k < len(tokens) and tokens[k].kind in ("row", "line", "&"):
        k += 1
    if k >= len(tokens) or at == 0:
        return False
    after, before = tokens[k].kind, tokens[at - 1].kind
    if after in ("rel", "*", "/", "+") or before in ("rel", "*", "/", "+", "-"):
        return True
    if after == "-" and tokens[at].kind == "row":
        rest = []
        for token in tokens[k:]:
            if token.kind in ("row", "line"):
                break
            rest.append(token)
        return not any(t.kind == "rel" for t in rest)
    return False


def _soft_statements(tokens: list[Token]) -> list[Stretch]:
    """Split at commas, semicolons and \\quad where what follows is an equation or an annotation of its own."""
    depths = _depths(tokens)
    pieces: list[list[Token]] = [[]]
    marks: list[Token | None] = [None]
    words: list[str] = []
    prose = False
    for k, token in enumerate(tokens):
        soft = depths[k] == 0 and (token.kind in (",", ";", "sep") or token.kind == "text")
        if not soft:
            if not prose:
                pieces[-1].append(token)
            continue
        if token.kind == "text":
            words.append(token.text)
            prose = _is_remark(token.text)
            if not pieces[-1] or not prose:
                pieces.append([])
                marks.append(None)
            continue
        prose = prose and token.kind != ";" and not _is_equation(tokens[k + 1 :])
        if not prose:
            pieces.append([])
            marks.append(token)
    return _gather(pieces, marks, tuple(words))


def _is_remark(word: str) -> bool:
    """Do words such as `for x > 0` annotate what stands before them, up to the next separator?"""
    first = word.strip(" ,.;:").lower().split(" ")[0] if word.strip(" ,.;:") else ""
    return first not in ("and", "und", "or", "oder", "so", "thus", "hence", "therefore", "then", "also", "")


def _relations(tokens: list[Token]) -> list[str]:
    depths = _depths(tokens)
    return [t.text for t, d in zip(tokens, depths, strict=True) if t.kind in ("rel", "colon") and d == 0]


def _is_equation(tokens: list[Token]) -> bool:
    for token in tokens:
        if token.kind in (",", ";", "sep"):
            return False
        if token.kind == "rel" and token.text in _EQUAL:
            return True
    return False


def _gather(pieces: list[list[Token]], marks: list[Token | None], words: tuple[str, ...]) -> list[Stretch]:
    """Pieces that are equations open a statement; others join the one before, their comma kept."""
    out: list[list[Token]] = []
    equations = 0
    for piece, mark in zip(pieces, marks, strict=True):
        relations = _relations(piece)
        is_equation = any(r in _EQUAL for r in relations)
        if relations and not is_equation and out:
            continue  # x ≠ 0, n > 1: a condition
        if not piece:
            continue
        if not out or (is_equation and (equations or _is_complete(out[-1]))) or mark is None:
            out.append(list(piece))
        else:
            if mark.kind != "sep":
                out[-1].append(mark)
            out[-1] += piece
        equations += is_equation
    return [Stretch(tuple(tokens), words) for tokens in out]


def _is_complete(tokens: list[Token]) -> bool:
    return bool(tokens)


def _trimmed(stretch: Stretch) -> Stretch:
    """Without the punctuation around a statement."""
    tokens = list(stretch.tokens)
    while tokens and tokens[-1].kind in _LOOSE:
        tokens.pop()
    while tokens and tokens[0].kind in _LOOSE:
        tokens.pop(0)
    return replace(stretch, tokens=tuple(tokens))
