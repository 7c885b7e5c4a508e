"""Sizes and costs of a network: entries of weights, shape of a Jacobian, multiplications of an evaluation order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from grader.compare import Domain
from grader.kinds.dimension import evaluate_dimension, read_dimension, same_dimension
from grader.kinds.numbers import Number, exact_numbers
from grader.kinds.plan import Context, Item, Misconception, Plan, Seen, Task, Truth
from grader.kinds.verdicts import blank, right, unreadable, wrong
from grader.model import Finding
from grader.notation import Vocabulary
from reference import expression as E
from reference.derivation import Derivation, Step
from reference.network import (
    convolution_parameters,
    first_weight_chain,
    outer_product_cost,
    product_cost,
    weight_jacobian_shape,
)

ITEMS = ("weights", "shape", "entries", "forward", "reverse", "outer", "best", "single", "channels")
MAX_SIZE = 10**9
MAX_CHAIN = 20


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    sizes: number of units of each layer, the input first; chain: or the sizes of matrices that are multiplied,
    `[[1, 100], [100, 50]]`; additions: does an addition count as an operation too?  filter, channels, bias: of a
    convolution layer, `channels = [inputs, outputs]`.  What is asked stands in `points`:
    `weights` (entries of the first weight matrix), `shape` and `entries` (of the Jacobian of the first layer by its
    weights, flattened), `forward`, `reverse`, `outer` (cost of the gradient from right to left, from left to right, and
    with the last factor as an outer product), `best` (of a chain: the least that any order costs), `single`,
    `channels` (parameters of one filter, and with channels).
    """

    sizes: tuple[Number, ...] = ()
    chain: tuple[tuple[Number, Number], ...] = ()
    additions: bool = False
    filter: tuple[Number, ...] = ()
    channels: tuple[Number, Number] = (Fraction(1), Fraction(1))
    bias: bool = False

    def __post_init__(self) -> None:
        if sum(map(bool, (self.sizes, self.chain, self.filter))) != 1:
            raise ValueError("give the `sizes` of a network, a `chain` of matrices, or the `filter` of a convolution")
        if self.sizes and len(self.sizes) < 2:
            raise ValueError("`sizes` needs at least the input and one layer")
        if self.filter and len(self.filter) != 2:
            raise ValueError("`filter` has two sizes, `[3, 3]`")
        if self.chain and not 2 <= len(self.chain) <= MAX_CHAIN:
            raise ValueError(f"a `chain` has 2 to {MAX_CHAIN} matrices")


NAMES = {
    "weights": ("weights", "entries of w_1"),
    "entries": ("entries", "elements"),
    "forward": ("forward", "forward mode", "right to left"),
    "reverse": ("reverse", "reverse mode", "backward", "left to right"),
    "outer": ("outer", "outer product"),
    "best": ("best", "least", "optimal", "cheapest order"),
    "single": ("single", "one filter", "filter"),
    "channels": ("channels", "with channels"),
}


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """Numbers are marked as formulas (`100 * 16384` is as good as its value), the shape as a size."""
    sizes = _whole_numbers(spec.sizes, task, context, "sizes")
    counts = _count_all(spec, sizes, task, context)
    default = {next(iter(counts)): 1}
    points = task.share(default, [*counts, *(["shape"] if sizes else [])])
    items = {name: _number_item(task, name, points) for name in points if name != "shape"}
    if "shape" in points:
        items["shape"] = _shape_item(task, weight_jacobian_shape(sizes), points)
    steps = Derivation(tuple(Step(name, E.constant(value)) for name, value in counts.items()))
    return Plan(
        items=tuple(items[name] for name in points),
        truths=(Truth({}, steps, Domain({})),),
        vocabulary=Vocabulary(symbols={}, decimal_comma=context.decimal_comma),
        malrules=_misconceptions(counts),
    )


def _whole_numbers(given: tuple[Number, ...], task: Task, context: Context, key: str) -> tuple[int, ...]:
    numbers = exact_numbers(given, task, context, key)
    if any(one.denominator != 1 or not 1 <= one <= MAX_SIZE for one in numbers):
        raise task.refuse(f"sizes are whole numbers from 1 to {MAX_SIZE}", key)
    return tuple(int(one) for one in numbers)


