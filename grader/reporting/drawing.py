"""A directed graph as inline SVG: layers by longest path, crossings reduced by medians, no script.

Source: Sugiyama, Tagawa & Toda 1981 (layers and ordering); Gansner et al. 1993 (weighted medians).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from html import escape

from markupsafe import Markup

from grader.model import Evidence

MOST_NODES = 80  # a larger graph is described in words only
SWEEPS = 8
LAYER_GAP = 64
NODE_GAP = 18
NODE_HEIGHT = 34
CHARACTER = 8.2  # width of one character of a node's label
LABEL_CHARACTERS = 28
MARGIN = 14


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in order of appearance with what is written in them, and labelled edges."""

    nodes: tuple[tuple[str, str], ...]
    edges: tuple[tuple[str, str, str], ...]
    marked: frozenset[str] = frozenset()


@dataclass
class _Layout:
    """Where things stand while a drawing is made: `layers` of names, bends of long edges being names with a space."""

    layers: list[list[str]]
    chains: list[list[str]]
    width: dict[str, float]
    x: dict[str, float] = field(default_factory=dict)


def read_graph(evidence: Evidence) -> Graph:
    """The graph in evidence of kind `graph`: pairs `node`, `edge`, `mark` as docs/reports.md describes them."""
    nodes: dict[str, str] = {}
    edges: list[tuple[str, str, str]] = []
    marked = {value for key, value in evidence.data if key == "mark"}
    for key, value in evidence.data:
        if key == "node":
            name, _, label = value.partition(" = ")
            nodes[name.strip()] = label.strip()
        elif key == "edge":
            ends, _, label = value.partition(" : ")
            source, _, target = ends.partition(" -> ")
            edges.append((source.strip(), target.strip(), label.strip()))
    for source, target, _label in edges:
        nodes.setdefault(source, "")
        nodes.setdefault(target, "")
    return Graph(tuple(nodes.items()), tuple(edges), frozenset(marked))


def describe(graph: Graph) -> str:
    """The graph in words, one line per node, for readers who cannot see the drawing."""
    into: dict[str, list[str]] = {name: [] for name, _ in graph.nodes}
    for source, target, _label in graph.edges:
        into[target].append(source)
    return "\n".join(
        f"{name}{f' = {label}' if label else ''}" + (f" from {', '.join(into[name])}" if into[name] else "")
        for name, label in graph.nodes
    )


def draw(graph: Graph, title: str = "Computation graph") -> Markup:
    """The graph as an SVG element that follows the page's colours; empty when it is too large or has no nodes."""
    if not graph.nodes or len(graph.nodes) > MOST_NODES:
        return Markup("")
    layout = _lay_out(graph)
    total = max((sum(layout.width[n] + NODE_GAP for n in layer) for layer in layout.layers), default=0.0)
    right = max(layout.x[n] + layout.width[n] / 2 for layer in layout.layers for n in layer) + MARGIN
    width = max(total, right)
    height = len(layout.layers) * NODE_HEIGHT + (len(layout.layers) - 1) * LAYER_GAP + 2 * MARGIN
    level = {name: row for row, layer in enumerate(layout.layers) for name in layer}
    parts = [
        f'<svg class="graph" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img"'
        f' aria-label="{escape(f"{title}: {describe(graph)}", quote=True)}">',
        f"<title>{escape(title)}</title>",
    ]
    parts += [_edge(layout, level, chain, edge[2]) for chain, edge in zip(layout.chains, graph.edges, strict=True)]
    parts += [_node(layout, level, name, label, name in graph.marked) for name, label in graph.nodes]
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - every text in it is escaped


def _lay_out(graph: Graph) -> _Layout:
    rank = _rank(graph)
    layers: list[list[str]] = [[] for _ in range(max(rank.values()) + 1)]
    for name, _label in graph.nodes:
        layers[rank[name]].append(name)
    width = {name: max(40.0, CHARACTER * len(_caption(name, label)) + 22) for name, label in graph.nodes}
    chains: list[list[str]] = []
    for number, (source, target, _label) in enumerate(graph.edges):
        low, high = sorted((rank[source], rank[target]))
        bends = [f"{number} {row}" for row in range(low + 1, high)]
        for row, bend in zip(range(low + 1, high), bends, strict=True):
            layers[row].append(bend)
            width[bend] = 4.0
        chains.append([source, *(bends if rank[source] <= rank[target] else reversed(bends)), target])
    layout = _Layout(_reduce_crossings(layers, chains), chains, width)
    _place(layout)
    return layout


