"""Expressions in LaTeX: the template of the primitives' table, or a printer of its own where brackets matter."""

from __future__ import annotations

import re

from reference.names import latex_name
from reference.node import Expr
from reference.pieces import (
    ATOM,
    HADAMARD,
    POWER,
    PRODUCT,
    SUM,
    Piece,
    Printer,
    around,
    grown,
    joined_sum,
    meets_entrywise,
    parts_of,
    position,
    repeated_number,
    turned_by,
)
from reference.primitives import PRIMITIVES

TRIGONOMETRIC = frozenset({"sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "coth"})


def latex_piece(node: Expr, args: tuple[Piece, ...]) -> Piece:
    special = _LATEX.get(node.op)
    if special is not None:
        return special(node, args)
    template = PRIMITIVES[node.op].latex
    spaced = template.endswith(" {}") and len(args) == 1
    shown = [grown(a.text) if spaced else a.text for a in args]
    return Piece((template.replace(" {}", "{}") if spaced else template).format(*shown), ATOM)


def _latex_constant(node: Expr, args: tuple[Piece, ...]) -> Piece:
    sign, top, bottom = parts_of(node.value)
    text = str(top) if bottom == 1 else rf"\frac{{{top}}}{{{bottom}}}"
    return Piece(f"-{text}", SUM) if sign < 0 else Piece(text, ATOM if bottom == 1 else POWER)


def _latex_sub(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(f"{args[0].text} - {around(args[1], PRODUCT)}", SUM)


def _latex_neg(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(f"-{around(args[0], PRODUCT)}", SUM)


def _latex_mul(node: Expr, args: tuple[Piece, ...]) -> Piece:
    if meets_entrywise(node):  # looser than a matrix product, so that nobody has to guess which comes first
        return Piece(rf"{around(args[0], POWER)} \odot {around(args[1], POWER)}", HADAMARD)
    return Piece(_beside(around(args[0], PRODUCT), around(args[1], PRODUCT)), PRODUCT)


def _beside(left: str, right: str) -> str:
    """Two factors next to each other, with a dot where digits or a fraction would run together."""
    if right[0].isdigit() or (right.startswith(r"\frac") and left[-1:].isdigit()):
        return rf"{left} \cdot {right}"
    if left[-1].isalpha() or right[0].isalpha():
        return f"{left} {right}"
    return f"{left} {right}" if left[-1].isdigit() and right.startswith("\\") else f"{left}{right}"


def _latex_div(node: Expr, args: tuple[Piece, ...]) -> Piece:
    if meets_entrywise(node):
        return Piece(rf"{around(args[0], PRODUCT)} \oslash {around(args[1], POWER)}", HADAMARD)
    if node.args[0].shape:
        return Piece(_beside(rf"\frac{{1}}{{{args[1].text}}}", around(args[0], PRODUCT)), PRODUCT)
    return Piece(rf"\frac{{{args[0].text}}}{{{args[1].text}}}", POWER)


def _latex_pow(node: Expr, args: tuple[Piece, ...]) -> Piece:
    base = node.args[0]
    if base.shape and node.args[1].op == "constant" and node.args[1].value in (2, 3):
        return Piece(r" \odot ".join([around(args[0], POWER)] * int(node.args[1].value)), HADAMARD)
    circ = r"\circ " if node.shape else ""
    if base.op in TRIGONOMETRIC and not circ and node.args[1].op == "constant" and node.args[1].value in (2, 3):
        head, _, tail = args[0].text.partition("(")
        if not head.endswith("\\left"):
            return Piece(f"{head}^{{{args[1].text}}}({tail}", POWER)
    return Piece(f"{around(args[0], ATOM)}^{{{circ}{args[1].text}}}", POWER)


def _latex_exp(node: Expr, args: tuple[Piece, ...]) -> Piece:
    if node.shape:
        return Piece(rf"\exp{grown(args[0].text)}", ATOM)
    return Piece(f"e^{{{args[0].text}}}", POWER)


def _latex_matmul(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(_beside(around(args[0], PRODUCT), around(args[1], PRODUCT)), PRODUCT)


def _latex_transpose(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(rf"{around(args[0], ATOM)}^{{\top}}", POWER)


def _latex_dot(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(rf"{around(args[0], ATOM)}^{{\top}} {around(args[1], POWER)}", PRODUCT)


def _latex_outer(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(rf"{around(args[0], POWER)} {around(args[1], ATOM)}^{{\top}}", PRODUCT)


def _latex_reshape(node: Expr, args: tuple[Piece, ...]) -> Piece:
    turned = turned_by(node)
    if turned is not None:
        return Piece(rf"{around(args[0], ATOM)}^{{\top}}", POWER) if turned else args[0]
    return Piece(rf"\operatorname{{reshape}}{grown(args[0].text)}", ATOM)


def _latex_sum(node: Expr, args: tuple[Piece, ...]) -> Piece:
    """A sum of all entries; a bare sign would take in what follows."""
    axis = node.attr("axis")
    if axis is None or len(node.args[0].shape) == 1:
        return Piece(rf"\operatorname{{sum}}{grown(args[0].text)}", ATOM)
    return Piece(rf"\left(\sum_{{{axis}}} {grown(args[0].text)}\right)", ATOM)


def _latex_index(node: Expr, args: tuple[Piece, ...]) -> Piece:
    base = node.args[0]
    if base.shape and all(n == 1 for n in base.shape):
        return args[0]
    if base.op == "symbol":
        return Piece(latex_name(base.name, position(node)), ATOM)
    text = args[0].text if args[0].text.endswith(")") and args[0].level == ATOM else grown(args[0].text)
    return Piece(f"{text}_{{{position(node)}}}", ATOM)


def _latex_stack(node: Expr, args: tuple[Piece, ...]) -> Piece:
    if len(node.shape) == 2 and node.attr("axis") == 0 and all(a.op == "stack" for a in node.args):
        rows = [re.sub(r"^\\begin\{bmatrix\} (.*) \\end\{bmatrix\}$", r"\1", a.text, flags=re.S) for a in args]
        if all(r"\begin" not in row for row in rows):
            body = r" \\ ".join(row.replace(r" \\ ", " & ") for row in rows)
            return Piece(rf"\begin{{bmatrix}} {body} \end{{bmatrix}}", ATOM)
    texts = [rf"{a.text}^{{\top}}" if p.shape else a.text for a, p in zip(args, node.args, strict=True)]
    joint = r" \\ " if node.attr("axis") == 0 else " & "
    return Piece(rf"\begin{{bmatrix}} {joint.join(texts)} \end{{bmatrix}}", ATOM)


def _latex_concat(node: Expr, args: tuple[Piece, ...]) -> Piece:
    joint = r" \\ " if node.attr("axis") == 0 else " & "
    return Piece(rf"\begin{{bmatrix}} {joint.join(a.text for a in args)} \end{{bmatrix}}", ATOM)


def _latex_broadcast(node: Expr, args: tuple[Piece, ...]) -> Piece:
    number = repeated_number(node)
    if number is None:
        return args[0]
    if number.op == "constant" and number.value in (0, 1):
        return Piece(r"\mathbf{1}" if number.value else "0", ATOM)
    return Piece(rf"{around(args[0], PRODUCT)} \mathbf{{1}}", PRODUCT)


def _latex_diag(node: Expr, args: tuple[Piece, ...]) -> Piece:
    number = repeated_number(node.args[0])
    if number is not None and number.op == "constant" and number.value == 1:
        return Piece("I", ATOM)
    return Piece(rf"\operatorname{{diag}}{grown(args[0].text)}", ATOM)


def _latex_norm(node: Expr, args: tuple[Piece, ...]) -> Piece:
    marks = {"1": "_{1}", "2": "", "inf": r"_{\infty}", "fro": "_{F}", "squared": "^{2}"}
    return Piece(
        rf"\left\|{args[0].text}\right\|{marks[node.attr('order')]}", POWER if node.attr("order") == "squared" else ATOM
    )


def _latex_call(node: Expr, args: tuple[Piece, ...]) -> Piece:
    order = node.attr("order")
    inner = grown(", ".join(a.text for a in args))
    if len(order) == 1:
        mark = "'" * order[0] if order[0] < 4 else f"^{{({order[0]})}}"
        return Piece(f"{latex_name(node.name)}{mark}{inner}", ATOM)
    marks = " ".join(rf"\partial_{{{i + 1}}}" for i, k in enumerate(order) for _ in range(k))
    return Piece(f"{marks + ' ' if marks else ''}{latex_name(node.name)}{inner}", PRODUCT if marks else ATOM)


def _latex_factorial(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(f"{around(args[0], ATOM)}!", POWER)


def _latex_kron(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(rf"{around(args[0], POWER)} \otimes {around(args[1], POWER)}", PRODUCT)


def _latex_inverse(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(f"{around(args[0], ATOM)}^{{-1}}", POWER)


_LATEX: dict[str, Printer] = {
    "symbol": lambda node, args: Piece(latex_name(node.name), POWER if "^" in node.name else ATOM),
    "constant": _latex_constant,
    "pi": lambda node, args: Piece(r"\pi", ATOM),
    "e": lambda node, args: Piece("e", ATOM),
    "add": joined_sum,
    "sub": _latex_sub,
    "neg": _latex_neg,
    "mul": _latex_mul,
    "div": _latex_div,
    "pow": _latex_pow,
    "exp": _latex_exp,
    "matmul": _latex_matmul,
    "transpose": _latex_transpose,
    "dot": _latex_dot,
    "outer": _latex_outer,
    "index": _latex_index,
    "stack": _latex_stack,
    "concat": _latex_concat,
    "broadcast": _latex_broadcast,
    "reshape": _latex_reshape,
    "sum": _latex_sum,
    "diag": _latex_diag,
    "norm": _latex_norm,
    "call": _latex_call,
    "factorial": _latex_factorial,
    "kron": _latex_kron,
    "inv": _latex_inverse,
}
