"""What is wrong with a backward pass: known mistakes, each tried against everything that came back.

A diagnosis is a stable note and a sentence for the learner.  It never contains an expected value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.compare.nodes.agreement import Values, agrees, fits, plain
from grader.compare.nodes.comparison import Outcome
from grader.compare.nodes.mistaken import INVERSES, reduce_to
from grader.compare.nodes.truth import Variant, truth_at
from grader.execution.probes import Attribute

MISTAKE_TOLERANCE = 1e-7
CORE = ("generic", "number", "one", "square")  # where a mistake shows unmixed with those of special inputs


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A note and a sentence for the learner; `factors` of the gradients, where these are wrong by constant factors."""

    note: str
    message: str
    factors: tuple[float, ...] = ()


Attributes = tuple[tuple[str, Attribute], ...]


def diagnose_backward(outcomes: Sequence[Outcome], variant: Variant) -> Diagnosis:
    """The first known mistake that explains every wrong point; else where the gradient is wrong."""
    wrong = [one for one in outcomes if one.backward is False]
    state = _state(outcomes) or _kept_between_calls(outcomes)
    if state is not None:
        return state
    place = _special_place(wrong)
    if place is not None:
        return place
    raised = [one for one in wrong if not one.reply.returned]
    if raised and len(raised) == len(wrong):
        return _raised(raised)
    returned = [one for one in wrong if one.reply.returned]
    missing = _missing(returned)
    if missing is not None:
        return missing
    shaped = [one for one in returned if one.point.case.draw != "kink" and one.point.role != "same"]
    core = [one for one in shaped if one.group in CORE] or shaped
    for rule in _RULES:
        found = rule(core, variant) if core else None
        if found is not None:
            return replace(found, message=found.message + _only_there(wrong))
    return _by_place(wrong, outcomes)


def _gradients(one: Outcome) -> list[Values]:
    """The gradients as numbers; entries that are none are NaN so that no rule matches them."""
    numbers = [plain(s) for s in one.reply.gradients]
    return [np.asarray(np.nan) if s is None else s for s in numbers]


def _upstream(one: Outcome) -> Values:
    return np.asarray(1.0 if one.point.upstream is None else one.point.upstream, float)


def _everywhere(wrong: Sequence[Outcome], test: Callable[[Outcome], bool]) -> bool:
    return bool(wrong) and all(test(one) for one in wrong)


def _close(s: Values, r: Values) -> bool:
    shaped = fits(s, r)
    if shaped is None:
        return False
    return agrees(shaped, r, 1.0) or bool(
        np.all(np.abs(shaped - r) <= MISTAKE_TOLERANCE * (np.max(np.abs(r), initial=0.0) + 1e-3))
    )


def _state(outcomes: Sequence[Outcome]) -> Diagnosis | None:
    """Faults that show only together with earlier calls or held gradients."""
    wrong = {one.group for one in outcomes if one.backward is False}
    if wrong == {"prefilled"}:
        return Diagnosis(
            "node.overwritten", "The gradient overwrites what the input already had; it must be added (`+=`)."
        )
    if wrong and wrong <= {"prefilled", "same"}:
        return Diagnosis(
            "node.overwritten",
            "When the same node is used more than once, its contributions must add up; one of them is lost here.",
        )
    return None


LEAKS = "The same call gives another gradient later: something is kept between calls."


def _kept_between_calls(outcomes: Sequence[Outcome]) -> Diagnosis | None:
    """The first call with given shapes is right, later ones with the same shapes are wrong."""
    asked = [one for one in outcomes if one.point.upstream is not None]
    repeated = [one for one in asked if one.group == "repeated"]
    if repeated and asked[0].backward and not repeated[0].backward:
        return Diagnosis("node.state_leaks", LEAKS)
    seen: set[tuple[object, ...]] = set()
    first: list[Outcome] = []
    later: list[Outcome] = []
    for one in asked:
        key = (tuple(x.shape for x in one.point.inputs), one.point.case.attrs, one.point.role == "same")
        (later if key in seen else first).append(one)
        seen.add(key)
    wrong = [one for one in later if one.backward is False and one.group != "prefilled"]
    if len(wrong) >= 2 and all(one.backward for one in first):
        return Diagnosis("node.state_leaks", LEAKS)
    return None


def _special_place(wrong: Sequence[Outcome]) -> Diagnosis | None:
    """Wrong only for a special kind of input, which says more than any rule."""
    groups = {one.group for one in wrong}
    if len(groups) == 1 and (group := next(iter(groups))) in ("integer", "extreme", "kink"):
        note, message = _PLACES[group]
        return Diagnosis(note, message.replace("It is", "The gradient is", 1))
    return None


