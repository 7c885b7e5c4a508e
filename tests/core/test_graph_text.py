"""Written graphs: DOT, Mermaid, edge lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.kinds.graph_text import parse_graph

EDGES = {("a", "t1"), ("b", "t1"), ("t1", "t2")}
FORMS = {
    "dot": 'digraph G {\n  a -> t1; b -> t1;\n  t1 -> t2 [color=red];\n  t1 [label="+", shape=circle];\n}',
    "dot with groups": "strict digraph { rankdir=LR; {a b} -> t1 -> t2 }",
    "dot with comments": "digraph {\n// inputs\na -> t1\nb -> t1 # twice\nt1 -> t2\n}",
    "mermaid": "graph TD\n  a --> t1((+))\n  b --> t1\n  t1 -->|once| t2[square]\n",
    "mermaid in one line": "flowchart LR\n  a & b --> t1{{+}} --> t2",
    "edges": "a -> t1\nb -> t1\nt1 -> t2",
    "edges with arrows of type": "a → t1\nb → t1\nt_1 → t_2",
    "backwards arrows": "t1 <- a, b\nt2 <- t1",
    "several sources": "a, b -> t1\nt1 -> t2",
    "list": "- a -> t1\n- b -> t1\n- t1 -> t2",
    "latex names": r"$a$ -> $t_{1}$" + "\nb -> t_1\nt_1 -> t_2",
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_graph_in_every_form(form: str) -> None:
    graph = parse_graph(FORMS[form])
    assert graph is not None
    assert set(graph.edges) == EDGES


def test_labels_are_kept() -> None:
    graph = parse_graph(FORMS["dot"])
    assert graph is not None
    assert graph.labels["t1"] == "+"


def test_an_operand_used_twice_has_two_edges() -> None:
    graph = parse_graph("c -> t1\nc -> t1\n")
    assert graph is not None
    assert graph.parents("t1") == ("c", "c")


@pytest.mark.parametrize("text", ["", "no graph here", "t1 = a + b", "->", "-> ->", "a" * 200_000 + "->b"])
def test_what_is_no_graph_is_none(text: str) -> None:
    assert parse_graph(text) is None


@given(st.text(alphabet='ab12->[]{}()"=;,|\n \\&<', max_size=120))
def test_any_text_is_a_graph_or_none(text: str) -> None:
    parse_graph(text)
