"""Where a node is looked at: shapes, attributes and kinds of values, and the numbers drawn for them from a secret.

Points are generic on purpose: no two dimensions equal (transposes show), no value 0 or 1 (products and powers show),
both signs where the domain has them, an upstream gradient that is never 1 (a forgotten one shows).
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from grader.compare.nodes.operations import Domain, Operation, Shape

LOW, HIGH = 0.3, 2.0  # range of |x| (where an operation sets no other) and of |upstream|
MOST_DISTINCT = 12
CLASSES = 4  # of a cross-entropy

Values = NDArray[Any]
Draw = Literal["generic", "negative", "positive", "integer", "extreme", "kink"]
Axes = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node as the problem declares it.

    `name` is what the adapter calls it, `operation` what it stands for (default: the same).  `attributes` names those
    the node takes.  `scalar`: numbers only, no arrays.  `broadcast`: its arguments may differ in shape.  `batched`:
    more than two axes.  `integers`: integer arrays must work too.  `vectors`: a product takes vectors.  `numbers`:
    arrays without axes must work too.
    """

    name: str
    operation: str = ""
    attributes: tuple[str, ...] = ()
    scalar: bool = False
    broadcast: bool = True
    batched: bool = True
    integers: bool = True
    vectors: bool = False
    numbers: bool = True

    @property
    def stands_for(self) -> str:
        return self.operation or self.name

    @property
    def subject(self) -> str:
        """Name under which this node's probes travel; the same node looked at otherwise is another subject."""
        return f"node/{self.name}-{digest(repr(self))}"


@dataclass(frozen=True, slots=True)
class Case:
    """A place to look at, before numbers are drawn.  `group` is what a fault that shows only there is called."""

    group: str
    shapes: tuple[Shape, ...]
    attrs: Axes = ()
    draw: Draw = "generic"
    size: float = 0.0


