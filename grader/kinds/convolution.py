"""A convolution layer by numbers: output, and the gradients by filter, bias and input for a given incoming gradient.

Y = X ⋆ K + b is a cross-correlation; the incoming gradient G has the shape of Y.  Source: Goodfellow et al. 2016, §9.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from grader.compare import Domain
from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.plan import Aim, Context, Item, Misconception, Plan, Task, Truth
from grader.kinds.point import points_at
from grader.notation import Declaration, Vocabulary
from grader.notation.vocabulary import canonical
from reference import expression as E
from reference.derivation import Derivation, Step, evaluate
from reference.expression import Expr, ShapeError
from reference.modes import gradient

ITEMS = ("output", "filter", "bias", "input")
Matrix = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    input, filter, upstream: matrices of numbers; bias: a number; stride, padding; names: what X, K, b, Y and L are
    called, `{input = 'X', filter = 'K', bias = 'b', output = 'Y', loss = 'L'}`.
    """

    input: Matrix
    filter: Matrix
    upstream: Matrix = ()
    bias: Fraction = Fraction(0)
    stride: int = 1
    padding: int = 0
    names: tuple[str, str, str, str, str] = ("X", "K", "b", "Y", "L")

    def __post_init__(self) -> None:
        for key in ("input", "filter", "upstream"):
            rows = getattr(self, key)
            if rows and len({len(row) for row in rows}) != 1:
                raise ValueError(f"the rows of `{key}` have different lengths")
        if not self.input or not self.filter:
            raise ValueError("`input` and `filter` are matrices of numbers")


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """An item for each of output, filter, bias, input that has points."""
    image, kernel = _matrix("X", spec.input), _matrix("K", spec.filter)
    bias = E.symbol("b")
    try:
        layer = E.conv(image, kernel, stride=spec.stride, padding=spec.padding) + bias
        loss = E.sum(layer * _numbers(spec.upstream or ((Fraction(1),),)))
        if spec.upstream and layer.shape != (len(spec.upstream), len(spec.upstream[0])):
            raise ShapeError(f"the output is {layer.shape[0]}x{layer.shape[1]}, `upstream` is not")
    except ShapeError as trouble:
        raise task.refuse(str(trouble), "upstream") from None
    asked = {
        "output": layer,
        "filter": gradient(loss, kernel),
        "bias": gradient(loss, bias),
        "input": gradient(loss, image),
    }
    values = {image: _numbers(spec.input), kernel: _numbers(spec.filter), bias: E.constant(spec.bias)}
    steps = Derivation(tuple(Step(name, E.substitute(expr, values)) for name, expr in asked.items()))
    claims = _claims(loss, {"filter": kernel, "bias": bias, "input": image}, asked, values)
    confirm(claims, task)
    points = task.share({"filter": 1, "bias": 1, "input": 1}, ITEMS)
    return Plan(
        items=tuple(_item(spec, task, name, points) for name in ITEMS if name in points),
        truths=(Truth({}, steps, Domain({})),),
        vocabulary=_vocabulary(spec, context),
        malrules=_misconceptions(steps),
        certify=certifier(claims),
    )


def _matrix(name: str, rows: Matrix) -> Expr:
    return E.symbol(name, (len(rows), len(rows[0])))


def _numbers(rows: Matrix) -> Expr:
    return E.matrix([[E.constant(value) for value in row] for row in rows])


def _claims(
    loss: Expr, variables: Mapping[str, Expr], asked: Mapping[str, Expr], values: Mapping[Expr, Expr]
) -> tuple[Claim, ...]:
    at = points_at(values)
    return tuple((f"the gradient by the {name}", loss, x, asked[name], at) for name, x in variables.items())


def _item(spec: Spec, task: Task, name: str, points: Mapping[str, Fraction]) -> Item:
    image, kernel, bias, output, loss = (canonical(one) for one in spec.names)
    targets = {
        "output": (Aim(output),),
        "filter": (Aim(loss, kernel),),
        "bias": (Aim(loss, bias),),
        "input": (Aim(loss, image),),
    }
    return Item(
        id=task.item_id(name, points),
        form="expression",
        points=points[name],
        asks="the output" if name == "output" else f"the gradient with respect to the {name}",
        step=name,
        targets=targets[name],
        labels=(name,),
        policy=task.policy,
        bonus=task.bonus,
        main=len(points) == 1,
    )


def _vocabulary(spec: Spec, context: Context) -> Vocabulary:
    names = dict.fromkeys(spec.names, Declaration("real", ()))
    return Vocabulary(symbols=names, decimal_comma=context.decimal_comma)


def _misconceptions(steps: Derivation) -> tuple[Misconception, ...]:
    """Flipped where it should not be, and the bias's gradient taken from one entry."""
    found = []
    values = evaluate(steps)
    for name in ("output", "filter"):
        message = "The entries are in the opposite order: this layer does not turn its filter round."
        found.append(Misconception("convolution.flipped", message, {name: _turned(values[name])}))
    return tuple(found)


def _turned(value: Expr) -> Expr:
    rows, columns = value.shape
    return E.matrix([[value[rows - 1 - i, columns - 1 - j] for j in range(columns)] for i in range(rows)])
