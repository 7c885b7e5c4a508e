"""Misconceptions: each is recognised by what it gives, and its hint never gives the answer away."""

from __future__ import annotations

from fractions import Fraction

import pytest

from grader.compare import Domain, same
from grader.malrules import (
    BACKPROP,
    CALCULUS,
    MATRICES,
    ROLLOUTS,
    SLIPS,
    Layer,
    MalRule,
    Network,
    Setting,
    Unrolled,
    candidates_for,
    name_mistake,
    rules_for,
)
from grader.malrules.backprop import backpropagate
from grader.malrules.rollouts import sweep
from grader.notation.vocabulary import Declaration
from reference import expression as E
from reference.graph import evaluate
from reference.modes import gradient, jacobian

x = E.symbol("x")
POSITIVE = Domain({"x": Declaration("positive")})
REAL = Domain({"x": Declaration("nonzero")})
ALL = (*CALCULUS, *MATRICES, *ROLLOUTS, *BACKPROP, *SLIPS)

# function, wrong derivative, note
KNOWN = [
    (E.sin(x**3), E.cos(x**3), "chain_rule.inner_derivative_missing"),
    (E.exp(-3 * x), E.exp(-3 * x), "chain_rule.inner_derivative_missing"),
    (E.sin(x**2 + x), E.cos(2 * x + 1), "chain_rule.derivative_inside"),
    (x**2 * E.sin(x), 2 * x * E.cos(x), "product_rule.product"),
    (x**2 * E.sin(x), 2 * x + E.cos(x), "product_rule.sum"),
    (x**2 * E.sin(x), 2 * x * E.sin(x), "product_rule.one_term"),
    (E.sin(x) / (1 + x**2), (E.sin(x) * 2 * x - E.cos(x) * (1 + x**2)) / (1 + x**2) ** 2, "quotient_rule.order"),
    (E.sin(x) / (1 + x**2), (E.sin(x) * 2 * x + E.cos(x) * (1 + x**2)) / (1 + x**2) ** 2, "quotient_rule.sign"),
    (E.sin(x) / (1 + x**2), E.cos(x) / (2 * x), "quotient_rule.of_derivatives"),
    (E.cos(x), E.sin(x), "trig.sign"),
    (x**5, 5 * x**5, "power_rule.exponent_not_decremented"),
    (x**5 + x, x**4 + 1, "power_rule.factor_missing"),
    (E.constant(3) ** x, x * E.constant(3) ** (x - 1), "exponential.power_rule"),
    (E.constant(3) ** x, E.constant(3) ** x, "exponential.base_forgotten"),
    (E.log(x) / E.log(E.constant(3)), 1 / x, "logarithm.base"),
    (x**2 + 3, 2 * x + 3, "constant.kept"),
    (E.sqrt(x**2 + E.exp(x)), 1 + E.exp(x) / (2 * E.sqrt(E.exp(x))), "sum.split"),
    (E.sigmoid(x), 1 - E.sigmoid(x) ** 2, "activation.confused"),
    (x * E.exp(x), x * E.exp(x), "derivative.not_taken"),
]


@pytest.mark.parametrize(("f", "wrong", "note"), KNOWN, ids=[f"{n}-{i}" for i, (_, _, n) in enumerate(KNOWN)])
def test_a_known_misconception_is_named(f: E.Expr, wrong: E.Expr, note: str) -> None:
    setting = Setting(gradient(f, x), f, (x,))
    found = name_mistake(wrong, setting, POSITIVE, rules_for(["derivative"]))
    assert note in [d.note for d in found]


