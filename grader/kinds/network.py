"""Backpropagation through dense layers, by numbers or as formulas: forward pass, cost, errors, gradients.

Names: input a_0, z_l = W_l a_{l-1} + b_l, a_l = f(z_l), cost C, errors δ_l = ∂C/∂z_l, ∂C/∂W_l = δ_l a_{l-1}ᵀ, ∂C/∂b_l.
Every quantity is a step: an error is carried on from where it was made.  Source: Nielsen 2015, chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from grader.compare import Domain
from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.numbers import Matrix, Number, matrix_of, vector_of
from grader.kinds.plan import Aim, Context, Item, ItemPolicy, Misconception, Plan, Task, Truth
from grader.kinds.point import points_at
from grader.notation import Declaration, Vocabulary, build_vocabulary
from grader.variants import IllPosed
from reference import expression as E
from reference.derivation import Derivation, Step, evaluate, joined
from reference.expression import Expr, ShapeError
from reference.graph import FLOAT, build, run
from reference.modes import vjp
from reference.network import ACTIVATIONS, Loss, Network, backpropagation, forward_pass

MAX_LAYERS = 6
ITEMS = ("z<l>", "a<l>", "C", "delta<l>", "W<l>", "b<l>")
# What an answer may call the activation: a formula of t.  An abstract one is called f.
FORMULAS = {
    "identity": "t",
    "sigmoid": "1/(1 + exp(-t))",
    "tanh": "tanh(t)",
    "relu": "relu(t)",
    "softplus": "log(1 + exp(t))",
    "sin": "sin(t)",
}


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    activations: one for each layer; loss: sum_squares, half_squares, mean_squares, cross_entropy (of softmax(z_L)), or
    output (the single output itself); biases: are there any?  By numbers: input, target, weights (a matrix for each
    layer), offsets (a vector of biases for each layer).  As formulas: sizes of the layers, the input first; an
    activation may then be "abstract" and is called f.
    """

    activations: tuple[str, ...]
    loss: Loss = "half_squares"
    sizes: tuple[int, ...] = ()
    input: tuple[Number, ...] = ()
    target: tuple[Number, ...] = ()
    weights: tuple[Matrix, ...] = ()
    offsets: tuple[tuple[Number, ...], ...] = ()
    loss_name: str = "C"

    def __post_init__(self) -> None:
        known = [name for name in ACTIVATIONS if name in FORMULAS or name in ("abstract", "softmax")]
        for name in self.activations:
            if name not in known:
                raise ValueError(f"there is no activation `{name}`; known are {', '.join(known)}")
        if not 1 <= len(self.activations) <= MAX_LAYERS:
            raise ValueError(f"a network has 1 to {MAX_LAYERS} layers, each with its activation")
        if bool(self.sizes) == bool(self.weights):
            raise ValueError("give the `sizes` of the layers (formulas are asked) or the `weights` (numbers are)")
        count = len(self.sizes) - 1 if self.sizes else len(self.weights)
        if count != len(self.activations):
            raise ValueError(f"there are {count} layers and {len(self.activations)} activations")
        if self.weights and not self.input:
            raise ValueError("numbers need an `input`")
        if self.weights and not self.target and self.loss != "output":
            raise ValueError("this loss needs a `target`")
        if self.offsets and len(self.offsets) != len(self.activations):
            raise ValueError("`offsets` has one vector for each layer")
        if self.weights and "abstract" in self.activations:
            raise ValueError("numbers need activations that can be computed")


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """Items by the names in `points`; the gradients of all weights and biases, equally, where it is a number."""
    network, given = _read(spec, task, context)
    derivation = joined(Derivation(given), backpropagation(network)) if given else backpropagation(network)
    domain = Domain({} if given else _declared(network))
    claims = _claims(network, given, domain)
    confirm(claims, task)
    if given:
        _refuse_degenerate(derivation)
    named = _named(network)
    points = task.share({name: 1 for name in named if name[0] in "Wb"}, list(named))
    every = {name: _item(spec, task, name, step, points) for name, step in named.items()}
    return Plan(
        items=tuple(item for name, item in every.items() if name in points),
        truths=(Truth({}, derivation, domain),),
        vocabulary=_student_vocabulary(spec, network, context),
        given=(Aim("a_0"), Aim("x"), Aim("y")),
        malrules=tuple(_misconceptions(network)),
        unasked=tuple(item for name, item in every.items() if name not in points),
        certify=certifier(claims),
    )


