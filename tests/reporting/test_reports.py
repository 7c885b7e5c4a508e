"""Reports say everything there is to say, to the right reader, and nothing a student typed becomes markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from grader.analytics import summarise
from grader.model import Evidence, Finding, Report, Verdict
from grader.reporting import EXPORTERS, class_page, csv_gradebook, drawing, json_report, lines, mathml, render, terminal
from grader.reporting.audience import for_student
from tests.reporting.samples import HOSTILE, REPORT, TRUTH

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())
ALLOWED = {"math", "svg", "g", "rect", "path", "text", "title", "line"} | mathml.ELEMENTS
PAGE = "html head meta style body header main section article nav footer div span p b i strong a ul ol li h1 h2 h3 pre"
PAGE += " code mark table thead tr th td dl dt dd details summary br"


class Tags(HTMLParser):
    """Collects the elements, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.ids += [value or "" for name, value in attrs if name == "id"]


def tags(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    return parser


def whole_class() -> list[Report]:
    return [replace(REPORT, student=f"s{n}", decisions=REPORT.decisions if n else ()) for n in range(5)]


def class_text() -> str:
    reports = [for_student(report) for report in whole_class()]
    return class_page.render(HOSTILE, reports, summarise(reports), {r.student: r.student for r in reports})


@pytest.mark.parametrize("form", EXPORTERS)
def test_no_student_facing_export_contains_the_truth_or_the_seed(form: str) -> None:
    text = render(for_student(REPORT), form)
    assert TRUTH not in text
    assert "-0.7" not in text
    assert "seed-digest-5150" not in text


def test_the_class_page_and_the_gradebook_do_not_contain_the_truth() -> None:
    assert TRUTH not in class_text()
    assert TRUTH not in csv_gradebook.render([for_student(REPORT)])


@pytest.mark.parametrize("form", EXPORTERS)
def test_every_export_shows_every_item_with_its_points_and_messages(form: str) -> None:
    text = render(for_student(REPORT), form)
    for finding in REPORT.findings:
        assert finding.item in text
    assert "the path through" in text
    assert "1.5" in text or "16" in text


@pytest.mark.parametrize("form", EXPORTERS)
def test_the_same_report_gives_the_same_bytes(form: str) -> None:
    assert render(REPORT, form) == render(replace(REPORT), form)


def test_student_text_never_becomes_markup() -> None:
    for page in (render(REPORT, "html"), class_text()):
        found = tags(page)
        assert found.seen <= ALLOWED | set(PAGE.split())
        assert not {name for name in found.attributes if name.startswith("on")}
        assert all(link.startswith(("#", "reports/")) for link in found.links)


def test_a_page_needs_nothing_from_elsewhere() -> None:
    page = render(REPORT, "html")
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert "url(" not in page
    assert "@import" not in page


def test_every_link_to_a_question_has_its_target() -> None:
    found = tags(render(REPORT, "html"))
    assert {link[1:] for link in found.links} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))


def test_a_decision_stands_beside_the_programs_verdict() -> None:
    page = render(REPORT, "html")
    assert "Decided by kb: 3 of 5 points." in page
    assert "Waits for a person" in page


def test_json_follows_its_schema_and_reads_back() -> None:
    text = json_report.render(REPORT)
    Draft202012Validator(SCHEMA).validate(json.loads(text))
    assert json_report.parse(text) == REPORT


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": "gradient-grader/report/1"}', "null"])
def test_a_damaged_report_is_refused_with_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        json_report.parse(text)


def test_the_terminal_never_sees_a_control_character() -> None:
    finding = replace(REPORT.findings[0], message="\x1b[2J\x07gone", read_as="\u202eevil")
    text = terminal.render(replace(REPORT, findings=(finding,)))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text)


def test_colour_is_only_used_when_asked_for() -> None:
    assert "\x1b[" not in terminal.render(REPORT)
    assert "\x1b[31m" in terminal.render(REPORT, colour=True)


def test_a_spreadsheet_finds_no_formula_in_the_gradebook() -> None:
    report = replace(REPORT, student="=1+1", name="@SUM(A1)")
    row = csv_gradebook.render([report]).splitlines()[1]
    assert row.startswith("'=1+1,'@SUM(A1)")


def test_the_gradebook_has_a_column_per_question() -> None:
    head = csv_gradebook.render([REPORT]).splitlines()[0]
    assert head == "student,name,1a,1b,1c,2a,2c,2,3,3a,total,possible,percent,pending,late,isolation,note"


