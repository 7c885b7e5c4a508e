"""`check_primitive`: everything a new primitive must satisfy, so that its own test is two lines."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from reference import expression as E
from reference.algebra import FORMULAS, NUMBERS
from reference.graph import FLOAT, SYMPY, balls, build, evaluate, run, run_all
from reference.modes import adjoints, jacobian, tangents
from reference.node import Expr

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def signed(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.3, 2.0, shape) * rng.choice([-1.0, 1.0], shape)


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.3, 2.0, shape)


def inside(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-0.9, 0.9, shape)


def check_primitive(
    make: Callable[..., Expr],
    *shapes: tuple[int, ...],
    draw: Draw | None = None,
    analytic: bool = True,
    exact: bool = True,
) -> None:
    """Values agree in floats, balls and sympy; vjp · jvp, formulas and complex step or differences agree too.

    `make` builds the expression from one symbol per shape; `analytic` says a complex step may be used; `exact` that
    sympy can evaluate it.
    """
    symbols = [E.symbol(f"x{i}", shape) for i, shape in enumerate(shapes)]
    expr = make(*symbols)
    rng = np.random.default_rng(zlib.crc32(repr((expr.op, expr.attrs, shapes)).encode()))
    env = {s.name: (draw or signed)(rng, s.shape) for s in symbols}
    _check_values(expr, env, exact)
    directions = {s.name: rng.normal(size=s.shape) for s in symbols}
    weight = rng.normal(size=expr.shape)
    graph = build((expr, *symbols))
    values = run_all(graph, env)
    out, *places = graph.outputs
    ts = tangents(graph, values, {p: directions[s.name] for p, s in zip(places, symbols, strict=True)}, NUMBERS)[out]
    gs = adjoints(graph, values, {out: weight}, NUMBERS)
    left = float(np.sum(weight * (0.0 if ts is None else ts)))
    right = sum(
        float(np.sum(gs[p] * directions[s.name])) for p, s in zip(places, symbols, strict=True) if gs[p] is not None
    )
    np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-10, err_msg=f"vjp and jvp of {expr.op} differ")
    step = _step(expr, env, directions, analytic)
    np.testing.assert_allclose(
        0.0 if ts is None else ts, step, rtol=1e-9 if analytic else 1e-6, atol=1e-9 if analytic else 1e-6
    )
    _check_formulas(expr, symbols, env, weight, {s.name: gs[p] for p, s in zip(places, symbols, strict=True)})


def _step(expr: Expr, env: dict[str, Any], directions: dict[str, Any], analytic: bool) -> np.ndarray:
    if analytic:
        h = 1e-30
        return np.imag(evaluate(expr, {k: v + 1j * h * directions[k] for k, v in env.items()})) / h
    h = 1e-5
    ahead = evaluate(expr, {k: v + h * directions[k] for k, v in env.items()})
    behind = evaluate(expr, {k: v - h * directions[k] for k, v in env.items()})
    return np.asarray(ahead - behind) / (2 * h)


def _check_values(expr: Expr, env: dict[str, Any], exact: bool) -> None:
    value = evaluate(expr, env)
    assert np.shape(value) == expr.shape
    ball = np.asarray(evaluate(expr, env, balls(160)), dtype=object)
    assert ball.shape == expr.shape
    middle = np.array([float(b.mid()) for b in ball.reshape(-1)]).reshape(expr.shape)
    np.testing.assert_allclose(value, middle, rtol=1e-12, atol=1e-12, err_msg=f"balls differ for {expr.op}")
    if exact:
        points = {
            k: np.vectorize(lambda v: sp.Rational(float(v)), otypes=[object])(v)
            if np.ndim(v)
            else sp.Rational(float(v))
            for k, v in env.items()
        }
        found = np.asarray(evaluate(expr, points, SYMPY), dtype=object)
        numbers = np.array([float(sp.N(v)) for v in found.reshape(-1)]).reshape(expr.shape)
        np.testing.assert_allclose(value, numbers, rtol=1e-11, atol=1e-11, err_msg=f"sympy differs for {expr.op}")


def _check_formulas(
    expr: Expr, symbols: list[Expr], env: dict[str, Any], weight: np.ndarray, bars: dict[str, Any]
) -> None:
    upstream = E.symbol("g", expr.shape)
    graph = build((expr, *symbols))
    nodes = [e.node for e in graph.equations]
    out, *places = graph.outputs
    found = adjoints(graph, nodes, {out: upstream}, FORMULAS)
    for place, s in zip(places, symbols, strict=True):
        formula = found[place]
        if formula is None:
            assert bars[s.name] is None or not np.any(bars[s.name])
            continue
        assert formula.shape == s.shape
        number = run(build(formula), {**env, "g": weight}, FLOAT)[0]
        np.testing.assert_allclose(number, bars[s.name], rtol=1e-10, atol=1e-10)
        matrix = jacobian(expr, s)
        assert matrix.shape == expr.shape + s.shape
        full = np.asarray(evaluate(matrix, env))
        product = np.tensordot(weight, full, axes=len(expr.shape))
        np.testing.assert_allclose(product, bars[s.name], rtol=1e-9, atol=1e-9)
