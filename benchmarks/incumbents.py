"""The sheet's notebook graded by nbgrader and by otter-grader, each at its best setting, and by us, in one run.

    python benchmarks/incumbents.py --env ENVIRONMENT [--students N]

ENVIRONMENT is a virtual environment with nbgrader and otter-grader; both get finite-difference test cells and two
processes that share the students.  Ours is the command line with two jobs: start, canaries, sandbox, exact judging and
reports included.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.execution.pool import Pool
from grader.observing import inquire
from grader.problems import load_problem

ROOT = Path(__file__).resolve().parents[1]
SHEET = "dl-sheet01"
MODEL = ROOT / "submissions" / SHEET / "ada" / "autograd.ipynb"
NAME = "autograd.ipynb"
TESTS = (
    "a, b, c = Variable(1.5), Variable(0.7), Variable(1.2)\n"
    "backpropagate(equation_A(a, b, c))\n"
    "def at(a, b, c): return equation_A(Variable(a), Variable(b), Variable(c)).value\n"
    "assert abs(a.grad - (at(1.5 + 1e-6, 0.7, 1.2) - at(1.5 - 1e-6, 0.7, 1.2)) / 2e-6) < 1e-5",
    "x = Variable(1.5)\nbackpropagate(Square(x))\nassert abs(x.grad - 3.0) < 1e-9",
)
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
OTTER = """
import sys
from otter.api import grade_submission
for path in sys.argv[2:]:
    result = grade_submission(path, ag_path=sys.argv[1], quiet=True)
    print("points", result.total)
"""


def cell(kind: str, text: str, **metadata: object) -> dict[str, Any]:
    entry: dict[str, Any] = {"cell_type": kind, "source": text, "metadata": metadata}
    return {**entry, "outputs": [], "execution_count": None} if kind == "code" else entry


def write(path: Path, cells: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"cells": cells, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps(document), encoding="utf-8")


def model_cells() -> list[dict[str, Any]]:
    cells = json.loads(MODEL.read_text(encoding="utf-8"))["cells"]
    return [cell(one["cell_type"], "".join(one["source"])) for one in cells]


def names(students: int) -> list[str]:
    """Half of them begin with a, half with b: nbgrader's two processes take one letter each."""
    return [f"{'ab'[number % 2]}{number:03}" for number in range(students)]


def together(commands: Sequence[Sequence[str]], place: Path) -> tuple[float, str]:
    """Seconds until all have ended, and what they said.  Their environment's programs are the first to be found."""
    path = f"{Path(commands[0][0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    started = time.perf_counter()
    running = [subprocess.Popen(command, cwd=place, env={**os.environ, "PATH": path}, **pipes) for command in commands]
    said = "".join(process.communicate()[0] for process in running)
    return time.perf_counter() - started, said


def time_nbgrader(environment: Path, place: Path, students: int) -> float:
    graded = [
        cell(
            "code",
            test,
            nbgrader={"grade": True, "solution": False, "locked": True, "points": 1, "grade_id": f"t{n}"}
            | {"schema_version": 3, "task": False, "cell_type": "code"},
        )
        for n, test in enumerate(TESTS)
    ]
    write(place / "source" / "ps1" / NAME, [*model_cells(), *graded])
    program = str(environment / "bin" / "nbgrader")
    together([[program, "generate_assignment", "ps1", "--create"]], place)
    for name in names(students):
        target = place / "submitted" / name / "ps1" / NAME
        target.parent.mkdir(parents=True)
        shutil.copy(place / "release" / "ps1" / NAME, target)
    seconds, said = together([[program, "autograde", "ps1", f"--student={letter}*"] for letter in "ab"], place)
    done = len(list(place.glob(f"autograded/*/ps1/{NAME}")))
    if done < students:  # its two processes share one data base
        print(f"nbgrader graded {done} of {students}: {said.count('error processing assignment')} errors")
    return seconds


def time_otter(environment: Path, place: Path, students: int) -> float:
    tests = []
    for number, test in enumerate(TESTS):
        question = f"# BEGIN QUESTION\nname: q{number}\npoints: 1"
        tests += [cell("raw", question), cell("markdown", "Question"), cell("raw", "# BEGIN SOLUTION")]
        tests += [cell("code", f"answer{number} = 1"), cell("raw", "# END SOLUTION"), cell("raw", "# BEGIN TESTS")]
        tests += [cell("code", test), cell("raw", "# END TESTS"), cell("raw", "# END QUESTION")]
    config = cell("raw", "# ASSIGNMENT CONFIG\ninit_cell: false\nexport_cell: false\ncheck_all_cell: false")
    write(place / "master.ipynb", [config, *model_cells(), *tests])
    python, otter = (str(environment / "bin" / name) for name in ("python", "otter"))
    _, said = together([[otter, "assign", "master.ipynb", "dist", "--no-run-tests"]], place)
    packed = next(iter(place.glob("dist/autograder/*.zip")), None)
    assert packed is not None, said[-2000:]
    paths = []
    for name in names(students):
        paths.append(place / f"{name}.ipynb")
        shutil.copy(place / "dist" / "student" / "master.ipynb", paths[-1])
    shares = [[str(path) for path in paths[number::2]] for number in range(2)]
    seconds, said = together([[python, "-c", OTTER, str(packed), *share] for share in shares], place)
    assert said.count("points") == students, said[-2000:]
    return seconds


def time_ours(place: Path, students: int) -> float:
    for name in names(students):
        target = place / "class" / name / NAME
        target.parent.mkdir(parents=True)
        shutil.copy(MODEL, target)
        (target.parent / "about.txt").write_text(name)
    command = [sys.executable, "-m", "grader", "batch", f"problems/{SHEET}", str(place / "class")]
    started = time.perf_counter()
    subprocess.run([*command, "--out", str(place / "out"), "--jobs", "2"], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - started


def time_our_kernels(_: Path, students: int) -> float:
    """The pool alone: its start, the notebooks in the sandbox, all probes of the sheet."""
    adapter, imports, probes = inquire(load_problem(ROOT / "problems" / SHEET, plans=False), b"benchmark")
    source = MODEL.read_bytes()
    started = time.perf_counter()
    with Pool(2, imports=imports) as pool:
        runs = [pool.submit(source, probes, seed=name.encode(), adapter=adapter) for name in names(students)]
        assert all(one.status == "returned" for run in runs for one in run.result().observations)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", type=Path, required=True)
    parser.add_argument("--students", type=int, default=20)
    options = parser.parse_args()
    ours = 0.0
    for name, run in (
        ("our kernels", time_our_kernels),
        ("ours", time_ours),
        ("nbgrader", lambda place, count: time_nbgrader(options.env.resolve(), place, count)),
        ("otter-grader", lambda place, count: time_otter(options.env.resolve(), place, count)),
    ):
        with tempfile.TemporaryDirectory() as place:
            seconds = run(Path(place), options.students)
        ours = ours or seconds
        print(
            f"{name:14} {options.students} notebooks in {seconds:6.1f} s, {seconds / ours:5.1f}x our kernels",
            flush=True,
        )
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
