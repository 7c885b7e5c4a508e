"""Long rollouts by numbers: the step map compiled once, run in a loop forwards and backwards.

The program is as long as one step, the work grows linearly with T, and every state is kept for the way back.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference.compiled import scalar_gradients, take_apart
from reference.emit import MATH, Emitter, define
from reference.expression import symbol
from reference.node import Expr
from reference.rollout import System
from reference.scalars import entry_symbols, flat, scalarise
from reference.simplify import simplify

Value = Any


@dataclass(frozen=True)
class Rollout:
    """Result of T steps.  Shapes: state and initial as the state, parameters each as its symbol."""

    loss: float
    state: Value
    initial: Value
    parameters: tuple[Value, ...]


@dataclass(frozen=True)
class CompiledSystem:
    """Runs a system: `gradient(x0, parameters, T)`, `states(x0, parameters, T)`."""

    system: System
    forward: Callable[..., tuple[tuple[list[float], ...], float]]
    backward: Callable[..., tuple[tuple[float, ...], tuple[float, ...]]]
    forward_complex: Callable[..., tuple[tuple[list[complex], ...], complex]]

    def states(self, initial: Value, parameters: tuple[Value, ...], steps: int, start: int = 0) -> Value:
        """x_0 … x_T.  Shape: (T+1, n)."""
        return np.array(self.forward(initial, *parameters, steps, start)[0]).T

    def gradient(self, initial: Value, parameters: tuple[Value, ...], steps: int, start: int = 0) -> Rollout:
        """Loss, last state, and the gradients by x_0 and by every parameter, accumulated over all appearances.

        A state that overflows or leaves the domain raises ArithmeticError or ValueError from the arithmetic itself.
        """
        columns, loss = self.forward(initial, *parameters, steps, start)
        bar, slopes = self.backward(columns, *parameters, steps, start)
        found, begin = [], 0
        for p in self.system.parameters:
            size = int(np.prod(p.shape))
            found.append(_shaped(slopes[begin : begin + size], p.shape))
            begin += size
        shape = self.system.state.shape
        return Rollout(loss, _shaped(tuple(c[-1] for c in columns), shape), _shaped(bar, shape), tuple(found))


def _shaped(values: tuple[float, ...], shape: tuple[int, ...]) -> Value:
    return np.array(values).reshape(shape)[()]


def compile_system(system: System) -> CompiledSystem:
    """Compile one step forwards and backwards.  Raises NotWritable when the step needs arrays."""
    step, loss = scalarise((system.next, system.loss))
    following = list(simplify(flat(step)))
    cost = simplify(flat(loss))[0]
    state = flat(entry_symbols(system.state))
    return CompiledSystem(
        system,
        _forward(system, following, cost, state),
        _backward(system, following, cost, state),
        _forward(system, following, cost, state, in_complex=True),
    )


def _parameters(system: System) -> list[str]:
    return [f"p{i}" for i in range(len(system.parameters))]


def _begin(system: System, emitter: Emitter) -> dict[Expr, str]:
    """Unpack the parameters once, before the loop."""
    known: dict[Expr, str] = {}
    for parameter, s in zip(_parameters(system), system.parameters, strict=True):
        take_apart(emitter, parameter, s, known)
    if system.time is not None:
        known[system.time] = "t"
    return known


def _functions(emitter: Emitter) -> dict[str, Any]:
    return {**emitter.functions, "array": np.array, "asarray": np.asarray, "number": float, "kind": "d"}


def _complex_functions(emitter: Emitter) -> dict[str, Any]:
    """The same names in complex arithmetic; what compares numbers then raises TypeError."""
    analytic = {name: getattr(cmath, name) for name in MATH if hasattr(cmath, name)}
    rest = {"number": complex, "kind": "D", "power": pow, "abs": lambda z: z if z.real >= 0 else -z}
    return {**_functions(emitter), **analytic, **rest}


def _inner(outer: Emitter, lines: list[str]) -> None:
    outer.lines.extend(f"    {line}" for line in lines)


def _forward(
    system: System, following: list[Expr], cost: Expr, state: list[Expr], in_complex: bool = False
) -> Callable[..., Any]:
    emitter = Emitter()
    known = _begin(system, emitter)
    initial: dict[Expr, str] = {}
    take_apart(emitter, "x0", system.state, initial)
    names = [f"x{i}_" for i in range(len(state))]
    known.update(zip(state, names, strict=True))
    emitter.lines.append(f"{', '.join(names)}, = {', '.join(initial[s] for s in state)},")
    columns, keepers = [f"c{i}_" for i in range(len(state))], [f"k{i}_" for i in range(len(state))]
    for column, keeper, x in zip(columns, keepers, names, strict=True):
        emitter.lines.append(f"{column} = [{x}]")  # plain floats in flat lists: nothing for the collector to visit
        emitter.lines.append(f"{keeper} = {column}.append")
    emitter.lines.append("total = 0.0")
    emitter.lines.append("for t in range(start, start + steps):")
    body = _sub_emitter(emitter)
    texts = body.emit(following, known)
    body.lines.append(f"{', '.join(names)}, = {', '.join(texts)},")
    body.lines.extend(f"{keeper}({x})" for keeper, x in zip(keepers, names, strict=True))
    if system.accumulated:
        body.lines.append("t = t + 1")
        body.lines.append(f"total += {body.emit([cost], known)[0]}")
    _inner(emitter, body.lines)
    if not system.accumulated:
        last = _sub_emitter(body)
        last.lines.append("t = start + steps")
        last.lines.append(f"total = {last.emit([cost], known)[0]}")
        emitter.lines.extend(last.lines)
    emitter.lines.append(f"return ({', '.join(columns)},), total")
    parameters = ["x0", *_parameters(system), "steps", "start"]
    functions = _complex_functions(emitter) if in_complex else _functions(emitter)
    return define("forward", parameters, emitter.lines, functions)


def _sub_emitter(outer: Emitter) -> Emitter:
    """An emitter for the lines inside a loop, with names and functions shared with those outside."""
    inner = Emitter("w")
    inner.functions = outer.functions
    return inner


def _backward(system: System, following: list[Expr], cost: Expr, state: list[Expr]) -> Callable[..., Any]:
    emitter = Emitter()
    known = _begin(system, emitter)
    names = [f"x{i}_" for i in range(len(state))]
    known.update(zip(state, names, strict=True))
    seeds = [symbol(f"[{i}]") for i in range(len(state))]  # no name a person can type
    bars = [f"l{i}_" for i in range(len(state))]
    known.update(zip(seeds, bars, strict=True))
    entries = [e for p in system.parameters for e in flat(entry_symbols(p))]
    sums = [f"g{i}_" for i in range(len(entries))]
    columns = [f"c{i}_" for i in range(len(state))]
    emitter.lines.append(f"{', '.join(columns)}, = columns")
    emitter.lines.extend(f"{name} = 0.0" for name in (*bars, *sums))
    by_loss = simplify(scalar_gradients([cost], [symbol("[1]") * 0 + 1], [*state, *entries]))
    by_step = simplify(scalar_gradients(following, seeds, [*state, *entries]))
    count = len(state)

    def add(body: Emitter, slopes: tuple[Expr, ...], targets: list[str]) -> None:
        texts = body.emit(slopes, known)
        body.lines.extend(f"{n} += {text}" for n, text in zip(targets, texts, strict=True) if text != "0.0")

    if not system.accumulated:
        ending = Emitter("u")
        ending.functions = emitter.functions
        ending.lines.append("t = start + steps")
        ending.lines.extend(f"{x} = {column}[steps]" for x, column in zip(names, columns, strict=True))
        add(ending, by_loss, [*bars, *sums])
        emitter.lines.extend(ending.lines)
    emitter.lines.append("for t in range(start + steps - 1, start - 1, -1):")
    body = _sub_emitter(emitter)
    if system.accumulated:
        body.lines.append("t = t + 1")
        body.lines.extend(f"{x} = {column}[t - start]" for x, column in zip(names, columns, strict=True))
        add(body, by_loss, [*bars, *sums])
        body.lines.append("t = t - 1")
    body.lines.extend(f"{x} = {column}[t - start]" for x, column in zip(names, columns, strict=True))
    texts = body.emit(by_step, known)
    body.lines.extend(f"{n} += {text}" for n, text in zip(sums, texts[count:], strict=True) if text != "0.0")
    body.lines.append(f"{', '.join(bars)}, = {', '.join(texts[:count])},")
    _inner(emitter, body.lines)
    emitter.lines.append(f"return ({', '.join(bars)},), ({', '.join(sums)}{',' if sums else ''})")
    return define("backward", ["columns", *_parameters(system), "steps", "start"], emitter.lines, _functions(emitter))
