"""Self-checks inside a notebook."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from grader import check
from grader.handout import folder
from grader.jupyter.session import Check, Trouble
from grader.problems import load_problem

ROOT = Path(__file__).parents[2]
SHEET = ROOT / "problems" / "dl-sheet01"
RIGHT = r"f'(x) = \frac{4\cos(x^3)}{x} - 3x^2\sin(x^3)\ln\frac{x^4}{11}"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def checked() -> Check:
    own = Check()
    own.problem(SHEET)
    return own


def executed(tmp_path: Path, *cells: str) -> list[Any]:
    """A notebook in a fresh handout, run by a real kernel."""
    for name, content in folder.build(load_problem(SHEET)).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_notebook_checks_answers_by_call_line_and_cell(tmp_path: Path) -> None:
    called, _loaded, line, cell, trouble = executed(
        tmp_path,
        f'from grader import check\ncheck("1a", r"{RIGHT}")',
        "%load_ext grader",
        "%check 1c sigma(x)*(1 - sigma(x))",
        "%%check 1e\njacobian: $\\mathrm{diag}(a'(x_1), \\dots, a'(x_n))$\n\nstructure: symmetric of rank 2",
        "%check 9z 1",
    )
    assert "✓ Right  2 / 2" in called[0]["data"]["text/plain"]
    assert "<math" in called[0]["data"]["text/html"]
    assert "✓ Right  2 / 2" in line[0]["data"]["text/plain"]
    assert "1e.jacobian\n      read as" in cell[0]["data"]["text/plain"]
    assert "there is no question 9z" in trouble[0]["text"]


def test_importing_the_package_imports_nothing_else() -> None:
    program = (
        "import sys, grader; print(*(name for name in sys.modules if name.startswith(('grader', 'numpy', 'click'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["grader"]


def test_an_answer_is_right_or_not(checked: Check) -> None:
    assert checked("1a", RIGHT)
    assert not checked("1a", "3*x^2")
    assert checked("1f.f1.gradient", r"$(\cos x_1\cos x_2, -\sin x_1 \sin x_2)$")


def test_an_answer_may_rest_on_another(checked: Check) -> None:
    steps = "t1 = c^2; t2 = a + b; t3 = t2 + t1; t4 = sqrt(t3); t5 = log(t3); t6 = t4 + t5; t7 = b*t1; t8 = t3/t7"
    decomposition = "\n".join([*steps.split("; "), "t9 = t6 + t8"])
    assert checked("2a.A", decomposition)
    graph = "```\na -> t2\nb -> t2\nc -> t1\nt2 -> t3\nt1 -> t3\nt3 -> t4\nt3 -> t5\nt4 -> t6\nt5 -> t6\n"
    graph += "b -> t7\nt1 -> t7\nt3 -> t8\nt7 -> t8\nt6 -> t9\nt8 -> t9\n```\n"
    assert checked("2b.A", graph, given={"2a.A": decomposition})


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", r"$\text{<img src=x onerror=alert(1)>}$", "`<b>`"])
def test_nothing_a_student_types_becomes_markup(hostile: str, checked: Check) -> None:
    html = checked("1a", hostile)._repr_html_()
    assert not any(tag in html for tag in ("<script", "<img", "<b>&lt;", "<b><"))


@pytest.mark.parametrize(("label", "message"), [("9z", "there is no question 9z"), ("3a", "answered by code")])
def test_what_cannot_be_checked_is_said_in_one_sentence(label: str, message: str, checked: Check) -> None:
    with pytest.raises(Trouble, match=message):
        checked(label, "x")


def test_the_problem_can_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADER_PROBLEM", str(SHEET))
    assert Check()("1a", RIGHT)
    monkeypatch.setenv("GRADER_PROBLEM", "no-such-sheet")
    with pytest.raises(Trouble, match="no-such-sheet"):
        check("1a", RIGHT)
