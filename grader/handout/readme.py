"""README.md of a handout: how to answer, check oneself, and hand in."""

from __future__ import annotations

from grader.handout.templates import Sheet
from grader.problems import Problem

HOW_TO_WRITE = """\
## Write

Mathematics is read the way you write it: LaTeX between dollars, `$\\frac{1}{x}$`, or plain text, `x^2*cos(x)`. Show
your steps as a chain of equalities if you like; the last member is your answer. Keep the headings: they say which
question an answer belongs to."""
HOW_TO_DRAW = """

A computation graph can be written as text, in a fenced block with one edge a line:

```
a -> t1
b -> t1
```

An assignment a line (`u = p + q`), DOT or Mermaid work too. A picture is looked at by a person."""


def render(problem: Problem, sheet: Sheet, notebook: str) -> str:
    """The text.  `notebook` is the name of the notebook to complete, or ""."""
    target = "answers.md" if sheet.slots else notebook
    parts = [f"# {problem.title}\n{_due(problem)}", _files(sheet, notebook), _check(target, sheet, notebook)]
    if sheet.slots:
        parts.append(HOW_TO_WRITE + (HOW_TO_DRAW if any(q.kind == "graph" for q in problem.questions) else ""))
    return "\n\n".join([*parts, HAND_IN]) + "\n"


HAND_IN = """\
## Hand in

Push this folder, or upload it as your course says. A push may be graded at once; that is feedback.
The grade is the instructor's own run of what you handed in.

From LaTeX, `pdflatex answers.tex` makes a PDF that carries its source and can be handed in alone. Any other PDF can
carry it too: `grader pack answers.ipynb answers.pdf`."""


def _due(problem: Problem) -> str:
    due = problem.about.due
    return (
        f"\nDue: {due.strftime('%Y-%m-%d %H:%M')} (UTC{due.strftime('%z')[:3]}:{due.strftime('%z')[3:]})" if due else ""
    )


def _files(sheet: Sheet, notebook: str) -> str:
    lines = ["- `statement.html`, `statement.md`: what is asked."]
    if sheet.slots:
        lines.append(
            "- `answers.md`, `answers.tex` or `answers.ipynb`: write your answers into *one*, delete the others."
        )
    if notebook:
        lines.append(f"- `{notebook}`: complete the `# TODO`s.")
    return "\n".join([*lines, "- `.grader/`: what the self-check needs. Leave it as it is."])


def _check(target: str, sheet: Sheet, notebook: str) -> str:
    first = sheet.slots[0].question if sheet.slots else ""
    lines = ["$ pip install gradient-grader", f"$ grader check {target}"]
    if first:
        lines.append(f"$ grader check {target} --question {first}")
    lines.append(f"$ grader check {target} --watch")
    if notebook and sheet.slots:
        lines += [f"$ grader check {notebook}", "$ grader check ."]
    shown = "\n".join(lines)
    return f"""\
## Check yourself

It works offline, in this folder:

```console
{shown}
```

Every answer is shown as it was understood, with a verdict, and a hint where something is off; `--hints 2` says where.
What cannot be read is never counted as wrong; a person looks at it."""
