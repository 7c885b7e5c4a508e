"""Does a handout give an answer away?  Model answers and solution code are searched for in every file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from grader.handout.notebook import BEGIN, END
from grader.problems import Problem
from reference import printing
from reference.derivation import evaluate

# Shorter texts ("y", "2x", "return x") stand in statements for other reasons.
SHORTEST_TELLING_TEXT = 12
SPACES = re.compile(r"\s+")


def find_leaks(problem: Problem, files: Mapping[str, bytes]) -> list[str]:
    """One line for each model answer or line of solution code that stands in a file of the handout.

    The definitions (`problem.toml`, the statement) are what is asked, so an answer that merely repeats a definition is
    no leak.
    """
    asked = _flat(_text_of(problem, "statement.md"))
    found = []
    for path, content in files.items():
        text = _flat(content.decode("utf-8", "replace"))
        for what, secret in [*model_answers(problem), *solution_lines(problem)]:
            flat = _flat(secret)
            if len(flat) >= SHORTEST_TELLING_TEXT and flat in text and flat not in asked:
                found.append(f"{path}: {what}")
    return found


def model_answers(problem: Problem) -> Iterator[tuple[str, str]]:
    """Every derived value of every item's step, in both notations."""
    for question in problem.questions:
        for plan in problem.plans(question):
            for truth in plan.truths[:1]:
                values = evaluate(truth.derivation)
                for item in plan.items:
                    if item.step in values:
                        value = values[item.step]
                        yield f"the model answer of {item.id}", printing.plain(value)
                        yield f"the model answer of {item.id}", printing.latex(value)


def solution_lines(problem: Problem) -> Iterator[tuple[str, str]]:
    """Every line of code that stands only inside solution regions of the problem's notebook or program."""
    inside: list[str] = []
    outside: set[str] = set()
    for source in _solved_sources(problem):
        within = False
        for line in source.split("\n"):
            within = (within or bool(BEGIN.match(line))) and not END.match(line)
            if not within:
                outside.add(_flat(line))
            elif not BEGIN.match(line):
                inside.append(line)
    for line in inside:
        if _flat(line) not in outside:
            yield "a line of the solution code", line


def _solved_sources(problem: Problem) -> Iterator[str]:
    text = _text_of(problem, "notebook.ipynb")
    for cell in json.loads(text).get("cells", []) if text else []:
        source = cell.get("source", "")
        yield "".join(source) if isinstance(source, list) else source
    yield _text_of(problem, "program.py")


def _flat(text: str) -> str:
    return SPACES.sub("", text)


def _text_of(problem: Problem, name: str) -> str:
    path = problem.folder / name if problem.folder is not None else None
    return path.read_text(encoding="utf-8") if path is not None and path.is_file() else ""
