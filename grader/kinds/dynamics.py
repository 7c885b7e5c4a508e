"""A dynamical system integrated by the classical Runge–Kutta method: states, and gradients of a loss through the steps.

States and gradients are vectors in the order in which the question names their entries.  A few steps are written out as
a derivation; many are run by the compiled rollout and confirmed by the complex step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import numpy as np

from grader.compare import Domain
from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.definition import build, make_vocabulary
from grader.kinds.plan import Aim, Context, Item, Misconception, Plan, Task, Truth
from grader.kinds.point import points_at
from grader.notation import Declaration, Vocabulary
from grader.notation.vocabulary import canonical
from reference import expression as E
from reference.derivation import Derivation, Step
from reference.expression import Expr
from reference.modes import gradient
from reference.rollout import System, rk4
from reference.unrolled import compile_system

MAX_STEPS = 20_000
MAX_WRITTEN_STEPS = 6  # more are run by numbers
COMPLEX_STEP = 1e-40
AGREEMENT = 1e-6  # between the adjoint run and the complex step, relative; a chaotic system loses the rest
STATE, START = "s", "s_0"
ITEMS = ("state", "initial", "parameters", "loss")

Ask = Literal["state", "initial", "parameters", "loss"]


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    state: names of the state's entries; slope: their time derivatives; start; constants: names and values of the parameters; dt; steps;
    loss: a number, of the state after the last step; time: the name of the time where the slope has it; ask: the state
    after the last step, the loss, or the loss's gradient by the initial state or by the parameters; wrt: the parameters
    in question (default: all).
    """

    state: tuple[str, ...]
    slope: tuple[str, ...]
    start: tuple[Fraction, ...]
    dt: Fraction
    constants: dict[str, Fraction] = field(default_factory=dict)
    steps: int = 1
    loss: str = ""
    time: str = ""
    ask: Ask = "state"
    wrt: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.state) == len(self.slope) == len(self.start):
            raise ValueError("`state`, `slope` and `start` have one entry for each entry of the state")
        if not 1 <= self.steps <= MAX_STEPS:
            raise ValueError(f"`steps` must lie between 1 and {MAX_STEPS}")
        if self.ask != "state" and not self.loss:
            raise ValueError("a gradient needs a `loss`")
        unknown = [name for name in self.wrt if name not in self.constants]
        if unknown:
            raise ValueError(f"`{unknown[0]}` is none of the `constants`")


@dataclass(frozen=True)
class Integrated:
    """The worked-out definition: the step as expressions over the state vector, the parameter vector and the time."""

    spec: Spec
    slope: Expr
    loss: Expr
    state: Expr
    theta: Expr
    time: Expr

    @cached_property
    def system(self) -> System:
        """One step of the method; its time is the number of the step."""
        number = E.symbol("step_number")
        moved = rk4(self.state, self.slope, self.spec.dt, self.time)["next"]
        following = E.substitute(moved, {self.time: E.constant(self.spec.dt) * number})
        return System(self.state, following, (self.theta,), self.loss, time=number)

    @cached_property
    def start(self) -> Expr:
        return E.stack([E.constant(value) for value in self.spec.start])

    @cached_property
    def values(self) -> Expr:
        return E.stack([E.constant(value) for value in self.spec.constants.values()] or [E.constant(0)])


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """One item, called by what is asked."""
    worked = _read(spec, task, context)
    if spec.steps <= MAX_WRITTEN_STEPS:
        derivation, claims = _written(worked)
        confirm(claims, task)
        certify = certifier(claims)
    else:
        derivation, certify = _run(worked, task), None
    points = task.share({spec.ask: 1}, (spec.ask,))
    return Plan(
        items=(_item(spec, task, points),),
        truths=(Truth({}, derivation, Domain({})),),
        vocabulary=_student_vocabulary(spec, context),
        malrules=_misconceptions(worked) if spec.ask == "state" else (),
        certify=certify,
    )


