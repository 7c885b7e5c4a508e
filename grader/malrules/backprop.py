"""Misconceptions about backpropagation through layers: activation derivatives, transposes, factors, the upstream.

Right: δ_L = f'(z_L) ⊙ ∂C/∂a_L, δ_l = (W_{l+1}ᵀ δ_{l+1}) ⊙ f'(z_l), ∂C/∂W_l = δ_l a_{l-1}ᵀ, ∂C/∂b_l = δ_l.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from grader.malrules.malrule import Layer, MalRule, Network, Setting
from reference import expression as E
from reference.algebra import FORMULAS
from reference.expression import Expr
from reference.modes import gradient
from reference.primitives import PRIMITIVES
from reference.shapes import ShapeError


@dataclass(frozen=True, slots=True)
class Passes:
    """The rules of the backward pass through a network."""

    slope: Callable[[Layer, Expr, Expr, bool], Expr]  # (layer, z, a, is it the output layer?) -> f'(z)
    back: Callable[[Expr, Expr], Expr]  # (W, δ) -> adjoint of the activations below
    weights: Callable[[Expr, Expr], Expr]  # (δ, activations below) -> ∂C/∂W
    upstream: Callable[[Network, Expr], Expr]  # (network, output) -> ∂C/∂a_L
    below: int = 0  # which activations go with δ: those below the layer (0) or the layer's own (1)


def activation_slope(layer: Layer, z: Expr, a: Expr) -> Expr:
    """f'(z), entry by entry."""
    if not layer.activation:
        return E.ones(z.shape)
    rule = PRIMITIVES[layer.activation].derivative
    assert rule is not None
    found = rule(FORMULAS, {}, z, a)
    assert isinstance(found, Expr)
    return found


RIGHT = Passes(
    slope=lambda layer, z, a, last: activation_slope(layer, z, a),
    back=lambda w, delta: E.transpose(w) @ delta,
    weights=lambda delta, below: E.outer(delta, below),
    upstream=lambda network, out: E.substitute(gradient(network.loss, network.output), {network.output: out}),
)


def backpropagate(network: Network, wrt: Expr, rules: Passes = RIGHT) -> Expr | None:
    """∂C/∂wrt under these rules, wrt being one of the network's weights or biases; None for anything else."""
    activations, sums = [network.x], []
    for layer in network.layers:
        z = layer.weights @ activations[-1] + layer.bias
        sums.append(z)
        activations.append(E.apply(layer.activation, z) if layer.activation else z)
    adjoint = rules.upstream(network, activations[-1])
    for n in range(len(network.layers) - 1, -1, -1):
        layer = network.layers[n]
        last = n == len(network.layers) - 1
        delta = adjoint * rules.slope(layer, sums[n], activations[n + 1], last)
        if wrt is layer.weights:
            return rules.weights(delta, activations[n + rules.below])
        if wrt is layer.bias:
            return delta
        adjoint = rules.back(layer.weights, delta)
    return None


def _with(*variants: Passes) -> Callable[[Setting], Iterable[Expr]]:
    def derive(setting: Setting) -> Iterator[Expr]:
        if setting.network is None or len(setting.wrt) != 1:
            return
        for rules in variants:
            with suppress(ShapeError):  # shapes that do not conform give no result
                found = backpropagate(setting.network, setting.wrt[0], rules)
                if found is not None:
                    yield found

    return derive


def _ones(layer: Layer, z: Expr, a: Expr, last: bool) -> Expr:
    return E.ones(z.shape)


def _ones_at_output(layer: Layer, z: Expr, a: Expr, last: bool) -> Expr:
    return E.ones(z.shape) if last else activation_slope(layer, z, a)


def _ones_inside(layer: Layer, z: Expr, a: Expr, last: bool) -> Expr:
    return activation_slope(layer, z, a) if last else E.ones(z.shape)


def _at_activation(layer: Layer, z: Expr, a: Expr, last: bool) -> Expr:
    """f' taken at a = f(z) instead of z."""
    return activation_slope(layer, a, E.apply(layer.activation, a)) if layer.activation else E.ones(z.shape)


def _activation_itself(layer: Layer, z: Expr, a: Expr, last: bool) -> Expr:
    return a if layer.activation else E.ones(z.shape)


def _scaled(setting: Setting) -> Iterator[Expr]:
    """The mean instead of the sum, or the factor two of a square missing or doubled."""
    network = setting.network
    if network is None or len(setting.wrt) != 1:
        return
    size = network.output.shape[0] if network.output.shape else 1
    right = backpropagate(network, setting.wrt[0])
    if right is not None:
        for factor in (2, size) if size > 1 else (2,):
            yield right * factor
            yield right / factor


BACKPROP: tuple[MalRule, ...] = (
    MalRule(
        "backprop.activation_derivative_missing",
        "Going back through an activation multiplies by its derivative.",
        _with(*(replace(RIGHT, slope=slope) for slope in (_ones, _ones_at_output, _ones_inside))),
    ),
    MalRule(
        "backprop.derivative_at_activation",
        "The derivative of the activation function is taken at the pre-activation, not at the activation.",
        _with(replace(RIGHT, slope=_at_activation)),
    ),
    MalRule(
        "backprop.activation_not_differentiated",
        "The activation function itself stands where its derivative is needed.",
        _with(replace(RIGHT, slope=_activation_itself)),
    ),
    MalRule(
        "backprop.weights_not_transposed",
        "Going back through a layer needs the transposed weights.",
        _with(replace(RIGHT, back=lambda w, delta: w @ delta)),
    ),
    MalRule(
        "backprop.outer_transposed",
        "The gradient of a weight matrix has the shape of the matrix: rows belong to outputs, columns to inputs.",
        _with(replace(RIGHT, weights=lambda delta, below: E.outer(below, delta))),
    ),
    MalRule(
        "backprop.upstream_ignored",
        "The gradient that arrives from above has to be multiplied in.",
        _with(
            replace(RIGHT, upstream=lambda network, out: E.ones(out.shape)),
            replace(RIGHT, back=lambda w, delta: E.sum(w, axis=0)),
        ),
    ),
    MalRule(
        "backprop.wrong_layer_activation",
        "A weight's gradient needs the activations that went into its layer.",
        _with(replace(RIGHT, below=1)),
    ),
    MalRule("backprop.mean_or_sum", "Sum or mean, with or without one half: check the factor.", _scaled),
)
