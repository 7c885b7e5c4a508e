"""Expressions in plain text, one printer per operation that is not simply name(arguments)."""

from __future__ import annotations

from reference.names import plain_entry
from reference.node import Expr
from reference.pieces import (
    ATOM,
    POWER,
    PRODUCT,
    SUM,
    Piece,
    Printer,
    bracketed,
    joined_sum,
    meets_entrywise,
    parts_of,
    position,
    repeated_number,
    turned_by,
)


def plain_piece(node: Expr, args: tuple[Piece, ...]) -> Piece:
    special = _PLAIN.get(node.op)
    if special is not None:
        return special(node, args)
    return Piece(f"{node.op}({', '.join([a.text for a in args] + _options(node))})", ATOM)


def _options(node: Expr) -> list[str]:
    """Attributes a reader of the text needs: axes, shapes."""
    shown = []
    for key, value in node.attrs:
        if key in ("axis", "axes", "shape", "key", "stride", "padding", "slope", "alpha"):
            default = (key == "axis" and (value is None or len(node.args[0].shape) == 1)) or (
                (key, value) in (("stride", 1), ("padding", 0))
            )
            if not default:
                shown.append(f"{key}={value[0] if isinstance(value, tuple) and len(value) == 1 else value}")
    return shown


def _plain_constant(node: Expr, args: tuple[Piece, ...]) -> Piece:
    sign, top, bottom = parts_of(node.value)
    text = str(top) if bottom == 1 else f"{top}/{bottom}"
    return Piece(f"-{text}", SUM) if sign < 0 else Piece(text, ATOM if bottom == 1 else PRODUCT)


def _plain_sub(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(f"{args[0].text} - {bracketed(args[1], PRODUCT)}", SUM)


def _plain_neg(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(f"-{bracketed(args[0], PRODUCT)}", SUM)


def _plain_mul(node: Expr, args: tuple[Piece, ...]) -> Piece:
    if meets_entrywise(node):
        return Piece(f"hadamard({args[0].text}, {args[1].text})", ATOM)
    return Piece(f"{bracketed(args[0], PRODUCT)}*{bracketed(args[1], PRODUCT)}", PRODUCT)


def _plain_div(node: Expr, args: tuple[Piece, ...]) -> Piece:
    sign = "./" if node.args[1].shape else "/"
    return Piece(f"{bracketed(args[0], PRODUCT)}{sign}{bracketed(args[1], POWER)}", PRODUCT)


def _plain_pow(node: Expr, args: tuple[Piece, ...]) -> Piece:
    sign = ".^" if node.shape else "^"
    return Piece(f"{bracketed(args[0], ATOM)}{sign}{bracketed(args[1], ATOM)}", POWER)


def _plain_matmul(node: Expr, args: tuple[Piece, ...]) -> Piece:
    return Piece(f"{bracketed(args[0], PRODUCT)}*{bracketed(args[1], PRODUCT)}", PRODUCT)


def _plain_transpose(node: Expr, args: tuple[Piece, ...]) -> Piece:
    if node.attr("axes"):
        return Piece(f"transpose({args[0].text}, axes={node.attr('axes')})", ATOM)
    return Piece(f"{bracketed(args[0], ATOM)}^T", POWER)


def _plain_reshape(node: Expr, args: tuple[Piece, ...]) -> Piece:
    turned = turned_by(node)
    if turned is not None:
        return Piece(f"{bracketed(args[0], ATOM)}^T", POWER) if turned else args[0]
    return Piece(f"reshape({', '.join([args[0].text, *_options(node)])})", ATOM)


def _plain_index(node: Expr, args: tuple[Piece, ...]) -> Piece:
    base = node.args[0]
    if base.shape and all(n == 1 for n in base.shape):  # a 1x1 array is its entry
        return args[0]
    label = position(node)
    if base.op == "symbol":
        return Piece(plain_entry(base.name, label), ATOM)
    return Piece(f"{bracketed(args[0], ATOM)}_{label if label.isdigit() else '{' + label + '}'}", ATOM)


def _plain_stack(node: Expr, args: tuple[Piece, ...]) -> Piece:
    if node.attr("axis") != 0:
        return Piece(f"stack([{', '.join(a.text for a in args)}], axis={node.attr('axis')})", ATOM)
    return Piece(f"[{', '.join(a.text for a in args)}]", ATOM)


def _plain_broadcast(node: Expr, args: tuple[Piece, ...]) -> Piece:
    number = repeated_number(node)
    size = ", ".join(str(n) for n in node.shape)
    if number is not None and number.op == "constant" and number.value in (0, 1):
        return Piece(f"{'ones' if number.value else 'zeros'}({size})", ATOM)
    if number is not None:
        return Piece(f"{bracketed(args[0], PRODUCT)}*ones({size})", PRODUCT)
    return Piece(f"broadcast({args[0].text}, shape={node.shape})", ATOM)


def _plain_diag(node: Expr, args: tuple[Piece, ...]) -> Piece:
    number = repeated_number(node.args[0])
    if number is not None and number.op == "constant" and number.value == 1:
        return Piece(f"eye({node.shape[0]})", ATOM)
    return Piece(f"diag({args[0].text})", ATOM)


def _plain_norm(node: Expr, args: tuple[Piece, ...]) -> Piece:
    order = node.attr("order")
    extra = [f"axis={node.attr('axis')}"] if node.attr("axis") is not None and len(node.args[0].shape) > 1 else []
    if order == "squared":
        return Piece(f"norm({', '.join([args[0].text, *extra])})^2", POWER)
    shown = [] if order == "2" else [order]
    return Piece(f"norm({', '.join([args[0].text, *shown, *extra])})", ATOM)


def _plain_call(node: Expr, args: tuple[Piece, ...]) -> Piece:
    inner = ", ".join(a.text for a in args)
    order = node.attr("order")
    if len(order) == 1:
        return Piece(f"{node.name}{chr(39) * order[0]}({inner})", ATOM)
    marks = "".join(f"_{i + 1}" * k for i, k in enumerate(order))
    return Piece(f"{f'partial{marks} ' if marks else ''}{node.name}({inner})", ATOM if not marks else PRODUCT)


def _plain_pair(name: str) -> Printer:
    return lambda node, args: Piece(f"{name}({args[0].text}, {args[1].text})", ATOM)


_PLAIN: dict[str, Printer] = {
    "symbol": lambda node, args: Piece(node.name, POWER if "^" in node.name else ATOM),
    "constant": _plain_constant,
    "pi": lambda node, args: Piece("pi", ATOM),
    "e": lambda node, args: Piece("e", ATOM),
    "add": joined_sum,
    "sub": _plain_sub,
    "neg": _plain_neg,
    "mul": _plain_mul,
    "div": _plain_div,
    "pow": _plain_pow,
    "matmul": _plain_matmul,
    "transpose": _plain_transpose,
    "index": _plain_index,
    "reshape": _plain_reshape,
    "stack": _plain_stack,
    "broadcast": _plain_broadcast,
    "diag": _plain_diag,
    "norm": _plain_norm,
    "call": _plain_call,
    "maximum": _plain_pair("max"),
    "minimum": _plain_pair("min"),
    "factorial": lambda node, args: Piece(f"{bracketed(args[0], ATOM)}!", POWER),
}
