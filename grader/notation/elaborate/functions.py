"""Calls: the functions everybody knows, functions a question defines, abstract functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.notation.elaborate.library import INVERSES, MAX_CALL_ORDER, SEVERAL, UNARY, one_value
from grader.notation.elaborate.names import parameters_of
from grader.notation.elaborate.products import exact, multiply, transposed
from grader.notation.elaborate.scope import Scope, trouble, whole_number
from grader.notation.syntax import Syntax, walk
from grader.notation.trouble import did_you_mean
from reference import expression as E
from reference.node import Expr
from reference.shapes import ShapeError, describe


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
    if head is None and node.args[0].kind == "prime":
        return _primed_bracket(node, scope)
    if head is None:
        raise trouble(node, "What stands before this bracket is no function.")
    if head.builtin:
        return _builtin(head, node, scope)
    return _named_call(head, node, scope)


def _primed_bracket(node: Syntax, scope: Scope) -> Expr:
    """`(fg)'(x)`: the derivative of what stands in the bracket by the name behind it."""
    primed, variable = node.args
    order = primed.value if isinstance(primed.value, int) else 1
    body = primed.args[0]
    return scope.value(Syntax("derivative", node.start, node.end, (body, *(variable,) * order), "d", order))


def _builtin(head: Head, node: Syntax, scope: Scope) -> Expr:
    args = node.args[1:]
    if head.name == "log":
        return _raised(_logarithm(head, args, node, scope), head, scope)
    if head.index is not None and head.name not in ("norm",):
        raise trouble(head.index, f"A subscript of `{head.name}` is not understood.")
    name = "ln" if head.name == "ln" else head.name
    if head.power is not None and _is_minusone_value(head.power.args[1]):
        if name not in INVERSES:
            raise trouble(head.power, f"`{name}` to the -1 is ambiguous.", f"Write 1/{name}(…) if that is meant.")
        scope.remark(f"`{name}^-1` was read as the inverse function")
        return UNARY[INVERSES[name]](one_value(args, node, scope))
    if head.primes:
        return _raised(_builtin_derivative(name, head.primes, one_value(args, node, scope), node), head, scope)
    if name == "heaviside" and len(args) == 2:  # the value at zero decides nothing
        args = args[:1]
    if name in UNARY:
        return _raised(UNARY[name](one_value(args, node, scope)), head, scope)
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


def _is_minusone_value(node: Syntax) -> bool:
    return node.kind == "negative" and node.args[0].kind == "number" and node.args[0].value == 1


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
    if name in STEPS and len(node.args) == 2 and not head.primes and name not in vocabulary.declared:
        scope.remark(f"`{name}` was read as the step function")
        return E.step(scope.value(node.args[1]))
    functions = {vocabulary.spelled.get(n, n) for n in (*vocabulary.applied, *vocabulary.defined)}
    if name in vocabulary.declared:
        raise trouble(node, f"`{name}` is not a function, so it has no derivative of its own here.")
    suggestion = did_you_mean(name, functions) if functions else "Put a multiplication sign if a product is meant."
    if name in GUESSED_FUNCTIONS:
        suggestion = suggestion or f"Define `{name}` first."
    raise trouble(head.node, f"`{name}` is not a function of this question.", suggestion)


STEPS = frozenset(("H", "Theta"))
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
