"""A convolution layer by numbers: output, and the gradients by filter, bias and input for a given incoming gradient.

Y_k = Σ_c X_c ⋆ K_kc + b_k is a cross-correlation; the incoming gradient G has the shape of Y.  With channels each plane
is an item of its own: `output2`, `input1`, `filter2_1` (output channel 2, input channel 1).
Source: Goodfellow et al. 2016, §9.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from grader.compare import Domain
from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.numbers import Matrix, Number, matrix_of, vector_of
from grader.kinds.plan import Aim, Context, Item, Misconception, Plan, Task, Truth
from grader.kinds.point import points_at
from grader.notation import Declaration, Vocabulary
from grader.notation.vocabulary import canonical
from reference import expression as E
from reference.derivation import Derivation, Step
from reference.expression import Expr, ShapeError
from reference.modes import gradient

ITEMS = ("output", "filter", "bias", "input", "output<k>", "filter<k>_<c>", "input<c>")


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    input, filter, upstream: matrices of numbers; bias: a number.  With channels: inputs (a matrix for each input
    channel), filters (for each output channel a matrix for each input channel), upstreams and biases (one for each
    output channel).  stride, padding; names: what input, filter, bias, output and loss are called.
    """

    input: Matrix = ()
    filter: Matrix = ()
    upstream: Matrix = ()
    bias: Number = Fraction(0)
    inputs: tuple[Matrix, ...] = ()
    filters: tuple[tuple[Matrix, ...], ...] = ()
    upstreams: tuple[Matrix, ...] = ()
    biases: tuple[Number, ...] = ()
    stride: int = 1
    padding: int = 0
    names: tuple[str, str, str, str, str] = ("X", "K", "b", "Y", "L")

    def __post_init__(self) -> None:
        if bool(self.input) == bool(self.inputs) or bool(self.filter) == bool(self.filters):
            raise ValueError("give `input` and `filter`, or, with channels, `inputs` and `filters`")
        if self.filters and any(len(row) != len(self.inputs or (self.input,)) for row in self.filters):
            raise ValueError("every row of `filters` has one matrix for each input channel")
        if self.stride < 1 or self.padding < 0:
            raise ValueError("`stride` is at least 1 and `padding` at least 0")


@dataclass(frozen=True)
class Layer:
    """The layer as an expression of input (C, H, W), filters (K, C, h, w) and biases (K,), and its numbers."""

    image: Expr
    kernel: Expr
    bias: Expr
    output: Expr
    loss: Expr
    values: Mapping[Expr, Expr]
    turned: Expr  # the filters' numbers turned round in both directions
    has_upstream: bool

    def planes(self, values: Mapping[Expr, Expr]) -> dict[str, Expr]:
        """Everything that can be asked, at these numbers: item name → matrix, bias a number or vector."""
        count, channels = self.kernel.shape[:2]
        sizes = {"output": (count,), "filter": (count, channels), "input": (channels,)}
        whole = {"output": self.output}
        if self.has_upstream:
            whole |= {"filter": gradient(self.loss, self.kernel), "input": gradient(self.loss, self.image)}
        found: dict[str, Expr] = {}
        for name, expr in whole.items():
            for place, plane in _planes(E.substitute(expr, values), len(sizes[name])).items():
                alone = set(sizes[name]) == {1}
                found[name if alone else name + "_".join(str(i + 1) for i in place)] = plane
        if self.has_upstream:
            by_bias = E.substitute(gradient(self.loss, self.bias), values)
            found["bias"] = by_bias[0] if count == 1 else by_bias
        return found


def _planes(value: Expr, axes: int) -> dict[tuple[int, ...], Expr]:
    """The matrices of an array by their places along its first axes."""
    found: dict[tuple[int, ...], Expr] = {(): value}
    for _ in range(axes):
        found = {(*place, i): one[i] for place, one in found.items() for i in range(one.shape[0])}
    return found


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """An item for each of output, filter, bias, input that has points; the gradients where `points` is a number."""
    layer = _read(spec, task, context)
    asked = layer.planes(layer.values)
    steps = Derivation(tuple(Step(name, value) for name, value in asked.items()))
    claims = _claims(layer)
    confirm(claims, task)
    default = [name for name in asked if not name.startswith("output")] or list(asked)
    points = task.share(dict.fromkeys(default, 1), list(asked))
    return Plan(
        items=tuple(_item(spec, task, name, points) for name in asked if name in points),
        truths=(Truth({}, steps, Domain({})),),
        vocabulary=_vocabulary(spec, context),
        malrules=_misconceptions(layer, asked),
        certify=certifier(claims),
    )