def digest(text: str) -> str:
    """A short name for some content."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def generator(seed: bytes, *content: str) -> np.random.Generator:
    """Draws that depend on the secret and the content alone."""
    digest = hashlib.sha256(seed + b"\x1f" + "\x1f".join(content).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def cases_of(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    """All places where this node is looked at."""
    for case in _all_cases(spec, operation):
        if spec.scalar or spec.numbers or all(case.shapes):
            yield case


def _all_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    if spec.scalar:
        yield from _scalar_cases(spec, operation)
    elif operation.profile == "unary":
        yield from _unary_cases(spec, operation)
    elif operation.profile == "binary":
        yield from _binary_cases(spec, operation)
    else:
        yield from _SHAPED[operation.profile](spec, operation)


def _choices(spec: NodeSpec, operation: Operation) -> list[Axes]:
    """Every combination of the attributes the node takes; a single empty one where it takes none."""
    named = [(name, values) for name, values in operation.attributes if name in spec.attributes]
    if operation.name == "pow" and not named:
        return [(("exponent", 2),)]
    return [tuple(zip([name for name, _ in named], combination, strict=True)) for combination in _product(named)]


def _product(named: list[tuple[str, tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    return list(itertools.product(*[values for _, values in named]))


def _scalar_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    shapes: tuple[Shape, ...] = ((),) * operation.arity
    for attrs in _choices(spec, operation):
        for _ in range(2):
            yield Case("number", shapes, attrs, "positive")
            yield Case("number", shapes, attrs, "negative")
        if spec.integers and _takes_integers(attrs):
            yield Case("integer", shapes, attrs, "integer")
    yield from _special_cases(operation, (), _choices(spec, operation)[0])


def _special_cases(operation: Operation, shape: Shape, attrs: Axes) -> Iterator[Case]:
    shapes = (shape,) * operation.arity
    for magnitude in operation.extremes:
        for sign in (1, -1):
            yield Case("extreme", shapes, attrs, "extreme", sign * magnitude)
    if operation.kink in ("zero", "pair"):
        yield Case("kink", shapes, attrs, "kink")


def _takes_integers(attrs: Axes) -> bool:
    exponent = dict(attrs).get("exponent", 1)
    return isinstance(exponent, int) and exponent > 0


def _unary_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    for number, attrs in enumerate(_choices(spec, operation)):
        yield Case("generic", ((3, 4),), attrs)
        yield Case("number", ((),), attrs, "negative")
        if number == 0:
            yield Case("generic", ((2, 5),), attrs)
            yield Case("number", ((),), attrs, "positive")
            yield Case("one", ((1,),), attrs, "positive")
            yield Case("one", ((1, 1),), attrs, "negative")
            yield Case("square", ((3, 3),), attrs)
        if spec.batched:
            yield Case("batched", ((2, 3, 2),), attrs)
        if spec.integers and _takes_integers(attrs):
            yield Case("integer", ((4,),), attrs, "integer")
    yield from _special_cases(operation, (3,), _choices(spec, operation)[0])


def _binary_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    yield Case("generic", ((3, 4), (3, 4)))
    yield Case("generic", ((5,), (5,)))
    yield Case("number", ((), ()), draw="positive")
    yield Case("number", ((), ()), draw="negative")
    yield Case("one", ((1, 1), (1, 1)), draw="negative")
    yield Case("square", ((3, 3), (3, 3)))
    if spec.broadcast:
        pairs: tuple[tuple[Shape, Shape], ...] = (
            *(((3, 4), (4,)), ((4,), (3, 4)), ((3, 1), (1, 4)), ((1, 4), (3, 1))),
            *(((), (3, 4)), ((3, 4), ()), ((1,), (5,)), ((3, 3), (3,)), ((3, 1), (3, 3))),
        )
        for pair in pairs:
            yield Case("broadcast", pair)
    if spec.batched:
        yield Case("batched", ((2, 3, 4), (2, 3, 4)))
        if spec.broadcast:
            yield Case("broadcast", ((2, 3, 4), (3, 1)))
    if spec.integers:
        yield Case("integer", ((4,), (4,)), draw="integer")
    yield from _special_cases(operation, (4,), ())


def _reduction_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    choices = _choices(spec, operation)
    for attrs in choices:
        yield Case("generic" if not attrs else _axis_group(attrs), ((3, 4),), attrs)
    plain = choices[0]
    yield Case("generic", ((2, 5),), plain)
    yield Case("generic", ((5,),), plain)
    yield Case("one", ((1,),), plain, "negative")
    yield Case("one", ((1, 1),), plain, "positive")
    yield Case("square", ((3, 3),), plain)
    if "axis" in spec.attributes:
        yield Case("square", ((3, 3),), (("axis", 1),))
        yield Case("axis", ((1, 4),), (("axis", 0),))
    if spec.batched:
        yield Case("batched", ((2, 3, 4),), plain)
        if "axis" in spec.attributes:
            for axis in (1, (0, 2), -2):
                yield Case("axis_negative" if axis == -2 else "batched", ((2, 3, 4),), (("axis", axis),))
    if spec.integers:
        yield Case("integer", ((4,),), plain, "integer")
    for magnitude in operation.extremes:
        for sign in (1, -1):
            yield Case("extreme", ((3,),), plain, "extreme", sign * magnitude)
    if operation.kink == "tied":
        yield Case("kink", ((4,),), plain, "kink")
        if "axis" in spec.attributes:
            yield Case("kink", ((3, 4),), (("axis", 1),), "kink")


def _axis_group(attrs: Axes) -> str:
    given = dict(attrs)
    axis = given.get("axis")
    if given.get("keepdims"):
        return "keepdims"
    if isinstance(axis, tuple):
        return "axis_negative" if min(axis) < 0 else "axis_tuple"
    if axis is None:
        return "generic"
    return "axis_negative" if axis < 0 else "axis"


def _matmul_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    if operation.name == "dot":
        yield from (Case("generic", ((n,), (n,))) for n in (4, 5))
        yield Case("one", ((1,), (1,)), draw="negative")
        return
    yield Case("generic", ((3, 4), (4, 2)))
    yield Case("generic", ((2, 5), (5, 3)))
    yield Case("square", ((3, 3), (3, 3)))
    yield Case("one", ((1, 3), (3, 1)))
    yield Case("one", ((3, 1), (1, 2)))
    yield Case("one", ((1, 1), (1, 1)), draw="negative")
    if spec.vectors:
        yield from (Case("vector", pair) for pair in (((4,), (4,)), ((3, 4), (4,)), ((3,), (3, 4))))
    if spec.batched:
        yield Case("batched", ((2, 3, 4), (2, 4, 5)))
        if spec.broadcast:
            yield Case("batched_broadcast", ((2, 3, 4), (4, 5)))
            yield Case("batched_broadcast", ((3, 4), (2, 4, 5)))
    if spec.integers:
        yield Case("integer", ((2, 3), (3, 4)), draw="integer")


def _transpose_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    for attrs in _choices(spec, operation):
        yield Case("generic", ((3, 4),), attrs)
        yield Case("generic", ((1, 5),), attrs)
        yield Case("square", ((3, 3),), attrs)
    if spec.batched and "axes" in spec.attributes:
        yield Case("batched", ((2, 3, 4),), (("axes", (1, 2, 0)),))


def _reshape_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    for before, after in (((3, 4), (2, 6)), ((6,), (2, 3)), ((2, 3, 2), (4, 3)), ((2, 2), (4,)), ((1, 1), (1,))):
        yield Case("generic", (before,), (("shape", after),))


def _concat_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    yield Case("generic", ((2, 3), (4, 3)), (("axis", 0),) if "axis" in spec.attributes else ())
    yield Case("generic", ((3,), (2,)), (("axis", 0),) if "axis" in spec.attributes else ())
    if "axis" in spec.attributes:
        yield Case("axis", ((3, 2), (3, 4)), (("axis", 1),))
        yield Case("axis_negative", ((3, 2), (3, 4)), (("axis", -1),))
        yield Case("square", ((3, 3), (3, 3)), (("axis", 1),))


def _row_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    for attrs in _choices(spec, operation):
        group = "generic" if dict(attrs).get("axis", -1) == -1 else "axis"
        yield Case(group, ((3, 4),), attrs)
        yield Case(group, ((2, 5),), attrs)
        yield Case("square", ((3, 3),), attrs)
    yield Case("one", ((1, 4),))
    for magnitude in operation.extremes:
        yield Case("extreme", ((2, 3),), (), "extreme", magnitude)


def _dense_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    for n, i, o in ((3, 4, 2), (5, 2, 3), (3, 3, 3), (1, 4, 2), (4, 1, 3), (1, 1, 1)):
        yield Case("square" if n == i == o == 3 else ("generic" if min(n, i) > 1 else "one"), ((n, i), (i, o), (o,)))
    if spec.integers:
        yield Case("integer", ((2, 3), (3, 4), (4,)), draw="integer")


def _loss_cases(spec: NodeSpec, operation: Operation) -> Iterator[Case]:
    if operation.name == "squared_error":
        yield from (Case("generic", (shape, shape)) for shape in ((3, 4), (5,), (2, 3)))
        yield Case("one", ((1,), (1,)), draw="negative")
        return
    for n in (3, 5, 2):
        several = operation.name == "cross_entropy"
        labels = tuple((3 * k + n) % CLASSES if several else k % 2 for k in range(n))
        shape = (n, CLASSES) if several else (n,)
        yield Case("generic", (shape,), (("labels", labels),))


_SHAPED: dict[str, Any] = {
    "reduction": _reduction_cases,
    "matmul": _matmul_cases,
    "transpose": _transpose_cases,
    "reshape": _reshape_cases,
    "concat": _concat_cases,
    "rows": _row_cases,
    "dense": _dense_cases,
    "loss": _loss_cases,
}


def draw_inputs(case: Case, operation: Operation, rng: np.random.Generator) -> tuple[Values, ...]:
    """The arguments of one case."""
    if case.draw == "kink":
        return _kink_inputs(case, operation, rng)
    if case.draw == "integer":
        return _whole_inputs(case, operation, rng)
    rooted = not isinstance(dict(case.attrs).get("exponent", 1), int)
    return tuple(
        _draw(shape, "positive" if rooted else operation.domain_of(i), case, operation.high, rng)
        for i, shape in enumerate(case.shapes)
    )


def draw_upstream(shape: Shape, rng: np.random.Generator) -> Values:
    """Signed, never near 0 or exactly 1; no entry has the size 1."""
    values = rng.uniform(LOW, HIGH, shape) * _signs(shape, rng)
    return np.asarray(np.where(np.abs(np.abs(values) - 1) < 0.05, values * 1.2, values))


def _whole_inputs(case: Case, operation: Operation, rng: np.random.Generator) -> tuple[Values, ...]:
    """Small integers, no magnitude twice where there are few: a tie is a kink for some operations."""
    sizes = [int(np.prod(shape)) for shape in case.shapes]
    pool = (
        rng.permutation(np.arange(1, sum(sizes) + 1)) if sum(sizes) <= MOST_DISTINCT else rng.integers(1, 6, sum(sizes))
    )
    found, start = [], 0
    for i, (shape, size) in enumerate(zip(case.shapes, sizes, strict=True)):
        whole = pool[start : start + size].reshape(shape)
        start += size
        whole_power = operation.name == "power"  # numpy refuses negative whole exponents of whole numbers
        signs = 1 if whole_power or operation.domain_of(i) == "positive" else _signs(shape, rng).astype(np.int64)
        found.append(np.asarray(whole * signs, np.int64))
    return tuple(found)


def _draw(shape: Shape, domain: Domain, case: Case, high: float, rng: np.random.Generator) -> Values:
    magnitude = rng.uniform(LOW, high, shape)
    if case.draw == "extreme":
        return np.asarray(case.size * rng.uniform(0.9, 1.0, shape))
    if domain == "positive" or case.draw == "positive":
        return np.asarray(magnitude)
    return np.asarray(-magnitude if case.draw == "negative" else magnitude * _signs(shape, rng))


def _signs(shape: Shape, rng: np.random.Generator) -> Values:
    """+1 and −1; from two entries on, both occur."""
    signs = np.where(rng.random(shape) < 0.5, -1.0, 1.0)
    flat = signs.reshape(-1).copy()
    if flat.size > 1 and abs(flat.sum()) == flat.size:
        flat[int(rng.integers(flat.size))] *= -1
    return flat.reshape(shape)


def _kink_inputs(case: Case, operation: Operation, rng: np.random.Generator) -> tuple[Values, ...]:
    xs = [_draw(shape, "real", case, HIGH, rng) for shape in case.shapes]
    if operation.kink == "zero":
        xs[0].reshape(-1)[0] = 0.0
    elif operation.kink == "pair":
        xs[1].reshape(-1)[0] = xs[0].reshape(-1)[0]
    else:
        top = HIGH + 1.0 if operation.name == "max" else -HIGH - 1.0
        rows = xs[0].reshape(-1, xs[0].shape[-1])
        rows[:, 0] = rows[:, 2] = top
    return tuple(xs)
