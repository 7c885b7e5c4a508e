"""Expressions as text: plain text that can be read back, and LaTeX.  Few brackets, no recursion, bounded length.

Plain text: `*` between matrices is the matrix product, `x^T` a transpose, `dot`, `outer`, `hadamard` (entrywise
product), `./` and `.^` (entrywise quotient and power of arrays), `[a, b]` a column, `x_1` an entry counted from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reference.expression import ordered
from reference.latex_text import latex_piece
from reference.names import latex_name
from reference.node import Expr
from reference.pieces import ATOM, Piece, Printer
from reference.plain_text import plain_piece

MAX_LENGTH = 20_000  # characters of one formula; what is longer is cut at a whole subexpression
CUT = "…"


Arguments = Mapping[str, Sequence[str]]  # abstract function -> names of its arguments
NO_NAMES: Arguments = {}


def plain(expr: Expr, arguments: Arguments = NO_NAMES) -> str:
    """Plain text, as the answer reader takes it.

    With the arguments of an abstract function named, its partial derivative is `q_z(t(w, y), y)`, which the reader
    takes; without, `partial_1 q(…)`, which says the same to a person.
    """
    return _print(expr, plain_piece, arguments, str)


def latex(expr: Expr, arguments: Arguments = NO_NAMES) -> str:
    """LaTeX without surrounding dollars; partial derivatives as in `plain`."""
    return _print(expr, latex_piece, arguments, latex_name)


def _print(expr: Expr, printer: Printer, arguments: Arguments, written: Callable[[str], str]) -> str:
    nodes = ordered((expr,))
    last = {a: i for i, node in enumerate(nodes) for a in node.args}
    texts: dict[Expr, Piece] = {}
    for i, node in enumerate(nodes):
        pieces = tuple([texts[a] for a in node.args])
        piece = _named_partial(node, pieces, arguments, written) or printer(node, pieces)
        for a in node.args:  # a text that nobody needs again is let go: deep formulas would fill the memory
            if last[a] == i:
                texts.pop(a, None)
        texts[node] = piece if len(piece.text) <= MAX_LENGTH else Piece(CUT, ATOM)
    return texts[expr].text


def _named_partial(
    node: Expr, args: tuple[Piece, ...], arguments: Arguments, written: Callable[[str], str]
) -> Piece | None:
    """`q_z(…)` for a partial derivative of a function whose arguments have names; None for anything else."""
    names = arguments.get(node.name, ()) if node.op == "call" else ()
    order = node.attr("order") if names else ()
    if len(order) < 2 or sum(order) == 0 or len(names) != len(order):
        return None
    by = [written(name) for name, times in zip(names, order, strict=True) for _ in range(times)]
    subscript = by[0] if len(by) == 1 and len(by[0]) == 1 else "{" + " ".join(by) + "}"
    return Piece(f"{written(node.name)}_{subscript}({', '.join(a.text for a in args)})", ATOM)
