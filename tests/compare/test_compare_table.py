"""`grader compare`: tables and single comparisons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import cli
from grader.compare.table import compare_line, compare_lines, parse_row

ROW = {"id": "r1", "answer": "2x", "truth": "x*2", "format": "latex", "symbols": {"x": "real"}}


def judge(row: object) -> dict[str, object]:
    return compare_line(row if isinstance(row, str | bytes) else json.dumps(row), lambda work: work())


def test_a_row_is_answered_with_its_five_keys() -> None:
    assert judge(ROW) == {"id": "r1", "same": "yes", "how": "balls", "read_as": "2*x", "witness": None}


def test_extra_keys_are_ignored_and_the_format_may_be_missing() -> None:
    row = {k: v for k, v in ROW.items() if k != "format"} | {"exercise": 3, "correct": True}
    assert judge(row)["same"] == "yes"


def test_no_carries_a_witness() -> None:
    found = judge(ROW | {"answer": "3x"})
    assert found["same"] == "no"
    assert "x = " in str(found["witness"])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "this is not JSON"),
        ("[1, 2]", "a row is an object"),
        ('{"id": "a", "truth": "1"}', "`answer` is missing"),
        ('{"id": "a"}', "`answer` and `truth` is missing"),
        (b"\xff\xfe{}", "not UTF-8"),
        (ROW | {"answer": 3}, "`answer` has to be a text, not a number"),
        (ROW | {"format": "word"}, "has to be latex or plain"),
        (ROW | {"format": ["latex"]}, "has to be latex or plain"),
        (ROW | {"symbols": ["x"]}, "`symbols` has to be an object"),
        (ROW | {"symbols": {"x": 1}}, "`symbols.x` has to be a text"),
        (ROW | {"symbols": {"x": "imaginary"}}, "x: 'imaginary' is not a domain or shape"),
        (ROW | {"definitions": "s"}, "`definitions` has to be an object"),
        (ROW | {"where": 3}, "`where` has to be a list of texts"),
        (ROW | {"where": ["x"]}, "is no condition"),
        (ROW | {"truth": "2*(x"}, "cannot be read"),
        (ROW | {"truth": "2*y"}, "`y` is not a variable"),
        (ROW | {"id": {"a": 1}}, "`id` has to be a text or a number"),
        ('{"id": "a", "answer": "1", "truth": NaN}', "this is not JSON"),
        ("[" * 100_000, "this is not JSON"),
    ],
)
def test_a_malformed_row_says_what_is_wrong(row: object, reason: str) -> None:
    found = judge(row)
    assert found["same"] == "unreadable"
    assert reason in str(found["how"])
    assert set(found) == {"id", "same", "how", "read_as", "witness"}


def test_a_malformed_row_keeps_its_id() -> None:
    assert judge({"id": "a7", "answer": "x"})["id"] == "a7"


def test_a_table_keeps_its_order_and_never_stops(tmp_path: Path) -> None:
    table = tmp_path / "answers.jsonl"
    rows = [
        json.dumps(ROW),
        "",
        "no json",
        json.dumps(ROW | {"id": 2, "answer": "\\frac{x"}),
        json.dumps(ROW | {"id": 3}),
    ]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["compare", "--table", str(table)], standalone_mode=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [f["id"] for f in found] == ["r1", None, 2, 3]
    assert [f["same"] for f in found] == ["yes", "unreadable", "unreadable", "yes"]
    assert done.return_value == 0


def test_an_empty_table_is_nothing_to_compare(tmp_path: Path) -> None:
    table = tmp_path / "empty.jsonl"
    table.write_text("\n")
    assert CliRunner().invoke(cli, ["compare", "--table", str(table)], standalone_mode=False).return_value == 5


def test_functions_and_matrices_may_be_declared() -> None:
    row = {
        "answer": "\\operatorname{diag}(a'(x_1), a'(x_2), a'(x_3))",
        "truth": "diag(a'(x))",
        "format": "latex",
        "symbols": {"a": "function", "x": "vector 3"},
    }
    assert judge(row)["same"] == "yes"
    assert judge(row | {"answer": "\\operatorname{diag}(a(x_1), a(x_2), a(x_3))"})["same"] == "no"


def test_named_sizes_are_tried_at_several_values() -> None:
    row = {
        "truth": "2*A^T*(A*x-b)",
        "format": "latex",
        "symbols": {"A": "matrix MxN", "x": "vector N", "b": "vector M"},
    }
    assert judge(row | {"answer": "2A^\\top(Ax-b)"})["same"] == "yes"
    assert judge(row | {"answer": "2A(Ax-b)"})["same"] == "no"


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["compare", *arguments], standalone_mode=False)
    return done.return_value, done.output


def test_two_expressions_at_a_prompt() -> None:
    assert run("2x", "x*2") == (0, "the same\n  read as  2*x\n")


def test_a_difference_is_shown_at_a_point() -> None:
    code, text = run("|x|", "x", "--symbols", "x=[-7, 7]")
    assert code == 1
    assert "not the same" in text
    assert "witness" in text


def test_what_cannot_be_read_is_shown_with_a_caret() -> None:
    code, text = run("\\frac{x", "x/2")
    assert code == 1
    assert "not readable" in text
    assert "^" in text


def test_decimals_are_accepted_on_demand() -> None:
    assert run("0.3333", "1/3")[0] == 1
    assert run("0.3333", "1/3", "--decimals", "4")[0] == 0


def test_json_output_has_the_keys_of_a_table_row() -> None:
    code, text = run("2x", "x*2", "--json")
    assert code == 0
    assert {"same", "how", "read_as", "witness"} <= set(json.loads(text))


@pytest.mark.parametrize("arguments", [(), ("x",), ("x", "x", "--symbols", "x"), ("x", "x", "-s", "x=imaginary")])
def test_a_question_that_is_not_understood_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli, ["compare", *arguments])
    assert done.exit_code == 2


HOSTILE = [
    "9^9^9^9^9",
    "10^{10^{10^{10}}}",
    "(((10^9)!)!)!",
    "x^{x^{x^{x^{x^{x}}}}}",
    "\\sum_{i=1}^{1000000000} x^i",
    "e^{e^{e^{e^{x}}}}",
    "x" + "+x" * 3000,
    "\\sin(" * 40 + "x" + ")" * 40,
    "1" * 5000,
    "0." + "0" * 3000 + "1",
    "\\frac{" * 3000,
    "__import__('os').system('true')",
    "x" * 1_000_000,
    "(" * 10_000 + "x" + ")" * 10_000,
    "\x00\ud800x",
]


@pytest.mark.parametrize("answer", HOSTILE, ids=[h[:20].encode("unicode_escape").decode() for h in HOSTILE])
def test_a_hostile_answer_gets_some_verdict(answer: str) -> None:
    row = json.dumps(ROW | {"answer": answer})
    assert compare_line(row, lambda work: work())["same"] in ("no", "unknown", "unreadable")


def test_broken_characters_of_a_row_are_spelt_out() -> None:
    row = json.dumps(ROW | {"id": "\ud800", "answer": "\ud800"})
    line = next(iter(compare_lines([row], lambda work: work())))
    assert line.encode("utf-8")
    assert json.loads(line)["id"] == "\ud800"


def test_a_row_is_parsed_into_plain_values() -> None:
    row = parse_row(json.dumps(ROW | {"where": "x > 1"}))
    assert (row.symbols, row.where) == ((("x", "real"),), ("x > 1",))
