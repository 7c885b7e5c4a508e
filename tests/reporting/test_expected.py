"""Expected outcomes are read strictly and compared with reports."""

from __future__ import annotations

from fractions import Fraction

import pytest

from grader.model import Verdict
from grader.reporting import expected
from tests.reporting.samples import REPORT

TEXT = """
[students.lovelace_ada]
total = "16"
pending = "2"
remarks = ["late"]
[students.lovelace_ada.items]
1a = "INCORRECT chain_rule.inner_derivative_missing"
"2c.A" = "INCORRECT 4"
"2.lambda1" = "CARRIED carried 4"
"""


def test_a_report_as_expected_has_no_differences() -> None:
    assert expected.compare(REPORT, expected.load(TEXT)["lovelace_ada"]) == ()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('total = "16"', 'total = "17"', "total"),
        ('pending = "2"', "", "pending"),
        ('["late"]', '["late", "lost"]', "remarks"),
        ("inner_derivative_missing", "other", "1a"),
        ("INCORRECT 4", "INCORRECT 5", "2c.A"),
        ("1a = ", "9a = ", "9a"),
    ],
)
def test_each_difference_is_named(old: str, new: str, what: str) -> None:
    found = expected.compare(REPORT, expected.load(TEXT.replace(old, new))["lovelace_ada"])
    assert [difference.what for difference in found] == [what]


def test_a_default_holds_for_every_item_not_listed() -> None:
    text = TEXT.replace('pending = "2"', 'pending = "2"\ndefault = "BLANK"')
    assert len(expected.compare(REPORT, expected.load(text)["lovelace_ada"])) == len(REPORT.findings) - 4


def test_an_outcome_is_a_verdict_a_note_and_points() -> None:
    assert expected.parse_outcome("INCORRECT a.b 9/2") == expected.Outcome(Verdict.INCORRECT, "a.b", Fraction(9, 2))


@pytest.mark.parametrize("text", ["", "WRONG", "CORRECT a b", "CORRECT a b c"])
def test_a_mistyped_outcome_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        expected.parse_outcome(text)


def test_an_unknown_key_names_the_student() -> None:
    with pytest.raises(ValueError, match=r"students\.a: unknown key totl"):
        expected.load('[students.a]\ntotl = "3"\n')
