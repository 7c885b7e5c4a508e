"""What a misconception is: a stable note, a hint, and the wrong results it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reference.expression import Expr


@dataclass(frozen=True, slots=True)
class Unrolled:
    """A system x' = step(x, θ) taken `steps` times from `start`, and a loss of the last state.

    x and theta are symbols of shapes (n,) and (m,); `start` and `values` are what they begin with (numbers or symbols).
    """

    x: Expr
    theta: Expr
    step: Expr
    loss: Expr
    start: Expr
    values: Expr
    steps: int


@dataclass(frozen=True, slots=True)
class Layer:
    """Entry by entry activation(W a + b).  Shapes: W (m, n), b (m,).  `activation` is the name of a primitive or ""."""

    weights: Expr
    bias: Expr
    activation: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """Layers from the input to the output, and the loss as an expression of the symbol `output`."""

    layers: tuple[Layer, ...]
    x: Expr
    output: Expr
    loss: Expr


@dataclass(frozen=True, slots=True)
class Setting:
    """What a question asks for: f differentiated with respect to `wrt`, and the right result.

    f may be missing where only the result is known; `wrt` holds one array symbol, or several scalar ones whose partial
    derivatives stand side by side in the truth.  For an unrolled system the truth is the gradient in θ, for a network
    the gradient in `wrt`, one of its weights or biases.
    """

    truth: Expr
    f: Expr | None = None
    wrt: tuple[Expr, ...] = ()
    unrolled: Unrolled | None = None
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class MalRule:
    """A misconception.  `derive` gives every wrong result it may lead to, most thorough first.

    The note is the same for all variants of a question and is what statistics count; the hint speaks to the learner and
    never contains the answer.
    """

    note: str
    hint: str
    derive: Callable[[Setting], Iterable[Expr]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One wrong result with the misconception behind it."""

    note: str
    hint: str
    result: Expr


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A misconception that gives exactly the student's answer.  `with_note` names the second one of a pair."""

    note: str
    hint: str
    with_note: str = ""
