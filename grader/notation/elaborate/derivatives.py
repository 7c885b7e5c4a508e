"""Derivatives a student writes instead of working them out: primes, Leibniz, ∂, ∇; the engine works them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.notation.elaborate.functions import apply_named, head_of
from grader.notation.elaborate.names import definition_value, entry, family_of, lookup, parameters_of, unknown
from grader.notation.elaborate.products import transposed
from grader.notation.elaborate.scope import Scope, trouble
from grader.notation.syntax import Syntax
from reference import expression as E
from reference.modes import NotDifferentiable, jacobian
from reference.node import Expr

MAX_ORDER = 4


@dataclass(frozen=True, slots=True)
class Variable:
    """What is differentiated by: symbols (one, or the numbers x_1 … x_n), and an entry of it where one is meant."""

    symbols: tuple[Expr, ...]
    name: str
    subs: tuple[Syntax, ...] = ()
    node: Syntax | None = None

    @property
    def is_family(self) -> bool:
        return len(self.symbols) > 1


def derivative_value(node: Syntax, scope: Scope) -> Expr:
    body, variables = node.args[0], node.args[1:]
    if body.kind == "nothing":
        raise trouble(node, "This differentiates nothing.", "Write what it acts on behind it.")
    inner = _by_inner_function(body, variables, node, scope)
    if inner is not None:
        return inner
    if not variables:
        variables = _own_variable(body, node, scope)
    order = node.value if isinstance(node.value, int) else 1
    if node.text == "nabla" and order > len(variables):
        variables = variables * order
    if len(variables) > MAX_ORDER:
        raise trouble(node, "This order of differentiation is not read here.")
    return _differentiated(body, node, variables, scope)


def _by_inner_function(body: Syntax, variables: tuple[Syntax, ...], node: Syntax, scope: Scope) -> Expr | None:
    """`df/dg` of two abstract functions of one number: f' at g."""
    applied = scope.vocabulary.applied
    names = (body.text, *(v.text for v in variables))
    if len(names) != 2 or body.kind != "name" or variables[0].kind != "name" or names[0] == names[1]:
        return None
    if not all(name in applied and applied[name].elementwise for name in names):
        return None
    scope.remark(f"`d{names[0]}/d{names[1]}` was read as `{names[0]}'({names[1]})`")
    return apply_named(names[0], [scope.value(variables[0])], 1, node, scope)


def _own_variable(body: Syntax, node: Syntax, scope: Scope) -> tuple[Syntax, ...]:
    """`\\nabla f`: by the question's variable, or the only symbol f has."""
    named = scope.vocabulary.variable
    if named:
        return (Syntax("name", node.start, node.end, (), named),)
    found = E.symbols(scope.value(body))
    if len(found) != 1:
        raise trouble(node, "It is not clear by what is differentiated here.", "Name the variable.")
    key = next(n for n, spelled in scope.vocabulary.spelled.items() if spelled == found[0].name)
    return (Syntax("name", node.start, node.end, (), key),)


def _differentiated(body: Syntax, node: Syntax, variables: Sequence[Syntax], scope: Scope) -> Expr:
    """Partial derivatives hold the question's other intermediates; where that leaves nothing, the total is meant."""
    meant = [_variable(v, scope) for v in variables]
    held = _with_variables_held(scope, meant)
    partial = node.text == "partial" or _is_abstract(body, scope)
    if partial:
        value = _direct(body, replace(held, solid=True))
        if any(_rests_on(value, variable) for variable in meant):
            return _released(_derive(value, meant, node, scope), scope, node, meant)
    value = held.value(body)
    return _released(_derive(value, meant, node, scope), scope, node, meant)


def _is_abstract(body: Syntax, scope: Scope) -> bool:
    head = head_of(body.args[0] if body.kind == "call" else body)
    return head is not None and not head.builtin and head.name in scope.vocabulary.applied


def _direct(body: Syntax, scope: Scope) -> Expr:
    """A definition's own formula with the other definitions standing for themselves."""
    definition = scope.vocabulary.defined.get(body.text) if body.kind == "name" else None
    if definition is None:
        return scope.value(body)
    return definition_value(body.text, definition, body, scope)


def _rests_on(value: Expr, variable: Variable) -> bool:
    found = set(E.symbols(value))
    return any(symbol in found for symbol in variable.symbols)