def test_an_empty_class_has_a_page_and_a_gradebook() -> None:
    assert "submissions" in class_page.render("t", [], summarise([]), {})
    assert csv_gradebook.render([]).startswith("student,name,total")


def test_items_belong_to_the_longest_question_that_fits() -> None:
    assert lines.question_of("2.L", ["2", "2a"]) == "2"
    assert lines.question_of("2a.A", ["2", "2a"]) == "2a"
    assert lines.question_of("9.x", ["2"]) == "9"


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_is_safe_as_prose_and_as_a_formula(text: str) -> None:
    for html in (str(mathml.prose(text)), str(mathml.formula(text)), str(mathml.formula(text, True))):
        found = tags(html)
        assert found.seen <= mathml.ELEMENTS | {"code", "br"}
        assert not {name for name in found.attributes if name not in mathml.ATTRIBUTES}


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{background:url(//evil)}{x}",
        r"\newcommand{\a}{\a\a}\a",
        r"\def\a{\a\a}\a",
        "{" * 500,
        r"\left(" * 400,
        r"\frac" * 300,
        "x" * 10_000,
        r"\begin{matrix}" * 200,
        "&lt;img src=x onerror=alert(1)&gt;",
    ],
)
def test_hostile_formulas_become_harmless(latex: str) -> None:
    found = tags(str(mathml.formula(latex)))
    assert found.seen <= mathml.ELEMENTS | {"code"}
    assert not found.links


def test_a_graph_is_drawn_with_every_node_and_edge_and_in_words() -> None:
    graph = drawing.read_graph(next(e for f in REPORT.findings for e in f.evidence if e.kind == "graph"))
    svg = str(drawing.draw(graph))
    assert svg.count("<rect") == len(graph.nodes) == 12
    assert svg.count('class="edge"') == len(graph.edges) == 15
    assert "t3 = t2 + t1 from t2, t1" in drawing.describe(graph)


names = st.sampled_from([f"n{k}" for k in range(9)])


@given(st.lists(st.tuples(names, names), max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_graph_is_drawn_cycles_and_loops_included(pairs: list[tuple[str, str]]) -> None:
    data = (("node", "n0 = x"), *(("edge", f"{a} -> {b}") for a, b in pairs))
    graph = drawing.read_graph(Evidence("graph", "", data=data))
    svg = str(drawing.draw(graph))
    assert svg.count("<rect") == len(graph.nodes)
    assert "nan" not in svg


def test_a_large_graph_is_described_but_not_drawn() -> None:
    graph = drawing.Graph(tuple((f"n{k}", "") for k in range(500)), ())
    assert str(drawing.draw(graph)) == ""
    assert "n499" in drawing.describe(graph)


fractions = st.fractions(min_value=0, max_value=20, max_denominator=60)
findings = st.builds(
    Finding,
    item=st.text(min_size=1, max_size=12),
    verdict=st.sampled_from(Verdict),
    credit=st.fractions(min_value=0, max_value=1, max_denominator=12),
    points=fractions,
    note=st.text(max_size=20),
    message=st.text(max_size=60),
    read_as=st.text(max_size=60),
    read_as_latex=st.text(max_size=60),
    evidence=st.lists(
        st.builds(
            Evidence,
            kind=st.sampled_from(["caret", "chain", "witness", "graph", "probe"]),
            text=st.text(max_size=30),
            data=st.lists(
                st.tuples(
                    st.sampled_from(["source", "start", "end", "left", "right", "node", "edge", "mark", "x"]),
                    st.text(max_size=12),
                ),
                max_size=6,
            ).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
)


@given(st.lists(findings, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_report_is_rendered_in_every_form(found: list[Finding]) -> None:
    report = replace(REPORT, findings=tuple(found), decisions=())
    for form in EXPORTERS:
        assert render(report, form)
    assert json_report.parse(json_report.render(report)) == report
    page = tags(render(report, "html"))
    assert page.seen <= ALLOWED | set(PAGE.split())
    assert "1/1" not in lines.points(Fraction(1))


def test_the_links_of_one_chain_are_shown_together() -> None:
    links = [
        Evidence("chain", "A step does not hold.", data=(("left", x), ("right", "1"), ("holds", "no"))) for x in "ab"
    ]
    page = render(replace(REPORT, findings=(replace(REPORT.findings[1], evidence=tuple(links)),)), "html")
    assert page.count("A step does not hold.") == 1
    assert page.count("does not hold</span>") == 2