def _read(spec: Spec, task: Task, context: Context) -> tuple[Network, tuple[Step, ...]]:
    """The network, and its numbers as steps: none where formulas are asked."""
    matrices = [matrix_of(rows, task, context, "weights") for rows in spec.weights]
    sizes = spec.sizes or (matrices[0].shape[1], *(one.shape[0] for one in matrices))
    network = Network(tuple(sizes), spec.activations, spec.loss, bool(spec.offsets) or bool(spec.sizes))
    if not matrices:
        return network, ()
    given = [(network.quantity("a", 0), vector_of(spec.input, task, context, "input"), "input")]
    if spec.loss != "output":
        given.append((network.target, vector_of(spec.target, task, context, "target"), "target"))
    given += [(network.weight(n), one, "weights") for n, one in enumerate(matrices, 1)]
    for n, numbers in enumerate(spec.offsets, 1):
        given.append((network.bias(n), vector_of(numbers, task, context, "offsets"), "offsets"))
    for name, value, key in given:
        if name.shape != value.shape:
            wanted, found = (" x ".join(map(str, shape)) for shape in (name.shape, value.shape))
            raise task.refuse(f"{name.name} is {found}, but {wanted} fits the other layers", key)
    return network, tuple(Step(name.name, value) for name, value, _ in given)


def _declared(network: Network) -> dict[str, Declaration]:
    """Everything a formula may rest on."""
    free = (network.quantity("a", 0), network.target, *network.parameters)
    return {one.name: Declaration("real", one.shape) for one in free}


def _claims(network: Network, given: tuple[Step, ...], domain: Domain) -> tuple[Claim, ...]:
    """Every gradient as the derivative of the whole forward pass."""
    total = evaluate(forward_pass(network))["C"]
    slopes = evaluate(backpropagation(network))
    numbers = {step.symbol: step.expr for step in given}
    at = points_at(numbers) if given else domain
    return tuple(
        (f"the gradient by {one.name}", total, one, slopes[f"grad_{one.name}"], at) for one in network.parameters
    )


def _refuse_degenerate(derivation: Derivation) -> None:
    """Numbers at which an error vanishes altogether, or at a kink.  Raises IllPosed."""
    values = evaluate(derivation)
    with np.errstate(all="ignore"):
        numbers = dict(zip(values, run(build(tuple(values.values())), {}, FLOAT), strict=True))
    for name, number in numbers.items():
        if not np.isfinite(np.asarray(number, dtype=float)).all():
            raise IllPosed(f"{name} is not a finite number")
        if name.startswith("delta_") and not np.any(number):
            raise IllPosed(f"{name} is zero: nothing goes back beyond it")


def _named(network: Network) -> dict[str, str]:
    """What can be asked, in the order of the derivation: item name → step."""
    layers = range(1, network.depth + 1)
    found = {f"{letter}{n}": f"{letter}_{n}" for n in layers for letter in ("z", "a")}
    found["C"] = "C"
    found |= {f"delta{n}": f"delta_{n}" for n in reversed(layers)}
    found |= {one.name.replace("_", ""): f"grad_{one.name}" for one in network.parameters}
    return found


def _item(spec: Spec, task: Task, name: str, step: str, points: Mapping[str, Fraction]) -> Item:
    letter, number = (name, "") if name == "C" else (name.rstrip("0123456789"), name.lstrip("zadeltWb"))
    called = [f"{letter}_{number}", f"{letter}^{number}"] if number else [spec.loss_name]
    gradient = letter in ("W", "b")
    targets = [Aim(spec.loss_name, one) for one in called] if gradient else [Aim(one) for one in called]
    if letter == "delta":
        targets += [Aim(spec.loss_name, f"z_{number}"), Aim(spec.loss_name, f"z^{number}")]
    asks = {
        "z": f"the pre-activation of layer {number}",
        "a": f"the activation of layer {number}",
        "C": "the cost",
        "delta": f"the error of layer {number}, the derivative of the cost by its pre-activation",
    }.get(letter, f"the gradient of the cost with respect to {called[0]}")
    return Item(
        id=task.item_id(name, points),
        form="expression",
        points=points.get(name, Fraction(0)),
        asks=asks,
        step=step,
        targets=tuple(targets),
        labels=(name.lower(), called[0].lower()),
        # a formula in terms of another step does not show that step
        policy=replace(_layouts(task.policy, letter), unshown="blank" if spec.sizes else task.policy.unshown),
        bonus=task.bonus,
        main=len(points) == 1 and name in points,
    )