def _rank(graph: Graph) -> dict[str, int]:
    """The length of the longest path to each node; an edge that closes a cycle is left out of the count."""
    below: dict[str, list[str]] = {name: [] for name, _ in graph.nodes}
    missing = {name: 0 for name, _ in graph.nodes}
    for source, target, _label in graph.edges:
        if source != target:
            below[source].append(target)
            missing[target] += 1
    rank = dict.fromkeys(missing, 0)
    done: set[str] = set()
    ready = [name for name, _ in graph.nodes if missing[name] == 0]
    while len(done) < len(rank):
        if not ready:  # a cycle: break it at the first node that is left
            ready = [next(name for name in rank if name not in done)]
        name = ready.pop(0)
        if name in done:
            continue
        done.add(name)
        for target in below[name]:
            missing[target] -= 1
            if target not in done:
                rank[target] = max(rank[target], rank[name] + 1)
                if missing[target] <= 0:
                    ready.append(target)
    return _pull_inputs_down(graph, rank)


def _pull_inputs_down(graph: Graph, rank: dict[str, int]) -> dict[str, int]:
    """Inputs stand one layer above their first use, which shortens edges."""
    targets = {target for _s, target, _l in graph.edges}
    for name, _label in graph.nodes:
        uses = [rank[target] for source, target, _l in graph.edges if source == name and rank[target] > rank[name]]
        if name not in targets and uses:
            rank[name] = min(uses) - 1
    lowest = min(rank.values())
    return {name: value - lowest for name, value in rank.items()}


def _reduce_crossings(layers: list[list[str]], chains: list[list[str]]) -> list[list[str]]:
    up: dict[str, list[str]] = {}
    down: dict[str, list[str]] = {}
    for chain in chains:
        for source, target in itertools.pairwise(chain):
            down.setdefault(source, []).append(target)
            up.setdefault(target, []).append(source)
    best = [list(layer) for layer in layers]
    fewest = _crossings(best, down)
    current = [list(layer) for layer in layers]
    for sweep in range(SWEEPS):
        rows = range(1, len(current)) if sweep % 2 == 0 else range(len(current) - 2, -1, -1)
        for row in rows:
            beside = current[row - 1] if sweep % 2 == 0 else current[row + 1]
            position = {name: place for place, name in enumerate(beside)}
            neighbours = up if sweep % 2 == 0 else down
            own = {name: place for place, name in enumerate(current[row])}
            current[row].sort(key=lambda n: (_median(neighbours.get(n, []), position, own[n]), own[n]))
        crossings = _crossings(current, down)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in current], crossings
    return best


def _median(names: list[str], position: dict[str, int], own: float) -> float:
    places = sorted(position[name] for name in names if name in position)
    if not places:
        return own
    middle = len(places) // 2
    return float(places[middle]) if len(places) % 2 else (places[middle - 1] + places[middle]) / 2


def _crossings(layers: list[list[str]], down: dict[str, list[str]]) -> int:
    count = 0
    for upper, lower in itertools.pairwise(layers):
        position = {name: place for place, name in enumerate(lower)}
        ends = [[position[t] for t in down.get(name, []) if t in position] for name in upper]
        for left, row in enumerate(ends):
            count += sum(a > b for a in row for other in ends[left + 1 :] for b in other)
    return count


