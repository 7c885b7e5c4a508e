"""Graphs compiled to straight-line Python: over plain floats when small, over numpy arrays when not.

The derivative is taken symbolically first, so that value and gradient share their work in one function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference import expression as E
from reference.algebra import FORMULAS
from reference.array_code import array_lines
from reference.emit import Emitter, define
from reference.expression import symbols
from reference.graph import build, run
from reference.modes import adjoints, gradient
from reference.node import Expr
from reference.scalars import NotWritable, entry_symbols, flat, scalarise
from reference.simplify import simplify

Value = Any
LARGEST_WRITTEN = 32  # entries of an array beyond which numpy is faster than one float at a time


@dataclass(frozen=True)
class Compiled:
    """A callable: values of the inputs by position, in the order of `inputs`; results in the order of the outputs.

    Where plain floats refuse (log of a negative number, division by zero, overflow) the interpreter is asked instead,
    which gives nan or inf.  `form` says whether it works on "floats" or "arrays".
    """

    inputs: tuple[Expr, ...]
    outputs: tuple[Expr, ...]
    form: str
    function: Callable[..., tuple[Value, ...]]

    def __call__(self, *values: Value) -> tuple[Value, ...]:
        try:
            return self.function(*values)
        except (ValueError, ZeroDivisionError, OverflowError):
            env = {s.name: v for s, v in zip(self.inputs, values, strict=True)}
            return run(build(self.outputs), env)


def compile_values(outputs: Sequence[Expr], inputs: Sequence[Expr] | None = None) -> Compiled:
    """Compile the values of some outputs."""
    wanted = tuple(outputs)
    given = tuple(symbols(wanted)) if inputs is None else tuple(inputs)
    try:
        written = scalarise(wanted, LARGEST_WRITTEN)
    except NotWritable:
        return Compiled(given, wanted, "arrays", _array_function(wanted, given))
    tidy = simplify([e for w in written for e in flat(w)])
    return Compiled(given, wanted, "floats", _float_function(tidy, wanted, given))


def compile_gradient(expr: Expr, wrt: Sequence[Expr], inputs: Sequence[Expr] | None = None) -> Compiled:
    """Compile value and gradients: calling it gives (value, gradient by wrt[0], …), each of its symbol's shape."""
    wanted = tuple(wrt)
    given = tuple(symbols((expr, *wanted))) if inputs is None else tuple(inputs)
    try:
        written = scalarise((expr,), LARGEST_WRITTEN)[0]
    except NotWritable:
        outputs = (expr, *gradient(expr, wanted))
        return Compiled(given, outputs, "arrays", _array_function(outputs, given))
    value = flat(written)[0]
    entries = [e for w in wanted for e in flat(entry_symbols(w))]
    slopes = scalar_gradients([value], [E.constant(1)], entries)
    tidy = simplify([value, *slopes])
    outputs = (expr, *gradient(expr, wanted))
    return Compiled(given, outputs, "floats", _float_function(tidy, (expr, *wanted), given))


def scalar_gradients(outputs: Sequence[Expr], seeds: Sequence[Expr], wrt: Sequence[Expr]) -> list[Expr]:
    """Σ seeds[i] ∂outputs[i]/∂w for every scalar symbol w, by symbolic reverse mode."""
    graph = build((*outputs, *wrt))
    places = graph.outputs[len(outputs) :]
    bars: dict[int, Value] = {}
    for place, seed in zip(graph.outputs, seeds, strict=False):
        bars[place] = bars[place] + seed if place in bars else seed
    found = adjoints(graph, [e.node for e in graph.equations], bars, FORMULAS)
    direct = [found[p] for p in places]
    return [E.constant(0) if bar is None else bar for bar in direct]


def _float_function(entries: Sequence[Expr], outputs: Sequence[Expr], inputs: Sequence[Expr]) -> Callable[..., Any]:
    emitter = Emitter()
    known: dict[Expr, str] = {}
    parameters = [f"a{i}" for i in range(len(inputs))]
    for parameter, s in zip(parameters, inputs, strict=True):
        take_apart(emitter, parameter, s, known)
    texts = emitter.emit(entries, known)
    parts, start = [], 0
    for out in outputs:
        size = int(np.prod(out.shape))
        parts.append(put_together(texts[start : start + size], out.shape))
        start += size
    emitter.lines.append(f"return ({', '.join(parts)},)")
    functions = {**emitter.functions, "array": np.array, "asarray": np.asarray, "number": float, "kind": "d"}
    return define("computed", parameters, emitter.lines, functions)


def take_apart(emitter: Emitter, parameter: str, s: Expr, known: dict[Expr, str]) -> None:
    """Lines that unpack an argument into plain floats."""
    if not s.shape:
        name = emitter.fresh()
        emitter.lines.append(f"{name} = number({parameter})")
        known[s] = name
        return
    names = [emitter.fresh() for _ in range(int(np.prod(s.shape)))]
    ravel = "" if len(s.shape) == 1 else ".ravel()"
    emitter.lines.append(f"{', '.join(names)}, = asarray({parameter}, dtype=kind){ravel}.tolist()")
    known.update(zip(flat(entry_symbols(s)), names, strict=True))


def put_together(texts: Sequence[str], shape: tuple[int, ...]) -> str:
    """The text of an array, or of a number, from the texts of its entries."""
    if not shape:
        return texts[0]
    joined = f"array([{', '.join(texts)}])"
    return joined if len(shape) == 1 else f"{joined}.reshape({shape})"


def _array_function(outputs: Sequence[Expr], inputs: Sequence[Expr]) -> Callable[..., Any]:
    lines, functions = array_lines(outputs, inputs)
    parameters = [f"a{i}" for i in range(len(inputs))]
    plain = define("computed", parameters, lines, functions)

    def quiet(*values: Mapping[str, Value]) -> Any:
        with np.errstate(all="ignore"):
            return plain(*values)

    return quiet
