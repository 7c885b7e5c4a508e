"""What is known while one formula is given its meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from grader.notation.syntax import Syntax
from grader.notation.unreadable import Misread
from grader.notation.vocabulary import Shape, Size, Vocabulary
from reference.expression import ordered
from reference.node import Expr

MAX_STEPS = 12_000  # nodes given a meaning, repetitions in sums included
MAX_TERMS = 2_000  # of one sum or product
MAX_CELLS = 10_000  # of one array
MAX_ENTRIES = 1_000_000  # of any array a formula builds
MAX_DEFINITION_DEPTH = 20
MAX_DIFFERENTIATED = 800  # nodes of all formulas differentiated in one elaboration


@dataclass
class Account:
    """What one elaboration has used up and noticed; shared by all the scopes of it."""

    steps: int = 0
    differentiated: int = 0
    oriented: bool = False  # did it matter whether a gradient is a row or a column?
    sliced: bool = False  # did it matter how rows of a matrix are read?
    remarks: dict[str, None] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # base → the label left out behind it
    values: dict[str, Expr] = field(default_factory=dict)  # definitions already given a meaning


@dataclass(frozen=True)
class Scope:
    """Meaning of names at one place of a formula.  `value` gives the expression of any node here."""

    vocabulary: Vocabulary
    sizes: Mapping[str, int]
    account: Account
    evaluate: Callable[[Syntax, Scope], Expr]
    bound: Mapping[str, int] = field(default_factory=dict)  # index letters
    held: Mapping[str, Expr] = field(default_factory=dict)  # names that stand for an expression here
    gradient: str = "column"  # or "row"
    jacobian: str = "numerator"  # or "denominator"
    choices: Mapping[tuple[int, int], int] = field(default_factory=dict)  # place of an ambiguity → reading taken
    zero_based: bool = False  # do Python brackets count from 0?
    elementwise: bool = False  # does `*` between arrays work entry by entry (numpy with @)?
    depth: int = 0  # of definitions within definitions
    slices: int = 0  # 0: X_{i,:} a row, x_i a row as a vector; 1: X_{i,:} a vector, x_i a column
    unit: int = 0  # size of identities and ones that carry none; 0 where they take it from their neighbours
    solid: bool = False  # do value definitions stand for themselves (partial derivatives)?

    def value(self, node: Syntax) -> Expr:
        return self.evaluate(node, self)

    def binding(self, letters: Mapping[str, int]) -> Scope:
        return replace(self, bound={**self.bound, **letters})

    def holding(self, names: Mapping[str, Expr]) -> Scope:
        return replace(self, held={**self.held, **names})

    def remark(self, text: str) -> None:
        if len(self.account.remarks) < 12:
            self.account.remarks[text] = None

    def spend(self, node: Syntax) -> None:
        self.account.steps += 1
        if self.account.steps > MAX_STEPS:
            raise trouble(node, "This formula is too big to be worked out.")

    def spend_derivative(self, value: Expr, node: Syntax) -> None:
        """Count a formula about to be differentiated by its nodes."""
        self.account.differentiated += len(ordered((value,)))
        if self.account.differentiated > MAX_DIFFERENTIATED:
            raise trouble(node, "This derivative is too big to be worked out.")

    def size(self, size: Size) -> int:
        """A declared size as a number.  Raises ValueError when the caller gave no value for its name."""
        if isinstance(size, int):
            return size
        if size not in self.sizes:
            raise ValueError(f"no value is given for the size {size}")
        return self.sizes[size]

    def shape(self, shape: Shape) -> tuple[int, ...]:
        return tuple(self.size(size) for size in shape)


def trouble(node: Syntax, message: str, suggestion: str = "") -> Misread:
    """What is not understood about a node, at its place."""
    return Misread(node.start, max(node.end, node.start), message, suggestion)


def whole_number(node: Syntax, scope: Scope) -> int | None:
    """The value of an index or size: numbers, bound letters, sizes and sums and products of these; else None."""
    kind = node.kind
    if kind == "number":
        value = node.value
        if isinstance(value, Fraction) and value.denominator == 1:
            value = int(value)
        return value if isinstance(value, int) else None
    if kind == "name":
        if node.text in scope.bound:
            return scope.bound[node.text]
        return scope.sizes.get(node.text) if node.text not in scope.vocabulary.declared else None
    if kind == "negative":
        inner = whole_number(node.args[0], scope)
        return None if inner is None else -inner
    if kind in ("sum", "product"):
        return _whole_combination(node, scope)
    if kind == "chain":
        return whole_number(node.args[-1], scope)
    return None


def _whole_combination(node: Syntax, scope: Scope) -> int | None:
    values = [whole_number(arg, scope) for arg in node.args]
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(values):
        return None
    if node.kind == "sum":
        return sum(v if sign == "+" else -v for sign, v in zip(node.data, numbers, strict=True))
    if any(join not in ("join", "star", "dot", "times") for join in node.data):
        return None
    out = 1
    for value in numbers:
        out *= value
        if abs(out) > 10**12:
            return None
    return out
