"""JUnit XML against the rules of the schema that Jenkins and pytest's `xunit2` go by, written down as a table."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.export import junit
from grader.model import Finding, Place, QuestionScore, Report, Score, Verdict

# element -> (children, attributes required, attributes allowed besides)
RULES = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "disabled", "errors"}),
    "testsuite": (
        {"properties", "testcase", "system-out", "system-err"},
        {"name", "tests"},
        {"failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package", "group"},
    ),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name", "classname"},
        {"assertions", "time", "status", "group"},
    ),
    "failure": (set(), set(), {"type", "message"}),
    "skipped": (set(), set(), {"type", "message"}),
}
COUNTS = {"tests", "failures", "errors", "skipped", "disabled"}


def report(*findings: Finding) -> Report:
    possible = sum((f.points for f in findings), Fraction(0))
    score = Score(Fraction(0), possible, Fraction(0), (QuestionScore("1", Fraction(0), possible, Fraction(0)),))
    return Report("sheet", "A sheet", "ada", "Ada", findings, score)


def check(element: ElementTree.Element) -> None:
    children, required, more = RULES[element.tag]
    assert required <= set(element.attrib) <= required | more, element.tag
    assert all(re.fullmatch(r"\d+", element.attrib[name]) for name in COUNTS & set(element.attrib))
    assert all(re.fullmatch(r"\d+(\.\d+)?", element.attrib[name]) for name in {"time"} & set(element.attrib))
    for child in element:
        assert child.tag in children, f"{child.tag} in {element.tag}"
        check(child)


FINDINGS = [
    Finding(f"1{verdict[0].lower()}", verdict, Fraction(0), Fraction(2), "note", "why", where=Place("a.md", 3))
    for verdict in Verdict
]


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda one: one.verdict)
def test_every_verdict_is_of_the_schemas_form(finding: Finding) -> None:
    check(ElementTree.fromstring(junit.document([report(finding)]).data))


@given(st.text(), st.text())
def test_any_text_at_all_stays_of_the_schemas_form(message: str, item: str) -> None:
    finding = replace(FINDINGS[1], verdict=Verdict.INCORRECT, message=message, item=item or "1")
    check(ElementTree.fromstring(junit.document([report(finding, *FINDINGS)]).data))


def test_the_counts_are_those_of_the_cases() -> None:
    root = ElementTree.fromstring(junit.document([report(*FINDINGS)]).data)
    (suite,) = root
    assert int(suite.attrib["tests"]) == len(suite) == len(FINDINGS)
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