def _place(layout: _Layout) -> None:
    """Coordinates: each layer packed, then moved towards its neighbours without changing the order."""
    neighbours: dict[str, list[str]] = {}
    for chain in layout.chains:
        for a, b in itertools.pairwise(chain):
            neighbours.setdefault(a, []).append(b)
            neighbours.setdefault(b, []).append(a)
    widest = max(sum(layout.width[n] + NODE_GAP for n in layer) for layer in layout.layers)
    for layer in layout.layers:
        left = (widest - sum(layout.width[n] + NODE_GAP for n in layer)) / 2 + MARGIN
        for name in layer:
            layout.x[name] = left + layout.width[name] / 2
            left += layout.width[name] + NODE_GAP
    for _sweep in range(SWEEPS):
        for layer in [*layout.layers, *reversed(layout.layers)]:
            wanted = [_mean([layout.x[n] for n in neighbours.get(name, [])], layout.x[name]) for name in layer]
            for name, x in zip(layer, _spread(wanted, [layout.width[n] for n in layer]), strict=True):
                layout.x[name] = x
    left = min(layout.x[n] - layout.width[n] / 2 for layer in layout.layers for n in layer)
    for name in layout.x:
        layout.x[name] += MARGIN - left


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _spread(wanted: list[float], widths: list[float]) -> list[float]:
    """Positions near the wanted ones, in order, without overlap (blocks that touch move together)."""
    blocks: list[tuple[float, float, list[int]]] = []  # (centre of the first, offset sum, members)
    offsets: list[float] = [0.0]
    for a, b in itertools.pairwise(widths):
        offsets.append(offsets[-1] + (a + b) / 2 + NODE_GAP)
    for index, want in enumerate(wanted):
        start, total, members = want - offsets[index], want - offsets[index], [index]
        while blocks and blocks[-1][0] >= start:
            _before, sum_before, earlier = blocks.pop()
            members = earlier + members
            total += sum_before
            start = total / len(members)
        blocks.append((start, total, members))
    return [start + offsets[index] for start, _total, members in blocks for index in members]


def _caption(name: str, label: str) -> str:
    text = f"{name} = {label}" if label else name
    return text if len(text) <= LABEL_CHARACTERS else f"{text[: LABEL_CHARACTERS - 1]}…"


def _top(row: int) -> float:
    return MARGIN + row * (NODE_HEIGHT + LAYER_GAP)


def _edge(layout: _Layout, level: dict[str, int], chain: list[str], label: str) -> str:
    downward = level[chain[-1]] >= level[chain[0]]
    points = [(layout.x[name], _top(level[name]) + NODE_HEIGHT / 2) for name in chain]
    sign = 1 if downward else -1
    points[0] = (points[0][0], points[0][1] + sign * NODE_HEIGHT / 2)
    points[-1] = (points[-1][0], points[-1][1] - sign * (NODE_HEIGHT / 2 + 5))
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        path += f" C{x0:.1f},{(y0 + y1) / 2:.1f} {x1:.1f},{(y0 + y1) / 2:.1f} {x1:.1f},{y1:.1f}"
    (x, y) = points[-1]
    arrow = f"M{x - 4:.1f},{y - sign * 2:.1f} L{x:.1f},{y + sign * 5:.1f} L{x + 4:.1f},{y - sign * 2:.1f} Z"
    text = ""
    if label:
        (ax, ay), (bx, by) = points[-2], points[-1]
        short = label if len(label) <= LABEL_CHARACTERS else f"{label[: LABEL_CHARACTERS - 1]}…"
        text = (
            f'<text class="edge-label" x="{(ax + 2 * bx) / 3:.1f}" y="{(ay + 2 * by) / 3:.1f}">{escape(short)}</text>'
        )
    return f'<path class="edge" d="{path}"/><path class="arrow" d="{arrow}"/>{text}'


def _node(layout: _Layout, level: dict[str, int], name: str, label: str, marked: bool) -> str:
    width = layout.width[name]
    x, y = layout.x[name] - width / 2, _top(level[name])
    kind = "node marked" if marked else ("node" if label else "node input")
    return (
        f'<g class="{kind}"><title>{escape(f"{name} = {label}" if label else name)}</title>'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{NODE_HEIGHT}" rx="9"/>'
        f'<text x="{layout.x[name]:.1f}" y="{y + NODE_HEIGHT / 2:.1f}">{escape(_caption(name, label))}</text></g>'
    )
