"""Products and sums of partial derivatives per node, in terms of the node's direct children.

The adjoint of a node v is Σ over its children j of ∂A/∂j · ∂j/∂v.  In what a student writes, `∂A/∂t_9` and `∂t_9/∂t_8`
are names: they are put in place of the fractions before the text is read as mathematics.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from grader.kinds.decomposition import Decomposition
from grader.kinds.graph_text import clean_name
from reference import printing
from reference.expression import Expr, constant, substitute, symbol, symbols
from reference.modes import gradient
from reference.simplify import simplify

_D = r"(?:\\partial|\\mathrm\s*\{\s*d\s*\}|∂|\\mathrm\s+d|\bd|\\d\b)\s*"
_NAME = r"\{?\s*(\\?[A-Za-z]+(?:\s*_\s*\{[^{}]*\}|\s*_\s*\w|\d+)?)\s*\}?"
_FRACTION = re.compile(rf"\\[dt]?frac\s*\{{\s*{_D}{_NAME}\s*\}}\s*\{{\s*{_D}{_NAME}\s*\}}")
_SLASH = re.compile(rf"{_D}{_NAME}\s*/\s*\(?\s*{_D}{_NAME}\)?")
_BAR = re.compile(r"\\(?:bar|overline)\s*\{?\s*([A-Za-z]+(?:\s*_\s*\{[^{}]*\}|\s*_\s*\w|\d+)?)\s*\}?")


@dataclass(frozen=True)
class Name:
    """A derivative used as a name: of `above` with respect to `below`."""

    above: str
    below: str

    @property
    def token(self) -> str:
        """A symbol's name that no student types."""
        return f"D{self.above}D{self.below}D"


def replace_derivatives(text: str, result: str) -> tuple[str, dict[str, Name]]:
    """The text with every derivative replaced by a name of its own, and what the names mean."""
    names: dict[str, Name] = {}
    order: dict[Name, str] = {}

    def put(above: str, below: str) -> str:
        name = Name(clean_name(above), clean_name(below))
        token = order.setdefault(name, f"q_{{{len(order) + 1}}}")
        names[f"q_{len(order)}"] = name
        names[token.replace("{", "").replace("}", "")] = name
        return f" {token} "

    text = _FRACTION.sub(lambda m: put(m[1], m[2]), text)
    text = _SLASH.sub(lambda m: put(m[1], m[2]), text)
    text = _BAR.sub(lambda m: put(result, m[1]), text)
    return text, names


@lru_cache(maxsize=2048)
def local_partial(graph: Decomposition, child: str, parent: str) -> Expr:
    """∂child/∂parent in terms of the child's operands."""
    return simplify((gradient(graph.by_name[child].value, symbol(parent)),))[0]


def adjoint(graph: Decomposition, node: str, result: str) -> Expr:
    """The node's gradient in terms of its direct children's adjoints."""
    if node == graph.result:
        return constant(1)
    total: Expr | None = None
    for child in graph.children(node):
        part = symbol(adjoint_name(child)) * local_partial(graph, child, node)
        total = part if total is None else total + part
    return constant(0) if total is None else total


def adjoint_name(node: str) -> str:
    return f"{node}·bar"


def local_name(child: str, parent: str) -> str:
    return f"{child}·by·{parent}"


def resolve(expr: Expr, graph: Decomposition) -> Expr:
    """Local partials written as ∂t_9/∂t_8 replaced by what they are; ∂A/∂(result) is 1."""
    names = {one.name for one in symbols([expr])}
    values: dict[str, Expr] = {adjoint_name(graph.result): constant(1)}
    for child in graph.assignments:
        for parent in child.uses:
            name = local_name(child.name, parent)
            if name in names:
                values[name] = local_partial(graph, child.name, parent)
    return substitute(expr, values)


def all_adjoints(graph: Decomposition, nodes: Iterable[str]) -> dict[str, Expr]:
    """Every adjoint in terms of nodes and inputs alone: children first."""
    values: dict[str, Expr] = {}
    for one in reversed(graph.assignments):
        values[adjoint_name(one.name)] = substitute(adjoint(graph, one.name, graph.result), values)
    for node in nodes:
        values[adjoint_name(node)] = substitute(adjoint(graph, node, graph.result), values)
    return values


def nodes_to_mark(graph: Decomposition, wrt: Sequence[str]) -> tuple[str, ...]:
    """Nodes whose gradient takes work: intermediates on the way from an input that is asked for, and those inputs."""
    active: set[str] = set(wrt)
    for one in graph.assignments:
        if set(one.uses) & active:
            active.add(one.name)
    inner = [one.name for one in reversed(graph.assignments) if one.name in active and one.name != graph.result]
    return tuple(inner) + tuple(name for name in wrt if graph.children(name))


def model_partials(graph: Decomposition, result: str, wrt: Sequence[str]) -> list[str]:
    """The products and sums as text, for instructors."""
    lines = []
    for node in nodes_to_mark(graph, wrt):
        terms = []
        for child in graph.children(node):
            above = "1" if child == graph.result else f"d{result}/d{child}"
            terms.append(f"{above} * ({printing.plain(local_partial(graph, child, node))})")
        lines.append(f"d{result}/d{node} = " + " + ".join(terms))
    return lines


def meanings(names: Mapping[str, Name], graph: Decomposition, results: Sequence[str]) -> dict[str, Expr]:
    """The symbols that stand for the derivatives a student wrote."""
    found = {}
    for token, name in names.items():
        if name.above in results:
            found[token] = symbol(adjoint_name(name.below))
        else:
            found[token] = symbol(local_name(name.above, name.below))
    return found
