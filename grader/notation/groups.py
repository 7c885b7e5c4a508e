"""Numbers, TeX groups and arguments: what the other parts of the grammar share."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from grader.notation.syntax import Syntax, nothing
from grader.notation.tokens import Token, number_of

if TYPE_CHECKING:
    from grader.notation.parser import Parser


def read_number(p: Parser) -> Syntax:
    token = p.take()
    if "/" in token.text:
        return Syntax("number", token.start, token.end, (), "", Fraction(token.text))
    if p.peek() == "comma":  # 0{,}5
        p.take()
        rest = p.take()
        if not (token.text.isdigit() and rest.text.isdigit()):
            raise p.fail("This number has more than one decimal sign.", token=rest)
        number = decimal(token.text + "." + rest.text, token.start, rest.end)
        return _decimal_or_thousands(number, token, rest)
    if p.kinds[p.i] == "," and p.vocabulary.decimal_comma and is_decimal_comma(p, p.i):
        p.take()
        rest = p.take()
        return decimal(token.text + "." + rest.text, token.start, rest.end)
    text = "decimal" if "." in token.text or "e" in token.text.lower() else ""
    value = number_of(token.text) if text else int(token.text)
    return Syntax("number", token.start, token.end, (), text, value)


def _decimal_or_thousands(number: Syntax, before: Token, after: Token) -> Syntax:
    """`12{,}500` may be 12.5 or 12500."""
    if len(after.text) != 3 or len(before.text) > 3 or before.text.startswith("0"):
        return number
    whole = Syntax("number", number.start, number.end, (), "", int(before.text + after.text))
    return Syntax("ambiguous", number.start, number.end, (number, whole), "a decimal comma or groups of three digits")


def decimal(text: str, start: int, end: int) -> Syntax:
    return Syntax("number", start, end, (), "decimal", number_of(text))


def is_decimal_comma(p: Parser, at: int) -> bool:
    """Is the comma at token `at` tight between two whole numbers, neither of which continues?"""
    tokens = p.tokens
    if at + 1 >= p.size or at == 0:
        return False
    before, after = tokens[at - 1], tokens[at + 1]
    tight = not after.spaced and not tokens[at].spaced and before.end == tokens[at].start
    if not (tight and before.kind == "num" == after.kind and before.text.isdigit() and after.text.isdigit()):
        return False
    return not (tokens[at + 2].kind == "," and not tokens[at + 2].spaced and tokens[at + 3].kind == "num")


def place(start: int, width: int) -> Token:
    """A token that only says where."""
    return Token("bar", "|", start, start + width)


def read_group(p: Parser) -> Syntax:
    """A TeX group: invisible brackets, or `{a \\over b}`."""
    opening = p.take()
    if p.peek() == "}":
        p.take()
        return nothing(opening.end)
    p.descend()
    saved, p.row_list = p.row_list, False
    bars, p.bars = p.bars, []
    node = read_over(p, p.sum())
    if p.peek() == "rel":
        node = read_links(p, node)
    p.bars = bars
    p.row_list = saved
    if p.peek() == ",":
        node = read_more(p, node)
    while p.peek() == "stop" and p.peek(1) == "}":  # \boxed{… .}
        p.take()
    close_group(p, opening.start)
    p.depth -= 1
    return node


def read_links(p: Parser, first: Syntax) -> Syntax:
    """The rest of `a = b = c` behind its first member, as one node."""
    members, links = [first], []
    while p.peek() == "rel":
        links.append(p.take().text)
        members.append(read_over(p, p.sum()))
    return relation_or_chain(members, links)


def relation_or_chain(members: list[Syntax], links: list[str]) -> Syntax:
    kind = "chain" if all(link in ("=", "≈") for link in links) else "relation"
    text = links[0] if kind == "relation" else ""
    return Syntax(kind, members[0].start, members[-1].end, tuple(members), text, None, tuple(links))


def read_over(p: Parser, node: Syntax) -> Syntax:
    if p.peek() == "over":
        mark = p.take().text
        below = p.sum()
        if mark == "choose":
            return coefficient(node, below, node.start, below.end)
        return Syntax("fraction", node.start, below.end, (node, below))
    return node


def coefficient(above: Syntax, below: Syntax, start: int, end: int) -> Syntax:
    """n over k, the binomial coefficient."""
    head = Syntax("name", start, start, (), "binom", None, ("func",))
    return Syntax("call", start, end, (head, above, below))


def close_group(p: Parser, start: int) -> None:
    if p.peek() == "}":
        p.take()
        return
    if p.peek() == "end":
        message = "This brace `{` is never closed."
        command = p.tokens[max(0, next((k for k in range(p.size) if p.tokens[k].start >= start), 1) - 1)]
        if command.kind in ("func", "cmd") and command.end <= start:
            message = f"`\\{command.text}{{` has no closing brace."
        raise p.fail(message, "Add a `}`.", token=place(start, 1))
    raise p.unexpected()


def read_argument(p: Parser) -> Syntax:
    """One argument of a command: a group or, as TeX has it, the next token (one digit of a number)."""
    if p.peek() == "{":
        node = read_group(p)
        if node.kind == "nothing":
            raise p.fail("These braces are empty.", token=p.tokens[p.i - 1])
        return node
    return one_token(p)


def one_token(p: Parser) -> Syntax:
    token = p.token
    if token.kind == "num":
        if len(token.text) > 1 and token.text.isdigit() and p.latex:
            first, rest = token.text[0], token.text[1:]
            p.splits.append((p.i, token))
            p.tokens[p.i] = token._replace(text=rest, start=token.start + 1, spaced=False)
            return Syntax("number", token.start, token.start + 1, (), "", int(first))
        return read_number(p)
    if token.kind == "name":
        p.take()
        return Syntax("name", token.start, token.end, (), token.text)
    p.descend()
    node = p.atom()
    p.depth -= 1
    return node


def skip_argument(p: Parser) -> None:
    if p.peek() != "{":
        p.take()
        return
    depth = 0
    while p.peek() != "end":
        kind = p.take().kind
        depth += {"{": 1, "}": -1}.get(kind, 0)
        if depth == 0:
            return


def read_more(p: Parser, first: Syntax) -> Syntax:
    """The rest of `a, b, c` behind its first member, as a tuple."""
    members = [first]
    while p.peek() == ",":
        p.take()
        if p.peek() in ("}", "close", "end"):
            break
        member = read_over(p, p.sum())
        members.append(read_links(p, member) if p.peek() == "rel" else member)
    return Syntax("tuple", first.start, members[-1].end, tuple(members))
