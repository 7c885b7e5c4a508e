"""Misconceptions about gradients of unrolled systems: appearances of the weights, adjoints, states, Jacobians.

Right: λ_T = ∂L/∂x_T, λ_n = Aₙᵀ λ_{n+1}, ∂L/∂θ = Σ Bₙᵀ λ_{n+1}, with A = ∂step/∂x and B = ∂step/∂θ at x_n.
Each misconception is the same computation with one of its rules replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from grader.malrules.malrule import MalRule, Setting, Unrolled
from reference import expression as E
from reference.expression import Expr, rebuild, rewrite
from reference.modes import gradient, jacobian
from reference.shapes import ShapeError

MAX_STEPS = 12  # longer systems get no misconceptions: their formulas would be too large


@dataclass(frozen=True, slots=True)
class Backward:
    """The rules of the backward sweep.  `states` are x_0 … x_T."""

    seed: Callable[[Unrolled, Sequence[Expr]], Expr]
    pull: Callable[[Expr, Expr], Expr]  # (A, λ) -> λ one step earlier
    collect: Callable[[Sequence[Expr]], Expr]  # contributions of the appearances of θ, step 0 first
    state_for_a: Callable[[int], int] = lambda n: n  # at which state A of step n is taken
    state_for_b: Callable[[int], int] = lambda n: n


def run_states(system: Unrolled, steps: int | None = None) -> list[Expr]:
    """x_0 … x_T."""
    states = [system.start]
    for _ in range(system.steps if steps is None else steps):
        states.append(_at(system.step, system, states[-1]))
    return states


def _at(expr: Expr, system: Unrolled, state: Expr) -> Expr:
    return E.substitute(expr, {system.x: state, system.theta: system.values})


def _loss_slope(system: Unrolled, states: Sequence[Expr]) -> Expr:
    return _at(gradient(system.loss, system.x), system, states[-1])


def _total(parts: Sequence[Expr]) -> Expr:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


RIGHT = Backward(_loss_slope, lambda a, adjoint: E.transpose(a) @ adjoint, _total)


def sweep(system: Unrolled, rules: Backward = RIGHT, states: Sequence[Expr] | None = None) -> Expr:
    """The gradient in θ under these rules."""
    known = list(states) if states is not None else run_states(system)
    by_state, by_weights = jacobian(system.step, system.x), jacobian(system.step, system.theta)
    adjoint = rules.seed(system, known)
    parts: list[Expr] = []
    last = len(known) - 1
    for n in range(last - 1, -1, -1):
        parts.insert(0, E.transpose(_at(by_weights, system, known[min(rules.state_for_b(n), last)])) @ adjoint)
        adjoint = rules.pull(_at(by_state, system, known[min(rules.state_for_a(n), last)]), adjoint)
    return rules.collect(parts)


def _with(*variants: Backward) -> Callable[[Setting], Iterable[Expr]]:
    def derive(setting: Setting) -> Iterator[Expr]:
        system = setting.unrolled
        if system is not None and system.steps <= MAX_STEPS:
            for rules in variants:
                with suppress(ShapeError):  # shapes that do not conform give no result
                    yield sweep(system, rules)

    return derive


def _unsigned(system: Unrolled, states: Sequence[Expr]) -> Expr:
    def rule(node: Expr, args: tuple[Expr, ...]) -> Expr:
        return E.ones(node.shape) if node.op == "sign" else rebuild(node, args)

    return _at(rewrite((gradient(system.loss, system.x),), rule)[0], system, states[-1])


def _first_slope_of_value(system: Unrolled, states: Sequence[Expr]) -> Expr:
    """The state itself in place of the slope of the loss there."""
    return states[-1]


def _off_by_one(setting: Setting) -> Iterator[Expr]:
    system = setting.unrolled
    if system is None or system.steps > MAX_STEPS:
        return
    for steps in (system.steps - 1, system.steps + 1):
        if steps > 0:
            yield sweep(replace(system, steps=steps))


def _in_place(setting: Setting) -> Iterator[Expr]:
    """Later entries of a state computed from entries already renewed."""
    system = setting.unrolled
    if system is None or system.steps > MAX_STEPS or system.step.op != "stack":
        return
    entries: list[Expr] = []
    for i, entry in enumerate(system.step.args):
        old = [system.x[j] for j in range(system.x.shape[0])]
        entries.append(E.substitute(entry, {old[j]: entries[j] for j in range(i)}))
    yield sweep(replace(system, step=E.stack(entries)))


def _given_copied(setting: Setting) -> Iterator[Expr]:
    system = setting.unrolled
    if system is None or system.steps > MAX_STEPS:
        return
    states = run_states(system)
    for state in (system.values, *states):
        if state.shape == system.theta.shape:
            yield state


ROLLOUTS: tuple[MalRule, ...] = (
    MalRule(
        "rollout.last_appearance_only",
        "The weights appear in every step; the total gradient adds up all their appearances.",
        _with(replace(RIGHT, collect=lambda parts: parts[-1])),
    ),
    MalRule(
        "rollout.first_appearance_only",
        "The weights appear in every step; the total gradient adds up all their appearances.",
        _with(replace(RIGHT, collect=lambda parts: parts[0])),
    ),
    MalRule(
        "rollout.norm_sign_ignored",
        "The derivative of $|x|$ is the sign of $x$, which is not always one.",
        _with(replace(RIGHT, seed=_unsigned)),
    ),
    MalRule(
        "rollout.state_path_forgotten",
        "An earlier appearance of the weights also acts through the states that follow.",
        _with(replace(RIGHT, pull=lambda a, adjoint: adjoint)),
    ),
    MalRule(
        "rollout.direct_term_forgotten",
        "The weights also act directly in the last step.",
        _with(replace(RIGHT, collect=lambda parts: _total(parts[:-1]) if len(parts) > 1 else parts[0] * 0)),
    ),
    MalRule(
        "rollout.jacobian_transposed",
        "Going backwards the transposed Jacobian is needed: entry $i$ collects from every entry that $x_i$ feeds.",
        _with(replace(RIGHT, pull=lambda a, adjoint: a @ adjoint)),
    ),
    MalRule(
        "rollout.wrong_state",
        "Each step's derivatives are taken at the state that went into that step.",
        _with(
            replace(RIGHT, state_for_a=lambda n: n + 1),
            replace(RIGHT, state_for_b=lambda n: n + 1),
            replace(RIGHT, state_for_a=lambda n: n + 1, state_for_b=lambda n: n + 1),
            replace(RIGHT, state_for_a=lambda n: 0),
            replace(RIGHT, state_for_b=lambda n: 0),
            replace(RIGHT, state_for_a=lambda n: 0, state_for_b=lambda n: 0),
        ),
    ),
    MalRule(
        "rollout.loss_slope_is_state",
        "Differentiate the loss first; its slope is not the state itself.",
        _with(replace(RIGHT, seed=_first_slope_of_value)),
    ),
    MalRule("rollout.off_by_one", "Count the steps.", _off_by_one),
    MalRule("rollout.updated_in_place", "All entries of the next state are computed from the old state.", _in_place),
    MalRule("rollout.given_copied", "This is a quantity of the computation, but not the one asked for.", _given_copied),
)
