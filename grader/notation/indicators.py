"""Marks behind or around a formula: `1[z > 0]`, `1_{z > 0}`, `[x]_+`, and evaluation bars `3x^2|_{x=2}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.notation.groups import read_group
from grader.notation.syntax import Syntax, walk

if TYPE_CHECKING:
    from grader.notation.parser import Parser

_HEADS = frozenset(("bold1", "I", "Id"))
_CONDITIONS = frozenset(("relation", "chain"))


def is_condition(node: Syntax) -> bool:
    """A relation, or a list of nothing but relations."""
    if node.kind in ("tuple", "list"):
        return all(part.kind in _CONDITIONS for part in node.args)
    return node.kind in _CONDITIONS


def joined_indicator(p: Parser, before: Syntax, factor: Syntax) -> Syntax | None:
    """`1(z > 0)`, `\\mathbb{1}[z > 0]`: the two as one indicator; None where they are something else."""
    if not is_condition(factor):
        return None
    tight = p.tokens[p.i - 1].end > before.end and before.end == factor.start
    head = before.kind == "name" and before.text in _HEADS and before.text not in p.vocabulary.known
    if not head and not (tight and before.kind == "number" and before.value == 1):
        return None
    return Syntax("indicator", before.start, factor.end, (_as_tuple(factor),))


def subscript_indicator(base: Syntax, sub: Syntax) -> Syntax | None:
    """`1_{z > 0}`, `1_{\\{z > 0\\}}`."""
    head = (base.kind == "name" and base.text in _HEADS) or (base.kind == "number" and base.value == 1)
    if not head or not is_condition(sub):
        return None
    return Syntax("indicator", base.start, sub.end, (_as_tuple(sub),))


def _as_tuple(condition: Syntax) -> Syntax:
    return condition._replace(kind="tuple", text="") if condition.kind == "list" else condition


def positive_part(base: Syntax, end: int) -> Syntax:
    """`[x]_+`."""
    head = Syntax("name", base.start, base.start, (), "relu", None, ("func",))
    return Syntax("call", base.start, end, (head, base))


def at_bar(p: Parser) -> bool:
    """Does an evaluation bar stand here: a bar with a subscript behind it, none of its kind open?"""
    return p.peek() in ("bar", "close") and p.token.text == "|" and p.peek(1) == "_" and not p.bars


def read_evaluation(p: Parser, body: Syntax) -> Syntax:
    """The `|_{x=2}` behind `body`; the cursor stands at the bar."""
    bar = p.take()
    p.take()
    if p.peek() != "{":
        raise p.fail("It is not said where this is evaluated.", "Write |_{x=2}.", bar)
    where = read_group(p)
    parts = where.args if where.kind == "tuple" else (where,)
    if not all(part.kind == "chain" for part in parts):
        raise p.fail("It is not said where this is evaluated.", "Write |_{x=2}.", bar)
    if p.peek() == "^":
        raise p.fail("Two bounds at a bar are not read here.")
    return Syntax("at", body.start, p.last_end(), (body, *parts))


def whole_sum_at(node: Syntax) -> Syntax | None:
    """`2x + 1|_{x=2}`: the bar behind the last term may belong to the whole sum."""
    if node.kind != "sum" or node.args[-1].kind != "at":
        return None
    last = node.args[-1]
    whole = node._replace(args=(*node.args[:-1], last.args[0]), end=last.args[0].end)
    wide = Syntax("at", node.start, node.end, (whole, *last.args[1:]))
    return Syntax("ambiguous", node.start, node.end, (wide, node), "what the bar belongs to")


def without_comment(member: Syntax) -> tuple[Syntax, Syntax] | None:
    """`4/x (x \\neq 0)`: the formula without the condition behind it, and with it; None where there is none."""
    if member.kind != "product" or not is_condition(member.args[-1]) or member.data[-1] != "join":
        return None
    rest = member.args[:-1]
    if len(rest) == 1:
        return rest[0], member
    return Syntax("product", member.start, rest[-1].end, rest, "", None, member.data[:-1]), member


def decides_values(condition: Syntax) -> bool:
    """An order between values, which as a factor would count one or zero."""
    return any(node.kind == "relation" and node.text in ("<", ">", "<=", ">=") for node in walk(condition))