def _raised(raised: Sequence[Outcome]) -> Diagnosis:
    first = raised[0]
    if first.reply.status == "timeout":
        return Diagnosis(
            "node.timeout", f"The backward pass did not come back within its time limit {place_of(first)}."
        )
    if first.reply.status == "malformed":
        return Diagnosis(
            "node.not_numbers", f"The gradient is not an array of numbers {place_of(first)}: {first.reply.detail}"
        )
    return Diagnosis("node.raised", f"The call raised an error {place_of(first)}: {first.reply.detail}")


def _missing(returned: Sequence[Outcome]) -> Diagnosis | None:
    for one in returned:
        have = [s for s in one.reply.gradients if s is not None]
        if len(have) < len(one.truth.gradients):
            count = len(one.truth.gradients)
            return Diagnosis(
                "node.gradient_missing",
                f"The node has {count} input{'s' if count > 1 else ''}; the backward pass must give a gradient for "
                + ("each of them." if count > 1 else "it."),
            )
        if len(one.reply.gradients) > len(one.truth.gradients):
            return Diagnosis("node.gradient_count", "The backward pass gives more gradients than the node has inputs.")
    return None


def _reduction_missing(wrong: Sequence[Outcome], variant: Variant) -> Diagnosis | None:
    """Wrong shapes, all of them the shape of the result, or right only after summing over the broadcast axes."""
    guilty = [
        one for one in wrong if one.group in ("broadcast", "batched_broadcast", "integer", "budget") or _oversized(one)
    ]
    if len(guilty) < len(wrong) or not any(_oversized(one) for one in wrong):
        return None
    return Diagnosis(
        "node.missing_reduction",
        "Where an input was repeated (broadcast) to fit, its gradient must be summed back to the input's own shape; "
        f"here it has another shape {place_of(next(one for one in wrong if _oversized(one)))}.",
    )


def _oversized(one: Outcome) -> bool:
    return any(s.size > r.size for s, r in zip(_gradients(one), one.truth.gradients, strict=False))


def _ignored_upstream(wrong: Sequence[Outcome], variant: Variant) -> Diagnosis | None:
    def test(one: Outcome) -> bool:
        ones = truth_at(variant, one.point.inputs, one.point.attrs, np.ones_like(_upstream(one))).gradients
        return all(
            _close(s, r) or _close(s - p, r)
            for s, r, p in zip(_gradients(one), ones, one.point.prefill or (0.0,) * len(ones), strict=False)
        )

    if _everywhere(wrong, test):
        return Diagnosis(
            "node.upstream_ignored",
            "The gradient that arrives from above is not used: multiply the local derivative by it (chain rule).",
        )
    return None


def _missing_local(wrong: Sequence[Outcome], variant: Variant) -> Diagnosis | None:
    def test(one: Outcome) -> bool:
        return all(
            _close(s, reduce_to(_upstream(one), r.shape)) or _close(s, r)
            for s, r in zip(_gradients(one), one.truth.gradients, strict=False)
        )

    if _everywhere([one for one in wrong if not one.point.prefill], test):
        return Diagnosis(
            "node.local_derivative_missing",
            "The gradient from above is passed on unchanged: multiply it by the derivative of this operation.",
        )
    return None


def _sign(wrong: Sequence[Outcome], variant: Variant) -> Diagnosis | None:
    def test(one: Outcome) -> bool:
        return all(
            _close(s - p, sign * (r - p))
            for s, r, p, sign in zip(
                _gradients(one), one.truth.gradients, one.point.prefill or (0.0, 0.0, 0.0), signs, strict=False
            )
        )

    signs: tuple[int, ...]
    for signs in ((-1, -1, -1), (1, -1, 1), (-1, 1, 1), (1, 1, -1)):
        if _everywhere(wrong, test):
            return Diagnosis(
                "node.sign", "The gradient has the wrong sign" + _which(signs, wrong[0]) + ".", tuple(map(float, signs))
            )
    return None


def _which(signs: tuple[int, ...], one: Outcome) -> str:
    if len(one.truth.gradients) == 1 or all(sign == -1 for sign in signs):
        return ""
    return f" for the {('first', 'second', 'third')[signs.index(-1)]} input"


