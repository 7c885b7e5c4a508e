"""Independent routes agree on random computations; a wrong truth, a wrong rule and a kink are told apart."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import expression as E
from reference.agree import Disagreement, agree
from reference.algebra import NUMBERS
from reference.compiled import compile_gradient, compile_values
from reference.derivation import Derivation, DerivationError, Step, derivation, evaluate, joined, numbers, replace
from reference.graph import build, run_all
from reference.graph import evaluate as value_of
from reference.modes import Rules, adjoints, gradient, jvp, tangents, value_and_gradient, vjp
from reference.numeric import complex_step, high_precision_differences
from reference.optimiser import METHODS, Settings, optimise
from reference.printing import latex, plain
from reference.rollout import System, backward, sensitivities
from reference.simplify import simplify
from reference.sweeps import forward_sweep, reverse_sweep
from reference.unrolled import compile_system

SAFE = ("sin", "cos", "tanh", "sigmoid", "softplus", "arctan", "exp")


@st.composite
def computations(draw: st.DrawFn) -> tuple[E.Expr, tuple[E.Expr, ...]]:
    """A random scalar computation of a vector, a number and a matrix, with reuse, all values moderate."""
    x, s, m = E.symbol("x", (3,)), E.symbol("s"), E.symbol("M", (3, 3))
    pool: list[E.Expr] = [x, x[0], s, m @ x, x * s]
    for _ in range(draw(st.integers(3, 12))):
        a, b = (pool[draw(st.integers(0, len(pool) - 1))] for _ in range(2))
        kind = draw(st.integers(0, 7))
        if kind == 0:
            pool.append(getattr(E, draw(st.sampled_from(SAFE)))(E.tanh(a)))
        elif kind == 1:
            pool.append(a + b)
        elif kind == 2:
            pool.append(E.tanh(a) * b)
        elif kind == 3:
            pool.append(a / (2 + E.tanh(b)))
        elif kind == 4:
            pool.append(E.tanh(a) ** draw(st.sampled_from([2, 3])))
        elif kind == 5:
            pool.append(E.sum(a) - E.mean(b))
        elif kind == 6 and a.shape == (3,):
            pool.append(m.T @ E.tanh(a))
        else:
            pool.append(E.sqrt(1 + a * a))
    return E.sum(E.tanh(pool[-1]) + pool[-2]), (x, s, m)


def point(wrt: tuple[E.Expr, ...], seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {w.name: rng.uniform(-1.2, 1.2, w.shape) for w in wrt}


@settings(max_examples=60, deadline=None)
@given(computations(), st.integers(0, 99))
def test_forward_reverse_formula_compiled_and_complex_step_agree(computation, seed):
    expr, wrt = computation
    env = point(wrt, seed)
    rng = np.random.default_rng(seed + 1)
    directions = {w.name: rng.normal(size=w.shape) for w in wrt}
    value, bars = value_and_gradient(expr, wrt, env)
    reverse = sum(float(np.sum(bar * directions[w.name])) for bar, w in zip(bars, wrt, strict=True))
    graph = build((expr, *wrt))
    values = run_all(graph, env)
    seeds = {p: directions[w.name] for p, w in zip(graph.outputs[1:], wrt, strict=True)}
    forward = tangents(graph, values, seeds, NUMBERS)[graph.outputs[0]]
    step = complex_step(graph, env, directions).value
    close = {"rel": 1e-10, "abs": 1e-12}
    assert forward == pytest.approx(reverse, **close)
    assert step == pytest.approx(reverse, **close)
    for formula, bar in zip(gradient(expr, wrt), bars, strict=True):
        np.testing.assert_allclose(value_of(formula, env), bar, rtol=1e-10, atol=1e-12)
    compiled = compile_gradient(expr, wrt, wrt)
    found = compiled(*[env[w.name] for w in wrt])
    assert found[0] == pytest.approx(float(value), **close)
    for ours, bar in zip(found[1:], bars, strict=True):
        np.testing.assert_allclose(ours, bar, rtol=1e-10, atol=1e-12)
    precise = high_precision_differences(graph, env, directions).value
    assert precise == pytest.approx(reverse, **close)


@settings(max_examples=40, deadline=None)
@given(computations(), st.integers(0, 99))
def test_tidying_changes_no_value_and_printing_never_fails(computation, seed):
    expr, wrt = computation
    env = point(wrt, seed)
    assert value_of(simplify((expr,))[0], env) == pytest.approx(value_of(expr, env), rel=1e-12, abs=1e-13)
    assert plain(expr)
    assert latex(expr).count("{") == latex(expr).count("}")


def test_symbolic_products_with_the_jacobian_are_vjp_and_jvp():
    x, m = E.symbol("x", (3,)), E.symbol("M", (2, 3))
    f = E.tanh(m @ x)
    g, t = E.symbol("g", (2,)), E.symbol("t", (3,))
    env = {**point((x, m)), "g": [0.3, -1.2], "t": [1, 2, -0.5]}
    assert plain(vjp(f, x, g)) == "M^T*hadamard(g, 1 - tanh(M*x).^2)"
    left = np.dot(value_of(vjp(f, x, g), env), env["t"])
    assert left == pytest.approx(np.dot(value_of(jvp(f, x, t), env), env["g"]))


def test_a_wrong_truth_is_refused_with_the_route_that_differs():
    x = E.symbol("x")
    with pytest.raises(Disagreement, match="given truth") as refusal:
        agree(E.sin(x**2), x, [{"x": 0.7}], truth=E.cos(x**2))
    assert "complex step" in refusal.value.agreement.agreeing


def test_every_route_is_listed_with_the_reason_it_was_not_run():
    x = E.symbol("x", (3,))
    found = agree(E.norm(x, "1"), x, [{"x": [1.0, 0.0, 2.0]}])
    assert found.kinks == ("norm",)
    skipped = {r.name: r.reason for r in found.routes if r.status == "not run"}
    assert set(skipped) == {"complex step", "central differences", "high-precision differences"}
    assert all("kink of norm" in reason for reason in skipped.values())
    y = E.symbol("y")
    deep = y
    for _ in range(700):
        deep = E.sin(deep)
    routes = {r.name: r for r in agree(deep, y, [{"y": 0.4}]).routes}
    assert "too many for sympy" in routes["sympy"].reason
    assert routes["complex step"].status == "agrees"


def test_an_expression_that_is_nowhere_defined_is_refused():
    x = E.symbol("x")
    with pytest.raises(Disagreement, match="undefined at every point"):
        agree(E.log(-(x**2) - 1), x, [{"x": 0.7}])


X = E.symbol("x")
MALRULES = [
    (E.sin(X**2), Rules(jvp={"sin": lambda o, attrs, xs, y, ts: o.cos(xs[0])}), E.cos(X**2)),
    (X * E.sin(X), Rules(jvp={"mul": lambda o, a, xs, y, ts: ts[0] * ts[1]}), E.cos(X)),
    (E.cos(X**2), Rules(slopes={"cos": lambda o, x, y: o.sin(x)}), 2 * X * E.sin(X**2)),
    (X**3, Rules(jvp={"pow": lambda o, a, xs, y, ts: ts[0] * xs[1] * y}), 3 * X**3),
    (X**2 + E.exp(X**2), Rules(accumulate="first"), 2 * X * E.constant(1)),
]


@pytest.mark.parametrize(("expr", "rules", "wrong"), MALRULES)
def test_a_misconception_is_the_same_derivation_with_one_rule_replaced(expr, rules, wrong):
    found = gradient(expr, X, rules)
    if rules.accumulate == "first":  # one of the two consumers counts
        candidates = (2 * X, 2 * X * E.exp(X**2))
        assert any(value_of(found, {"x": 0.8}) == pytest.approx(value_of(c, {"x": 0.8})) for c in candidates)
    else:
        assert value_of(found, {"x": 0.8}) == pytest.approx(value_of(wrong, {"x": 0.8}))
        assert value_of(found, {"x": 0.8}) != pytest.approx(value_of(gradient(expr, X), {"x": 0.8}))


@st.composite
def derivations(draw: st.DrawFn) -> Derivation:
    steps: list[Step] = []
    for i in range(draw(st.integers(2, 9))):
        pool = [X, E.symbol("w"), *[s.symbol for s in steps]]
        a, b = (pool[draw(st.integers(0, len(pool) - 1))] for _ in range(2))
        made = draw(st.sampled_from([a + b, a * b, E.sin(a), E.tanh(a) - b]))
        steps.append(Step(f"t{i}", made))
    return Derivation(tuple(steps))


@settings(max_examples=60, deadline=None)
@given(derivations(), st.integers(0, 8))
def test_clamping_a_step_changes_only_what_rests_on_it(steps, which):
    name = steps.names[which % len(steps.names)]
    free = numbers(steps, {"x": 0.3, "w": -0.7})
    clamped = numbers(steps, {"x": 0.3, "w": -0.7}, given={name: E.constant(Fraction(17, 5))})
    rest = set(steps.resting_on(name))
    assert clamped[name] == pytest.approx(3.4)
    for other in steps.names:
        if other not in rest and other != name:
            assert clamped[other] == free[other]


@settings(max_examples=40, deadline=None)
@given(derivations())
def test_written_out_sweeps_agree_with_the_formula(steps):
    last = steps.names[-1]
    closed = evaluate(steps)[last]
    env = {"x": 0.3, "w": -0.7}
    wanted = value_of(gradient(closed, X), env)
    back = numbers(joined(steps, reverse_sweep(steps, last, [X])), env)
    assert back["bar_x"] == pytest.approx(wanted, rel=1e-11, abs=1e-13)
    ahead = forward_sweep(steps, {"x": E.constant(1)})
    if f"d{last}" in ahead.names:
        assert numbers(joined(steps, ahead), env)[f"d{last}"] == pytest.approx(wanted, rel=1e-11, abs=1e-13)


def test_a_step_cannot_use_a_later_one_and_a_rule_can_be_replaced():
    with pytest.raises(DerivationError, match="a uses b before it is computed"):
        derivation(("a", E.symbol("b")), ("b", X))
    with pytest.raises(DerivationError, match="a is defined twice"):
        derivation(("a", X), ("a", X))
    steps = derivation(("a", X**2), ("b", E.symbol("a") + 1))
    assert numbers(replace(steps, {"a": X**3}), {"x": 2})["b"] == 9


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.booleans(), st.integers(0, 50), st.booleans())
def test_rollouts_agree_written_out_compiled_forwards_and_by_complex_step(steps, accumulated, seed, timed):
    x, th, t = E.symbol("x", (2,)), E.symbol("theta", (2,)), E.symbol("t")
    step = E.stack([E.tanh(x[0] * th[0] + x[1]), E.sin(x[0]) * th[1] + (E.cos(t) if timed else 0) * x[1]])
    loss = E.norm(x, "squared") + E.dot(th, x)
    system = System(x, step, (th,), loss, accumulated, t if timed else None)
    env = {"x_0": point((x,), seed)["x"], "theta": point((th,), seed)["theta"]}
    back = numbers(backward(system, steps), env)
    ahead = numbers(sensitivities(system, steps), env)
    run = compile_system(system).gradient(env["x_0"], (env["theta"],), steps)
    assert run.loss == pytest.approx(back["L"])
    close = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(back["grad_theta"], ahead["grad_theta"], **close)
    np.testing.assert_allclose(back["grad_theta"], run.parameters[0], **close)
    np.testing.assert_allclose(back["lambda_0"], run.initial, **close)
    closed = evaluate(backward(system, steps))["L"]
    graph = build((closed, E.symbol("theta", (2,))))
    for i in range(2):
        unit = np.eye(2)[i]
        assert complex_step(graph, env, {"theta": unit}).value == pytest.approx(
            back["grad_theta"][i], rel=1e-10, abs=1e-12
        )


@pytest.mark.parametrize("method", METHODS)
def test_optimisers_go_downhill_on_a_bowl(method):
    w = E.symbol("w", (2,))
    found = numbers(optimise(w[0] ** 2 + 3 * w[1] ** 2, w, method, 3, Settings()), {"w_0": [1.0, 2.0]})
    heights = [found[f"w_{t}"][0] ** 2 + 3 * found[f"w_{t}"][1] ** 2 for t in (1, 2, 3)]
    assert heights[0] < 13
    assert heights[1] < heights[0]


def test_the_first_step_of_adam_has_the_length_of_the_rate():
    w = E.symbol("w", (2,))
    found = numbers(optimise(w[0] ** 2 + 3 * w[1] ** 2, w, "adam", 1, Settings(eps=0)), {"w_0": [1.0, 2.0]})
    np.testing.assert_allclose(found["w_1"], [0.9, 1.9], rtol=1e-12)


def test_compiled_code_gives_nan_where_plain_floats_refuse():
    compiled = compile_values([E.log(X), 1 / X, X ** Fraction(1, 3)], [X])
    assert all(np.isnan(v) for v in compiled(-1.0)[::2])
    assert np.isnan(compiled(0.0)[1])


def test_a_gradient_flows_through_a_node_that_is_used_twice():
    graph = build((X * X + X,))
    values = run_all(graph, {"x": 3.0})
    found = adjoints(graph, values, {graph.outputs[0]: 1.0}, NUMBERS)
    assert found[graph.position(X)] == 7.0
