"""Lists, sums and matrices with dots: the pattern between the first and the last entry, written out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grader.notation.elaborate.products import add, multiply
from grader.notation.elaborate.scope import MAX_CELLS, Scope, trouble, whole_number
from grader.notation.syntax import Syntax
from reference.node import Expr


@dataclass(frozen=True, slots=True)
class Pattern:
    """Entries from `low` to `high`; `entry(k)` writes the one numbered k.  A constant has no numbers of its own."""

    low: int
    high: int
    entry: Callable[[int], Syntax]


def _normal(node: Syntax) -> Syntax:
    """A one-token name such as x_1 as a name with a subscript, so that x_1 and x_n have one form."""
    if node.kind == "name":
        found = re.fullmatch(r"(.+)_(\d+)", node.text)
        if found:
            base = Syntax("name", node.start, node.end, (), found[1])
            number = Syntax("number", node.start, node.end, (), "", int(found[2]))
            return Syntax("index", node.start, node.end, (base, number), found[2])
    return node


def pattern(first: Syntax, last: Syntax, scope: Scope) -> Pattern | None:
    """What varies between two entries; None where they differ in more than one number or not at all."""
    differing: set[tuple[int, int]] = set()
    if not _compare(first, last, scope, differing) or len(differing) != 1:
        return None
    low, high = differing.pop()

    def entry(k: int) -> Syntax:
        return _written(first, last, k, scope)

    return Pattern(low, high, entry)


def _compare(a: Syntax, b: Syntax, scope: Scope, differing: set[tuple[int, int]]) -> bool:
    a, b = _normal(a), _normal(b)
    if a.kind == b.kind and len(a.args) == len(b.args) and a.args:
        if a.data != b.data or (a.kind not in ("index", "power") and a.text != b.text):
            return False
        return all(_compare(x, y, scope, differing) for x, y in zip(a.args, b.args, strict=True))
    if a.kind == b.kind and a.text == b.text and a.value == b.value and not a.args and not b.args:
        return True
    low, high = whole_number(a, scope), whole_number(b, scope)
    if low is None or high is None:
        return False
    differing.add((low, high))
    return True


def _written(a: Syntax, b: Syntax, k: int, scope: Scope) -> Syntax:
    a, b = _normal(a), _normal(b)
    if a.kind == b.kind and a.args and len(a.args) == len(b.args):
        args = tuple(_written(x, y, k, scope) for x, y in zip(a.args, b.args, strict=True))
        if args == a.args:
            return a
        text = ",".join(str(s.value) if s.kind == "number" else s.text for s in args[1:]) if a.kind == "index" else ""
        return a._replace(args=args, text=text if a.kind == "index" else a.text)
    if (a.kind, a.text, a.value) == (b.kind, b.text, b.value):
        return a
    return Syntax("number", a.start, a.end, (), "", k)


def expand_entries(entries: Sequence[Syntax], node: Syntax, scope: Scope) -> list[Syntax]:
    """A list with its dots written out."""
    places = [k for k, entry in enumerate(entries) if entry.kind == "dots"]
    if not places:
        return list(entries)
    if len(places) > 1 or places[0] in (0, len(entries) - 1):
        raise trouble(node, "It is not clear how this list with dots goes on.")
    at = places[0]
    before, last = entries[:at], entries[at + 1]
    found = pattern(before[0], last, scope)
    if found is None:
        count = _common_size(before[0], last, node, scope)
        return [before[0]] * count if count else _refuse(node)
    step_low = found.low
    if found.high < step_low or found.high - step_low > MAX_CELLS:
        return _refuse(node)
    full = [found.entry(k) for k in range(step_low, found.high + 1)]
    known = [*before]
    for k, typed in enumerate(known):
        wanted = full[k] if k < len(full) else None
        if wanted is None or scope.value(typed) is not scope.value(wanted):
            raise trouble(typed, "This entry does not fit the pattern of the list with dots.")
    return full + list(entries[at + 2 :])


def _refuse(node: Syntax) -> list[Syntax]:
    raise trouble(node, "It is not clear how this list with dots goes on.")


def _common_size(first: Syntax, last: Syntax, node: Syntax, scope: Scope) -> int:
    """How often `1, …, 1`: the one length the question's vectors have."""
    if scope.value(first) is not scope.value(last):
        return 0
    sizes = {scope.size(d.shape[0]) for d in scope.vocabulary.declared.values() if len(d.shape) == 1}
    sizes = sizes or set(scope.sizes.values())
    return sizes.pop() if len(sizes) == 1 else 0


