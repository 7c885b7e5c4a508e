"""Meaning: a syntax tree, a vocabulary and sizes give expressions of the reference engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.notation.elaborate.arrays import (
    abs_value,
    free_letters,
    grid_value,
    indexed_value,
    inner_value,
    list_value,
)
from grader.notation.elaborate.conditions import cases_value, indicator_value
from grader.notation.elaborate.derivatives import derivative_value, prime_value
from grader.notation.elaborate.functions import call_value
from grader.notation.elaborate.labels import with_labels
from grader.notation.elaborate.library import factorial_value, norm_of
from grader.notation.elaborate.names import index_value, name_value
from grader.notation.elaborate.numerals import with_groups
from grader.notation.elaborate.products import (
    fraction_value,
    negative_value,
    number_value,
    power_value,
    product_value,
    root_value,
    sum_value,
)
from grader.notation.elaborate.scope import Account, Scope, trouble
from grader.notation.elaborate.sums import big_value
from grader.notation.syntax import Syntax, walk
from grader.notation.unreadable import Misread
from grader.notation.vocabulary import Vocabulary
from reference.node import Expr, TooLarge
from reference.shapes import ShapeError

MAX_READINGS = 8

Handler = Callable[[Syntax, Scope], Expr]


@dataclass(frozen=True, slots=True)
class Understood:
    """The expressions a text may stand for, likeliest first, and how that was settled."""

    values: tuple[Expr, ...]
    remarks: tuple[str, ...] = ()


def elaborate(syntax: Syntax, vocabulary: Vocabulary, sizes: Mapping[str, int] | None = None) -> tuple[Expr, ...]:
    """Every expression the formula may stand for, likeliest first; any of them being right is right.

    `sizes` gives a number for each named size.  Raises Misread (not understood, with the place) or ShapeError
    (understood, but the shapes do not conform).
    """
    return understand(syntax, vocabulary, sizes).values


def understand(syntax: Syntax, vocabulary: Vocabulary, sizes: Mapping[str, int] | None = None) -> Understood:
    """As `elaborate`, with remarks for the echo."""
    syntax = with_groups(with_labels(syntax, vocabulary))
    nodes = tuple(walk(syntax))
    kinds = {node.kind for node in nodes}
    choices = _choices(nodes) if "ambiguous" in kinds else [{}]
    numpy, from_zero = _is_numpy(nodes), _counts_from_zero(nodes)
    found: dict[Expr, None] = {}
    remarks: dict[str, None] = {}
    problem: Misread | ShapeError | None = None
    layouts = _LAYOUTS[vocabulary.layout]
    oriented = False
    for number, (gradient, jacobian) in enumerate(layouts):
        if number and not oriented:
            break
        for choice in choices:
            account = Account()
            scope = Scope(
                vocabulary, sizes or {}, account, value_of, gradient=gradient, jacobian=jacobian, choices=choice,
                elementwise=numpy, zero_based=from_zero,
            )  # fmt: skip
            try:
                value = _whole(syntax, scope) if "index" in kinds else scope.value(syntax)
                found.setdefault(value)
                remarks.update(account.remarks)
            except (Misread, ShapeError) as error:
                problem = problem if isinstance(problem, Misread) else error
            except (TooLarge, RecursionError, OverflowError):
                problem = trouble(syntax, "This formula is too big to be worked out.")
            oriented |= account.oriented
    if not found:
        assert problem is not None
        raise problem
    return Understood(tuple(found), tuple(remarks))


_LAYOUTS = {
    "any": (("column", "numerator"), ("row", "numerator"), ("column", "denominator")),
    "numerator": (("row", "numerator"),),
    "denominator": (("column", "denominator"),),
}


def _choices(nodes: tuple[Syntax, ...]) -> list[dict[tuple[int, int], int]]:
    """Which reading each ambiguous place takes, over all combinations while these are few."""
    places: dict[tuple[int, int], int] = {}
    for node in nodes:
        if node.kind == "ambiguous":
            key = (node.start, node.end)
            places[key] = max(places.get(key, 0), len(node.args))
    counts = list(places.values())
    total = 1
    for count in counts:
        total *= count
    if total <= MAX_READINGS:
        combinations = list(itertools.product(*(range(count) for count in counts)))
    else:
        combinations = [tuple(min(k, count - 1) for count in counts) for k in range(max(counts))]
    return [dict(zip(places, combination, strict=True)) for combination in combinations]


def _is_numpy(nodes: tuple[Syntax, ...]) -> bool:
    return any("matmul" in node.data for node in nodes)


def _counts_from_zero(nodes: tuple[Syntax, ...]) -> bool:
    """Does a Python index 0 occur?"""
    return any(
        node.kind == "index"
        and node.data == ("bracket",)
        and any(s.kind == "number" and s.value == 0 for s in node.args)
        for node in nodes
    )


def _whole(syntax: Syntax, scope: Scope) -> Expr:
    letters = free_letters(syntax, scope) if syntax.kind != "indexed" else []
    if letters:
        syntax = Syntax("indexed", syntax.start, syntax.end, (syntax,), "", None, tuple(letters))
    return scope.value(syntax)


def value_of(node: Syntax, scope: Scope) -> Expr:
    """The expression of one node."""
    scope.spend(node)
    handler = HANDLERS.get(node.kind)
    if handler is None:
        raise trouble(node, _SAYINGS.get(node.kind, "This is not understood here."))
    return handler(node, scope)


def _ambiguous(node: Syntax, scope: Scope) -> Expr:
    choice = scope.choices.get((node.start, node.end), 0)
    return scope.value(node.args[min(choice, len(node.args) - 1)])


def _chain(node: Syntax, scope: Scope) -> Expr:
    return scope.value(node.args[-1])


def _unread(node: Syntax, scope: Scope) -> Expr:
    raise Misread(int(node.data[0]), int(node.data[1]), node.text, node.data[2])


_SAYINGS = {
    "dots": "It is not clear what these dots stand for.",
    "nothing": "Something is missing here.",
}

HANDLERS: dict[str, Handler] = {
    "number": number_value,
    "name": name_value,
    "sum": sum_value,
    "product": product_value,
    "negative": negative_value,
    "power": power_value,
    "index": index_value,
    "prime": prime_value,
    "call": call_value,
    "ambiguous": _ambiguous,
    "fraction": fraction_value,
    "root": root_value,
    "abs": abs_value,
    "norm": lambda node, scope: norm_of(scope.value(node.args[0]), None, node, scope),
    "inner": inner_value,
    "tuple": list_value,
    "list": list_value,
    "grid": grid_value,
    "cases": cases_value,
    "chain": _chain,
    "relation": indicator_value,
    "indicator": indicator_value,
    "big": big_value,
    "derivative": derivative_value,
    "factorial": factorial_value,
    "indexed": indexed_value,
    "unread": _unread,
}
