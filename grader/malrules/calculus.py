"""Misconceptions of differentiation: chain, product, quotient and power rule, logarithms, signs, constants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from grader.malrules.derivations import (
    MAX_SITES,
    Tangents,
    Wrong,
    active_nodes,
    broken,
    depends,
    without_edge,
    work_out,
)
from grader.malrules.malrule import MalRule, Setting
from grader.malrules.powers import (
    base_forgotten,
    log_argument_kept,
    log_base,
    power,
    power_rule_on_exponential,
    standard_quotient,
)
from reference import expression as E
from reference.algebra import Algebra
from reference.expression import Expr
from reference.modes import Rules
from reference.primitives import PRIMITIVES

Attrs = Mapping[str, Any]
ENTRYWISE = tuple(name for name, p in PRIMITIVES.items() if p.derivative is not None and name != "neg")
SMOOTH = tuple(name for name in ENTRYWISE if name not in ("abs", "sign", "step"))


def _slope(op: str, o: Algebra, attrs: Attrs, x: Any, y: Any) -> Any:
    rule = PRIMITIVES[op].derivative
    assert rule is not None
    return rule(o, attrs, x, y)


def _each(make: Any, ops: Iterable[str]) -> dict[str, Wrong]:
    return {op: make(op) for op in ops}


# ---- chain rule ----------------------------------------------------------------------------------------------------


def _inner_missing(setting: Setting) -> Iterator[Expr]:
    def entrywise(op: str) -> Wrong:
        return lambda o, attrs, xs, y, ts: _slope(op, o, attrs, xs[0], y) * o.ones_like(y)

    def power(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        a, b = xs
        below = o.zeros_like(y) if ts[0] is None else b * a ** (b - 1)
        above = o.zeros_like(y) if ts[1] is None else y * o.log(a)
        return below + above

    def quotient(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        a, b = xs
        if ts[0] is not None or ts[1] is None:
            return o.zeros_like(y) + (o.zeros_like(y) if ts[0] is None else ts[0] / b)
        return -a / b**2 * o.ones_like(y)

    yield from broken(setting, {**_each(entrywise, SMOOTH), "pow": power, "div": quotient})
    yield from broken(setting, {**_each(entrywise, SMOOTH), "pow": power})


def _inside_only(setting: Setting) -> Iterator[Expr]:
    def entrywise(op: str) -> Wrong:
        return lambda o, attrs, xs, y, ts: o.apply(op, ts[0], **dict(attrs))

    def slope_inside(op: str) -> Wrong:
        return lambda o, attrs, xs, y, ts: _slope(op, o, attrs, ts[0], o.apply(op, ts[0], **dict(attrs)))

    yield from broken(setting, _each(entrywise, SMOOTH))
    yield from broken(setting, _each(slope_inside, SMOOTH))


def _outer_kept(setting: Setting) -> Iterator[Expr]:
    def with_inner(op: str) -> Wrong:
        return lambda o, attrs, xs, y, ts: y * ts[0]

    yield from broken(setting, _each(with_inner, (op for op in SMOOTH if op != "exp")))


def _not_taken(setting: Setting) -> Iterator[Expr]:
    """The function itself, or one of its factors or terms, instead of its derivative."""
    if setting.f is not None:
        yield setting.f

    def keep(op: str) -> Wrong:
        return lambda o, attrs, xs, y, ts: y

    yield from broken(setting, _each(keep, (*SMOOTH, "pow")))


def _sign_of_slope(setting: Setting) -> Iterator[Expr]:
    def negative(op: str) -> Wrong:
        return lambda o, attrs, xs, y, ts: -_slope(op, o, attrs, xs[0], y) * ts[0]

    yield from broken(setting, _each(negative, ("sin", "cos")))
    for op in SMOOTH:
        if op not in ("sin", "cos"):
            yield from broken(setting, {op: negative(op)})


def _inner_sign(setting: Setting) -> Iterator[Expr]:
    def lost(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        return ts[0]

    yield from broken(setting, {"neg": lost})

    def added(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        first = o.zeros_like(y) if ts[0] is None else ts[0]
        return first if ts[1] is None else first + ts[1]

    yield from broken(setting, {"sub": added})


def _logistic_as_tanh(setting: Setting) -> Iterator[Expr]:
    if setting.f is not None and not setting.f.shape:
        yield 1 - setting.f**2
        yield setting.f * (1 - setting.f)
    swapped = {"tanh": lambda o, x, y: y * (1 - y), "sigmoid": lambda o, x, y: 1 - y**2}
    found = work_out(setting, Rules(slopes=swapped))
    if found is not None:
        yield found
    at_argument = {"tanh": lambda o, x, y: 1 - x**2, "sigmoid": lambda o, x, y: x * (1 - x)}
    found = work_out(setting, Rules(slopes=at_argument))
    if found is not None:
        yield found


# ---- product and quotient ------------------------------------------------------------------------------------------


def _product(setting: Setting) -> Iterator[Expr]:
    def both(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        return _one_sided(xs, ts) if None in ts else ts[0] * ts[1]

    yield from broken(setting, {"mul": both})


def _sum_of_derivatives(setting: Setting) -> Iterator[Expr]:
    def both(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        return _one_sided(xs, ts) if None in ts else ts[0] + ts[1]

    yield from broken(setting, {"mul": both})


def _difference_in_product(setting: Setting) -> Iterator[Expr]:
    def minus(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        return _one_sided(xs, ts) if None in ts else ts[0] * xs[1] - xs[0] * ts[1]

    yield from broken(setting, {"mul": minus})


def _one_sided(xs: tuple[Any, ...], ts: Tangents) -> Any:
    return xs[0] * ts[1] if ts[0] is None else ts[0] * xs[1]


def _one_term(setting: Setting) -> Iterator[Expr]:
    yield from without_edge(setting, frozenset({"mul"}))


def _quotient(combine: Any) -> Any:
    def derive(setting: Setting) -> Iterator[Expr]:
        def rule(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
            above = o.zeros_like(xs[0]) if ts[0] is None else ts[0]
            below = o.zeros_like(xs[1]) if ts[1] is None else ts[1]
            return combine(xs[0], xs[1], above, below)

        sites = [n for n in active_nodes(setting) if n.op == "div" and depends(n.args[1], setting.wrt)]
        if sites:
            yield from broken(setting, {"div": rule})

    return derive


# ---- sums and constants --------------------------------------------------------------------------------------------


def _constant_kept(setting: Setting) -> Iterator[Expr]:
    def rule_for(value: Any) -> Wrong:
        def rule(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
            minus = y.op == "sub"
            first = value(o, xs[0]) if ts[0] is None else ts[0]
            second = value(o, xs[1]) if ts[1] is None else ts[1]
            return first - second if minus else first + second

        return rule

    kept, one = rule_for(lambda o, c: c), rule_for(lambda o, c: o.ones_like(c))
    yield from broken(setting, {"add": kept, "sub": kept})
    yield from broken(setting, {"add": one, "sub": one})
    for sign in (1, -1):  # ln(u/c) = ln u - ln c with the last one differentiated as if c varied

        def log_rule(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents, sign: int = sign) -> Any:
            right = ts[0] / xs[0]
            inner = xs[0]
            if inner.op in ("div", "mul") and not depends(inner.args[1], setting.wrt):
                return right + sign / inner.args[1]
            if inner.op == "mul" and not depends(inner.args[0], setting.wrt):
                return right + sign / inner.args[0]
            return right

        yield from broken(setting, {"log": log_rule})


def _constant_factor_lost(setting: Setting) -> Iterator[Expr]:
    def quotient(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        return ts[0] if ts[1] is None else standard_quotient(o, xs, y, ts)

    def product(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        if ts[0] is None:
            return ts[1]
        return ts[0] if ts[1] is None else ts[0] * xs[1] + xs[0] * ts[1]

    yield from broken(setting, {"div": quotient})
    yield from broken(setting, {"mul": product})


SPLIT = ("sqrt", "log", "exp", "sin", "cos", "pow", "div", "abs")


def _sum_split(setting: Setting) -> Iterator[Expr]:
    """g(a + b) taken as g(a) + g(b), before differentiating."""
    if setting.f is None:
        return
    for site in [n for n in active_nodes(setting) if n.op in SPLIT][:MAX_SITES]:
        inner = site.args[1] if site.op == "div" else site.args[0]
        if inner.op not in ("add", "sub"):
            continue
        parts = [_rebuilt(site, part) for part in inner.args]
        joined = E.apply(inner.op, *parts)
        found = work_out(setting, Rules(), E.substitute(setting.f, {site: joined}))
        if found is not None:
            yield found


def _rebuilt(site: Expr, part: Expr) -> Expr:
    """The operation on one part of the sum; the root of a square is what was squared."""
    if site.op == "sqrt" and part.op == "pow" and part.args[1].op == "constant" and part.args[1].value == 2:
        return part.args[0]
    if site.op == "div":
        return E.div(site.args[0], part)
    return E.apply(site.op, part, *site.args[1:])


def _one_path(setting: Setting) -> Iterator[Expr]:
    yield from without_edge(setting, frozenset({"add", "sub", "div", "pow", "stack", "dot", "matmul", "sum"}))
    for order in ("last", "first"):
        found = work_out(setting, Rules(accumulate=order))
        if found is not None:
            yield found


def _other_variable(setting: Setting) -> Iterator[Expr]:
    if setting.f is None or len(setting.wrt) != 1:
        return
    for other in E.symbols(setting.f):
        if other is not setting.wrt[0] and other.shape == setting.wrt[0].shape:
            found = work_out(Setting(setting.truth, setting.f, (other,)), Rules())
            if found is not None:
                yield found


def _taken_twice(setting: Setting) -> Iterator[Expr]:
    if len(setting.wrt) == 1 and not setting.wrt[0].shape and not setting.truth.shape:
        found = work_out(setting, Rules(), setting.truth)
        if found is not None:
            yield found


CALCULUS: tuple[MalRule, ...] = (
    MalRule(
        "chain_rule.inner_derivative_missing",
        "A function of a function: after the outer derivative the derivative of the inner function is still missing.",
        _inner_missing,
    ),
    MalRule(
        "chain_rule.derivative_inside",
        "Chain rule: the outer derivative is taken at the unchanged inner function, then multiplied by its derivative.",
        _inside_only,
    ),
    MalRule("product_rule.product", "The derivative of a product is not the product of the derivatives.", _product),
    MalRule("product_rule.sum", "The derivative of a product is not the sum of the derivatives.", _sum_of_derivatives),
    MalRule("product_rule.one_term", "The product rule has two terms: each factor is differentiated once.", _one_term),
    MalRule("product_rule.sign", "The two terms of the product rule are added.", _difference_in_product),
    MalRule(
        "quotient_rule.order",
        "Quotient rule: mind which of the two products in the numerator is subtracted from which.",
        _quotient(lambda a, b, s, t: (a * t - s * b) / b**2),
    ),
    MalRule(
        "quotient_rule.sign",
        "Quotient rule: the two products in the numerator are subtracted, not added.",
        _quotient(lambda a, b, s, t: (s * b + a * t) / b**2),
    ),
    MalRule(
        "quotient_rule.of_derivatives",
        "The derivative of a quotient is not the quotient of the derivatives.",
        lambda setting: (*_quotient(lambda a, b, s, t: s / t)(setting), *_quotient(lambda a, b, s, t: 1 / t)(setting)),
    ),
    MalRule(
        "quotient_rule.square_missing",
        "Quotient rule: the denominator is squared.",
        _quotient(lambda a, b, s, t: (s * b - a * t) / b),
    ),
    MalRule(
        "trig.sign",
        "Check the sign of the derivative of the sine or cosine (or of another outer function).",
        _sign_of_slope,
    ),
    MalRule("chain_rule.inner_sign", "Check the sign of the inner derivative.", _inner_sign),
    MalRule(
        "power_rule.exponent_not_decremented",
        "Power rule: the exponent goes down by one.",
        power(lambda a, b, t: b * a**b * t),
    ),
    MalRule(
        "power_rule.factor_missing",
        "Power rule: the old exponent becomes a factor.",
        lambda setting: (
            *power(lambda a, b, t: a ** (b - 1) * t)(setting),
            *broken(setting, {"sqrt": lambda o, attrs, xs, y, ts: ts[0] / y}),
        ),
    ),
    MalRule(
        "power_rule.exponent_incremented",
        "Power rule: the exponent goes down by one, not up.",
        power(lambda a, b, t: b * a ** (b + 1) * t),
    ),
    MalRule(
        "power_rule.root",
        "A root is a power with a fractional exponent; after differentiating it stands in the denominator.",
        lambda setting: broken(setting, {"sqrt": lambda o, attrs, xs, y, ts: y * ts[0] / 2}),
    ),
    MalRule(
        "exponential.power_rule",
        "The power rule is for a variable base; here the variable is in the exponent.",
        power_rule_on_exponential,
    ),
    MalRule(
        "exponential.base_forgotten",
        "An exponential whose base is not e brings the logarithm of its base with it.",
        base_forgotten,
    ),
    MalRule("logarithm.base", "Check the base of the logarithm and where its own logarithm has to stand.", log_base),
    MalRule("logarithm.derivative", "The derivative of the logarithm is one over its argument.", log_argument_kept),
    MalRule("constant.kept", "The derivative of a constant is zero.", _constant_kept),
    MalRule(
        "constant.factor_lost",
        "A constant factor stays when differentiating.",
        _constant_factor_lost,
    ),
    MalRule(
        "sum.split",
        "A function of a sum is not the sum of the functions (roots, logarithms, powers, fractions).",
        _sum_split,
    ),
    MalRule(
        "path.not_accumulated",
        "The variable acts on the result in more than one way; the contributions of all of them add up.",
        _one_path,
    ),
    MalRule(
        "activation.confused",
        "The derivatives of the logistic function and of tanh look alike, but are not the same.",
        _logistic_as_tanh,
    ),
    MalRule(
        "derivative.not_taken",
        "A part was left as it is although it had to be differentiated.",
        lambda setting: (*_not_taken(setting), *_outer_kept(setting)),
    ),
    MalRule("derivative.other_variable", "Check with respect to which variable you differentiate.", _other_variable),
    MalRule("derivative.taken_twice", "One derivative too many.", _taken_twice),
)