def expand_sum(node: Syntax, scope: Scope) -> Expr:
    """a_1 + … + a_n."""
    signs = {sign for arg, sign in zip(node.args, node.data, strict=True) if arg.kind != "dots"}
    at = next(k for k, arg in enumerate(node.args) if arg.kind == "dots")
    first = 0
    if len(signs) > 1 or "-" in signs:
        raise trouble(node, "It is not clear how this sum with dots goes on.")
    terms = expand_entries(node.args[first:], node.args[at], scope)
    total = scope.value(terms[0])
    for term in terms[1:]:
        total = add(total, scope.value(term), "+")
    return total


def expand_product(node: Syntax, scope: Scope) -> Expr:
    """a_1 ⋯ a_n."""
    at = next(k for k, arg in enumerate(node.args) if arg.kind == "dots")
    if any(join in ("over", "each_over") for join in node.data):
        raise trouble(node, "It is not clear how this product with dots goes on.")
    total: Expr | None = None
    for factor in expand_entries(node.args, node.args[at], scope):
        value = scope.value(factor)
        total = value if total is None else multiply(total, value, "join", node, scope)
    assert total is not None
    return total


def expand_grid(rows: list[list[Syntax]], node: Syntax, scope: Scope) -> list[list[Syntax]]:
    """A matrix with dots written out: by rows, by columns, or along its diagonal."""
    if not any(cell.kind == "dots" for row in rows for cell in row):
        return rows
    diagonal = _diagonal(rows, node, scope)
    if diagonal is not None:
        return diagonal
    wide: list[list[Syntax] | None] = []
    for row in rows:
        if all(cell.kind in ("dots", "nothing") for cell in row):
            wide.append(None)
        else:
            wide.append(expand_entries(row, node, scope))
    width = max(len(row) for row in wide if row is not None)
    out: list[list[Syntax]] = []
    for k, full in enumerate(wide):
        if full is not None:
            out.append(full)
            continue
        if k in (0, len(wide) - 1) or wide[k - 1] is None or wide[k + 1] is None:
            raise trouble(node, "It is not clear how this matrix with dots goes on.")
        out += _between(out[-1], wide[k + 1] or [], width, node, scope)
    return out


def _between(above: list[Syntax], below: list[Syntax], width: int, node: Syntax, scope: Scope) -> list[list[Syntax]]:
    """The rows that a row of dots stands for, without the two beside it."""
    if len(above) != len(below):
        raise trouble(node, "The rows of this matrix have different lengths.")
    found = [pattern(a, b, scope) for a, b in zip(above, below, strict=True)]
    ranges = {(p.low, p.high) for p in found if p is not None}
    if len(ranges) > 1:
        raise trouble(node, "It is not clear how this matrix with dots goes on.")
    if not ranges:
        if any(scope.value(a) is not scope.value(b) for a, b in zip(above, below, strict=True)):
            raise trouble(node, "It is not clear how this matrix with dots goes on.")
        return [above] * max(0, width - 2)
    low, high = ranges.pop()
    if not 0 < high - low <= MAX_CELLS:
        raise trouble(node, "It is not clear how this matrix with dots goes on.")
    return [
        [p.entry(k) if p is not None else a for p, a in zip(found, above, strict=True)] for k in range(low + 1, high)
    ]


def _diagonal(rows: list[list[Syntax]], node: Syntax, scope: Scope) -> list[list[Syntax]] | None:
    """First and last entry with ⋱ between them and nothing but blanks, zeros and dots beside the diagonal."""
    size = len(rows)
    if size < 3 or len(rows[0]) != size:
        return None
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            blank = cell.kind in ("nothing", "dots") or (cell.kind == "number" and cell.value == 0)
            if i != j and not blank:
                return None
    on_diagonal = [rows[k][k] for k in range(size)]
    if not any(cell.kind == "dots" for cell in on_diagonal):
        return None
    entries = expand_entries(on_diagonal, node, scope)
    if len(entries) ** 2 > MAX_CELLS:
        raise trouble(node, "This matrix is too big to be read.")
    zero = Syntax("number", node.start, node.start, (), "", 0)
    return [[entries[i] if i == j else zero for j in range(len(entries))] for i in range(len(entries))]
