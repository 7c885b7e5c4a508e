"""A student's own decomposition into single operations: read, then checked for what it computes and how.

Nodes are assignments `t = operation of earlier names`.  Names are the student's own; order of commuting operands and
of the assignments is free.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.kinds.graph_text import clean_name
from grader.matching.splitting import split_statements
from grader.model import Fragment, Notation, Place
from grader.notation import Unreadable, Vocabulary, elaborate, read
from grader.notation.unreadable import Misread
from grader.notation.vocabulary import Declaration, canonical
from reference.expression import Expr, ShapeError, ordered, rebuild, rewrite, substitute, symbol, symbols

MAX_ASSIGNMENTS = 500
_ASSIGNMENT = re.compile(
    r"^\s*(?P<name>[A-Za-zα-ωΑ-Ω]\w*'?(?:_\{[^{}]*\}|_\w+)?|\\[A-Za-z]+(?:_\{[^{}]*\}|_\w+)?)\s*&?\s*(?::=|≔|<-|←|=)\s*&?\s*(?P<rest>.+)$",
    re.DOTALL,
)


@dataclass(frozen=True)
class Assignment:
    """`name = value`, the value in terms of symbols for inputs and other nodes."""

    name: str
    value: Expr
    text: str = ""
    where: Place | None = None

    @property
    def uses(self) -> tuple[str, ...]:
        return tuple(one.name for one in symbols([self.value]))

    @property
    def operations(self) -> int:
        """Operations on the right side; a number's sign or a named constant is none."""
        return count_operations([self.value])


@dataclass(frozen=True)
class Trouble:
    """What keeps a decomposition from being one.  `note` is stable; unreadable trouble goes to a person."""

    note: str
    message: str
    text: str = ""
    where: Place | None = None
    unreadable: bool = False


@dataclass(frozen=True)
class Decomposition:
    """Assignments in an order in which each uses only earlier ones, and the one that is the result."""

    assignments: tuple[Assignment, ...]
    inputs: tuple[str, ...]
    result: str = ""
    troubles: tuple[Trouble, ...] = ()

    @property
    def by_name(self) -> Mapping[str, Assignment]:
        return {one.name: one for one in self.assignments}

    def children(self, name: str) -> tuple[str, ...]:
        """Nodes that use this one directly."""
        return tuple(one.name for one in self.assignments if name in one.uses)

    def expand(self) -> Expr | None:
        """The result as an expression of the inputs; None if there is no result."""
        values = self.expanded()
        return values.get(self.result)

    def expanded(self) -> dict[str, Expr]:
        """Every node as an expression of the inputs."""
        values: dict[str, Expr] = {}
        for one in self.assignments:
            values[one.name] = substitute(one.value, values)
        return values


def count_operations(outputs: Iterable[Expr]) -> int:
    """Operations with reuse: every distinct one once.  A constant's sign is part of the constant."""
    count = 0
    for node in ordered(outputs):
        if not node.args or node.op == "index":
            continue
        if node.op == "neg" and node.args[0].op == "constant":
            continue
        if node.op == "stack":
            continue
        if all(not symbols([arg]) for arg in node.args):
            continue  # 1/2 written as a fraction is a number
        count += 1
    return count


@dataclass(frozen=True)
class Written:
    """One assignment as typed."""

    name: str
    text: str
    notation: Notation
    where: Place
    source: str = ""


def written_assignments(fragments: Sequence[Fragment]) -> list[Written]:
    """Every `name = …` in formulas, code, lists and lines of text, in order."""
    found: list[Written] = []
    for fragment in fragments:
        if fragment.kind not in ("formula", "graph", "code", "text"):
            continue
        latex = fragment.notation == "latex" and fragment.kind == "formula"
        for piece in split_statements(fragment.text, latex or "\\" in fragment.text):
            text = re.sub(r"^(?:\\(?:quad|qquad|,|;)\s*|\d+[.)]\s+|[-*•]\s+)+", "", piece.text)
            parsed = _ASSIGNMENT.match(text)
            if not parsed:
                continue
            rest = parsed["rest"]
            notation: Notation = "latex" if "\\" in text or (fragment.notation == "latex" and "{" in text) else "plain"
            found.append(Written(clean_name(parsed["name"]), rest.strip(), notation, fragment.where, text))
    return found[:MAX_ASSIGNMENTS]


