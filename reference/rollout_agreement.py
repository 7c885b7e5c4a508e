"""The gradient of a long rollout, certified: compiled reverse mode against routes that know no derivative rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference.agree import MAX_COLUMNS, ROUGH, USELESS, Agreement, Disagreement, Route
from reference.graph import FLOAT, build, run
from reference.numeric import COMPLEX_STEP, FIRST_STEP, ridders
from reference.rollout import System
from reference.unrolled import CompiledSystem, Rollout, compile_system

Value = Any

LONG = 1e-7  # relative error allowed between exact routes after thousands of steps
SMALL_STEP = 1e-4  # first step of the differences for more than 100 steps


def agree_on_rollout(
    system: System, initial: Value, parameters: Sequence[Value], steps: int, start: int = 0
) -> tuple[Rollout, Agreement]:
    """Loss, last state and gradients after `steps` steps, with what every route found.

    Complex step runs the step map in complex arithmetic, differences run the compiled forward pass; sympy is listed as
    not run.  Raises Disagreement when a route differs or no numerical one could be run.
    """
    compiled = compile_system(system)
    values = tuple(np.asarray(p, dtype=float) for p in parameters)
    x0 = np.asarray(initial, dtype=float)
    found = compiled.gradient(x0, values, steps, start)
    columns = _columns(x0, values)
    expected = np.array([_along(found, c) for c in columns])
    routes = (
        Route("reverse mode", "agrees", "", 0.0),
        _complex(compiled, x0, values, steps, start, columns, expected),
        _differences(compiled, x0, values, steps, start, columns, expected),
        Route("sympy", "not run", f"{steps} unrolled steps are too many for sympy"),
    )
    agreement = Agreement(routes)
    if not agreement.sound:
        raise Disagreement("the routes to the gradient of the rollout do not agree", agreement)
    return found, agreement


def _columns(x0: Value, values: Sequence[Value]) -> list[tuple[Value, ...]]:
    """Unit directions of the initial state and of every parameter."""
    everything = (x0, *values)
    found = []
    for i, array in enumerate(everything):
        for key in np.ndindex(*array.shape):
            direction = [np.zeros(a.shape) for a in everything]
            direction[i][key] = 1.0
            found.append(tuple(direction))
    return found[:MAX_COLUMNS]


def _along(found: Rollout, direction: Sequence[Value]) -> float:
    gradients = (found.initial, *found.parameters)
    return float(sum(np.sum(g * d) for g, d in zip(gradients, direction, strict=True)))


def _complex(
    compiled: CompiledSystem,
    x0: Value,
    values: Sequence[Value],
    steps: int,
    start: int,
    columns: Sequence[tuple[Value, ...]],
    expected: Value,
) -> Route:
    """The step map in complex arithmetic: compiled where it is analytic, else through the interpreter."""
    h = COMPLEX_STEP
    got = []
    for d0, *ds in columns:
        state = x0 + 1j * h * d0
        moved = [v + 1j * h * d for v, d in zip(values, ds, strict=True)]
        try:
            total = compiled.forward_complex(state, *moved, steps, start)[1]
        except TypeError:  # something compares: |x|, max, relu
            env = {p.name: v for p, v in zip(compiled.system.parameters, moved, strict=True)}
            total = _loss(compiled.system, state, env, steps, start)
        got.append(complex(total).imag / h)
    scale = np.abs(expected) + 1e-3 * np.max(np.abs(expected), initial=0.0) + 1e-300
    error = float(np.max(np.abs(np.array(got) - expected) / scale))
    return Route("complex step", "agrees" if error <= LONG else "differs", "", error, h)


def _loss(system: System, state: Value, env: Mapping[str, Value], steps: int, start: int) -> complex:
    """The loss after running the step map through the interpreter, one step at a time."""
    step, loss = build(system.next), build(system.loss)
    total: complex = 0.0
    for t in range(start + 1, start + steps + 1):
        point = {**env, system.state.name: state}
        if system.time is not None:
            point[system.time.name] = t - 1
        state = run(step, point, FLOAT)[0]
        if system.accumulated or t == start + steps:
            point = {**env, system.state.name: state} | ({system.time.name: t} if system.time is not None else {})
            total = total + complex(run(loss, point, FLOAT)[0])
    return total


def _differences(
    compiled: CompiledSystem,
    x0: Value,
    values: Sequence[Value],
    steps: int,
    start: int,
    columns: Sequence[Any],
    expected: Value,
) -> Route:
    worst, used = 0.0, None
    first = FIRST_STEP if steps <= 100 else SMALL_STEP
    for (d0, *ds), value in zip(columns, expected, strict=True):

        def at(amount: float, d0: Value = d0, ds: Sequence[Value] = ds) -> float:
            moved = [v + amount * d for v, d in zip(values, ds, strict=True)]
            return compiled.forward(x0 + amount * d0, *moved, steps, start)[1]

        try:
            estimate = ridders(at, first)
        except (ArithmeticError, ValueError):
            return Route("central differences", "not run", "a disturbed start leaves the domain")
        scale = abs(value) + 0.1 * float(np.max(np.abs(expected)))
        if not np.isfinite(estimate.error) or estimate.error > USELESS * scale:
            reason = f"error estimate too large to judge (step {estimate.step:.2g})"
            return Route("central differences", "not run", reason)
        worst = max(worst, float(abs(float(estimate.value) - value) / scale))
        used = estimate.step
        if abs(float(estimate.value) - value) > 10 * estimate.error + ROUGH * scale:
            return Route("central differences", "differs", f"relative deviation {worst:.2g}", worst, used)
    return Route("central differences", "agrees", "", worst, used)
