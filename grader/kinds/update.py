"""One step of gradient descent as a formula: w − η ∂C/∂w for any parameter, in the question's own names.

The new value may be called as the parameter itself (`W ← …`) or with a mark of being new (`W_new`, `W_{t+1}`, `W'`);
the old one may carry a mark of being old (`W_old`, `W_t`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
NEW = ("new", "neu", "next", "t+1", "k+1", "n+1", "i+1", "1", "+")
OLD = ("old", "alt", "t", "k", "n", "0")


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
        vocabulary=_with_old_names(vocabulary, spec),
        malrules=_misconceptions(spec, vocabulary, truths),
        certify=certifier(claims),
    )


def _with_old_names(vocabulary: Vocabulary, spec: Spec) -> Vocabulary:
    """`W_t` and `W_old` are W, unless the question declares them."""
    marked = {
        spelling: name
        for name in spec.weights.values()
        for spelling in _marked(name, OLD)
        if spelling not in vocabulary.known
    }
    return replace(vocabulary, aliases={**marked, **vocabulary.aliases})


def _marked(name: str, marks: tuple[str, ...]) -> list[str]:
    """`W_new`, `W^new` of `W`; `W_new^l` of `W^l`."""
    base, _, above = canonical(name).partition("^")
    if above:
        return [f"{base}_{mark}^{above}" for mark in marks]
    under = [] if "_" in base else [f"{base}_{mark}" for mark in marks]
    return under + [f"{base}^{mark}" for mark in marks if not mark.isdigit()]


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
        targets=(Aim(canonical(name)), Aim(canonical(name), "?"), *(Aim(one) for one in _marked(name, NEW))),
        labels=(label.lower(), name.lower()),
        policy=task.policy,
        bonus=task.bonus,
        main=len(points) == 1,
    )


def _misconceptions(spec: Spec, vocabulary: Vocabulary, truths: tuple[Truth, ...]) -> tuple[Misconception, ...]:
    """Along the gradient, or without the rate, or the step alone."""
    found = []
    for label, name in spec.weights.items():
        step = f"new_{label}"
        rows = [(_parameter(vocabulary, name, truth.sizes), truth) for truth in truths]
        rate = symbol(vocabulary.spelled[canonical(spec.rate)])
        ahead = tuple(constant(2) * w - truth.derivation[step].expr for w, truth in rows)
        message = "A minimum lies against the gradient, not along it."
        found.append(Misconception("optimiser.direction", message, {step: ahead}))
        unscaled = tuple(w - (w - truth.derivation[step].expr) / rate for w, truth in rows)
        message = "The learning rate scales the gradient."
        found.append(Misconception("optimiser.rate_missing", message, {step: unscaled}))
        alone = tuple(truth.derivation[step].expr - w for w, truth in rows)
        message = "This is the step alone; the new value is the old one plus the step."
        found.append(Misconception("optimiser.step_only", message, {step: alone}))
    return tuple(found)
