"""The battery: right variants and wrong mutants of every operation, and an oracle that says which mutants are wrong.

Mutants are wrappers around a right implementation, so a new operation gets all of them.  Some are no mutants of some
operations (passing the upstream gradient on is right for a sum); the oracle compares densely, by itself, and leaves
those out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from grader.compare.nodes.operations import OPERATIONS
from grader.compare.nodes.points import Case, cases_of, draw_inputs, draw_upstream, generator
from grader.compare.nodes.probing import points_of
from tests.nodes.local import Implementation, add_up, spec_of
from tests.nodes.rightly import RIGHT, Backward, Forward, reduced

Pair = tuple[Forward, Backward]
Wrapper = Callable[[Pair, str], Pair]


def backward_only(change: Callable[..., Any]) -> Wrapper:
    """A wrapper that changes what the backward pass gives: change(grads, xs, y, g, attrs)."""

    def wrap(pair: Pair, name: str) -> Pair:
        f, b = pair

        def backward(xs: Any, y: Any, g: Any, **attrs: Any) -> Any:
            return change(b(xs, y, g, **attrs), xs, y, g, attrs)

        return f, backward

    return wrap


def upstream_changed(change: Callable[[Any], Any]) -> Wrapper:
    def wrap(pair: Pair, name: str) -> Pair:
        f, b = pair
        return f, lambda xs, y, g, **attrs: b(xs, y, change(np.asarray(g, float)), **attrs)

    return wrap


# Right variants -----------------------------------------------------------------------------------------------------


def single(pair: Pair, name: str) -> Pair:
    f, b = pair

    def low(value: Any) -> Any:
        return np.asarray(value, np.float32)

    def forward(*xs: Any, **attrs: Any) -> Any:
        return low(f(*map(low, xs), **attrs))

    return forward, lambda xs, y, g, **attrs: tuple(low(d) for d in b(tuple(map(low, xs)), low(y), low(g), **attrs))


def entry_by_entry(pair: Pair, name: str) -> Pair:
    """Python loops over plain floats, for operations that work entry by entry."""
    f, b = pair
    if OPERATIONS[name].profile not in ("unary", "binary"):
        return pair

    def forward(*xs: Any, **attrs: Any) -> Any:
        spread = np.broadcast_arrays(*xs)
        values = [float(f(*map(float, entry), **attrs)) for entry in zip(*[x.ravel() for x in spread], strict=True)]
        return np.array(values).reshape(spread[0].shape)

    def backward(xs: Any, y: Any, g: Any, **attrs: Any) -> Any:
        spread = np.broadcast_arrays(*xs)
        rows = zip(*[x.ravel() for x in spread], np.ravel(y), np.ravel(g), strict=True)
        found = [[float(d) for d in b(tuple(map(np.float64, row[:-2])), row[-2], row[-1], **attrs)] for row in rows]
        columns = np.array(found).T
        return [reduced(c.reshape(spread[0].shape), np.shape(x)) for c, x in zip(columns, xs, strict=True)]

    return forward, backward


def by_rows(pair: Pair, name: str) -> Pair:
    """The Jacobian row by row, then summed with the upstream gradient."""
    f, b = pair

    def backward(xs: Any, y: Any, g: Any, **attrs: Any) -> Any:
        g = np.asarray(g, float)
        if g.size > 60:
            return b(xs, y, g, **attrs)
        totals = [np.zeros(np.shape(x)) for x in xs]
        for key in np.ndindex(*g.shape):
            unit = np.zeros(g.shape)
            unit[key] = 1.0
            totals = [t + g[key] * d for t, d in zip(totals, b(xs, y, unit, **attrs), strict=True)]
        return totals

    return f, backward


def extended(pair: Pair, name: str) -> Pair:
    f, b = pair

    def wide(value: Any) -> Any:
        return np.asarray(value, np.longdouble)

    def forward(*xs: Any, **attrs: Any) -> Any:
        return np.asarray(f(*map(wide, xs), **attrs), float)

    return forward, lambda xs, y, g, **attrs: [
        np.asarray(d, float) for d in b(tuple(map(wide, xs)), wide(f(*map(wide, xs), **attrs)), wide(g), **attrs)
    ]


def fortran_lists(pair: Pair, name: str) -> Pair:
    f, b = pair
    return (
        lambda *xs, **attrs: np.asarray(f(*xs, **attrs), order="F").tolist(),
        lambda xs, y, g, **attrs: [np.asarray(d, order="F") for d in b(xs, np.asarray(y), g, **attrs)],
    )


def numpy_numbers(pair: Pair, name: str) -> Pair:
    """Everything without axes comes back as a Python or numpy number, everything else as a read-only view."""

    def plain(value: Any) -> Any:
        array = np.asarray(value, float)
        return float(array) if array.ndim == 0 else np.broadcast_to(array, array.shape)

    f, b = pair
    return (
        lambda *xs, **attrs: plain(f(*xs, **attrs)),
        lambda xs, y, g, **attrs: tuple(plain(d) for d in b(xs, np.asarray(y), g, **attrs)),
    )


def recomputed(pair: Pair, name: str) -> Pair:
    """The backward pass keeps nothing and computes its own value, on copies it works on in place."""
    f, b = pair

    def backward(xs: Any, y: Any, g: Any, **attrs: Any) -> Any:
        own = tuple(np.array(x, float) for x in xs)
        grads = [np.array(d, float) for d in b(own, f(*own, **attrs), np.array(g, float), **attrs)]
        for x in own:
            x *= 0.0
        return grads

    return f, backward


RIGHT_KINDS: Mapping[str, Wrapper] = {
    "plain": lambda pair, name: pair,
    "single precision": single,
    "entry by entry": entry_by_entry,
    "row by row": by_rows,
    "extended precision": extended,
    "lists and Fortran order": fortran_lists,
    "numbers and views": numpy_numbers,
    "recomputed": recomputed,
}

# Mutants ------------------------------------------------------------------------------------------------------------


def passed_on(grads: Any, xs: Any, y: Any, g: Any, attrs: Any) -> Any:
    return tuple(reduced(g, np.shape(x)) if np.ndim(g) >= np.ndim(x) else g * np.ones(np.shape(x)) for x in xs)


def not_reduced(pair: Pair, name: str) -> Pair:
    f, b = pair
    if OPERATIONS[name].profile != "binary":
        return pair
    return f, lambda xs, y, g, **attrs: b(np.broadcast_arrays(*xs), y, g, **attrs)


def reduced_by_mean(grads: Any, xs: Any, y: Any, g: Any, attrs: Any) -> Any:
    return tuple(d * (np.size(x) / max(np.size(y), 1)) for d, x in zip(grads, xs, strict=True))


def flipped(value: Any) -> Any:
    return np.swapaxes(value, -1, -2) if np.ndim(value) >= 2 else value


def flipped_if_square(grads: Any, xs: Any, y: Any, g: Any, attrs: Any) -> Any:
    return tuple(flipped(d) if np.ndim(d) >= 2 and d.shape[-1] == d.shape[-2] > 1 else d for d in grads)


def wrong_if_not_square(grads: Any, xs: Any, y: Any, g: Any, attrs: Any) -> Any:
    square = all(np.ndim(x) == 2 and x.shape[0] == x.shape[1] for x in xs)
    return grads if square else tuple(d * 1.5 for d in grads)


def inputs_doubled(grads: Any, xs: Any, y: Any, g: Any, attrs: Any) -> Any:
    out = tuple(np.array(d) for d in grads)
    for x in xs:
        np.multiply(x, 2, out=x)
    return out


def upstream_doubled(grads: Any, xs: Any, y: Any, g: Any, attrs: Any) -> Any:
    out = tuple(np.array(d) for d in grads)
    g *= 2
    return out


def remembering(pair: Pair, name: str) -> Pair:
    """Uses the inputs of the first call that had these shapes."""
    f, b = pair
    seen: dict[Any, Any] = {}

    def backward(xs: Any, y: Any, g: Any, **attrs: Any) -> Any:
        key = (tuple(np.shape(x) for x in xs), tuple(attrs.items()))
        old_xs, old_y = seen.setdefault(key, (tuple(np.array(x) for x in xs), np.array(y)))
        return b(old_xs, old_y, g, **attrs)

    return f, backward


def piling_up(pair: Pair, name: str) -> Pair:
    """Adds every call's gradient to that of earlier calls with the same shapes."""
    f, b = pair
    held: dict[Any, Any] = {}

    def backward(xs: Any, y: Any, g: Any, **attrs: Any) -> Any:
        key = (tuple(np.shape(x) for x in xs), tuple(attrs.items()))
        grads = b(xs, y, g, **attrs)
        held[key] = tuple(a + d for a, d in zip(held.get(key, (0.0,) * len(xs)), grads, strict=True))
        return held[key]

    return f, backward


