"""One point of a node: what came back against the exact value and gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grader.compare.nodes.agreement import OF_LARGEST, RELATIVE, SINGLE, Values, agrees, distance, is_single, plain
from grader.compare.nodes.operations import OPERATIONS
from grader.compare.nodes.probing import Point
from grader.compare.nodes.truth import Truth, Variant, truth_at
from grader.compare.observations import Reply

NEAR_KINK = 1e-7  # one-sided derivatives are taken this far from a kink


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one point came out.  `forward` and `backward` are None where nothing can be said of them."""

    point: Point
    reply: Reply
    truth: Truth
    forward: bool | None
    backward: bool | None
    error: float = 0.0  # of the gradients, relative; infinite where shapes differ
    forward_error: float = 0.0

    @property
    def group(self) -> str:
        """What a fault that shows only here is called."""
        return {"prefilled": "prefilled", "same": "same", "repeated": "repeated"}.get(
            self.point.role, self.point.case.group
        )


def outcome_of(
    point: Point, reply: Reply, forward: Variant, backward: Variant, accumulates: bool, low: bool = False
) -> Outcome:
    """Compare one reply; forward and backward may follow different accepted conventions.

    `low`: this node computes in single precision (its first gradient shows it), also where sums of its results do not.
    """
    same = point.role == "same"
    exact = truth_at(backward, point.inputs, point.attrs, point.upstream, same)
    value = exact.y if forward == backward else truth_at(forward, point.inputs, point.attrs, None, same).y
    if point.prefill and accumulates:
        exact = Truth(exact.y, tuple(p + d for p, d in zip(point.prefill, exact.gradients, strict=True)))
    truth = Truth(value, exact.gradients)
    if not reply.returned:
        return Outcome(point, reply, truth, _raised_forward(point, reply), _raised_backward(point, reply), np.inf)
    single = low or (is_single(reply.y) and not is_single(value))
    extreme = point.case.draw == "extreme"
    room = 1.0 + (abs(point.case.size) if extreme and single else 0.0)
    size = 1.0 if point.upstream is None else float(np.max(np.abs(point.upstream), initial=0.0))
    size *= room
    right = agrees(reply.y, value, room if extreme else 0.0, single)
    off = distance(reply.y, value, 0.0)
    if point.upstream is None:
        return Outcome(point, reply, truth, right, None, 0.0, off)
    if not reply.gradients or all(gradient is None for gradient in reply.gradients):
        return Outcome(point, reply, truth, right, False, np.inf, off)
    if len(reply.gradients) != len(exact.gradients):
        return Outcome(point, reply, truth, right, False, np.inf, off)
    if point.case.draw == "kink":
        return Outcome(point, reply, truth, right, _at_kink(point, reply, backward), 0.0, off)
    fine = _gradients_agree(reply, exact, size * (1e3 if room > 1 or (low and same) else 1.0), low)
    error = max(distance(s, r, size) for s, r in zip(reply.gradients, exact.gradients, strict=True))
    return Outcome(point, reply, truth, right, fine, error, off)


def _gradients_agree(reply: Reply, exact: Truth, size: float, low: bool) -> bool:
    """Every gradient right; single precision is allowed only where everything returned is single."""
    known = [s for s in reply.gradients if s is not None and np.any(s)]
    single = low or (
        bool(known) and all(is_single(s) for s in known) and not all(is_single(r) for r in exact.gradients)
    )
    return all(agrees(s, r, size, single) for s, r in zip(reply.gradients, exact.gradients, strict=True))


def _raised_forward(point: Point, reply: Reply) -> bool | None:
    return False if point.upstream is None and not reply.ours else None


def _raised_backward(point: Point, reply: Reply) -> bool | None:
    return False if point.upstream is not None and not reply.ours else None


def _at_kink(point: Point, reply: Reply, variant: Variant) -> bool:
    """Any element of the subdifferential is right."""
    kink = OPERATIONS[variant.operation].kink
    gradients = [plain(s) for s in reply.gradients]
    if any(s is None or s.shape != x.shape for s, x in zip(gradients, point.inputs, strict=True)):
        return False
    numbers = [s for s in gradients if s is not None]
    if kink == "zero":
        return _between_sides(point, numbers[0], variant)
    return _shares_of_tie(point, numbers, variant)


def _between_sides(point: Point, answer: Values, variant: Variant) -> bool:
    sides = [
        truth_at(variant, (point.inputs[0] + side * NEAR_KINK,), point.attrs, point.upstream).gradients[0]
        for side in (-1, 1)
    ]
    slack = _slack(point)
    return bool(np.all((answer >= np.minimum(*sides) - slack) & (answer <= np.maximum(*sides) + slack)))


def _shares_of_tie(point: Point, answers: list[Values], variant: Variant) -> bool:
    """Tied entries share the upstream gradient in parts in [0, 1] that add up to it; all others get exactly theirs."""
    if point.upstream is None:
        return False
    exact = truth_at(variant, point.inputs, point.attrs, point.upstream).gradients
    slack = _slack(point)
    if len(answers) == 2:
        tied = point.inputs[0] == point.inputs[1]
        parts, whole = np.stack([a[tied] for a in answers], -1), point.upstream[tied]
        rest = [(a[~tied], r[~tied]) for a, r in zip(answers, exact, strict=True)]
    else:
        x = point.inputs[0]
        rows = x.reshape(-1, x.shape[-1])
        tied = rows == rows[:, :1]  # the draw puts one of the tied entries first
        axis_free = np.atleast_1d(point.upstream).reshape(-1)
        answer, truth = answers[0].reshape(rows.shape), exact[0].reshape(rows.shape)
        if axis_free.size not in (1, rows.shape[0]):
            return False
        whole = np.broadcast_to(axis_free, (rows.shape[0],))
        parts = np.where(tied, answer, 0.0)
        rest = [(answer[~tied], truth[~tied])]
    shares = parts / whole[..., None]
    fair = np.all((shares >= -RELATIVE) & (shares <= 1 + 2 * SINGLE)) and np.all(
        np.abs(shares.sum(-1) - 1) <= 2 * SINGLE
    )
    return bool(fair and all(np.all(np.abs(a - r) <= slack) for a, r in rest))


def _slack(point: Point) -> float:
    """Room for rounding at a kink, single precision included: there is nothing to be found out by exactness here."""
    return 0.0 if point.upstream is None else OF_LARGEST * SINGLE * float(np.max(np.abs(point.upstream)))


def computes_in_single(reply: Reply, truth: Truth) -> bool:
    """Do the gradients of a generic point say that this node computes in single precision?"""
    known = [s for s in reply.gradients if s is not None and np.any(s)]
    return bool(known) and all(is_single(s) for s in known) and not any(is_single(r) for r in truth.gradients)
