"""From `git init` to a graded push: the shipped workflow and action, step by step as a runner would."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from grader.handout import folder
from grader.problems import load_problem
from tests.pushes import runner

ROOT = Path(__file__).parents[2]
PROBLEM = ROOT / "problems" / "adl4p-ex05"
ACTION = "someone/gradient-grader@" + "0123456789abcdef" * 2 + "01234567"
ANSWERS = {
    "## 1\n": "## 1\n\n$x_1 = (1, -13/2, 8)$\n\n$L = 15.5$\n\n$\\lambda_1 = (1, 1, 1)$\n\n"
    "$\\nabla_\\theta L = (2, 1, 3$\n",  # one entry wrong, one bracket open
}


def git(repository: Path, *arguments: str) -> str:
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=repository, env=nobody, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's repository: the handout, some answers, one commit."""
    repository = tmp_path_factory.mktemp("class") / "adl4p-ex05-ada"
    for name, content in folder.build(load_problem(PROBLEM), ACTION).items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    answers = (repository / "answers.md").read_text(encoding="utf-8")
    for before, after in ANSWERS.items():
        assert before in answers
        answers = answers.replace(before, after)
    (repository / "answers.md").write_text(answers, encoding="utf-8")
    for other in ("answers.tex", "answers.ipynb"):
        (repository / other).unlink()
    git(repository, "init")
    git(repository, "add", "--all")
    git(repository, "commit", "-m", "My answers")
    return repository


def push(repository: Path, temp: Path, **more: str) -> tuple[runner.Run, int]:
    """The job of the handout's own workflow on a clone; the code of the last step."""
    workspace = temp / "workspace"
    git(temp, "clone", "--quiet", str(repository), str(workspace))
    workflow = runner.load(workspace / ".github" / "workflows" / "grade.yml")
    step = next(one for one in workflow["jobs"]["grade"]["steps"] if one.get("uses") == ACTION)
    action = runner.load(ROOT / "action.yml")
    run = runner.Run(workspace, temp, runner.inputs_of(action, {**step["with"], **more}, "ada"))
    runner.use_this_environment(temp)
    code = 0
    for one in action["runs"]["steps"]:
        if "run" in one and one["name"] != "Install the grader":
            code = runner.run_step(one, run)
    return run, code


@pytest.fixture(scope="module")
def pushed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> runner.Run:
    run, code = push(repository, tmp_path_factory.mktemp("runner"))
    assert code == 0, run.stderr
    return run


def test_the_problem_the_workflow_names_lies_in_the_handout(repository: Path) -> None:
    workflow = runner.load(repository / ".github" / "workflows" / "grade.yml")
    named = [one["with"]["problem"] for one in workflow["jobs"]["grade"]["steps"] if one.get("uses") == ACTION]
    assert named == [".grader/adl4p-ex05"]
    assert (repository / named[0] / "problem.toml").is_file()


def test_a_push_is_told_its_points_at_the_lines_they_are_about(pushed: runner.Run) -> None:
    lines = (pushed.workspace / "answers.md").read_text(encoding="utf-8").splitlines()
    adjoint = 1 + next(k for k, line in enumerate(lines) if "lambda_1 =" in line)
    gradient = 1 + next(k for k, line in enumerate(lines) if "nabla" in line)
    told = pushed.stdout.splitlines()
    assert any(line.startswith(f"::error file=answers.md,line={adjoint},") for line in told)
    assert any(line.startswith(f"::warning file=answers.md,line={gradient},") for line in told)
    assert told[-1] == "::notice title=Autograding complete::Points 5.33/45"
    assert sum(line.startswith("::") for line in told) <= 11


def test_outputs_say_points_and_where_the_report_is(pushed: runner.Run) -> None:
    outputs = pushed.outputs["grade"]
    action = runner.load(ROOT / "action.yml")
    declared = {name: pushed.fill(spec["value"]) for name, spec in action["outputs"].items()}
    assert declared == outputs
    assert (outputs["points"], outputs["possible"]) == ("5.33", "45")
    former = json.loads(base64.b64decode(outputs["result"]))
    assert round(sum(test["score"] for test in former["tests"]), 2) == 5.33
    assert former["max_score"] == 45


def test_the_summary_has_a_row_for_every_item_and_says_what_it_is_worth(pushed: runner.Run) -> None:
    summary = (pushed.temp / "github_step_summary").read_text(encoding="utf-8")
    assert "**5.33 of 45 points**" in summary
    assert summary.count("\n| 1.") == 4
    assert "The grade is the instructor's own run" in summary


def test_report_and_badge_are_left_outside_the_checkout(pushed: runner.Run, repository: Path) -> None:
    report = Path(pushed.outputs["grade"]["report"])
    assert not report.is_relative_to(pushed.workspace)
    assert {path.name for path in report.iterdir()} == {"report.html", "report.md", "report.json", "badge.svg"}
    ElementTree.parse(report / "badge.svg")
    provenance = json.loads((report / "report.json").read_text("utf-8"))["provenance"]
    assert provenance["commit"] == git(repository, "rev-parse", "HEAD")
    assert git(pushed.workspace, "status", "--porcelain") == ""


def test_a_class_may_ask_for_a_share_of_the_points(repository: Path, tmp_path: Path) -> None:
    run, code = push(repository, tmp_path, **{"fail-below": "0.5"})
    assert code == 1
    assert run.outputs["grade"]["points"] == "5.33"


def test_names_in_the_checkout_reach_no_shell(repository: Path, tmp_path: Path) -> None:
    hostile = 'x"; touch pwned; echo "$(touch pwned)'
    run, code = push(repository, tmp_path, student=hostile)
    assert code == 0
    assert not list(tmp_path.rglob("pwned"))
    report = json.loads((Path(run.outputs["grade"]["report"]) / "report.json").read_text("utf-8"))
    assert report["student"] == hostile


def test_modules_in_the_checkout_are_not_imported(repository: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    git(tmp_path, "clone", "--quiet", str(repository), str(own))
    for name in ("grader.py", "click.py", "sitecustomize.py", "json.py"):
        (own / name).write_text("raise SystemExit('taken over')\n")
    git(own, "add", "--all")
    git(own, "commit", "-m", "modules")
    run, code = push(own, tmp_path)
    assert code == 0, run.stderr
    assert run.outputs["grade"]["points"] == "5.33"


def test_an_audit_goes_by_the_commit(pushed: runner.Run, repository: Path, tmp_path: Path) -> None:
    def grader(*arguments: str) -> Any:
        done = subprocess.run([sys.executable, "-m", "grader", *arguments], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    claims = tmp_path / "claims" / "ada"
    claims.mkdir(parents=True)
    report = json.loads((Path(pushed.outputs["grade"]["report"]) / "report.json").read_text("utf-8"))
    git(repository.parent, "clone", "--quiet", str(repository), "adl4p-ex05-boris")
    grader("batch", str(PROBLEM), str(repository.parent), "--out", str(tmp_path / "out"), "--jobs", "1", "--json")

    def standing(claim: dict[str, Any]) -> str:
        (claims / "report.json").write_text(json.dumps(claim), encoding="utf-8")
        ada, boris = grader("audit", str(claims.parent), str(tmp_path / "out"), "--json")["students"]
        assert (ada["student"], boris["student"], boris["standing"]) == ("ada", "boris", "no claim")
        return str(ada["standing"])

    assert standing(report) == "same"
    better = {**report, "score": {**report["score"], "earned": {"exact": "45", "decimal": 45.0}}}
    assert standing(better) == "differs"
    assert standing({**report, "provenance": {**report["provenance"], "commit": "f" * 40}}) == "other commit"
