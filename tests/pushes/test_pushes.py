"""What a push is told."""

from __future__ import annotations

import base64
import json
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Decision, Finding, Place, QuestionScore, Report, Score, Verdict
from grader.pushes import annotations, badge, claims, classroom50, legacy, summary
from grader.reporting import json_report


def finding(item: str, verdict: Verdict, points: str = "2", credit: str = "0", message: str = "") -> Finding:
    return Finding(item, verdict, Fraction(credit), Fraction(points), message=message, where=Place("answers.md", 7, 3))


def report(*findings: Finding, decisions: tuple[Decision, ...] = ()) -> Report:
    earned = sum((f.earned for f in findings), Fraction(0))
    possible = sum((f.points for f in findings), Fraction(0))
    pending = sum((f.points for f in findings if f.verdict.pending), Fraction(0))
    score = Score(earned, possible, pending, (QuestionScore("1", earned, possible, pending),))
    return Report("sheet", "A sheet", "ada", "Ada", findings, score, decisions)


MIXED = report(
    finding("1a", Verdict.CORRECT, credit="1"),
    finding("1b", Verdict.INCORRECT, message="a sign is off"),
    finding("1c", Verdict.UNREADABLE, points="3/2", message="no closing brace"),
    finding("1d", Verdict.CARRIED, points="3/2", credit="1"),
)


@pytest.mark.parametrize(
    ("text", "message", "as_property"),
    [
        ("plain", "plain", "plain"),
        ("50% done", "50%25 done", "50%25 done"),
        ("two\nlines\r", "two%0Alines%0D", "two%0Alines%0D"),
        ("a: b, c", "a: b, c", "a%3A b%2C c"),
        ("::error::no", "::error::no", "%3A%3Aerror%3A%3Ano"),
    ],
)
def test_text_cannot_leave_its_command(text: str, message: str, as_property: str) -> None:
    assert annotations.escape_message(text) == message
    assert annotations.escape_property(text) == as_property


@given(st.text())
def test_an_annotation_is_always_one_line(message: str) -> None:
    lines = annotations.annotate(report(finding("1a", Verdict.INCORRECT, message=message)))
    assert len(lines) == 1
    assert "\n" not in lines[0]
    assert "\r" not in lines[0]


def test_annotations_are_at_most_nine_and_count_the_rest() -> None:
    lines = annotations.annotate(report(*(finding(f"1.{k}", Verdict.INCORRECT) for k in range(14))))
    assert len(lines) == annotations.MAX_ANNOTATIONS + 1
    assert lines[-1].endswith("::and 5 more in the summary")


def test_what_is_wrong_is_annotated_before_what_is_doubtful() -> None:
    lines = annotations.annotate(MIXED)
    assert [line.split(" ", 1)[0] for line in lines] == ["::error", "::warning", "::notice"]
    assert "file=answers.md,line=7" in lines[0]


def test_the_points_notice_is_what_class_tools_look_for() -> None:
    assert annotations.points_notice(MIXED) == "::notice title=Autograding complete::Points 3.5/7"


def test_half_points_become_whole_numbers() -> None:
    result = classroom50.result(MIXED)
    assert (result["score"], result["max-score"]) == (7, 14)
    tests = result["tests"]
    assert isinstance(tests, list)
    for test in tests:
        assert isinstance(test, dict)
        assert {"test-name", "passed", "score", "max-score", "message"} <= set(test)
        assert isinstance(test["score"], int)
    assert set(result) == {"schema", "score", "max-score", "tests"}
    assert result["schema"] == "classroom50/result/v1"


def test_a_persons_points_are_what_the_result_says() -> None:
    decided = report(
        finding("1a", Verdict.UNDECIDED), decisions=(Decision("ada", "1a", Fraction(2), "right, drawn by hand"),)
    )
    tests = classroom50.result(decided)["tests"]
    assert isinstance(tests, list)
    assert isinstance(tests[0], dict)
    assert tests[0]["passed"] is True


def test_every_test_of_the_former_reporter_has_a_score() -> None:
    decoded = json.loads(base64.b64decode(legacy.encode(MIXED)))
    assert [test["score"] for test in decoded["tests"]] == [2, 0, 0, 1.5]
    assert decoded["max_score"] == 7
    assert decoded["version"] == 1
    assert decoded["status"] == "fail"


def test_a_summary_has_one_row_for_each_item_and_no_markup_of_the_students() -> None:
    hostile = report(finding("1a", Verdict.INCORRECT, message="<img src=x> | [click](http://x) `code`\nnext"))
    text = summary.summary(hostile)
    row = next(line for line in text.splitlines() if line.startswith("| 1a"))
    assert row.count("|") == 6
    assert "<" not in row
    assert "[" not in row


def test_a_summary_stays_below_a_mebibyte_and_says_what_it_left_out() -> None:
    long = report(*(finding(f"1.{k}", Verdict.INCORRECT, message="x" * 5000) for k in range(400)))
    text = summary.summary(long)
    assert len(text.encode()) <= summary.MAX_SUMMARY_BYTES
    assert "more" in text.splitlines()[-3]


def test_a_badge_is_well_formed_and_says_the_points() -> None:
    root = ElementTree.fromstring(badge.badge(MIXED))
    assert root.tag.endswith("svg")
    assert "3.5 / 7" in root.attrib["aria-label"]


@pytest.mark.parametrize(
    ("data", "earned", "possible"),
    [
        (json_report.to_data(MIXED), Fraction(7, 2), Fraction(7)),
        (classroom50.result(MIXED), Fraction(7, 2), Fraction(7)),
        (legacy.result(MIXED), Fraction(7, 2), Fraction(7)),
    ],
)
def test_claims_of_every_kind_are_understood(data: object, earned: Fraction, possible: Fraction) -> None:
    claim = claims.read_claim(data)
    assert claim is not None
    assert (claim.earned, claim.possible) == (earned, possible)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda c: (
            st.lists(c)
            | st.dictionaries(
                st.sampled_from(
                    ["score", "max-score", "max_score", "tests", "earned", "possible", "scale", "provenance"]
                ),
                c,
            )
        ),
    )
)
def test_any_claim_at_all_is_read_or_refused(data: object) -> None:
    claim = claims.read_claim(data)
    assert claim is None or isinstance(claim.earned, Fraction)


@pytest.mark.parametrize(
    ("claim", "ours", "standing"),
    [
        (claims.Claim(Fraction(3), Fraction(7)), claims.Claim(Fraction(3), Fraction(7)), "same"),
        (claims.Claim(Fraction(7), Fraction(7)), claims.Claim(Fraction(3), Fraction(7)), "differs"),
        (claims.Claim(Fraction(7), Fraction(7), "aa"), claims.Claim(Fraction(3), Fraction(7), "bb"), "other bytes"),
        (None, claims.Claim(Fraction(3), Fraction(7)), "no claim"),
        (claims.Claim(Fraction(3), Fraction(7)), None, "not graded"),
    ],
)
def test_an_audit_tells_false_claims_from_other_bytes(
    claim: claims.Claim | None, ours: claims.Claim | None, standing: str
) -> None:
    assert claims.audit("ada", claim, ours).standing == standing
