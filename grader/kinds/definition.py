"""From an author's text to expressions: vocabulary, sizes, domain.  An author's mistake raises ProblemError."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from grader.decode import ProblemError
from grader.kinds.plan import Context, Sizes, Task
from grader.notation import Unreadable, Vocabulary, build_vocabulary, elaborate, read
from grader.notation.unreadable import Misread, caret
from reference import expression as E
from reference.expression import Expr, ShapeError

if TYPE_CHECKING:
    from grader.compare import Domain

# Sizes tried for names such as n, M, N: pairwise different, so that a transpose or a wrong order cannot hide.
SIZE_DRAWS = ((3, 2, 4, 5, 6, 7), (2, 4, 3, 6, 5, 8))
_RELATION = re.compile(r"(>=|<=|!=|≥|≤|≠|>|<)")
_SPELT = {"≥": ">=", "≤": "<=", "≠": "!="}


def make_vocabulary(
    task: Task,
    context: Context,
    symbols: Mapping[str, str],
    definitions: Mapping[str, str],
    variable: str = "",
) -> Vocabulary:
    """The names a question declares, with this variant's parameters as definitions.  Raises ProblemError."""
    drawn = {name: str(value) for name, value in context.parameters.items()}
    clash = sorted(set(drawn) & (set(symbols) | set(definitions)))
    if clash:
        raise task.refuse(f"`{clash[0]}` is both a parameter and declared", "parameters")
    try:
        return build_vocabulary(
            symbols,
            {**definitions, **drawn},
            log="decimal" if context.log == "10" else "natural",
            decimal_comma=context.decimal_comma,
            aliases=context.names,
            variable=variable,
        )
    except ValueError as trouble:
        raise task.refuse(str(trouble), "symbols") from None


def size_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Names of the sizes that are not numbers, in order of appearance."""
    found: dict[str, None] = {}
    for declaration in vocabulary.symbols.values():
        found.update((size, None) for size in declaration.shape if isinstance(size, str))
    for function in vocabulary.functions.values():
        for shape in (*function.arguments, function.result):
            found.update((size, None) for size in shape if isinstance(size, str))
    return tuple(found)


def draw_sizes(vocabulary: Vocabulary) -> tuple[Sizes, ...]:
    """The choices of sizes at which a question is worked out; one empty choice if every size is a number."""
    names = size_names(vocabulary)
    if not names:
        return ({},)
    return tuple(
        {name: draw[position % len(draw)] + position // len(draw) for position, name in enumerate(names)}
        for draw in SIZE_DRAWS
    )


def build(text: str, vocabulary: Vocabulary, sizes: Sizes, task: Task, key: str) -> Expr:
    """The expression an author's text stands for.  Raises ProblemError with the place of the trouble."""
    notation = "latex" if "\\" in text else "plain"
    reading = read(text, notation, vocabulary)  # type: ignore[arg-type]
    if isinstance(reading, Unreadable):
        place = caret(text, reading.start, reading.end)
        raise task.refuse(f"{reading.message}\n{place}", key, reading.suggestion or _advice(reading.message))
    try:
        return with_squares(elaborate(reading.chain[-1], vocabulary, sizes)[0])
    except Misread as trouble:
        place = caret(text, trouble.start, trouble.end)
        suggestion = trouble.suggestion or _advice(trouble.message)
        raise task.refuse(f"{trouble.message}\n{place}", key, suggestion) from None
    except ShapeError as trouble:
        raise task.refuse(f"the shapes do not conform: {trouble}", key) from None


def _advice(message: str) -> str:
    """How to mend what is not declared; "" for anything else."""
    if "is not a function of this question" in message:
        return "declare it: symbols = {'p(x)' = 'function'}"
    return "declare it in `symbols`, `definitions` or `parameters`" if "of this question" in message else ""


def with_squares(f: Expr) -> Expr:
    """The same with ‖x‖² as one operation, which has a derivative at 0 too."""

    def rule(node: Expr, args: tuple[Expr, ...]) -> Expr:
        base = args[0] if args else node
        square = node.op == "pow" and args[1].op == "constant" and args[1].value == 2
        if square and base.op == "norm" and base.attr("order") == "2" and base.attr("axis") is None:
            return E.norm(base.args[0], "squared")
        return E.rebuild(node, args)

    return E.rewrite((f,), rule)[0]


def build_domain(vocabulary: Vocabulary, sizes: Sizes, where: Iterable[str], task: Task) -> Domain:
    """The declared domain at these sizes.  Raises ProblemError if it is empty or a condition is not understood."""
    from dataclasses import replace

    from grader.compare import Condition, Domain

    symbols = {
        name: replace(one, shape=tuple(sizes[s] if isinstance(s, str) else s for s in one.shape))
        for name, one in vocabulary.symbols.items()
    }
    conditions = []
    for text in where:
        sides = _RELATION.split(text)
        if len(sides) != 3:
            raise task.refuse(f"`{text}` is no condition", "where", "write 'x1^2 > x3'")
        left, right = (build(side, vocabulary, sizes, task, "where") for side in (sides[0], sides[2]))
        conditions.append(Condition(left - right, _SPELT.get(sides[1], sides[1])))  # type: ignore[arg-type]
    domain = Domain(symbols, tuple(conditions))
    if not domain.points():
        key = "where" if where else "symbols"
        raise task.refuse("the domain is empty: no point satisfies every condition", key, "loosen `symbols` or `where`")
    return domain


def on_every_size(vocabulary: Vocabulary, make: Callable[[Sizes], Expr]) -> tuple[tuple[Sizes, Expr], ...]:
    """`make` at every choice of sizes."""
    return tuple((sizes, make(sizes)) for sizes in draw_sizes(vocabulary))


def number_text(value: Fraction) -> str:
    """A parameter's value as an author would type it."""
    return f"({value})" if value < 0 or value.denominator != 1 else str(value)


__all__ = [
    "ProblemError",
    "build",
    "build_domain",
    "draw_sizes",
    "make_vocabulary",
    "number_text",
    "on_every_size",
    "size_names",
]
