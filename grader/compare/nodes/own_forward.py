"""Is a backward pass right for the student's own forward pass?  Central differences with Richardson extrapolation.

Used only where the forward pass differs from the operation's: then the exact gradient of *their* function is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from grader.compare.nodes.agreement import plain
from grader.compare.nodes.comparison import Outcome
from grader.compare.nodes.mistaken import reduce_to
from grader.compare.nodes.operations import Operation
from grader.compare.nodes.probing import STEPS, Point
from grader.compare.observations import NOTHING, Reply

OF_ESTIMATE = 10.0
CAP = 1e-4
FLOOR = 1e-8


def right_for_own_forward(points: Sequence[Point], replies: Mapping[str, Reply]) -> bool | None:
    """True if every sweep confirms the returned gradients, False if one refutes them, None if none could be made."""
    sweeps: dict[int, list[Point]] = {}
    for point in points:
        if point.role == "sweep":
            sweeps.setdefault(point.sweep, []).append(point)
    verdicts = [_confirms(sweep, replies) for sweep in sweeps.values()]
    if not verdicts or verdicts[0] is None:
        return None
    return all(verdict is not False for verdict in verdicts)


def is_trivial(asked: Sequence[Outcome], operation: Operation) -> bool:
    """Is the backward pass that of next to nothing: the upstream gradient itself, or zero, or a multiple of it?

    Following such a forward pass would make the question another, easier one.  A multiple is trivial where the
    operation is not linear itself.
    """
    factors: set[float] = set()
    for one in asked:
        if not one.reply.returned or one.point.upstream is None or one.point.case.draw == "kink" or one.point.prefill:
            continue
        for gradient, x in zip(one.reply.gradients, one.point.inputs, strict=False):
            numbers, passed = plain(gradient), reduce_to(np.asarray(one.point.upstream, float), x.shape)
            if numbers is None or numbers.shape != passed.shape:
                return False
            ratio = float(np.sum(numbers * passed) / np.sum(passed * passed))
            if not np.allclose(numbers, ratio * passed, rtol=1e-9, atol=1e-12):
                return False
            factors.add(round(ratio, 9))
    return bool(factors) and (factors <= {0.0, 1.0} or (len(factors) == 1 and not operation.linear))


def _confirms(sweep: Sequence[Point], replies: Mapping[str, Reply]) -> bool | None:
    """Compare <gradient, direction> with the slope of <upstream, forward> along the direction."""
    centre = next(point for point in sweep if point.upstream is not None)
    reply = replies.get(centre.name, NOTHING)
    slope = _slope(sweep, centre, replies)
    if slope is None:
        return None
    if len(reply.gradients) < len(centre.inputs):
        return False
    said = 0.0
    for gradient, x, direction in zip(reply.gradients, centre.inputs, centre.direction, strict=False):
        numbers = plain(gradient)
        if numbers is None or numbers.shape != x.shape:
            return False
        said += float(np.sum(numbers * direction))
    value, error = slope
    size = max(abs(value), abs(said))
    return bool(abs(said - value) <= min(OF_ESTIMATE * error, CAP * size) + FLOOR * size)


def _slope(sweep: Sequence[Point], centre: Point, replies: Mapping[str, Reply]) -> tuple[float, float] | None:
    """Derivative and error estimate: the entry of the Richardson table whose estimate is smallest."""
    assert centre.upstream is not None
    values: dict[float, float] = {}
    for point in sweep:
        if point.upstream is not None:
            continue
        y = plain(replies.get(point.name, NOTHING).y)
        if y is None or y.size != centre.upstream.size or not np.all(np.isfinite(y)):
            return None
        values[point.step] = float(np.sum(y.reshape(centre.upstream.shape) * centre.upstream))
    rows: list[list[float]] = []
    best: tuple[float, float] | None = None
    for step in STEPS:
        row = [(values[step] - values[-step]) / (2 * step)]
        for k, earlier in enumerate(rows[-1] if rows else [], start=1):
            row.append(row[-1] + (row[-1] - earlier) / (4**k - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - earlier))
            if best is None or error < best[1]:
                best = row[-1], error
        rows.append(row)
    return best
