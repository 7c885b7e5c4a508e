"""Misconceptions about powers, exponentials and logarithms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grader.malrules.derivations import Tangents, broken, work_out
from grader.malrules.malrule import Setting
from reference import expression as E
from reference.algebra import Algebra
from reference.expression import Expr, rebuild, rewrite
from reference.modes import Rules

Attrs = Mapping[str, Any]


def power(combine: Any) -> Any:
    """A wrong rule for a**b where only the base varies; `combine(a, b, t)`."""

    def derive(setting: Setting) -> Iterator[Expr]:
        def rule(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
            if ts[0] is None or ts[1] is not None:
                a, b = xs
                base = o.zeros_like(y) if ts[0] is None else b * a ** (b - 1) * ts[0]
                return base + y * o.log(a) * ts[1]
            return combine(xs[0], xs[1], ts[0])

        yield from broken(setting, {"pow": rule})

    return derive


def power_rule_on_exponential(setting: Setting) -> Iterator[Expr]:
    def natural(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        return xs[0] * o.exp(xs[0] - 1) * ts[0]

    def general(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        a, b = xs
        if ts[1] is None:
            return b * a ** (b - 1) * ts[0]
        return b * a ** (b - 1) * ts[1]

    yield from broken(setting, {"exp": natural, "pow": general})

    def without_inner(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        return xs[0] * o.exp(xs[0] - 1)

    yield from broken(setting, {"exp": without_inner})


def base_forgotten(setting: Setting) -> Iterator[Expr]:
    def general(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        a, b = xs
        base = o.zeros_like(y) if ts[0] is None else b * a ** (b - 1) * ts[0]
        return base if ts[1] is None else base + y * ts[1]

    yield from broken(setting, {"pow": general})


def log_base(setting: Setting) -> Iterator[Expr]:
    """1/u for any base, the base's logarithm on the wrong side, or base ten where the natural logarithm is meant."""
    ten, two = E.log(E.constant(10)), E.log(E.constant(2))
    for slopes in (
        {"log2": lambda o, x, y: 1 / x, "log10": lambda o, x, y: 1 / x},
        {"log2": lambda o, x, y: two / x, "log10": lambda o, x, y: ten / x},
        {"log": lambda o, x, y: 1 / (x * ten)},
        {"log2": lambda o, x, y: 1 / (x * o.log10(o.number(2)))},
    ):
        found = work_out(setting, Rules(slopes=slopes))
        if found is not None:
            yield found

    def quotient(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        """log u / log b with a constant base."""
        if ts[1] is None and xs[1].op == "log":
            return ts[0] * xs[1]
        return standard_quotient(o, xs, y, ts)

    def bare(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        return ts[0] if ts[1] is None and xs[1].op == "log" else standard_quotient(o, xs, y, ts)

    yield from broken(setting, {"div": quotient})
    yield from broken(setting, {"div": bare})
    yield swap_function(setting.truth, "log", "log10")


def standard_quotient(o: Algebra, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
    above = o.zeros_like(y) if ts[0] is None else ts[0] / xs[1]
    return above if ts[1] is None else above - xs[0] * ts[1] / xs[1] ** 2


def log_argument_kept(setting: Setting) -> Iterator[Expr]:
    """ln' u taken as 1, or as ln u."""
    yield from broken(setting, {"log": lambda o, attrs, xs, y, ts: ts[0]})
    yield from broken(setting, {"log": lambda o, attrs, xs, y, ts: 1 / ts[0]})


def swap_function(expr: Expr, old: str, new: str) -> Expr:
    def rule(node: Expr, args: tuple[Expr, ...]) -> Expr:
        return E.apply(new, *args) if node.op == old else rebuild(node, args)

    return rewrite((expr,), rule)[0]
