"""Expressions: interning, shapes, substitution, deep graphs, undefined points."""

from __future__ import annotations

import gc
import math
from fractions import Fraction

import numpy as np
import pytest

from reference import expression as E
from reference.graph import SYMPY, EvaluationError, balls, build, evaluate, is_defined, run
from reference.modes import gradient, jacobian, value_and_gradient
from reference.node import live_nodes
from reference.printing import plain

DEEP = 100_000


def test_equal_expressions_are_the_same_object():
    x, y = E.symbol("x"), E.symbol("y")
    assert (x + y) * 2 is (x + y) * 2
    assert x + y is not y + x
    assert E.symbol("x", (3,)) is not x
    assert E.constant(Fraction(4, 2)) is E.constant(2)


def test_expressions_are_immutable_and_are_not_made_from_floats():
    x = E.symbol("x")
    with pytest.raises(AttributeError):
        x.op = "constant"
    with pytest.raises(TypeError):
        E.constant(0.5)  # type: ignore[arg-type]


SHAPES = [
    (lambda A, x, y: A @ x, "a 2x3 matrix cannot be multiplied by a vector of length 2"),
    (lambda A, x, y: A @ A, "a 2x3 matrix cannot be multiplied by a 2x3 matrix"),
    (lambda A, x, y: x + y, "a vector of length 2 cannot be added to a vector of length 3"),
    (lambda A, x, y: x - y, "a vector of length 3 cannot be subtracted from a vector of length 2"),
    (lambda A, x, y: E.dot(x, y), "the dot product of a vector of length 2 and a vector of length 3 does not exist"),
    (lambda A, x, y: E.inv(A), "only a square matrix has an inverse, not a 2x3 matrix"),
    (lambda A, x, y: x @ x, "a vector of length 2 cannot be multiplied by a vector of length 2"),
    (lambda A, x, y: x[5], "there is no entry 6 along an axis of length 2"),
    (lambda A, x, y: E.diag(A), "diag(...) makes a diagonal matrix of a vector, not of a 2x3 matrix"),
]


@pytest.mark.parametrize(("make", "message"), SHAPES)
def test_shapes_that_do_not_conform_are_refused_in_a_learners_words(make, message):
    with pytest.raises(E.ShapeError) as refusal:
        make(E.symbol("A", (2, 3)), E.symbol("x", (2,)), E.symbol("y", (3,)))
    assert refusal.value.message == message


CONFORMING = [
    ((2, 3), (3,), (2,)),
    ((1, 3), (3,), (1,)),
    ((3,), (1, 2), (3, 2)),
    ((3,), (1,), (3,)),
    ((1, 3), (3, 2), (1, 2)),
]


@pytest.mark.parametrize(("a", "b", "result"), CONFORMING)
def test_a_vector_is_a_column(a, b, result):
    assert (E.symbol("a", a) @ E.symbol("b", b)).shape == result


def test_transposing_twice_gives_a_column_again():
    x = E.symbol("x", (3,))
    assert x.T.shape == (1, 3)
    assert x.T.T.shape == (3,)


def test_deep_expressions_build_evaluate_differentiate_and_go_away():
    before = live_nodes()
    x = E.symbol("x")
    y = x
    for _ in range(DEEP // 2):
        y = E.sin(y) + x
    graph = build(y)
    assert len(graph.equations) == DEEP + 1
    assert np.isfinite(run(graph, {"x": 0.3})[0])
    value, (slope,) = value_and_gradient(y, [x], {"x": 0.3})
    assert np.isfinite(slope)
    assert plain(y)  # cut, not refused
    assert E.substitute(y, {"x": E.symbol("z")}) is not y
    del y, graph, value
    gc.collect()
    assert live_nodes() <= before + 10


def test_formulas_of_deep_derivatives_agree_with_numbers():
    x = E.symbol("x")
    y = x
    for _ in range(DEEP // 20):
        y = E.sin(y) + x
    slope = value_and_gradient(y, [x], {"x": 0.3})[1][0]
    assert evaluate(gradient(y, x), {"x": 0.3}) == pytest.approx(slope, rel=1e-9)


def test_functions_replace_calls_with_derivatives_of_any_order():
    x, p = E.symbol("x", (3,)), E.symbol("p")
    cubic = E.Function((p,), p**3)
    for order, expected in ((0, 8.0), (1, 12.0), (2, 12.0), (3, 6.0)):
        found = E.instantiate(E.call("f", [x], (order,)), {"f": cubic})
        np.testing.assert_allclose(evaluate(found, {"x": [2.0, 2.0, 2.0]}), expected)


def test_functions_of_whole_vectors_have_jacobians_with_axes_in_the_order_of_the_arguments():
    w, y = E.symbol("w", (2,)), E.symbol("y", (3,))
    a, b = E.symbol("a", (2,)), E.symbol("b", (3,))
    t = E.Function((a, b), E.stack([E.dot(a, a) * b[0], a[0] * E.dot(b, b), a[1] * b[1] * b[2], b[2] ** 3]))
    call = E.call("t", [w, y], shape=(4,))
    env = {"w": [0.3, 0.7], "y": [1.1, -0.4, 0.9]}
    for first, second in ((w, y), (y, w)):
        abstract = jacobian(jacobian(call, first), second)
        concrete = jacobian(jacobian(E.instantiate(call, {"t": t}), first), second)
        assert abstract.shape == concrete.shape
        np.testing.assert_allclose(
            evaluate(E.instantiate(abstract, {"t": t}), env), evaluate(concrete, env), rtol=1e-12, atol=1e-12
        )


x = E.symbol("x")
UNDEFINED = [
    (E.log(x), -1), (E.log(x), 0), (E.sqrt(x), -1), (1 / x, 0), (x ** Fraction(1, 2), -1), (x**-2, 0), (E.arcsin(x), 2),
    (E.arccosh(x), 0), (E.arctanh(x), 1), (x ** Fraction(1, 3), -8), (E.cot(x), 0),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "point"), UNDEFINED)
def test_undefined_points_are_nan_in_floats_and_not_finite_in_balls(expr, point):
    assert math.isnan(evaluate(expr, {"x": point}))
    assert not is_defined(evaluate(expr, {"x": point}, balls(128)))


DEFINED = [(E.sqrt(x), 0, 0), (x**0, 0, 1), (x**3, -2, -8), (x**-1, -2, -0.5), (E.cbrt(x), -8, -2), (E.abs(x), 0, 0)]


@pytest.mark.parametrize(("expr", "point", "value"), DEFINED)
def test_points_on_the_edge_of_a_domain_are_defined(expr, point, value):
    assert evaluate(expr, {"x": point}) == pytest.approx(value)
    ball = evaluate(expr, {"x": point}, balls(128))
    assert is_defined(ball)
    assert float(ball.mid()) == pytest.approx(value)


def test_a_symbol_without_a_value_and_an_abstract_function_are_named():
    with pytest.raises(EvaluationError, match="x has no value"):
        evaluate(x + 1, {})
    with pytest.raises(EvaluationError, match="abstract function f"):
        evaluate(E.call("f", [x]), {"x": 1})


def test_sympy_gets_real_symbols_and_exact_numbers():
    assert str(evaluate(x * Fraction(1, 3) + E.PI, {}, SYMPY)) == "x/3 + pi"


def test_many_points_at_once():
    found = evaluate(E.sin(x) * x, {"x": np.linspace(0, 1, 5)})
    assert found.shape == (5,)
