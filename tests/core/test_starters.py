"""What `grader new` starts: every kind has a question to start from, and it is sound as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import new
from grader.cli.starters import STARTERS
from grader.kinds import KINDS
from grader.problems import load_problem
from grader.soundness import case_troubles, load_cases, vocabulary_troubles


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(new.command, list(args), standalone_mode=False)
    assert result.exception is None, result.exception
    return result.return_value or 0, result.output


def test_every_kind_has_a_starter() -> None:
    assert set(STARTERS) == set(KINDS)


@pytest.mark.parametrize("kind", STARTERS)
def test_a_starter_loads_and_its_cases_hold(kind: str, tmp_path: Path) -> None:
    run("sheet", "--in", str(tmp_path), "--kind", kind)
    problem = load_problem(tmp_path / "sheet")
    assert [question.kind for question in problem.questions] == [kind]
    assert list(case_troubles(problem, load_cases(tmp_path / "sheet"))) == []
    troubles = [one for one in vocabulary_troubles(problem, problem.questions[0]) if not one.warning]
    assert troubles == []
    assert "## 1\n" in (tmp_path / "sheet" / "statement.md").read_text(encoding="utf-8")


def test_several_kinds_make_one_sheet(tmp_path: Path) -> None:
    run("sheet", "--in", str(tmp_path), "--kind", "graph", "--kind", "rollout")
    problem = load_problem(tmp_path / "sheet")
    assert [(one.id, one.kind) for one in problem.questions] == [("1", "graph"), ("2", "rollout")]


def test_a_kind_without_a_name_is_shown_to_be_copied() -> None:
    code, output = run("--kind", "minimiser")
    assert code == 0
    assert output.startswith("[[question]]\nid = '1'\nkind = 'minimiser'\n")
    assert "# right, for 1: inv(X^T*X)*X^T*y" in output
