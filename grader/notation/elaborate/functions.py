"""Calls: the functions everybody knows, functions a question defines, abstract functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grader.notation.elaborate.names import lookup, parameters_of
from grader.notation.elaborate.products import divide, exact, multiply, power_value, transposed
from grader.notation.elaborate.scope import MAX_CELLS, Scope, trouble, whole_number
from grader.notation.syntax import Syntax, walk
from grader.notation.trouble import did_you_mean
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


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the bracket: f, its primes, the power written on it, its subscripts."""

    name: str
    node: Syntax
    builtin: bool
    primes: int = 0
    power: Syntax | None = None
    index: Syntax | None = None


def head_of(node: Syntax) -> Head | None:
    primes, power, index = 0, None, None
    while node.kind in ("prime", "power", "index"):
        if node.kind == "prime":
            primes += node.value if isinstance(node.value, int) else 1
        elif node.kind == "power":
            power = node
        else:
            index = node
        node = node.args[0]
    if node.kind != "name":
        return None
    return Head(node.text, node, node.data == ("func",), primes, power, index)


def call_value(node: Syntax, scope: Scope) -> Expr:
    if node.args[0].kind == "derivative":
        from grader.notation.elaborate.derivatives import derivative_at

        return derivative_at(node, scope)
    head = head_of(node.args[0])
    if head is None:
        raise trouble(node, "What stands before this bracket is no function.")
    if head.builtin:
        return _builtin(head, node, scope)
    return _named_call(head, node, scope)


def _builtin(head: Head, node: Syntax, scope: Scope) -> Expr:
    args = node.args[1:]
    if head.name == "log":
        return _raised(_logarithm(head, args, node, scope), head, scope)
    if head.index is not None and head.name not in ("norm",):
        raise trouble(head.index, f"A subscript of `{head.name}` is not understood.")
    name = "ln" if head.name == "ln" else head.name
    if head.power is not None and _is_minus_one(head.power.args[1]):
        if name not in INVERSES:
            raise trouble(head.power, f"`{name}` to the -1 is ambiguous.", f"Write 1/{name}(…) if that is meant.")
        scope.remark(f"`{name}^-1` was read as the inverse function")
        return UNARY[INVERSES[name]](_one(args, node, scope))
    if head.primes:
        return _raised(_builtin_derivative(name, head.primes, _one(args, node, scope), node), head, scope)
    if name in UNARY:
        return _raised(UNARY[name](_one(args, node, scope)), head, scope)
    build = SEVERAL.get(name)
    if build is None:
        raise trouble(node, f"`{name}` is not read here.")
    return _raised(build(args, node, scope), head, scope)


def _raised(value: Expr, head: Head, scope: Scope) -> Expr:
    """`sin^2 x`: the power written on the function belongs to its value."""
    if head.power is None:
        return value
    exponent = head.power.args[1]
    if exponent.kind == "name" and exponent.text in ("T", "top") and exponent.text not in scope.vocabulary.known:
        return transposed(value, head.power)
    if value.shape and not (len(value.shape) == 1):
        raise ShapeError(f"{describe(value.shape)} has no such power")
    return E.pow(value, exact(scope.value(exponent)))


def _is_minus_one(node: Syntax) -> bool:
    return node.kind == "negative" and node.args[0].kind == "number" and node.args[0].value == 1