@pytest.mark.parametrize("f", [x**2 * E.sin(x**3), E.log(x**2 + 1) / x, E.exp(-(x**2)) * E.tanh(x), E.sqrt(x**2 + 3)])
def test_every_candidate_is_diagnosed_as_itself_or_one_listed_before_it(f: E.Expr) -> None:
    setting = Setting(gradient(f, x), f, (x,))
    rules = rules_for(["derivative"])
    order = [rule.note for rule in rules]
    for candidate in candidates_for(setting, rules):
        if same(setting.truth, candidate.result, POSITIVE).verdict != "no":
            continue
        found = name_mistake(candidate.result, setting, POSITIVE, rules)
        assert found, candidate.note
        assert order.index(found[0].note) <= order.index(candidate.note)


def test_the_truth_is_never_diagnosed() -> None:
    f = x**2 * E.sin(x**3)
    setting = Setting(gradient(f, x), f, (x,))
    rewritten = E.sin(x**3) * 2 * x + x**4 * 3 * E.cos(x**3)
    assert name_mistake(rewritten, setting, REAL, rules_for(["derivative"])) == ()


def test_an_arbitrary_wrong_answer_stays_unnamed() -> None:
    f = x**2 * E.sin(x**3)
    setting = Setting(gradient(f, x), f, (x,))
    assert name_mistake(E.tanh(x) + Fraction(7, 3), setting, REAL, rules_for(["derivative"])) == ()


def test_a_pair_of_mistakes_is_named_by_both() -> None:
    f = E.cos(x**3) * E.log(x**4)
    setting = Setting(gradient(f, x), f, (x,))
    wrong = -E.sin(x**3) * E.log(x**4) - 4 * E.cos(x**3) / x
    found = name_mistake(wrong, setting, REAL, rules_for(["derivative"]))
    assert ("chain_rule.inner_derivative_missing", "sign") in [(d.note, d.with_note) for d in found]


A, v, b = E.symbol("A", (3, 3)), E.symbol("v", (3,)), E.symbol("b", (3,))
MATRIX_DOMAIN = Domain({"A": Declaration(shape=(3, 3)), "v": Declaration(shape=(3,)), "b": Declaration(shape=(3,))})


@pytest.mark.parametrize(
    ("truth", "wrong", "note"),
    [
        (2 * A.T @ (A @ v - b), 2 * A @ (A @ v - b), "matrix.transpose_missing"),
        (2 * A.T @ (A @ v - b), A.T @ (A @ v - b), "factor.two"),
        (2 * A.T @ (A @ v - b), 2 * (A @ v - b), "matrix.inner_derivative_missing"),
        (2 * A.T @ (A @ v - b), 2 * A.T @ (A @ v + b), "sign"),
        (2 * A.T @ (A @ v - b), 2 * A.T @ (A @ v), "term.dropped"),
        ((A + A.T) @ v, 2 * A @ v, "matrix.assumed_symmetric"),
        (E.diag(E.cos(A @ v)) @ A, A @ E.diag(E.cos(A @ v)), "matrix.diag_side"),
        (E.diag(E.cos(A @ v)) @ A, (E.diag(E.cos(A @ v)) @ A).T, "jacobian.transposed"),
        (E.outer(b, v), E.outer(v, b), "jacobian.transposed"),
        (E.diag(E.cos(A @ v)) @ A, E.diag(E.sin(A @ v)) @ A, "function.exchanged"),
    ],
)
def test_a_known_misconception_of_matrix_calculus_is_named(truth: E.Expr, wrong: E.Expr, note: str) -> None:
    found = name_mistake(wrong, Setting(truth), MATRIX_DOMAIN, rules_for(["matrix"]))
    assert note in [d.note for d in found]


def numbers(*values: int | str) -> E.Expr:
    return E.stack([E.constant(Fraction(value)) for value in values])


state, theta = E.symbol("x", (3,)), E.symbol("theta", (3,))
CONTROLLED = Unrolled(
    state,
    theta,
    E.stack(
        [
            state[0] ** 2 + state[1] + state[0] * theta[0],
            -state[0] + state[1] / 2 + state[1] * theta[1],
            -(state[1] ** 2) + state[2] + state[2] * theta[2],
        ]
    ),
    E.norm(state, "1"),
    numbers(-1, 1, 2),
    numbers(3, -1, 1),
    2,
)


