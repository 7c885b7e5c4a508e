"""The functions everybody knows: of one number, of several arguments, of arrays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from grader.notation.elaborate.ellipsis import expand_entries
from grader.notation.elaborate.products import cross, divide, exact, multiply, transposed
from grader.notation.elaborate.scope import MAX_CELLS, Scope, trouble, whole_number
from grader.notation.syntax import Syntax
from reference import expression as E
from reference.node import Expr
from reference.shapes import ShapeError, describe

UNARY: dict[str, Callable[[Expr], Expr]] = {
    name: getattr(E, name)
    for name in [
        "exp",
        "sin",
        "cos",
        "tan",
        "sec",
        "csc",
        "cot",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
        "sech",
        "csch",
        "coth",
        "arcsinh",
        "arccosh",
        "arctanh",
        "sqrt",
        "cbrt",
        "sign",
        "abs",
        "relu",
        "sigmoid",
        "softplus",
        "silu",
        "log2",
        "log10",
    ]
} | {
    "ln": E.log,
    "arccot": lambda x: E.sub(E.div(E.PI, 2), E.arctan(x)),
    "arcsec": lambda x: E.arccos(E.div(1, x)),
    "arccsc": lambda x: E.arcsin(E.div(1, x)),
    "arcsech": lambda x: E.arccosh(E.div(1, x)),
    "arccsch": lambda x: E.arcsinh(E.div(1, x)),
    "arccoth": lambda x: E.arctanh(E.div(1, x)),
    "log1p": lambda x: E.log(E.add(1, x)),
    "expm1": lambda x: E.sub(E.exp(x), 1),
    "heaviside": E.step,
    "reciprocal": lambda x: E.div(1, x),
    "logsigmoid": lambda x: E.neg(E.softplus(E.neg(x))),
    "square": lambda x: E.pow(x, 2),
    "negative": E.neg,
}
INVERSES = {
    "sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot", "sec": "arcsec", "csc": "arccsc",
    "sinh": "arcsinh", "cosh": "arccosh", "tanh": "arctanh", "coth": "arccoth", "sech": "arcsech", "csch": "arccsch",
    "exp": "ln", "ln": "exp",
}  # fmt: skip
MAX_FACTORIAL = 170
MAX_CALL_ORDER = 4


def one_value(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    if len(args) != 1:
        raise trouble(node, "This function takes one argument.")
    return scope.value(args[0])


# -- functions of several arguments or of arrays ---------------------------------------------------------------------

Build = Callable[[Sequence[Syntax], Syntax, Scope], Expr]


def _values(args: Sequence[Syntax], node: Syntax, scope: Scope, count: int | None = None) -> list[Expr]:
    entries = expand_entries(args, node, scope)
    if count is not None and len(entries) != count:
        raise trouble(node, f"This function takes {count} arguments.")
    return [scope.value(arg) for arg in entries]


def _extreme(fold: Callable[[Expr, Expr], Expr], reduce: Callable[[Expr], Expr]) -> Build:
    def build(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
        values = _values(args, node, scope)
        if len(values) == 1:
            return reduce(values[0]) if values[0].shape else values[0]
        out = values[0]
        for value in values[1:]:
            out = fold(out, value)
        return out

    return build


def _diag(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    values = _values(args, node, scope)
    if len(values) > 1:
        if any(value.shape for value in values):
            raise ShapeError("diag takes one vector or several numbers")
        return E.diag(E.stack(values))
    value = values[0]
    if value.shape == ():
        scope.remark("diag of one number was read as that number")
        return value
    if len(value.shape) == 2 and value.shape[0] == 1:
        return E.diag(transposed(value, node))
    if len(value.shape) == 2 and value.shape[0] == value.shape[1]:
        return E.diagonal(value)
    return E.diag(value)


def _array_function(build: Callable[[Expr], Expr], needs: str = "array") -> Build:
    def built(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
        values = _values(args, node, scope)
        value = values[0] if len(values) == 1 else E.stack(values)
        if value.shape == () and needs == "matrix":
            return value
        if value.shape == () and needs == "array":
            raise ShapeError("this function acts on a vector or matrix, not on a number")
        return build(value)

    return built


def _two(build: Callable[[Expr, Expr, Syntax, Scope], Expr]) -> Build:
    def built(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
        left, right = _values(args, node, scope, 2)
        return build(left, right, node, scope)

    return built


def inner_product(left: Expr, right: Expr, node: Syntax, scope: Scope) -> Expr:
    """Inner product of vectors in any layout, of matrices the sum of products; `np.dot` of others their product."""
    flat_left = transposed(left, node) if len(left.shape) == 2 and left.shape[0] == 1 else left
    flat_right = transposed(right, node) if len(right.shape) == 2 and right.shape[0] == 1 else right
    if len(flat_left.shape) == 1 and len(flat_right.shape) == 1:
        return E.dot(flat_left, flat_right)
    if node.kind == "inner" and left.shape == right.shape:
        return E.sum(E.mul(left, right))
    return multiply(left, right, "matmul", node, scope)


def _outer(left: Expr, right: Expr, node: Syntax, scope: Scope) -> Expr:
    flat = [transposed(v, node) if len(v.shape) == 2 and v.shape[0] == 1 else v for v in (left, right)]
    return E.outer(flat[0], flat[1])


def _vec(value: Expr) -> Expr:
    """Columns below each other."""
    if len(value.shape) != 2:
        return value
    return E.reshape(E.transpose(value), (value.shape[0] * value.shape[1],))


def _sized_array(kind: str) -> Build:
    def build(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
        parts = args[0].args if len(args) == 1 and args[0].kind in ("tuple", "list") else args
        sizes = [whole_number(part, scope) for part in parts]
        shape = tuple(size for size in sizes if size is not None)
        cells = math.prod(shape) if kind != "eye" else shape[0] ** 2 if shape else 0
        if len(shape) != len(sizes) or not 1 <= len(shape) <= 2 or min(shape) < 1 or cells > MAX_CELLS:
            raise trouble(node, "The size of this array is not understood.")
        if kind == "eye":
            return E.eye(shape[0])
        return E.ones(shape) if kind == "ones" else E.zeros(shape)

    return build


def _factorial_of(value: int, node: Syntax) -> Expr:
    if not 0 <= value <= MAX_FACTORIAL:
        raise trouble(node, f"A factorial beyond {MAX_FACTORIAL} is not worked out here.")
    return E.constant(math.factorial(value))


def factorial_value(node: Syntax, scope: Scope) -> Expr:
    value = whole_number(node.args[0], scope)
    if value is None:
        return E.factorial(scope.value(node.args[0]))
    return _factorial_of(value, node)


def _factorial(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    return factorial_value(Syntax("factorial", node.start, node.end, (args[0],)), scope)


def _binom(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    n, k = _values(args, node, scope, 2)
    return E.binomial(n, k)


def _diff(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    if len(args) < 2:
        raise trouble(node, "Say by what to differentiate.", "Write diff(f, x).")
    order, variables = 1, list(args[1:])
    if len(variables) == 2 and variables[1].kind == "number" and isinstance(variables[1].value, int):
        order = min(max(variables[1].value, 1), MAX_CALL_ORDER)
        variables = variables[:1]
    made = Syntax("derivative", node.start, node.end, (args[0], *(variables * order)), "d", order * len(variables))
    return scope.value(made)


def _norm(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    order = args[1] if len(args) > 1 else None
    return norm_of(scope.value(args[0]), order, node, scope)


def norm_value(base: Syntax, subs: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    """‖x‖, ‖x‖_1, |x|_2: a bar pair with a subscript is a norm."""
    if len(subs) > 1:
        raise trouble(node, "This norm is not understood.")
    return norm_of(scope.value(base.args[0]), subs[0] if subs else None, node, scope)


def norm_of(value: Expr, order: Syntax | None, node: Syntax, scope: Scope) -> Expr:
    if value.shape == ():
        return E.abs(value)
    if order is None:
        return E.norm(value, "fro") if len(value.shape) == 2 and 1 not in value.shape else E.norm(value)
    if order.kind == "name" and order.text in ("infty", "inf", "max"):
        return E.norm(value, "inf")
    if order.kind == "name" and order.text in ("F", "Fro", "fro", "2"):
        return E.norm(value, "fro") if len(value.shape) == 2 else E.norm(value)
    number = whole_number(order, scope)
    if number in (1, 2) and (len(value.shape) == 1 or 1 in value.shape):
        return E.norm(value, "1" if number == 1 else "2")
    if number is not None and number > 2 and len(value.shape) == 1:
        return E.pow(E.sum(E.pow(E.abs(value), number)), Fraction(1, number))
    raise trouble(node, "This norm is not understood.")


def _gather(args: Sequence[Syntax], node: Syntax, scope: Scope, reduce: Callable[[Expr], Expr]) -> Expr:
    values = _values(args, node, scope)
    value = values[0] if len(values) == 1 else E.stack(values)
    if value.shape == ():
        raise trouble(node, "It is not clear what runs in this sum.", "Write its bounds.")
    return reduce(value)


def _add_all(sign: str) -> Build:
    return _two(lambda a, b, node, scope: E.add(a, b) if sign == "+" else E.sub(a, b))


SEVERAL: dict[str, Build] = {
    "max": _extreme(E.maximum, E.max),
    "min": _extreme(E.minimum, E.min),
    "diag": _diag,
    "trace": _array_function(E.trace, "matrix"),
    "det": _array_function(E.det, "matrix"),
    "inv": _array_function(E.inv, "matrix"),
    "transpose": lambda args, node, scope: transposed(one_value(args, node, scope), node),
    "softmax": _array_function(E.softmax),
    "logsumexp": _array_function(E.logsumexp),
    "mean": _array_function(E.mean),
    "vec": _array_function(_vec, "any"),
    "norm": _norm,
    "dot": _two(inner_product),
    "matmul": _two(lambda a, b, node, scope: multiply(a, b, "matmul", node, scope)),
    "outer": _two(_outer),
    "hadamard": _two(lambda a, b, node, scope: multiply(a, b, "odot", node, scope)),
    "kron": _two(lambda a, b, node, scope: E.kron(a, b)),
    "pow": _two(lambda a, b, node, scope: E.pow(a, exact(b))),
    "divide": _two(lambda a, b, node, scope: divide(a, b, "each_over", scope)),
    "add": _add_all("+"),
    "subtract": _add_all("-"),
    "rational": _two(lambda a, b, node, scope: exact(E.div(a, b))),
    "eye": _sized_array("eye"),
    "ones": _sized_array("ones"),
    "zeros": _sized_array("zeros"),
    "einsum": lambda args, node, scope: _einsum(args, node, scope),
    "clip": lambda args, node, scope: _clip(args, node, scope),
    "where": lambda args, node, scope: _where(args, node, scope),
    "piecewise": lambda args, node, scope: _piecewise(args, node, scope),
    "solve": _two(lambda a, b, node, scope: multiply(E.inv(a), b, "matmul", node, scope)),
    "cross": _two(lambda a, b, node, scope: cross(a, b, node)),
    "array": lambda args, node, scope: _array(args, node, scope),
    "identity": lambda args, node, scope: one_value(args, node, scope),
    "factorial": _factorial,
    "binom": _binom,
    "diff": _diff,
    "grad": _diff,
    "sum": lambda args, node, scope: _gather(args, node, scope, E.sum),
    "Sum": lambda args, node, scope: _gather(args, node, scope, E.sum),
    "prod": lambda args, node, scope: _gather(args, node, scope, E.prod),
}


def _clip(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    value, low, high = _values(args, node, scope, 3)
    return E.minimum(E.maximum(value, low), high)


def _einsum(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    """numpy's `einsum("ij,jk->ik", A, B)`: each operand with its letters, summed over those the result lacks."""
    inputs, _, output = args[0].text.partition(">")
    letters = inputs.split(",")
    values = [scope.value(arg) for arg in args[1:]]
    if len(letters) != len(values) or len(set(output)) != len(output):
        raise trouble(node, "The pattern of this einsum does not fit its arrays.")
    sizes: dict[str, int] = {}
    for word, value in zip(letters, values, strict=True):
        if len(word) != len(value.shape):
            raise ShapeError(f"the pattern `{word}` does not fit {describe(value.shape)}")
        for letter, size in zip(word, value.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ShapeError(f"the sizes of `{letter}` do not agree")
    if not set(output) <= sizes.keys() or math.prod(sizes.values()) > MAX_CELLS:
        raise trouble(node, "The pattern of this einsum is not understood.")
    summed = [letter for letter in sizes if letter not in output]

    def term(at: Mapping[str, int]) -> Expr:
        out: Expr | None = None
        for word, value in zip(letters, values, strict=True):
            part = E.index(value, tuple(at[c] for c in word)) if word else value
            out = part if out is None else E.mul(out, part)
        assert out is not None
        return out

    def cell(at: Mapping[str, int], axes: Sequence[str]) -> Expr:
        if axes:
            return E.stack([cell({**at, axes[0]: k}, axes[1:]) for k in range(sizes[axes[0]])])
        ranges = itertools.product(*(range(sizes[letter]) for letter in summed))
        terms = [term({**at, **dict(zip(summed, numbers, strict=True))}) for numbers in ranges]
        total = terms[0]
        for one in terms[1:]:
            total = E.add(total, one)
        return total

    return cell({}, list(output))


def _where(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    """numpy's `where(condition, yes, no)`."""
    if len(args) != 3:
        raise trouble(node, "This function takes a condition and two values.")
    condition, yes, no = args
    return scope.value(Syntax("cases", node.start, node.end, (yes, condition, no, _otherwise(node))))


def _piecewise(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    """sympy's `Piecewise((value, condition), …, (value, True))`."""
    parts: list[Syntax] = []
    for arg in args:
        if arg.kind != "tuple" or len(arg.args) != 2:
            raise trouble(arg, "A value and its condition are expected here.")
        value, condition = arg.args
        parts += [value, _otherwise(condition) if condition.text in ("True", "true") else condition]
    return scope.value(Syntax("cases", node.start, node.end, tuple(parts)))


def _otherwise(node: Syntax) -> Syntax:
    return Syntax("otherwise", node.end, node.end)


def _array(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    if len(args) == 3 and args[0].kind == "number" and args[1].kind == "number":  # Matrix(2, 1, [a, b])
        rows, columns = whole_number(args[0], scope), whole_number(args[1], scope)
        flat = scope.value(args[2])
        if rows and columns and flat.shape == (rows * columns,):
            return E.reshape(flat, (rows, columns))
    if len(args) > 1:
        return E.stack(_values(args, node, scope))
    return scope.value(args[0])
