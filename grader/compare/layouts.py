"""Shapes of an answer against the shape of the truth: which rearrangements count as the same, in a learner's words."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from grader.compare.policy import Policy
from reference.expression import Expr, broadcast, reshape, transpose
from reference.shapes import Shape, describe


@dataclass(frozen=True, slots=True)
class Aligned:
    """The answer in the shape of the truth, or the message why it has none.  `note` is set where the layout differs."""

    answer: Expr | None
    note: str = ""
    message: str = ""


def vector_length(shape: Shape) -> int | None:
    """Entries of a vector, row or column; None for scalars and proper matrices."""
    if len(shape) == 1:
        return shape[0]
    if len(shape) == 2 and 1 in shape and shape != (1, 1):
        return prod(shape)
    return None


def is_row(shape: Shape) -> bool:
    return len(shape) == 2 and shape[0] == 1 and shape[1] > 1


def align(truth: Shape, answer: Expr, policy: Policy) -> Aligned:
    """Bring an answer into the shape of the truth where the policy allows it."""
    shape = answer.shape
    if shape == truth:
        return Aligned(answer)
    if prod(shape) == 1 and prod(truth) == 1:
        return Aligned(reshape(answer, truth))
    if prod(shape) == 1 and answer.op == "constant" and answer.value == 0:
        return Aligned(broadcast(answer, truth))  # `0` for a vector or matrix of zeros
    length = vector_length(shape)
    if length is not None and length == vector_length(truth):
        return _align_vector(truth, answer, policy)
    if len(truth) == 2 and shape == truth[::-1]:
        message = f"the answer is {describe(shape)}, the transpose of what is asked"
        return Aligned(transpose(answer), "jacobian.transposed", message)
    return Aligned(None, "shape.wrong", f"the answer is {describe(shape)}, but {describe(truth)} is asked")


def _align_vector(truth: Shape, answer: Expr, policy: Policy) -> Aligned:
    layout = "row" if is_row(answer.shape) else "column"
    turned = is_row(answer.shape) != is_row(truth)
    flat = Aligned(reshape(answer, truth))
    if not turned or layout in policy.layouts:
        return flat
    message = f"the answer is a {layout}, but a {policy.layouts[0]} is asked"
    return Aligned(flat.answer, f"layout.{layout}", message)