def _count_all(spec: Spec, sizes: tuple[int, ...], task: Task, context: Context) -> dict[str, int]:
    """Every count this question can ask for.  Raises ProblemError where matrices do not fit together."""
    found: dict[str, int] = {}
    if sizes:
        rows, columns = weight_jacobian_shape(sizes)
        chain: tuple[tuple[int, ...], ...] = first_weight_chain(sizes)
        found["weights"] = sizes[0] * sizes[1]
        found["entries"] = rows * columns
        found["outer"] = outer_product_cost(sizes, spec.additions)
    else:
        chain = tuple(_whole_numbers(one, task, context, "chain") for one in spec.chain)
    if chain:
        try:
            found["forward"] = product_cost(chain, "right", spec.additions)
            found["reverse"] = product_cost(chain, "left", spec.additions)
        except ValueError as trouble:
            raise task.refuse(str(trouble), "chain") from None
    if spec.chain:
        found["best"] = best_cost(chain, spec.additions)
    if spec.filter:
        size = _whole_numbers(spec.filter, task, context, "filter")
        inputs, outputs = _whole_numbers(spec.channels, task, context, "channels")
        found["single"] = convolution_parameters(1, 1, (size[0], size[1]), spec.bias)
        found["channels"] = convolution_parameters(inputs, outputs, (size[0], size[1]), spec.bias)
    return found


def best_cost(chain: tuple[tuple[int, ...], ...], additions: bool = False) -> int:
    """The least cost of a product of matrices over all orders.  Source: Godbole 1973."""
    sizes = [chain[0][0], *(one[1] for one in chain)]
    count = len(chain)
    least = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            least[i][j] = min(
                least[i][k] + least[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)
            )
    return least[0][-1] * (2 if additions else 1)


def _number_item(task: Task, name: str, points: dict[str, Fraction]) -> Item:
    return Item(
        id=task.item_id(name, points),
        form="expression",
        points=points[name],
        asks=NAMES[name][-1],
        step=name,
        labels=NAMES[name],
        policy=task.policy,
        bonus=task.bonus,
        main=len(points) == 1,
    )


def _shape_item(task: Task, shape: tuple[int, ...], points: dict[str, Fraction]) -> Item:
    return Item(
        id=task.item_id("shape", points),
        form="dimension",
        points=points["shape"],
        asks="the shape of the Jacobian",
        labels=("shape", "size", "dimension"),
        judge=_judge_shape(shape),
        bonus=task.bonus,
        key=" × ".join(map(str, shape)),
    )


def _judge_shape(shape: tuple[int, ...]) -> Callable[[Item, Seen], Finding]:
    def judge(item: Item, seen: Seen) -> Finding:
        for text, where in reversed(seen.texts):
            stated = read_shape(text)
            if stated is None:
                continue
            read_as = " × ".join(map(str, stated))
            if same_dimension(stated, shape, False):
                return right(item, read_as=read_as, where=where)
            if tuple(reversed(stated)) == shape:
                return wrong(
                    item, "dimension.transposed", "Rows and columns are exchanged.", read_as=read_as, where=where
                )
            return wrong(item, "dimension.wrong", "This is not its size.", read_as=read_as, where=where)
        if seen.texts:
            text, where = seen.texts[-1]
            message = "No size can be read here; write for example `2 x 3`."
            return unreadable(item, message, read_as=text, where=where)
        return blank(item)

    return judge


def read_shape(text: str) -> tuple[int, ...] | None:
    """Rows and columns as numbers; a factor may be a product in brackets, `100 × (100 · 16384)`."""
    from grader.notation import Reading, elaborate, read
    from grader.notation.unreadable import Misread

    plain = read_dimension(text, ())
    if plain is not None and len(plain) == 2 and "(" not in text:
        return evaluate_dimension(plain, {})
    halves = _split_at_times(text)
    if halves is None:
        return evaluate_dimension(plain, {}) if plain is not None else None
    found = []
    for half in halves:
        reading = read(half, "latex" if "\\" in half else "plain", Vocabulary(symbols={}))
        if not isinstance(reading, Reading):
            return None
        try:
            value = elaborate(reading.chain[-1], Vocabulary(symbols={}), {})[0]
        except (Misread, E.ShapeError):
            return None
        number = _whole_number(value)
        if number is None:
            return None
        found.append(number)
    return tuple(found)


def _split_at_times(text: str) -> tuple[str, str] | None:
    """The two sides of the only times sign outside brackets."""
    flat = text.replace("\\times", "×").replace("\\left", "").replace("\\right", "")
    depth, places = 0, []
    for position, character in enumerate(flat):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and (character == "×" or (character == "x" and flat[position - 1 : position] == " ")):
            places.append(position)
    return (flat[: places[0]], flat[places[0] + 1 :]) if len(places) == 1 else None


def _whole_number(value: E.Expr) -> int | None:
    from grader.kinds.point import exact_entries

    if value.shape != () or E.symbols([value]):
        return None
    number = exact_entries(value)[0]
    return int(number) if number.denominator == 1 else None


def _misconceptions(counts: dict[str, int]) -> tuple[Misconception, ...]:
    if "forward" not in counts or counts["forward"] == counts["reverse"]:
        return ()
    forward, reverse = E.constant(counts["forward"]), E.constant(counts["reverse"])
    message = "Forward mode multiplies from the right, reverse mode from the left."
    return (
        Misconception("cost.modes_swapped", message, {"forward": reverse}),
        Misconception("cost.modes_swapped", message, {"reverse": forward}),
    )
