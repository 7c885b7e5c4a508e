"""Do independent routes to a derivative agree?  No truth is used before at least two do, one of them numerical."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reference import expression as E
from reference.algebra import NUMBERS
from reference.cost import is_number
from reference.expression import calls, ordered
from reference.graph import FLOAT, Graph, build, is_defined, run, run_all
from reference.modes import adjoints, jacobian, tangents
from reference.node import Expr
from reference.numeric import Estimate, central_differences, complex_step, high_precision_differences
from reference.primitives import PRIMITIVES
from reference.rules import NotDifferentiable
from reference.symbolic import MAX_NODES as MAX_SYMPY_NODES
from reference.symbolic import MAX_TREE, sympy_column, tree_size

Value = Any
Env = Mapping[str, Value]
Status = Literal["agrees", "differs", "not run"]

EXACT = 1e-9  # relative error allowed between two routes that are exact up to rounding
ROUGH = 1e-6  # and to differences, besides ten times their own error estimate
USELESS = 1e-3  # an estimate with a relative error beyond this decides nothing
MAX_COLUMNS = 24  # inputs with more entries are checked along random directions
DIRECTIONS = 6
MAX_FORMULA_NODES = 20_000
MAX_BALL_NODES = 20_000
KINK_DISTANCE = 1e-6
NUMERICAL = frozenset({"complex step", "central differences", "high-precision differences"})
CONTINUED = frozenset({"erf", "gelu"})  # continued to the complex plane by their own derivative


class Disagreement(ValueError):
    """Fewer than two independent routes agree; `agreement` says which did what."""

    def __init__(self, message: str, agreement: Agreement) -> None:
        super().__init__(message)
        self.agreement = agreement


@dataclass(frozen=True, slots=True)
class Route:
    """What one route found.  `error` is the largest relative deviation, `step` that of a difference quotient."""

    name: str
    status: Status
    reason: str = ""
    error: float | None = None
    step: float | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """All routes, those not run with their reason; `kinks` names the primitives at a kink at some point."""

    routes: tuple[Route, ...]
    kinks: tuple[str, ...] = ()

    @property
    def agreeing(self) -> tuple[str, ...]:
        return tuple(r.name for r in self.routes if r.status == "agrees")

    @property
    def sound(self) -> bool:
        """Two agree, a numerical one among them (unless every point is a kink), and none differs."""
        if any(r.status == "differs" for r in self.routes):
            return False
        numerical = any(name in NUMERICAL for name in self.agreeing)
        return len(self.agreeing) >= 2 and (numerical or bool(self.kinks))


@dataclass(frozen=True)
class _Case:
    """One point and one direction, with everything the routes need."""

    expr: Expr
    wrt: tuple[Expr, ...]
    graph: Graph
    env: Env
    directions: dict[str, Value]
    values: list[Value]
    truth: Expr | None


class _NotRun(Exception):
    """This route does not apply here; the text is the reason."""


def agree(
    expr: Expr,
    wrt: Expr | Sequence[Expr],
    points: Sequence[Env],
    truth: Expr | None = None,
    functions: Mapping[str, E.Function] | None = None,
) -> Agreement:
    """Check the derivative of `expr` with respect to symbols at points, by every route that applies.

    `truth`, when given, is a formula claimed to be the Jacobian (numerator layout) or gradient by the one symbol
    `wrt`; it is compared as a route of its own.  Abstract functions need `functions`.
    Raises Disagreement when a route differs, or fewer than two (one numerical) agree.
    """
    wanted = (wrt,) if isinstance(wrt, Expr) else tuple(wrt)
    if functions:
        expr = E.instantiate(expr, functions)
        truth = None if truth is None else E.instantiate(truth, functions)
    left = calls((expr,) if truth is None else (expr, truth))
    if left:
        raise ValueError(f"the abstract function {left[0].name} has no definition to check with")
    cases, kinks = _cases(expr, wanted, points, truth)
    names = [name for name in _ROUTES if truth is not None or name != "given truth"]
    agreement = Agreement(tuple(_judge(name, cases, kinks) for name in names), tuple(sorted(kinks)))
    if not cases:
        raise Disagreement("the expression is undefined at every point", agreement)
    if not agreement.sound:
        differing = [f"{r.name} ({r.reason})" for r in agreement.routes if r.status == "differs"]
        what = f"{', '.join(differing)} differ" if differing else "fewer than two independent routes could be run"
        raise Disagreement(what, agreement)
    return agreement


def _cases(
    expr: Expr, wrt: tuple[Expr, ...], points: Sequence[Env], truth: Expr | None
) -> tuple[list[_Case], set[str]]:
    graph = build((expr, *wrt))
    found: list[_Case] = []
    kinks: set[str] = set()
    for number, env in enumerate(points):
        point = {k: np.asarray(v, dtype=float)[()] for k, v in env.items()}
        values = run_all(graph, point, FLOAT)
        if not is_defined(values[graph.outputs[0]]):
            continue
        at = kinks_at(graph, values)
        kinks |= at
        if at:
            continue
        for directions in _directions(wrt, number):
            found.append(_Case(expr, wrt, graph, point, directions, values, truth))
    if kinks and not found:  # nothing but kinks: only routes that know a rule can be compared
        env = {k: np.asarray(v, dtype=float)[()] for k, v in points[0].items()}
        values = run_all(graph, env, FLOAT)
        found = [_Case(expr, wrt, graph, env, d, values, truth) for d in _directions(wrt, 0)]
    return found, kinks


def kinks_at(graph: Graph, values: Sequence[Value]) -> set[str]:
    """Names of primitives that are at (or within 1e-6 of) a point without a derivative."""
    found = set()
    for equation in graph.equations:
        if equation.op not in PRIMITIVES or not PRIMITIVES[equation.op].kink:
            continue
        xs = [np.asarray(values[i]) for i in equation.inputs]
        if _at_kink(equation.op, equation.attrs, xs, [graph.equations[i].node for i in equation.inputs]):
            found.add(equation.op)
    return found


def _at_kink(op: str, attrs: Mapping[str, Any], xs: list[Value], nodes: list[Expr]) -> bool:
    if all(is_number(n) for n in nodes):
        return False
    if op in ("maximum", "minimum"):
        return bool(np.any(np.abs(xs[0] - xs[1]) < KINK_DISTANCE))
    if op in ("max", "min", "peak") or (op == "norm" and attrs["order"] == "inf"):
        x = np.abs(xs[0]) if op == "norm" else -xs[0] if op == "min" else xs[0]
        top = np.max(x, axis=attrs["axis"], keepdims=True)
        return bool(np.any(np.sum(x > top - KINK_DISTANCE, axis=attrs["axis"]) > 1))
    if op == "norm":
        size = np.abs(xs[0]) if attrs["order"] == "1" else np.sqrt(np.sum(xs[0] ** 2, axis=attrs["axis"]))
        return attrs["order"] != "squared" and bool(np.any(size < KINK_DISTANCE))
    return bool(np.any(np.abs(xs[0]) < KINK_DISTANCE))


def _directions(wrt: tuple[Expr, ...], number: int) -> list[dict[str, Value]]:
    """Unit directions, or a few random ones where there are many entries.  Seeded by names and shapes."""
    sizes = [int(np.prod(w.shape)) for w in wrt]
    if sum(sizes) <= MAX_COLUMNS:
        found = []
        for w, size in zip(wrt, sizes, strict=True):
            for i in range(size):
                unit = np.zeros(size)
                unit[i] = 1.0
                found.append({w.name: unit.reshape(w.shape)[()]})
        return found
    content = repr([(w.name, w.shape) for w in wrt]) + str(number)
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(content.encode()).digest()[:8], "big"))
    return [{w.name: rng.normal(size=w.shape) for w in wrt} for _ in range(DIRECTIONS)]


def _judge(name: str, cases: Sequence[_Case], kinks: set[str]) -> Route:
    """Run one route on all cases; the worst deviation decides."""
    route = _ROUTES[name]
    worst, step = 0.0, None
    try:
        if name in NUMERICAL and kinks and all(kinks_at(c.graph, c.values) for c in cases):
            raise _NotRun(f"every point is at a kink of {', '.join(sorted(kinks))}")
        for case in cases:
            expected = _reference(case)
            estimate = route(case)
            scale = np.abs(expected) + 0.1 * np.max(np.abs(expected), initial=0.0) + 1e-3
            error = np.abs(np.asarray(estimate.value) - expected) / scale
            allowed = EXACT + 10 * np.asarray(estimate.error) / scale if name in NUMERICAL else EXACT
            if name == "central differences":
                if not np.all(np.isfinite(estimate.error)) or np.any(np.asarray(estimate.error) / scale > USELESS):
                    raise _NotRun(f"error estimate too large to judge (step {estimate.step:.2g})")
                allowed = np.maximum(allowed, ROUGH)
            step = estimate.step or step
            worst = max(worst, float(np.max(error, initial=0.0)))
            if not np.all(error <= allowed):
                return Route(name, "differs", f"relative deviation {float(np.max(error)):.2g}", worst, step)
    except _NotRun as reason:
        return Route(name, "not run", str(reason))
    except NotDifferentiable as reason:
        return Route(name, "not run", str(reason))
    if not cases:
        return Route(name, "not run", "no point where the expression is defined")
    return Route(name, "agrees", "", worst, step)


def _reference(case: _Case) -> Value:
    """The column of the Jacobian by forward mode, which every route is held against."""
    return np.asarray(_forward(case).value)


def _forward(case: _Case) -> Estimate:
    out, *places = case.graph.outputs
    seeds = {p: case.directions[w.name] for p, w in zip(places, case.wrt, strict=True) if w.name in case.directions}
    with FLOAT.scope():
        found = tangents(case.graph, case.values, seeds, NUMBERS)[out]
    return Estimate(np.zeros(case.expr.shape) if found is None else found, 0.0, 0.0)


def _reverse(case: _Case) -> Estimate:
    out, *places = case.graph.outputs
    shape = case.expr.shape
    column = np.zeros(shape)
    if int(np.prod(shape)) > MAX_COLUMNS:
        raise _NotRun(f"the result has more than {MAX_COLUMNS} entries")
    with FLOAT.scope():
        for key in np.ndindex(*shape):
            upstream = np.zeros(shape)
            upstream[key] = 1.0
            bars = adjoints(case.graph, case.values, {out: upstream[()]}, NUMBERS, wrt=frozenset(places))
            for place, w in zip(places, case.wrt, strict=True):
                if w.name in case.directions and bars[place] is not None:
                    column[key] += float(np.sum(bars[place] * case.directions[w.name]))
    return Estimate(column, 0.0, 0.0)


def _formula(case: _Case) -> Estimate:
    if len(case.graph.equations) > MAX_FORMULA_NODES:
        raise _NotRun(f"more than {MAX_FORMULA_NODES} operations")
    total = np.zeros(case.expr.shape)
    for w in case.wrt:
        if w.name in case.directions:
            total = total + _times(jacobian(case.expr, w), w, case)
    return Estimate(total, 0.0, 0.0)


def _given(case: _Case) -> Estimate:
    assert case.truth is not None
    (w,) = case.wrt
    full = case.expr.shape + w.shape
    truth = case.truth
    if truth.shape != full:
        if int(np.prod(truth.shape)) != int(np.prod(full)):
            raise _NotRun(f"the given truth has shape {truth.shape}, the derivative {full}")
        truth = E.reshape(truth, full)
    return Estimate(_times(truth, w, case), 0.0, 0.0)


def _times(matrix: Expr, w: Expr, case: _Case) -> Value:
    numbers = np.asarray(run(build(matrix), case.env, FLOAT)[0])
    return np.tensordot(numbers, np.asarray(case.directions[w.name]), axes=len(w.shape))


def _sympy(case: _Case) -> Estimate:
    size = len(case.graph.equations) * max(1, int(np.prod(case.expr.shape)))
    if size > MAX_SYMPY_NODES:
        raise _NotRun(f"{size} operations are too many for sympy (limit {MAX_SYMPY_NODES})")
    entries = sum(int(np.prod(n.shape)) for n in ordered((case.expr,)))
    if entries > 10 * MAX_SYMPY_NODES:
        raise _NotRun("the arrays are too large for sympy")
    tree = tree_size(case.expr) * sum(int(np.prod(w.shape)) for w in case.wrt)
    if tree > MAX_TREE:
        raise _NotRun(f"written out without sharing, {tree} nodes are too many for sympy (limit {MAX_TREE})")
    directions = {w: case.directions[w.name] for w in case.wrt if w.name in case.directions}
    return Estimate(sympy_column(case.expr, case.env, directions), 0.0, 0.0)


def _complex(case: _Case) -> Estimate:
    for equation in case.graph.equations:
        if equation.op in CONTINUED:
            raise _NotRun(f"{equation.op} is continued to complex numbers by its own derivative")
    return complex_step(_only(case), case.env, case.directions)


def _differences(case: _Case) -> Estimate:
    return central_differences(_only(case), case.env, case.directions)


def _high_precision(case: _Case) -> Estimate:
    if len(case.graph.equations) > MAX_BALL_NODES:
        raise _NotRun(f"more than {MAX_BALL_NODES} operations")
    found = high_precision_differences(_only(case), case.env, case.directions)
    if not np.all(np.isfinite(found.error)):
        raise _NotRun("balls too wide to judge")
    return found


def _only(case: _Case) -> Graph:
    return Graph(case.graph.equations, case.graph.outputs[:1])


_ROUTES: dict[str, Callable[[_Case], Estimate]] = {
    "forward mode": _forward,
    "reverse mode": _reverse,
    "formula": _formula,
    "given truth": _given,
    "sympy": _sympy,
    "complex step": _complex,
    "central differences": _differences,
    "high-precision differences": _high_precision,
}
