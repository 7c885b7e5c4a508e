"""Numbers of a question: written as such, or as formulas of the parameters drawn for a student."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from grader.kinds.definition import build, make_vocabulary
from grader.kinds.plan import Context, Task
from reference import expression as E
from reference.expression import Expr
from reference.simplify import simplify

Number = Fraction | str
Matrix = tuple[tuple[Number, ...], ...]


def exact_number(given: Number, task: Task, context: Context, key: str) -> Fraction:
    """The exact value of a number or of a formula such as `a/10`.  Raises ProblemError where it is no fraction."""
    if isinstance(given, Fraction):
        return given
    value = simplify((build(given, make_vocabulary(task, context, {}, {}), {}, task, key),))[0]
    if value.op != "constant" or not isinstance(value.value, Fraction | int):
        raise task.refuse(f"`{given}` is no exact number", key, "numbers are whole, decimal, or fractions like '1/3'")
    return Fraction(value.value)


def exact_numbers(given: Iterable[Number], task: Task, context: Context, key: str) -> tuple[Fraction, ...]:
    """The exact values of several numbers."""
    return tuple(exact_number(one, task, context, key) for one in given)


def vector_of(given: Iterable[Number], task: Task, context: Context, key: str) -> Expr:
    """A constant vector.  Shape: (n,)."""
    return E.stack([E.constant(value) for value in exact_numbers(given, task, context, key)])


def matrix_of(rows: Matrix, task: Task, context: Context, key: str) -> Expr:
    """A constant matrix.  Shape: (m, n).  Raises ProblemError where the rows differ in length."""
    if not rows or len({len(row) for row in rows}) != 1 or not rows[0]:
        raise task.refuse("the rows of a matrix have one and the same length", key)
    return E.matrix([[E.constant(value) for value in exact_numbers(row, task, context, key)] for row in rows])
