"""Vectors, matrices, cases with conditions, sums and products with bounds, formulas with free indices."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from grader.notation.elaborate.ellipsis import expand_entries, expand_grid
from grader.notation.elaborate.names import family_of, lookup
from grader.notation.elaborate.products import add, is_unsized, multiply
from grader.notation.elaborate.scope import MAX_CELLS, MAX_TERMS, Scope, trouble, whole_number
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


# -- conditions ------------------------------------------------------------------------------------------------------


def cases_value(node: Syntax, scope: Scope) -> Expr:
    """The branch whose condition on indices holds; conditions on values become a selection."""
    pairs = [(node.args[k], node.args[k + 1]) for k in range(0, len(node.args), 2)]
    chosen: list[tuple[Expr, Expr | None]] = []
    for value, condition in pairs:
        decided = decide(condition, scope)
        if decided is True:
            chosen.append((scope.value(value), None))
            break
        if decided is None:
            chosen.append((scope.value(value), _positive_where(condition, scope)))
    if not chosen:
        raise trouble(node, "None of these cases applies.")
    result = chosen[-1][0]
    if chosen[-1][1] is not None and len(chosen) == 1:
        raise trouble(node, "These cases leave out the rest.")
    for branch, positive in reversed(chosen[:-1]):
        assert positive is not None
        result = E.select(positive, branch, result)
    return result


def decide(condition: Syntax, scope: Scope) -> bool | None:
    """Truth of a condition on indices, None where it rests on values."""
    if condition.kind in ("otherwise", "nothing"):
        return True
    if condition.kind == "tuple":
        parts = [decide(part, scope) for part in condition.args]
        return None if None in parts else all(parts)
    if condition.kind not in ("relation", "chain"):
        raise trouble(condition, "This condition is not understood.")
    numbers = [whole_number(arg, scope) for arg in condition.args]
    if any(number is None for number in numbers):
        return None
    values = [number for number in numbers if number is not None]
    links = condition.data or (condition.text,)
    return all(_holds(a, link, b) for a, link, b in zip(values, links, values[1:], strict=False))


def _holds(a: int, link: str, b: int) -> bool:
    return {"=": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}.get(link, False)


def _positive_where(condition: Syntax, scope: Scope) -> Expr:
    """An expression that is positive where the condition holds.  At equality cases are a matter of convention."""
    if condition.kind not in ("relation", "chain") or len(condition.args) != 2:
        raise trouble(condition, "This condition is not understood.")
    left, right = scope.value(condition.args[0]), scope.value(condition.args[1])
    link = condition.text or "="
    if link in (">", ">="):
        return E.sub(left, right)
    if link in ("<", "<="):
        return E.sub(right, left)
    if link == "!=":
        return E.abs(E.sub(left, right))
    raise trouble(condition, "A case for a single point is not read here.")


# -- sums with bounds ------------------------------------------------------------------------------------------------


def big_value(node: Syntax, scope: Scope) -> Expr:
    """Σ, Π, max, min over an index, written out; without an index over all entries of the body."""
    body, lower, upper = node.args
    if node.data == ("python",):
        scope = _python_scope(scope)
    runs = _runs(node, lower, upper, body, scope)
    if runs is None:
        return _over_entries(node, body, scope)
    total: Expr | None = None
    parts: list[Expr] = []
    for letters in runs:
        scope.spend(node)
        value = scope.binding(letters).value(body)
        if node.text == "list":
            parts.append(value)
        elif total is None:
            total = value
        else:
            total = _folded(node, total, value, scope)
    if node.text == "list":
        if not parts:
            raise trouble(node, "This list is empty.")
        return E.stack(parts)
    if total is None:
        return E.constant(0 if node.text == "sum" else 1)
    return E.div(total, len(list(runs))) if node.text == "mean" else total


def _python_scope(scope: Scope) -> Scope:
    from dataclasses import replace

    return replace(scope, zero_based=True)


def _folded(node: Syntax, total: Expr, value: Expr, scope: Scope) -> Expr:
    if node.text in ("sum", "mean"):
        return add(total, value, "+")
    if node.text == "prod":
        return multiply(total, value, "join", node, scope)
    return E.maximum(total, value) if node.text == "max" else E.minimum(total, value)


def _over_entries(node: Syntax, body: Syntax, scope: Scope) -> Expr:
    value = scope.value(body)
    if not value.shape:
        raise trouble(node, "It is not clear what runs in this sum.", "Write its bounds.")
    scope.remark("a sum without bounds was read as the sum of all entries")
    reduce = {"sum": E.sum, "prod": E.prod, "max": E.max, "min": E.min, "mean": E.mean}
    return reduce[node.text](value)


def _runs(node: Syntax, lower: Syntax, upper: Syntax, body: Syntax, scope: Scope) -> list[dict[str, int]] | None:
    """The values the index takes, one dictionary each; None where there is no index."""
    if lower.kind == "nothing":
        if upper.kind != "nothing":
            raise trouble(node, "This sum has an upper bound but no index.")
        return None
    conditions: list[Syntax] = []
    ranges: dict[str, range] = {}
    parts = lower.args if lower.kind == "tuple" else (lower,)
    for part in parts:
        _read_bound(part, upper, body, scope, ranges, conditions)
    out: list[dict[str, int]] = [{}]
    for letter, values in ranges.items():
        if len(values) * len(out) > MAX_TERMS:
            raise trouble(node, f"This sum has more than {MAX_TERMS} terms.")
        out = [{**letters, letter: value} for letters in out for value in values]
    if conditions:
        out = [letters for letters in out if all(_meets(c, letters, scope) for c in conditions)]
    return out


def _meets(condition: Syntax, letters: dict[str, int], scope: Scope) -> bool:
    decided = decide(condition, scope.binding(letters))
    if decided is None:
        raise trouble(condition, "This condition of the sum is not understood.")
    return decided


def _read_bound(
    part: Syntax, upper: Syntax, body: Syntax, scope: Scope, ranges: dict[str, range], conditions: list[Syntax]
) -> None:
    if part.kind == "name":
        ranges[part.text] = _inferred(part, body, scope)
        return
    if part.kind == "product" and set(part.data) == {"join"} and all(a.kind == "name" for a in part.args):
        for letter in part.args:
            ranges[letter.text] = _inferred(letter, body, scope)
        return
    if part.kind == "chain" and len(part.args) >= 2 and part.args[-2].kind == "name":
        letters = [a for a in part.args[:-1] if a.kind == "name"]
        low = whole_number(part.args[-1], scope)
        high = None if upper.kind == "nothing" else whole_number(upper, scope)
        if low is None:
            raise trouble(part.args[-1], "This lower bound is not understood.")
        for letter in letters:
            if upper.kind == "nothing":
                ranges[letter.text] = range(low, _inferred(letter, body, scope).stop)
            elif high is None:
                raise trouble(upper, "This upper bound is not a number of this question.")
            else:
                if high - low > MAX_TERMS:
                    raise trouble(upper, f"This sum has more than {MAX_TERMS} terms.")
                ranges[letter.text] = range(low, high + 1)
        return
    if part.kind == "relation":
        _read_relation(part, body, scope, ranges, conditions)
        return
    raise trouble(part, "What runs in this sum is not understood.")


def _read_relation(
    part: Syntax, body: Syntax, scope: Scope, ranges: dict[str, range], conditions: list[Syntax]
) -> None:
    """`j \\neq i`, `1 \\le i \\le n`, `i \\in S`."""
    if part.text == "in":
        ranges[part.args[0].text] = _inferred(part.args[0], body, scope)
        return
    if len(part.args) == 3 and part.args[1].kind == "name" and set(part.data) <= {"<", "<="}:
        low, high = whole_number(part.args[0], scope), whole_number(part.args[2], scope)
        if low is None or high is None or high - low > MAX_TERMS:
            raise trouble(part, "The bounds of this sum are not understood.")
        ranges[part.args[1].text] = range(low + (part.data[0] == "<"), high + (part.data[1] == "<="))
        return
    letter = part.args[0]
    if letter.kind != "name":
        raise trouble(part, "What runs in this sum is not understood.")
    if letter.text not in ranges:
        ranges[letter.text] = _inferred(letter, body, scope)
    conditions.append(part)


def _inferred(letter: Syntax, body: Syntax, scope: Scope) -> range:
    found = range_of(letter.text, body, scope)
    if found is None:
        raise trouble(letter, f"How far `{letter.text}` runs is not clear.", "Write the bounds.")
    return found


def range_of(letter: str, body: Syntax, scope: Scope) -> range | None:
    """The values an index takes, from the arrays it stands at."""
    for node in walk(body):
        if node.kind != "index":
            continue
        for position, sub in enumerate(node.args[1:]):
            if sub.kind == "name" and sub.text == letter:
                found = _length(node.args[0], position, len(node.args) - 1, scope)
                if found is not None:
                    return found
    return None


def _length(base: Syntax, position: int, count: int, scope: Scope) -> range | None:
    while base.kind in ("power", "prime"):
        base = base.args[0]
    if base.kind != "name":
        return None
    name = scope.vocabulary.other_names.get(base.text, base.text)
    family = family_of(name, scope)
    if family:
        first = 0 if f"{name}_0" in scope.vocabulary.known else 1
        return range(first, first + len(family))
    for candidate in (name, name.swapcase() if count > 1 or name not in scope.vocabulary.known else name):
        declared = scope.vocabulary.declared.get(candidate)
        if declared is not None and len(declared.shape) > position and len(declared.shape) >= count:
            return range(1, scope.size(declared.shape[position]) + 1)
    if name in scope.vocabulary.applied or name in scope.bound:
        return None
    value = lookup(name, base, scope)
    if value is not None and len(value.shape) > position:
        return range(1, value.shape[position] + 1)
    return _pair_family(name, position, scope)


def _pair_family(name: str, position: int, scope: Scope) -> range | None:
    """w_{1,1} … w_{2,3} declared one by one."""
    numbers: set[int] = set()
    for other in scope.vocabulary.bases.get(name, ()):
        parts = other.partition("_")[2].split(",")
        if len(parts) > position and all(part.isdigit() for part in parts):
            numbers.add(int(parts[position]))
    return range(min(numbers), max(numbers) + 1) if numbers else None


# -- free indices ----------------------------------------------------------------------------------------------------


def indexed_value(node: Syntax, scope: Scope) -> Expr:
    """`δ_i x_j` for W_{ij}: the whole array, one axis for each free index in the order of the left-hand side."""
    body = node.args[0]
    letters = [letter for letter in node.data if letter not in scope.bound]
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
