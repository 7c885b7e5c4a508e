"""Marks of a graph drawn in text: does it compute the function, with one operation per node?"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from grader.compare import same
from grader.kinds.decomposition import Assignment, Decomposition, Trouble
from grader.kinds.graph_judges import Judge, drawing_of, first_trouble, listing, nothing_found, which_function
from grader.kinds.graph_setting import GraphSetting
from grader.kinds.graph_text import TextGraph, clean_name, is_graph_text, parse_graph
from grader.kinds.plan import Item, Seen
from grader.kinds.verdicts import carried, right, undecided, unreadable, wrong
from grader.model import Finding, Fragment, Notation, Place
from reference import printing
from reference.expression import rebuild

MAX_FLIPS = 6  # operations whose operand order a drawing may leave open


def judge_drawing(setting: GraphSetting) -> Judge:
    """A graph in text: does it compute the function, with one operation per node?  Pictures go to a person."""

    def judge(item: Item, seen: Seen) -> Finding:
        own = setting.read(seen.sections.get(setting.own, ())) if setting.own else None
        drawn = _read_drawing(setting, seen.fragments, own)
        if drawn is None:
            return nothing_found(item, seen)
        if isinstance(drawn, Trouble):
            act = undecided if drawn.unreadable else wrong
            return act(item, drawn.note, drawn.message, where=drawn.where)
        where = next((f.where for f in seen.fragments if f.kind in ("graph", "code", "formula")), None)
        more: dict[str, Any] = {"read_as": listing(drawn), "where": where, "evidence": drawing_of(drawn)}
        bad = [trouble for trouble in drawn.troubles if trouble.unreadable]
        if bad:
            return unreadable(item, f"{bad[0].message} ({bad[0].text})", **{**more, "where": bad[0].where})
        trouble = first_trouble(setting, drawn)
        if trouble is not None:
            return wrong(item, trouble.note, trouble.message, **more)
        return _judge_drawn(item, setting, drawn, own, more)

    return judge


def _judge_drawn(
    item: Item, setting: GraphSetting, drawn: Decomposition, own: Decomposition | None, more: dict[str, Any]
) -> Finding:
    value = drawn.expand()
    sameness = "no" if value is None else setting.computes_the_function(value)
    many = [one.name for one in drawn.assignments if setting.operations(one.value) > 1]
    if sameness in ("yes", "partly") and not many:
        return right(item, **more)
    if own is not None and value is not None and own.expand() is not None and not many:
        expanded = own.expand()
        assert expanded is not None
        if same(expanded, value, setting.domain).verdict == "yes":
            return carried(item, "carried", "This is the graph of your decomposition.", **more)
    if sameness == "unknown":
        return undecided(item, "unknown", "It could not be decided whether this graph computes the function.", **more)
    if sameness == "no":
        return wrong(item, "graph.different_function", which_function(setting, drawn), **more)
    share = Fraction(len(drawn.assignments) - len(many), len(drawn.assignments))
    message = f"More than one operation in {', '.join(many)}: each node is one operation."
    return wrong(item, "graph.several_operations", message, share, **more)


def _read_drawing(
    setting: GraphSetting, fragments: Sequence[Fragment], own: Decomposition | None
) -> Decomposition | Trouble | None:
    for fragment in reversed(fragments):
        if fragment.kind in ("graph", "code", "text", "formula") and is_graph_text(fragment.text):
            graph = parse_graph(fragment.text)
            if graph is not None:
                return _from_text_graph(setting, graph, own, fragment.where)
    lines = [f for f in fragments if f.kind != "image" and is_graph_text(f.text)]
    if len(lines) > 1:  # an edge list, one edge a line
        graph = parse_graph("\n".join(f.text for f in lines))
        if graph is not None:
            return _from_text_graph(setting, graph, own, lines[0].where)
    return setting.read(fragments)


def _from_text_graph(
    setting: GraphSetting, graph: TextGraph, own: Decomposition | None, where: Place
) -> Decomposition | Trouble:
    """Nodes, labels and edges as assignments.  A node says its operation in its label, or has it from the student's own
    decomposition; the edges must agree with what it says."""
    graph = _turned(_named_by_labels(graph, setting), setting)
    inputs = set(setting.domain.symbols)
    fragments: list[Fragment] = []
    known = own.by_name if own is not None else {}
    for node, label in graph.labels.items():
        if node in inputs and not graph.parents(node):
            continue
        text = _assignment_of(node, label, graph, known)
        if text is None:
            if not graph.parents(node) and not graph.labels[node]:
                message = f"{node} is neither an input nor the result of an operation."
                return Trouble("graph.undefined", message, where=where)
            message = f"What {node} computes is not said: label it, for example `{node} = a + b`."
            return Trouble("graph.unlabelled", message, where=where, unreadable=True)
        if text:
            notation: Notation = "latex" if "\\" in text else "plain"
            fragments.append(Fragment("graph", text, notation, where))
    found = setting.read(fragments)
    if found is None:
        return Trouble("graph.unlabelled", "No operation can be read in this graph.", where=where, unreadable=True)
    mismatch = _edges_off(found, graph)
    if mismatch:
        return Trouble("graph.edges", mismatch, where=where)
    return _with_order(setting, found, graph)


def _named_by_labels(graph: TextGraph, setting: GraphSetting) -> TextGraph:
    """A node `n3 [label="t_1 = c^2"]` is called t1, an input `n0 [label="a"]` is called a."""
    inputs = set(setting.domain.symbols)
    names: dict[str, str] = {}
    for node, label in graph.labels.items():
        plain = label.strip().strip("$")
        left = clean_name(plain.partition("=")[0].strip(": ")) if "=" in plain else ""
        if left and re.fullmatch(r"[^\W\d]\w*", left):
            names[node] = left
        elif clean_name(plain) in inputs and node not in inputs and not graph.parents(node):
            names[node] = clean_name(plain)
    if len(set(names.values())) != len(names) or set(names.values()) & (set(graph.labels) - set(names)):
        return graph
    labels = {names.get(node, node): "" if names.get(node) in inputs else label for node, label in graph.labels.items()}
    return TextGraph(labels, tuple((names.get(a, a), names.get(b, b)) for a, b in graph.edges))


def _turned(graph: TextGraph, setting: GraphSetting) -> TextGraph:
    """Some draw arrows from the result to what it rests on; the inputs tell."""
    inputs = set(setting.domain.symbols) & set(graph.labels)
    starts = {a for a, _ in graph.edges}
    ends = {b for _, b in graph.edges}
    if inputs and all(name in ends and name not in starts for name in inputs):
        return TextGraph(graph.labels, tuple((b, a) for a, b in graph.edges))
    return graph


_OPERATORS = {
    "+": "+", "add": "+", "plus": "+", "sum": "+", "∑": "+", "Σ": "+", "\\sum": "+", "-": "-", "−": "-", "sub": "-",
    "minus": "-", "*": "*", "·": "*", "×": "*", "mul": "*", "mult": "*", "times": "*", "\\cdot": "*", "\\times": "*",
    "⋅": "*", "x": "*", "/": "/", "÷": "/", "div": "/", ":": "/", "\\div": "/",
}  # fmt: skip
_FUNCTIONS = {"sqrt": "sqrt", "√": "sqrt", "\\sqrt": "sqrt", "log": "log", "ln": "log", "exp": "exp", "sin": "sin",
              "cos": "cos", "tanh": "tanh", "\\log": "log", "\\ln": "log", "\\exp": "exp", "tan": "tan", "abs": "abs",
              "neg": "-", "root": "sqrt", "square root": "sqrt"}  # fmt: skip
_POWERS = {"^2": 2, "**2": 2, "²": 2, "(·)^2": 2, "(.)^2": 2, "square": 2, "sq": 2, "squared": 2, "x^2": 2, "pow2": 2,
           "( )^2": 2, "()^2": 2, "()²": 2, "(·)²": 2, "^3": 3, "³": 3, "x²": 2, "^{2}": 2}  # fmt: skip


def _assignment_of(node: str, label: str, graph: TextGraph, known: Mapping[str, Assignment]) -> str | None:
    """The assignment a node stands for, as text; "" where it only renames another; None where nothing says it."""
    operands = graph.parents(node)
    plain = label.strip().strip("$").strip()
    bare = (
        re.sub(rf"^\s*{re.escape(node)}\s*[:,]?\s*(?=\W)", "", clean_name(plain))
        if not re.search(r"=", plain)
        else plain
    )
    low = bare.strip().lower()
    if re.search(r"[A-Za-z]\w*\s*(?:_\{?\w+\}?)?\s*(?::=|=)", plain):
        return f"{node} = {_spelled(plain.partition('=')[2])}"
    if not operands:
        return None
    if low in _OPERATORS and len(operands) >= 2:
        return f"{node} = " + f" {_OPERATORS[low]} ".join(operands)
    if low in _OPERATORS and len(operands) == 1 and low in ("-", "−", "minus"):
        return f"{node} = -{operands[0]}"
    if low in _OPERATORS and len(operands) == 1 and _OPERATORS[low] == "*":
        return f"{node} = {operands[0]}*{operands[0]}"
    if low in _FUNCTIONS and len(operands) == 1:
        return f"{node} = {_FUNCTIONS[low]}({operands[0]})"
    if low in _POWERS and len(operands) in (1, 2) and len(set(operands)) == 1:
        return f"{node} = {operands[0]}^{_POWERS[low]}"
    if plain and _is_formula(plain, operands):
        return f"{node} = {_spelled(plain)}"
    if node in known:
        return f"{node} = {printing.plain(known[node].value)}"
    if len(operands) == 1 and not plain:
        return ""  # an output that only names the node before it
    return None


def _is_formula(label: str, operands: Sequence[str]) -> bool:
    return any(re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![0-9])", clean_name(label)) for name in operands)


def _spelled(text: str) -> str:
    """`sqrt t3`, `√t3`, `log t3` with brackets."""
    text = re.sub(r"√\s*\(?\s*(\w+)\s*\)?", r"sqrt(\1)", text)
    return re.sub(r"\b(sqrt|log|ln|exp|sin|cos|tanh)\s+([A-Za-z]\w*)\s*$", r"\1(\2)", text.strip())


def _edges_off(found: Decomposition, graph: TextGraph) -> str:
    """Where edges and operations disagree, in words; "" if they agree."""
    for one in found.assignments:
        drawn, said = set(graph.parents(one.name)), set(one.uses)
        if drawn and drawn != said:
            missing, extra = sorted(said - drawn), sorted(drawn - said)
            if missing:
                return f"The edge {missing[0]} → {one.name} is missing."
            return f"The edge {extra[0]} → {one.name} does not belong there."
        if not drawn and said:
            return f"No edge leads to {one.name}, though it uses {', '.join(sorted(said))}."
    return ""


def _with_order(setting: GraphSetting, found: Decomposition, graph: TextGraph) -> Decomposition:
    """Operand order of - and / drawn without a formula is open: the order that computes the function is taken."""
    value = found.expand()
    if value is None or setting.computes_the_function(value) != "no":
        return found
    open_ones = [
        one.name
        for one in found.assignments
        if one.value.op in ("sub", "div") and len(set(one.uses)) == 2 and "=" not in graph.labels.get(one.name, "")
    ][:MAX_FLIPS]
    for chosen in itertools.product((False, True), repeat=len(open_ones)):
        flipped = {name for name, turn in zip(open_ones, chosen, strict=True) if turn}
        trial = replace(
            found, assignments=tuple(_flipped(one) if one.name in flipped else one for one in found.assignments)
        )
        value = trial.expand()
        if value is not None and setting.computes_the_function(value) in ("yes", "partly"):
            return trial
    return found


def _flipped(one: Assignment) -> Assignment:
    return replace(one, value=rebuild(one.value, one.value.args[::-1]))