def _variable(node: Syntax, scope: Scope) -> Variable:
    vocabulary = scope.vocabulary
    name, subs = _name_and_subs(node, scope)
    name = vocabulary.other_names.get(name, name)
    if name in vocabulary.declared:
        found = lookup(name, node, scope)
        assert found is not None
        return Variable((found,), name, subs, node)
    if name in vocabulary.defined and not vocabulary.defined[name].parameters:
        shape = definition_value(name, vocabulary.defined[name], node, scope).shape
        return Variable((E.symbol(f"·{name}", shape),), name, subs, node)
    family = family_of(name, scope)
    if family:
        return Variable(tuple(family), name, subs, node)
    other = lookup(name, node, scope)
    if other is not None and other.op == "symbol":
        return Variable((other,), name, subs, node)
    raise unknown(node, name, scope)


def _name_and_subs(node: Syntax, scope: Scope) -> tuple[str, tuple[Syntax, ...]]:
    """The name of a variable, subscripts that are part of the name taken in, the others as an entry."""
    known = scope.vocabulary.known
    if node.kind == "power" and node.args[0].kind in ("name", "index"):
        base = node.args[0]
        inner = base.args[0].text if base.kind == "index" else base.text
        if f"{inner}^{node.text}" in known:
            return f"{inner}^{node.text}", base.args[1:] if base.kind == "index" else ()
        return _name_and_subs(base, scope)
    if node.kind == "index" and node.args[0].kind == "name":
        base_name = node.args[0].text
        if f"{base_name}_{node.text}" in known:
            return f"{base_name}_{node.text}", ()
        first = f"{base_name}_{node.text.split(',')[0]}"
        if len(node.args) > 2 and first in known and "," in node.text:
            return first, node.args[2:]
        if base_name in scope.vocabulary.declared and not scope.vocabulary.declared[base_name].shape:
            raise unknown(node, f"{base_name}_{node.text}", scope)
        found = scope.value(node)
        if found.op == "symbol":
            key = next((n for n, s in scope.vocabulary.spelled.items() if s == found.name), found.name)
            return key, ()
        return base_name, node.args[1:]
    if node.kind == "index":
        inner, subs = _name_and_subs(node.args[0], scope)
        return inner, subs + node.args[1:]
    if node.kind == "name":
        return node.text, ()
    raise trouble(node, "It is not understood by what is differentiated here.")


def _with_variables_held(scope: Scope, variables: Sequence[Variable]) -> Scope:
    held = {v.name: v.symbols[0] for v in variables if not v.is_family and v.name in scope.vocabulary.defined}
    if not held:
        return scope
    return scope.holding(held)


def _derive(value: Expr, variables: Sequence[Variable], node: Syntax, scope: Scope) -> Expr:
    for variable in variables:
        value = _derive_once(value, variable, node, scope)
    if node.text == "partial" and len(variables) == 1 and not variables[0].is_family:
        return value
    return value


def _derive_once(value: Expr, variable: Variable, node: Syntax, scope: Scope) -> Expr:
    scope.spend_derivative(value, node)
    try:
        if variable.is_family:
            parts = [jacobian(value, symbol) for symbol in variable.symbols]
            found = E.stack(parts, axis=len(value.shape))
        else:
            found = jacobian(value, variable.symbols[0])
    except NotDifferentiable as error:
        raise trouble(node, f"This cannot be differentiated: {error}.") from None
    wrt = (len(variable.symbols),) if variable.is_family else variable.symbols[0].shape
    if variable.subs:
        inner = tuple(variable.subs)
        if value.shape:
            raise trouble(node, "A derivative of a vector by one entry is not read here.")
        assert variable.node is not None
        return entry(found, inner, variable.node, scope)
    return oriented(found, value.shape, wrt, scope)


def oriented(found: Expr, shape: tuple[int, ...], wrt: tuple[int, ...], scope: Scope) -> Expr:
    """Row or column for the gradient of a number, (m, n) or (n, m) for a Jacobian, as this reading has it."""
    if shape == () and len(wrt) == 1:
        scope.account.oriented = True
        return E.transpose(found) if scope.gradient == "row" else found
    if len(shape) == 1 and len(wrt) == 1:
        scope.account.oriented = True
        return transposed(found, Syntax("nothing", 0, 0)) if scope.jacobian == "denominator" else found
    if len(shape) == 2 and shape[0] == 1 and len(wrt) == 1:  # a row differentiated again: the Hessian
        return E.reshape(found, (shape[1], wrt[0]))
    return found


def _released(value: Expr, scope: Scope, node: Syntax, variables: Sequence[Variable]) -> Expr:
    """Put the formulas of the question's intermediates back where they stood for themselves."""
    for _ in range(20):
        held = [s for s in E.symbols(value) if s.name.startswith("·")]
        if not held:
            return value
        values = {}
        for symbol in held:
            name = symbol.name[1:]
            if name not in scope.vocabulary.defined:
                return value
            if scope.solid:
                return value
            values[symbol] = definition_value(name, scope.vocabulary.defined[name], node, scope)
        value = E.substitute(value, values)
    return value


