"""The exact value and the exact vector–Jacobian product of an operation, from the reference's table of primitives."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.compare.nodes.operations import GUARDED, OPERATIONS, REDUCTIONS, Attrs, Operation, Shape
from reference import expression as E
from reference.algebra import numbers
from reference.graph import FLOAT, Graph, build, run_all
from reference.modes import adjoints

Values = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Variant:
    """One accepted meaning of a node: its operation, a mean or a sum, a small number added as a guard, a slope."""

    operation: str
    reduction: str = ""
    guard: Fraction = Fraction(0)
    slope: Fraction = Fraction(0)  # of a leaky ReLU below zero; 0: the usual one


@dataclass(frozen=True, slots=True)
class Truth:
    """Value and gradients at one point, in float64."""

    y: Values
    gradients: tuple[Values, ...]


def output_shape(operation: Operation, shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    """Shape of the result.  Raises reference.ShapeError where the arguments do not conform."""
    return operation.build([E.symbol(f"x{i}", shape) for i, shape in enumerate(shapes)], attrs).shape


def truth_at(
    variant: Variant, inputs: tuple[Values, ...], attrs: Attrs, upstream: Values | None, same: bool = False
) -> Truth:
    """Value, and with an upstream gradient the gradients.  `same`: one input stands for both arguments."""
    shapes = tuple(x.shape for x in inputs)
    graph = _graph(variant, shapes, tuple(sorted(attrs.items())), same)
    env = {f"x{i}": np.asarray(x, float) for i, x in enumerate(inputs)}
    values = run_all(graph, env, FLOAT)
    out, *positions = graph.outputs
    y = np.asarray(values[out], float)
    if upstream is None:
        return Truth(y, ())
    seed = np.asarray(upstream, float)[()]
    with FLOAT.scope():
        bars = adjoints(graph, values, {out: seed}, numbers(FLOAT), wrt=frozenset(positions))
    found = (np.asarray(0.0 if bars[p] is None else bars[p], float) for p in positions)
    return Truth(y, tuple(np.array(np.broadcast_to(g, s)) for g, s in zip(found, shapes, strict=True)))


@lru_cache(maxsize=4096)
def _graph(variant: Variant, shapes: tuple[Shape, ...], attrs: tuple[tuple[str, Any], ...], same: bool) -> Graph:
    """The result and its arguments as one graph; built once, run for every student."""
    operation = OPERATIONS[variant.operation]
    symbols = [E.symbol(f"x{i}", shape) for i, shape in enumerate(shapes)]
    arguments = symbols * operation.arity if same else list(symbols)
    given = dict(attrs)
    if variant.reduction and variant.operation in REDUCTIONS:
        given["reduction"] = variant.reduction
    if variant.slope:
        given["slope"] = variant.slope
    if variant.guard and variant.operation in GUARDED:
        position = GUARDED[variant.operation]
        arguments[position] = E.add(arguments[position], variant.guard)
    return build((operation.build(arguments, given), *symbols))
