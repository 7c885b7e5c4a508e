"""A system unrolled for T steps: states, loss, adjoints and gradient (reverse), or tangents and gradient (forward).

Conventions: state x of shape (n,), weights θ of shape (m,); λ_n = ∂L/∂x_n has the shape of x; tangents ∂x_n/∂θ are
(n, m), column j being the tangent for θ_j.  The gradient is total: every appearance of θ counts.
Source: Griewank & Walther 2008, §3.1–3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from grader.compare import Domain, Point
from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.definition import build, make_vocabulary
from grader.kinds.plan import Aim, Context, Item, Misconception, Plan, Task, Truth
from grader.notation import Declaration, Vocabulary
from grader.notation.vocabulary import canonical
from grader.variants import IllPosed
from reference import expression as E
from reference.derivation import Derivation, Step, evaluate
from reference.expression import Expr, ShapeError
from reference.graph import FLOAT, run
from reference.graph import build as build_graph
from reference.modes import gradient, jacobian

MAX_SIZE = 10**9  # entries larger than this make no question for paper
MAX_WRITTEN_STEPS = 12  # steps whose states can be asked for by name
ITEMS = ("x<n>", "L", "lambda<n>", "tangents", "tangents<n>", "gradient")


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    step: the next state, entry by entry, in terms of the state and the weights; start and values: their numbers;
    steps: how often the step is taken; loss: in terms of the last state (of every state, added up, with
    `every_step = true`); mode: reverse asks for adjoints, forward for tangents; adjoint: the letter for ∂L/∂x.
    """

    step: tuple[str, ...]
    start: tuple[Fraction | str, ...]
    values: tuple[Fraction | str, ...]
    loss: str
    steps: int = 1
    state: str = "x"
    weights: str = "theta"
    mode: Literal["reverse", "forward"] = "reverse"
    every_step: bool = False
    adjoint: str = "lambda"
    loss_name: str = "L"

    def __post_init__(self) -> None:
        if len(self.step) != len(self.start):
            raise ValueError(f"`step` has {len(self.step)} entries and `start` {len(self.start)}: one state, one size")
        if not 1 <= self.steps <= MAX_WRITTEN_STEPS:
            raise ValueError(f"`steps` must lie between 1 and {MAX_WRITTEN_STEPS}")


@dataclass(frozen=True)
class System:
    """The worked-out definition: one step and the loss as expressions of x and θ."""

    x: Expr
    theta: Expr
    step: Expr
    loss: Expr
    start: Expr
    values: Expr
    steps: int
    every_step: bool


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """Items by the names in `points`; every step of the derivation is there, asked or not."""
    system = _read_system(spec, task, context)
    derivation = derive(spec, system)
    names = _item_names(spec)
    default: dict[str, int | Fraction] = {"gradient": 1}
    points = task.share(default, list(names))
    truth = Truth({}, derivation, Domain({}))
    claims = _claims(spec, system, derivation)
    confirm(claims, task)
    _refuse_degenerate(truth)
    every = tuple(
        Item(
            id=f"{task.id}.{name}" if name not in points or isinstance(task.points, Mapping) else task.id,
            form="expression",
            points=points.get(name, Fraction(0)),
            asks=_asks(name, spec),
            step=step,
            targets=targets,
            labels=labels,
            policy=task.policy,
            bonus=task.bonus,
            main=name == "gradient",
        )
        for name, (step, targets, labels) in names.items()
    )
    asked = {f"{task.id}.{name}" for name in points} | ({task.id} if len(points) == 1 else set())
    items = tuple(item for item in every if item.id in asked)
    return Plan(
        items=items,
        truths=(truth,),
        vocabulary=_student_vocabulary(spec, system, context),
        topics=("rollout",),
        given=(Aim(f"{canonical(spec.state)}_0"), Aim(canonical(spec.weights))),
        malrules=_misconceptions(spec, system),
        unasked=tuple(item for item in every if item.id not in asked),
        implies={adjoint_name(spec, spec.steps): (spec.loss_name,), "gradient": (spec.loss_name,)},
        certify=certifier(claims),
    )


