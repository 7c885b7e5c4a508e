"""Difference quotients in a function's text: (f(x + h) − f(x − h)) / 2h, its relatives of higher order, and loops."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from grader.compare.nodes.code_graph import own_nodes

REDUCING = frozenset({"sum", "mean", "dot", "vdot", "inner", "float", "asarray", "array"})  # looked into
NUMERIC = frozenset({"np", "numpy", "math", "cmath", "scipy"})  # modules whose functions have many honest uses
BUILT_IN = frozenset(
    {
        "get",
        "pop",
        "copy",
        "reshape",
        "zeros",
        "ones",
        "zeros_like",
        "ones_like",
        "len",
        "range",
        "max",
        "min",
        "abs",
        "int",
        "isinstance",
        "zip",
        "enumerate",
        "reduced",
        "type",
    }
)
MOST_FOLLOWED = 40  # names followed from one expression


def difference_quotients(function: ast.AST) -> Iterator[ast.AST]:
    """Places where values of one function are subtracted, or one is taken beside itself, and divided by the step."""
    values = _values(function)
    for node in own_nodes(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Mult):
            for numerator, other in ((node.left, node.right), (node.right, node.left)):
                if isinstance(node.op, ast.Div) and numerator is node.right:
                    continue
                if isinstance(node.op, ast.Mult) and not _has_division(other):
                    continue
                if _is_quotient(numerator, other, values, isinstance(node.op, ast.Div)):
                    yield node
                    break


def _has_division(node: ast.expr) -> bool:
    return any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Div | ast.Pow) for one in ast.walk(node))


Values = Mapping[str, list[ast.expr]]


def _values(function: ast.AST) -> Values:
    """What each local name is made of, changes of its entries included."""
    found: dict[str, list[ast.expr]] = {}

    def note(target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            for i, one in enumerate(target.elts):
                note(one, parts[i] if len(parts) == len(target.elts) else value)
            return
        while isinstance(target, ast.Subscript | ast.Attribute | ast.Starred):
            target = target.value
        if isinstance(target, ast.Name):
            found.setdefault(target.id, []).append(value)

    for node in own_nodes(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                note(target, node.value)
        elif isinstance(node, ast.AugAssign):
            note(node.target, ast.BinOp(node.target, node.op, node.value))
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            note(node.target, node.value)
        elif isinstance(node, ast.For):
            note(node.target, node.iter)
    return found


def _is_quotient(numerator: ast.expr, other: ast.expr, values: Values, divided: bool) -> bool:
    terms = _terms(numerator, values)
    calls = [term for term in terms if isinstance(term, ast.Call) and _callee(term) is not None]
    step = _followed(other, values)
    numbers = _numbers(other)
    for i, one in enumerate(calls):
        for two in calls[:i]:
            if _callee(one) == _callee(two) and _same_but_for_step(one, two, step, numbers, values):
                return True
    return divided and any(_is_beside_itself(one, other) for one in calls)


def _terms(node: ast.expr, values: Values, depth: int = 0) -> list[ast.expr]:
    """The terms of a sum of products, names of the function and reductions looked into."""
    if depth > 12:
        return [node]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        sides = [_terms(side, values, depth + 1) for side in (node.left, node.right)]
        callees = [{_callee(one) for one in side if isinstance(one, ast.Call)} for side in sides]
        if isinstance(node.op, ast.Mult) and callees[0] & callees[1]:
            return []  # s(x) (1 - s(x)) is a product, not a difference
        return sides[0] + sides[1]
    if isinstance(node, ast.UnaryOp):
        return _terms(node.operand, values, depth + 1)
    if isinstance(node, ast.Name) and node.id in values:
        return [
            term
            for value in values[node.id][:4]
            for term in (_terms(value, values, depth + 3) if not isinstance(value, ast.Name) else [value])
        ]
    if isinstance(node, ast.Call) and _name(node.func) in REDUCING:
        parts = [*node.args]
        if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
            parts.append(node.func.value)
        return [term for part in parts for term in _terms(part, values, depth + 1)]
    return [node]


def _same_but_for_step(one: ast.Call, two: ast.Call, step: set[str], numbers: set[float], values: Values) -> bool:
    """Two calls of one function at places that differ by what is divided by."""
    same = [ast.dump(a) for a in one.args] == [ast.dump(a) for a in two.args]
    if _is_known(one):  # honest code subtracts logarithms; a step must be seen in both places
        shifts = [_shift(call) for call in (one, two)]
        return not same and any(shift & step or shift & {str(n) for n in numbers} for shift in shifts)
    if same:  # the argument was changed in between, so both values were kept
        kept = [value for many in values.values() for value in many]
        return all(any(call is inner for value in kept for inner in ast.walk(value)) for call in (one, two))
    inside = {name for call in (one, two) for arg in call.args for name in _followed(arg, values)}
    shifted = any(_shift(call) for call in (one, two)) or any(
        isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add | ast.Sub)
        for call in (one, two)
        for arg in call.args
        for name in _names(arg)
        for value in values.get(name, [])
        for inner in ast.walk(value)
    )
    return shifted and (bool(inside & step) or bool(numbers))


def _is_beside_itself(call: ast.Call, divisor: ast.expr) -> bool:
    """f(… + h …) / h, one term of a quotient that a loop adds up."""
    return not _is_known(call) and bool(_shift(call) & (_names(divisor)))


def _shift(call: ast.Call) -> set[str]:
    """Names and numbers that are added or subtracted inside the arguments."""
    found: set[str] = set()
    for arg in call.args:
        for node in ast.walk(arg):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
                for side in (node.left, node.right):
                    found |= _names(side) | {str(n) for n in _numbers(side)}
    return found


def _followed(node: ast.expr, values: Values) -> set[str]:
    """Names in an expression and in what they are made of."""
    found = _names(node)
    waiting = list(found)
    while waiting and len(found) < MOST_FOLLOWED:
        for value in values.get(waiting.pop(), []):
            new = _names(value) - found
            found |= new
            waiting += new
    return found


def _names(node: ast.AST) -> set[str]:
    called = {id(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}
    inner = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and id(one) not in called}
    return inner - NUMERIC - {"self", "cls", "ctx"}


def _numbers(node: ast.AST) -> set[float]:
    values = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
    return {float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)}


def _callee(call: ast.Call) -> str | None:
    name = _name(call.func)
    return None if name in BUILT_IN or name == "" else ast.dump(call.func)


def _is_known(call: ast.Call) -> bool:
    """A function of numpy or math rather than one of the hand-in."""
    return isinstance(call.func, ast.Attribute) and _is_module(call.func.value)


def _is_module(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in NUMERIC


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
