"""Every file of a handout, as data: path in the folder -> bytes."""

from __future__ import annotations

import json
from pathlib import Path

from grader.decode import Mistake, ProblemError, seal
from grader.handout import readme, statement, templates
from grader.handout.notebook import notebook_of, student_version
from grader.problems import PROBLEM_FILE, SEALED, Problem
from grader.pushes import workflows

NOTEBOOK_FILE = "notebook.ipynb"
PROGRAM_FILE = "program.py"  # a solved program kept as a module; students get it as a notebook
PROBLEM_FOLDER = ".grader"  # the definitions a self-check needs; model answers are derived, so none stand in it
COPY_HEAD = "# What `grader check` needs to check this sheet offline.  Leave it as it is.\n"


def build(
    problem: Problem, action: str = workflows.PLACEHOLDER_ACTION, platform: workflows.Platform = "actions"
) -> dict[str, bytes]:
    """The handout of this variant.  Raises ProblemError or UnclosedRegion if the problem's own files are wrong."""
    sheet = templates.sheet_of(problem)
    code = _notebook(problem)
    texts = {
        "README.md": readme.render(problem, sheet, NOTEBOOK_FILE if code else ""),
        **_statement(problem),
        **code,
        **_definitions(problem, PROBLEM_FOLDER),
        **_workflow(problem, action, platform),
    }
    if sheet.slots:
        texts["answers.md"] = templates.markdown(sheet)
        texts["answers.tex"] = templates.tex(sheet)
        texts["answers.ipynb"] = templates.notebook(sheet)
    return {path: text.encode() for path, text in sorted(texts.items())}


def drawn_values(problem: Problem) -> dict[str, dict[str, str]]:
    """Question → parameter → this variant's value, for the questions that have parameters."""
    return {
        question.id: {name: str(value) for name, value in problem.parameters(question).items()}
        for question in problem.questions
        if question.head.parameters
    }


def _source(problem: Problem, name: str) -> str | None:
    path = (problem.folder or Path()) / name
    return path.read_text(encoding="utf-8") if problem.folder is not None and path.is_file() else None


def _statement(problem: Problem) -> dict[str, str]:
    text = _source(problem, statement.STATEMENT_FILE)
    if text is None:
        return {}
    values = {question.id: problem.parameters(question) for question in problem.questions if question.head.parameters}
    filled = statement.fill_in(text, values, str((problem.folder or Path()) / statement.STATEMENT_FILE))
    return {"statement.md": filled, "statement.html": statement.page(filled, problem.title)}


def _notebook(problem: Problem) -> dict[str, str]:
    """The notebook to complete, from the solved one or from the solved program."""
    text = _source(problem, NOTEBOOK_FILE)
    program = _source(problem, PROGRAM_FILE)
    if text is not None:
        try:
            solved = json.loads(text)
        except ValueError as trouble:
            where = str((problem.folder or Path()) / NOTEBOOK_FILE)
            raise ProblemError([Mistake(f"not a notebook: {trouble}", file=where)]) from None
    elif program is not None:
        solved = notebook_of(program, problem.title)
    else:
        return {}
    content = student_version(solved)
    content["metadata"]["problem"] = problem.id
    return {NOTEBOOK_FILE: json.dumps(content, indent=1, ensure_ascii=False) + "\n"}


def _workflow(problem: Problem, action: str, platform: workflows.Platform) -> dict[str, str]:
    """What grades a push; for Classroom 50 with the definitions beside it: it runs outside the checkout."""
    template, path = workflows.PLATFORMS[platform]
    if platform == "classroom50":
        return {path: workflows.fill(template, problem.id), **_definitions(problem, str(Path(path).parent))}
    return {path: workflows.fill(template, f"{PROBLEM_FOLDER}/{problem.id}", action)}


def _definitions(problem: Problem, folder: str) -> dict[str, str]:
    """The student's copy of the problem file, and adapters of the problem's own.

    The definition of one question can be the answer of another, so the copy is sealed.  The problem's own cases stay
    behind: they are answers.  Parameters stand in it as drawn; the seed does not.
    """
    text = _source(problem, PROBLEM_FILE)
    if text is None:
        return {}
    here = f"{folder}/{problem.id}"
    files = {f"{here}/{PROBLEM_FILE}": f"{COPY_HEAD}{SEALED} = '''{seal(text, drawn_values(problem))}'''\n"}
    for question in problem.questions:
        for part in question.parts:
            adapter = str(getattr(part.spec, "adapter", ""))
            if adapter.endswith(".py") and (own := _source(problem, adapter)) is not None:
                files[f"{here}/{adapter}"] = own
    return files
