"""Pieces of printed text: what both notations share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from reference.node import Expr

SUM, HADAMARD, PRODUCT, POWER, ATOM = 1, 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of a subexpression and how tightly it holds together."""

    text: str
    level: int


Printer = Callable[[Expr, tuple[Piece, ...]], Piece]


def bracketed(piece: Piece, level: int) -> str:
    """The text, in brackets when it holds together less tightly than wanted."""
    return piece.text if piece.level >= level else f"({piece.text})"


def grown(text: str) -> str:
    """LaTeX brackets as tall as what they hold."""
    tall = re.search(r"\\(frac|begin|sqrt|sum|int)", text)
    return rf"\left({text}\right)" if tall else f"({text})"


def around(piece: Piece, level: int) -> str:
    """The same as `bracketed`, in LaTeX."""
    return piece.text if piece.level >= level else grown(piece.text)


def meets_entrywise(node: Expr) -> bool:
    """Do two arrays meet entry by entry?"""
    return all(a.shape for a in node.args)


def parts_of(value: int | Fraction) -> tuple[int, int, int]:
    """Sign, numerator and denominator."""
    return (-1 if value < 0 else 1), abs(value.numerator), value.denominator


def repeated_number(node: Expr) -> Expr | None:
    """The number that is repeated, of a broadcast number."""
    return node.args[0] if node.op == "broadcast" and not node.args[0].shape else None


def turned_by(node: Expr) -> bool | None:
    """Does a reshape turn a row into a column or back (True), keep the entries in a column (False)?  None: neither."""
    (a,), b = (one.shape for one in node.args), node.shape
    if all(n == 1 for n in (*a, *b)):
        return False
    if (len(a), len(b)) == (2, 1) and 1 in a:
        return a[0] == 1
    if (len(a), len(b)) == (1, 2):
        return True if b[0] == 1 else False if b[1] == 1 else None
    return None


def position(node: Expr) -> str:
    """Where an index points, counted from 1: 2, 1,3, 1:2."""
    parts = []
    for k in node.attr("key"):
        if isinstance(k, int):
            parts.append(str(k + 1))
        else:
            start, stop, step = k
            parts.append(f"{start + 1}:{stop}" if step == 1 else f"{start + 1}:{step}:{stop}")
    return ",".join(parts)


def joined_sum(node: Expr, args: tuple[Piece, ...]) -> Piece:
    """a + b, or a - b when b begins with a minus."""
    if args[1].text.startswith("-"):
        return Piece(f"{args[0].text} - {args[1].text[1:]}", SUM)
    return Piece(f"{args[0].text} + {args[1].text}", SUM)
