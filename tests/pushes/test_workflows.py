"""The action and the workflow templates: of the form GitHub takes, and with nothing a student's push could use."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from grader.handout import folder
from grader.problems import load_problem
from grader.pushes import workflows
from tests.pushes import runner

ROOT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
TEXT = {"type": "string"}
FLAT = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
STEP = {
    "type": "object",
    "oneOf": [{"required": ["uses"]}, {"required": ["run"]}],
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_-]*$"},
        "name": TEXT,
        "if": TEXT,
        "uses": {"type": "string", "pattern": PINNED.pattern},
        "run": {"type": "string", "not": {"pattern": r"\$\{\{"}},
        "shell": {"enum": ["bash"]},
        "working-directory": TEXT,
        "with": FLAT,
        "env": FLAT,
    },
    "additionalProperties": False,
}
# The parts of GitHub's metadata and workflow syntax that are used here; anything else is a mistake.
ACTION = {
    "type": "object",
    "required": ["name", "description", "runs"],
    "properties": {
        "name": TEXT,
        "description": TEXT,
        "author": TEXT,
        "branding": {"type": "object", "required": ["icon", "color"]},
        "inputs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["description"],
                "properties": {"description": TEXT, "required": {"type": "boolean"}, "default": TEXT},
                "additionalProperties": False,
            },
        },
        "outputs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["description", "value"],
                "properties": {"description": TEXT, "value": TEXT},
                "additionalProperties": False,
            },
        },
        "runs": {
            "type": "object",
            "required": ["using", "steps"],
            "properties": {
                "using": {"const": "composite"},
                "steps": {
                    "type": "array",
                    "items": {**STEP, "if": {"required": ["run"]}, "then": {"required": ["shell"]}},
                },
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
WORKFLOW = {
    "type": "object",
    "required": ["name", "permissions", "jobs"],
    "properties": {
        "name": TEXT,
        "true": {"type": "array", "items": {"enum": ["push", "workflow_dispatch"]}},  # YAML 1.1 reads `on` as true
        "permissions": {
            "type": "object",
            "required": ["contents"],
            "properties": {"contents": {"const": "read"}, "checks": {"const": "write"}},
            "additionalProperties": False,
        },
        "concurrency": {"type": "object", "required": ["group"]},
        "jobs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["runs-on", "steps", "timeout-minutes"],
                "properties": {
                    "runs-on": {"type": "string", "pattern": r"^ubuntu-\d\d\.04$"},
                    "timeout-minutes": {"type": "integer", "maximum": 30},
                    "if": TEXT,
                    "steps": {"type": "array", "minItems": 2, "items": STEP},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
RESULT = {  # classroom50/result/v1
    "type": "object",
    "required": ["schema", "score", "max-score", "tests"],
    "properties": {
        "schema": {"const": "classroom50/result/v1"},
        "score": {"type": "integer", "minimum": 0},
        "max-score": {"type": "integer", "minimum": 0},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["test-name", "passed", "score", "max-score", "message"],
                "properties": {
                    "test-name": TEXT,
                    "passed": {"type": "boolean"},
                    "score": {"type": "integer", "minimum": 0},
                    "max-score": {"type": "integer", "minimum": 0},
                    "message": TEXT,
                },
            },
        },
    },
    "additionalProperties": False,
}


def validate(schema: dict[str, Any], content: object) -> None:
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(json.dumps(content)))


def test_the_action_is_of_the_form_github_takes() -> None:
    validate(ACTION, runner.load(ROOT / "action.yml"))


@pytest.mark.parametrize("template", ["grade.yml", "classroom.yml"])
def test_workflows_are_of_the_form_github_takes(template: workflows.Template, tmp_path: Path) -> None:
    path = tmp_path / template
    path.write_text(workflows.fill(template, ".grader/x", f"someone/gradient-grader@{COMMIT}"), encoding="utf-8")
    content = runner.load(path)
    validate(WORKFLOW, content)
    checkout = next(
        s for s in content["jobs"].popitem()[1]["steps"] if s.get("uses", "").startswith("actions/checkout")
    )
    assert checkout["with"] == {"persist-credentials": False}


def test_the_schema_would_refuse_an_expression_in_a_script() -> None:
    action = runner.load(ROOT / "action.yml")
    action["runs"]["steps"][-1]["run"] = 'echo "${{ github.head_ref }}"'
    with pytest.raises(ValidationError):
        validate(ACTION, action)


def test_the_grader_is_installed_outside_the_checkout_and_runs_isolated() -> None:
    steps = {step["name"]: step for step in runner.load(ROOT / "action.yml")["runs"]["steps"]}
    install = steps["Install the grader"]
    assert install["working-directory"] == "${{ runner.temp }}"
    assert "--require-hashes" in install["run"]
    for step in (install, steps["Grade"]):
        for line in step["run"].splitlines():
            if " -m " in line:
                assert " -I -m " in line, line


def parts(problem: Path) -> dict[str, bytes]:
    return folder.build(load_problem(problem), platform="classroom50")


@pytest.fixture
def autograder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The shipped autograder.py in a bundle of its own; the installation, which needs a network, is left out."""
    for name, content in parts(ROOT / "problems" / "adl4p-ex05").items():
        if name.startswith("autograder/"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    spec = importlib.util.spec_from_file_location("autograder", tmp_path / "autograder" / "autograder.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def make(environment: Path, with_pip: bool) -> None:
        python = Path(environment) / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\n[ "$3" = pip ] && exit 0\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)

    monkeypatch.setattr(venv, "create", make)
    return module


def test_classroom_50_gets_whole_numbers_and_a_text(autograder: Any, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "answers.md").write_text("## 1\n$x_1 = (1, -13/2, 8)$\n$L = 15.5$\n$\\lambda_1 = (1, 1, 1)$\n")
    before = Path.cwd()
    os.chdir(checkout)
    try:
        assert autograder.main() == 0
    finally:
        os.chdir(before)
    result = json.loads((checkout / "result.json").read_text("utf-8"))
    validate(RESULT, result)
    assert (result["score"], result["max-score"]) == (16, 135)  # thirds, scaled by three
    assert "**5.33 of 45 points**" in (checkout / "release-body.md").read_text("utf-8")


def test_a_push_that_cannot_be_graded_is_told_as_ours(tmp_path: Path) -> None:
    (tmp_path / "answers.md").write_text("## 1\n$L = 3$\n")
    for problem, code in ((tmp_path / "nowhere", 2), (ROOT / "problems" / "adl4p-ex05", 0)):
        command = [sys.executable, "-I", "-m", "grader", "ci", str(tmp_path), "--problem", str(problem)]
        assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == code
