"""A person's word in review.csv is read, kept to the letter, and never overwritten."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from fractions import Fraction

import pytest

from grader.model import Decision, Report
from grader.reporting import review
from tests.reporting.samples import REPORT

BARE = replace(REPORT, decisions=())
FILES = {REPORT.student: REPORT.student}


def fill(text: str, item: str, **columns: str) -> str:
    rows = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        if row["item"] == item:
            row.update(columns)
    out = io.StringIO()
    writer = csv.DictWriter(out, review.COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def rows(text: str) -> dict[str, dict[str, str]]:
    return {row["item"]: row for row in csv.DictReader(io.StringIO(text))}


def test_every_pending_item_has_a_row_with_a_link_and_empty_columns_for_a_person() -> None:
    table = rows(review.render([BARE], FILES))
    assert set(table) == {"1c", "3.statement"}
    assert table["1c"]["link"] == "reports/lovelace_ada.html#item-1c"
    assert table["1c"]["points"] == table["1c"]["reason"] == table["1c"]["by"] == ""


def test_a_filled_in_row_becomes_a_decision() -> None:
    text = fill(review.render([BARE], FILES), "1c", points="3/2", reason="meant e^{-x}", by="kb")
    assert review.read(text).decisions == (Decision("lovelace_ada", "1c", Fraction(3, 2), "meant e^{-x}", "kb"),)


def test_a_persons_row_survives_when_the_item_is_no_longer_pending_or_gone() -> None:
    before = review.read(fill(review.render([BARE], FILES), "1c", points="3/2", reason="=odd", by="kb"))
    without = replace(BARE, findings=tuple(f for f in BARE.findings if f.item != "1c"))
    settled = replace(BARE, findings=(replace(BARE.findings[1], item="1c"),))
    for report in (BARE, without, settled):
        row = rows(review.render([report], FILES, before))["1c"]
        assert (row["points"], row["reason"], row["by"]) == ("3/2", "=odd", "kb")


def test_reading_and_writing_again_changes_nothing() -> None:
    before = review.read(fill(review.render([BARE], FILES), "1c", points=" 1,5 ", reason="x", by=""))
    once = review.render([BARE], FILES, before)
    assert review.render([BARE], FILES, review.read(once)) == once


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2), ("1.5", Fraction(3, 2)), ("1,5", Fraction(3, 2)), (" 3/2 ", Fraction(3, 2)), ("0", 0)],
)
def test_points_are_read_as_people_write_them(text: str, value: Fraction) -> None:
    assert review.parse_points(text) == value


@pytest.mark.parametrize("text", ["", "-1", "two", "1e9", "1/0", "nan", "1__0", "9" * 40, "2 of 3"])
def test_anything_else_is_no_number_of_points(text: str) -> None:
    assert review.parse_points(text) is None


def test_a_row_that_cannot_be_taken_in_is_reported_kept_and_without_effect() -> None:
    text = fill(review.render([BARE], FILES), "1c", points="lots", reason="because")
    found = review.read(text)
    assert not found.decisions
    assert found.bad[0].line == 2
    assert rows(review.render([BARE], FILES, found))["1c"]["points"] == "lots"


@pytest.mark.parametrize(
    ("decision", "report", "why"),
    [
        (Decision("x", "1c", Fraction(1), ""), None, "no student"),
        (Decision("lovelace_ada", "9z", Fraction(1), ""), BARE, "no item"),
        (Decision("lovelace_ada", "1c", Fraction(3), ""), BARE, "more than"),
        (Decision("lovelace_ada", "1c", Fraction(2), ""), BARE, ""),
    ],
)
def test_a_decision_must_name_a_student_an_item_and_at_most_its_points(
    decision: Decision, report: Report | None, why: str
) -> None:
    assert (why in review.admit(decision, report)) if why else not review.admit(decision, report)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_spreadsheets_own_delimiter_and_byte_order_mark_are_accepted(delimiter: str) -> None:
    row = delimiter.join(["s", "1a", "2", "", "", "", "", "1", "ok", "me"])
    text = "\ufeff" + delimiter.join(review.COLUMNS) + "\n" + row + "\n"
    assert review.read(text).decisions == (Decision("s", "1a", Fraction(1), "ok", "me"),)


def test_a_file_without_the_columns_says_so() -> None:
    assert "no column" in review.read("a,b\n1,2\n").bad[0].message
