"""Expressions as text: plain text that can be read back, and LaTeX.  Few brackets, no recursion, bounded length.

Plain text: `*` between matrices is the matrix product, `x^T` a transpose, `dot`, `outer`, `hadamard` (entrywise
product), `./` and `.^` (entrywise quotient and power of arrays), `[a, b]` a column, `x_1` an entry counted from 1.
"""

from __future__ import annotations

from reference.expression import ordered
from reference.latex_text import latex_piece
from reference.node import Expr
from reference.pieces import ATOM, Piece, Printer
from reference.plain_text import plain_piece

MAX_LENGTH = 20_000  # characters of one formula; what is longer is cut at a whole subexpression
CUT = "…"


def plain(expr: Expr) -> str:
    """Plain text, as the answer reader takes it."""
    return _print(expr, plain_piece)


def latex(expr: Expr) -> str:
    """LaTeX without surrounding dollars."""
    return _print(expr, latex_piece)


def _print(expr: Expr, printer: Printer) -> str:
    nodes = ordered((expr,))
    last = {a: i for i, node in enumerate(nodes) for a in node.args}
    texts: dict[Expr, Piece] = {}
    for i, node in enumerate(nodes):
        piece = printer(node, tuple([texts[a] for a in node.args]))
        for a in node.args:  # a text that nobody needs again is let go: deep formulas would fill the memory
            if last[a] == i:
                texts.pop(a, None)
        texts[node] = piece if len(piece.text) <= MAX_LENGTH else Piece(CUT, ATOM)
    return texts[expr].text
