"""What was typed, as a tree that knows nothing of sizes; every node knows its place in the student's text.

| kind | args | text, value, data |
|---|---|---|
| `number` | – | value: Fraction; text "decimal" where a decimal point was typed |
| `name` | – | text: canonical name (`theta`, `x_1`); data: ("bold",) where bold |
| `sum` | terms | data: one of "+", "-" per term |
| `product` | factors | data: joins between them (see `JOINS`) |
| `negative` | one | |
| `power` | base, exponent | text: the exponent as typed without blanks |
| `index` | base, subscripts… | text: the subscript as typed without blanks |
| `prime` | base | value: how many |
| `call` | head, arguments… | data: ("bare",) where no bracket was typed |
| `ambiguous` | readings, likeliest first | text: why |
| `fraction`, `root` | above, below · radicand, degree | |
| `abs`, `norm`, `inner` | one · one · two | |
| `tuple`, `list` | entries | text: the separators |
| `grid` | cells row by row | data: columns of each row as text; text: the environment |
| `cases` | value, condition, … | |
| `relation` | left, right | text: `=` `!=` `<` … |
| `chain` | members | data: links between them |
| `big` | body, lower, upper | text: sum, prod, max, min; a missing part is `nothing` |
| `derivative` | body or `nothing`, variables… | text: d, partial, nabla, jacobian; value: order |
| `at` | body, relations… | evaluated at a point |
| `dots`, `nothing`, `condition`, `unread` | – | text: message of what was not read |
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

JOINS = ("join", "star", "dot", "times", "odot", "otimes", "circ", "each", "over", "each_over", "matmul", "left_over")


class Syntax(NamedTuple):
    """A node of the tree.  `start`, `end` are offsets in the text as typed."""

    kind: str
    start: int
    end: int
    args: tuple[Syntax, ...] = ()
    text: str = ""
    value: Fraction | int | None = None
    data: tuple[str, ...] = ()


def nothing(place: int) -> Syntax:
    return Syntax("nothing", place, place)


def walk(syntax: Syntax) -> Iterator[Syntax]:
    """Every node, parents before children, left to right; a loop, so depth does not matter."""
    stack = [syntax]
    while stack:
        node = stack.pop()
        yield node
        if node.args:
            stack.extend(node.args[::-1])
