"""How much precision the numbers in an expression call for."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from reference.expression import Expr

FREE_BITS = 16  # numbers of this size need nothing more than the precision we start with
MAX_EXTRA = 6_000


def literal_bits(nodes: Sequence[Expr]) -> int:
    """Bits to add, so that a constant off in its last digit, or 1e-300 added to 1, is seen.

    Counts the size of every literal among the nodes, and of a literal power such as 10^{-300}.
    """
    extra = 0
    for node in nodes:
        if node.op == "constant":
            extra += max(0, _size(node.value) - FREE_BITS)
        elif node.op == "pow":
            base, exponent = (_literal(a) for a in node.args)
            if base is not None and exponent is not None:
                extra += max(0, min(_size(base) * int(abs(exponent) + 1), MAX_EXTRA) - FREE_BITS)
        elif node.op == "exp":
            exponent = _literal(node.args[0])
            if exponent is not None:
                extra += min(int(2 * abs(exponent)), MAX_EXTRA) if abs(exponent) > FREE_BITS else 0
        if extra >= MAX_EXTRA:
            return MAX_EXTRA
    return extra


def _size(value: int | Fraction) -> int:
    if isinstance(value, int):
        return value.bit_length()
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _literal(node: Expr) -> Fraction | None:
    """The value of a literal with a sign."""
    if node.op == "constant":
        return Fraction(node.value)
    if node.op == "neg" and node.args[0].op == "constant":
        return -Fraction(node.args[0].value)
    return None