def _factor(wrong: Sequence[Outcome], variant: Variant) -> Diagnosis | None:
    """A constant ratio, the same at all points or following a size of the point."""
    factors = []
    for one in wrong:
        if one.point.prefill:
            continue
        ratios: list[float] = []
        for s, r in zip(_gradients(one), one.truth.gradients, strict=False):
            shaped = fits(s, r)
            if shaped is None or not np.any(r):
                return None
            ratio = float(np.sum(shaped * r) / np.sum(r * r))
            if not _close(shaped, ratio * r):
                return None
            ratios.append(ratio)
        if max(ratios) - min(ratios) > 1e-6 * abs(ratios[0]):
            return None
        factors.append((ratios[0], one))
    if not factors:
        return None
    values = [value for value, _ in factors]
    if max(values) - min(values) <= 1e-6 * abs(values[0]):
        if values[0] == 0:
            return Diagnosis("node.zero_gradient", "The gradient is zero everywhere.", (0.0,) * 3)
        return Diagnosis(
            "node.factor", f"The gradient is wrong by the constant factor {values[0]:.6g}.", (values[0],) * 3
        )
    if all(_is_a_size(value, one) for value, one in factors):
        return Diagnosis(
            "node.mean_or_sum",
            "The gradient is wrong by the number of entries: a sum and a mean are mixed up.",
        )
    return None


def _is_a_size(value: float, one: Outcome) -> bool:
    sizes = {float(np.prod(x.shape)) for x in one.point.inputs} | {float(n) for x in one.point.inputs for n in x.shape}
    return any(abs(value - k) <= 1e-6 * k or abs(value - 1 / k) <= 1e-6 / k for k in sizes)


def _swapped(wrong: Sequence[Outcome], variant: Variant) -> Diagnosis | None:
    def test(one: Outcome) -> bool:
        given, truth = _gradients(one), one.truth.gradients
        return len(truth) == 2 and len(given) == 2 and _close(given[0], truth[1]) and _close(given[1], truth[0])

    if _everywhere([one for one in wrong if not one.point.prefill], test):
        return Diagnosis("node.swapped", "The gradients of the two inputs are interchanged.")
    return None


def _transposed(wrong: Sequence[Outcome], variant: Variant) -> Diagnosis | None:
    def test(one: Outcome) -> bool:
        pairs = list(zip(_gradients(one), one.truth.gradients, strict=False))
        return any(r.ndim >= 2 and not _close(s, r) for s, r in pairs) and all(
            _close(s, r) or (r.ndim >= 2 and s.ndim >= 2 and _close(np.swapaxes(s, -1, -2), r)) for s, r in pairs
        )

    if _everywhere([one for one in wrong if not one.point.prefill], test):
        return Diagnosis("node.transposed", "The gradient is transposed: it must have the shape of its input.")
    return None


def _twice_upstream(wrong: Sequence[Outcome], variant: Variant) -> Diagnosis | None:
    def test(one: Outcome) -> bool:
        g = _upstream(one)
        squared = truth_at(variant, one.point.inputs, one.point.attrs, g * g).gradients
        return all(_close(s, r) for s, r in zip(_gradients(one), squared, strict=False))

    if _everywhere([one for one in wrong if not one.point.prefill], test):
        return Diagnosis("node.upstream_twice", "The gradient from above is multiplied in twice.")
    return None


def _value_for_gradient(wrong: Sequence[Outcome], variant: Variant) -> Diagnosis | None:
    """The gradient is upstream times the forward value."""

    def test(one: Outcome) -> bool:
        g = _upstream(one)
        return all(
            _close(s, reduce_to(g * one.truth.y, r.shape))
            for s, r in zip(_gradients(one), one.truth.gradients, strict=False)
        )

    if _everywhere([one for one in wrong if not one.point.prefill], test):
        return Diagnosis(
            "node.value_for_derivative", "The gradient uses the value of the operation where its derivative is needed."
        )
    return None


def _argument_for_value(wrong: Sequence[Outcome], variant: Variant) -> Diagnosis | None:
    """The derivative in terms of the result, evaluated at the argument: 1 - x² for tanh, x(1 - x) for the sigmoid."""
    inverse = INVERSES.get(variant.operation)
    if inverse is None:
        return None
    matched = 0
    for one in wrong:
        if one.point.prefill or one.point.case.draw in ("extreme", "integer"):
            continue
        moved = inverse(np.asarray(one.point.inputs[0], float))
        usable = np.isfinite(moved)
        if not np.any(usable):
            continue
        g = _upstream(one)
        expected = truth_at(variant, (np.where(usable, moved, 1.0),), {}, g).gradients[0]
        given = fits(_gradients(one)[0], expected)
        if given is None or not _close(given[usable], expected[usable]):
            return None
        matched += int(usable.sum())
    if matched < 3:
        return None
    return Diagnosis(
        "node.argument_for_value",
        "The derivative is written in terms of the result of the operation, but evaluated at its input.",
    )


