"""Graphs on which an engine is tried: shared nodes, orders that matter, random ones, a deep and an explosive one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from grader.compare.nodes.operations import OPERATIONS
from grader.compare.nodes.points import HIGH, LOW, digest, generator
from grader.compare.nodes.programs import Program
from grader.execution.probes import Equation, Probe, array_of

DEPTH = 10_000
LADDER = 24  # each node uses the two before it: 121,393 paths from the output to the inputs
BUDGET_INPUTS = 200
RANDOM_GRAPHS = 6
RANDOM_SIZE = 9
MAX_SIZE = 20.0  # of a value inside a random graph

Values = NDArray[Any]
Kind = Literal["chain", "shared", "late", "diamond", "random", "deep", "explosive", "budget"]


@dataclass(frozen=True, slots=True)
class EngineCase:
    """One graph, its inputs, and the question that carries it."""

    kind: Kind
    program: Program
    inputs: tuple[Values, ...]
    probe: Probe

    @property
    def nodes(self) -> frozenset[str]:
        return frozenset(step.op for step in self.program)

    @property
    def small(self) -> bool:
        return self.kind in ("chain", "shared", "late", "diamond", "random")


def engine_subject(nodes: Sequence[str], numbers: bool = True) -> str:
    """Name under which the probes of an engine over these nodes travel."""
    return f"engine/{digest(' '.join(nodes) + ('' if numbers else ' (1,)'))}"


@lru_cache(maxsize=16)
def engine_cases(nodes: tuple[str, ...], seed: bytes, numbers: bool = True) -> tuple[EngineCase, ...]:
    """Graphs over these nodes (names of operations), with fresh inputs.  Every node stands in several of them.

    `numbers`: inputs are arrays without axes; otherwise arrays of shape (1,).
    """
    usable = [name for name in nodes if OPERATIONS[name].profile in ("unary", "binary") and name != "power"]
    prefix = engine_subject(nodes, numbers)
    cases: list[EngineCase] = []

    def put(kind: Kind, program: Program, inputs: Sequence[float], count: bool = False) -> None:
        values = tuple(np.asarray(x if numbers else [x], float) for x in inputs)
        probe = Probe(
            name=f"{prefix}/{len(cases)}",
            op="engine",
            node=kind,
            inputs=tuple(array_of(x) for x in values),
            program=program,
            count=count,
        )
        cases.append(EngineCase(kind, program, values, probe))

    rng = generator(seed, prefix)
    for first, second in _pairs(usable):
        put("shared", _shared(first, second), _draw(rng, 2))
        put("late", _late(first, second), _draw(rng, 3))
        put("diamond", _diamond(first, second), _draw(rng, 2))
    for number in range(RANDOM_GRAPHS if usable else 0):
        program, inputs = _random_graph(usable, generator(seed, prefix, "random", str(number)))
        put("random", program, inputs)
    if "mul" in usable and "add" in usable:
        put("budget", _sum_of_squares(), _draw(rng, BUDGET_INPUTS), count=True)
    adder = next((name for name in ("add", "sub") if name in usable), None)
    if adder == "add":
        put("explosive", tuple(Equation("add", (k, k + 1)) for k in range(LADDER)), _draw(rng, 2), count=True)
    if adder is not None:
        put("deep", tuple(Equation(adder, (0 if k == 0 else k + 1, 1)) for k in range(DEPTH)), _draw(rng, 2))
    return tuple(cases)


def _pairs(usable: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of binary nodes, so that an engine can be judged although some nodes are wrong."""
    binary = [name for name in ("add", "mul", "sub", "div") if name in usable]
    return [(a, a) for a in binary if a in ("add", "mul")] + [
        (a, b) for i, a in enumerate(binary) for b in binary[i + 1 :]
    ][:4]


