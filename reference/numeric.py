"""Derivatives by numbers alone: central differences with Richardson extrapolation, complex step, high precision.

None of them knows a derivative rule, which is what makes them independent of the table.
Sources: Squire & Trapp 1998 (complex step); Ridders 1982 (extrapolated differences).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from reference.graph import FLOAT, Field, Graph, balls, run

Value = Any
Env = Mapping[str, Value]

COMPLEX_STEP = 1e-30
FIRST_STEP = 1e-2
HALVINGS = 8
HIGH_PRECISION_BITS = 640
HIGH_PRECISION_STEP_BITS = 160  # step 2**-160, so the difference quotient is good to about 320 bits


@dataclass(frozen=True, slots=True)
class Estimate:
    """A directional derivative, its estimated error (same shape) and the step it was found with."""

    value: Value
    error: Value
    step: float


def moved(env: Env, directions: Env, amount: Value) -> dict[str, Value]:
    """The point env + amount · directions."""
    return {k: np.asarray(v) + amount * np.asarray(directions[k]) if k in directions else v for k, v in env.items()}


def complex_step(graph: Graph, env: Env, directions: Env) -> Estimate:
    """Im f(x + i h u) / h with h = 1e-30: no cancellation, exact to rounding."""
    found = run(graph, moved(env, directions, 1j * COMPLEX_STEP), FLOAT)[0]
    value = np.imag(found) / COMPLEX_STEP
    return Estimate(value, np.abs(value) * 1e-13 + 1e-300, COMPLEX_STEP)


def central_differences(graph: Graph, env: Env, directions: Env) -> Estimate:
    """Ridders' extrapolated central differences: step halved eight times, smallest error estimate wins."""
    return ridders(lambda amount: run(graph, moved(env, directions, amount), FLOAT)[0], FIRST_STEP)


def ridders(f: Callable[[float], Value], first: float, halvings: int = HALVINGS) -> Estimate:
    """df/dt at 0 of a function of one number, entry by entry."""
    rows: list[list[Value]] = []
    best: Estimate | None = None
    step = first
    with np.errstate(all="ignore"):
        for i in range(halvings):
            row = [np.asarray(f(step) - f(-step)) / (2 * step)]
            for k in range(1, i + 1):
                row.append(row[k - 1] + (row[k - 1] - rows[i - 1][k - 1]) / (4.0**k - 1))
            rows.append(row)
            for k in range(1, i + 1):
                error = np.maximum(np.abs(row[k] - row[k - 1]), np.abs(row[k] - rows[i - 1][k - 1]))
                if best is None or _smaller(error, best.error):
                    best = Estimate(row[k], error, step)
            step /= 2
    assert best is not None
    return best


def _smaller(a: Value, b: Value) -> bool:
    return bool(np.nan_to_num(np.max(a), nan=np.inf) < np.nan_to_num(np.max(b), nan=np.inf))


def high_precision_differences(graph: Graph, env: Env, directions: Env) -> Estimate:
    """A central difference in 640-bit ball arithmetic with a step of 2^-160; rounding plays no part."""
    field = balls(HIGH_PRECISION_BITS)
    with field.scope():
        h = flint.arb(2) ** -HIGH_PRECISION_STEP_BITS
        ahead, behind = (_at(graph, env, directions, s * h, field) for s in (1, -1))
        quotient = (ahead - behind) / (2 * h)
        entries = np.asarray(quotient, dtype=object)
        value = _floats(entries, lambda b: float(b.mid()))
        error = _floats(entries, lambda b: float(b.rad()) if b.is_finite() else float("inf"))
    return Estimate(value, error + np.abs(value) * 1e-15, 2.0**-HIGH_PRECISION_STEP_BITS)


def _floats(entries: Value, read: Callable[[Any], float]) -> Value:
    return np.array([read(b) for b in entries.reshape(-1)]).reshape(entries.shape)


def _at(graph: Graph, env: Env, directions: Env, amount: flint.arb, field: Field) -> Value:
    point = {}
    for name, value in env.items():
        taken = field.take(value)
        point[name] = taken + amount * field.take(directions[name]) if name in directions else taken
    return run(graph, point, field)[0]
