"""Rows and columns of a matrix: `X_{i,:}`, `X_{i\\cdot}`, `X_{:,j}`, `X[i,:]`.  A whole axis is a name `:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.notation.syntax import Syntax
from grader.notation.tokens import Token

if TYPE_CHECKING:
    from grader.notation.parser import Parser

ALL = ":"
_STARS = frozenset(("dot", "star"))


def _is_wild(token: Token) -> bool:
    return token.kind == "colon" or (token.kind == "*" and token.text in _STARS)


def _wild(token: Token) -> Syntax:
    return Syntax("name", token.start, token.end, (), ALL)


def read_script_slice(p: Parser) -> tuple[Syntax, ...] | None:
    """The subscripts in `{i,:}`, `{i\\cdot}`, `{:j}`; the cursor stands at the brace.  None where no axis is whole."""
    at = p.i + 1
    while p.kinds[at] not in ("}", "{", "end"):
        at += 1
    inside = p.tokens[p.i + 1 : at]
    if p.kinds[at] != "}" or not inside or not (_is_wild(inside[0]) or _is_wild(inside[-1])) or len(inside) < 2:
        return None
    p.take()
    subs: list[Syntax] = []
    while p.peek() != "}":
        if p.peek() == ",":
            p.take()
        elif _is_wild(p.token):
            subs.append(_wild(p.take()))
        elif p.peek() in ("name", "num"):
            token = p.take()
            number = int(token.text) if token.text.isdigit() else None
            kind = "name" if number is None else "number"
            subs.append(Syntax(kind, token.start, token.end, (), token.text if number is None else "", number))
        else:
            raise p.unexpected()
    p.take()
    return tuple(subs)


def read_bracket_slice(p: Parser) -> tuple[Syntax, ...] | None:
    """The subscripts in `[i, :]` up to the closing bracket, the opening one being taken; None without a `:`."""
    at, depth, wild = p.i, 0, False
    while p.kinds[at] != "end":
        depth += {"open": 1, "close": -1}.get(p.kinds[at], 0)
        if depth < 0:
            break
        wild |= p.kinds[at] == "colon" and depth == 0
        at += 1
    if not wild:
        return None
    subs: list[Syntax] = []
    while True:
        subs.append(_wild(p.take()) if p.peek() == "colon" else p.sum())
        if p.peek() == "close":
            p.take()
            return tuple(subs)
        if p.peek() != ",":
            raise p.unexpected()
        p.take()
