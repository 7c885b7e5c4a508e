"""The first steps of an optimiser by hand: gradient descent, momentum, AdaGrad, RMSProp, Adam.

Items are the iterates `w1`, `w2`, … (named after the weights) and, where `points` names them, the gradients `g1`, … and
memories (`v` velocity or mean square, `s` sum of squares, `m` mean; `mhat`, `vhat` corrected).  A slip is carried
on.  Source: see `reference.optimiser`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from grader.compare import Domain
from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.definition import build, make_vocabulary
from grader.kinds.numbers import Number, exact_number, exact_numbers
from grader.kinds.plan import Aim, Context, Item, Misconception, Plan, Task, Truth
from grader.kinds.point import exact_entries, single_point
from grader.notation import Declaration, Vocabulary
from grader.notation.vocabulary import canonical
from grader.variants import IllPosed
from reference import expression as E
from reference.derivation import Derivation, Step, evaluate
from reference.expression import Expr
from reference.modes import gradient
from reference.optimiser import Method, Settings, optimise

MAX_STEPS = 10
ITEMS = ("w<n>", "g<n>", "m<n>", "v<n>", "s<n>", "mhat<n>", "vhat<n>")
MEMORIES = {
    "g": "the gradient",
    "m": "the running mean of the gradients",
    "v": "the velocity or running mean square",
    "s": "the sum of the squared gradients",
    "mhat": "the corrected mean",
    "vhat": "the corrected mean square",
}


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    objective: what is minimised, in terms of the entries of `weights`, or of `weights` itself where it is one number;
    start: where it begins; method; steps; rate, beta, beta2, eps: hyperparameters (beta is momentum's β, RMSProp's ρ
    and Adam's β₁, beta2 Adam's β₂); bias_correction: Adam's; inside: is eps under the root?  velocity: how momentum is
    written: "plain" v = βv + g, w −= ηv; "scaled" v = βv + ηg, w −= v; "average" v = βv + (1−β)g, w −= ηv.
    """

    objective: str
    start: tuple[Number, ...]
    method: Method
    steps: int = 2
    weights: str = "w"
    rate: Number = Fraction(1, 10)
    beta: Number = Fraction(9, 10)
    beta2: Number = Fraction(999, 1000)
    eps: Number = Fraction(1, 10**8)
    bias_correction: bool = True
    inside: bool = False
    velocity: Literal["plain", "scaled", "average"] = "plain"

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MAX_STEPS:
            raise ValueError(f"`steps` must lie between 1 and {MAX_STEPS}")
        if not self.start:
            raise ValueError("`start` is empty")


@dataclass(frozen=True)
class Run:
    """The worked-out definition: objective and slope over the weights, the settings, every step."""

    objective: Expr
    weights: Expr
    slope: Expr
    settings: Settings
    steps: Derivation
    count: int

    def at(self, n: int) -> Expr:
        """The iterate after step n, as a symbol."""
        return E.symbol(f"{self.weights.name}_{n}", self.weights.shape)

    def memory(self, letter: str, n: int) -> Expr:
        """A memory after step n, as a symbol."""
        return E.symbol(f"{letter}_{n}", self.weights.shape)


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """One item for each thing that has points; all iterates, equally, where `points` is a number."""
    run = _work_out(spec, task, context)
    claims = (_claim(run),)
    confirm(claims, task)
    _refuse_degenerate(run)
    named = _named(spec, run)
    points = task.share({name: 1 for name in named if name.startswith(spec.weights)}, list(named))
    items = tuple(_item(task, label, named[label], points) for label in named)
    return Plan(
        items=tuple(item for item, label in zip(items, named, strict=True) if label in points),
        truths=(Truth({}, run.steps, Domain({})),),
        vocabulary=_student_vocabulary(run, context),
        given=(Aim(f"{run.weights.name}_0"),),
        malrules=_misconceptions(spec, run),
        unasked=tuple(
            item
            for item, label in zip(items, named, strict=True)
            if label not in points and label.startswith(spec.weights)
        ),
        certify=certifier(claims),
    )


def _work_out(spec: Spec, task: Task, context: Context) -> Run:
    """Objective, slope and steps.  A single weight is a number, several are a vector.  Raises ProblemError."""
    size = len(spec.start)
    vocabulary = make_vocabulary(task, context, {spec.weights: f"vector {size}" if size > 1 else "real"}, {})
    objective = build(spec.objective, vocabulary, {}, task, "objective")
    if objective.shape != ():
        raise task.refuse("the objective is not a number", "objective")
    weights = E.symbol(canonical(spec.weights), (size,) if size > 1 else ())
    objective = E.substitute(objective, {vocabulary.spelled[canonical(spec.weights)]: weights})
    if weights not in E.symbols([objective]):
        raise task.refuse(f"the objective does not depend on {spec.weights}", "objective")
    rate, beta, beta2, eps = (
        exact_number(one, task, context, key)
        for key, one in (("rate", spec.rate), ("beta", spec.beta), ("beta2", spec.beta2), ("eps", spec.eps))
    )
    settings = Settings(rate, beta, beta2, eps, spec.inside, spec.bias_correction, spec.velocity)
    numbers = [E.constant(value) for value in exact_numbers(spec.start, task, context, "start")]
    start = Step(f"{weights.name}_0", E.stack(numbers) if size > 1 else numbers[0])
    steps = Derivation((start, *optimise(objective, weights, spec.method, spec.steps, settings).steps))
    return Run(objective, weights, gradient(objective, weights), settings, steps, spec.steps)