def at_value(node: Syntax, scope: Scope) -> Expr:
    """`3x^2|_{x=2}`: the value of a formula where names take the values written."""
    values: dict[Expr, Expr] = {}
    for equation in node.args[1:]:
        target = scope.value(equation.args[0])
        value = scope.value(equation.args[-1])
        if target.op != "symbol" or target.shape != value.shape:
            raise trouble(equation, "This place is not understood.")
        values[target] = value
    return E.substitute(scope.value(node.args[0]), values)


def prime_value(node: Syntax, scope: Scope) -> Expr:
    """f' without arguments, (…)' by the question's variable, A' for the transpose of an array."""
    base = node.args[0]
    count = node.value if isinstance(node.value, int) else 1
    head = head_of(base)
    if head is not None and not head.builtin and scope.vocabulary.is_function(head.name) and head.index is None:
        return _prime_of_function(head.name, count, node, scope)
    value = scope.value(base)
    if value.shape and count == 1:
        scope.remark("a prime on an array was read as its transpose")
        return transposed(value, node)
    if count > MAX_ORDER:
        raise trouble(node, "This order of differentiation is not read here.")
    variable = _own_variable(base, node, scope)
    return _differentiated(base, Syntax("derivative", node.start, node.end, (), "d"), variable * count, scope)


def _prime_of_function(name: str, count: int, node: Syntax, scope: Scope) -> Expr:
    definition = scope.vocabulary.defined.get(name)
    if definition is not None:
        symbols = parameters_of(definition, scope)
        args = list(symbols.values())
        return apply_named(name, args, count, node, scope)
    parameters = scope.vocabulary.applied[name].parameters
    if not parameters:
        scalars = list(scope.vocabulary.declared)
        if len(scalars) != 1:
            raise trouble(node, f"`{name}'` needs its argument.", f"Write {name}'(…).")
        parameters = (scalars[0],)
    values = [lookup(parameter, node, scope) for parameter in parameters]
    found = [value for value in values if value is not None]
    if len(found) != 1:
        raise trouble(node, "A prime on a function of several arguments does not say by which to differentiate.")
    return apply_named(name, found, count, node, scope)


def subscript_derivative(base: str, subs: tuple[Syntax, ...], node: Syntax, scope: Scope) -> Expr | None:
    """`p_z`: the partial derivative by z where z is a variable; None where the subscript says something else."""
    known = scope.vocabulary.known
    if not subs or not all(sub.kind in ("name", "index") and _is_variable(sub, known, scope) for sub in subs):
        return None
    scope.remark(f"`{base}_{node.text}` was read as a partial derivative")
    body = Syntax("name", node.start, node.end, (), base)
    return scope.value(Syntax("derivative", node.start, node.end, (body, *subs), "partial", len(subs)))


def _is_variable(sub: Syntax, known: frozenset[str], scope: Scope) -> bool:
    if sub.kind == "name":
        return (sub.text in known or bool(family_of(sub.text, scope))) and sub.text not in scope.bound
    return sub.args[0].kind == "name" and sub.args[0].text in scope.vocabulary.bases


def subscript_call(name: str, index: Syntax, node: Syntax, scope: Scope) -> Expr:
    """`p_z(x, z)`: a partial derivative at the arguments written."""
    subs = index.args[1:]
    if not all(sub.kind in ("name", "index") for sub in subs):
        raise trouble(index, "This subscript is not understood.")
    body = Syntax("name", index.start, index.end, (), name)
    derivative = Syntax("derivative", index.start, index.end, (body, *subs), "partial", len(subs))
    return derivative_at(Syntax("call", node.start, node.end, (derivative, *node.args[1:])), scope)


def derivative_at(node: Syntax, scope: Scope) -> Expr:
    """`\\frac{\\partial p}{\\partial z}(x, z)`: the derivative of a function, at the arguments written."""
    derivative, args = node.args[0], node.args[1:]
    body = derivative.args[0]
    name = body.text if body.kind == "name" else ""
    vocabulary = scope.vocabulary
    parameters: tuple[str, ...] = ()
    if name in vocabulary.applied:
        parameters = vocabulary.applied[name].parameters
    elif name in vocabulary.defined:
        parameters = vocabulary.defined[name].parameters
    typed = tuple(arg.text if arg.kind == "name" else "" for arg in args)
    if typed == parameters or not parameters or not all(typed):
        if name in vocabulary.applied and not parameters:
            call = Syntax("call", node.start, node.end, (body, *args))
            return scope.value(derivative._replace(args=(call, *derivative.args[1:])))
        return scope.value(derivative)
    call = Syntax("call", node.start, node.end, (body, *args))
    return scope.value(derivative._replace(args=(call, *derivative.args[1:])))
