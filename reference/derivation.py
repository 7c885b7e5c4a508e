"""A derivation: named steps, each computed from inputs and earlier steps.  Evaluation with some steps clamped.

One loop serves the truth (`evaluate`), an error carried forward (`evaluate(given=…)`), a misconception (`replace`), and
somebody's own decomposition (another derivation).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reference import expression as E
from reference.cost import is_input, is_number, is_operation
from reference.expression import ordered, rebuild, substitute, symbols
from reference.graph import FLOAT, Field, build, run_all
from reference.node import Expr

Value = Any


class DerivationError(ValueError):
    """Steps are named twice, use a later step, or a name is not one of them."""


@dataclass(frozen=True, slots=True)
class Step:
    """One named step.  `expr` is written over inputs and the names of earlier steps, as symbols of their shapes."""

    name: str
    expr: Expr

    @property
    def symbol(self) -> Expr:
        """The symbol by which later steps refer to this one."""
        return E.symbol(self.name, self.expr.shape)

    @property
    def uses(self) -> tuple[str, ...]:
        """Names of the symbols it is computed from."""
        return tuple(s.name for s in symbols(self.expr))


@dataclass(frozen=True)
class Derivation:
    """Steps in order.  Raises DerivationError when a step uses itself or a later one, or a name comes twice."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        position = {step.name: i for i, step in enumerate(self.steps)}
        if len(position) != len(self.steps):
            names = [s.name for s in self.steps]
            raise DerivationError(f"{next(n for n in names if names.count(n) > 1)} is defined twice")
        for i, step in enumerate(self.steps):
            for name in step.uses:
                if position.get(name, -1) >= i:
                    raise DerivationError(f"{step.name} uses {name} before it is computed")

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {step.name: i for i, step in enumerate(self.steps)}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps)

    @property
    def inputs(self) -> tuple[Expr, ...]:
        """Symbols that no step defines, in order of first use."""
        found: dict[Expr, None] = {}
        for step in self.steps:
            for s in symbols(step.expr):
                if s.name not in self._positions:
                    found.setdefault(s)
        return tuple(found)

    def __getitem__(self, name: str) -> Step:
        if name not in self._positions:
            raise DerivationError(f"there is no step {name}")
        return self.steps[self._positions[name]]

    def __contains__(self, name: object) -> bool:
        return name in self._positions

    def resting_on(self, name: str) -> tuple[str, ...]:
        """Steps that change when this one does (itself not included)."""
        changed = {name}
        found = []
        for step in self.steps:
            if step.name not in changed and any(used in changed for used in step.uses):
                changed.add(step.name)
                found.append(step.name)
        return tuple(found)

    def needed_for(self, name: str) -> tuple[str, ...]:
        """Steps a step rests on, directly or not, in order."""
        wanted = set(self[name].uses)
        for step in reversed(self.steps):
            if step.name in wanted:
                wanted.update(step.uses)
        return tuple(step.name for step in self.steps if step.name in wanted)


def derivation(*steps: tuple[str, Expr]) -> Derivation:
    """A derivation from (name, expression) pairs."""
    return Derivation(tuple(Step(name, expr) for name, expr in steps))


def joined(*parts: Derivation) -> Derivation:
    """Several derivations as one, in order."""
    return Derivation(tuple(step for part in parts for step in part.steps))


def evaluate(steps: Derivation, given: Mapping[str, Expr] | None = None) -> dict[str, Expr]:
    """Every step's value as an expression over the inputs alone, what is shared staying shared.

    `given` clamps steps: their value is what is given, and everything that rests on them follows.  Raises ShapeError
    when a clamped value's shape does not fit what follows, DerivationError for a name that is no step.
    """
    clamped = dict(given or {})
    for name in clamped:
        steps[name]
    values: dict[str, Expr] = {}
    for step in steps.steps:
        values[step.name] = clamped[step.name] if step.name in clamped else substitute(step.expr, values)
    return values


def numbers(
    steps: Derivation, env: Mapping[str, Value], field: Field = FLOAT, given: Mapping[str, Expr] | None = None
) -> dict[str, Value]:
    """Every step's value as a number or array, in one pass."""
    values = evaluate(steps, given)
    graph = build(tuple(values.values()))
    found = run_all(graph, env, field)
    return {name: found[position] for name, position in zip(values, graph.outputs, strict=True)}


def replace(steps: Derivation, rules: Mapping[str, Expr] | Callable[[Step], Expr]) -> Derivation:
    """The same derivation with some steps computed otherwise: by name, or by a rule applied to every step."""
    if isinstance(rules, Mapping):
        for name in rules:
            steps[name]
        return Derivation(tuple(Step(s.name, rules.get(s.name, s.expr)) for s in steps.steps))
    return Derivation(tuple(Step(s.name, rules(s)) for s in steps.steps))


def fresh_names(taken: Iterable[str], prefix: str = "t") -> Callable[[], str]:
    """A supply of names prefix1, prefix2 … that are not taken."""
    used = set(taken)
    count = 0

    def following() -> str:
        nonlocal count
        count += 1
        while f"{prefix}{count}" in used:
            count += 1
        return f"{prefix}{count}"

    return following


def decompose(
    outputs: Mapping[str, Expr] | Expr, prefix: str = "t", names: Mapping[Expr, str] | None = None
) -> Derivation:
    """The smallest decomposition into single operations, equal subexpressions computed once.

    A mapping gives the outputs their names; `names` gives names to intermediates.  Signs of constants and entries of
    inputs are no steps.
    """
    wanted = {"": outputs} if isinstance(outputs, Expr) else dict(outputs)
    given = dict(names or {}) | {expr: name for name, expr in wanted.items() if name}
    nodes = ordered(wanted.values())
    name_of = fresh_names([n.name for n in nodes if n.op == "symbol"] + list(given.values()), prefix)
    written: dict[Expr, Expr] = {}
    steps: list[Step] = []
    for node in nodes:
        args = tuple([written[a] for a in node.args])
        whole = rebuild(node, args)
        if is_input(node) or is_number(node) or (not is_operation(node) and node not in given):
            written[node] = whole
            continue
        step = Step(given[node] if node in given else name_of(), whole)
        steps.append(step)
        written[node] = step.symbol
    for name, expr in wanted.items():  # an output that is an input or equal to another output
        if name and name not in {s.name for s in steps}:
            steps.append(Step(name, written[expr]))
    return Derivation(tuple(steps))
