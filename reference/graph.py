"""A computation graph as a flat list of equations in order of evaluation, and its evaluation in any field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from reference import balls as ball_functions
from reference.computer_algebra import sp, sympy_module
from reference.expression import ordered
from reference.node import Expr
from reference.primitives import PRIMITIVES
from reference.shapes import Shape, describe

Value = Any


class EvaluationError(ValueError):
    """A graph cannot be evaluated: a symbol has no value or a wrong shape, or an abstract function no definition."""


@dataclass(frozen=True, slots=True)
class Equation:
    """One line of the program: `inputs` are the positions of its arguments, `node` the expression it computes."""

    op: str
    inputs: tuple[int, ...]
    attrs: Mapping[str, Any]
    shape: Shape
    node: Expr


@dataclass(frozen=True, slots=True)
class Graph:
    """Equations in order of evaluation, each expression once; `outputs` are positions."""

    equations: tuple[Equation, ...]
    outputs: tuple[int, ...]

    def position(self, node: Expr) -> int:
        """Where a node stands.  Raises KeyError when it is not part of the graph."""
        for i, equation in enumerate(self.equations):
            if equation.node is node:
                return i
        raise KeyError(repr(node))


def build(outputs: Expr | Sequence[Expr]) -> Graph:
    """The graph of some outputs; equal subexpressions are one equation."""
    wanted = (outputs,) if isinstance(outputs, Expr) else tuple(outputs)
    positions: dict[Expr, int] = {}
    equations = []
    for i, node in enumerate(ordered(wanted)):
        positions[node] = i
        inputs = tuple([positions[a] for a in node.args])
        equations.append(Equation(node.op, inputs, dict(node.attrs), node.shape, node))
    return Graph(tuple(equations), tuple(positions[out] for out in wanted))


@dataclass(frozen=True, slots=True)
class Field:
    """A kind of number: how constants are made, how given values are taken in, which column of the table computes."""

    name: str
    column: str
    constant: Callable[[int | Fraction], Value]
    pi: Callable[[], Value]
    e: Callable[[], Value]
    take: Callable[[Value], Value]
    bits: int = 53

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Numeric settings for one evaluation, put back afterwards."""
        if self.column == "ball":
            with flint.ctx.workprec(self.bits):
                yield
        else:
            with np.errstate(all="ignore"):  # undefined points are values here (nan), not warnings
                yield


def _float(value: int | Fraction) -> Value:
    try:
        return np.float64(value)
    except OverflowError:
        return np.float64(np.inf if value > 0 else -np.inf)


def _take_float(value: Value) -> Value:
    if isinstance(value, Fraction):
        return _float(value)
    array = np.asarray(value)
    if array.dtype == object:
        array = np.vectorize(float, otypes=[float])(array)
    return (array if array.dtype.kind == "c" else array.astype(np.float64, copy=False))[()]


def _one_ball(value: Any) -> flint.arb:
    if isinstance(value, flint.arb):
        return value
    if isinstance(value, int | Fraction):
        return ball_functions.exact(value)
    return flint.arb(value if isinstance(value, flint.fmpq | flint.fmpz) else float(value))


def _take_ball(value: Value) -> Value:
    array = np.asarray(value, dtype=object)
    return _one_ball(array[()]) if array.ndim == 0 else np.frompyfunc(_one_ball, 1, 1)(array)


def _take_sympy(value: Value) -> Value:
    array = np.asarray(value, dtype=object)
    return sp.sympify(array[()], strict=True) if array.ndim == 0 else array


FLOAT = Field("float", "forward", _float, lambda: np.float64(np.pi), lambda: np.float64(np.e), _take_float)
SYMPY = Field(
    "sympy",
    "sympy",
    lambda v: sp.Rational(v.numerator, v.denominator),
    lambda: sympy_module().pi,
    lambda: sympy_module().E,
    _take_sympy,
)


def balls(bits: int = 128) -> Field:
    """Ball arithmetic at a precision in bits; a point where something is undefined gives a non-finite ball."""
    return Field("balls", "ball", ball_functions.exact, flint.arb.pi, flint.arb.const_e, _take_ball, bits)


def _leaf(equation: Equation, env: Mapping[str, Value], field: Field) -> Value:
    if equation.op == "constant":
        return field.constant(equation.node.value)
    if equation.op == "pi":
        return field.pi()
    if equation.op == "e":
        return field.e()
    if equation.op == "call":
        raise EvaluationError(f"the abstract function {equation.node.name} has no definition: instantiate it first")
    name = equation.node.name
    if name not in env:
        if field.column == "sympy":
            return sympy_symbol(name, equation.shape)
        raise EvaluationError(f"{name} has no value")
    value = field.take(env[name])
    if equation.shape and np.shape(value) != equation.shape:
        raise EvaluationError(f"{name} is {describe(equation.shape)}, its value is {describe(np.shape(value))}")
    return value


def sympy_symbol(name: str, shape: Shape) -> Value:
    """A real sympy symbol, or an array of them named name_1, name_1_2 …, counted from 1."""
    if not shape:
        return sp.Symbol(name, real=True)
    array = np.empty(shape, dtype=object)
    for key in np.ndindex(*shape):
        array[key] = sp.Symbol("_".join([name, *[str(k + 1) for k in key]]), real=True)
    return array


def run_all(graph: Graph, env: Mapping[str, Value], field: Field = FLOAT) -> list[Value]:
    """The value of every equation.  Raises EvaluationError for a symbol without a value."""
    values: list[Value] = []
    rules = {e.op: getattr(PRIMITIVES[e.op], field.column) for e in graph.equations if e.op in PRIMITIVES}
    with field.scope():
        for equation in graph.equations:
            rule = rules.get(equation.op)
            if rule is None:
                values.append(_leaf(equation, env, field))
            else:
                values.append(rule(equation.attrs, *[values[i] for i in equation.inputs]))
    return values


def run(graph: Graph, env: Mapping[str, Value], field: Field = FLOAT) -> tuple[Value, ...]:
    """The values of the outputs.  Scalar symbols may be given arrays: many points at once."""
    values = run_all(graph, env, field)
    return tuple(values[i] for i in graph.outputs)


def evaluate(expr: Expr, env: Mapping[str, Value] | None = None, field: Field = FLOAT) -> Value:
    """The value of one expression."""
    return run(build(expr), env or {}, field)[0]


def is_defined(value: Value) -> bool:
    """Is every entry of a value in floats or balls finite?"""
    array = np.asarray(value)
    if array.dtype == object:
        entries: Iterable[Any] = array.reshape(-1)
        return all(bool(v.is_finite()) for v in entries)
    return bool(np.all(np.isfinite(array)))
