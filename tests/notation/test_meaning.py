"""Rows of tests/cases/notation.toml: each spelling read, given its meaning, and compared at one point with numpy."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy
import pytest

from grader.notation import Unreadable, Vocabulary, build_vocabulary, elaborate, read, read_all
from reference.expression import symbols
from reference.graph import FLOAT, build, run

CASES = tomllib.loads((Path(__file__).parent.parent / "cases" / "notation.toml").read_text())
POINT = {"x": 0.7, "y": 1.3, "a": 0.9, "b": 1.1, "c": 1.7, "mu": 0.4, "x1": 1.2, "x2": 0.8, "x3": 2.5, "t3": 2.0}


def _vocabulary(*left_out: str) -> Vocabulary:
    symbols = {name: "real" for name in POINT if name not in left_out}
    return build_vocabulary(symbols, {"s(x)": "1/(1+exp(-x))"}, variable="x")


FAMILY = _vocabulary("x")
SINGLE = _vocabulary("x1", "x2", "x3")


def _notation(typed: str) -> str:
    return "latex" if "\\" in typed or "$" in typed or "{" in typed else "plain"


def _value(typed: str, vocabulary: Vocabulary) -> list[numpy.ndarray]:
    found = read(typed, _notation(typed), vocabulary)  # type: ignore[arg-type]
    assert not isinstance(found, Unreadable), found
    env = {k: numpy.asarray(v) for k, v in POINT.items()}
    return [numpy.asarray(run(build((e,)), env, FLOAT)[0]) for e in elaborate(found.answer, vocabulary, {})]


ROWS = [(typed, row["value"]) for kind in ("scalar", "array") for row in CASES[kind] for typed in row["typed"]]


@pytest.mark.parametrize(("typed", "value"), ROWS, ids=[typed for typed, _ in ROWS])
def test_every_spelling_means_what_the_row_says(typed: str, value: str) -> None:
    wanted = numpy.squeeze(numpy.asarray(eval(value, {"numpy": numpy})))  # our own table
    vocabulary = (
        FAMILY if any(f"x{sep}{k}" in typed for sep in ("", "_", "_{") for k in "123i") or "x[" in typed else SINGLE
    )
    found = [numpy.squeeze(v) for v in _value(typed, vocabulary)]
    assert any(v.shape == wanted.shape and numpy.allclose(v, wanted, rtol=1e-12) for v in found)


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        (r"2\sin x\sqrt{y}", 2),
        ("1/2x", 2),
        (r"\sin x/2", 2),
        ("e^2x", 2),
        (r"\sin{x}^2", 2),
        (r"\sin 2x", 1),
        ("1/2 x", 1),
    ],
)
def test_what_is_truly_ambiguous_keeps_every_reading(typed: str, count: int) -> None:
    found = read(typed, _notation(typed), SINGLE)  # type: ignore[arg-type]
    assert not isinstance(found, Unreadable)
    assert len(elaborate(found.answer, SINGLE, {})) == count
    assert bool(found.remarks) == (count > 1)


def test_statements_beside_each_other_have_their_own_targets() -> None:
    text = (
        r"\frac{\partial x_{1,1}}{\partial \theta_1} = x_{0,1} = 2 \Rightarrow "
        r"\frac{\partial L}{\partial \theta_1} = 1 \cdot 2 = 2"
    )
    first, second = read_all(text, "latex", build_vocabulary({}))
    assert not isinstance(first, Unreadable)
    assert not isinstance(second, Unreadable)
    assert (first.target.name, first.target.wrt) == ("x_1,1", ("theta_1",))  # type: ignore[union-attr]
    assert (second.target.name, second.target.wrt) == ("L", ("theta_1",))  # type: ignore[union-attr]
    assert len(second.chain) == 2
    assert second.links == ("=",)


def test_a_list_after_a_target_is_one_statement_and_two_equations_are_two() -> None:
    words = build_vocabulary({})
    assert len(read_all("grad L = 2, 1, 3", "plain", words)) == 1
    assert len(read_all(r"x_1 = 2, \quad L = 3", "latex", words)) == 2
    assert len(read_all("x1 = 2\nL = 3", "plain", words)) == 2


def test_python_brackets_are_entries_even_where_the_base_is_a_number_too() -> None:
    words = build_vocabulary(dict.fromkeys(("x", "x1", "x2", "x3"), "real"))
    found = read("sum(x[i] for i in range(3))", "plain", words)
    assert not isinstance(found, Unreadable)
    names = {s.name for s in symbols(elaborate(found.answer, words, {})[0])}
    assert names == {"x1", "x2", "x3"}
