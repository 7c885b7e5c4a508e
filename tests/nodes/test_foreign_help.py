"""Derivatives by other means than one's own go to a person with the evidence; honest code keeps its points."""

from __future__ import annotations

import copy
import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.compare.nodes.suspicion import signs_in
from grader.job import Setting, grade_entrant
from grader.kinds.program import ADAPTERS
from grader.model import Finding, Verdict
from grader.observing import NoTier, find_tier, imports_of
from grader.problems import Problem, load_problem
from grader.roster import Entrant
from tests.nodes.handins import PROBLEMS, notebook

SHEET = "dl-sheet01"
TABLE = Path(__file__).resolve().parents[1] / "cases" / "nodes_foreign_help.toml"
CASES: list[dict[str, Any]] = tomllib.loads(TABLE.read_text("utf-8"))["case"]
PERSON = ("program.foreign_help", "node.numerical_differentiation", "engine.numerical_differentiation")
HONEST = {
    "inverse hyperbolic tangent": "0.5 * (np.log(1 + x) - np.log(1 - x)) / 2",
    "hyperbolic sine": "(np.exp(x) - np.exp(-x)) / 2",
    "sigmoid's derivative": "g * sigmoid(x) * (1 - sigmoid(x)) / 1",
    "batch normalisation": "(n * d - np.sum(d, axis=0) - x * np.sum(d * x, axis=0)) / n",
    "means": "(np.mean(x, axis=0) - np.mean(g, axis=0)) / 2",
    "real part": "np.exp(np.real(x))",
    "own derivative": "g * self.derivative(x)",
}
QUOTIENTS = (
    "(f(x + h) - f(x - h)) / (2 * h)",
    "(f(x + h) - f(x)) / h",
    "(f(x + h) - f(x - h)) * (0.5 / h)",
    "(self.forward(x + 1, y) - self.forward(x - 1, y)) / (1 + 1)",
    "g * np.subtract(1, 0) * (np.exp(x + h) - np.exp(x - h)) / (2 * h)",
    "sum(w * f(x + k * h) / h for k, w in weights)",
    "(4 * (f(x + h / 2) - f(x - h / 2)) / h - (f(x + h) - f(x - h)) / (2 * h)) / 3",
)


@pytest.mark.parametrize("name", HONEST)
def test_honest_formulas_are_no_signs(name: str) -> None:
    body = f"        x = self.parents[0].value\n        return ({HONEST[name]},)"
    code = f"class Exp(Node):\n    def backward(self, g):\n{body}"
    assert signs_in(code, (ADAPTERS / "node_objects.py").read_text("utf-8")) == ()


@pytest.mark.parametrize("formula", QUOTIENTS)
def test_difference_quotients_are_seen_where_a_backward_pass_reaches_them(formula: str) -> None:
    adapter = (ADAPTERS / "node_objects.py").read_text("utf-8")
    helper = f"def slope(self, f, x, y, h, g, weights):\n    return {formula}\n"
    used = helper + "class Exp(Node):\n    def backward(self, g):\n        return slope(self, np.exp, 1, 2, 3, g, ())\n"
    assert any("difference quotient" in sign for sign in signs_in(used, adapter))
    assert signs_in(helper + "class Exp(Node):\n    pass\nprint(slope(1, 2, 3, 4, 5, 6, 7))\n", adapter) == ()


def test_any_text_at_all_can_be_looked_at() -> None:
    for text in ("", "def (", "\0", "%%time\n!ls\nx = %pwd", "x = " + "(" * 500, "a" * 3_000_000, "é = 'ü'; 1j"):
        assert isinstance(signs_in(text, "words"), tuple)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return load_problem(PROBLEMS / SHEET)


@pytest.fixture(scope="module")
def tier(problem: Problem) -> str:
    try:
        return find_tier("", imports_of(problem))
    except NoTier as error:
        pytest.skip(str(error))


def graded(problem: Problem, tier: str, folder: Path, book: Mapping[str, Any]) -> dict[str, Finding]:
    path = folder / "solution.ipynb"
    path.write_text(json.dumps(book), "utf-8")
    entrant = Entrant("student", (str(path),), str(folder), hashlib.sha256(path.read_bytes()).hexdigest())
    report, _ = grade_entrant(problem, entrant, Setting(str(PROBLEMS / SHEET), tier))
    return {one.item: one for one in report.findings if one.item.startswith("3")}


@pytest.mark.parametrize("case", CASES, ids=[one["name"] for one in CASES])
def test_foreign_help_goes_to_a_person_and_honest_code_keeps_its_points(
    case: dict[str, Any], problem: Problem, tier: str, tmp_path: Path
) -> None:
    book = copy.deepcopy(notebook(SHEET))
    cell = {"cell_type": "code", "id": "x", "metadata": {}, "outputs": [], "execution_count": None}
    book["cells"].append({**cell, "source": case["code"]})
    found = graded(problem, tier, tmp_path, book)
    derivatives = [one for item, one in found.items() if not item.endswith((".forward", ".value"))]
    if not case["help"]:
        assert {one.item: one.note for one in found.values() if one.verdict is not Verdict.CORRECT} == {}
        return
    assert {one.verdict for one in derivatives} <= {Verdict.UNDECIDED, Verdict.INCORRECT}
    assert any(one.note in PERSON for one in derivatives)
    assert case["seen"] in " ".join(evidence.text for one in derivatives for evidence in one.evidence)
