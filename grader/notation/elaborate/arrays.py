"""Vectors, matrices, bars, formulas with free indices."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from grader.notation.elaborate.ellipsis import expand_entries, expand_grid
from grader.notation.elaborate.products import is_unsized
from grader.notation.elaborate.scope import MAX_CELLS, Scope, trouble
from grader.notation.elaborate.sums import range_of
from grader.notation.syntax import Syntax, walk
from grader.notation.targets import uses
from reference import expression as E
from reference.node import Expr
from reference.shapes import ShapeError, describe

MAX_INDICES = 4


def list_value(node: Syntax, scope: Scope) -> Expr:
    """(a, b, c), [a; b]: a vector; a list of lists a matrix; vectors side by side too."""
    entries = expand_entries(node.args, node, scope)
    if len(entries) > MAX_CELLS:
        raise trouble(node, "This list is too long to be read.")
    values = [scope.value(entry) for entry in entries]
    shapes = {value.shape for value in values}
    if len(shapes) > 1:
        return _joined(values)
    shape = shapes.pop()
    if node.text == "row":
        return E.stack(values) if shape == () else E.stack(values, axis=1)
    if len(shape) == 2 and shape[0] == 1:
        return E.concat(values, axis=0)
    return E.stack(values)


def _joined(values: list[Expr]) -> Expr:
    if all(len(value.shape) == 1 for value in values):
        lengths = sorted({value.shape[0] for value in values})
        raise ShapeError(f"the rows of a matrix must have one length, not {lengths[0]} and {lengths[1]}")
    raise ShapeError("the entries of a vector must all be numbers")


def grid_value(node: Syntax, scope: Scope) -> Expr:
    """A matrix; one column is a vector, one row a row; cells may be blocks."""
    width = int(node.data[0])
    rows = [list(node.args[k : k + width]) for k in range(0, len(node.args), width)]
    rows = expand_grid(rows, node, scope)
    if sum(len(row) for row in rows) > MAX_CELLS:
        raise trouble(node, "This matrix is too big to be read.")
    cells = [[_cell(cell, scope) for cell in row] for row in rows]
    if len({len(row) for row in cells}) > 1:
        raise trouble(node, "The rows of this matrix have different lengths.")
    blocks = any(cell.shape for row in cells for cell in row)
    value = _blocks(cells) if blocks else _numbers(cells)
    if node.text == "vmatrix":
        return E.det(value) if len(value.shape) == 2 else value
    return value


def _cell(cell: Syntax, scope: Scope) -> Expr:
    if cell.kind == "nothing":
        return E.constant(0)
    if cell.kind == "name" and is_unsized(cell, scope) and cell.text == "bold0":
        return E.constant(0)
    return scope.value(cell)


def _numbers(cells: list[list[Expr]]) -> Expr:
    if len(cells[0]) == 1:
        return E.stack([row[0] for row in cells])
    if len(cells) == 1:
        return E.reshape(E.stack(cells[0]), (1, len(cells[0])))
    return E.matrix(cells)


def _blocks(cells: list[list[Expr]]) -> Expr:
    """A matrix of vectors and matrices, put together."""
    if len(cells) == 1 and len({c.shape for c in cells[0]}) == 1 and len(cells[0][0].shape) == 1:
        return E.stack(cells[0], axis=1)
    if all(len(row) == 1 and len(row[0].shape) == 1 for row in cells):
        return E.concat([row[0] for row in cells])
    rows = []
    for row in cells:
        parts = [c if len(c.shape) == 2 else E.reshape(c, (c.shape[0] if c.shape else 1, 1)) for c in row]
        if len({part.shape[0] for part in parts}) > 1:
            raise ShapeError("the blocks of this matrix do not fit beside each other")
        rows.append(E.concat(parts, axis=1) if len(parts) > 1 else parts[0])
    if len({row.shape[1] for row in rows}) > 1:
        raise ShapeError("the blocks of this matrix do not fit below each other")
    return E.concat(rows, axis=0) if len(rows) > 1 else rows[0]


def abs_value(node: Syntax, scope: Scope) -> Expr:
    value = scope.value(node.args[0])
    if len(value.shape) == 1:
        scope.remark("bars around a vector were read as its norm")
        return E.norm(value)
    if len(value.shape) == 2 and value.shape[0] == value.shape[1]:
        scope.remark("bars around a square matrix were read as its determinant")
        return E.det(value)
    if value.shape:
        raise ShapeError(f"bars around {describe(value.shape)} mean nothing")
    return E.abs(value)


def inner_value(node: Syntax, scope: Scope) -> Expr:
    from grader.notation.elaborate.library import inner_product

    return inner_product(scope.value(node.args[0]), scope.value(node.args[1]), node, scope)


# -- free indices ----------------------------------------------------------------------------------------------------


def indexed_value(node: Syntax, scope: Scope) -> Expr:
    """`δ_i x_j` for W_{ij}: the whole array, one axis for each free index in the order of the left-hand side."""
    body = node.args[0]
    letters = [letter for letter in node.data if letter not in scope.bound]
    body = summed_pairs(body, letters, scope)
    ranges = {letter: range_of(letter, body, scope) for letter in letters}
    known = {values for values in ranges.values() if values is not None}
    if len(known) == 1:
        for letter in letters:  # the j of a'(x_i) δ_{ij} runs as far as the i
            if ranges[letter] is None and uses(body, (letter,)):
                ranges[letter] = next(iter(known))
    used = [letter for letter in letters if ranges[letter] is not None]
    if not used:
        return scope.value(body)
    if len(used) > MAX_INDICES:
        raise trouble(node, "This formula has too many free indices.")
    cells = 1
    for letter in used:
        cells *= len(ranges[letter] or ())
    if cells > MAX_CELLS:
        raise trouble(node, "This formula stands for too big an array.")
    scope.remark(f"a formula with the free indices {', '.join(used)} was read as the whole array")
    return _stacked(body, [(letter, ranges[letter] or range(0)) for letter in used], scope)


def _stacked(body: Syntax, axes: list[tuple[str, range]], scope: Scope) -> Expr:
    if not axes:
        return scope.value(body)
    letter, values = axes[0]
    return E.stack([_stacked(body, axes[1:], scope.binding({letter: value})) for value in values])


def summed_pairs(node: Syntax, letters: list[str], scope: Scope) -> Syntax:
    """Einstein's convention: a letter that the left-hand side lacks and two factors of a product share is summed."""
    if node.kind in ("sum", "negative"):
        return node._replace(args=tuple(summed_pairs(arg, letters, scope) for arg in node.args))
    if node.kind != "product":
        return node
    known = {*letters, *scope.bound, *scope.sizes, *scope.vocabulary.known}
    shared: dict[str, int] = {}
    for factor in node.args:
        for sub in set(_plain_letters(factor.args[1:])) if factor.kind == "index" else ():
            shared[sub] = shared.get(sub, 0) + 1
    for letter in sorted(sub for sub, count in shared.items() if count == 2 and sub not in known):
        if range_of(letter, node, scope) is not None:
            scope.remark(f"`{letter}` occurs twice and was summed over")
            index = Syntax("name", node.start, node.start, (), letter)
            empty = Syntax("nothing", node.start, node.start)
            node = Syntax("big", node.start, node.end, (node, index, empty), "sum")
    return node


def free_letters(syntax: Syntax, scope: Scope) -> list[str]:
    """Index letters at known arrays that no sum binds, in alphabetical order."""
    bound: set[str] = set(scope.bound) | set(scope.sizes) | set(scope.vocabulary.known)
    for node in walk(syntax):
        if node.kind == "big":
            bound |= {part.text for part in walk(node.args[1]) if part.kind == "name"}
        elif node.kind == "indexed":
            bound |= set(node.data)
    found: dict[str, None] = {}
    for node in walk(syntax):
        if node.kind == "index" and node.args[0].kind not in ("norm", "abs"):
            for sub in _plain_letters(node.args[1:]):
                if sub not in bound and range_of(sub, syntax, scope) is not None:
                    found[sub] = None
    return sorted(found)


def _plain_letters(subs: Iterable[Syntax]) -> list[str]:
    return [sub.text for sub in subs if sub.kind == "name" and len(sub.text) == 1 and sub.text.isalpha()]


def exact_number(value: Fraction) -> Expr:
    return E.constant(value)
