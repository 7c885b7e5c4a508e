"""The first steps of an optimiser by hand: gradient descent, momentum, AdaGrad, RMSProp, Adam.

Items are the iterates `w1`, `w2`, … (named after the weights); a slip in one is carried into the next, with the
optimiser's memories kept as they were.  Source: see `reference.optimiser`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from grader.compare import Domain
from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.definition import build, make_vocabulary
from grader.kinds.plan import Aim, Context, Item, Misconception, Plan, Task, Truth
from grader.kinds.point import single_point
from grader.notation import Declaration, Vocabulary
from grader.notation.vocabulary import canonical
from reference import expression as E
from reference.derivation import Derivation, Step
from reference.expression import Expr
from reference.modes import gradient
from reference.optimiser import Method, Settings, optimise

MAX_STEPS = 10
ITEMS = ("w<n>",)


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    objective: what is minimised, in terms of the entries of `weights`; start: where it begins; method; steps; rate,
    beta, beta2, eps: hyperparameters (beta is momentum's β, RMSProp's ρ and Adam's β₁, beta2 Adam's β₂);
    bias_correction: Adam's; inside: is eps under the root?  velocity: how momentum is written.
    """

    objective: str
    start: tuple[Fraction, ...]
    method: Method
    steps: int = 2
    weights: str = "w"
    rate: Fraction = Fraction(1, 10)
    beta: Fraction = Fraction(9, 10)
    beta2: Fraction = Fraction(999, 1000)
    eps: Fraction = Fraction(1, 10**8)
    bias_correction: bool = True
    inside: bool = False
    velocity: Literal["plain", "scaled", "average"] = "plain"

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MAX_STEPS:
            raise ValueError(f"`steps` must lie between 1 and {MAX_STEPS}")
        if not self.start:
            raise ValueError("`start` is empty")


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """One item for each iterate that has points; all of them, equally, where `points` is a number."""
    name = canonical(spec.weights)
    shape = (len(spec.start),)
    vocabulary = make_vocabulary(task, context, {spec.weights: f"vector {shape[0]}"}, {})
    objective = build(spec.objective, vocabulary, {}, task, "objective")
    if objective.shape != ():
        raise task.refuse("the objective is not a number", "objective")
    weights = E.symbol(name, shape)
    start = Step(f"{name}_0", E.stack([E.constant(value) for value in spec.start]))
    steps = Derivation((start, *optimise(objective, weights, spec.method, spec.steps, _settings(spec)).steps))
    claims = (_claim(objective, weights, start.expr),)
    confirm(claims, task)
    iterates = {f"{spec.weights}{n}": f"{name}_{n}" for n in range(1, spec.steps + 1)}
    points = task.share(dict.fromkeys(iterates, 1))
    items = tuple(_item(task, label, step, points) for label, step in iterates.items())
    return Plan(
        items=tuple(item for item in items if item.points or item.bonus),
        truths=(Truth({}, steps, Domain({})),),
        vocabulary=_student_vocabulary(spec, shape, vocabulary),
        given=(Aim(f"{name}_0"),),
        malrules=_misconceptions(spec, objective, weights, steps),
        unasked=tuple(item for item in items if not item.points and not item.bonus),
        certify=certifier(claims),
    )


def _settings(spec: Spec) -> Settings:
    return Settings(spec.rate, spec.beta, spec.beta2, spec.eps, spec.inside, spec.bias_correction, spec.velocity)


def _claim(objective: Expr, weights: Expr, start: Expr) -> Claim:
    """The slope the optimiser follows is the objective's gradient, at the point where it starts."""
    return ("the gradient", objective, weights, gradient(objective, weights), single_point(weights, start))


def _item(task: Task, label: str, step: str, points: Mapping[str, Fraction]) -> Item:
    return Item(
        id=task.item_id(label, points),
        form="expression",
        points=points.get(label, Fraction(0)),
        asks=f"the point after step {step.rsplit('_', 1)[1]}",
        step=step,
        targets=(Aim(step),),
        labels=(label, step),
        policy=task.policy,
        bonus=task.bonus,
        main=len(points) == 1,
    )


def _student_vocabulary(spec: Spec, shape: tuple[int, ...], base: Vocabulary) -> Vocabulary:
    symbols = {f"{canonical(spec.weights)}_{n}": Declaration("real", shape) for n in range(spec.steps + 1)}
    return Vocabulary(symbols=symbols, log=base.log, decimal_comma=base.decimal_comma)


def _misconceptions(spec: Spec, objective: Expr, weights: Expr, steps: Derivation) -> tuple[Misconception, ...]:
    """Another rule for the same step: plain descent, no bias correction, the wrong direction."""
    slope = gradient(objective, weights)
    found = []
    for n in range(1, spec.steps + 1):
        before = E.symbol(f"{weights.name}_{n - 1}", weights.shape)
        here = E.substitute(slope, {weights: before})
        step = f"{weights.name}_{n}"
        if spec.method != "gradient_descent":
            message = "This is a step of plain gradient descent; the method scales it by what it remembers."
            plain = before - E.constant(spec.rate) * here
            found.append(Misconception("optimiser.plain_descent", message, {step: plain}))
        if spec.method == "adam" and spec.bias_correction:
            message = "The moments start at zero and are corrected for that before they are used."
            found.append(
                Misconception("optimiser.bias_correction_missing", message, {step: _uncorrected(spec, before, n)})
            )
        message = "A minimum lies against the gradient, not along it."
        found.append(Misconception("optimiser.direction", message, {step: 2 * before - steps[step].expr}))
    return tuple(found)


def _uncorrected(spec: Spec, before: Expr, n: int) -> Expr:
    m, v = E.symbol(f"m_{n}", before.shape), E.symbol(f"v_{n}", before.shape)
    eps = E.constant(spec.eps)
    return before - E.constant(spec.rate) * m / (E.sqrt(v + eps) if spec.inside else E.sqrt(v) + eps)
