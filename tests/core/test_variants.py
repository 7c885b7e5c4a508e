"""Parameters: the same for a student on every machine, untouched by edits elsewhere."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.variants import Parameter, draw_parameters

WIDE = {"a": Parameter(integer=(2, 900)), "b": Parameter(choice=(Fraction(1, 2), Fraction(2), Fraction(7)))}


def test_values_are_the_same_on_every_machine() -> None:
    assert draw_parameters(WIDE, "anna", "sheet", "1a") == {"a": Fraction(84), "b": Fraction(1, 2)}


@given(st.text(max_size=8), st.integers(1, 50))
def test_a_value_does_not_depend_on_other_parameters(seed: str, width: int) -> None:
    alone = draw_parameters({"a": WIDE["a"]}, seed, "sheet", "1a")["a"]
    among = draw_parameters({"z": Parameter(integer=(0, width)), **WIDE}, seed, "sheet", "1a")["a"]
    assert alone == among


def test_students_questions_and_attempts_differ() -> None:
    drawn = {
        draw_parameters(WIDE, student, "sheet", question, attempt)["a"]
        for student in ("anna", "ben", "chi")
        for question in ("1a", "1b")
        for attempt in (0, 1)
    }
    assert len(drawn) > 6


@given(st.integers(-5, 5), st.integers(0, 8), st.text(max_size=5))
def test_values_lie_in_the_range_and_never_among_those_left_out(low: int, width: int, seed: str) -> None:
    left_out = (Fraction(low + 1),)
    parameter = Parameter(integer=(low, low + width), without=left_out if width else ())
    value = draw_parameters({"a": parameter}, seed, "p", "q")["a"]
    assert low <= value <= low + width
    assert value not in parameter.without


@pytest.mark.parametrize(
    "make",
    [
        lambda: Parameter(),
        lambda: Parameter(integer=(3, 2)),
        lambda: Parameter(integer=(1, 2), choice=(Fraction(1),)),
        lambda: Parameter(integer=(0, 10**9)),
        lambda: Parameter(choice=(Fraction(1),), without=(Fraction(1),)),
    ],
)
def test_a_parameter_without_values_is_refused(make: object) -> None:
    with pytest.raises(ValueError):
        make()  # type: ignore[operator]
