"""A dynamical system integrated by an explicit method: states, and gradients of a loss through the steps.

States and gradients are vectors in the order in which the question names their entries; they may be given whole, or
entry by entry under the entries' own names (`v_2 = …`, `∂L/∂v_0 = …`).  A few steps are written out, so an error in a
state is carried on; many are run by numbers and confirmed by the complex step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from grader.compare import Domain
from grader.kinds.certify import certifier, confirm
from grader.kinds.definition import build, make_vocabulary
from grader.kinds.integrated import NUMBER, STATE, THETA, Integrated
from grader.kinds.numbers import Number, exact_number, exact_numbers
from grader.kinds.plan import Aim, Context, Item, Misconception, Plan, Task, Truth
from grader.notation import Vocabulary
from grader.notation.vocabulary import canonical
from reference import expression as E
from reference.expression import Expr
from reference.steppers import TABLEAUS

MAX_STEPS = 20_000
MAX_WRITTEN_STEPS = 6  # more are run by numbers
ITEMS = ("state", "state<n>", "loss", "initial", "parameters")

Ask = Literal["state", "initial", "parameters", "loss"]
Method = Literal["euler", "midpoint", "heun", "rk4"]


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    state: names of the state's entries; slope: their time derivatives; start; constants: names and values of the
    parameters; dt; steps; method; loss: a number, of the state after the last step; time: the name of the time where
    the slope has it; ask: what is asked where `points` is a number: the state after the last step, the loss, its
    gradient by the initial state or by the parameters; wrt: the parameters in question (default: all).
    """

    state: tuple[str, ...]
    slope: tuple[str, ...]
    start: tuple[Number, ...]
    dt: Number
    constants: dict[str, Number] = field(default_factory=dict)
    steps: int = 1
    method: Method = "rk4"
    loss: str = ""
    loss_name: str = "L"
    time: str = ""
    ask: Ask = "state"
    wrt: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.state) == len(self.slope) == len(self.start):
            raise ValueError("`state`, `slope` and `start` have one entry for each entry of the state")
        if not 1 <= self.steps <= MAX_STEPS:
            raise ValueError(f"`steps` must lie between 1 and {MAX_STEPS}")
        if self.ask != "state" and not self.loss:
            raise ValueError("a loss and its gradients need a `loss`")
        if self.ask == "parameters" and not self.constants:
            raise ValueError("there are no parameters: give names and values in `constants`")
        unknown = [name for name in self.wrt if name not in self.constants]
        if unknown:
            raise ValueError(f"`{unknown[0]}` is none of the `constants`")


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """Items by the names in `points`; one item, called by what is asked, where it is a number."""
    worked = _read(spec, task, context)
    written = spec.steps <= MAX_WRITTEN_STEPS
    claims = worked.claims() if written and spec.loss else ()
    confirm(claims, task)
    derivation = worked.written() if written else worked.run(task)
    named = _named(spec, written)
    points = task.share({spec.ask: 1}, list(named))
    return Plan(
        items=tuple(_item(spec, task, name, named[name], points) for name in named if name in points),
        truths=(Truth({}, derivation, Domain({})),),
        vocabulary=_student_vocabulary(spec, task, context),
        malrules=_misconceptions(worked, named) if written else (),
        certify=certifier(claims) if claims else None,
    )


def _named(spec: Spec, written: bool) -> dict[str, str]:
    """What can be asked: item name → step of the derivation."""
    found = {f"state{n}": f"{STATE}_{n}" for n in range(1, spec.steps)} if written else {}
    found["state"] = f"{STATE}_{spec.steps}" if written else "state"
    if spec.loss:
        found |= {"loss": "L" if written else "loss", "initial": "lambda_0" if written else "initial"}
        found |= {"parameters": "parameters"} if spec.constants else {}
    return found


def _read(spec: Spec, task: Task, context: Context) -> Integrated:
    names = [*spec.state, *spec.constants, *([spec.time] if spec.time else [])]
    vocabulary = make_vocabulary(task, context, dict.fromkeys(names, "real"), {})
    state, theta = E.symbol(STATE, (len(spec.state),)), E.symbol(THETA, (max(len(spec.constants), 1),))
    time = E.symbol("t_now")
    entries: dict[str, Expr] = {vocabulary.spelled[canonical(name)]: state[i] for i, name in enumerate(spec.state)}
    entries |= {vocabulary.spelled[canonical(name)]: theta[i] for i, name in enumerate(spec.constants)}
    if spec.time:
        entries[vocabulary.spelled[canonical(spec.time)]] = time

    def read(text: str, key: str) -> Expr:
        return E.substitute(build(text, vocabulary, {}, task, key), entries)

    slope = E.stack([read(text, "slope") for text in spec.slope])
    loss = read(spec.loss, "loss") if spec.loss else E.norm(state, "squared")
    if loss.shape != ():
        raise task.refuse("the loss is not a number", "loss")
    order = list(spec.constants)
    return Integrated(
        slope, loss, state, theta, time,
        method=spec.method,
        dt=exact_number(spec.dt, task, context, "dt"),
        steps=spec.steps,
        start=exact_numbers(spec.start, task, context, "start"),
        values=exact_numbers(spec.constants.values(), task, context, "constants") or (Fraction(0),),
        wanted=tuple(order.index(name) for name in (spec.wrt or order)) or (0,),
    )  # fmt: skip


