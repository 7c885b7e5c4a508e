"""How large a computation is: operations with and without reuse, nodes, edges, shared nodes, elementary cost.

Constants are not nodes of a drawn graph, an entry of an input (x_1) is an input, a power with a constant exponent is
one operation of one argument.  Moving entries about (stack, index, transpose) is no operation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reference.expression import ordered
from reference.node import Expr
from reference.primitive import free
from reference.primitives import PRIMITIVES

NUMBERS = frozenset({"constant", "pi", "e"})


@dataclass(frozen=True, slots=True)
class Size:
    """Counts of a computation graph; `shared` counts nodes used more than once, by more than one operation."""

    operations: int
    operations_without_reuse: int
    nodes: int
    edges: int
    shared: int


def is_number(node: Expr) -> bool:
    """Is this a constant, written with any sign or repeated to any shape?"""
    while node.op in ("neg", "broadcast"):
        node = node.args[0]
    return node.op in NUMBERS


def is_input(node: Expr) -> bool:
    """A symbol, or one entry or part of one."""
    while node.op == "index":
        node = node.args[0]
    return node.op == "symbol"


def is_operation(node: Expr) -> bool:
    """Does this node compute anything?"""
    if node.op == "call":
        return True
    return bool(node.args) and PRIMITIVES[node.op].cost is not free and not is_number(node)


def _wanted(outputs: Expr | Sequence[Expr]) -> tuple[Expr, ...]:
    return (outputs,) if isinstance(outputs, Expr) else tuple(outputs)


def frontier(outputs: Sequence[Expr], given: Iterable[Expr] = ()) -> list[Expr]:
    """The nodes the outputs rest on, not going beyond those whose value is given and not into inputs or numbers."""
    stop = frozenset(given)
    reached: set[Expr] = set()
    todo = list(outputs)
    while todo:
        node = todo.pop()
        if node in reached:
            continue
        reached.add(node)
        if node not in stop and not is_input(node) and not is_number(node):
            todo.extend(node.args)
    return [n for n in ordered(outputs) if n in reached]


def operations(outputs: Expr | Sequence[Expr], given: Iterable[Expr] = ()) -> int:
    """Operations needed when every equal subexpression is computed once and the given nodes are known already."""
    known = frozenset(given)
    return sum(1 for n in frontier(_wanted(outputs), known) if n not in known and is_operation(n))


def operations_without_reuse(outputs: Expr | Sequence[Expr], given: Iterable[Expr] = ()) -> int:
    """Operations needed when everything is computed anew wherever it occurs."""
    known = frozenset(given)
    wanted = _wanted(outputs)
    size: dict[Expr, int] = {}
    for node in frontier(wanted, known):
        if node in known or is_input(node) or is_number(node):
            size[node] = 0
        else:
            size[node] = int(is_operation(node)) + sum(size[a] for a in node.args)
    return sum(size[out] for out in wanted)


def elementary(outputs: Expr | Sequence[Expr], given: Iterable[Expr] = ()) -> int:
    """Elementary operations on numbers, additions included: a product (m, k)(k, n) counts m n (2k - 1)."""
    known = frozenset(given)
    total = 0
    for node in frontier(_wanted(outputs), known):
        if node not in known and is_operation(node) and node.op != "call":
            shapes = tuple(a.shape for a in node.args)
            total += PRIMITIVES[node.op].cost(dict(node.attrs), shapes, node.shape)
    return total


def graph_size(outputs: Expr | Sequence[Expr]) -> Size:
    """The counts of the graph a person would draw."""
    wanted = _wanted(outputs)
    drawn = [n for n in frontier(wanted) if not is_number(n)]
    uses: dict[Expr, int] = dict.fromkeys(drawn, 0)
    edges = 0
    for node in drawn:
        if is_input(node):
            continue
        children = [a for a in node.args if not is_number(a)]
        edges += len(children)
        for child in dict.fromkeys(children):
            uses[child] += 1
    shared = sum(1 for count in uses.values() if count > 1)
    return Size(operations(wanted), operations_without_reuse(wanted), len(drawn), edges, shared)
