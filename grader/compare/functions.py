"""Abstract functions in a comparison: replaced by random smooth ones whose derivatives are exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import prod
from random import Random

from grader.compare.domain import Domain
from grader.compare.draws import seeded
from grader.compare.evaluation import TooMuch
from grader.compare.evidence import Sameness
from grader.compare.policy import Policy
from reference import expression as E
from reference.expression import Expr, Function
from reference.shapes import Shape

DRAWS = 2  # the first positive everywhere (so that log f and 1/f exist), the others of both signs
TERMS = 2  # waves per entry of a result
MAX_RESULT = 64  # entries of one function's value


@dataclass(frozen=True, slots=True)
class Signature:
    """Shapes of the arguments and of the value; an elementwise function maps scalars."""

    name: str
    arguments: tuple[Shape, ...]
    result: Shape


def signatures(outputs: Sequence[Expr]) -> tuple[Signature, ...]:
    """The abstract functions used, by their shapes.  Raises TooMuch for values too large to make up."""
    found: dict[str, Signature] = {}
    for node in E.calls(outputs):
        if node.attr("elementwise"):
            arguments: tuple[Shape, ...] = ((),) * len(node.args)
            result: Shape = ()
        else:
            arguments = tuple(a.shape for a in node.args)
            rank = sum(order * len(shape) for order, shape in zip(node.attr("order"), arguments, strict=True))
            result = node.shape[: len(node.shape) - rank]
        if prod(result) > MAX_RESULT:
            raise TooMuch(f"{node.name} has {prod(result)} entries")
        found.setdefault(node.name, Signature(node.name, arguments, result))
    return tuple(found[name] for name in sorted(found))


@lru_cache(maxsize=64)
def smooth_function(signature: Signature, draw: int) -> Function:
    """A sum of waves and a square with rational coefficients, positive in draw 0."""
    rng = seeded("function", signature.name, str(signature.arguments), str(signature.result), str(draw))
    params = tuple(E.symbol(f"{signature.name}·{i}", shape) for i, shape in enumerate(signature.arguments))
    entries = [_entry(params, rng, draw) for _ in range(prod(signature.result))]
    if not signature.result:
        return Function(params, entries[0])
    return Function(params, E.reshape(E.stack(entries), signature.result))


def _entry(params: tuple[Expr, ...], rng: Random, draw: int) -> Expr:
    total: Expr = E.constant(Fraction(rng.randint(20, 30), 7) if draw == 0 else Fraction(rng.randint(1, 9), 23))
    for number in range(TERMS):
        wave = E.sin if number % 2 else E.cos
        total = total + _coefficient(rng, 2, 9) * wave(_combination(params, rng) + _coefficient(rng, 1, 9))
    slope = _combination(params, rng)
    return total + _coefficient(rng, 3, 6) / 11 * slope**2 if draw else total + slope**2 / 13


def _combination(params: tuple[Expr, ...], rng: Random) -> Expr:
    """A linear combination of all entries of all arguments."""
    total: Expr | None = None
    for param in params:
        if not param.shape:
            part = _coefficient(rng, 3, 11) * param
        else:
            size = prod(param.shape)
            weights = E.stack([_coefficient(rng, 2, 9) for _ in range(size)])
            part = E.sum(E.mul(E.reshape(weights, param.shape), param))
        total = part if total is None else total + part
    assert total is not None
    return total


def _coefficient(rng: Random, low: int, high: int) -> Expr:
    return E.constant(Fraction(rng.choice((1, -1)) * rng.randint(low, high), 10))


def same_with_functions(truth: Expr, answer: Expr, domain: Domain, policy: Policy) -> Sameness:
    """Compare under several choices of the abstract functions: NO if one choice tells them apart, YES if none does."""
    from grader.compare.pointwise import compare

    known = signatures([truth, answer])
    results: list[Sameness] = []
    for draw in range(DRAWS):
        chosen = {s.name: smooth_function(s, draw) for s in known}
        found = compare(E.instantiate(truth, chosen), E.instantiate(answer, chosen), domain, policy)
        if found.verdict == "no":
            return found
        results.append(found)
    for verdict in ("partly", "yes"):
        for found in results:
            if found.verdict == verdict:
                return found
    return results[0]
