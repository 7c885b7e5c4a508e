"""Runs the shell steps of a composite action the way GitHub's runner does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")


@dataclass
class Run:
    """What a job has seen and said so far."""

    workspace: Path
    temp: Path
    inputs: Mapping[str, str]
    actor: str = "ada"
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    stdout: str = ""
    stderr: str = ""

    def context(self, expression: str) -> str:
        """The value of an expression the action uses."""
        scope, _, name = expression.partition(".")
        if scope == "inputs":
            return self.inputs[name]
        if scope == "steps":
            step, _, output = name.partition(".outputs.")
            return self.outputs.get(step, {}).get(output, "")
        return {
            "runner.temp": str(self.temp),
            "github.workspace": str(self.workspace),
            "github.action_path": str(ROOT),
            "github.actor": self.actor,
        }[expression]

    def fill(self, text: str) -> str:
        return EXPRESSION.sub(lambda match: self.context(match[1]), text)


def load(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def inputs_of(action: Mapping[str, Any], given: Mapping[str, str], actor: str) -> dict[str, str]:
    """What the steps see as `inputs`: what the workflow gives, else the defaults."""
    defaults = {name: str(spec.get("default", "")) for name, spec in action["inputs"].items()}
    unknown = set(given) - set(defaults)
    assert not unknown, unknown
    required = {name for name, spec in action["inputs"].items() if spec.get("required")}
    assert required <= set(given)
    return {name: EXPRESSION.sub(actor, value) for name, value in {**defaults, **given}.items()}


def use_this_environment(temp: Path) -> None:
    """Stands for the installation, which needs a network: the same interpreter at the same place."""
    python = temp / "grader-environment" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)


def run_step(step: Mapping[str, Any], run: Run) -> int:
    """One `run` step: its own environment, its shell's options, the runner's files."""
    assert step["shell"] == "bash"
    files = {name: run.temp / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
    for file in files.values():
        file.touch()
    script = run.temp / "step.sh"
    script.write_text(step["run"], encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(run.temp),
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(run.workspace),
        "RUNNER_TEMP": str(run.temp),
        **{name: str(file) for name, file in files.items()},
        **{name: run.fill(str(value)) for name, value in step.get("env", {}).items()},
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=run.fill(step.get("working-directory", str(run.workspace))),
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    run.stdout += done.stdout
    run.stderr += done.stderr
    if "id" in step:
        lines = (line.partition("=") for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines())
        run.outputs[step["id"]] = {name: value for name, _, value in lines}
    return done.returncode
