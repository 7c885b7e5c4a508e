"""A written graph as nodes, labels and edges: DOT, Mermaid, edge lists.  A small tolerant reader; nothing is run.

Lists of assignments are no graphs in this sense; see `grader.kinds.decomposition`.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_TEXT = 100_000
MAX_NODES = 2_000
MAX_EDGES = 10_000

_ARROW = r"-{1,3}>|={2,3}>|-\.+->|→|⟶|\\(?:to|rightarrow|longrightarrow)\b"
_BACK = r"<-{1,3}|←"
_LINE_COMMENT = re.compile(r"(?://|%%|#(?![0-9a-fA-F]{3,6}\b)).*")
_ATTRIBUTES = re.compile(r"\[([^\[\]]*)\]\s*;?\s*$")
_LABEL = re.compile(r"""\b(?:x?label)\s*=\s*("(?:[^"\\]|\\.)*"|<[^<>]*>|[^,;\]\s]+)""")
_MERMAID_HEAD = re.compile(r"^\s*(?:graph|flowchart)\s*(?:TD|TB|LR|RL|BT)?\s*;?\s*$", re.IGNORECASE)
_MERMAID_NODE = re.compile(
    r"""^\s*(?P<name>[^\s\[\](){}<>|"]+?)\s*(?P<open>\(\(\(|\(\(|\(\[|\[\[|\[\(|\[/|\[\\|\{\{|\[|\(|\{|>)(?P<label>.*?)"""
    r"""(?:\)\)\)|\)\)|\]\)|\]\]|\)\]|/\]|\\\]|\}\}|\]|\)|\})\s*(?:::\w+)?\s*$"""
)


@dataclass(frozen=True)
class TextGraph:
    """`labels` by node, "" where none is given; `edges` from the operand to the operation, in the order written."""

    labels: dict[str, str] = field(default_factory=dict)
    edges: tuple[tuple[str, str], ...] = ()

    def parents(self, node: str) -> tuple[str, ...]:
        """Operands of a node, in the order their edges were written."""
        return tuple(a for a, b in self.edges if b == node)


def is_graph_text(text: str) -> bool:
    """Does a text look like DOT, Mermaid or an edge list?"""
    return bool(re.search(_ARROW, text) or re.search(_BACK, text) or re.search(r"\bdigraph\b", text))


def parse_graph(text: str) -> TextGraph | None:
    """The graph a text describes; None if it describes none, or is too large."""
    if len(text) > MAX_TEXT or not is_graph_text(text):
        return None
    labels: dict[str, str] = {}
    edges: list[tuple[str, str]] = []
    for statement in _statements(text):
        if not _read_statement(statement, labels, edges):
            return None
        if len(labels) > MAX_NODES or len(edges) > MAX_EDGES:
            return None
    return TextGraph(labels, tuple(dict.fromkeys(edges)) if _is_simple(edges) else tuple(edges)) if edges else None


def _is_simple(edges: list[tuple[str, str]]) -> bool:
    """An edge written twice stands for an operand used twice (`c -> t1` twice for c·c), so repetitions are kept."""
    return len(set(edges)) == len(edges)


def _statements(text: str) -> Iterable[str]:
    """Statements of the graph: lines and semicolons outside quotes and brackets, without headers and braces."""
    dot = re.search(r"\b(?:strict\s+)?(?:di)?graph\b[^{\n]*\{", text)
    body = text[dot.end() : text.rfind("}") if "}" in text[dot.end() :] else len(text)] if dot else text
    lines = [line for line in body.splitlines() if not _MERMAID_HEAD.match(line)]
    body = "\n".join(_LINE_COMMENT.sub("", line) if dot else line.split("%%")[0] for line in lines)
    depth, quoted, start = 0, False, 0
    for position, character in enumerate(body):
        if character == '"' and body[position - 1 : position] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif character in "[({":
            depth += 1
        elif character in "])}":
            depth = max(0, depth - 1)
        elif character in ";\n" and depth == 0:
            yield from _cleaned(body[start:position])
            start = position + 1
    yield from _cleaned(body[start:])


def _cleaned(statement: str) -> list[str]:
    stripped = statement.strip().strip(";").strip().lstrip("-*• ").strip()
    if not stripped or re.match(
        r"^(?:subgraph|end|style|classDef|class|linkStyle|direction|click|rankdir|node|edge|graph)\b(?!\s*-)", stripped
    ):
        return []
    if re.fullmatch(r"\w+\s*=\s*\"?[\w.]+\"?", stripped) or stripped in ("{", "}"):
        return []
    return [stripped]


