"""A dynamical system integrated step by step: written out as a derivation, or run by numbers where steps are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from grader.kinds.certify import Claim
from grader.kinds.plan import Task
from grader.kinds.point import points_at
from reference import expression as E
from reference.derivation import Derivation, Step
from reference.expression import Expr
from reference.graph import FLOAT, build, run
from reference.modes import gradient
from reference.rollout import System, backward
from reference.steppers import explicit_step
from reference.unrolled import compile_system

COMPLEX_STEP = 1e-40
AGREEMENT = 1e-6  # between the adjoint run and the complex step, relative; a chaotic system loses the rest
STATE, THETA = "s", "theta"
NUMBER = E.symbol("step_number")  # the time of a step is dt times its number


@dataclass(frozen=True)
class Integrated:
    """The worked-out definition.  `slope` and `loss` are over `state` (n,), `theta` (m,) and `time`.

    `start` and `values` are the numbers of state and parameters, `wanted` the places of the parameters asked for.
    """

    slope: Expr
    loss: Expr
    state: Expr
    theta: Expr
    time: Expr
    method: str
    dt: Fraction
    steps: int
    start: tuple[Fraction, ...]
    values: tuple[Fraction, ...]
    wanted: tuple[int, ...]

    @cached_property
    def system(self) -> System:
        """One step of the method; its time is the number of the step."""
        return System(self.state, self.moved(self.method, self.state, NUMBER), (self.theta,), self.loss, time=NUMBER)

    def moved(self, method: str, state: Expr, number: Expr) -> Expr:
        """The state after one step of a method from `state`, the step having a number."""
        moved = explicit_step(method, self.state, self.slope, self.dt, self.time)
        return E.substitute(moved, {self.time: E.constant(self.dt) * number, self.state: state})

    def written(self) -> Derivation:
        """States s_0 … s_T, loss L, adjoints back to lambda_0, and the gradient by the parameters asked for."""
        rows = [Step(f"{STATE}_0", vector(self.start)), Step(THETA, vector(self.values))]
        rows += backward(self.system, self.steps, name=STATE).steps
        by_all = E.symbol(f"grad_{THETA}", self.theta.shape)
        rows.append(Step("parameters", E.stack([by_all[i] for i in self.wanted])))
        return Derivation(tuple(rows))

    def claims(self) -> tuple[Claim, ...]:
        """The gradients as derivatives of the whole run in one expression, at the question's numbers."""
        first = E.symbol(f"{STATE}_0", self.state.shape)
        whole = first
        for n in range(self.steps):
            whole = E.substitute(self.system.next, {self.state: whole, NUMBER: E.constant(n)})
        total = E.substitute(self.loss, {self.state: whole})
        at = points_at({first: vector(self.start), self.theta: vector(self.values)})
        return tuple(
            (f"the gradient by the {name}", total, variable, gradient(total, variable), at)
            for name, variable in (("initial state", first), ("parameters", self.theta))
        )

    def run(self, task: Task) -> Derivation:
        """The same by numbers: the adjoint run, confirmed by the complex step.  Raises ProblemError if they differ."""
        start, theta = (np.array([float(v) for v in one]) for one in (self.start, self.values))
        try:
            found = compile_system(self.system).gradient(start, (theta,), self.steps)
        except (ArithmeticError, ValueError) as trouble:
            raise task.refuse(f"the system cannot be run for {self.steps} steps: {trouble}", "steps") from None
        slopes = {"initial": found.initial, "parameters": found.parameters[0]}
        if not all(np.isfinite(one).all() for one in (found.state, *slopes.values())):
            raise task.refuse(f"the system runs off to infinity within {self.steps} steps", "steps")
        for name, one in slopes.items():
            numeric = self._along(start, theta, name)
            if not abs(float(one.sum()) - numeric) <= AGREEMENT * (float(np.abs(one).sum()) + 1e-12):
                raise task.refuse(f"adjoint run and complex step disagree on the gradient by the {name}", "steps")
        rows = {"state": found.state, "loss": found.loss, **slopes}
        rows["parameters"] = found.parameters[0][list(self.wanted)]
        return Derivation(tuple(Step(name, _constants(value)) for name, value in rows.items()))

    def _along(self, start: Any, theta: Any, name: str) -> float:
        """The loss's derivative along the direction of ones, by the complex step through the whole run."""
        x = start + (1j * COMPLEX_STEP if name == "initial" else 0j)
        p = theta + (1j * COMPLEX_STEP if name == "parameters" else 0j)
        step, cost = build(self.system.next), build(self.loss)
        for n in range(self.steps):
            x = run(step, {STATE: x, THETA: p, NUMBER.name: float(n)}, FLOAT)[0]
        return float(np.imag(complex(run(cost, {STATE: x, THETA: p}, FLOAT)[0])) / COMPLEX_STEP)


def vector(values: Sequence[Fraction]) -> Expr:
    """A constant vector."""
    return E.stack([E.constant(value) for value in values])


def _constants(value: Any) -> Expr:
    flat = np.atleast_1d(np.asarray(value, dtype=float))
    numbers = [E.constant(Fraction(float(one))) for one in flat]
    return E.stack(numbers) if np.ndim(value) else numbers[0]
