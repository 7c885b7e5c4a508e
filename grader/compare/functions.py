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


Weights = tuple[tuple[Expr, ...], ...]  # of every entry of every argument


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers of one entry: constant + Σ amplitude · wave(weights · arguments + phase) + bend · (slope)²."""

    constant: Expr
    waves: tuple[tuple[Expr, Weights, Expr], ...]
    slope: Weights
    bend: Expr


@lru_cache(maxsize=64)
def smooth_function(signature: Signature, draw: int) -> Function:
    """A sum of waves and a square with rational coefficients, positive in draw 0."""
    rng = seeded("function", signature.name, str(signature.arguments), str(signature.result), str(draw))
    params = tuple(E.symbol(f"{signature.name}·{i}", shape) for i, shape in enumerate(signature.arguments))
    drawn = [_draw_numbers(signature.arguments, rng, draw) for _ in range(prod(signature.result))]
    if not signature.result:
        return Function(params, _entry(params, drawn[0]))
    if len(signature.result) == 1 and all(len(shape) < 2 for shape in signature.arguments):
        return Function(params, _vector(params, drawn))
    return Function(params, E.reshape(E.stack([_entry(params, one) for one in drawn]), signature.result))


def _draw_numbers(shapes: Sequence[Shape], rng: Random, draw: int) -> _Numbers:
    constant = E.constant(Fraction(rng.randint(20, 30), 7) if draw == 0 else Fraction(rng.randint(1, 9), 23))
    waves = tuple((_coefficient(rng, 2, 9), _draw_weights(shapes, rng), _coefficient(rng, 1, 9)) for _ in range(TERMS))
    slope = _draw_weights(shapes, rng)
    return _Numbers(constant, waves, slope, _coefficient(rng, 3, 6) / 11 if draw else E.constant(Fraction(1, 13)))


def _draw_weights(shapes: Sequence[Shape], rng: Random) -> Weights:
    return tuple(
        tuple(_coefficient(rng, 2, 9) for _ in range(prod(shape))) if shape else (_coefficient(rng, 3, 11),)
        for shape in shapes
    )


def _entry(params: tuple[Expr, ...], numbers: _Numbers) -> Expr:
    total = numbers.constant
    for number, (amplitude, weights, phase) in enumerate(numbers.waves):
        total = total + amplitude * _WAVES[number % 2](_combination(params, weights) + phase)
    return total + numbers.bend * _combination(params, numbers.slope) ** 2


_WAVES = (E.cos, E.sin)


def _combination(params: tuple[Expr, ...], weights: Weights) -> Expr:
    """A linear combination of all entries of all arguments."""
    parts = [
        E.sum(E.mul(E.reshape(E.stack(ws), param.shape), param)) if param.shape else ws[0] * param
        for param, ws in zip(params, weights, strict=True)
    ]
    return _total(parts)


def _vector(params: tuple[Expr, ...], drawn: Sequence[_Numbers]) -> Expr:
    """All entries at once, in matrices, which differentiates faster than one entry after the other."""
    total: Expr = E.stack([one.constant for one in drawn])
    for number in range(TERMS):
        waves = [one.waves[number] for one in drawn]
        inner = _combinations(params, [weights for _, weights, _ in waves]) + E.stack([phase for _, _, phase in waves])
        total = total + E.stack([amplitude for amplitude, _, _ in waves]) * _WAVES[number % 2](inner)
    return total + E.stack([one.bend for one in drawn]) * _combinations(params, [one.slope for one in drawn]) ** 2


def _combinations(params: tuple[Expr, ...], rows: Sequence[Weights]) -> Expr:
    parts = [
        E.matrix([row[i] for row in rows]) @ param if param.shape else E.stack([row[i][0] for row in rows]) * param
        for i, param in enumerate(params)
    ]
    return _total(parts)


def _total(parts: Sequence[Expr]) -> Expr:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
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