def _claim(run: Run) -> Claim:
    """The slope the optimiser follows is the objective's gradient, at the point where it starts."""
    start = run.steps.steps[0].expr
    return ("the gradient", run.objective, run.weights, run.slope, single_point(run.weights, start))


def _refuse_degenerate(run: Run) -> None:
    """Numbers at which nothing moves, or that run off.  Raises IllPosed."""
    values = evaluate(run.steps)
    with np.errstate(all="ignore"):
        entries = {name: [float(one) for one in exact_entries(value)] for name, value in values.items()}
    if not all(np.isfinite(one).all() for one in entries.values()):
        raise IllPosed("a step is not a finite number")
    if not any(entries["g_1"]):
        raise IllPosed("the gradient is zero where it starts")


def _named(spec: Spec, run: Run) -> dict[str, str]:
    """What can be asked: item name → step."""
    found = {f"{spec.weights}{n}": run.at(n).name for n in range(1, run.count + 1)}
    for name in run.steps.names:
        letter, _, number = name.rpartition("_")
        if letter in MEMORIES and letter != run.weights.name:
            found[f"{letter}{number}"] = name
    return found


def _item(task: Task, label: str, step: str, points: Mapping[str, Fraction]) -> Item:
    letter, _, number = step.rpartition("_")
    asks = f"{MEMORIES[letter]} in step {number}" if letter in MEMORIES else f"the point after step {number}"
    return Item(
        id=task.item_id(label, points),
        form="expression",
        points=points.get(label, Fraction(0)),
        asks=asks,
        step=step,
        targets=(Aim(step),),
        labels=(label, step),
        policy=task.policy,
        bonus=task.bonus,
        main=len(points) == 1 and label in points,
    )


def _student_vocabulary(run: Run, context: Context) -> Vocabulary:
    """Every step by its name; all of them have values."""
    like = Declaration("real", run.weights.shape)
    names = dict.fromkeys((*run.steps.names, f"{run.weights.name}_0"), like)
    return Vocabulary(
        symbols=names, log="decimal" if context.log == "10" else "natural", decimal_comma=context.decimal_comma
    )


def _misconceptions(spec: Spec, run: Run) -> tuple[Misconception, ...]:
    """Another rule for the same step."""
    found = []
    rate = E.constant(run.settings.rate)
    for n in range(1, run.count + 1):
        before, step = run.at(n - 1), run.at(n).name
        here = E.substitute(run.slope, {run.weights: before})
        if spec.method != "gradient_descent":
            message = "This is a step of plain gradient descent; the method uses what it remembers."
            found.append(Misconception("optimiser.plain_descent", message, {step: before - rate * here}))
        if spec.method == "adam" and spec.bias_correction:
            message = "The moments start at zero and are corrected for that before they are used."
            uncorrected = before - rate * run.memory("m", n) / _root(run.memory("v", n), run.settings)
            found.append(Misconception("optimiser.bias_correction_missing", message, {step: uncorrected}))
        if spec.method in ("adagrad", "rmsprop", "adam"):
            message = "The step is divided by the root of the squares that were gathered, not by the squares."
            found.append(Misconception("optimiser.root_missing", message, {step: _unrooted(spec, run, n)}))
        message = "A minimum lies against the gradient, not along it."
        found.append(Misconception("optimiser.direction", message, {step: 2 * before - run.steps[step].expr}))
    return tuple(found)


def _root(squares: Expr, settings: Settings) -> Expr:
    eps = E.constant(settings.eps)
    return E.sqrt(squares + eps) if settings.inside else E.sqrt(squares) + eps


def _unrooted(spec: Spec, run: Run, n: int) -> Expr:
    above = {"adagrad": "g", "rmsprop": "g", "adam": "mhat" if spec.bias_correction else "m"}[spec.method]
    below = {"adagrad": "s", "rmsprop": "v", "adam": "vhat" if spec.bias_correction else "v"}[spec.method]
    squares = run.memory(below, n) + E.constant(run.settings.eps)
    return run.at(n - 1) - E.constant(run.settings.rate) * run.memory(above, n) / squares
