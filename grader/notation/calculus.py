"""Derivatives, gradients, sums and products with bounds, as they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from grader.notation.calls import base_name
from grader.notation.groups import read_argument, read_group, read_links, skip_argument
from grader.notation.syntax import Syntax, nothing

if TYPE_CHECKING:
    from grader.notation.parser import Parser

_D = ("d", "partial")
MAX_ORDER = 6


def _is_d(p: Parser, ahead: int = 0) -> bool:
    return p.peek(ahead) == "name" and p.tokens[p.i + ahead].text in _D


def _read_order(p: Parser) -> int:
    """`^2` behind a d."""
    if p.peek() != "^":
        return 1
    p.take()
    node = read_argument(p)
    if node.kind != "number" or not isinstance(node.value, int) or not 1 <= node.value <= MAX_ORDER:
        raise p.fail("This order of differentiation is not understood.")
    return node.value


def read_variable(p: Parser) -> tuple[Syntax, int]:
    """What is differentiated by, and how often: a name with its subscripts and labels."""
    from grader.notation import atoms

    kind = p.peek()
    if kind == "{":
        node = read_group(p)
    elif kind in ("name", "accent"):
        node = atoms.ATOMS[kind](p) if kind == "accent" else Syntax("name", *_span(p), (), p.take().text)
    elif kind == "open":
        node = p.atom()
    else:
        raise p.unexpected()
    order = 1
    while p.peek() in ("_", "^", "'", "open"):
        if p.peek() == "open" and not (p.token.text == "[" and not p.token.spaced):
            break
        if p.peek() == "_":
            node = atoms.read_subscript(p, node)
            continue
        if p.peek() != "^":
            node = p.postfix(node)
            break
        node = atoms.read_superscript(p, node)
        if node.kind == "power" and node.args[1].kind == "number" and isinstance(node.args[1].value, int):
            order, node = node.args[1].value, node.args[0]
    if not 1 <= order <= MAX_ORDER:
        raise p.fail("This order of differentiation is not understood.")
    return node, order


def _span(p: Parser) -> tuple[int, int]:
    return p.token.start, p.token.end


def _read_below(p: Parser) -> tuple[list[Syntax], int]:
    """`\\partial x \\partial y`, `dx^2`: the variables, each as often as it is meant."""
    variables: list[Syntax] = []
    while _is_d(p):
        p.take()
        node, order = read_variable(p)
        variables += [node] * order
        if len(variables) > MAX_ORDER:
            raise p.fail("This order of differentiation is not understood.")
    if not variables:
        raise p.unexpected()
    return variables, len(variables)


def _derivative(p: Parser, kind: str, start: int, body: Syntax | None, variables: list[Syntax]) -> Syntax:
    if body is None and p.peek() == "open":
        return _operator_before_bracket(p, kind, start, variables)
    if body is None:
        body = read_operand(p)
    return Syntax("derivative", start, p.last_end(), (body, *variables), kind, len(variables))


def _operator_before_bracket(p: Parser, kind: str, start: int, variables: list[Syntax]) -> Syntax:
    """`d/dx (u)(v)`: the operator takes the bracket, or all that stands beside it; both are kept."""
    first = p.factor()
    factors = [first]
    narrow = Syntax("derivative", start, p.last_end(), (first, *variables), kind, len(variables))
    while p.starts_factor() and not _is_d(p):
        factors.append(p.factor())
    if len(factors) == 1:
        return narrow
    joins = ("join",) * (len(factors) - 1)
    end = p.last_end()
    inside = Syntax("product", first.start, end, tuple(factors), "", None, joins)
    wide = Syntax("derivative", start, end, (inside, *variables), kind, len(variables))
    beside = Syntax("product", start, end, (narrow, *factors[1:]), "", None, joins)
    return Syntax("ambiguous", start, end, (wide, beside), "what the derivative is taken of")


def read_operand(p: Parser) -> Syntax:
    """What an operator such as d/dx acts on: the bracket or the product that follows."""
    if p.peek() == "*" and p.token.text == "dot":
        return nothing(p.token.start)
    if not p.starts_factor():
        return nothing(p.token.start)
    if p.peek() == "open":
        return p.factor()
    factors = [p.factor()]
    while p.starts_factor() and not _is_d(p):
        factors.append(p.factor())
    if len(factors) == 1:
        return factors[0]
    joins = ("join",) * (len(factors) - 1)
    return Syntax("product", factors[0].start, factors[-1].end, tuple(factors), "", None, joins)


def read_differential(p: Parser) -> Syntax | None:
    """`dL/dtheta`, `∂f/∂x`, `d/dx (…)`, `\\partial_x f`; None where a d is just a name."""
    return p.attempt("differential", lambda: _read_differential(p))


def _read_differential(p: Parser) -> Syntax:
    opening = p.take()
    kind = opening.text
    if p.peek() == "_" and kind == "partial":
        return _read_subscripted(p, opening.start)
    order = _read_order(p)
    body = None
    if p.peek() != "/":
        body = p.factor()
    if p.peek() != "/":
        raise p.unexpected()
    p.take()
    grouped = p.peek() == "open" and p.token.text == "(" and _is_d(p, 1)
    if grouped:
        p.take()
    if not _is_d(p):
        raise p.unexpected()
    variables, count = _read_below(p)
    if grouped:
        if p.peek() != "close":
            raise p.unexpected()
        p.take()
    if count != order:
        raise p.fail("The orders above and below do not agree.", token=opening)
    return _derivative(p, kind, opening.start, body, variables)


def _read_subscripted(p: Parser, start: int) -> Syntax:
    from grader.notation import atoms

    anchor = Syntax("name", start, start + 1, (), "partial")
    node = atoms.read_subscript(p, anchor)
    body = read_operand(p)
    return Syntax("derivative", start, p.last_end(), (body, *node.args[1:]), "partial", len(node.args) - 1)


def read_fraction_derivative(p: Parser, start: int) -> Syntax | None:
    """`\\frac{\\partial L}{\\partial x}`, `\\frac{d}{dx} …`; None for any other fraction."""
    first = 1 if p.peek() == "{" else 0
    if not _is_d(p, first):
        return None
    return p.attempt("derivative", lambda: _read_fraction_derivative(p, start))


def _read_fraction_derivative(p: Parser, start: int) -> Syntax:
    grouped = p.peek() == "{"
    if grouped:
        p.take()
    opening = p.take()
    order = _read_order(p) if grouped else 1
    body = None
    if grouped:
        body = None if p.peek() == "}" else p.sum()
        if p.peek() != "}":
            raise p.unexpected()
        p.take()
    if p.peek() != "{" or not _is_d(p, 1):
        raise p.unexpected()
    p.take()
    variables, count = _read_below(p)
    if p.peek() != "}":
        raise p.unexpected()
    p.take()
    if opening.text == "d" and "d" in p.vocabulary.known and body is not None:
        name = base_name(body)
        if name is not None and name.text in p.vocabulary.declared:
            raise p.unexpected()  # a fraction of products with the symbol d
    if count != order:
        raise p.fail("The orders above and below do not agree.", token=opening)
    return _derivative(p, opening.text, start, body, variables)


def read_physics_derivative(kind: str) -> Callable[[Parser, int], Syntax]:
    """`\\dv{f}{x}`, `\\pdv{f}{x}` of the physics package."""

    def read(p: Parser, start: int) -> Syntax:
        first = read_argument(p)
        if p.peek() != "{":
            return _derivative(p, kind, start, None, [first])
        return _derivative(p, kind, start, first, [read_argument(p)])

    return read


def read_nabla(p: Parser, start: int) -> Syntax:
    """`\\nabla_x f`, `\\nabla^2 f`: gradient or Hessian; without a subscript by the question's variable."""
    from grader.notation import atoms

    variables: list[Syntax] = []
    order = 1
    while p.peek() in ("_", "^"):
        if p.peek() == "_":
            node = atoms.read_subscript(p, Syntax("name", start, start + 1, (), "nabla"))
            variables = list(node.args[1:])
        else:
            order = _read_order(p)
    if p.peek() == "*" and p.token.text in ("dot", "times"):
        raise p.fail("Divergence and curl are not read here.")
    body = _nabla_body(p)
    return Syntax("derivative", start, p.last_end(), (body, *variables), "nabla", order)


