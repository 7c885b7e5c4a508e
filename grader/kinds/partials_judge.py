"""Marks of products and sums of partial derivatives per node, on the student's own graph."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from grader.compare import Domain, same
from grader.kinds.decomposition import Decomposition, flatten
from grader.kinds.graph_judges import Judge, first_trouble, nothing_found
from grader.kinds.graph_setting import GraphSetting
from grader.kinds.graph_text import clean_name
from grader.kinds.partials import (
    Name,
    adjoint,
    adjoint_name,
    all_adjoints,
    meanings,
    nodes_to_mark,
    replace_derivatives,
    resolve,
)
from grader.kinds.plan import Item, Seen
from grader.kinds.verdicts import carried, right, undecided, unreadable, wrong
from grader.matching.splitting import split_statements
from grader.model import Evidence, Finding, Fragment, Notation, Place
from grader.notation import Unreadable, elaborate, read
from grader.notation.unreadable import Misread
from grader.notation.vocabulary import Declaration, canonical
from reference.expression import Expr, ShapeError, substitute, symbols


def judge_partials(setting: GraphSetting) -> Judge:
    """For each node of the student's own graph: is its gradient the right sum over its direct children?"""

    def judge(item: Item, seen: Seen) -> Finding:
        graph = setting.read(seen.sections.get(setting.own, ())) if setting.own else None
        if graph is None or graph.expand() is None or first_trouble(setting, graph) is not None:
            graph = setting.read([f for f in seen.fragments if "partial" not in f.text]) or graph
        lines = _lines(seen.fragments, setting, graph)
        if not lines:
            return nothing_found(item, seen)
        if graph is None or graph.expand() is None or first_trouble(setting, graph) is not None:
            message = "There is no decomposition of your own that these could be marked on; a person looks."
            return undecided(item, "graph.no_decomposition", message, where=lines[0][3])
        return _judge_lines(item, setting, graph, lines)

    return judge


Line = tuple[str, str, str, Place]  # node, right side, text as typed, place


def _lines(fragments: Sequence[Fragment], setting: GraphSetting, graph: Decomposition | None) -> list[Line]:
    """Every statement `∂A/∂v = …`, as (node, right side, text, place)."""
    results = _result_names(setting, graph)
    found: list[Line] = []
    for fragment in fragments:
        if fragment.kind == "image":
            continue
        latex = "\\" in fragment.text
        for piece in split_statements(fragment.text, latex):
            text, names = replace_derivatives(piece.text, setting.name)
            head = re.match(r"^\s*(?:\\(?:quad|qquad|,|;)\s*)*q_\{?(\d+)\}?\s*=\s*(.+)$", text.strip(), re.DOTALL)
            if head is None:
                continue
            name = names[f"q_{head[1]}"]
            if name.above in results:
                found.append((name.below, head[2], piece.text, fragment.where))
    return found


def _result_names(setting: GraphSetting, graph: Decomposition | None) -> tuple[str, ...]:
    names = [clean_name(setting.name)]
    if graph is not None:
        names.append(graph.result)
    return tuple(names)