def _read(spec: Spec, task: Task, context: Context) -> Integrated:
    names = [*spec.state, *spec.constants, *([spec.time] if spec.time else [])]
    vocabulary = make_vocabulary(task, context, dict.fromkeys(names, "real"), {})
    state, theta = E.symbol(STATE, (len(spec.state),)), E.symbol("theta", (max(len(spec.constants), 1),))
    time = E.symbol("t_now")
    entries: dict[str, Expr] = {canonical(name): state[i] for i, name in enumerate(spec.state)}
    entries |= {canonical(name): theta[i] for i, name in enumerate(spec.constants)}
    if spec.time:
        entries[canonical(spec.time)] = time

    def read(text: str, key: str) -> Expr:
        return E.substitute(build(text, vocabulary, {}, task, key), entries)

    slope = E.stack([read(text, "slope") for text in spec.slope])
    loss = read(spec.loss, "loss") if spec.loss else E.norm(state, "squared")
    if loss.shape != ():
        raise task.refuse("the loss is not a number", "loss")
    return Integrated(spec, slope, loss, state, theta, time)


def _written(worked: Integrated) -> tuple[Derivation, tuple[Claim, ...]]:
    """Every state as a step, the loss, and the gradient through all of them."""
    system, spec = worked.system, worked.spec
    rows = [Step(START, worked.start), Step(worked.theta.name, worked.values)]
    whole: Expr = E.symbol(START, worked.state.shape)
    for n in range(spec.steps):
        here = {system.state: E.symbol(f"{STATE}_{n}", worked.state.shape), E.symbol("step_number"): E.constant(n)}
        rows.append(Step(f"{STATE}_{n + 1}", E.substitute(system.next, here)))
        whole = E.substitute(system.next, {system.state: whole, E.symbol("step_number"): E.constant(n)})
    last = E.symbol(f"{STATE}_{spec.steps}", worked.state.shape)
    rows.append(Step("loss", E.substitute(system.loss, {system.state: last})))
    total = E.substitute(system.loss, {system.state: whole})
    first = E.symbol(START, worked.state.shape)
    at = points_at({first: worked.start, worked.theta: worked.values})
    claims: list[Claim] = []
    for name, variable in (("initial", first), ("parameters", worked.theta)):
        slope = gradient(total, variable)
        claims.append((f"the gradient by the {name}", total, variable, slope, at))
        rows.append(Step(f"whole_{name}", slope))
    wanted = _wanted(spec)
    rows.append(Step("initial", E.symbol("whole_initial", first.shape)))
    by_all = E.symbol("whole_parameters", worked.theta.shape)
    rows.append(Step("parameters", E.stack([by_all[i] for i in wanted])))
    rows.append(Step("state", last))
    return Derivation(tuple(rows)), tuple(claims)


def _wanted(spec: Spec) -> list[int]:
    names = list(spec.constants)
    return [names.index(name) for name in (spec.wrt or names)] or [0]


def _run(worked: Integrated, task: Task) -> Derivation:
    """The same by numbers: the adjoint run, confirmed by the complex step.  Raises ProblemError if they differ."""
    spec, compiled = worked.spec, compile_system(worked.system)
    start = np.array([float(v) for v in spec.start])
    theta = np.array([float(v) for v in spec.constants.values()] or [0.0])
    try:
        found = compiled.gradient(start, (theta,), spec.steps)
    except (ArithmeticError, ValueError) as trouble:
        raise task.refuse(f"the system cannot be run for {spec.steps} steps: {trouble}", "steps") from None
    for name, slopes in (("initial", found.initial), ("parameters", found.parameters[0])):
        direction = np.ones(len(slopes))
        numeric = _directional(compiled, start, theta, spec.steps, name, direction)
        scale = float(np.abs(slopes).sum()) + 1e-12
        if not abs(float(slopes @ direction) - numeric) <= AGREEMENT * scale:
            raise task.refuse(f"the adjoint run and the complex step disagree on the gradient by the {name}", "steps")
    rows = {
        "state": found.state,
        "loss": found.loss,
        "initial": found.initial,
        "parameters": found.parameters[0][_wanted(spec)],
    }
    return Derivation(tuple(Step(name, _constants(value)) for name, value in rows.items()))