def _one(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    if len(args) != 1:
        raise trouble(node, "This function takes one argument.")
    return scope.value(args[0])


def _builtin_derivative(name: str, order: int, argument: Expr, node: Syntax) -> Expr:
    if name not in UNARY or order > MAX_CALL_ORDER:
        raise trouble(node, f"A derivative of `{name}` is not read here.")
    from reference.modes import gradient

    t = E.symbol("·t")
    body = UNARY[name](t)
    for _ in range(order):
        body = gradient(body, t)
    return E.substitute(body, {t: argument})


def _logarithm(head: Head, args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    value = scope.value(args[0])
    base: Expr | None = None
    if head.index is not None:
        if len(head.index.args) != 2:
            raise trouble(head.index, "The base of this logarithm is not understood.")
        base = scope.value(head.index.args[1])
    if len(args) == 2:
        base = scope.value(args[1])
    if base is None:
        if scope.vocabulary.log == "decimal":
            scope.remark("`log` was read as the decimal logarithm")
            return E.log10(value)
        return E.log(value)
    if base.op == "constant" and base.value in (2, 10):
        return E.log2(value) if base.value == 2 else E.log10(value)
    return E.log(value) if base is E.EULER else E.logarithm(value, base)


# -- functions of several arguments or of arrays ---------------------------------------------------------------------

Build = Callable[[Sequence[Syntax], Syntax, Scope], Expr]


def _values(args: Sequence[Syntax], node: Syntax, scope: Scope, count: int | None = None) -> list[Expr]:
    from grader.notation.elaborate.ellipsis import expand_entries

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
        from fractions import Fraction

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
    "transpose": lambda args, node, scope: transposed(_one(args, node, scope), node),
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
    "array": lambda args, node, scope: _array(args, node, scope),
    "identity": lambda args, node, scope: _one(args, node, scope),
    "factorial": _factorial,
    "binom": _binom,
    "diff": _diff,
    "grad": _diff,
    "sum": lambda args, node, scope: _gather(args, node, scope, E.sum),
    "Sum": lambda args, node, scope: _gather(args, node, scope, E.sum),
    "prod": lambda args, node, scope: _gather(args, node, scope, E.prod),
}


def _array(args: Sequence[Syntax], node: Syntax, scope: Scope) -> Expr:
    if len(args) == 3 and args[0].kind == "number" and args[1].kind == "number":  # Matrix(2, 1, [a, b])
        rows, columns = whole_number(args[0], scope), whole_number(args[1], scope)
        flat = scope.value(args[2])
        if rows and columns and flat.shape == (rows * columns,):
            return E.reshape(flat, (rows, columns))
    if len(args) > 1:
        return E.stack(_values(args, node, scope))
    return scope.value(args[0])


# -- functions with a name of the question ---------------------------------------------------------------------------


def _named_call(head: Head, node: Syntax, scope: Scope) -> Expr:
    vocabulary = scope.vocabulary
    name = vocabulary.other_names.get(head.name, head.name)
    index = head.index
    if index is not None and f"{name}_{index.text}" in vocabulary.known:
        name, index = f"{name}_{index.text}", None
    label = head.power.text if head.power is not None else ""
    if label and f"{name}^{label}" in vocabulary.known:
        name = f"{name}^{label}"
        head = Head(name, head.node, False, head.primes, None, index)
    if not vocabulary.is_function(name):
        return _not_a_function(name, head, node, scope)
    if _is_product_after_all(name, head, node):
        factor = scope.value(node.args[0])
        scope.remark(f"`{name}(…)` was read as a product, since `{name}` stands in the bracket too")
        return multiply(factor, scope.value(node.args[1]), "join", node, scope)
    if index is not None and not all(whole_number(sub, scope) is not None for sub in index.args[1:]):
        from grader.notation.elaborate.derivatives import subscript_call

        return _raised(subscript_call(name, index, node, scope), head, scope)
    args = [scope.value(arg) for arg in node.args[1:]]
    value = apply_named(name, args, head.primes, node, scope)
    if index is not None:
        from grader.notation.elaborate.names import entry

        value = entry(value, index.args[1:], index, scope)
    return _raised(value, head, scope)


def _is_product_after_all(name: str, head: Head, node: Syntax) -> bool:
    """σ(1-σ): the function stands bare in its own bracket, so the bracket is a factor."""
    if len(node.args) != 2 or head.primes:
        return False
    called = {id(part.args[0]) for part in walk(node.args[1]) if part.kind == "call"}
    under_call = {id(inner) for part in walk(node.args[1]) if part.kind == "call" for inner in walk(part.args[0])}
    return any(
        part.kind == "name" and part.text == name and id(part) not in under_call and id(part) not in called
        for part in walk(node.args[1])
    )


def _not_a_function(name: str, head: Head, node: Syntax, scope: Scope) -> Expr:
    """A value with a bracket behind it: y(x) is y where y rests on x, else a factor."""
    vocabulary = scope.vocabulary
    if name in vocabulary.defined or name in scope.held:
        if head.primes:
            made = node.args[0]
            return scope.value(made)
        if all(arg.kind == "name" and arg.text in vocabulary.declared for arg in node.args[1:]):
            scope.remark(f"`{name}(…)` was read as `{name}` itself, which the question defines")
            return scope.value(node.args[0])
        if len(node.args) == 2:
            return multiply(scope.value(node.args[0]), scope.value(node.args[1]), "join", node, scope)
    functions = {vocabulary.spelled.get(n, n) for n in (*vocabulary.applied, *vocabulary.defined)}
    if name in vocabulary.declared:
        raise trouble(node, f"`{name}` is not a function, so it has no derivative of its own here.")
    suggestion = did_you_mean(name, functions) if functions else "Put a multiplication sign if a product is meant."
    if name in GUESSED_FUNCTIONS:
        suggestion = suggestion or f"Define `{name}` first."
    raise trouble(head.node, f"`{name}` is not a function of this question.", suggestion)


GUESSED_FUNCTIONS = frozenset(("f", "g", "h", "sigma", "phi"))


def apply_named(name: str, args: Sequence[Expr], primes: int, node: Syntax, scope: Scope) -> Expr:
    """f(args) or its derivative, of a definition or an abstract function."""
    if primes > MAX_CALL_ORDER:
        raise trouble(node, "This order of differentiation is not read here.")
    if name in scope.vocabulary.applied:
        if primes and len(args) != 1:
            raise trouble(node, "A prime on a function of several arguments does not say by which to differentiate.")
        return abstract_call(name, args, node, scope, (primes,) if primes else None)
    definition = scope.vocabulary.defined[name]
    if len(args) != len(definition.parameters):
        raise trouble(node, f"`{name}` takes {len(definition.parameters)} arguments, not {len(args)}.")
    if primes and len(args) != 1:
        raise trouble(node, "A prime on a function of several arguments does not say by which to differentiate.")
    from grader.notation.elaborate.names import definition_value

    body = definition_value(name, definition, node, scope)
    symbols = list(parameters_of(definition, scope).values())
    if primes:
        body = derived(name, body, symbols[0], primes, node, scope)
    if all(a is s for a, s in zip(args, symbols, strict=True)):
        return body
    return E.substitute(body, dict(zip(symbols, args, strict=True)))


def derived(name: str, body: Expr, symbol: Expr, order: int, node: Syntax, scope: Scope) -> Expr:
    from reference.modes import jacobian

    key = f"{name} {order}|{symbol.serial}|{body.serial}"
    found = scope.account.values.get(key)
    if found is None:
        found = body
        for _ in range(order):
            scope.spend_derivative(found, node)
            found = jacobian(found, symbol)
        scope.account.values[key] = found
    return found


def abstract_call(
    name: str, args: Sequence[Expr], node: Syntax, scope: Scope, order: tuple[int, ...] | None = None
) -> Expr:
    """An abstract function applied, its arguments' shapes checked."""
    function = scope.vocabulary.applied[name]
    spelled = scope.vocabulary.spelled.get(name, name)
    if function.elementwise:
        if function.parameters and len(args) not in (1, len(function.parameters)):
            raise trouble(node, f"`{name}` takes {len(function.parameters) or 1} arguments, not {len(args)}.")
        return E.call(spelled, args, order)
    if len(args) != len(function.arguments):
        raise trouble(node, f"`{name}` takes {len(function.arguments)} arguments, not {len(args)}.")
    for arg, declared in zip(args, function.arguments, strict=True):
        if arg.shape != scope.shape(declared):
            raise ShapeError(f"{name} takes {describe(scope.shape(declared))} here, not {describe(arg.shape)}")
    result = scope.shape(function.result)
    if order is not None:
        for arg, times in zip(args, order, strict=True):
            result += arg.shape * times
    return E.call(spelled, args, order, result)


def lookup_function(name: str, scope: Scope) -> bool:
    return lookup is not None and scope.vocabulary.is_function(name)


__all__ = ["apply_named", "call_value", "factorial_value", "head_of", "inner_product", "norm_of", "power_value"]
