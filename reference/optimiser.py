"""Steps of the usual optimisers as derivations: gradient descent, momentum, AdaGrad, RMSProp, Adam.

Sources: Polyak 1964 (momentum), Duchi et al. 2011 (AdaGrad), Hinton 2012 (RMSProp), Kingma & Ba 2015 (Adam).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from reference import expression as E
from reference.derivation import Derivation, Step
from reference.expression import substitute
from reference.modes import gradient
from reference.node import Expr, Operand
from reference.rules import STANDARD, Rules

Method = Literal["gradient_descent", "momentum", "adagrad", "rmsprop", "adam"]
METHODS: tuple[Method, ...] = ("gradient_descent", "momentum", "adagrad", "rmsprop", "adam")


@dataclass(frozen=True)
class Settings:
    """Hyperparameters, exact.  `inside` puts eps under the root; `bias_correction` is Adam's; `velocity` says how
    momentum is written: "plain" v = βv + g, w -= ηv; "scaled" v = βv + ηg, w -= v; "average" v = βv + (1-β)g."""

    rate: Operand = Fraction(1, 10)
    beta: Operand = Fraction(9, 10)
    beta2: Operand = Fraction(999, 1000)
    eps: Operand = Fraction(1, 10**8)
    inside: bool = False
    bias_correction: bool = True
    velocity: Literal["plain", "scaled", "average"] = "plain"


def optimise(
    objective: Expr,
    weights: Expr,
    method: Method,
    steps: int,
    settings: Settings | None = None,
    rules: Rules = STANDARD,
) -> Derivation:
    """The first `steps` steps of an optimiser as a derivation over w_0: per step the gradient g_t, the memories, w_t.

    Named w_t after the weights' own symbol; memories are v_t (momentum, RMSProp, Adam's second), s_t (AdaGrad), m_t
    (Adam's first), mhat_t and vhat_t.  Memories start at 0.  Shapes: all as the weights.
    """
    chosen = settings or Settings()
    slope = gradient(objective, weights, rules)
    rows: list[Step] = []
    for t in range(1, steps + 1):
        before = E.symbol(f"{weights.name}_{t - 1}", weights.shape)
        rows.append(Step(f"g_{t}", substitute(slope, {weights: before})))
        rows.extend(_STEPS[method](t, before, E.symbol(f"g_{t}", weights.shape), chosen))
        last = rows.pop()
        rows.append(Step(f"{weights.name}_{t}", last.expr))
    return Derivation(tuple(rows))


def _memory(name: str, t: int, like: Expr) -> Expr | None:
    return E.symbol(f"{name}_{t - 1}", like.shape) if t > 1 else None


def _decayed(factor: Operand, memory: Expr | None, news: Expr) -> Expr:
    return news if memory is None else E.constant(factor) * memory + news


def _root(memory: Expr, s: Settings) -> Expr:
    eps = E.constant(s.eps)
    return E.sqrt(memory + eps) if s.inside else E.sqrt(memory) + eps


def _descend(t: int, w: Expr, g: Expr, s: Settings) -> list[Step]:
    return [Step("w", w - E.constant(s.rate) * g)]


def _momentum(t: int, w: Expr, g: Expr, s: Settings) -> list[Step]:
    news = {"plain": g, "scaled": E.constant(s.rate) * g, "average": (1 - E.constant(s.beta)) * g}[s.velocity]
    v = Step(f"v_{t}", _decayed(s.beta, _memory("v", t, w), news))
    move = v.symbol if s.velocity == "scaled" else E.constant(s.rate) * v.symbol
    return [v, Step("w", w - move)]


def _adagrad(t: int, w: Expr, g: Expr, s: Settings) -> list[Step]:
    total = Step(f"s_{t}", _decayed(1, _memory("s", t, w), g**2) if t > 1 else g**2)
    return [total, Step("w", w - E.constant(s.rate) * g / _root(total.symbol, s))]


def _rmsprop(t: int, w: Expr, g: Expr, s: Settings) -> list[Step]:
    v = Step(f"v_{t}", _decayed(s.beta, _memory("v", t, w), (1 - E.constant(s.beta)) * g**2))
    return [v, Step("w", w - E.constant(s.rate) * g / _root(v.symbol, s))]


def _adam(t: int, w: Expr, g: Expr, s: Settings) -> list[Step]:
    one, two = E.constant(s.beta), E.constant(s.beta2)
    m = Step(f"m_{t}", _decayed(s.beta, _memory("m", t, w), (1 - one) * g))
    v = Step(f"v_{t}", _decayed(s.beta2, _memory("v", t, w), (1 - two) * g**2))
    if not s.bias_correction:
        return [m, v, Step("w", w - E.constant(s.rate) * m.symbol / _root(v.symbol, s))]
    mhat = Step(f"mhat_{t}", m.symbol / (1 - one**t))
    vhat = Step(f"vhat_{t}", v.symbol / (1 - two**t))
    return [m, v, mhat, vhat, Step("w", w - E.constant(s.rate) * mhat.symbol / _root(vhat.symbol, s))]


_STEPS: dict[str, Callable[[int, Expr, Expr, Settings], list[Step]]] = {
    "gradient_descent": _descend,
    "momentum": _momentum,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adam": _adam,
}