def _read_statement(statement: str, labels: dict[str, str], edges: list[tuple[str, str]]) -> bool:
    """One node or one chain of edges; False if it is neither."""
    plain = re.sub(r"\|[^|]*\|", " ", statement)  # Mermaid's labels of edges
    plain = re.sub(r"--\s+[^->]+?\s+(-->)", r"\1", plain)
    back = re.split(_BACK, plain)
    if len(back) == 2 and not re.search(_ARROW, plain):
        plain = f"{back[1]} -> {back[0]}"
    outside = _outside_brackets(plain)
    if outside == [plain]:
        return _read_nodes(plain, labels) is not None
    groups = []
    for position, part in enumerate(outside):
        if (
            position == len(outside) - 1
            and "->" in statement
            and _ATTRIBUTES.search(part)
            and "label" in part
            and "=" in part.split("[")[1]
        ):
            part = _ATTRIBUTES.sub("", part)  # an attribute of the edge
        names = _read_nodes(part, labels)
        if names is None:
            return False
        groups.append(names)
    for sources, targets in itertools.pairwise(groups):
        edges.extend((a, b) for b in targets for a in sources)
    return True


def _outside_brackets(text: str) -> list[str]:
    """The text split at arrows that stand outside brackets and quotes."""
    parts, start, depth, position, quoted = [], 0, 0, 0, False
    arrow = re.compile(_ARROW)
    while position < len(text):
        character = text[position]
        found = None if depth or quoted else arrow.match(text, position)
        if found:
            parts.append(text[start:position])
            position = start = found.end()
            continue
        quoted ^= character == '"'
        depth += 0 if quoted else {"[": 1, "(": 1, "{": 1, "]": -1, ")": -1, "}": -1}.get(character, 0)
        depth = max(depth, 0)
        position += 1
    parts.append(text[start:])
    return parts


def _read_nodes(text: str, labels: dict[str, str]) -> list[str] | None:
    """One or several nodes (`a`, `{a b}`, `a, b`, `a & b`, `t1 [label="+"]`, `t1((+))`) and their names."""
    text = text.strip()
    grouped = re.fullmatch(r"\{(.*)\}", text, re.DOTALL)
    if grouped:
        parts = [part for part in re.split(r"[\s,;]+", grouped[1]) if part]
    elif "[" in text or "(" in text[1:] or '"' in text:
        parts = [part for part in re.split(r"\s+&\s+", text) if part.strip()]
    else:
        parts = [part for part in re.split(r"\s*[,&]\s*", text.strip("()")) if part.strip()]
    names = []
    for part in parts:
        name = _read_node(part.strip(), labels)
        if name is None:
            return None
        names.append(name)
    return names or None


def _read_node(text: str, labels: dict[str, str]) -> str | None:
    label = ""
    bare = re.fullmatch(r"([^\s\[\](){}<>|\"]+)\s*(?:\[\s*([-+*/^])\s*\]|\(\s*([-+*/^])\s*\))", text)
    if bare:  # `d[/]` is a division, not a leaning box
        text, label = bare[1], bare[2] or bare[3]
    attributes = _ATTRIBUTES.search(text)
    found = _LABEL.search(attributes[1]) if attributes else None
    mermaid = _MERMAID_NODE.match(text)
    if (
        attributes
        and (found or "=" in attributes[1])
        and (found or re.search(r"\b(shape|color|style)\s*=", attributes[1]))
    ):
        text = text[: attributes.start()]
        label = _unquoted(found[1]) if found else ""
    elif mermaid:
        text, label = mermaid["name"], _unquoted(mermaid["label"])
    name = clean_name(_unquoted(text))
    if not name or len(name) > 60 or not re.search(r"\w", name):
        return None
    if label or name not in labels:
        labels[name] = label or labels.get(name, "")
    return name


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if len(text) >= 2 and text[0] == "<" and text[-1] == ">":
        text = re.sub(r"<[^<>]*>", "", text[1:-1])
    text = re.sub(r"<(?:sub|sup|b|i|br\s*/?|/\w+)>", "", text)
    return html.unescape(text).strip().strip("$").strip()


def clean_name(text: str) -> str:
    r"""`t_1`, `t_{1}`, `$t_1$`, `t1` are one name: `t1`."""
    return re.sub(r"[\s$\\{}_]", "", text)