def _read_system(spec: Spec, task: Task, context: Context) -> System:
    x, theta = canonical(spec.state), canonical(spec.weights)
    symbols = {spec.state: f"vector {len(spec.start)}", spec.weights: f"vector {len(spec.values)}"}
    vocabulary = make_vocabulary(task, context, symbols, {})
    entries = [build(text, vocabulary, {}, task, "step") for text in spec.step]
    loss = build(spec.loss, vocabulary, {}, task, "loss")
    if loss.shape != ():
        raise task.refuse("the loss is not a number", "loss")
    try:
        step = E.stack(entries)
    except ShapeError as trouble:
        raise task.refuse(f"the entries of `step` do not fit: {trouble}", "step") from None
    return System(
        x=E.symbol(x, (len(spec.start),)),
        theta=E.symbol(theta, (len(spec.values),)),
        step=step,
        loss=loss,
        start=_numbers(spec.start, vocabulary, task, "start"),
        values=_numbers(spec.values, vocabulary, task, "values"),
        steps=spec.steps,
        every_step=spec.every_step,
    )


def _numbers(given: tuple[Fraction | str, ...], vocabulary: Vocabulary, task: Task, key: str) -> Expr:
    return E.stack(
        [build(one, vocabulary, {}, task, key) if isinstance(one, str) else E.constant(one) for one in given]
    )


def state_name(spec: Spec, n: int) -> str:
    return f"{canonical(spec.state)}_{n}"


def adjoint_name(spec: Spec, n: int) -> str:
    return f"{canonical(spec.adjoint)}_{n}"


def derive(spec: Spec, system: System) -> Derivation:
    """The steps by hand: states, loss, then adjoints backwards or tangents forwards, then the gradient."""
    size, steps = system.x.shape, [Step(state_name(spec, 0), system.start), Step(system.theta.name, system.values)]
    states = [E.symbol(state_name(spec, n), size) for n in range(system.steps + 1)]
    for n in range(system.steps):
        steps.append(Step(states[n + 1].name, _at(system.step, system, states[n])))
    losses = [_at(system.loss, system, state) for state in (states[1:] if system.every_step else states[-1:])]
    total = losses[0]
    for one in losses[1:]:
        total = total + one
    steps.append(Step(spec.loss_name, total))
    if spec.mode == "reverse":
        steps.extend(_reverse(spec, system, states))
    else:
        steps.extend(_forward(spec, system, states))
    return Derivation(tuple(steps))


def _at(expr: Expr, system: System, state: Expr) -> Expr:
    return E.substitute(expr, {system.x.name: state})


def _slopes(system: System) -> tuple[Expr, Expr, Expr, Expr]:
    """∂step/∂x (n, n), ∂step/∂θ (n, m), ∂loss/∂x (n,), ∂loss/∂θ (m,)."""
    return (
        jacobian(system.step, system.x),
        jacobian(system.step, system.theta),
        gradient(system.loss, system.x),
        gradient(system.loss, system.theta),
    )


def _reverse(spec: Spec, system: System, states: list[Expr]) -> list[Step]:
    by_state, by_weights, seed, direct = _slopes(system)
    last = system.steps
    adjoints = {n: E.symbol(adjoint_name(spec, n), system.x.shape) for n in range(last + 1)}
    steps = [Step(adjoints[last].name, _at(seed, system, states[last]))]
    for n in range(last - 1, -1, -1):
        pulled = E.transpose(_at(by_state, system, states[n])) @ adjoints[n + 1]
        if system.every_step and n > 0:
            pulled = pulled + _at(seed, system, states[n])
        steps.append(Step(adjoints[n].name, pulled))
    parts = [E.transpose(_at(by_weights, system, states[n])) @ adjoints[n + 1] for n in range(last)]
    counted = states[1:] if system.every_step else states[-1:]
    if system.theta in E.symbols([system.loss]):
        parts.extend(_at(direct, system, state) for state in counted)
    return [*steps, Step("gradient", _total(parts))]


def _forward(spec: Spec, system: System, states: list[Expr]) -> list[Step]:
    by_state, by_weights, seed, direct = _slopes(system)
    size = (system.x.shape[0], system.theta.shape[0])
    tangents = [E.symbol(f"tangents_{n}", size) for n in range(system.steps + 1)]
    steps = [Step(tangents[1].name, _at(by_weights, system, states[0]))]
    for n in range(1, system.steps):
        pushed = _at(by_state, system, states[n]) @ tangents[n] + _at(by_weights, system, states[n])
        steps.append(Step(tangents[n + 1].name, pushed))
    counted = range(1, system.steps + 1) if system.every_step else (system.steps,)
    parts = [E.transpose(tangents[n]) @ _at(seed, system, states[n]) for n in counted]
    if system.theta in E.symbols([system.loss]):
        parts.extend(_at(direct, system, states[n]) for n in counted)
    return [*steps, Step("gradient", _total(parts))]


