"""The probes of one node: every point to look at, state probes, and sweeps of its own forward pass.

Everything is drawn from a secret and the node's name, so that the grader can draw the same points again to judge them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from grader.compare.nodes.operations import OPERATIONS, Operation
from grader.compare.nodes.points import (
    Case,
    NodeSpec,
    cases_of,
    draw_inputs,
    draw_upstream,
    generator,
)
from grader.compare.nodes.truth import output_shape
from grader.execution.probes import Probe, array_of

STEPS = tuple(1e-2 / 2**k for k in range(8))  # of the central differences on a student's own forward pass
BUDGET_ENTRIES = 300  # inner size of the product whose forward passes are counted: 1,200 parameters

Values = NDArray[Any]
Role = Literal["point", "prefilled", "same", "repeated", "forward", "sweep", "budget", "budget_forward"]


@dataclass(frozen=True, slots=True)
class Point:
    """One probe of a node and what was drawn for it.  `sweep` and `step` number the central differences."""

    probe: Probe
    role: Role
    case: Case
    inputs: tuple[Values, ...]
    upstream: Values | None
    prefill: tuple[Values, ...] = ()
    sweep: int = -1
    step: float = 0.0
    direction: tuple[Values, ...] = ()

    @property
    def name(self) -> str:
        return self.probe.name

    @property
    def attrs(self) -> dict[str, Any]:
        return dict(self.case.attrs)


@lru_cache(maxsize=128)  # asked for by every question on the node, and again when it is judged
def points_of(spec: NodeSpec, seed: bytes) -> tuple[Point, ...]:
    """All points of a node, in the order in which they are asked."""
    operation = OPERATIONS[spec.stands_for]
    builder = _Builder(spec, operation, seed)
    cases = list(cases_of(spec, operation))
    points = [builder.point(case) for case in cases]
    points += builder.state_points(cases)
    points += builder.forward_points(cases)
    points += builder.sweeps(cases)
    points += builder.budget_points()
    points.append(builder.repeated(points[0]))
    return tuple(points)


def probes_for(spec: NodeSpec, seed: bytes) -> tuple[Probe, ...]:
    """The questions to the student's code, fresh for every secret."""
    return tuple(point.probe for point in points_of(spec, seed))


class _Builder:
    """Draws points of one node; numbers them so that every name and every draw is its own."""

    def __init__(self, spec: NodeSpec, operation: Operation, seed: bytes) -> None:
        self.spec, self.operation, self.seed, self.count = spec, operation, seed, 0

    def point(self, case: Case, role: Role = "point") -> Point:
        rng = self._rng()
        inputs = draw_inputs(case, self.operation, rng)
        upstream = draw_upstream(output_shape(self.operation, case.shapes, dict(case.attrs)), rng)
        return self._make(role, case, inputs, None if role in ("forward", "budget_forward") else upstream)

    def state_points(self, cases: list[Case]) -> list[Point]:
        """The first point again with gradients the inputs already hold, and with one node for both arguments."""
        first = cases[0]
        rng = self._rng()
        inputs = draw_inputs(first, self.operation, rng)
        upstream = draw_upstream(output_shape(self.operation, first.shapes, dict(first.attrs)), rng)
        held = tuple(draw_upstream(x.shape, rng) for x in inputs)
        found = [self._make("prefilled", first, inputs, upstream, prefill=held)]
        if self.operation.arity == 2 and self.operation.profile == "binary":
            single = Case(first.group, first.shapes[:1], first.attrs, "positive")
            shape = output_shape(self.operation, first.shapes, dict(first.attrs))
            x = draw_inputs(single, self.operation, rng)
            found.append(self._make("same", single, x, draw_upstream(shape, rng)))
        return found

    def forward_points(self, cases: list[Case]) -> list[Point]:
        """One forward pass alone in every group, so that an error in the backward pass costs only the backward pass."""
        seen: dict[str, Case] = {}
        for case in cases:
            seen.setdefault(case.group, case)
        return [self.point(case, "forward") for case in seen.values()]

    def sweeps(self, cases: list[Case]) -> list[Point]:
        """Central differences of the forward pass around one small point (and around one broadcast pair)."""
        broadcast = [case for case in cases if case.group in ("broadcast", "batched_broadcast")]
        negative = [case for case in cases if case.draw == "negative"] if self.spec.scalar else []
        chosen = [cases[0], *broadcast[:1], *negative[:1]]
        return [point for number, case in enumerate(chosen) for point in self._sweep(number, case)]

    def budget_points(self) -> list[Point]:
        """Forward alone and forward with backward of a large product: how often is the student's own code entered?"""
        shapes = {
            "matmul": ((2, BUDGET_ENTRIES), (BUDGET_ENTRIES, 2)),
            "dense": ((2, BUDGET_ENTRIES), (BUDGET_ENTRIES, 2), (2,)),
        }
        if self.spec.scalar or self.operation.name not in shapes:
            return []
        case = Case("budget", shapes[self.operation.name])
        return [self.point(case, "budget_forward"), self.point(case, "budget")]

    def repeated(self, point: Point) -> Point:
        """The very first point once more, after all the others."""
        return self._make("repeated", point.case, point.inputs, point.upstream)

    def _sweep(self, number: int, case: Case) -> list[Point]:
        rng = self._rng()
        inputs = draw_inputs(case, self.operation, rng)
        upstream = draw_upstream(output_shape(self.operation, case.shapes, dict(case.attrs)), rng)
        direction = tuple(draw_upstream(x.shape, rng) for x in inputs)
        points = [self._make("sweep", case, inputs, upstream, sweep=number, direction=direction)]
        for step in (s * sign for s in STEPS for sign in (1, -1)):
            moved = tuple(np.asarray(x + step * d) for x, d in zip(inputs, direction, strict=True))
            points.append(self._make("sweep", case, moved, None, sweep=number, step=step, direction=direction))
        return points

    def _rng(self) -> np.random.Generator:
        return generator(self.seed, self.spec.name, str(self.count))

    def _make(
        self,
        role: Role,
        case: Case,
        inputs: tuple[Values, ...],
        upstream: Values | None,
        prefill: tuple[Values, ...] = (),
        sweep: int = -1,
        step: float = 0.0,
        direction: tuple[Values, ...] = (),
    ) -> Point:
        self.count += 1
        probe = Probe(
            name=f"{self.spec.subject}/{self.count}",
            op="call",
            node=self.spec.name,
            inputs=tuple(array_of(x) for x in inputs),
            upstream=None if upstream is None else array_of(upstream),
            attrs=case.attrs,
            prefill=tuple(array_of(x) for x in prefill),
            same=role == "same",
            count=role in ("budget", "budget_forward"),
        )
        return Point(probe, role, case, inputs, upstream, prefill, sweep, step, direction)