def _read(spec: Spec, task: Task, context: Context) -> Layer:
    """The layer and its numbers.  Raises ProblemError where sizes do not fit."""
    inputs = [matrix_of(one, task, context, "inputs") for one in spec.inputs or (spec.input,)]
    filters = [[matrix_of(one, task, context, "filters") for one in row] for row in spec.filters or ((spec.filter,),)]
    try:
        pixels, taps = E.stack(inputs), E.stack([E.stack(row) for row in filters])
        turned = E.stack([E.stack([_turned(one) for one in row]) for row in filters])
    except ShapeError as trouble:
        raise task.refuse(f"channels have one and the same size: {trouble}", "inputs") from None
    image, kernel, bias = E.symbol("X", pixels.shape), E.symbol("K", taps.shape), E.symbol("b", (len(filters),))
    offsets = vector_of(spec.biases or (spec.bias,) * len(filters), task, context, "biases")
    if offsets.shape != bias.shape:
        raise task.refuse(f"there are {len(filters)} output channels and {offsets.shape[0]} biases", "biases")
    upstream = [matrix_of(one, task, context, "upstreams") for one in spec.upstreams or (spec.upstream,) if one]
    try:
        output = E.conv(image, kernel, stride=spec.stride, padding=spec.padding) + E.reshape(bias, (len(filters), 1, 1))
        coming = E.stack(upstream) if upstream else E.ones(output.shape)
        if coming.shape != output.shape:
            found, wanted = (" x ".join(map(str, shape)) for shape in (coming.shape, output.shape))
            raise ShapeError(f"the incoming gradient is {found}, the output {wanted} (channels first)")
    except ShapeError as trouble:
        raise task.refuse(str(trouble), "upstream") from None
    values = {image: pixels, kernel: taps, bias: offsets}
    return Layer(image, kernel, bias, output, E.sum(output * coming), values, turned, bool(upstream))


def _claims(layer: Layer) -> tuple[Claim, ...]:
    at = points_at(layer.values)
    named = {"filter": layer.kernel, "bias": layer.bias, "input": layer.image}
    return tuple(
        (f"the gradient by the {name}", layer.loss, x, gradient(layer.loss, x), at) for name, x in named.items()
    )


def _item(spec: Spec, task: Task, name: str, points: Mapping[str, Fraction]) -> Item:
    image, kernel, bias, output, loss = (canonical(one) for one in spec.names)
    what = name.rstrip("0123456789_")
    place = name.removeprefix(what).replace("_", ",")
    under = f"_{place}" if place else ""
    symbol = {"output": output, "filter": kernel, "bias": bias, "input": image}[what] + under
    asks = f"the gradient with respect to the {what}" if what != "output" else "the output"
    return Item(
        id=task.item_id(name, points),
        form="expression",
        points=points[name],
        asks=f"{asks}, {symbol}" if place else asks,
        step=name,
        targets=(Aim(symbol),) if what == "output" else (Aim(loss, symbol),),
        labels=(name, symbol.lower()) if place else (name,),
        policy=task.policy,
        bonus=task.bonus,
        main=len(points) == 1,
    )


def _vocabulary(spec: Spec, context: Context) -> Vocabulary:
    """Names for left sides; an answer consists of numbers."""
    return Vocabulary(
        symbols=dict.fromkeys(spec.names, Declaration("real", ())),
        log="decimal" if context.log == "10" else "natural",
        decimal_comma=context.decimal_comma,
    )


def _misconceptions(layer: Layer, asked: Mapping[str, Expr]) -> tuple[Misconception, ...]:
    """The filter turned round where it is not, or not turned where it is; the mean instead of the sum."""
    found = []
    opposite = layer.planes({**layer.values, layer.kernel: layer.turned})
    for name, value in asked.items():
        if name.startswith("filter"):
            message = "The entries are in the opposite order: this layer does not turn its filter round."
            found.append(Misconception("convolution.flipped", message, {name: _turned(value)}))
        elif name.startswith("output"):
            message = "This layer does not turn its filter round: it is a cross-correlation."
            found.append(Misconception("convolution.flipped", message, {name: opposite[name]}))
        elif name.startswith("input"):
            message = "Every output entry sends its gradient back through the weights it was made with."
            found.append(Misconception("convolution.input_not_turned", message, {name: opposite[name]}))
        else:
            entries = layer.output.shape[1] * layer.output.shape[2]
            message = "The bias acts on every entry of the output: their gradients are added up."
            found.append(Misconception("backprop.mean_or_sum", message, {name: value / entries}))
    return tuple(found)


def _turned(value: Expr) -> Expr:
    rows, columns = value.shape
    return E.matrix([[value[rows - 1 - i, columns - 1 - j] for j in range(columns)] for i in range(rows)])