def in_input_type(grads: Any, xs: Any, y: Any, g: Any, attrs: Any) -> Any:
    return tuple(np.asarray(d).astype(np.asarray(x).dtype) for d, x in zip(grads, xs, strict=True))


def at_value(pair: Pair, name: str) -> Pair:
    """The derivative taken at the result instead of the argument."""
    f, b = pair
    if len(spec_shapes(name)) != 1 or OPERATIONS[name].profile != "unary":
        return pair
    return f, lambda xs, y, g, **attrs: b((y,), f(y, **attrs), g, **attrs)


def at_argument(pair: Pair, name: str) -> Pair:
    """The derivative written in terms of the result, but given the argument."""
    f, b = pair
    if OPERATIONS[name].profile != "unary":
        return pair
    return f, lambda xs, y, g, **attrs: b(xs, xs[0], g, **attrs)


def differences(order: int, step: float) -> Wrapper:
    """The gradient by central differences of the forward pass."""
    weights = {2: ((1, 0.5), (-1, -0.5)), 4: ((1, 2 / 3), (-1, -2 / 3), (2, -1 / 12), (-2, 1 / 12))}[order]

    def wrap(pair: Pair, name: str) -> Pair:
        f, _ = pair

        def backward(xs: Any, y: Any, g: Any, **attrs: Any) -> Any:
            floats = [np.array(x, float) for x in xs]
            grads = []
            for x in floats:
                d = np.zeros(x.shape)
                for key in np.ndindex(*x.shape) if x.size <= 40 else []:
                    kept = x[key]
                    for k, weight in weights:
                        x[key] = kept + k * step
                        d[key] += weight * np.sum(g * f(*floats, **attrs)) / step
                    x[key] = kept
                grads.append(d)
            return grads

        return f, backward

    return wrap


