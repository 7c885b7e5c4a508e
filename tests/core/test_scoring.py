"""Points in exact fractions; what waits for a person is neither earned nor lost."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Decision, Finding, Verdict
from grader.scoring import Penalty, Terms, price_lateness, score, seconds_late

TERMS = Terms({"1a": "1", "1b": "1", "2": "2", "extra": "3"}, frozenset({"extra"}))
PENDING = (Verdict.UNREADABLE, Verdict.UNDECIDED)


def finding(item: str, verdict: Verdict = Verdict.CORRECT, credit: Fraction = Fraction(1), points: int = 3) -> Finding:
    return Finding(item, verdict, credit, Fraction(points))


@st.composite
def findings(draw: st.DrawFn) -> tuple[Finding, ...]:
    chosen = draw(st.lists(st.sampled_from(sorted(TERMS.question_of)), unique=True, min_size=1))
    credits = st.fractions(0, 1, max_denominator=12)
    return tuple(finding(item, draw(st.sampled_from(list(Verdict))), draw(credits)) for item in chosen)


@given(findings(), st.fractions(0, 1, max_denominator=12))
def test_pending_items_never_change_the_points_earned(found: tuple[Finding, ...], credit: Fraction) -> None:
    changed = tuple(Finding(f.item, f.verdict, credit if f.verdict.pending else f.credit, f.points) for f in found)
    assert score(found, (), TERMS) == score(changed, (), TERMS)


@given(findings())
def test_earned_pending_and_lost_points_add_up_to_what_is_possible(found: tuple[Finding, ...]) -> None:
    total = score(found, (), TERMS)
    lost = sum(
        (f.points * (1 - f.credit) for f in found if not f.verdict.pending and f.item not in TERMS.bonus), Fraction(0)
    )
    bonus = sum((f.points for f in found if f.item in TERMS.bonus), Fraction(0))
    gained = sum((f.points - f.earned for f in found if f.item in TERMS.bonus and not f.verdict.pending), Fraction(0))
    assert total.earned + total.pending + lost == total.possible + bonus - gained


def test_a_decision_replaces_the_programs_points_and_ends_the_waiting() -> None:
    found = (finding("1a", Verdict.UNDECIDED), finding("1b"))
    total = score(found, (Decision("x", "1a", Fraction(2), "read it"),), TERMS)
    assert (total.earned, total.pending, total.possible) == (5, 0, 6)


def test_the_last_of_several_decisions_counts() -> None:
    both = (Decision("x", "1a", Fraction(2), ""), Decision("x", "1a", Fraction(1), ""))
    assert score((finding("1a"),), both, TERMS).earned == 1


def test_a_bonus_adds_to_what_is_earned_and_not_to_what_is_possible() -> None:
    total = score((finding("1a"), finding("extra")), (), TERMS)
    assert (total.earned, total.possible) == (6, 3)


def test_points_stay_exact() -> None:
    total = score(
        (finding("1a", credit=Fraction(1, 3), points=1), finding("1b", credit=Fraction(1, 7), points=1)), (), TERMS
    )
    assert total.earned == Fraction(10, 21)


@pytest.mark.parametrize(
    ("submitted", "late"),
    [
        ("2024-11-21T11:59:00+01:00", 0),
        ("2024-11-21T10:59:01Z", 1),
        ("2024-11-21T12:59:00", 3600),
        ("2024-11-20", 0),
        ("yesterday", 0),
        (None, 0),
    ],
)
def test_lateness_is_counted_in_seconds_after_the_deadline(submitted: str | None, late: int) -> None:
    assert seconds_late(submitted, datetime.fromisoformat("2024-11-21T11:59:00+01:00")) == late


@pytest.mark.parametrize(
    ("seconds", "share"),
    [
        (0, 0),
        (600, 0),
        (601, Fraction(1, 10)),
        (86_400 + 600, Fraction(1, 10)),
        (86_401 + 600, Fraction(1, 5)),
        (10**7, Fraction(3, 4)),
    ],
)
def test_every_begun_day_after_the_grace_period_costs_its_share(seconds: int, share: Fraction) -> None:
    assert price_lateness(seconds, Fraction(1, 10), 10, Fraction(1, 4)).share == share


def test_an_extension_moves_the_deadline_of_one_student() -> None:
    assert price_lateness(3600, Fraction(1, 10), 0, Fraction(0), 60).share == 0


def test_the_penalty_is_taken_from_what_was_earned() -> None:
    total = score((finding("1a"), finding("1b", Verdict.INCORRECT, Fraction(0))), (), TERMS, Penalty(9, Fraction(1, 2)))
    assert (total.earned, total.penalty, total.possible) == (Fraction(3, 2), Fraction(3, 2), 6)
