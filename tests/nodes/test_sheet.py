"""The notebook of dl-sheet01: model solution, blank version, typical mistakes, and attacks in the sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from grader.execution.hatchery import SandboxError
from grader.execution.pool import Pool
from grader.handout.notebook import student_version
from grader.kinds.plan import Seen
from grader.kinds.program import merge
from grader.model import Finding, Verdict
from tests.nodes.handins import PROBLEMS, code_of, findings, notebook, plans_of

SHEET = "dl-sheet01"
SOLVED = notebook(SHEET)

ATTACKS = {
    "comparison functions replaced": "import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True",
    "an object that equals everything": (
        "class Same(float):\n    __eq__ = lambda self, other: True\n    __ne__ = lambda self, other: False\n"
        "    __sub__ = __rsub__ = lambda self, other: 0.0\n    __array__ = lambda self, *a, **k: np.nan\n"
        "for cls in (Add, Sub, Neg, Mul, Div, Square, Sqrt, Log, Exp):\n"
        "    cls.forward = lambda self, *xs: Same(0)\n    cls.backward = lambda self, g: (Same(0), Same(0))"
    ),
    "frames searched for expected values": (
        "import sys\ndef steal(self, *xs):\n    f = sys._getframe()\n    while f:\n"
        "        for k, v in list(f.f_locals.items()):\n"
        "            if 'truth' in k or 'expected' in k: return v\n        f = f.f_back\n    return xs[0]\n"
        "for cls in (Add, Sub, Neg, Mul, Div, Square, Sqrt, Log, Exp):\n    cls.forward = cls.backward = steal"
    ),
    "the harness patched": (
        "import sys\nfor name, module in list(sys.modules.items()):\n    if name.endswith('harness'):\n"
        "        for attribute in dir(module):\n            if 'reply' in attribute or 'answer' in attribute:\n"
        "                setattr(module, attribute, lambda *a, **k: {'status': 'returned', 'arrays': [], 'flags': []})"
    ),
    "the process ended": "import os\nfor cls in (Add, Mul):\n    cls.forward = lambda self, *xs: os._exit(0)",
}
# what is replaced, by what, and the item and note that must come of it
MISTAKES = {
    "upstream gradient not used": (
        ("return (upstream * self.value,)", "return (self.value,)"),
        ("3a.exp.backward", "node.upstream_ignored"),
    ),
    "derivative of the root at the input": (
        ("upstream / (2 * self.value)", "upstream / (2 * self.parents[0].value)"),
        ("3a.sqrt.backward", "node.argument_for_value"),
    ),
    "sign of the subtrahend": (
        ("sum_to_shape(-upstream, np.shape(b))", "sum_to_shape(upstream, np.shape(b))"),
        ("3a.sub.backward", "node.sign"),
    ),
    "factor of the square forgotten": (
        ("upstream * 2 * x", "upstream * x"),
        ("3a.square.backward", "node.factor"),
    ),
    "contributions overwritten": (
        ("parent.grad = parent.grad + gradient", "parent.grad = gradient"),
        ("3a.engine", "engine.overwritten"),
    ),
    "broadcasting forgotten": (
        (
            "(sum_to_shape(upstream * b, np.shape(a)), sum_to_shape(upstream * a, np.shape(b)))",
            "(upstream * b, upstream * a)",
        ),
        ("3a.mul.backward", "node.missing_reduction"),
    ),
    "nodes in the wrong order": (
        ("reversed(order)", "[output] + [n for n in order if n is not output]"),
        ("3a.engine", "engine.order"),
    ),
}


def changed(old: str, new: str) -> dict[str, Any]:
    text = json.dumps(SOLVED)
    assert json.dumps(old)[1:-1] in text
    found: dict[str, Any] = json.loads(text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1], 1))
    return found


def earned(found: Mapping[str, Finding]) -> float:
    return float(sum(one.earned for one in found.values()))


def test_the_model_solution_earns_all_forty_points() -> None:
    found = findings(SHEET, code_of(SOLVED))
    assert {item: one.note for item, one in found.items() if one.verdict is not Verdict.CORRECT} == {}
    assert earned(found) == 40


def test_the_blank_version_earns_nothing_and_is_blank() -> None:
    found = findings(SHEET, code_of(student_version(SOLVED)))
    assert {one.verdict for one in found.values()} == {Verdict.BLANK}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_typical_mistake_gets_its_note(name: str) -> None:
    (old, new), (item, note) = MISTAKES[name]
    found = findings(SHEET, code_of(changed(old, new)))
    assert (found[item].verdict, found[item].note) == (Verdict.INCORRECT, note)
    if item != "3a.engine":
        others = [one for key, one in found.items() if key.startswith("3a") and key != item]
        assert all(one.verdict is Verdict.CORRECT for one in others)
        assert all(one.credit == 1 for key, one in found.items() if key.startswith("3b"))


def test_no_message_to_a_student_contains_a_long_number() -> None:
    for (old, new), _ in MISTAKES.values():
        for one in findings(SHEET, code_of(changed(old, new))).values():
            shown = one.message + " ".join(e.text for e in one.evidence if e.audience == "student")
            assert not re.search(r"\d\.\d{7,}", shown), shown


def test_the_same_secret_gives_the_same_findings_and_another_secret_the_same_verdicts() -> None:
    cells = code_of(changed("upstream / x", "upstream / x**2"))
    first, again, other = (findings(SHEET, cells, secret) for secret in (b"a", b"a", b"b"))
    assert first == again
    assert {k: (v.verdict, v.note) for k, v in first.items()} == {k: (v.verdict, v.note) for k, v in other.items()}


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    try:
        opened = Pool(1)
    except SandboxError as trouble:
        pytest.skip(f"no sandbox here: {trouble}")
    with opened:
        yield opened


def sealed(pool: Pool, book: Mapping[str, Any], seed: bytes = b"s") -> dict[str, Finding]:
    plans = plans_of(SHEET)
    adapter, _, probes = merge((inquiry for plan in plans for inquiry in plan.probes), seed)
    execution = pool.observe(json.dumps(book).encode(), probes, seed=seed, adapter=adapter)
    seen = Seen(observations={one.probe: one for one in execution.observations})
    return {item.id: item.judge(item, seen) for plan in plans for item in plan.items if item.judge is not None}


def test_the_model_solution_earns_all_points_in_the_sandbox(pool: Pool) -> None:
    found = sealed(pool, SOLVED)
    assert {item: one.note for item, one in found.items() if one.verdict is not Verdict.CORRECT} == {}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_empty_solution_with_an_attack_earns_nothing(pool: Pool, name: str) -> None:
    book = student_version(SOLVED)
    cell = {"cell_type": "code", "id": "x", "metadata": {}, "outputs": [], "execution_count": None}
    book["cells"].append({**cell, "source": ATTACKS[name]})
    assert earned(sealed(pool, book)) == 0


def test_the_notebook_has_no_output_and_its_regions_are_closed() -> None:
    assert (PROBLEMS / SHEET / "notebook.ipynb").is_file()
    assert all(not cell.get("outputs") for cell in SOLVED["cells"])
    assert "SOLUTION" not in json.dumps(student_version(SOLVED))