_RULES: tuple[Callable[[Sequence[Outcome], Variant], Diagnosis | None], ...] = (
    _reduction_missing,
    _ignored_upstream,
    _sign,
    _missing_local,
    _swapped,
    _factor,
    _transposed,
    _twice_upstream,
    _value_for_gradient,
    _argument_for_value,
)

_PLACES = {
    "broadcast": (
        "node.broadcast",
        "It is right for inputs of one shape but wrong where an input is repeated (broadcast).",
    ),
    "batched_broadcast": (
        "node.batch_not_reduced",
        "It is wrong where one factor is shared by a batch: its gradient must be summed over the batch.",
    ),
    "batched": ("node.batched", "It is wrong for arrays with more than two axes."),
    "number": ("node.numbers", "It is wrong for single numbers (arrays without axes)."),
    "one": ("node.one_entry", "It is wrong where an axis has a single entry."),
    "square": ("node.square", "It is wrong for square arrays."),
    "integer": (
        "node.integer_input",
        "It is wrong for integer inputs: the gradient is cut to whole numbers or cannot be computed.",
    ),
    "extreme": ("node.extreme_input", "It is wrong for inputs of large size, where the direct formula overflows."),
    "kink": ("node.kink", "Where the operation has a kink (or ties), the gradient is no possible derivative."),
    "axis": ("node.axis", "It is wrong for some choices of the axis."),
    "axis_negative": ("node.axis_negative", "It is wrong for negative axes."),
    "axis_tuple": ("node.axis_tuple", "It is wrong for several axes at once."),
    "keepdims": ("node.keepdims", "It is wrong with `keepdims=True`."),
    "vector": ("node.vectors", "It is wrong where a factor is a vector."),
}


def _only_there(wrong: Sequence[Outcome]) -> str:
    """A sentence that limits a diagnosis to the one group of points where it shows."""
    groups = {one.group for one in wrong} - {"prefilled", "same", "repeated", "budget"}
    group = next(iter(groups)) if len(groups) == 1 else ""
    return " " + _PLACES[group][1].replace("It is wrong", "This shows", 1) if group in _PLACES else ""


def _by_place(wrong: Sequence[Outcome], outcomes: Sequence[Outcome]) -> Diagnosis:
    """Name the group of points where alone it is wrong; else an example."""
    groups = {one.group for one in wrong} - {"prefilled", "same", "repeated", "budget"}
    shapes = [one for one in wrong if one.reply.returned and _other_shape(one)]
    for group in ("batched_broadcast", "broadcast"):
        if group in groups and groups <= {group, "batched", "integer"}:
            note, message = _PLACES[group]
            return Diagnosis(note, f"The gradient is not right everywhere. {message}")
    if len(groups) == 1 and (group := next(iter(groups))) in _PLACES:
        note, message = _PLACES[group]
        return Diagnosis(note, f"The gradient is not right everywhere. {message}")
    if shapes and len(shapes) == len(wrong):
        return Diagnosis("node.wrong_shape", f"A gradient has another shape than its input {place_of(shapes[0])}.")
    right_only_square = all(one.group == "square" for one in outcomes if one.backward and one.point.role == "point")
    if right_only_square and any(one.backward for one in outcomes):
        return Diagnosis("node.square_only", "The gradient is right for square arrays only.")
    first = next((one for one in wrong if one.reply.returned), wrong[0])
    return Diagnosis("node.gradient", f"The gradient is wrong, for example {place_of(first)}.")


def _other_shape(one: Outcome) -> bool:
    return any(
        s is not None and s.shape != r.shape for s, r in zip(one.reply.gradients, one.truth.gradients, strict=False)
    )


def place_of(one: Outcome) -> str:
    """Where it went wrong, in words: shapes and attributes, and the inputs where they are few."""
    shapes = " and ".join(str(x.shape) for x in one.point.inputs)
    inputs = ""
    if all(x.size == 1 for x in one.point.inputs):
        inputs = " (" + ", ".join(f"{float(x.reshape(-1)[0]):.6g}" for x in one.point.inputs) + ")"
        shapes = " and ".join("a number" if x.shape == () else str(x.shape) for x in one.point.inputs)
    attrs = ", ".join(f"{name}={value}" for name, value in one.point.case.attrs if name != "labels")
    return f"for inputs of shape {shapes}{inputs}" + (f" with {attrs}" if attrs else "")
