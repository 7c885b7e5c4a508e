"""Sums and products with bounds, and how far an index runs."""

from __future__ import annotations

from grader.notation.elaborate.conditions import decide
from grader.notation.elaborate.names import family_of, lookup
from grader.notation.elaborate.products import add, multiply
from grader.notation.elaborate.scope import MAX_TERMS, Scope, trouble, whole_number
from grader.notation.syntax import Syntax, walk
from reference import expression as E
from reference.node import Expr


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
    if len(part.args) > 3 and set(part.data) <= {"<", "<="}:
        _read_ordered(part, scope, ranges, conditions)
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
    for other in part.args:  # i < j runs over both, j ≠ i over j where i is known
        free = other.kind == "name" and other.text not in ranges and whole_number(other, scope) is None
        if free:
            ranges[other.text] = _inferred(other, body, scope)
    if letter.text not in ranges:
        ranges[letter.text] = _inferred(letter, body, scope)
    conditions.append(part)


def _read_ordered(part: Syntax, scope: Scope, ranges: dict[str, range], conditions: list[Syntax]) -> None:
    """`1 \\le i < j \\le n`."""
    low, high = whole_number(part.args[0], scope), whole_number(part.args[-1], scope)
    letters = part.args[1:-1]
    if low is None or high is None or high - low > MAX_TERMS or any(letter.kind != "name" for letter in letters):
        raise trouble(part, "The bounds of this sum are not understood.")
    for letter in letters:
        ranges[letter.text] = range(low, high + 1)
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