def _directional(compiled: Any, start: Any, theta: Any, steps: int, name: str, direction: Any) -> float:
    """The loss's derivative along a direction, by the complex step through the whole run."""
    shift = 1j * COMPLEX_STEP * direction
    x = start + shift if name == "initial" else start.astype(complex)
    p = theta + shift if name == "parameters" else theta.astype(complex)
    return float(np.imag(_loss_of(compiled, x, p, steps)) / COMPLEX_STEP)


def _loss_of(compiled: Any, x: Any, p: Any, steps: int) -> complex:
    from reference.graph import FLOAT, run
    from reference.graph import build as build_graph

    step, cost = build_graph(compiled.system.next), build_graph(compiled.system.loss)
    names = (compiled.system.state.name, compiled.system.parameters[0].name)
    for n in range(steps):
        x = run(step, {names[0]: x, names[1]: p, "step_number": float(n)}, FLOAT)[0]
    return complex(run(cost, {names[0]: x, names[1]: p}, FLOAT)[0])


def _constants(value: Any) -> Expr:
    flat = np.atleast_1d(np.asarray(value, dtype=float))
    numbers = [E.constant(Fraction(float(one))) for one in flat]
    return E.stack(numbers) if np.ndim(value) else numbers[0]


def _item(spec: Spec, task: Task, points: Mapping[str, Fraction]) -> Item:
    asks = {
        "state": f"the state after {spec.steps} step{'s' if spec.steps > 1 else ''}",
        "loss": "the loss",
        "initial": "the gradient of the loss with respect to the initial state",
        "parameters": "the gradient of the loss with respect to the parameters",
    }
    return Item(
        id=task.item_id(spec.ask, points),
        form="expression",
        points=points[spec.ask],
        asks=asks[spec.ask],
        step=spec.ask,
        targets=_targets(spec),
        labels=(spec.ask, "gradient") if spec.ask in ("initial", "parameters") else (spec.ask,),
        policy=task.policy,
        bonus=task.bonus,
        main=True,
    )


def _targets(spec: Spec) -> tuple[Aim, ...]:
    if spec.ask == "state":
        return (Aim(f"{STATE}_{spec.steps}"), Aim(f"x_{spec.steps}"), Aim(f"y_{spec.steps}"))
    if spec.ask == "loss":
        return (Aim("L"),)
    below = (START, "x_0", "y_0") if spec.ask == "initial" else ("theta", "p")
    return tuple(Aim("L", name) for name in below)


def _student_vocabulary(spec: Spec, context: Context) -> Vocabulary:
    names = {canonical(name): Declaration("real", ()) for name in (*spec.state, *spec.constants)}
    return Vocabulary(symbols=names, decimal_comma=context.decimal_comma)


def _misconceptions(worked: Integrated) -> tuple[Misconception, ...]:
    """A simpler method in place of Runge–Kutta's."""
    spec = worked.spec
    if spec.steps > MAX_WRITTEN_STEPS:
        return ()
    before = E.symbol(f"{STATE}_{spec.steps - 1}", worked.state.shape)
    now = {worked.state: before, worked.time: E.constant(spec.dt * (spec.steps - 1))}
    euler = before + E.constant(spec.dt) * E.substitute(worked.slope, now)
    half = spec.dt / 2
    middle = before + E.constant(half) * E.substitute(worked.slope, now)
    then = {worked.state: middle, worked.time: E.constant(spec.dt * (spec.steps - 1) + half)}
    midpoint = before + E.constant(spec.dt) * E.substitute(worked.slope, then)
    last = f"{STATE}_{spec.steps}"
    return (
        Misconception("dynamics.euler_step", "This is an Euler step: the slope at the start only.", {last: euler}),
        Misconception("dynamics.midpoint_step", "This is a midpoint step: two of the four slopes.", {last: midpoint}),
    )
