"""Every shipped adapter, on right and wrong hand-ins of its design."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from grader.handout.notebook import strip_solutions
from grader.kinds.program import ADAPTERS
from grader.model import Verdict
from tests.nodes.handins import PROBLEMS, findings

TABLE = Path(__file__).resolve().parents[1] / "cases" / "nodes_designs.toml"
CASES: list[dict[str, Any]] = tomllib.loads(TABLE.read_text("utf-8"))["case"]
DESIGNS = ("autograd-value", "autograd-functions", "autograd-operators", "autograd-layers", "autograd-cached")
MAX_ADAPTER_LINES = 42


def solution(design: str) -> str:
    return (PROBLEMS / design / "program.py").read_text("utf-8")


@pytest.mark.parametrize("design", DESIGNS)
def test_the_model_solution_of_every_design_earns_everything(design: str) -> None:
    found = findings(design, [solution(design)])
    assert {item: (one.verdict, one.note) for item, one in found.items() if one.verdict is not Verdict.CORRECT} == {}


@pytest.mark.parametrize("design", DESIGNS)
def test_an_empty_hand_in_of_every_design_earns_nothing_and_raises_nothing(design: str) -> None:
    found = findings(design, [strip_solutions(solution(design))])
    assert sum(one.earned for one in found.values()) == 0
    assert {one.verdict for one in found.values()} <= {Verdict.BLANK, Verdict.INCORRECT}
    assert all(one.verdict is Verdict.BLANK for item, one in found.items() if item.endswith("forward"))


@pytest.mark.parametrize("case", CASES, ids=[f"{one['design']}: {one['name']}" for one in CASES])
def test_a_hand_in_gets_its_verdicts(case: dict[str, Any]) -> None:
    source = solution(case["design"])
    old, new = case["replace"]
    assert old in source
    found = findings(case["design"], [source.replace(old, new, 1) if old else source])
    wanted = {item if item[0].isdigit() else f"1.{item}": said for item, said in case["wrong"].items()}
    for item, one in found.items():
        said = f"{one.verdict.value} {one.note}"
        expected = wanted.get(item, "CORRECT")
        assert said.startswith(expected), f"{item}: {said}, expected {expected}: {one.message}"


def test_adapters_are_small() -> None:
    for path in ADAPTERS.glob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= MAX_ADAPTER_LINES, path.name
