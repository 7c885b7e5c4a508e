"""Is a derived truth confirmed by independent routes?

`confirm` is the quick look before any student is graded: the formula against a numerical one that knows nothing of it.
`certify` runs every route, sympy among them, for `grader truth` and `grader validate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from grader.compare import Domain
from grader.compare.functions import signatures, smooth_function
from grader.kinds.plan import Route, Task
from reference.expression import Expr, call, calls, instantiate
from reference.graph import FLOAT, Graph, build, run
from reference.numeric import central_differences, complex_step
from reference.primitives import PRIMITIVES

QUICK_POINTS = 6  # tried until one is found where everything is defined
POINTS = 4
MAX_DIRECTIONS = 8
TOLERANCE = 1e-9
ROUGH = 1e-5

Env = Mapping[str, Any]
Claim = tuple[str, Expr, Expr, Expr, Domain]  # what it is of, f, variable, claimed derivative, domain


def environments(domain: Domain, count: int) -> tuple[Env, ...]:
    """Some moderate points of a domain as float arrays."""
    points = [p for p in domain.points("certify") if p.stratum in ("moderate", "mixed", "near_zero")] or list(
        domain.points("certify")
    )
    return tuple(
        {n: np.array([float(v) for v in entries]).reshape(domain.shape(n))[()] for n, entries in p.values}
        for p in points[:count]
    )


def concrete(outputs: Sequence[Expr]) -> tuple[Expr, ...]:
    """The expressions with smooth functions in place of abstract ones."""
    if not calls(outputs):
        return tuple(outputs)
    chosen = {one.name: smooth_function(one, 0) for one in signatures(outputs)}
    # all at once, so that what they share is worked out once
    return instantiate(call("all of them", outputs, shape=()), chosen).args


def confirm(claims: Sequence[Claim], task: Task) -> None:
    """Hold each claimed derivative against a numerical route.

    Raises ProblemError when they differ, or when no point of the domain can be used.
    """
    for name, f, variable, claimed, domain in claims:
        function, formula = concrete((f, claimed))
        graph, claim = build(function), build(formula)
        worst: float | None = None
        for env in environments(domain, QUICK_POINTS):
            worst = _deviation(graph, claim, variable, env)
            if worst is not None:
                break
        if worst is None:
            raise task.refuse(
                f"{name} is defined at no point of the domain that was tried",
                "f",
                "mend the definition, or narrow `symbols` or `where`",
            )
        if worst > ROUGH:
            raise task.refuse(
                f"the routes to {name} disagree by {worst:.1g}: the formula and a numerical derivative", "f"
            )


def _deviation(f: Graph, formula: Graph, variable: Expr, env: Env) -> float | None:
    """Largest relative difference along some directions; None if the point can't be used."""
    with np.errstate(all="ignore"):
        claimed = np.asarray(run(formula, env, FLOAT)[0], dtype=float)
        value = np.asarray(run(f, env, FLOAT)[0], dtype=float)
    if not (np.isfinite(claimed).all() and np.isfinite(value).all()):
        return None
    worst, used = 0.0, False
    for direction in _directions(variable.shape):
        expected = np.tensordot(claimed.reshape(value.shape + variable.shape), direction, axes=len(variable.shape))
        found = _numerical(f, env, {variable.name: direction[()]})
        if found is None or not np.isfinite(found).all():
            continue
        used = True
        scale = float(np.max(np.abs(expected), initial=0.0)) + 1e-3
        worst = max(worst, float(np.max(np.abs(found - expected), initial=0.0)) / scale)
    return worst if used else None


def _directions(shape: tuple[int, ...]) -> list[np.ndarray]:
    size = int(np.prod(shape, dtype=int))
    found = []
    for i in range(min(size, MAX_DIRECTIONS)):
        unit = np.zeros(size)
        unit[i] = 1.0
        found.append(unit.reshape(shape))
    return found


def _numerical(f: Graph, env: Env, direction: Env) -> np.ndarray | None:
    """The complex step where every operation allows it, central differences otherwise."""
    rough = any(e.op in PRIMITIVES and PRIMITIVES[e.op].kink for e in f.equations)
    with np.errstate(all="ignore"):
        if not rough:
            try:
                return np.asarray(complex_step(f, env, direction).value, dtype=float)
            except (TypeError, ValueError, NotImplementedError):
                pass
        estimate = central_differences(f, env, direction)
        return np.asarray(estimate.value, dtype=float)


def certify(claims: Sequence[Claim]) -> tuple[tuple[str, tuple[Route, ...]], ...]:
    """Every route for every claim, with the reason where one was not run."""
    from reference.agree import Disagreement, agree

    found = []
    for name, f, variable, claimed, domain in claims:
        function, formula = concrete((f, claimed))
        try:
            agreement = agree(function, variable, environments(domain, POINTS), formula)
        except Disagreement as trouble:
            agreement = trouble.agreement
        routes = tuple(Route(r.name, _STATUS[r.status], _detail(r)) for r in agreement.routes)
        found.append((name, routes))
    return tuple(found)


_STATUS: dict[str, Any] = {"agrees": "agrees", "differs": "disagrees", "not run": "not run"}


def _detail(route: Any) -> str:
    parts = [route.reason] if route.reason else []
    if route.error is not None:
        parts.append(f"deviation {route.error:.1e}")
    if route.step:
        parts.append(f"step {route.step:.1e}")
    return ", ".join(parts)


def sound(routes: Sequence[Route]) -> bool:
    """At least two routes agree and none disagrees."""
    return sum(r.status == "agrees" for r in routes) >= 2 and all(r.status != "disagrees" for r in routes)


def certifier(claims: Sequence[Claim]) -> Any:
    """The slow check, to be called when it is wanted."""
    return partial(certify, tuple(claims))


__all__ = ["Claim", "certifier", "certify", "concrete", "confirm", "environments", "sound"]