def _total(parts: list[Expr]) -> Expr:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _item_names(spec: Spec) -> dict[str, tuple[str, tuple[Aim, ...], tuple[str, ...]]]:
    """What can be asked, in the order of the derivation: item name → step, left-hand sides, labels."""
    theta, loss, last = canonical(spec.weights), spec.loss_name, spec.steps
    found: dict[str, tuple[str, tuple[Aim, ...], tuple[str, ...]]] = {}
    for n in range(1, last + 1):
        name = state_name(spec, n)
        found[f"{spec.state}{n}"] = (name, (Aim(name),), (f"{spec.state}{n}", name))
    found[loss] = (loss, (Aim(loss),), (loss, "loss"))
    if spec.mode == "reverse":
        for n in range(last, -1, -1):
            name, state = adjoint_name(spec, n), state_name(spec, n)
            found[f"{spec.adjoint}{n}"] = (name, (Aim(name), Aim(loss, state)), (f"{spec.adjoint}{n}", name))
    else:
        for n in range(1, last + 1):
            targets = (Aim(state_name(spec, n), theta),)
            label = "tangents" if n == last else f"tangents{n}"
            found[label] = (f"tangents_{n}", targets, (label, "tangents"))
    found["gradient"] = ("gradient", (Aim(loss, theta),), ("gradient",))
    return found


def _asks(name: str, spec: Spec) -> str:
    words = {
        spec.loss_name: "the loss",
        "gradient": f"the total gradient of {spec.loss_name} with respect to {spec.weights}",
        "tangents": f"the derivative of the last state with respect to {spec.weights}, column by column",
    }
    if name in words:
        return words[name]
    if name.startswith(spec.adjoint):
        return f"the derivative of {spec.loss_name} with respect to {spec.state}_{name.removeprefix(spec.adjoint)}"
    return f"the state {name}" if not name.startswith("tangents") else f"the tangents after step {name[8:]}"


def _student_vocabulary(spec: Spec, system: System, context: Context) -> Vocabulary:
    """What a student writes: states and adjoints by number, weights, loss; all of them have values."""
    vector = Declaration("real", system.x.shape)
    symbols: dict[str, Declaration] = {system.theta.name: Declaration("real", system.theta.shape)}
    for n in range(spec.steps + 1):
        symbols[state_name(spec, n)] = vector
        symbols[adjoint_name(spec, n)] = vector
    symbols[spec.loss_name] = Declaration("real", ())
    log: Literal["natural", "decimal"] = "decimal" if context.log == "10" else "natural"
    return Vocabulary(symbols=symbols, log=log, decimal_comma=context.decimal_comma)


def _misconceptions(spec: Spec, system: System) -> tuple[Misconception, ...]:
    """The same derivation with one rule replaced; used where the student's result equals what it gives."""
    by_state, by_weights, seed, _ = _slopes(system)
    states = [E.symbol(state_name(spec, n), system.x.shape) for n in range(system.steps + 1)]
    last, found = system.steps, []
    ones = E.ones(system.x.shape)
    if "sign" in {node.op for node in E.ordered([seed])}:
        message = "The derivative of $|x|$ is the sign of $x$, not always one."
        flat = _without_sign(seed)
        if spec.mode == "reverse":
            replaced = {adjoint_name(spec, last): _at(flat, system, states[last])}
        else:
            tangents = E.symbol(f"tangents_{last}", (system.x.shape[0], system.theta.shape[0]))
            replaced = {"gradient": E.transpose(tangents) @ _at(flat, system, states[last])}
        found.append(Misconception("rollout.norm_sign_ignored", message, replaced))
    if spec.mode != "reverse":
        return tuple(found)
    adjoints = {n: E.symbol(adjoint_name(spec, n), system.x.shape) for n in range(last + 1)}
    through = {n: E.transpose(_at(by_weights, system, states[n])) @ adjoints[n + 1] for n in range(last)}
    if last > 1:
        message = "The weights appear in every step; the total gradient adds up all their appearances."
        found.append(Misconception("rollout.last_appearance_only", message, {"gradient": through[last - 1]}))
        found.append(Misconception("rollout.first_appearance_only", message, {"gradient": through[0]}))
    for n in range(last - 1, -1, -1):
        pulled = _at(by_state, system, states[n]) @ adjoints[n + 1]
        message = (
            "Going backwards the transposed Jacobian is needed: entry $i$ collects from every entry that $x_i$ feeds."
        )
        found.append(Misconception("rollout.jacobian_transposed", message, {adjoints[n].name: pulled}))
        message = "The state acts on the next step; its derivative there was left out."
        found.append(Misconception("rollout.adjoint_copied", message, {adjoints[n].name: adjoints[n + 1] * ones}))
    return tuple(found)


