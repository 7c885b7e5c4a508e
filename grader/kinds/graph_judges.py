"""Marks of the three graph items, on the student's own graph."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from grader.compare import Domain, same
from grader.kinds.decomposition import Assignment, Decomposition, Trouble, flatten
from grader.kinds.graph_setting import GraphSetting
from grader.kinds.graph_text import TextGraph, clean_name, is_graph_text, parse_graph
from grader.kinds.partials import (
    adjoint,
    adjoint_name,
    all_adjoints,
    meanings,
    nodes_to_mark,
    replace_derivatives,
    resolve,
)
from grader.kinds.plan import Item, Seen
from grader.kinds.verdicts import blank, carried, right, undecided, unreadable, wrong
from grader.matching.splitting import split_statements
from grader.model import Evidence, Finding, Fragment, Place
from grader.notation import Unreadable, elaborate, read
from grader.notation.unreadable import Misread
from grader.notation.vocabulary import Declaration
from reference.expression import Expr, ShapeError, substitute, symbols

Judge = Callable[[Item, Seen], Finding]
MAX_FLIPS = 6  # operations whose operand order a drawing may leave open


def judge_decomposition(setting: GraphSetting) -> Judge:
    """Same function, one operation per assignment, reuse counted against the minimum."""

    def judge(item: Item, seen: Seen) -> Finding:
        found = setting.read(seen.fragments)
        if found is None:
            return _nothing(item, seen)
        where = next((one.where for one in found.assignments), None)
        more = {"read_as": _listing(found), "where": where, "evidence": _drawn(found)}
        bad = [trouble for trouble in found.troubles if trouble.unreadable]
        if bad:
            return unreadable(item, f"{bad[0].message} ({bad[0].text})", **{**more, "where": bad[0].where})
        trouble = _first_trouble(setting, found)
        if trouble is not None:
            return wrong(item, trouble.note, trouble.message, **more)
        value = found.expand()
        sameness = "no" if value is None else setting.computes_the_function(value)
        if sameness == "unknown":
            return undecided(item, "unknown", "It could not be decided whether this computes the function.", **more)
        if sameness == "no":
            return wrong(item, "graph.different_function", _which_function(setting, found), **more)
        return _judge_operations(item, setting, found, more)

    return judge


def _judge_operations(item: Item, setting: GraphSetting, found: Decomposition, more: dict[str, object]) -> Finding:
    """Credit by the share of single operations, times minimum over operations where something is computed twice."""
    counts = {one.name: setting.operations(one.value) for one in found.assignments}
    many = [name for name, count in counts.items() if count > 1]
    used = _reachable(found)
    idle = [name for name, count in counts.items() if name not in used or count == 0]
    total = sum(counts[name] for name in counts if name in used)
    share = Fraction(len(counts) - len(many), len(counts))
    if many:
        message = f"More than one operation in {', '.join(many)}: each assignment is to have exactly one."
        return wrong(item, "graph.several_operations", message, share, **more)
    if total > setting.minimum:
        message = (
            f"This takes {total} operations; {setting.minimum} are enough when every intermediate is used again "
            "wherever it can be."
        )
        return wrong(item, "graph.reuse_missing", message, Fraction(setting.minimum, total), **more)
    if idle:
        return right(item, "graph.idle", f"Right; {', '.join(idle)} is not needed.", **more)
    return right(item, **more)


def _reachable(found: Decomposition) -> set[str]:
    """Names the result rests on, the result among them."""
    wanted = {found.result}
    for one in reversed(found.assignments):
        if one.name in wanted:
            wanted.update(one.uses)
    return wanted


def _first_trouble(setting: GraphSetting, found: Decomposition) -> Trouble | None:
    for trouble in found.troubles:
        if trouble.note != "graph.assigned_twice":
            return trouble
    known = set(found.by_name) | set(setting.domain.symbols)
    for one in found.assignments:
        strange = [use for use in one.uses if use not in known]
        if strange:
            message = f"{one.name} uses {strange[0]}, which is neither an input nor assigned."
            return Trouble("graph.undefined", message, one.text, one.where)
    return None


def _which_function(setting: GraphSetting, found: Decomposition) -> str:
    return f"Put together, the assignments do not compute {setting.name} (their result is {found.result})."


def _listing(found: Decomposition) -> str:
    from reference import printing

    return "; ".join(f"{one.name} = {printing.plain(one.value)}" for one in found.assignments)


def _drawn(found: Decomposition) -> tuple[Evidence, ...]:
    """The graph as the reports draw it."""
    from reference import printing

    nodes = [("node", name) for name in sorted({u for one in found.assignments for u in one.uses} - set(found.by_name))]
    nodes += [("node", f"{one.name} = {printing.plain(one.value)}") for one in found.assignments]
    edges = [("edge", f"{use} -> {one.name}") for one in found.assignments for use in one.uses]
    return (Evidence("graph", "The graph as it was understood.", data=tuple(nodes + edges)),)


def _nothing(item: Item, seen: Seen) -> Finding:
    """No assignment was found: a picture or a text goes to a person, nothing at all is blank."""
    pictures = [f for f in seen.fragments if f.kind == "image"]
    if pictures:
        return undecided(item, "picture", "There is a picture here; a person reads it.", where=pictures[0].where)
    written = [f for f in seen.fragments if f.kind != "text" or len(f.text.split()) > 3]
    if written:
        message = "No assignments such as `t1 = c^2` can be read here."
        return unreadable(item, message, read_as=written[0].text[:500], where=written[0].where)
    return blank(item)


# ---- the drawn graph -------------------------------------------------------------------------------------------------


def judge_drawing(setting: GraphSetting) -> Judge:
    """A graph in text: does it compute the function, with one operation per node?  Pictures go to a person."""

    def judge(item: Item, seen: Seen) -> Finding:
        own = setting.read(seen.sections.get(setting.own, ())) if setting.own else None
        drawn = _read_drawing(setting, seen.fragments, own)
        if drawn is None:
            return _nothing(item, seen)
        if isinstance(drawn, Trouble):
            act = undecided if drawn.unreadable else wrong
            return act(item, drawn.note, drawn.message, where=drawn.where)  # type: ignore[operator]
        where = next((f.where for f in seen.fragments if f.kind in ("graph", "code", "formula")), None)
        more = {"read_as": _listing(drawn), "where": where, "evidence": _drawn(drawn)}
        bad = [trouble for trouble in drawn.troubles if trouble.unreadable]
        if bad:
            return unreadable(item, f"{bad[0].message} ({bad[0].text})", **{**more, "where": bad[0].where})
        trouble = _first_trouble(setting, drawn)
        if trouble is not None:
            return wrong(item, trouble.note, trouble.message, **more)
        return _judge_drawn(item, setting, drawn, own, more)

    return judge


def _judge_drawn(
    item: Item, setting: GraphSetting, drawn: Decomposition, own: Decomposition | None, more: dict[str, object]
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
        return wrong(item, "graph.different_function", _which_function(setting, drawn), **more)
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
    graph = _turned(graph, setting)
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
            notation = "latex" if "\\" in text else "plain"
            fragments.append(Fragment("graph", text, notation, where))  # type: ignore[arg-type]
    found = setting.read(fragments)
    if found is None:
        return Trouble("graph.unlabelled", "No operation can be read in this graph.", where=where, unreadable=True)
    mismatch = _edges_off(found, graph)
    if mismatch:
        return Trouble("graph.edges", mismatch, where=where)
    return _with_order(setting, found, graph)


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
_FUNCTIONS = {"sqrt": "sqrt", "√": "sqrt", "\\sqrt": "sqrt", "log": "log", "ln": "log", "exp": "exp", "sin": "sin", "cos": "cos",
              "tanh": "tanh", "\\log": "log", "\\ln": "log", "\\exp": "exp", "tan": "tan", "abs": "abs", "neg": "-",
              "root": "sqrt", "square root": "sqrt"}  # fmt: skip
_POWERS = {"^2": 2, "**2": 2, "²": 2, "(·)^2": 2, "(.)^2": 2, "square": 2, "sq": 2, "squared": 2, "x^2": 2, "pow2": 2, "( )^2": 2,
           "()^2": 2, "()²": 2, "(·)²": 2, "^3": 3, "³": 3, "x²": 2, "^{2}": 2}  # fmt: skip


def _assignment_of(node: str, label: str, graph: TextGraph, known: Mapping[str, Assignment]) -> str | None:
    """The assignment a node stands for, as text; "" where it only renames another; None where nothing says it."""
    operands = graph.parents(node)
    plain = label.strip().strip("$").strip()
    bare = re.sub(rf"^\s*{re.escape(node)}\s*[:,]?\s*(?=\W)", "", clean_name(plain)) if not re.search(r"=", plain) else plain
    low = bare.strip().lower()
    if re.search(r"[A-Za-z]\w*\s*(?:_\{?\w+\}?)?\s*(?::=|=)", plain):
        left, _, rest = plain.partition("=")
        return f"{node} = {_spelled(rest)}" if clean_name(left.strip(": ")) in (node, "") else f"{node} = {_spelled(rest)}"
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
        from reference import printing

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
        trial = replace(found, assignments=tuple(_flipped(one) if one.name in flipped else one for one in found.assignments))
        value = trial.expand()
        if value is not None and setting.computes_the_function(value) in ("yes", "partly"):
            return trial
    return found


def _flipped(one: Assignment) -> Assignment:
    from reference.expression import rebuild

    return replace(one, value=rebuild(one.value, one.value.args[::-1]))


# ---- products and sums of partial derivatives ------------------------------------------------------------------------


def judge_partials(setting: GraphSetting) -> Judge:
    """For each node of the student's own graph: is its gradient the right sum over its direct children?"""

    def judge(item: Item, seen: Seen) -> Finding:
        graph = setting.read(seen.sections.get(setting.own, ())) if setting.own else None
        if graph is None or graph.expand() is None or _first_trouble(setting, graph) is not None:
            graph = setting.read([f for f in seen.fragments if "partial" not in f.text]) or graph
        lines = _lines(seen.fragments, setting, graph)
        if not lines:
            return _nothing(item, seen)
        if graph is None or graph.expand() is None or _first_trouble(setting, graph) is not None:
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
    for node, text, typed, _ in lines:
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
    """Is one line right: yes, no, unknown, unreadable?  Each member of its chain must say the same."""
    text, names = replace_derivatives(typed, setting.name)
    members = _read_members(setting, graph, text, names)
    if members is None:
        return "unreadable"
    truth = adjoint(graph, node, graph.result)
    truth = resolve(truth, graph)
    verdicts = [_compare_member(setting, graph, truth, member) for member in members]
    if "no" in verdicts[-1:]:
        return "no"
    return verdicts[-1] if verdicts else "unreadable"


