"""Every file of a handout, as data: path in the folder -> bytes."""

from __future__ import annotations

import json
from pathlib import Path

from grader.handout import statement, templates
from grader.handout.notebook import student_version
from grader.problems import PROBLEM_FILE, Problem
from grader.pushes import workflows

NOTEBOOK_FILE = "notebook.ipynb"
PROBLEM_FOLDER = ".grader"  # the definitions a self-check needs; model answers are derived, so none stand in it


def build(problem: Problem, action: str = workflows.PLACEHOLDER_ACTION) -> dict[str, bytes]:
    """The handout of this variant.  Raises ProblemError or UnclosedRegion if the problem's own files are wrong."""
    sheet = templates.sheet_of(problem)
    texts = {
        "answers.md": templates.markdown(sheet),
        "answers.tex": templates.tex(sheet),
        "answers.ipynb": templates.notebook(sheet),
        "README.md": readme(problem, sheet),
        ".github/workflows/grade.yml": workflows.fill("grade.yml", f"{PROBLEM_FOLDER}/{problem.id}", action),
    }
    texts.update(_statement(problem))
    texts.update(_notebook(problem))
    texts.update(_definitions(problem))
    return {path: text.encode() for path, text in texts.items()}


def readme(problem: Problem, sheet: templates.Sheet) -> str:
    """How to hand in and how to check oneself."""
    code = f"- `{NOTEBOOK_FILE}`: complete the `# TODO`s.\n" if _source(problem, NOTEBOOK_FILE) is not None else ""
    due = f"\nDue: {problem.about.due.isoformat(' ', 'minutes')}\n" if problem.about.due else ""
    return f"""# {problem.title}
{due}
- `statement.html`, `statement.md`: what is asked.
- `answers.md`, `answers.tex` or `answers.ipynb`: write your answers into one of them and delete the others.
{code}
Check yourself, offline:

```console
$ pip install gradient-grader
$ grader check answers.md
```

Every answer is shown as it was understood, with a verdict and a hint where something is off. Mathematics is read the
way you write it: LaTeX between dollars, or plain text such as `x^2*cos(x)`. What cannot be read is never counted as
wrong; a person looks at it.

Grading a push (`.github/workflows/grade.yml`) is feedback. The grade is the instructor's own run.

Questions: {", ".join(slot.question for slot in sheet.slots)}.
"""


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
    text = _source(problem, NOTEBOOK_FILE)
    if text is None:
        return {}
    return {NOTEBOOK_FILE: json.dumps(student_version(json.loads(text)), indent=1, ensure_ascii=False) + "\n"}


def _definitions(problem: Problem) -> dict[str, str]:
    """The problem file for self-checks.  The problem's own cases stay behind: they are answers."""
    text = _source(problem, PROBLEM_FILE)
    return {} if text is None else {f"{PROBLEM_FOLDER}/{problem.id}/{PROBLEM_FILE}": text}