def _judge_lines(item: Item, setting: GraphSetting, graph: Decomposition, lines: Sequence[Line]) -> Finding:
    wanted = nodes_to_mark(graph, setting.wrt)
    verdicts: dict[str, tuple[str, str]] = {}
    for node, _text, typed, _ in lines:
        if node in wanted or node == graph.result:
            verdicts[node] = (_judge_line(setting, graph, node, typed), typed)
    unread = [node for node in wanted if verdicts.get(node, ("",))[0] == "unreadable"]
    good = [node for node in wanted if verdicts.get(node, ("",))[0] == "yes"]
    missing = [node for node in wanted if node not in verdicts]
    bad = [node for node, (verdict, _) in verdicts.items() if verdict == "no"]
    read_as = "; ".join(typed for _, _, typed, _ in lines)[:2000]
    where = lines[0][3]
    if unread:
        typed = verdicts[unread[0]][1]
        message = f"The line for {unread[0]} could not be read: {typed}"
        return unreadable(item, message, read_as=read_as, where=where)
    doubtful = [node for node in wanted if verdicts.get(node, ("",))[0] == "unknown"]
    if doubtful:
        message = f"The line for {doubtful[0]} could not be decided; a person looks."
        return undecided(item, "unknown", message, read_as=read_as, where=where)
    if len(good) == len(wanted) and not bad:
        value = graph.expand()
        if value is not None and setting.computes_the_function(value) == "no":
            return carried(item, "carried", "Right on the graph of your decomposition.", read_as=read_as, where=where)
        return right(item, read_as=read_as, where=where)
    evidence = tuple(
        Evidence("node", f"The line for {node} is not right.", data=(("node", node), ("line", verdicts[node][1])))
        for node in bad
    ) + ((Evidence("node", f"Nothing is said about {', '.join(missing)}."),) if missing else ())
    note = "graph.partials_wrong" if bad else "graph.partials_missing"
    message = f"{len(good)} of {len(wanted)} nodes are right."
    credit = Fraction(len(good), len(wanted))
    return wrong(item, note, message, credit, read_as=read_as, where=where, evidence=evidence)


def _judge_line(setting: GraphSetting, graph: Decomposition, node: str, typed: str) -> str:
    """Is one line right: yes, no, unknown, unreadable?  The last member of its chain counts."""
    text, names = replace_derivatives(typed, setting.name)
    value = _read_value(setting, graph, text, names)
    if value is None:
        return "unreadable"
    return _compare(setting, graph, resolve(adjoint(graph, node, graph.result), graph), value)


def _read_value(setting: GraphSetting, graph: Decomposition, text: str, names: Mapping[str, Name]) -> Expr | None:
    """The right side as an expression over nodes, inputs and children's adjoints; None if it can't be read."""
    number = Declaration("real", ())
    nodes = {canonical(one.name): number for one in graph.assignments}
    tokens = {token: number for token in names if "{" not in token}
    vocabulary = replace(setting.vocabulary, symbols={**nodes, **tokens, **setting.vocabulary.symbols})
    notation: Notation = "latex" if "\\" in text else "plain"
    plain = text if notation == "latex" else re.sub(r"q_\{(\d+)\}", r"q_\1", text)
    reading = read(plain, notation, vocabulary)
    if isinstance(reading, Unreadable):
        return None
    try:
        value = elaborate(reading.chain[-1], vocabulary, {})[0]
    except (Misread, ShapeError):
        return None
    return flatten(resolve(substitute(value, meanings(names, graph, _result_names(setting, graph))), graph))


def _compare(setting: GraphSetting, graph: Decomposition, truth: Expr, member: Expr) -> str:
    """In terms of the children's adjoints; or with everything worked out, which is as good."""
    domain = _node_domain(setting, graph, [truth, member])
    if domain is None:
        return "no"
    found = same(truth, member, domain).verdict
    if found in ("yes", "partly"):
        return "yes"
    full = _worked_out(setting, graph, truth), _worked_out(setting, graph, member)
    if {one.name for one in symbols(full[1])} - set(setting.domain.symbols):
        return "no"
    closed = same(full[0], full[1], setting.domain).verdict
    return "yes" if closed in ("yes", "partly") else "no" if "no" in (found, closed) else "unknown"


def _worked_out(setting: GraphSetting, graph: Decomposition, expr: Expr) -> Expr:
    adjoints = all_adjoints(graph, setting.wrt)
    return substitute(substitute(expr, adjoints), graph.expanded())


def _node_domain(setting: GraphSetting, graph: Decomposition, outputs: Sequence[Expr]) -> Domain | None:
    """Nodes and adjoints are free numbers here; roots and logarithms ask for positive ones."""
    declared = dict(setting.domain.symbols)
    for one in graph.assignments:
        declared[one.name] = Declaration("positive", ())
        declared[adjoint_name(one.name)] = Declaration("real", ())
    used = {one.name for one in symbols(outputs)}
    if used - set(declared):
        return None
    return Domain({name: declared[name] for name in sorted(used)})
