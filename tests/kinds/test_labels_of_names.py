"""Indices at names with labels, digits in groups, assignments are read as people mean them."""

from __future__ import annotations

import tomllib

import pytest

from grader.compare import Domain, same
from grader.notation import Reading, build_vocabulary, elaborate, read
from reference.expression import Expr
from tests.core.samples import ROOT

CASES = tomllib.loads((ROOT / "tests" / "cases" / "notation_labels.toml").read_text(encoding="utf-8"))["case"]
VOCABULARY = build_vocabulary(
    {
        "z^l": "vector 3",
        "W^{l+1}": "matrix 2x3",
        "delta^{l+1}": "vector 2",
        "a^{l-1}": "vector 2",
        "W3": "matrix 2x3",
        "g": "vector 3",
        "f": "function",
    }
)


def meaning(text: str, notation: str) -> tuple[Expr, ...]:
    reading = read(text, notation, VOCABULARY)  # type: ignore[arg-type]
    assert isinstance(reading, Reading), reading
    return elaborate(reading.chain[-1], VOCABULARY, {})


@pytest.mark.parametrize("case", CASES, ids=[case["typed"] for case in CASES])
def test_a_formula_is_read_as_it_is_meant(case: dict[str, str]) -> None:
    (truth, *_) = meaning(case["same"], "plain")
    domain = Domain(VOCABULARY.symbols)
    assert any(same(truth, one, domain).verdict == "yes" for one in meaning(case["typed"], "latex"))