def read_decomposition(written: Sequence[Written], inputs: Vocabulary, result_names: Sequence[str]) -> Decomposition:
    """Read the right sides and put the assignments in order.  Troubles are collected, not raised."""
    names = list(dict.fromkeys(one.name for one in written))
    vocabulary = _with_nodes(inputs, names)
    troubles: list[Trouble] = []
    found: dict[str, Assignment] = {}
    for one in written:
        value = _read_value(one, vocabulary, troubles)
        if value is None:
            continue
        if one.name in found and found[one.name].value is not value:
            message = f"{one.name} is assigned twice; the later one counts."
            troubles.append(Trouble("graph.assigned_twice", message, one.source, one.where))
        found[one.name] = Assignment(one.name, value, one.source, one.where)
    known = frozenset(_symbol_names(inputs))
    found = _without_renamed_result(found, result_names)
    ordered_ones, leftover = _in_order(found, known)
    troubles.extend(leftover)
    result = next((n for n in (clean_name(r) for r in result_names) if n in found), "")
    if not result and ordered_ones:
        used = {name for one in ordered_ones for name in one.uses}
        sinks = [one.name for one in ordered_ones if one.name not in used]
        result = sinks[-1] if sinks else ordered_ones[-1].name
    return Decomposition(tuple(ordered_ones), tuple(sorted(known)), result, tuple(troubles))


def _without_renamed_result(found: dict[str, Assignment], result_names: Sequence[str]) -> dict[str, Assignment]:
    """`A = t_9` only names the result: it is no operation."""
    for name in [clean_name(r) for r in result_names]:
        one = found.get(name)
        if one is not None and one.value.op == "symbol" and one.value.name in found:
            return {k: v for k, v in found.items() if k != name}
    return found


def _symbol_names(vocabulary: Vocabulary) -> Iterable[str]:
    yield from vocabulary.symbols


def _with_nodes(inputs: Vocabulary, names: Sequence[str]) -> Vocabulary:
    """The inputs' vocabulary with the student's own names as numbers; a name of his hides one of ours."""
    nodes = {canonical(name): Declaration("real", ()) for name in names}
    symbols_ = {
        **inputs.symbols,
        **{k: v for k, v in nodes.items() if k not in inputs.symbols},
    }
    definitions = {k: v for k, v in inputs.definitions.items() if k not in nodes}
    return replace(inputs, symbols=symbols_, definitions=definitions, functions={})


def _read_value(one: Written, vocabulary: Vocabulary, troubles: list[Trouble]) -> Expr | None:
    reading = read(one.text, one.notation, vocabulary)
    if isinstance(reading, Unreadable):
        troubles.append(Trouble("unreadable", reading.message, one.source, one.where, unreadable=True))
        return None
    try:
        value = elaborate(reading.chain[0], vocabulary, {})[0]
    except Misread as trouble:
        troubles.append(Trouble("unreadable", trouble.message, one.source, one.where, unreadable=True))
        return None
    except ShapeError as trouble:
        troubles.append(Trouble("shape.conform", str(trouble), one.source, one.where))
        return None
    return _renamed(value)


def _renamed(value: Expr) -> Expr:
    """Names without underscores (t1 for t_1), entries of input vectors as names of their own (x1 for x[0])."""

    def rule(node: Expr, args: tuple[Expr, ...]) -> Expr:
        if node.op == "symbol" and not node.shape:
            return symbol(clean_name(node.name))
        if node.op == "index" and node.args[0].op == "symbol" and not node.shape:
            key = node.attr("key")
            return symbol(f"{clean_name(node.args[0].name)}{','.join(str(k + 1) for k in key)}")
        return rebuild(node, args)

    return rewrite((value,), rule)[0]


def flat_inputs(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Names of the inputs as a graph has them: entries of vectors one by one."""
    names: list[str] = []
    for name, declaration in vocabulary.symbols.items():
        if not declaration.shape:
            names.append(clean_name(name))
        elif len(declaration.shape) == 1 and isinstance(declaration.shape[0], int):
            names.extend(f"{clean_name(name)}{i + 1}" for i in range(declaration.shape[0]))
    return tuple(names)


flatten = _renamed


def _in_order(found: Mapping[str, Assignment], known: frozenset[str]) -> tuple[list[Assignment], list[Trouble]]:
    """Assignments such that each uses only what is known by then; what can't be ordered is trouble."""
    done: list[Assignment] = []
    ready: set[str] = set()
    waiting = dict(found)
    while waiting:
        now = [one for one in waiting.values() if not any(use in waiting for use in one.uses)]
        if not now:
            names = ", ".join(sorted(waiting))
            return done, [Trouble("graph.cycle", f"These rest on each other: {names}.")]
        for one in now:
            done.append(one)
            ready.add(one.name)
            del waiting[one.name]
    return done, []
