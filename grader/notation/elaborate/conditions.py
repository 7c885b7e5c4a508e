"""Cases, indicators and the conditions they rest on: decided where they speak of indices, else a selection."""

from __future__ import annotations

from grader.notation.elaborate.scope import Scope, trouble, whole_number
from grader.notation.syntax import Syntax
from reference import expression as E
from reference.node import Expr
from reference.shapes import ShapeError, describe


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
    if condition.kind == "tuple":
        return _all_positive([_positive_where(part, scope) for part in condition.args])
    if condition.kind not in ("relation", "chain"):
        raise trouble(condition, "This condition is not understood.")
    values = [scope.value(part) for part in condition.args]
    links = condition.data or (condition.text or "=",)
    pairs = zip(values, links, values[1:], strict=False)
    return _all_positive([_positive_link(a, link, b, condition, scope) for a, link, b in pairs])


def _all_positive(parts: list[Expr]) -> Expr:
    out = parts[0]
    for part in parts[1:]:
        out = E.minimum(out, part)
    return out


def _positive_link(left: Expr, link: str, right: Expr, condition: Syntax, scope: Scope) -> Expr:
    if left.shape != right.shape and left.shape and right.shape:
        raise ShapeError(f"{describe(left.shape)} cannot be compared with {describe(right.shape)}")
    if link in (">", ">="):
        return E.sub(left, right)
    if link in ("<", "<="):
        return E.sub(right, left)
    if any(declared.domain == "integer" for declared in scope.vocabulary.declared.values()):
        raise trouble(condition, "A case for a single point is not read here.")
    if link == "!=":
        return E.abs(E.sub(left, right))
    if link == "=":  # a single point decides nothing
        return E.neg(E.abs(E.sub(left, right)))
    raise trouble(condition, "This condition is not understood.")


def indicator_value(node: Syntax, scope: Scope) -> Expr:
    """`1[z > 0]`, `(z > 0)` as a factor: one where the condition holds, else zero; entry by entry for arrays."""
    condition = node.args[0] if node.kind == "indicator" else node
    decided = decide(condition, scope)
    if decided is not None:
        return E.constant(int(decided))
    scope.remark("a condition was read as one where it holds, zero elsewhere")
    return E.select(_positive_where(condition, scope), E.constant(1), E.constant(0))