def _without_sign(seed: Expr) -> Expr:
    def rule(node: Expr, args: tuple[Expr, ...]) -> Expr:
        return E.ones(node.shape) if node.op == "sign" else E.rebuild(node, args)

    return E.rewrite((seed,), rule)[0]


def _claims(spec: Spec, system: System, derivation: Derivation) -> tuple[Claim, ...]:
    """The total gradient, and every adjoint, as derivatives of the loss run from there on.

    The loss is a function of the weights (the whole rollout as one expression) or of one state; the claim is the
    number found by hand steps.  States and weights are free symbols at the point they have in the question.
    """
    values = evaluate(derivation)
    at_weights = _point(system.theta, values[system.theta.name])
    start = values[state_name(spec, 0)]
    claims: list[Claim] = [
        ("the gradient", _run(system, start, system.theta, 0), system.theta, values["gradient"], at_weights)
    ]
    if spec.mode == "reverse":
        for n in range(1, system.steps + 1):
            state = E.symbol(state_name(spec, n), system.x.shape)
            if not spec.every_step:
                loss = _run(system, state, system.values, n)
                claims.append((f"λ_{n}", loss, state, values[adjoint_name(spec, n)], _point(state, values[state.name])))
    return tuple(claims)


def _run(system: System, state: Expr, weights: Expr, done: int) -> Expr:
    """The loss after the remaining steps, as one expression."""
    total: Expr | None = None
    for n in range(done, system.steps + 1):
        if n > done:
            state = E.substitute(system.step, {system.x.name: state, system.theta.name: weights})
        if n == system.steps or (system.every_step and n > 0):
            part = E.substitute(system.loss, {system.x.name: state, system.theta.name: weights})
            total = part if total is None else total + part
    assert total is not None
    return total


def _point(variable: Expr, value: Expr) -> Domain:
    """A domain that holds a single point: the numbers of the question."""
    return SinglePoint({variable.name: Declaration("real", variable.shape)}, (), variable.name, value)


@dataclass(frozen=True)
class SinglePoint(Domain):
    """One exact point."""

    name: str = ""
    value: Expr | None = None

    def points(self, label: str = "") -> tuple[Point, ...]:
        assert self.value is not None
        return (Point(((self.name, exact_entries(self.value)),), "moderate"),)


def exact_entries(value: Expr) -> tuple[Fraction, ...]:
    """The entries of a constant expression, row by row; floats where they are no fractions."""
    numbers = np.asarray(run(build_graph(value), {}, FLOAT)[0], dtype=float).ravel()
    return tuple(Fraction(float(one)) for one in numbers)


def _refuse_degenerate(truth: Truth) -> None:
    """Numbers at which the system has no derivative, runs off, or leaves nothing to compute.  Raises IllPosed."""
    values = truth.values
    with np.errstate(all="ignore"):
        numbers = [np.asarray(v, dtype=float) for v in run(build_graph(tuple(values.values())), {}, FLOAT)]
    for name, number in zip(values, numbers, strict=True):
        if not np.isfinite(number).all():
            raise IllPosed(f"{name} is not a finite number")
        if np.abs(number).max(initial=0.0) > MAX_SIZE:
            raise IllPosed(f"{name} is larger than {MAX_SIZE}")
    if not np.any(numbers[-1]):
        raise IllPosed("the gradient is zero")
