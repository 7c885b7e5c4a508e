"""Feed-forward networks as derivations: forward pass, δ recursion, gradients by weights and biases, update, costs.

Names: input a_0, weights W_l (n_l, n_{l-1}), biases b_l (n_l,), pre-activations z_l, activations a_l, target y, cost C,
output errors delta_l = ∂C/∂z_l, grad_W_l and grad_b_l.  Source: Nielsen 2015, chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from reference import expression as E
from reference.derivation import Derivation, Step, joined
from reference.expression import substitute
from reference.modes import gradient, vjp
from reference.node import Expr, Operand
from reference.rules import STANDARD, Rules
from reference.shapes import Shape
from reference.simplify import simplify

Loss = Literal["sum_squares", "half_squares", "mean_squares", "cross_entropy", "output"]
Activation = Callable[[Expr], Expr]

ACTIVATIONS: dict[str, Activation] = {
    "identity": lambda z: z,
    "sigmoid": E.sigmoid,
    "tanh": E.tanh,
    "relu": E.relu,
    "softplus": E.softplus,
    "silu": E.silu,
    "gelu": E.gelu,
    "softmax": E.softmax,
    "sin": E.sin,
    "abstract": lambda z: E.call("f", [z]),
}


@dataclass(frozen=True)
class Network:
    """Sizes n_0 … n_L, one activation per layer (names of ACTIVATIONS), the cost of the last activation against y.

    cross_entropy is -yᵀ log softmax(z_L), taken of the last pre-activation; "output" has no target: C is the single
    output itself.
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: Loss = "half_squares"
    biases: bool = True

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or len(self.activations) != len(self.sizes) - 1:
            raise ValueError("a network needs one activation for each layer after the input")
        for name in self.activations:
            if name not in ACTIVATIONS:
                raise ValueError(f"there is no activation {name}; known are {', '.join(ACTIVATIONS)}")

    @property
    def depth(self) -> int:
        return len(self.sizes) - 1

    def weight(self, layer: int) -> Expr:
        return E.symbol(f"W_{layer}", (self.sizes[layer], self.sizes[layer - 1]))

    def bias(self, layer: int) -> Expr:
        return E.symbol(f"b_{layer}", (self.sizes[layer],))

    def quantity(self, letter: str, layer: int) -> Expr:
        """z_l, a_l or delta_l."""
        return E.symbol(f"{letter}_{layer}", (self.sizes[layer],))

    @property
    def target(self) -> Expr:
        return E.symbol("y", (self.sizes[-1],))

    @property
    def parameters(self) -> tuple[Expr, ...]:
        layers = range(1, self.depth + 1)
        return tuple(p for i in layers for p in ((self.weight(i), self.bias(i)) if self.biases else (self.weight(i),)))


def cost(network: Network) -> Expr:
    """C over z_L (cross-entropy) or a_L, and y."""
    a, y = network.quantity("a", network.depth), network.target
    if network.loss == "output":
        return a[0]
    if network.loss == "cross_entropy":
        return -E.dot(y, E.log_softmax(network.quantity("z", network.depth)))
    squares = E.norm(a - y, "squared")
    divisor = {"sum_squares": 1, "half_squares": 2, "mean_squares": network.sizes[-1]}[network.loss]
    return squares if divisor == 1 else squares / divisor


def forward_pass(network: Network) -> Derivation:
    """z_1, a_1 … z_L, a_L, C over a_0, the weights, the biases and y."""
    rows: list[Step] = []
    for layer in range(1, network.depth + 1):
        z: Expr = network.weight(layer) @ network.quantity("a", layer - 1)
        rows.append(Step(f"z_{layer}", z + network.bias(layer) if network.biases else z))
        f = ACTIVATIONS[network.activations[layer - 1]]
        rows.append(Step(f"a_{layer}", f(network.quantity("z", layer))))
    rows.append(Step("C", cost(network)))
    return Derivation(tuple(rows))


def backward_pass(network: Network, rules: Rules = STANDARD) -> Derivation:
    """delta_L … delta_1 and the gradients, over the names of the forward pass.

    delta_L = f'(z_L) ⊙ ∂C/∂a_L, delta_l = f'(z_l) ⊙ W_{l+1}ᵀ delta_{l+1},
    grad_W_l = delta_l a_{l-1}ᵀ, grad_b_l = delta_l.
    """
    rows: list[Step] = []
    for layer in range(network.depth, 0, -1):
        rows.append(Step(f"delta_{layer}", _delta(network, layer, rules)))
    for layer in range(1, network.depth + 1):
        delta, before = network.quantity("delta", layer), network.quantity("a", layer - 1)
        rows.append(Step(f"grad_W_{layer}", E.outer(delta, before)))
        if network.biases:
            rows.append(Step(f"grad_b_{layer}", delta))
    return Derivation(tuple(rows))


