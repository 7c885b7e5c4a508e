"""Meaning: a syntax tree, a vocabulary and sizes give expressions of the reference engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from grader.notation.elaborate.arrays import (
    abs_value,
    free_letters,
    grid_value,
    indexed_value,
    inner_value,
    list_value,
)
from grader.notation.elaborate.conditions import cases_value, indicator_value
from grader.notation.elaborate.derivatives import at_value, derivative_value, prime_value
from grader.notation.elaborate.functions import call_value
from grader.notation.elaborate.labels import with_labels
from grader.notation.elaborate.library import factorial_value, norm_of
from grader.notation.elaborate.names import UNSIZED, index_value, name_value
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
MAX_UNITS = 4  # sizes tried for an identity that carries none

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
    choices = _choices(nodes) if any(node.kind == "ambiguous" for node in nodes) else [{}]
    base = Scope(
        vocabulary, sizes or {}, Account(), value_of,
        elementwise=_is_numpy(nodes), zero_based=_counts_from_zero(nodes),
    )  # fmt: skip
    tried = _Tried(syntax, any(node.kind == "index" for node in nodes))
    layouts = _LAYOUTS[vocabulary.layout]
    for choice in choices:
        tried.add(base, choice, layouts[0])
    for layout in layouts[1:] if tried.oriented else ():
        for choice in choices:
            tried.add(base, choice, layout)
    if tried.sliced:
        for choice in choices:
            tried.add(replace(base, slices=1), choice, layouts[0])
    if not tried.found and any(node.kind == "name" and (node.text in UNSIZED or node.text == "e") for node in nodes):
        for unit in _units(base):
            for choice in choices:
                tried.add(replace(base, unit=unit), choice, layouts[0])
    return tried.result()


@dataclass(slots=True)
class _Tried:
    """What the readings tried so far gave."""

    syntax: Syntax
    indexed: bool
    found: dict[Expr, None] = field(default_factory=dict)
    remarks: dict[str, None] = field(default_factory=dict)
    problem: Misread | ShapeError | None = None
    oriented: bool = False
    sliced: bool = False

    def add(self, base: Scope, choice: Mapping[tuple[int, int], int], layout: tuple[str, str]) -> None:
        account = Account()
        scope = replace(base, account=account, choices=choice, gradient=layout[0], jacobian=layout[1])
        try:
            value = _whole(self.syntax, scope) if self.indexed else scope.value(self.syntax)
            self.found.setdefault(value)
            self.remarks.update(account.remarks)
        except (Misread, ShapeError) as error:
            self.problem = self.problem if isinstance(self.problem, Misread) else error
        except (TooLarge, RecursionError, OverflowError):
            self.problem = trouble(self.syntax, "This formula is too big to be worked out.")
        self.oriented |= account.oriented
        self.sliced |= account.sliced

    def result(self) -> Understood:
        if not self.found:
            assert self.problem is not None
            raise self.problem
        return Understood(tuple(self.found), tuple(self.remarks))


def _units(scope: Scope) -> list[int]:
    """Sizes an identity without one may have: those of the question's arrays, and the number of its numbers."""
    shapes = [declared.shape for declared in scope.vocabulary.declared.values()]
    sizes = {scope.size(size) for shape in shapes for size in shape} | {sum(shape == () for shape in shapes)}
    return sorted(size for size in sizes if size > 1)[:MAX_UNITS]


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
    "at": at_value,
    "big": big_value,
    "derivative": derivative_value,
    "factorial": factorial_value,
    "indexed": indexed_value,
    "unread": _unread,
}
