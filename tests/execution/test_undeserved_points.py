"""On the shipped notebook: an attack on an empty solution earns nothing, a mishap in a right one costs nothing."""

from __future__ import annotations

import hashlib
import json
import re
from fractions import Fraction
from pathlib import Path

import hostile_table as table
import pytest

from grader.job import Setting, grade_entrant
from grader.observing import NoTier, find_tier, imports_of
from grader.problems import load_problem
from grader.roster import Entrant

FOLDER = Path(__file__).parents[2] / "problems" / "dl-sheet01"
SOLUTION = re.compile(r"[ \t]*### BEGIN SOLUTION\n(.*?)[ \t]*### END SOLUTION", re.DOTALL)
ATTACKS = list({case["family"]: case for case in table.cases() if case.get("base") == "empty"}.values())
MISHAPS = [
    case
    for case in table.cases()
    if case.get("base") == "honest"
    and case["name"] in ("os._exit in a cell", "exit and quit", "copied and pasted cell")
]


@pytest.fixture(scope="module")
def problem():
    return load_problem(FOLDER)


@pytest.fixture(scope="module")
def tier(problem):
    try:
        return find_tier("", imports_of(problem))
    except NoTier as error:
        pytest.skip(str(error))


def earned(problem, tier, tmp_path, solution, extra):
    """Points for the program questions of the shipped notebook with the cells `extra` before and after."""
    shipped = json.loads((FOLDER / "notebook.ipynb").read_text(encoding="utf-8"))
    texts = ["".join(cell["source"]) for cell in shipped["cells"] if cell["cell_type"] == "code"]
    texts = [SOLUTION.sub(r"\1" if solution else "        raise NotImplementedError", text) for text in texts]
    path = tmp_path / "solution.ipynb"
    path.write_bytes(table.notebook([*extra, *texts, *extra]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entrant = Entrant("student", (str(path),), str(tmp_path), digest)
    report, _ = grade_entrant(problem, entrant, Setting(str(FOLDER), tier))
    findings = [finding for finding in report.findings if finding.item.startswith("3")]
    return sum((f.earned for f in findings), Fraction(0)), sum((f.points for f in findings), Fraction(0))


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case["name"])
def test_an_attack_on_an_empty_solution_earns_nothing(case, problem, tier, tmp_path):
    assert earned(problem, tier, tmp_path, False, case["cells"]) == (0, 40)


@pytest.mark.parametrize("case", MISHAPS, ids=lambda case: case["name"])
def test_a_mishap_in_a_right_solution_costs_nothing(case, problem, tier, tmp_path):
    extra = [] if case["name"] == "copied and pasted cell" else case["cells"]
    assert earned(problem, tier, tmp_path, True, extra) == (40, 40)
