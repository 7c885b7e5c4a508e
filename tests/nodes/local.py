"""A node given as two Python functions and asked through the real harness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from grader.compare.nodes.judging import Conventions, NodeVerdict, judge
from grader.compare.nodes.operations import OPERATIONS
from grader.compare.nodes.points import NodeSpec
from grader.compare.nodes.probing import Point, points_of
from grader.compare.observations import replies_by_name
from grader.execution.harness import answer_in_process

ADAPTER = """
accumulates = True


def nodes():
    return [node["name"]]


def call(name, xs, g, *, prefill=None, same=False, **attrs):
    import numpy as np

    xs = xs * (2 if same else 1)
    held = [np.zeros_like(x, float) for x in xs] if prefill is None else [np.array(p, float) for p in prefill]
    if same:
        held = [held[0], held[0]]
    y = node["forward"](*xs, **attrs)
    if g is None:
        return y, None
    grads = node["accumulate"](held, node["backward"](xs, y, g, **attrs))
    return y, grads[:1] if same else grads


def engine(expr, xs):
    raise NotImplementedError
"""


def add_up(held: list[Any], grads: Any) -> list[Any]:
    """What a right engine does: add every contribution to what the input already holds."""
    if grads is None:
        return [None for _ in held]
    same = len(held) == 2 and held[0] is held[1]
    if same:
        total = held[0] + grads[0] + grads[1]
        return [total, total]
    return [
        None if d is None else d if np.shape(d) != np.shape(h) else h + d for h, d in zip(held, grads, strict=False)
    ]


@dataclass(frozen=True)
class Implementation:
    """One implementation of one operation, right or wrong."""

    operation: str
    kind: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    accumulate: Callable[..., Any] = add_up

    @property
    def label(self) -> str:
        return f"{self.operation}: {self.kind}"


def spec_of(operation: str) -> NodeSpec:
    return NodeSpec(operation, attributes=tuple(name for name, _ in OPERATIONS[operation].attributes), vectors=True)


def judged(
    implementation: Implementation,
    seed: bytes = b"test",
    conventions: Conventions | None = None,
    points: tuple[Point, ...] | None = None,
    **changes: Any,
) -> NodeVerdict:
    """The verdict on an implementation at points drawn from the seed."""
    spec = replace(spec_of(implementation.operation), **changes)
    asked = points or points_of(spec, seed)
    student: Mapping[str, Any] = {
        "node": {
            "name": spec.name,
            "forward": implementation.forward,
            "backward": implementation.backward,
            "accumulate": implementation.accumulate,
        }
    }
    with np.errstate(all="ignore"):
        observations = answer_in_process([point.probe for point in asked], ADAPTER, student)
    return judge(spec, asked, replies_by_name(observations), conventions, accumulates=True)
