"""Plain data to dataclasses: every mistake at once, each with its place and a way to mend it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import pytest

from grader.decode import Mistake, ProblemError, Source, decode, decode_json, read_toml
from grader.toml_places import backslash_strings, locate_keys


@dataclass(frozen=True)
class Wheel:
    size: int
    colour: Literal["red", "blue"] = "red"


@dataclass(frozen=True)
class Car:
    name: str
    wheels: tuple[Wheel, ...] = ()
    price: Fraction = Fraction(0)
    speeds: dict[str, float] = field(default_factory=dict)
    owner: str | None = None


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "car.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes_of(tmp_path: Path, text: str) -> tuple[Mistake, ...]:
    try:
        data, source = read_toml(write(tmp_path, text))
        decode(Car, data, source)
        source.refuse()
    except ProblemError as refused:
        return refused.mistakes
    raise AssertionError("nothing was refused")


def test_a_sound_table_becomes_a_dataclass_with_exact_numbers(tmp_path: Path) -> None:
    data, source = read_toml(write(tmp_path, "name = 'a'\nprice = 0.1\nspeeds = {top = 3}\n[[wheels]]\nsize = 4\n"))
    assert decode(Car, data, source) == Car("a", (Wheel(4),), Fraction(1, 10), {"top": 3.0})


def test_every_mistake_is_reported_at_once_with_its_line_and_key(tmp_path: Path) -> None:
    text = "nmae = 'a'\nprice = 'much'\n\n[[wheels]]\nsize = 'big'\ncolour = 'rde'\n[[wheels]]\ncolour = 'blue'\n"
    found = {(one.line, one.key) for one in mistakes_of(tmp_path, text)}
    assert found == {
        (1, "nmae"), (0, ""), (2, "price"), (5, "wheels[1].size"), (6, "wheels[1].colour"), (7, "wheels[2]"),
    }  # fmt: skip


def test_a_misspelt_key_and_a_misspelt_choice_come_with_a_suggestion(tmp_path: Path) -> None:
    found = mistakes_of(tmp_path, "nmae = 'a'\n[[wheels]]\nsize = 1\ncolour = 'rde'\n")
    suggestions = {one.key: one.suggestion for one in found}
    assert suggestions["nmae"] == "did you mean `name`?"
    assert suggestions["wheels[1].colour"] == "did you mean `red`?"


@pytest.mark.parametrize(
    "text",
    [
        'name = "\\frac{1}{2}"',  # a form feed, silently
        'name = "\\theta"',  # a tab, silently
        'name = "\\sin x"',  # no TOML at all
        'name = """\nfirst\n\\nabla f"""',
        'wheels = [{size = 1, colour = "\\beta"}]',
    ],
)
def test_a_backslash_in_double_quotes_is_reported_with_advice(tmp_path: Path, text: str) -> None:
    found = mistakes_of(tmp_path, text)
    assert any("backslash" in one.message and "single quotes" in one.suggestion and one.line == 1 for one in found)


def test_backslashes_in_single_quotes_and_comments_are_fine() -> None:
    assert backslash_strings("a = '\\frac' # \"\\frac\"\nb = '''\n\\sin \"\\x\" '''\n") == []


def test_keys_are_found_after_multi_line_strings_and_lists() -> None:
    text = (
        "a = '''\nb = 1\n'''\nlist = [\n  'x = 1',\n  2,\n]\nc = 3\n"
        "[t]\nd.e = 1\n[[q]]\n[[q.p]]\nid = 1\n[[q]]\n[[q.p]]\nid = 2\n"
    )
    places = locate_keys(text)
    assert ("b",) not in places
    assert ("x",) not in places
    assert places[("c",)] == 8
    assert places[("t", "d", "e")] == 10
    assert places[("q", 0, "p", 0, "id")] == 13
    assert places[("q", 1, "p", 0, "id")] == 16


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = ", b"\x00", b"[", b"a = 1\na = 2\n"])
def test_what_is_no_toml_is_a_problem_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ProblemError):
        read_toml(path)


def test_a_missing_file_is_a_problem_error(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="cannot be read"):
        read_toml(tmp_path / "none.toml")


@pytest.mark.parametrize("value", [True, "1/0", "x", [1], {"a": 1}, "9" * 50])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ProblemError, match="expected a number"):
        decode_json(Car, {"name": "a", "price": value})


def test_a_truth_value_is_no_whole_number() -> None:
    with pytest.raises(ProblemError, match="whole number"):
        decode_json(Wheel, {"size": True})


def test_none_is_taken_where_it_is_allowed_and_only_there() -> None:
    assert decode_json(Car, {"name": "a", "owner": None}).owner is None
    with pytest.raises(ProblemError):
        decode_json(Car, {"name": None})


def test_decoding_never_leaves_half_an_object() -> None:
    source = Source("f")
    assert decode(Car, {"name": 1}, source) is None
    assert source.mistakes