def _layouts(policy: ItemPolicy, letter: str) -> ItemPolicy:
    """A gradient by a matrix has the shape of the matrix; everything else may be a row or a column."""
    return policy if policy.layouts else replace(policy, layouts=("numerator",) if letter == "W" else ("any",))


def _student_vocabulary(spec: Spec, network: Network, context: Context) -> Vocabulary:
    """Inputs and steps by their names, `z^{(1)}` and `z_1` alike; x is the input, f or σ the activation."""
    steps = {step.name: Declaration("real", step.expr.shape) for step in forward_pass(network).steps}
    steps |= {f"delta_{n}": Declaration("real", (network.sizes[n],)) for n in range(1, network.depth + 1)}
    if spec.loss_name != "C":
        steps.pop("C")
    symbols = {**_declared(network), **steps}
    aliases = {name.replace("_", "^"): name for name in symbols if name[-1].isdigit()} | {"x": "a_0"}
    functions = {}
    if "abstract" in spec.activations:
        functions["f"] = "function"
        definitions = {}
    else:
        concrete = {one for one in spec.activations if one in FORMULAS and one != "identity"}
        definitions = {"sigma(t)": FORMULAS["sigmoid"]}
        if len(concrete) == 1:
            definitions |= {"f(t)": FORMULAS[concrete.pop()]}
    return build_vocabulary(
        {**symbols, **functions},
        definitions,
        log="decimal" if context.log == "10" else "natural",
        decimal_comma=context.decimal_comma,
        aliases={**aliases, **context.names},
    )


def _misconceptions(network: Network) -> list[Misconception]:
    """The backward pass with a rule replaced, step by step."""
    right = backpropagation(network)
    found: list[Misconception] = []
    for n in range(1, network.depth + 1):
        z, a, delta = (network.quantity(letter, n) for letter in ("z", "a", "delta"))
        step, last = right[delta.name].expr, n == network.depth
        if not last:
            above, weight = network.quantity("delta", n + 1), network.weight(n + 1)
            message = "Going back through an activation multiplies by its derivative."
            _add(found, "backprop.activation_derivative_missing", message, delta.name, step, weight.T, above)
            message = "Going back through a layer needs the transposed weights."
            slope = _slope(network, n, z, a)
            _add(found, "backprop.weights_not_transposed", message, delta.name, step, weight, above, slope)
        elif network.activations[n - 1] != "identity" and network.loss != "cross_entropy":
            message = "Going back through an activation multiplies by its derivative."
            bare = backpropagation(replace(network, activations=(*network.activations[:-1], "identity")))
            made = bare[delta.name].expr
            found.append(Misconception("backprop.activation_derivative_missing", message, {delta.name: made}))
        if last and network.loss.endswith("squares"):
            message = "Sum or mean, with or without one half: check the factor."
            for factor in (Fraction(2), Fraction(1, 2)):
                made = E.constant(factor) * step
                found.append(Misconception("backprop.mean_or_sum", message, {delta.name: made}))
        message = "A weight's gradient needs the activations that went into its layer."
        if network.sizes[n] == network.sizes[n - 1]:
            made = E.outer(delta, a)
            found.append(Misconception("backprop.wrong_layer_activation", message, {f"grad_W_{n}": made}))
            message = "The gradient of a weight matrix has its shape: rows belong to outputs, columns to inputs."
            made = E.outer(network.quantity("a", n - 1), delta)
            found.append(Misconception("backprop.outer_transposed", message, {f"grad_W_{n}": made}))
    return found


def _slope(network: Network, n: int, z: Expr, a: Expr) -> Expr:
    """f'(z) of a layer, entry by entry; ones where the activation is the identity."""
    f = ACTIVATIONS[network.activations[n - 1]]
    return vjp(f(z), z, E.ones(z.shape))


def _add(
    found: list[Misconception],
    note: str,
    message: str,
    name: str,
    right: Expr,
    weight: Expr,
    above: Expr,
    slope: Expr | None = None,
) -> None:
    """The mistaken error of a layer, where its shapes conform and it is another formula than the right one."""
    try:
        made = weight @ above
        made = made if slope is None else made * slope
    except ShapeError:
        return
    if made.shape == right.shape and made is not right:
        found.append(Misconception(note, message, {name: made}))
