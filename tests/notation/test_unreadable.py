"""Unreadable is a value with a place: caret templates, hostile texts, and any text at all."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.model import Notation
from grader.notation import (
    Misread,
    Unreadable,
    build_vocabulary,
    caret,
    elaborate,
    read,
    read_all,
    read_dimension,
)
from reference.shapes import ShapeError

CASES = Path(__file__).parent.parent / "cases"
UNREADABLE = tomllib.loads((CASES / "notation_unreadable.toml").read_text())["row"]
HOSTILE = tomllib.loads((CASES / "notation_hostile.toml").read_text())["row"]
WORDS = build_vocabulary({"x": "real", "theta": "real", "w1": "real"}, {"s(x)": "1/(1+exp(-x))"})


def _trouble(text: str, notation: Notation) -> Unreadable | Misread | None:
    found = read(text, notation, WORDS)
    if isinstance(found, Unreadable):
        return found
    try:
        elaborate(found.answer, WORDS, {})
    except Misread as error:
        return error
    return None


@pytest.mark.parametrize("row", UNREADABLE, ids=[row["text"].split("\n")[0] for row in UNREADABLE])
def test_the_caret_stands_under_what_is_not_understood(row: dict[str, str]) -> None:
    text, marks = row["text"].rstrip("\n").split("\n")[:2]
    trouble = _trouble(text, "latex" if "\\" in text else "plain")
    assert trouble is not None
    assert caret(text, trouble.start, trouble.end) == f"{text}\n{marks}"
    assert row["says"] in trouble.message


def test_a_caret_is_cut_out_of_a_long_line_and_takes_the_right_one() -> None:
    assert caret("ab\ncd", 4, 5) == "cd\n ^"
    shown, marks = caret("x" * 500 + "?" + "x" * 500, 500, 501).split("\n")
    assert shown[marks.index("^")] == "?"


def _check(text: str, notation: Notation) -> None:
    for found in read_all(text, notation, WORDS):
        if isinstance(found, Unreadable):
            assert 0 <= found.start <= found.end <= len(text)
            assert found.message
            continue
        assert isinstance(found.read_as, str)
        assert isinstance(found.read_as_latex, str)
        try:
            assert elaborate(found.answer, WORDS, {})
        except Misread as error:
            place = (error.start, error.end)
        except ShapeError:
            continue
        else:
            continue
        assert 0 <= place[0] <= place[1] <= len(text)


@pytest.mark.parametrize("row", HOSTILE, ids=[f"{k}" for k in range(len(HOSTILE))])
@pytest.mark.parametrize("notation", ["latex", "plain"])
def test_hostile_text_ends_in_a_value(row: dict[str, object], notation: Notation) -> None:
    n = int(str(row.get("n", 1)))
    _check(str(row.get("before", "")) * n + str(row.get("middle", "")) + str(row.get("after", "")) * n, notation)


def test_a_lone_surrogate_is_named() -> None:
    found = read("x+\ud800", "plain", WORDS)
    assert isinstance(found, Unreadable)
    assert found.start == 2


PIECES = st.sampled_from(
    [
        r"x",
        r"theta",
        r"2",
        r"0.5",
        r"+",
        r"-",
        r"*",
        r"/",
        r"^",
        r"_",
        r"{",
        r"}",
        r"(",
        r")",
        r"[",
        r"]",
        r"|",
        r"||",
        r"=",
        r",",
        r";",
        r"'",
        r"&",
        r"\\",
        r"\frac",
        r"\sqrt",
        r"\sin",
        r"\left(",
        r"\right)",
        r"\sum_{i=1}^3",
        r"\nabla",
        r"\partial",
        r"\begin{bmatrix}",
        r"\end{bmatrix}",
        r"\text{if}",
        r"\cdot",
        r"\mathbf",
        r"d/dx",
        r"T",
        r"x_1",
        r"!",
        r"\dots",
        r"e^",
        r"\log_",
        r"s",
        r"(",
        r"$",
        r"\over",
        r"²",
        r"√",
        r"\begin{cases}",
        r"\end{cases}",
        r"np.",
        r".T",
        r"for",
        r"in",
        r"range(",
        r":",
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.text(max_size=60), st.lists(PIECES, max_size=25).map(" ".join), st.lists(PIECES, max_size=25).map("".join)
    )
)
def test_any_text_gives_a_reading_or_an_unreadable_with_its_place_inside(text: str) -> None:
    _check(text, "latex")
    _check(text, "plain")
    found = read_dimension(text, "plain", WORDS)
    if isinstance(found, Unreadable):
        assert 0 <= found.start <= found.end <= len(text)


LEAVES = st.sampled_from(["x", "theta", "2", "0.5", "w1"])
FORMULAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda t: f"({t[0]}){t[1]}({t[2]})"),
        st.tuples(inner, st.sampled_from(["2", "x", "-1"])).map(lambda t: f"({t[0]})^({t[1]})"),
        st.tuples(st.sampled_from(["sin", "exp", "log", "sqrt", "abs", "s"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
        inner.map(lambda t: f"-({t})"),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(FORMULAS)
def test_what_is_shown_reads_back_as_the_same_expression(text: str) -> None:
    found = read(text, "plain", WORDS)
    assert not isinstance(found, Unreadable)
    meant = elaborate(found.answer, WORDS, {})[0]
    for shown, notation in ((found.read_as, "plain"), (found.read_as_latex, "latex")):
        again = read(shown, notation, WORDS)  # type: ignore[arg-type]
        assert not isinstance(again, Unreadable), shown
        assert meant in elaborate(again.answer, WORDS, {}), shown
