"""The figures of the four sheets come out of the definitions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reference import expression as E
from reference.agree import agree
from reference.cost import graph_size, operations, operations_without_reuse
from reference.derivation import decompose, derivation, evaluate, joined, numbers
from reference.graph import evaluate as value_of
from reference.modes import gradient, jacobian
from reference.network import (
    Network,
    backpropagation,
    convolution_parameters,
    first_weight_chain,
    least_squares,
    outer_product_cost,
    product_cost,
)
from reference.printing import plain
from reference.rollout import System, backward, forward, rk4, sensitivities
from reference.rollout_agreement import agree_on_rollout
from reference.sweeps import forward_sweep, reverse_sweep, sweep_operations, value_operations
from reference.trace import trace
from reference.unrolled import compile_system

a, b, c = (E.symbol(n) for n in "abc")
u = a + b + c**2
A = E.sqrt(u) + E.log(u) + u / (b * c**2)


def equation_b() -> E.Expr:
    w0, w1, xs, ys = E.symbol("w0"), E.symbol("w1"), E.symbol("x", (3,)), E.symbol("y", (3,))
    terms = [(w0 + w1 * xs[i] - ys[i]) ** 2 for i in range(3)]
    return terms[0] + terms[1] + terms[2]


def controlled(loss: E.Expr | None = None, accumulated: bool = False) -> System:
    x, th = E.symbol("x", (3,)), E.symbol("theta", (3,))
    step = E.stack(
        [x[0] ** 2 + x[1] + x[0] * th[0], -x[0] + x[1] / 2 + x[1] * th[1], -(x[1] ** 2) + x[2] + x[2] * th[2]]
    )
    return System(x, step, (th,), E.norm(x, "squared" if accumulated else "1"), accumulated)


def test_equation_a_needs_nine_operations_and_its_gradient_is_the_known_one():
    size = graph_size(A)
    assert (size.operations, size.operations_without_reuse, size.nodes, size.edges, size.shared) == (9, 16, 12, 15, 3)
    steps = decompose({"A": A})
    assert len(steps.steps) == 9
    both = joined(steps, reverse_sweep(steps, "A", [a, b, c]))
    found = numbers(both, {"a": 1, "b": 2, "c": 3})
    assert found["A"] == pytest.approx(6.6156749315924216, rel=1e-14)
    expected = (0.28322645618629533, -0.050106877147038003, 1.2549142926733275)
    assert [found[f"bar_{n}"] for n in "abc"] == pytest.approx(expected, rel=1e-13)


def test_equation_b_needs_fourteen_operations():
    total = equation_b()
    size = graph_size(total)
    assert (size.operations, size.nodes, size.edges) == (14, 22, 25)
    env = {"w0": 0.5, "w1": -1, "x": [1, 2, 3], "y": [2, -1, 4]}
    assert value_of(total, env) == 195 / 4
    assert [value_of(gradient(total, E.symbol(w)), env) for w in ("w0", "w1")] == [-19, -46]


def test_the_lecture_notes_function_and_its_counts():
    x, sa, sb, sc = E.symbol("x"), E.symbol("a"), E.symbol("b"), E.symbol("c")
    steps = derivation(("a", x**2), ("b", E.exp(sa)), ("c", sa + sb), ("d", E.sqrt(sc)))
    tangents, adjoints = forward_sweep(steps, {"x": E.constant(1)}), reverse_sweep(steps, "d", [x])
    slope = x * (1 + sb) / E.symbol("d")
    counts = (
        value_operations(steps),
        operations(slope),
        sweep_operations(steps, tangents),
        sweep_operations(steps, adjoints),
    )
    assert counts == (4, 3, 5, 6)
    values = evaluate(steps)
    closed = x * (1 + values["b"]) / values["d"]
    assert (operations_without_reuse(closed), operations(closed)) == (10, 7)
    for sweep, name in ((tangents, "dd"), (adjoints, "bar_x")):
        assert numbers(joined(steps, sweep), {"x": 1.3})[name] == pytest.approx(3.1298556644645927, rel=1e-15)
    assert [plain(s.expr) for s in tangents.steps] == ["2*x", "da*b", "da + db", "dc/(2*d)"]


def test_the_trace_holds_value_tangent_adjoint_and_local_partials():
    from reference.graph import build

    x = E.symbol("x")
    table = trace(build(E.sqrt(x**2 + E.exp(x**2))), {"x": 1.3}, {"x": 1})
    assert [row.name for row in table.rows] == ["x", "v1", "v2", "v3", "v4"]
    assert table["v4"].tangent == pytest.approx(table["x"].adjoint)
    assert [(p.argument, plain(p.formula)) for p in table["v4"].partials] == [("v3", "1/(2*v4)")]


def test_one_and_two_steps_of_the_controlled_system():
    one = numbers(backward(controlled(), 1), {"x_0": [2, -1, 3], "theta": [-1, 4, 2]})
    assert list(one["x_1"]) == [1, -6.5, 8]
    assert one["L"] == 15.5
    assert list(one["grad_theta"]) == [2, 1, 3]
    assert list(one["lambda_0"]) == [4, -1.5, 3]
    two = numbers(backward(controlled(), 2), {"x_0": [-1, 1, 2], "theta": [3, -1, 1]})
    wanted = {"x_1": [-1, 0.5, 3], "x_2": [-1.5, 0.75, 5.75], "lambda_2": [-1, 1, 1], "lambda_1": [-2, -2.5, 2]}
    wanted |= {
        "lambda_0": [0.5, -4.75, 4],
        "grad_theta": [3, -2, 7],
        "grad_theta_2": [1, 0.5, 3],
        "grad_theta_1": [2, -2.5, 4],
    }
    for name, value in wanted.items():
        assert list(two[name]) == value, name
    assert list(numbers(sensitivities(controlled(), 2), {"x_0": [-1, 1, 2], "theta": [3, -1, 1]})["grad_theta"]) == [
        3,
        -2,
        7,
    ]


def test_tangents_column_by_column_give_the_same_gradient():
    theta, env = E.symbol("theta", (3,)), {"x_0": [2, -1, 3], "theta": [-1, 4, 2]}
    columns = [
        numbers(forward(controlled(), 1, theta, E.stack([int(i == k) for i in range(3)])), env) for k in range(3)
    ]
    assert [list(col["dx_1"]) for col in columns] == [[2, 0, 0], [0, -1, 0], [0, 0, 3]]
    assert [col["dL"] for col in columns] == [2, 1, 3]


def test_ten_thousand_steps_are_an_everyday_truth():
    found = compile_system(controlled(accumulated=True)).gradient([0.1] * 3, ([-0.1, -0.499, -0.1],), 10_000)
    assert found.loss == pytest.approx(157.0729021642, rel=1e-12)
    assert list(found.parameters[0]) == pytest.approx([813.5648315, -74831.366734, 759.9701286], rel=1e-9)


def test_lorenz_with_eight_hundred_steps_agrees_with_a_complex_step():
    s, p = E.symbol("s", (3,)), E.symbol("p", (3,))
    slope = E.stack([p[0] * (s[1] - s[0]), s[0] * (p[1] - s[2]) - s[1], s[0] * s[1] - p[2] * s[2]])
    system = System(s, rk4(s, slope, Fraction(1, 100))["next"], (p,), E.norm(s, "squared"))
    found = compile_system(system).gradient([1, 1, 1], ([10, 28, 8 / 3],), 800)
    for k in range(3):
        q = [10.0 + 0j, 28.0 + 0j, 8 / 3 + 0j]
        q[k] += 1e-30j
        x = [1.0 + 0j] * 3
        for _ in range(800):
            x = _lorenz(x, q)
        assert found.parameters[0][k] == pytest.approx(sum(v * v for v in x).imag / 1e-30, rel=1e-9)


def _lorenz(x, q, h=0.01):
    def f(x):
        return [q[0] * (x[1] - x[0]), x[0] * (q[1] - x[2]) - x[1], x[0] * x[1] - q[2] * x[2]]

    def ahead(k, d):
        return [u + d * v for u, v in zip(x, k, strict=True)]

    k1 = f(x)
    k2 = f(ahead(k1, h / 2))
    k3 = f(ahead(k2, h / 2))
    k4 = f(ahead(k3, h))
    return [u + h / 6 * (p + 2 * q_ + 2 * r + s) for u, p, q_, r, s in zip(x, k1, k2, k3, k4, strict=True)]


def test_derivatives_of_the_first_sheet():
    x, mu, sigma = E.symbol("x"), E.symbol("mu"), E.symbol("sigma")
    agree(
        E.cos(x**3) * E.log(x**4 / 11), x, [{"x": 1.3}, {"x": -0.7}],
        truth=-3 * x**2 * E.sin(x**3) * E.log(x**4 / 11) + 4 * E.cos(x**3) / x,
    )  # fmt: skip
    bell = E.exp(-((x - mu) ** 2) / (2 * sigma**2))
    agree(bell, x, [{"x": 1.3, "mu": 0.2, "sigma": 1.1}], truth=-(x - mu) / sigma**2 * bell)
    v, matrix, shift = E.symbol("x", (3,)), E.symbol("A", (2, 3)), E.symbol("b", (2,))
    assert plain(jacobian(E.sin(matrix @ v + shift), v)) == "diag(cos(A*x + b))*A"
    assert plain(jacobian(E.call("a", [v]), v)) == "diag(a'(x))"
    assert plain(gradient((v.T @ v)[0], v)) == "2*x"
    r = E.sqrt(v[0] ** 2 - v[2])
    truth = E.matrix(
        [[v[0] / r, 0, -1 / (2 * r)], [0, E.exp(v[1]) * E.cos(4 * v[2]), -4 * E.exp(v[1]) * E.sin(4 * v[2])]]
    )
    agree(E.stack([r, E.exp(v[1]) * E.cos(4 * v[2])]), v, [{"x": [1.5, 0.3, 0.2]}], truth=truth)


def test_the_chain_rule_with_abstract_functions():
    x, y, w = E.symbol("x", (3,)), E.symbol("y", (4,)), E.symbol("w", (4,))
    z = E.call("t", [w, y], shape=(2,))
    p, q = E.call("p", [x, z], shape=()), E.call("q", [z, y], shape=())
    found = gradient(E.log(p) - E.log(q), y)
    slope_p, slope_q = E.call("p", [x, z], (0, 1), (2,)), E.call("q", [z, y], (1, 0), (2,))
    t_y, q_y = E.call("t", [w, y], (0, 1), (2, 4)), E.call("q", [z, y], (0, 1), (4,))
    expected = t_y.T @ (slope_p / p - slope_q / q) - q_y / q
    ones = {"a": E.symbol("a", (4,)), "b": E.symbol("b", (4,)), "c": E.symbol("c", (3,)), "d": E.symbol("d", (2,))}
    functions = {
        "t": E.Function((ones["a"], ones["b"]), E.stack([E.dot(ones["a"], E.sin(ones["b"])), E.sum(ones["b"] ** 3)])),
        "p": E.Function((ones["c"], ones["d"]), 2 + E.sin(E.sum(ones["c"]) * ones["d"][0] + ones["d"][1])),
        "q": E.Function((ones["d"], ones["b"]), 3 + E.cos(ones["d"][0] * ones["b"][1]) + ones["d"][1] ** 2),
    }
    rng = np.random.default_rng(3)
    env = {n.name: rng.normal(size=n.shape) for n in (x, y, w)}
    left, right = (value_of(E.instantiate(e, functions), env) for e in (found, expected))
    np.testing.assert_allclose(left, right, rtol=1e-12)


def test_sizes_and_costs_of_the_scientific_computing_sheet():
    sizes = (16384, 100, 100, 1)
    chain = first_weight_chain(sizes)
    assert chain == ((1, 100), (100, 100), (100, 1_638_400))
    assert product_cost(chain, "right") == 16_547_840_000
    assert product_cost(chain, "left") == 163_850_000
    assert outer_product_cost(sizes) == 1_648_400
    assert (convolution_parameters(1, 1, (3, 3)), convolution_parameters(3, 3, (3, 3))) == (9, 81)


def test_least_squares_solve_the_normal_equation():
    phi, y, theta = E.symbol("Phi", (2, 5)), E.symbol("Y", (5,)), E.symbol("theta", (2,))
    steps = least_squares(phi, y, theta)
    assert plain(steps["gradient"].expr) == "2*Phi*(Phi^T*theta - Y)"
    rng = np.random.default_rng(0)
    env = {"Phi": rng.normal(size=(2, 5)), "Y": rng.normal(size=5)}
    best = value_of(steps["solution"].expr, env)
    np.testing.assert_allclose(value_of(steps["gradient"].expr, {**env, "theta": best}), 0, atol=1e-12)


@pytest.mark.parametrize("loss", ["half_squares", "sum_squares", "mean_squares", "cross_entropy"])
def test_the_delta_recursion_gives_the_gradients(loss):
    network = Network((3, 4, 2), ("sigmoid", "softmax" if loss == "cross_entropy" else "tanh"), loss)
    steps = backpropagation(network)
    values = evaluate(steps)
    rng = np.random.default_rng(1)
    env = {s.name: rng.normal(size=s.shape) for s in steps.inputs}
    for parameter in network.parameters:
        direct = value_of(gradient(values["C"], parameter), env)
        np.testing.assert_allclose(value_of(values[f"grad_{parameter.name}"], env), direct, rtol=1e-11, atol=1e-13)


def test_a_long_rollout_is_certified_by_routes_that_know_no_rule():
    system = controlled(accumulated=True)
    found, agreement = agree_on_rollout(system, [0.1] * 3, ([-0.1, -0.499, -0.1],), 2_000)
    status = {r.name: r.status for r in agreement.routes}
    assert status["complex step"] == "agrees"
    assert status["sympy"] == "not run"
    assert found.parameters[0].shape == (3,)


def test_a_rollout_with_kinks_in_its_loss_is_certified_too():
    _, agreement = agree_on_rollout(controlled(), [-1, 1, 2], ([3, -1, 1],), 2)
    assert agreement.sound