def test_the_right_sweep_gives_the_gradient_of_the_unrolled_system() -> None:
    assert evaluate(sweep(CONTROLLED)).tolist() == [3, -2, 7]


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (("1", "1/2", "3"), "rollout.last_appearance_only"),
        (("2", "-5/2", "4"), "rollout.first_appearance_only"),
        (("-1", "0", "7"), "rollout.norm_sign_ignored"),
        (("2", "3/2", "5"), "rollout.state_path_forgotten"),
        (("1", "1", "5"), "rollout.jacobian_transposed"),
        (("3", "-1", "1"), "rollout.given_copied"),
    ],
)
def test_a_known_misconception_of_rollouts_is_named(answer: tuple[str, ...], note: str) -> None:
    setting = Setting(sweep(CONTROLLED), unrolled=CONTROLLED)
    found = name_mistake(numbers(*answer), setting, Domain(), rules_for(["rollout"]))
    assert note in [d.note for d in found]


W1, b1 = E.symbol("W1", (3, 3)), E.symbol("b1", (3,))
W2, b2 = E.symbol("W2", (3, 3)), E.symbol("b2", (3,))
entry, out, target = E.symbol("x", (3,)), E.symbol("out", (3,)), E.symbol("y", (3,))
NETWORK = Network((Layer(W1, b1, "tanh"), Layer(W2, b2, "sigmoid")), entry, out, E.sum((out - target) ** 2))
NET_DOMAIN = Domain({s.name: Declaration(shape=s.shape) for s in (W1, b1, W2, b2, entry, target)})


@pytest.mark.parametrize("wrt", [W1, b1, W2, b2])
def test_the_right_backward_pass_gives_the_gradient(wrt: E.Expr) -> None:
    result = E.sigmoid(W2 @ E.tanh(W1 @ entry + b1) + b2)
    right = backpropagate(NETWORK, wrt)
    assert right is not None
    assert same(gradient(E.sum((result - target) ** 2), wrt), right, NET_DOMAIN).same


def test_every_misconception_of_backpropagation_is_named() -> None:
    setting = Setting(backpropagate(NETWORK, W1) or W1, wrt=(W1,), network=NETWORK)
    rules = rules_for(["backprop"])
    for rule in BACKPROP:
        for result in rule.derive(setting):
            found = name_mistake(result, setting, NET_DOMAIN, rules)
            assert rule.note in [d.note for d in found], rule.note


def test_a_jacobian_with_the_overwritten_path_is_named() -> None:
    x1, x2 = E.symbol("x1"), E.symbol("x2")
    shared = x1 * x2
    f = E.exp(shared) + E.sin(shared)
    setting = Setting(gradient(f, x1), f, (x1,))
    plane = Domain({"x1": Declaration(), "x2": Declaration()})
    found = name_mistake(E.exp(shared) * x2, setting, plane, rules_for(["derivative"]))
    assert "path.not_accumulated" in [d.note for d in found]


def test_a_jacobian_of_several_functions_is_diagnosed() -> None:
    u = E.symbol("u", (2,))
    f = E.stack([E.sin(u[0] ** 2), u[0] * u[1]])
    wrong = E.matrix([[E.cos(u[0] ** 2), 0], [u[1], u[0]]])
    setting = Setting(jacobian(f, u), f, (u,))
    found = name_mistake(wrong, setting, Domain({"u": Declaration(shape=(2,))}), rules_for(["jacobian"]))
    assert "chain_rule.inner_derivative_missing" in [d.note for d in found]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.note)
def test_notes_are_stable_tags_and_hints_are_sentences(rule: MalRule) -> None:
    assert rule.note == rule.note.lower()
    assert " " not in rule.note
    assert rule.hint.endswith((".", "?"))
    assert len(rule.hint) < 160
