"""Unrolled systems x_{t+1} = f(x_t, θ, t): states, loss, adjoints, sensitivities, as derivations and as numbers.

One step map is written as expressions.  A derivation is for small T, where every step is a thing a person writes down;
`reference.unrolled` runs the same map for thousands of steps without a thousandfold program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reference import expression as E
from reference.derivation import Derivation, Step, joined
from reference.expression import substitute
from reference.modes import gradient, jacobian, vjp
from reference.node import Expr, Operand
from reference.rules import STANDARD, Rules
from reference.shapes import ShapeError, describe
from reference.simplify import simplify
from reference.sweeps import forward_sweep, reverse_sweep

MAX_WRITTEN_STEPS = 2_000  # a derivation is for reading; longer rollouts are run by reference.unrolled


@dataclass(frozen=True)
class System:
    """One step of a discrete system.

    `state`, `parameters`, `time` and `forcing` are symbols, `next` is the next state over them, `loss` a number over
    `state` (and parameters).  With `accumulated` the loss is the sum over x_1 … x_T, otherwise that of x_T alone.
    Shapes: state (n,) or (), next the same.
    """

    state: Expr
    next: Expr
    parameters: tuple[Expr, ...]
    loss: Expr
    accumulated: bool = False
    time: Expr | None = None

    def __post_init__(self) -> None:
        if self.next.shape != self.state.shape:
            raise ShapeError(
                f"the state is {describe(self.state.shape)}, but a step makes {describe(self.next.shape)} of it"
            )
        if self.loss.shape != ():
            raise ShapeError(f"the loss is {describe(self.loss.shape)}, not a number")


def state_name(t: int, name: str = "x") -> str:
    """x_0, x_1 …"""
    return f"{name}_{t}"


def unroll(system: System, steps: int, start: int = 0, name: str = "x") -> Derivation:
    """States x_1 … x_T over the input x_0 and the parameters, then the loss L.

    With an accumulated loss L_1 … L_T come before L.  `time` is replaced by the whole number t of the step's start.
    """
    if not 1 <= steps <= MAX_WRITTEN_STEPS:
        raise ValueError(f"a written rollout has 1 to {MAX_WRITTEN_STEPS} steps, not {steps}")
    rows: list[Step] = []
    for t in range(1, steps + 1):
        rows.append(Step(state_name(t, name), at(system, system.next, t - 1, start, name)))
        if system.accumulated:
            rows.append(Step(f"L_{t}", at(system, system.loss, t, start, name)))
    if system.accumulated:
        total = E.symbol("L_1")
        for t in range(2, steps + 1):
            total = total + E.symbol(f"L_{t}")
        rows.append(Step("L", total))
    else:
        rows.append(Step("L", at(system, system.loss, steps, start, name)))
    return Derivation(tuple(rows))


def at(system: System, expr: Expr, t: int, start: int = 0, name: str = "x") -> Expr:
    """An expression of the system with x_t for the state and t for the time."""
    values: dict[Expr, Operand] = {system.state: E.symbol(state_name(t, name), system.state.shape)}
    if system.time is not None:
        values[system.time] = start + t
    return substitute(expr, values)


def backward(
    system: System, steps: int, rules: Rules = STANDARD, initial: bool = True, start: int = 0, name: str = "x"
) -> Derivation:
    """States, loss, adjoints λ_T … λ_0 and the gradient by each parameter, accumulated over all appearances.

    The gradient by parameter θ is the step `grad_θ`; its share from the step that makes x_t is `grad_θ_t`, that from
    the loss (where θ stands in it) `grad_θ_L` or `grad_θ_L_t`.  λ_t (`lambda_t`) is the total derivative of L by x_t.
    Shapes: λ_t as the state, grad_θ as θ.
    """
    primal = unroll(system, steps, start, name)
    first = E.symbol(state_name(0, name), system.state.shape)
    states = {state_name(t, name): f"lambda_{t}" for t in range(steps + 1)}

    def naming(quantity: str) -> str:
        return states.get(quantity, f"bar_{quantity}")

    sweep = reverse_sweep(primal, "L", (first, *system.parameters), rules, naming)
    left_out = {naming(theta.name) for theta in system.parameters} | (set() if initial else {"lambda_0"})
    rows = [row for row in sweep.steps if row.name not in left_out]
    for theta in system.parameters:
        shares: list[Step] = []
        for step in primal.steps:
            if theta.name in step.uses:
                bar = E.constant(1) if step.name == "L" else E.symbol(naming(step.name), step.expr.shape)
                label = states[step.name].removeprefix("lambda_") if step.name in states else step.name
                shares.append(Step(f"grad_{theta.name}_{label}", _share(step, theta, bar, rules)))
        rows.extend(shares)
        rows.append(Step(f"grad_{theta.name}", _collected(shares, theta, rules)))
    return joined(primal, Derivation(tuple(rows)))


def _share(step: Step, theta: Expr, bar: Expr, rules: Rules) -> Expr:
    return vjp(step.expr, theta, bar, rules)


def _collected(shares: Sequence[Step], theta: Expr, rules: Rules) -> Expr:
    if not shares:
        return E.zeros(theta.shape)
    symbols = [share.symbol for share in shares]
    if rules.accumulate == "last":
        return symbols[-1]
    if rules.accumulate == "first":
        return symbols[0]
    total = symbols[0]
    for symbol in symbols[1:]:
        total = total + symbol
    return total


def forward(
    system: System,
    steps: int,
    parameter: Expr,
    direction: Expr,
    rules: Rules = STANDARD,
    start: int = 0,
    name: str = "x",
) -> Derivation:
    """States, loss and their tangents dx_t, dL for a direction of one parameter or of x_0.

    One column of ∂x_t/∂θ per unit direction; dL is that column's entry of the gradient.
    """
    primal = unroll(system, steps, start, name)
    sweep = forward_sweep(primal, {parameter.name: direction}, rules, lambda s: f"d{s}")
    return joined(primal, sweep)


def sensitivities(system: System, steps: int, rules: Rules = STANDARD, start: int = 0, name: str = "x") -> Derivation:
    """States, loss, and for every parameter θ (n_θ,) the Jacobians S_θ_t = ∂x_t/∂θ (n, n_θ), with grad_θ at the end."""
    primal = unroll(system, steps, start, name)
    rows: list[Step] = []
    for theta in system.parameters:
        for t in range(1, steps + 1):
            step = primal[state_name(t, name)]
            direct = jacobian(step.expr, theta, rules)
            if t > 1:
                before = E.symbol(state_name(t - 1, name), system.state.shape)
                carried = E.symbol(f"S_{theta.name}_{t - 1}", system.state.shape + theta.shape)
                slope = jacobian(step.expr, before, rules)
                direct = (slope @ carried if system.state.shape else slope * carried) + direct
            rows.append(Step(f"S_{theta.name}_{t}", simplify((direct,))[0]))
        rows.append(Step(f"grad_{theta.name}", _through_states(system, steps, theta, rules, start, name)))
    return joined(primal, Derivation(tuple(rows)))


def _through_states(system: System, steps: int, theta: Expr, rules: Rules, start: int, name: str) -> Expr:
    total = E.zeros(theta.shape)
    for t in range(1 if system.accumulated else steps, steps + 1):
        loss = at(system, system.loss, t, start, name)
        bar = gradient(loss, E.symbol(state_name(t, name), system.state.shape), rules)
        carried = E.symbol(f"S_{theta.name}_{t}", system.state.shape + theta.shape)
        if not system.state.shape:
            part = bar * carried
        elif not theta.shape:
            part = E.dot(carried, bar)
        else:
            part = carried.T @ bar
        total = total + part + gradient(loss, theta, rules)
    return simplify((total,))[0]


def rk4(state: Expr, slope: Expr, dt: Operand, time: Expr | None = None) -> dict[str, Expr]:
    """Classical Runge-Kutta step of x' = slope(x, t): the stages k1 … k4 and the next state, over `state` and `time`.

    k2 and k3 are taken at t + dt/2, k4 at t + dt; next = x + dt/6 (k1 + 2 k2 + 2 k3 + k4).
    """
    h = E.constant(dt)

    def stage(x: Expr, shift: Operand) -> Expr:
        values: dict[Expr, Operand] = {state: x}
        if time is not None:
            values[time] = time + shift if shift != 0 else time
        return substitute(slope, values)

    k1 = stage(state, 0)
    k2 = stage(state + h / 2 * k1, h / 2)
    k3 = stage(state + h / 2 * k2, h / 2)
    k4 = stage(state + h * k3, h)
    return {"k1": k1, "k2": k2, "k3": k3, "k4": k4, "next": state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)}


def rk4_derivation(state: Expr, slope: Expr, dt: Operand, time: Expr | None = None) -> Derivation:
    """One Runge-Kutta step written out: k1 … k4 as steps, each over the earlier ones, then `next`."""
    h = E.constant(dt)
    rows: list[Step] = []
    shares: tuple[Expr, ...] = (E.constant(0), h / 2, h / 2, h)
    for i, shift in enumerate(shares):
        x = state if i == 0 else state + shift * E.symbol(f"k{i}", state.shape)
        values: dict[Expr, Operand] = {state: x}
        if time is not None and i:
            values[time] = time + shift
        rows.append(Step(f"k{i + 1}", substitute(slope, values)))
    k1, k2, k3, k4 = (E.symbol(f"k{i}", state.shape) for i in (1, 2, 3, 4))
    rows.append(Step("next", state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)))
    return Derivation(tuple(rows))


def start_values(system: System, values: Mapping[str, object], name: str = "x") -> dict[str, object]:
    """Inputs of the derivation: what was called by the state's name is x_0."""
    return {state_name(0, name) if k == system.state.name else k: v for k, v in values.items()}
