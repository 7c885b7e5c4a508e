"""The page on problem files keeps its word: every example with a table of answers is graded as the table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.kinds import KINDS, load_kind
from tests.core.samples import ROOT, findings, make_problem

PAGE = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
_EXAMPLE = re.compile(
    r"```toml\n(\[\[question\]\](?:(?!```).)*)```\n\n\| item \| answer \| verdict \|\n\|[-|]+\n((?:\|[^\n]*\n)+)", re.S
)
_ROW = re.compile(r"\| `(.+?)` \| `(.+)` \| (\w+) \|")
EXAMPLES = [(found[1], _ROW.findall(found[2])) for found in _EXAMPLE.finditer(PAGE)]
FOUR = ("modes", "count", "update", "optimiser", "dynamics", "network", "cost", "minimiser", "convolution", "primitive")


def test_every_kind_of_these_has_an_example() -> None:
    shown = {kind for text, _ in EXAMPLES for kind in re.findall(r"kind = '(\w+)'", text)}
    assert set(FOUR) <= shown


@pytest.mark.parametrize(("text", "rows"), EXAMPLES, ids=[text.split("'")[1] for text, _ in EXAMPLES])
def test_an_example_is_graded_as_the_page_says(text: str, rows: list[tuple[str, str, str]], tmp_path: Path) -> None:
    problem = make_problem(tmp_path / "p", text)
    for item, answer, verdict in rows:
        if verdict == "INCORRECT":
            found = findings(problem, {item: answer})[item]
            assert found.verdict == verdict, (item, answer, found.message, found.read_as)
    good = {item: answer for item, answer, verdict in rows if verdict == "CORRECT"}
    found_all = findings(problem, good)
    assert {item: str(found_all[item].verdict) for item in good} == dict.fromkeys(good, "CORRECT")


@pytest.mark.parametrize("kind", FOUR)
def test_every_key_of_a_kind_is_documented(kind: str) -> None:
    assert kind in KINDS
    section = PAGE.split(f"### `{kind}`", 1)[1].split("\n### ", 1)[0]
    for name in load_kind(kind).Spec.__dataclass_fields__:
        assert f"`{name}`" in section, f"docs/problems.md does not say what {name} of {kind} means"
