"""Small programs over nodes, their exact values and adjoints, and what they give when some nodes are wrong.

A program is a tuple of equations as they travel to the student's process: inputs count from 0, then the equations; the
last one is the output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.compare.nodes.mistaken import mistaken_gradients
from grader.compare.nodes.operations import OPERATIONS
from grader.compare.nodes.truth import Variant, truth_at
from grader.execution.probes import Equation
from reference import expression as E
from reference.algebra import numbers
from reference.expression import Expr
from reference.graph import FLOAT, Graph, build, run_all
from reference.modes import adjoints

Values = NDArray[Any]
Program = tuple[Equation, ...]
LOWERED = frozenset({"add", "sub", "mul", "div", "neg", "sqrt", "exp", "log", "sin", "cos", "tanh", "sigmoid", "relu"})


@dataclass(frozen=True, slots=True)
class Adjoints:
    """Values and adjoints of all inputs and equations, in program order; an adjoint that nothing reaches is zero."""

    values: tuple[Values, ...]
    adjoints: tuple[Values, ...]

    @property
    def output(self) -> Values:
        return self.values[-1]


def run_program(program: Program, inputs: Sequence[Values]) -> Adjoints:
    """Exact values and adjoints, the output's adjoint being 1."""
    graph, positions = _graph(program, tuple(x.shape for x in inputs))
    env = {f"x{i}": np.asarray(x, float) for i, x in enumerate(inputs)}
    values = run_all(graph, env, FLOAT)
    seed = np.ones(np.shape(values[positions[-1]]))[()]
    with FLOAT.scope():
        bars = adjoints(graph, values, {positions[-1]: seed}, numbers(FLOAT))
    found = [np.asarray(values[p], float) for p in positions]
    return Adjoints(
        tuple(found),
        tuple(
            np.zeros(v.shape) if bars[p] is None else _full(bars[p], v) for v, p in zip(found, positions, strict=True)
        ),
    )


def _full(bar: Any, value: Values) -> Values:
    return np.array(np.broadcast_to(np.asarray(bar, float), value.shape))


@lru_cache(maxsize=256)
def _graph(program: Program, shapes: tuple[tuple[int, ...], ...]) -> tuple[Graph, tuple[int, ...]]:
    """One graph for the program.  Equations are kept apart even where two compute the same."""
    nodes: list[Expr] = [E.symbol(f"x{i}", shape) for i, shape in enumerate(shapes)]
    for step in program:
        nodes.append(OPERATIONS[step.op].build([nodes[i] for i in step.args], dict(step.attrs)))
    graph = build(tuple(nodes))
    return graph, graph.outputs


def follow(program: Program, inputs: Sequence[Values], faults: Mapping[str, Any]) -> Adjoints | None:
    """Values and adjoints that a right engine gives over the student's own nodes, some of them wrong.

    `faults` maps an operation to the Diagnosis of its backward pass.  None where a diagnosis says too little to be
    followed.
    """
    exact = run_program(program, inputs)
    bars = [np.zeros(v.shape) for v in exact.values]
    bars[-1] = np.ones(exact.values[-1].shape)
    for position in range(len(program) - 1, -1, -1):
        step = program[position]
        g = bars[len(inputs) + position]
        xs = tuple(exact.values[i] for i in step.args)
        variant = Variant(step.op)
        fault = faults.get(step.op)
        parts = (
            truth_at(variant, xs, dict(step.attrs), g).gradients
            if fault is None
            else mistaken_gradients(fault, variant, xs, dict(step.attrs), g)
        )
        if parts is None or any(part.shape != x.shape for part, x in zip(parts, xs, strict=True)):
            return None
        for i, part in zip(step.args, parts, strict=True):
            bars[i] = bars[i] + part
    return Adjoints(exact.values, tuple(bars))


def lower(expr: Expr, inputs: Sequence[Expr], available: Sequence[str]) -> Program | None:
    """The program that computes an expression with the nodes there are; None where it needs others."""
    graph = build((*inputs, expr))
    places: dict[int, int] = {position: i for i, position in enumerate(graph.outputs[:-1])}
    program: list[Equation] = []
    for position, equation in enumerate(graph.equations):
        if position in places or equation.op == "constant":
            continue
        step = _step(equation.op, equation.node, [places.get(i, -1) for i in equation.inputs], available)
        if step is None:
            return None
        places[position] = len(inputs) + len(program)
        program.append(step)
    return tuple(program)


def _step(op: str, node: Expr, args: list[int], available: Sequence[str]) -> Equation | None:
    if op == "pow" and node.args[1].op == "constant" and args[0] >= 0:
        exponent = node.args[1].value
        if exponent == 2 and "square" in available:
            return Equation("square", (args[0],))
        if exponent == 2 and "mul" in available and "pow" not in available:
            return Equation("mul", (args[0], args[0]))
        if "pow" in available and exponent.denominator == 1:
            return Equation("pow", (args[0],), (("exponent", int(exponent)),))
        return None
    if op in LOWERED and op in available and all(i >= 0 for i in args):
        return Equation(op, tuple(args))
    return None
