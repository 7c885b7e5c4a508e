"""Points side of attacks and mishaps, on the notebook of dl-sheet01.

Here every other case runs in one tier and the rest in the other; `python -m benchmarks.nodes attacks` runs all in both.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from grader.compare.nodes.suspicion import look
from grader.execution.handin import Execution
from grader.execution.hatchery import SandboxError
from grader.execution.limits import Limits, Tier
from grader.execution.pool import Pool
from grader.handout.notebook import student_version
from grader.kinds.plan import Seen
from grader.kinds.program import merge
from grader.model import Finding, Verdict
from tests.nodes.handins import code_of, notebook, plans_of

SHEET = "dl-sheet01"
TABLE = Path(__file__).resolve().parents[1] / "cases" / "hostile_notebooks" / "points.toml"
CASES: list[dict[str, Any]] = tomllib.loads(TABLE.read_text("utf-8"))["case"]
LIMITS = Limits(cell_seconds=5.0, notebook_seconds=20.0, probe_seconds=1.0, probes_seconds=15.0)


def book_of(case: dict[str, Any]) -> dict[str, Any]:
    base = notebook(SHEET) if case["base"] == "honest" else student_version(notebook(SHEET))
    plain = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    mine = [{**plain, "id": f"x{number}", "source": text} for number, text in enumerate(case["cells"])]
    return {**base, "cells": [*mine, *base["cells"], *[{**one, "id": one["id"] + "b"} for one in mine]]}


TIERS: tuple[Tier, ...] = ("namespaces", "landlock")


def run_all(cases: list[dict[str, Any]], tier: Tier) -> dict[str, Execution]:
    """Every case in one pool.  Raises SandboxError where this machine does not offer the tier."""
    with Pool(2, tier=tier) as pool:
        waiting = {}
        for case in cases:
            seed = hashlib.sha256(case["name"].encode()).digest()
            adapter, _, probes = merge((inquiry for plan in plans_of(SHEET) for inquiry in plan.probes), seed)
            source = json.dumps(book_of(case)).encode()
            waiting[case["name"]] = pool.submit(source, probes, seed=seed, adapter=adapter, limits=LIMITS)
        return {name: one.result() for name, one in waiting.items()}


@pytest.fixture(scope="module")
def runs() -> dict[str, Execution]:
    found: dict[str, Execution] = {}
    for number, tier in enumerate(TIERS):
        try:
            found |= run_all(CASES[number::2], tier)
        except SandboxError:
            continue
    return found


def findings_of(case: dict[str, Any], execution: Execution) -> list[Finding]:
    plans = plans_of(SHEET)
    adapter = plans[0].probes[0].adapter
    signs = look(code_of(book_of(case)), execution.imports, adapter)
    seen = Seen(observations={one.probe: one for one in (*execution.observations, signs)})
    return [item.judge(item, seen) for plan in plans for item in plan.items if item.judge is not None]


def undeserved(case: dict[str, Any], execution: Execution) -> dict[str, str]:
    """Points an attack earned, or a mishap lost."""
    found = findings_of(case, execution)
    wrong = [one for one in found if (one.earned if case["base"] == "empty" else one.verdict is not Verdict.CORRECT)]
    return {one.item: f"{one.verdict.value} {one.note}: {one.message}" for one in wrong}


@pytest.mark.parametrize("case", CASES, ids=[one["name"] for one in CASES])
def test_an_attack_earns_nothing_and_a_mishap_costs_nothing(case: dict[str, Any], runs: dict[str, Execution]) -> None:
    if case["name"] not in runs:
        pytest.skip("the tier is not offered here")
    assert undeserved(case, runs[case["name"]]) == {}
