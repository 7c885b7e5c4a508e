"""Small hand-ins built from text, and problems built from a few lines of TOML."""

from __future__ import annotations

from pathlib import Path

from grader.grading import grade
from grader.model import Finding, Report, Submission
from grader.problems import Problem, load_problem
from grader.soundness import make_answer

ROOT = Path(__file__).resolve().parents[2]
SHEETS = ("dl-sheet01", "adl4p-ex05")


def write_problem(folder: Path, questions: str, head: str = "") -> Path:
    """A problem folder with these questions."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f"[problem]\nid = 'test'\ntitle = 'Test'\n{head}\n{questions}\n"
    (folder / "problem.toml").write_text(text, encoding="utf-8")
    return folder


def make_problem(folder: Path, questions: str, head: str = "") -> Problem:
    return load_problem(write_problem(folder, questions, head))


def hand_in(problem: Problem, answers: dict[str, str]) -> Submission:
    """A hand-in with these answers by item id; LaTeX where there is a backslash."""
    items = {item.id: (question.id, item) for question in problem.questions for item in problem.items(question)}
    return Submission(
        "student",
        tuple(make_answer(*items[name], text, "latex" if "\\" in text else "plain") for name, text in answers.items()),
    )


def report_on(problem: Problem, answers: dict[str, str]) -> Report:
    return grade(problem, hand_in(problem, answers), noticed=_loudly)


def findings(problem: Problem, answers: dict[str, str]) -> dict[str, Finding]:
    return {finding.item: finding for finding in report_on(problem, answers).findings}


def _loudly(question: str, trouble: BaseException) -> None:
    """In tests our own exceptions are not to be swallowed."""
    raise AssertionError(question) from trouble
