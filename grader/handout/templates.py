"""Answer files to fill in: Markdown, LaTeX with its source embedded in the PDF, a notebook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.problems import Problem
from grader.pushes.annotations import decimal

# Three lines that make pdflatex carry the source inside the PDF, byte for byte.
EMBED_SOURCE = r"""\immediate\pdfobj stream attr {/Type /EmbeddedFile} file {\jobname.tex}
\immediate\pdfobj{<</Type /Filespec /F (\jobname.tex) /UF (\jobname.tex) /EF <</F \the\pdflastobj\space 0 R>> >>}
\pdfnames{/EmbeddedFiles <</Names [(\jobname.tex) \the\pdflastobj\space 0 R]>>}"""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for an answer: the question's id, its title and points, and the labels of what it asks for."""

    question: str
    title: str
    points: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a template has to know of a problem."""

    problem: str
    title: str
    slots: tuple[Slot, ...]
    documentation: bool = False


def sheet_of(problem: Problem) -> Sheet:
    """The written questions of a problem, in order; program questions are answered in the notebook."""
    slots = []
    for question in problem.questions:
        if question.kind == "program":
            continue
        items = problem.items(question)
        total = sum((item.points for item in items), Fraction(0))
        labels = tuple(item.id.removeprefix(question.id).lstrip(".") for item in items)
        slots.append(Slot(question.id, question.title, decimal(total), tuple(label for label in labels if label)))
    return Sheet(problem.id, problem.title, tuple(slots), "documentation" in problem.about.required)


def markdown(sheet: Sheet) -> str:
    """`answers.md`: a heading for each question, a labelled line for each thing asked."""
    parts = [f"---\nproblem: {sheet.problem}\nname:\n---\n\n# {sheet.title}\n"]
    parts += [f"## {slot.question}\n\n<!-- {_about(slot)} -->\n\n{_labels(slot.labels)}" for slot in sheet.slots]
    if sheet.documentation:
        parts.append("## Documentation\n")
    return "\n".join(parts)


def tex(sheet: Sheet) -> str:
    """`answers.tex`: compiles with pdflatex; the PDF carries this source, so it can be graded from the PDF alone."""
    body = "\n".join(_tex_slot(slot) for slot in sheet.slots)
    documentation = "\n\\section*{Documentation}\n" if sheet.documentation else ""
    return (
        "\\documentclass{article}\n\\usepackage{amsmath,amssymb}\n"
        f"% problem: {sheet.problem}\n{EMBED_SOURCE}\n\\begin{{document}}\n"
        f"\\title{{{_tex_text(sheet.title)}}}\\author{{Name}}\\maketitle\n\n{body}{documentation}\n\\end{{document}}\n"
    )


def notebook(sheet: Sheet) -> str:
    """`answers.ipynb`: a Markdown cell for each question."""
    texts = [f"# {sheet.title}\n\nName:"]
    texts += [f"## {slot.question}\n\n{_labels(slot.labels)}".rstrip() for slot in sheet.slots]
    texts += ["## Documentation"] if sheet.documentation else []
    cells = [
        {"cell_type": "markdown", "id": f"answer-{index:02d}", "metadata": {}, "source": text}
        for index, text in enumerate(texts)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "problem": sheet.problem},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _about(slot: Slot) -> str:
    """The question's title and points: `The derivative (2 points)`."""
    worth = f"{slot.points} point{'' if slot.points == '1' else 's'}"
    return f"{slot.title} ({worth})".replace("--", "–") if slot.title else worth


def _labels(labels: Sequence[str]) -> str:
    return "".join(f"{label}:\n\n" for label in labels)


def _tex_slot(slot: Slot) -> str:
    labels = "".join(f"\n{label}:\n" for label in slot.labels)
    return f"\\section*{{{slot.question}}}\n% {_about(slot)}\n{labels}"


def _tex_text(text: str) -> str:
    for mark in "\\{}$&#^_%~":
        text = text.replace(mark, f"\\{mark}" if mark in "{}$&#_%" else " ")
    return text