def axis_made_positive_wrongly(pair: Pair, name: str) -> Pair:
    f, b = pair

    def backward(xs: Any, y: Any, g: Any, **attrs: Any) -> Any:
        axis = attrs.get("axis")
        if isinstance(axis, int) and axis < 0:
            attrs = {**attrs, "axis": 0}
        try:
            return b(xs, y, g, **attrs)
        except ValueError:
            return b(xs, y, np.resize(g, np.shape(g)[::-1]), **attrs)

    return f, backward


def keepdims_forgotten(pair: Pair, name: str) -> Pair:
    f, b = pair

    def backward(xs: Any, y: Any, g: Any, **attrs: Any) -> Any:
        if attrs.get("keepdims"):
            g = np.squeeze(g, axis=attrs.get("axis"))
            return (np.ones(np.shape(xs[0])) * np.resize(g, np.shape(xs[0])),)
        return b(xs, y, g, **attrs)

    return f, backward


def second_missing(grads: Any, xs: Any, y: Any, g: Any, attrs: Any) -> Any:
    return (grads[0], *[None] * (len(grads) - 1)) if len(grads) > 1 else (None,)


def zero_where(test: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda grads, xs, y, g, attrs: tuple(
        np.where(test(np.asarray(x)), 0.0, d) for d, x in zip(grads, xs, strict=True)
    )


def scaled(factor: float) -> Callable[..., Any]:
    return lambda grads, xs, y, g, attrs: tuple(factor * np.asarray(d) for d in grads)


def only_second(change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda grads, xs, y, g, attrs: (grads[0], *[change(np.asarray(d)) for d in grads[1:]])


def no_axes_refused(grads: Any, xs: Any, y: Any, g: Any, attrs: Any) -> Any:
    if any(np.ndim(x) == 0 for x in xs):
        raise IndexError("too many indices for array")
    return grads


MUTANTS: Mapping[str, Wrapper] = {
    "upstream ignored": upstream_changed(np.ones_like),
    "upstream by its size only": upstream_changed(np.abs),
    "upstream by its sum": upstream_changed(lambda g: np.full_like(g, g.sum())),
    "upstream by its mean": upstream_changed(lambda g: np.full_like(g, g.mean())),
    "upstream by its first entry": upstream_changed(lambda g: np.full_like(g, g.reshape(-1)[0])),
    "upstream twice": upstream_changed(lambda g: g * g),
    "local derivative missing": backward_only(passed_on),
    "sign": backward_only(scaled(-1)),
    "sign of the second": backward_only(only_second(np.negative)),
    "factor 2": backward_only(scaled(2)),
    "factor 1/2": backward_only(scaled(0.5)),
    "off in the sixth digit": backward_only(scaled(1 + 1e-6)),
    "off in the eighth digit": backward_only(scaled(1 + 2e-8)),
    "not reduced": not_reduced,
    "reduced by mean": backward_only(reduced_by_mean),
    "divided by entries": backward_only(
        lambda grads, xs, *_: tuple(d / np.size(x) for d, x in zip(grads, xs, strict=True))
    ),
    "transposed": backward_only(lambda grads, *_: tuple(flipped(d) for d in grads)),
    "transposed where square": backward_only(flipped_if_square),
    "right where square": backward_only(wrong_if_not_square),
    "swapped": backward_only(lambda grads, *_: tuple(grads)[::-1]),
    "inputs changed": backward_only(inputs_doubled),
    "upstream changed": backward_only(upstream_doubled),
    "remembers": remembering,
    "piles up": piling_up,
    "in the type of the input": backward_only(in_input_type),
    "at the value": at_value,
    "at the argument": at_argument,
    "value for derivative": backward_only(
        lambda grads, xs, y, g, a: tuple(np.ones(np.shape(x)) * np.sum(g * y) for x in xs)
    ),
    "second order differences": differences(2, 1e-5),
    "fourth order differences": differences(4, 1e-3),
    "negative axis": axis_made_positive_wrongly,
    "keepdims forgotten": keepdims_forgotten,
    "one missing": backward_only(second_missing),
    "zero for negative": backward_only(zero_where(lambda x: x < 0)),
    "zero for positive": backward_only(zero_where(lambda x: x > 0)),
    "zero for large": backward_only(zero_where(lambda x: np.abs(x) > 1.5)),
    "clipped": backward_only(lambda grads, *_: tuple(np.clip(d, -1, 1) for d in grads)),
    "half precision": backward_only(lambda grads, *_: tuple(np.asarray(d, np.float16) for d in grads)),
    "numbers refused": backward_only(no_axes_refused),
    "only two axes": backward_only(
        lambda grads, xs, *_: tuple(d * (1 if all(np.ndim(x) < 3 for x in xs) else 2) for d in grads)
    ),
    "flat": backward_only(lambda grads, *_: tuple(np.ravel(d) for d in grads)),
    "zero": backward_only(scaled(0.0)),
}


def overwrite(held: Any, grads: Any) -> Any:
    return list(grads)


def last_use_only(held: Any, grads: Any) -> Any:
    if len(held) == 2 and held[0] is held[1]:
        return [held[0] + grads[1]] * 2
    return add_up(held, grads)


ACCUMULATIONS: Mapping[str, Callable[..., Any]] = {"overwritten": overwrite, "last use only": last_use_only}

# Together -----------------------------------------------------------------------------------------------------------


def spec_shapes(name: str) -> tuple[Any, ...]:
    return (None,) * OPERATIONS[name].arity


def right_implementations(names: Iterator[str] | tuple[str, ...] = ()) -> Iterator[Implementation]:
    for name, (kind, wrap) in itertools.product(names or RIGHT, RIGHT_KINDS.items()):
        pair = RIGHT[name]
        if kind == "plain" or wrap(pair, name) is not pair:
            yield Implementation(name, kind, *wrap(pair, name))


def mutants(names: Iterator[str] | tuple[str, ...] = ()) -> Iterator[Implementation]:
    """All mutants that are wrong, by the oracle."""
    for name in names or RIGHT:
        pair = RIGHT[name]
        for kind, wrap in MUTANTS.items():
            changed = wrap(pair, name)
            if changed is not pair and not (kind == "one missing" and OPERATIONS[name].arity == 1):
                found = Implementation(name, kind, *changed)
                if kind in STATEFUL or differs(found, pair):
                    yield Implementation(name, kind, *wrap(pair, name))
        for kind, accumulate in ACCUMULATIONS.items():
            if kind == "overwritten" or (OPERATIONS[name].profile == "binary" and OPERATIONS[name].kink == "none"):
                yield Implementation(name, kind, *pair, accumulate)


STATEFUL = frozenset({"inputs changed", "upstream changed", "piles up"})
EXTRA: Mapping[str, tuple[tuple[tuple[int, ...], ...], ...]] = {
    "unary": (((7,),), ((4, 4),), ((1, 5),), ((),)),
    "binary": (((7,), (7,)), ((4, 5), (5,)), ((4, 1), (3,)), ((), (2, 2))),
}


def differs(mutant: Implementation, right: Pair, seed: bytes = b"oracle", draws: int = 3) -> bool:
    """Does the mutant differ from the right implementation anywhere on a dense set of its own points?"""
    name = mutant.operation
    operation = OPERATIONS[name]
    cases = [case for case in cases_of(spec_of(name), operation) if case.draw != "kink"]
    cases += [Case("extra", shapes, cases[0].attrs) for shapes in EXTRA.get(operation.profile, ())]
    with np.errstate(all="ignore"):
        for number, (draw, case) in enumerate(itertools.product(range(draws), cases)):
            rng = generator(seed, name, str(draw), str(number))
            xs = draw_inputs(case, operation, rng)
            y = np.asarray(right[0](*xs, **dict(case.attrs)))
            g = draw_upstream(y.shape, rng)
            if _differs_at(mutant, right, xs, y, g, dict(case.attrs)):
                return True
    return False


def _differs_at(mutant: Implementation, right: Pair, xs: Any, y: Any, g: Any, attrs: dict[str, Any]) -> bool:
    wanted = [np.asarray(d, float) for d in right[1](xs, y, g.copy(), **attrs)]
    try:
        found = mutant.backward(tuple(np.array(x) for x in xs), y, g.copy(), **attrs)
    except (IndexError, ValueError):
        return True
    if len(found) != len(wanted) or any(d is None for d in found):
        return True
    for d, r in zip(found, wanted, strict=True):
        if np.shape(d) != r.shape and not (np.size(d) == r.size == 1):
            return True
        scale = np.max(np.abs(r), initial=1e-3)
        if np.all(np.isfinite(r)) and not np.all(np.abs(np.reshape(d, r.shape) - r) <= 1e-10 * scale):
            return True
    return False


def asked(name: str, seed: bytes) -> Any:
    return points_of(spec_of(name), seed)
