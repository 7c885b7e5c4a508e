"""Hand-ins as modules, packages and notebooks with helper modules; training and plots left out as the problem says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from grader.execution.definitions import only_definitions
from grader.execution.sources import sources_of
from grader.job import Setting, grade_entrant
from grader.model import Finding, Verdict
from grader.observing import NoTier, find_tier
from grader.problems import load_problem
from grader.roster import Entrant
from tests.nodes.handins import PROBLEMS, notebook

TRAINING = """
import matplotlib.pyplot as plt
from tqdm import tqdm
import graphviz, seaborn as sns
fig, ax = plt.subplots()
%matplotlib inline
data = np.load("data/train.npy")
for epoch in tqdm(range(10**9)):
    pass
while True:
    plt.plot([1, 2]); plt.show()
"""


@pytest.fixture(scope="module")
def tier() -> str:
    try:
        return find_tier("", ("numpy",))
    except NoTier as error:
        pytest.skip(str(error))


def graded(folder: Path, tier: str, problem: Path) -> dict[str, Finding]:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.rglob("*.*")))).hexdigest()
    entrant = Entrant("student", (str(folder),), str(folder), digest)
    report, _ = grade_entrant(load_problem(problem), entrant, Setting(str(problem), tier))
    return {one.item: one for one in report.findings if one.note != "prose"}


def lost(found: dict[str, Finding]) -> dict[str, str]:
    return {item: one.note for item, one in found.items() if one.verdict is not Verdict.CORRECT}


def test_a_package_of_several_files_earns_everything(tmp_path: Path, tier: str) -> None:
    text = (PROBLEMS / "autograd-functions" / "program.py").read_text("utf-8")
    start = text.index("class Function:")
    end = text.index("class Add(")
    package = tmp_path / "handin" / "mytorch"
    (package / "ops").mkdir(parents=True)
    (package / "__init__.py").write_text("from .tensor import Tensor\n")
    (package / "ops" / "__init__.py").write_text("")
    (package / "tensor.py").write_text(text[:start])
    (package / "base.py").write_text("import numpy as np\nfrom .tensor import Context, Tensor\n" + text[start:end])
    (package / "ops" / "functions.py").write_text(
        "import numpy as np\nfrom ..base import Function, unbroadcast\n"
        + text[end:]
        + "\nif __name__ == '__main__':\n    raise SystemExit('a script')\n"
    )
    (tmp_path / "handin" / "tests").mkdir()
    (tmp_path / "handin" / "tests" / "test_all.py").write_text("class Add: pass\nraise RuntimeError\n")
    assert lost(graded(tmp_path / "handin", tier, PROBLEMS / "autograd-functions")) == {}


def test_one_module_runs_without_its_part_for_a_script(tmp_path: Path, tier: str) -> None:
    text = (PROBLEMS / "autograd-cached" / "program.py").read_text("utf-8")
    (tmp_path / "program.py").write_text(text + "\nif __name__ == '__main__':\n    while True: pass\n")
    assert lost(graded(tmp_path, tier, PROBLEMS / "autograd-cached")) == {}


def test_a_notebook_may_import_a_module_beside_it(tmp_path: Path, tier: str) -> None:
    book = notebook("dl-sheet01")
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes" / "all.py").write_text("\n".join("".join(cell["source"]) for cell in cells))
    cells[0]["source"] = "from nodes.all import *\nimport seaborn as sns"
    (tmp_path / "solution.ipynb").write_text(json.dumps({**book, "cells": cells[:1]}))
    found = graded(tmp_path, tier, PROBLEMS / "dl-sheet01")
    assert lost({item: one for item, one in found.items() if item.startswith("3")}) == {}


def test_definitions_alone_run_where_the_problem_says_so(tmp_path: Path, tier: str) -> None:
    problem = tmp_path / "problem"
    problem.mkdir()
    for name in ("problem.toml", "statement.md"):
        text = (PROBLEMS / "autograd-cached" / name).read_text("utf-8")
        (problem / name).write_text(text.replace("kind = 'program'", "kind = 'program'\nrun = 'definitions'"))
    handin = tmp_path / "handin"
    handin.mkdir()
    code = "import numpy as np\n" + TRAINING + (PROBLEMS / "autograd-cached" / "program.py").read_text("utf-8")
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [{**cell, "source": code}, {**cell, "source": "raise RuntimeError('not run')"}]
    (handin / "a.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert lost(graded(handin, tier, problem)) == {}


def test_only_what_defines_something_is_kept() -> None:
    text = (
        "import numpy as np; x = 3; print(x)\n%pwd\nEPS = 1e-8\nfor i in x:\n    go()\nA.b = lambda s: 1\nm = train()\n"
    )
    assert only_definitions(text) == (
        "import numpy as np; x = 3; pass\n\nEPS = 1e-8\npass\n\nA.b = lambda s: 1\npass\n"
    )
    assert only_definitions("def (") == "def ("


def test_modules_of_a_package_can_be_chosen() -> None:
    files = {f"p/{name}.py": b"x = 1" for name in ("__init__", "a", "b", "test_a")}
    (every,) = sources_of(files, ())
    (chosen,) = sources_of(files, (), modules=("b.py",))
    assert [name in str(json.loads(every.code)) for name in ("p.a", "p.b", "p.test_a")] == [True, True, False]
    assert [name in str(json.loads(chosen.code)) for name in ("p.a", "p.b")] == [False, True]
