"""`check`, the object a notebook calls: which problem is meant, and one answer's way to its verdict."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from grader.jupyter.checked import Checked

if TYPE_CHECKING:
    from grader.model import Submission
    from grader.problems import Problem

VARIABLE = "GRADER_PROBLEM"
ANSWER_FILE = "answer.json"


class Trouble(Exception):
    """Something the student can mend, in one sentence; shown without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"check: {self}"]


class Check:
    """Checks one answer at a time.  The problem is found as on the command line, or told by `problem`."""

    def __init__(self) -> None:
        self._folder: str = ""

    def __repr__(self) -> str:
        return 'check("1a", r"your answer"); check.problem("folder or name") if the problem is not found'

    def problem(self, folder: str | Path) -> None:
        """Choose the problem for this notebook: a folder or a name.  Raises Trouble if there is none."""
        _load(str(folder))
        self._folder = str(folder)

    def __call__(
        self, label: str, answer: str = "", *, hints: int = 1, given: Mapping[str, str] | None = None
    ) -> Checked:
        """The verdict on one answer; `label` is a question ("1a") or one of its items ("1f.f1.gradient").

        `given` are answers to other questions that this one rests on (a drawing rests on the decomposition).  Raises
        Trouble for a label that is unknown or a question that is answered by code.
        """
        problem = _load(self._folder or os.environ.get(VARIABLE, ""))
        question, item = _find(problem, label)
        submission = _submission(problem, {**(given or {}), item or question: answer})
        from grader.grading import grade
        from grader.reporting.hints import with_hints

        report = grade(problem, submission, only=question)
        shown = with_hints(report, hints, problem.hints.witness)
        wanted = tuple(replace(one, where=None) for one in shown.findings if item in ("", one.item))
        return Checked(label, wanted, tuple(remark.message for remark in shown.remarks))


def _load(named: str) -> Problem:
    import click

    from grader.cli.finding import find_problem
    from grader.decode import ProblemError
    from grader.problems import load_problem

    try:
        return load_problem(find_problem(named or None, (Path.cwd(),)), plans=False)
    except click.ClickException as trouble:
        advice = "" if named else '  In a notebook: check.problem("folder or name").'
        raise Trouble(trouble.message + advice) from None
    except ProblemError as trouble:
        raise Trouble(f"the problem's definition is wrong: {trouble}") from None


def _find(problem: Problem, label: str) -> tuple[str, str]:
    """The question a label names, and the item if it names one."""
    from grader.decode import did_you_mean

    ids = {question.id: question for question in problem.questions}
    owner = max((one for one in ids if label == one or label.startswith(f"{one}.")), key=len, default="")
    items = [item.id for item in problem.items(ids[owner])] if owner else []
    if not owner or (label != owner and label not in items):
        raise Trouble(f"there is no question {label}; {did_you_mean(label, items or list(ids))}")
    if ids[owner].kind == "program":
        raise Trouble(f"question {owner} is answered by code: save the notebook and run `grader check` on it")
    return owner, label if label != owner else ""


def _submission(problem: Problem, answers: Mapping[str, str]) -> Submission:
    """A hand-in that consists of these answers."""
    from grader.reading.files import File, Files
    from grader.reading.submission import submission_of

    content = json.dumps({"answers": dict(answers)}, ensure_ascii=False).encode()
    return submission_of(Files((File(ANSWER_FILE, content),)), problem.labels(), "answer")


check = Check()
