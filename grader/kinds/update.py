"""One step of gradient descent as a formula: w − η ∂C/∂w for any parameter, in the question's own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.definition import build, build_domain, draw_sizes, make_vocabulary
from grader.kinds.plan import Aim, Context, Item, Misconception, Plan, Sizes, Task, Truth
from grader.notation import Vocabulary
from grader.notation.vocabulary import canonical
from reference.derivation import Derivation, Step
from reference.expression import Expr, constant, symbol
from reference.modes import gradient

ITEMS = ("<parameter>",)


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    cost: the number that is minimised, as far as the parameters act on it; symbols: declarations, the rate among them;
    weights: item name → parameter, `{W = 'W^l', b = 'b^l'}`; rate: the symbol of the step size.
    """

    cost: str
    symbols: dict[str, str]
    weights: dict[str, str]
    rate: str = "eta"
    definitions: dict[str, str] = field(default_factory=dict)
    where: tuple[str, ...] = ()


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """An item for each parameter."""
    symbols = {spec.rate: "positive", **spec.symbols}
    vocabulary = make_vocabulary(task, context, symbols, spec.definitions)
    for label, name in spec.weights.items():
        if canonical(name) not in vocabulary.declared:
            raise task.refuse(f"`{name}` is not declared", f"weights.{label}")
    worked = [_work_out(spec, task, vocabulary, sizes) for sizes in draw_sizes(vocabulary)]
    truths = tuple(truth for truth, _ in worked)
    claims = tuple(claim for _, found in worked for claim in found)
    confirm(claims, task)
    points = task.share(dict.fromkeys(spec.weights, 1))
    items = tuple(_item(task, label, spec.weights[label], points) for label in points)
    return Plan(
        items=items,
        truths=truths,
        vocabulary=vocabulary,
        malrules=_misconceptions(spec, vocabulary, truths[0]),
        certify=certifier(claims),
    )


def _work_out(spec: Spec, task: Task, vocabulary: Vocabulary, sizes: Sizes) -> tuple[Truth, list[Claim]]:
    cost = build(spec.cost, vocabulary, sizes, task, "cost")
    if cost.shape != ():
        raise task.refuse("the cost is not a number", "cost")
    rate = symbol(vocabulary.spelled[canonical(spec.rate)])
    domain = build_domain(vocabulary, sizes, spec.where, task)
    steps, claims = [], []
    for label, name in spec.weights.items():
        parameter = _parameter(vocabulary, name, sizes)
        slope = gradient(cost, parameter)
        steps.append(Step(f"new_{label}", parameter - rate * slope))
        claims.append((f"the gradient by {name}", cost, parameter, slope, domain))
    return Truth(sizes, Derivation(tuple(steps)), domain), claims


def _parameter(vocabulary: Vocabulary, name: str, sizes: Mapping[str, int]) -> Expr:
    declared = vocabulary.declared[canonical(name)]
    shape = tuple(sizes[s] if isinstance(s, str) else s for s in declared.shape)
    return symbol(vocabulary.spelled[canonical(name)], shape)


def _item(task: Task, label: str, name: str, points: Mapping[str, Fraction]) -> Item:
    return Item(
        id=task.item_id(label, points),
        form="expression",
        points=points[label],
        asks=f"the new {name}",
        step=f"new_{label}",
        targets=(Aim(canonical(name)),),
        labels=(label.lower(), name.lower()),
        policy=task.policy,
        bonus=task.bonus,
        main=len(points) == 1,
    )


def _misconceptions(spec: Spec, vocabulary: Vocabulary, truth: Truth) -> tuple[Misconception, ...]:
    found = []
    for label, name in spec.weights.items():
        step = truth.derivation[f"new_{label}"].expr
        parameter = _parameter(vocabulary, name, truth.sizes)
        message = "A minimum lies against the gradient, not along it."
        found.append(Misconception("optimiser.direction", message, {f"new_{label}": constant(2) * parameter - step}))
    return tuple(found) if len(draw_sizes(vocabulary)) == 1 else ()