def _draw(rng: np.random.Generator, count: int) -> list[float]:
    """Positive and away from 0 and 1, so that logarithms, roots and quotients of products are defined."""
    values = rng.uniform(LOW, HIGH, count)
    return [float(v) for v in np.where(np.abs(values - 1) < 0.05, values * 1.2, values)]


def _sum_of_squares() -> Program:
    """The sum of the squares of many inputs: an engine that tries every input by itself shows."""
    squares = [Equation("mul", (i, i)) for i in range(BUDGET_INPUTS)]
    n = BUDGET_INPUTS
    sums = [Equation("add", (n if k == 0 else 2 * n + k - 1, n + k + 1)) for k in range(n - 1)]
    return (*squares, *sums)


def _shared(first: str, second: str) -> Program:
    """u = f(x, y); v = g(u, y); w = f(u, v): u has two children."""
    return (Equation(first, (0, 1)), Equation(second, (2, 1)), Equation(first, (2, 3)))


def _late(first: str, second: str) -> Program:
    """A node used at once and again much later: it may send its gradient on only after the longer way has arrived."""
    return (
        Equation(first, (0, 1)),
        Equation(second, (3, 2)),
        Equation(first, (4, 1)),
        Equation(second, (5, 2)),
        Equation(first, (3, 6)),
        Equation(second, (7, 3)),
    )


def _diamond(first: str, second: str) -> Program:
    """Two diamonds, one on the other."""
    program = (Equation(first, (0, 1)), Equation(second, (2, 0)), Equation(first, (2, 1)), Equation(second, (3, 4)))
    return (*program, Equation(first, (5, 0)), Equation(second, (5, 1)), Equation(first, (6, 7)))


def _random_graph(usable: Sequence[str], rng: np.random.Generator) -> tuple[Program, list[float]]:
    """A random graph whose values stay defined and moderate; every value is used, several more than once."""
    inputs = _draw(rng, 3)
    values = list(inputs)
    unused = set(range(len(values)))
    program: list[Equation] = []
    for _ in range(RANDOM_SIZE * 4):
        if len(program) >= RANDOM_SIZE and len(unused) == 1:
            break
        name = usable[int(rng.integers(len(usable)))]
        closing = len(program) >= RANDOM_SIZE
        args = _arguments(OPERATIONS[name].arity, unused, len(values), closing, rng)
        value = _value(name, [values[i] for i in args])
        known = {(step.op, step.args) for step in program}
        if value is None or (name, args) in known:
            continue
        program.append(Equation(name, args, (("exponent", 2),) if name == "pow" else ()))
        unused -= set(args)
        unused.add(len(values))
        values.append(value)
    return tuple(program), inputs


def _arguments(arity: int, unused: set[int], count: int, closing: bool, rng: np.random.Generator) -> tuple[int, ...]:
    waiting = sorted(unused)
    first = waiting[int(rng.integers(len(waiting)))]
    if arity == 1:
        return (first,)
    others = [i for i in waiting if i != first] if closing and len(waiting) > 1 else list(range(count))
    second = others[int(rng.integers(len(others)))]
    return (first, second) if rng.random() < 0.5 else (second, first)


def _value(name: str, arguments: list[float]) -> float | None:
    """The value of a node, None where it leaves the range in which every node is well conditioned."""
    x, last = arguments[0], arguments[-1]
    if name in ("log", "sqrt") and x < LOW:
        return None
    if name in ("div", "reciprocal") and abs(last) < LOW:
        return None
    if name in ("exp", "sinh", "cosh") and abs(x) > HIGH:
        return None
    if OPERATIONS[name].kink != "none" and abs(x - (last if OPERATIONS[name].arity == 2 else 0)) < 0.05:
        return None
    value = float(_NUMBER[name](*arguments)) if name in _NUMBER else None
    return value if value is not None and 0.05 < abs(value) < MAX_SIZE else None


_NUMBER: dict[str, Any] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "square": np.square,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "relu": lambda x: max(x, 0.0),
    "abs": abs,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "pow": lambda x: x * x,
}
