"""Hand-ins run in this process: for sources that stand in this repository."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from grader.execution.harness import answer_in_process
from grader.kinds.plan import Plan, Seen
from grader.kinds.program import merge
from grader.model import Finding
from grader.problems import Problem, load_problem

ROOT = Path(__file__).resolve().parents[2]
PROBLEMS = ROOT / "problems"


@cache
def problem(name: str) -> Problem:
    return load_problem(PROBLEMS / name, plans=False)


def plans_of(name: str) -> tuple[Plan, ...]:
    """Plans of all program questions of a problem."""
    one = problem(name)
    return tuple(plan for question in one.questions if question.kind == "program" for plan in one.plans(question))


def code_of(notebook: Mapping[str, Any]) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def notebook(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PROBLEMS / name / "notebook.ipynb").read_text("utf-8"))
    return found


def namespace(cells: list[str]) -> dict[str, Any]:
    """What is defined after the cells ran, as a notebook leaves it: an error ends its cell only."""
    student: dict[str, Any] = {}
    for cell in cells:
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(cell, "<cell>", "exec"), student)
    return student


def findings(name: str, cells: list[str], secret: bytes = b"tests") -> dict[str, Finding]:
    """Findings by item, without the question's id where there is one question of nodes."""
    plans = plans_of(name)
    adapter, _, probes = merge((inquiry for plan in plans for inquiry in plan.probes), secret)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a student's overflow is a warning in a kernel as well
        observed = {one.probe: one for one in answer_in_process(probes, adapter, namespace(cells))}
    seen = Seen(observations=observed)
    return {item.id: item.judge(item, seen) for plan in plans for item in plan.items if item.judge is not None}