def _item(spec: Spec, task: Task, name: str, step: str, points: Mapping[str, object]) -> Item:
    number = int(step.removeprefix(f"{STATE}_")) if step.startswith(f"{STATE}_") else spec.steps
    asks = {
        "loss": "the loss",
        "initial": "the gradient of the loss with respect to the initial state",
        "parameters": "the gradient of the loss with respect to the parameters",
    }.get(name, f"the state after {number} step{'s' if number > 1 else ''}")
    share = task.share({spec.ask: 1}, list(points))
    return Item(
        id=task.item_id(name, points),
        form="expression",
        points=share[name],
        asks=asks,
        step=step,
        targets=_targets(spec, name, number),
        labels=(name, "gradient") if name in ("initial", "parameters") else (name,),
        policy=task.policy,
        bonus=task.bonus,
        main=len(points) == 1,
        parts=_parts(spec, name, number),
    )


def _targets(spec: Spec, name: str, number: int) -> tuple[Aim, ...]:
    """Left sides that name the whole: `x_2` for the state, unless x is one of its entries."""
    letters = [letter for letter in ("s", "x", "y", "u", "z", "q", "w") if letter not in spec.state]
    if name == "loss":
        return (Aim(spec.loss_name),)
    if name == "initial":
        return tuple(Aim(spec.loss_name, f"{letter}_0") for letter in letters)
    if name == "parameters":
        return tuple(Aim(spec.loss_name, letter) for letter in ("theta", "p") if letter not in spec.constants)
    return tuple(Aim(f"{letter}_{number}") for letter in letters)


def _parts(spec: Spec, name: str, number: int) -> dict[Aim, tuple[int, ...]]:
    """Left sides that name one entry."""
    entries = [canonical(one) for one in spec.state]
    found: dict[Aim, tuple[int, ...]] = {}
    if name == "initial":
        for i, entry in enumerate(entries, 1):
            found |= {Aim(spec.loss_name, f"{entry}_0"): (i,), Aim(spec.loss_name, entry): (i,)}
    elif name == "parameters":
        for i, entry in enumerate(spec.wrt or spec.constants, 1):
            found[Aim(spec.loss_name, canonical(entry))] = (i,)
    elif name != "loss":
        for i, entry in enumerate(entries, 1):
            found[Aim(f"{entry}_{number}")] = (i,)
            if number == spec.steps:
                found[Aim(entry)] = (i,)
    return found


def _student_vocabulary(spec: Spec, task: Task, context: Context) -> Vocabulary:
    """Parameters, step size and start have their values; entries of later states have none."""
    values = {name: exact_number(one, task, context, "constants") for name, one in spec.constants.items()}
    values |= {
        f"{name}_0": exact_number(one, task, context, "start") for name, one in zip(spec.state, spec.start, strict=True)
    }
    step = exact_number(spec.dt, task, context, "dt")
    values |= {name: step for name in ("h", "dt") if name not in (*spec.state, *spec.constants, spec.time)}
    definitions = {name: str(value) for name, value in values.items()}
    return make_vocabulary(task, context, dict.fromkeys(spec.state, "real"), definitions)


def _misconceptions(worked: Integrated, named: Mapping[str, str]) -> tuple[Misconception, ...]:
    """A simpler method in place of the one that is asked for."""
    found = []
    stages = len(TABLEAUS[worked.method].stages)
    for method, tableau in TABLEAUS.items():
        if len(tableau.stages) >= stages:
            continue
        for name, step in named.items():
            if not name.startswith("state"):
                continue
            number = int(step.removeprefix(f"{STATE}_"))
            before = E.symbol(f"{STATE}_{number - 1}", worked.state.shape)
            made = E.substitute(worked.moved(method, before, NUMBER), {NUMBER: E.constant(number - 1)})
            made = E.substitute(made, {worked.theta: E.symbol(THETA, worked.theta.shape)})
            message = f"This is a step of {_CALLED[method]}; the question asks for another method."
            found.append(Misconception(f"dynamics.{method}_step", message, {step: made}))
    return tuple(found)


_CALLED = {
    "euler": "Euler's method, with the slope at the start only",
    "midpoint": "the midpoint method, with the slope in the middle only",
    "heun": "Heun's method, with the mean of the slopes at both ends",
    "rk4": "the classical Runge–Kutta method",
}