def _delta(network: Network, layer: int, rules: Rules) -> Expr:
    z, a = network.quantity("z", layer), network.quantity("a", layer)
    f = ACTIVATIONS[network.activations[layer - 1]]
    if layer == network.depth:
        total = cost(network)
        if network.loss == "cross_entropy":
            return gradient(total, z, rules)
        bar = gradient(total, a, rules)
    else:
        bar = network.weight(layer + 1).T @ network.quantity("delta", layer + 1)
    found = vjp(f(z), z, bar, rules)
    return substitute(found, {f(z): a}) if f(z) is not z else found


def backpropagation(network: Network, rules: Rules = STANDARD) -> Derivation:
    """Forward and backward pass together."""
    return joined(forward_pass(network), backward_pass(network, rules))


def updated(network: Network, rate: Operand) -> Derivation:
    """One step of gradient descent of every weight and bias: new_W_l, new_b_l."""
    rows = []
    for parameter in network.parameters:
        slope = E.symbol(f"grad_{parameter.name}", parameter.shape)
        rows.append(Step(f"new_{parameter.name}", parameter - E.constant(rate) * slope))
    return Derivation(tuple(rows))


def cross_entropy(logits: Expr, label: int) -> Expr:
    """-log softmax(z)_k for the class k (from 0), written as logsumexp(z) - z_k."""
    return E.logsumexp(logits) - logits[label]


def least_squares(features: Expr, targets: Expr, weights: Expr) -> Derivation:
    """Loss, gradient, Hessian and solution of ‖Φᵀθ - Y‖² with Φ (p, n), θ (p,), Y (n,): θ* = (ΦΦᵀ)⁻¹ΦY."""
    residual = features.T @ weights - targets
    return Derivation(
        (
            Step("loss", E.norm(residual, "squared")),
            Step("gradient", gradient(E.norm(residual, "squared"), weights)),
            Step("hessian", simplify((2 * (features @ features.T),))[0]),
            Step("solution", E.inv(features @ features.T) @ (features @ targets)),
        )
    )


# ---- sizes and costs -----------------------------------------------------------------------------------------------


def product_cost(shapes: Sequence[Shape], order: Literal["right", "left"], additions: bool = False) -> int:
    """Multiplications of a chain of matrices evaluated from the right (forward mode) or the left (reverse mode).

    With `additions` a multiplication and an addition count as two operations: 2 m n k for (m, k)(k, n).
    """
    chain = [tuple(s) for s in shapes]
    for a, b in pairwise(chain):
        if a[1] != b[0]:
            raise ValueError(f"a {a[0]}x{a[1]} matrix cannot be multiplied by a {b[0]}x{b[1]} matrix")
    total = 0
    while len(chain) > 1:
        i = len(chain) - 2 if order == "right" else 0
        (m, k), (_, n) = chain[i], chain[i + 1]
        total += (2 if additions else 1) * m * n * k
        chain[i : i + 2] = [(m, n)]
    return total


def outer_product_cost(sizes: Sequence[int], additions: bool = False) -> int:
    """Multiplications for ∂L/∂W_1 of a scalar output when the last factor is kept as an outer product.

    Sizes n_0 … n_L: the row vector is carried from the left to layer 1, then n_1 n_0 products.
    """
    shapes = [(sizes[i], sizes[i - 1]) for i in range(len(sizes) - 1, 1, -1)]
    return product_cost(shapes, "left", additions) + sizes[1] * sizes[0]


def weight_jacobian_shape(sizes: Sequence[int]) -> Shape:
    """Shape of ∂(W_1 x)/∂W_1 with the weights in one row."""
    return (sizes[1], sizes[1] * sizes[0])


def first_weight_chain(sizes: Sequence[int]) -> tuple[Shape, ...]:
    """The Jacobians whose product is ∂L/∂W_1: from the output's back to the first layer's weights."""
    return (*[(sizes[i], sizes[i - 1]) for i in range(len(sizes) - 1, 1, -1)], weight_jacobian_shape(sizes))


def convolution_parameters(inputs: int, outputs: int, size: tuple[int, int], bias: bool = False) -> int:
    """Number of parameters of a convolution layer."""
    return outputs * inputs * size[0] * size[1] + (outputs if bias else 0)