def _read_members(
    setting: GraphSetting, graph: Decomposition, text: str, names: Mapping[str, object]
) -> list[Expr] | None:
    """The members of the chain after the left side, as expressions over nodes, inputs and children's adjoints."""
    nodes = {one.name: Declaration("real", ()) for one in graph.assignments}
    tokens = {token: Declaration("real", ()) for token in names if "{" not in token}
    vocabulary = replace(setting.vocabulary, symbols={**_spelled_nodes(nodes), **tokens, **setting.vocabulary.symbols})
    notation = "latex" if "\\" in text or "{" in text else "plain"
    reading = read(text.replace("q_{", "q_{") if notation == "latex" else re.sub(r"q_\{(\d+)\}", r"q_\1", text), notation, vocabulary)
    if isinstance(reading, Unreadable):
        return None
    found = []
    for member in reading.chain:
        try:
            value = elaborate(member, vocabulary, {})[0]
        except (Misread, ShapeError):
            return None
        found.append(value)
    means = meanings(names, graph, _result_names(setting, graph))  # type: ignore[arg-type]
    named = {token: expr for token, expr in means.items()}
    return [flatten(resolve(substitute(value, named), graph)) for value in found]


def _spelled_nodes(nodes: Mapping[str, Declaration]) -> dict[str, Declaration]:
    from grader.notation.vocabulary import canonical

    return {canonical(name): declaration for name, declaration in nodes.items()}


def _compare_member(setting: GraphSetting, graph: Decomposition, truth: Expr, member: Expr) -> str:
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
