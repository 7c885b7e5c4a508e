"""A derivative worked out again with a rule replaced: everywhere, or at one place only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from grader.malrules.malrule import Setting
from reference import expression as E
from reference.algebra import Algebra
from reference.expression import Expr, ordered, symbols
from reference.modes import NotDifferentiable, Rules, gradient, jacobian
from reference.primitives import PRIMITIVES
from reference.shapes import ShapeError
from reference.simplify import filling, simplify

MAX_SITES = 8  # places at which a rule is broken singly
Tangents = tuple[Any, ...]
Wrong = Callable[[Algebra, Mapping[str, Any], tuple[Any, ...], Any, Tangents], Any]


def work_out(setting: Setting, rules: Rules, f: Expr | None = None) -> Expr | None:
    """The derivative under these rules, in the layout of the truth; None where they lead nowhere."""
    body = f if f is not None else setting.f
    if body is None or not setting.wrt:
        return None
    try:
        if len(setting.wrt) == 1:
            return jacobian(body, setting.wrt[0], rules)
        if not body.shape:
            return E.stack([gradient(body, x, rules) for x in setting.wrt])
        return E.stack([E.stack([gradient(row, x, rules) for x in setting.wrt]) for row in body])
    except (ShapeError, NotDifferentiable, ValueError, ZeroDivisionError):
        return None


def outputs(setting: Setting) -> tuple[Expr, ...]:
    return () if setting.f is None else (setting.f,)


def active_nodes(setting: Setting) -> list[Expr]:
    """The operations whose value depends on the variables."""
    found: list[Expr] = []
    on: set[Expr] = set(setting.wrt)
    for node in ordered(outputs(setting)):
        if node.args and any(a in on for a in node.args):
            on.add(node)
            found.append(node)
    return found


def standard(o: Algebra, node: Expr, xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
    """The right tangent."""
    rule = PRIMITIVES[node.op].jvp
    assert rule is not None
    full = tuple(o.zeros_like(x) if t is None else t for x, t in zip(xs, ts, strict=True))
    return rule(o, dict(node.attrs), xs, y, full)


def broken(setting: Setting, wrong: Mapping[str, Wrong]) -> Iterator[Expr]:
    """The derivative with `wrong[op]` in place of the rule of op: at all its places, then at each single one."""
    sites = [n for n in active_nodes(setting) if n.op in wrong]
    if not sites:
        return
    choices: list[Iterable[Expr]] = [sites]
    if len(sites) > 1:
        choices += [[site] for site in sites[:MAX_SITES]]
    for chosen in choices:
        found = work_out(setting, break_at(frozenset(chosen), wrong))
        if found is not None:
            yield found


def break_at(chosen: frozenset[Expr], wrong: Mapping[str, Wrong]) -> Rules:
    """Rules that are wrong at the chosen nodes and right elsewhere."""

    def make(op: str) -> Callable[..., Any]:
        def rule(o: Algebra, attrs: Mapping[str, Any], xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
            if y in chosen:
                moving = tuple(None if t is None or is_zero(t) else t for t in ts)
                return o.zeros_like(y) if set(moving) == {None} else wrong[op](o, attrs, xs, y, moving)
            return standard(o, y, xs, y, ts)

        return rule

    return Rules(jvp={op: make(op) for op in wrong})


def without_edge(setting: Setting, ops: frozenset[str]) -> Iterator[Expr]:
    """The derivative with one argument of one operation taken as constant: one path is forgotten."""
    for site in [n for n in active_nodes(setting) if n.op in ops and len(n.args) > 1][:MAX_SITES]:
        for place in range(len(site.args)):
            found = work_out(setting, break_at(frozenset([site]), {site.op: _forget(place, site)}))
            if found is not None:
                yield found


def _forget(place: int, site: Expr) -> Wrong:
    def rule(o: Algebra, attrs: Mapping[str, Any], xs: tuple[Any, ...], y: Any, ts: Tangents) -> Any:
        return standard(o, site, xs, y, tuple(None if i == place else t for i, t in enumerate(ts)))

    return rule


def is_zero(tangent: Expr) -> bool:
    """Is a tangent plainly zero (the variable of this column does not occur)?"""
    return filling(simplify((tangent,))[0]) == 0


def depends(node: Expr, wrt: Iterable[Expr]) -> bool:
    """Does a node depend on one of the variables?"""
    return bool(set(symbols(node)) & set(wrt))