def _nabla_body(p: Parser) -> Syntax:
    """One factor where it is a function or unknown name, else the product that follows."""
    if not p.starts_factor():
        return nothing(p.token.start)
    first = p.factor()
    head = first.args[0] if first.kind == "call" else first
    name = base_name(head)
    if first.kind in ("call", "abs", "norm", "derivative") or p.kinds[p.i - 1] == "close":
        return first
    if name is not None and name.text not in p.vocabulary.declared:
        return first
    factors = [first]
    while p.starts_factor():
        factors.append(p.factor())
    if len(factors) == 1:
        return first
    joins = ("join",) * (len(factors) - 1)
    return Syntax("product", first.start, p.last_end(), tuple(factors), "", None, joins)


def read_big(p: Parser, text: str) -> Syntax:
    """`\\sum_{i=1}^{n} …`, `\\prod_k …`, `\\max_i …`: body, lower, upper."""
    opening = p.take()
    lower = upper = nothing(opening.end)
    while p.peek() in ("_", "^"):
        if p.take().kind == "_":
            lower = _read_bound(p)
        else:
            upper = read_argument(p)
    sign = p.sign() if p.peek() in ("+", "-") else "+"
    body = p.product()
    if sign == "-":
        body = Syntax("negative", body.start, body.end, (body,))
    return Syntax("big", opening.start, p.last_end(), (body, lower, upper), text)


def _read_bound(p: Parser) -> Syntax:
    if p.peek() != "{":
        return read_argument(p)
    if p.peek(1) == "cmd" and p.tokens[p.i + 1].text == "substack":
        return _read_substack(p)
    return read_group(p)


def _read_substack(p: Parser) -> Syntax:
    """`{\\substack{i = 1 \\\\ i \\neq j}}`: its lines as a list of bounds."""
    start = p.token.start
    p.i += 2
    if p.peek() != "{":
        raise p.unexpected()
    p.take()
    parts: list[Syntax] = []
    while p.peek() != "}":
        if p.peek() in (",", "row"):
            p.take()
            continue
        part = p.sum()
        parts.append(read_links(p, part) if p.peek() == "rel" else part)
    p.take()
    if p.peek() != "}":
        raise p.unexpected()
    p.take()
    return Syntax("tuple", start, p.last_end(), tuple(parts))


__all__ = ["read_argument", "read_big", "read_differential", "read_nabla", "skip_argument"]
