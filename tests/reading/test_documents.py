"""Documents and what is read from them; the tables are the specification."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from grader.model import Fragment, Submission
from grader.reading import Labels, formulas, read_submission

CASES = Path(__file__).parent.parent / "cases"
QUESTIONS = {
    "1a": "Product and chain rule",
    "1b": "Gaussian",
    "1c": "Sigmoid function",
    "1f": "Gradients",
    "1g": "Total derivative",
    "2a": "Decomposition",
    "2b": "Graph",
}
ITEMS = ["1f.f1.gradient", "1f.f1.dimension", "1f.f2.gradient", "1f.f2.dimension", "2a.A", "2a.B"]
LABELS = Labels(QUESTIONS, dict.fromkeys(ITEMS, ""), {"1": "Derivatives", "2": "Graphs"})
NUMBERS = Labels({"1": "One step", "2": "Several steps", "3": "Forward mode"})


def cases(name: str) -> list[Any]:
    table = tomllib.loads((CASES / name).read_text(encoding="utf-8"))["case"]
    return [pytest.param(case, id=case.get("name") or f"{case['line']}-{case.get('sheet', '')}") for case in table]


def read(folder: Path, text: str, suffix: str, labels: Labels = LABELS) -> Submission:
    path = folder / f"answers.{suffix}"
    path.write_text(text, encoding="utf-8")
    return read_submission(path, labels)


def flat(submission: Submission) -> list[tuple[str, Fragment]]:
    """(item or question, fragment) in the order of the document within each question."""
    found = [(a.item or a.question, a.question, f) for a in submission.answers for f in a.fragments]
    order = {q: i for i, q in enumerate(QUESTIONS)}
    found.sort(key=lambda one: (order.get(one[1], 99), one[2].where.cell or 0, one[2].where.line, one[2].where.column))
    return [(name, fragment) for name, _, fragment in found]


@pytest.mark.parametrize("case", cases("reading.toml"))
def test_a_document_holds_these_fragments(case: dict[str, Any], tmp_path: Path) -> None:
    submission = read(tmp_path, case["text"], case["format"])
    found = flat(submission)
    assert [[name, f.kind, f.label, f.text] for name, f in found] == case["fragments"]
    if "at" in case:
        assert [f"{f.where.line}:{f.where.column}" for _, f in found] == case["at"]
    assert list(dict.fromkeys(remark.note for remark in submission.remarks)) == case.get("remarks", [])
    said = "\n".join(remark.message for remark in submission.remarks)
    assert all(words in said for words in case.get("says", []))


@pytest.mark.parametrize("case", cases("reading_habits.toml"))
def test_every_answer_is_found_under_its_question(case: dict[str, Any], tmp_path: Path) -> None:
    submission = read(tmp_path, case["text"], case["format"])
    last = {a.question: f.text for a in submission.answers for f in a.fragments if f.kind in ("formula", "graph")}
    assert last == case["answers"]


@pytest.mark.parametrize("case", cases("reading_labels.toml"))
def test_a_line_names_this_question(case: dict[str, Any], tmp_path: Path) -> None:
    labels = NUMBERS if case.get("sheet") == "numbers" else LABELS
    submission = read(tmp_path, f"{case['line']}\n\n$x^2$\n", "md", labels)
    found = [a.question for a in submission.answers if any(f.text == "x^2" for f in a.fragments)]
    assert (found[0] if found else "") == case.get("today", case["question"])


@pytest.mark.parametrize("case", [c for c in cases("reading.toml") if c.values[0]["format"] in ("md", "tex", "txt")])
def test_the_place_of_a_formula_is_its_first_character(case: dict[str, Any], tmp_path: Path) -> None:
    if "newcommand" in case["text"]:
        return
    lines = case["text"].split("\n")
    for _, fragment in flat(read(tmp_path, case["text"], case["format"])):
        if fragment.kind in ("formula", "graph", "code"):
            line = lines[fragment.where.line - 1][fragment.where.column - 1 :]
            assert line.startswith(fragment.text.split("\n")[0])


MARKDOWN = r"""
## 1a
$$f'(x) = 3x^2\cos(x)$$

## 1b
$f'(x) = -\frac{x}{2}$

## 1c
The sum is $\sigma(x)(1-\sigma(x))$

## 1f
### f1
Gradient: $\begin{bmatrix} a \\ b \end{bmatrix}$

Dimension: $2 \times 1$
### f2
Gradient: $y^T$

## 2a
### A
```
t1 = a + b
t2 = t1 * c
```
"""
TEX = r"""
\documentclass{article}
\begin{document}
\section*{1a}
\[ f'(x) = 3x^2\cos(x) \]
\section*{1 (b)}
$f'(x) = -\frac{x}{2}$
\section*{Aufgabe 1c}
The sum is \(\sigma(x)(1-\sigma(x))\)
\section*{1f}
\subsection*{$f_1$}
Gradient: $\begin{bmatrix} a \\ b \end{bmatrix}$

Dimension: $2 \times 1$
\subsection*{f2}
Gradient: $y^T$
\section*{2a}
\subsection*{Equation A}
\begin{verbatim}
t1 = a + b
t2 = t1 * c
\end{verbatim}
\end{document}
"""
TOML = r"""
[answers]
1a = '''f'(x) = 3x^2\cos(x)'''
1b = '''f'(x) = -\frac{x}{2}'''
1c = 'The sum is $\sigma(x)(1-\sigma(x))$'
[answers.1f.f1]
gradient = '\begin{bmatrix} a \\ b \end{bmatrix}'
dimension = '2 \times 1'
[answers.1f.f2]
gradient = '$y^T$'
[answers.2a]
A = ['t1 = a + b', 't2 = t1 * c']
"""


def notebook(markdown: str) -> str:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": f"## {part}".splitlines(True)}
        for part in markdown.split("\n## ")[1:]
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize(
    ("text", "suffix"), [(TEX, "tex"), (TOML, "toml"), (notebook(MARKDOWN), "ipynb"), (MARKDOWN, "txt")]
)
def test_the_same_answers_in_every_format_give_the_same_fragments(text: str, suffix: str, tmp_path: Path) -> None:
    def told(submission: Submission) -> list[tuple[object, ...]]:
        return [
            (a.question, a.item, a.text, tuple((f.kind, f.text, f.label, f.notation, f.display) for f in a.fragments))
            for a in submission.answers
        ]

    expected = read(tmp_path, MARKDOWN, "md")
    found = read(tmp_path, text, suffix)
    assert told(found) == told(expected)
    assert not found.remarks


def test_cells_of_a_notebook_keep_their_numbers_and_code_is_listed(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# 2a\n", "text with $x$"]},
        {"cell_type": "code", "source": "print(1)", "outputs": []},
        {"cell_type": "markdown", "source": "more $y$\n\n![p](attachment:p.png)"},
    ]
    submission = read(tmp_path, json.dumps({"cells": cells, "nbformat": 4}), "ipynb")
    (answer,) = submission.answers
    found = [(f.kind, f.text, f.where.cell, f.where.line, f.where.column) for f in answer.fragments]
    assert found == [
        ("text", "text with", 0, 2, 1),
        ("formula", "x", 0, 2, 12),
        ("code", "print(1)", 1, 1, 1),
        ("text", "more", 2, 1, 1),
        ("formula", "y", 2, 1, 7),
        ("image", "attachment:p.png", 2, 3, 6),
    ]
    assert submission.notebooks == ("answers.ipynb",)


def test_all_formulas_of_a_file_come_in_order_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("Exercise 9\n\n$$a = b = c$$\nso $d$\n\ne = f + g\n", encoding="utf-8")
    found = [(f.text, f.where.line, f.where.column) for f in formulas(path)]
    assert found == [("a = b = c", 3, 3), ("d", 4, 5), ("e = f + g", 6, 1)]


def test_a_file_named_after_a_question_answers_it(tmp_path: Path) -> None:
    for name, text in {"1a.md": "$x$", "aufgabe_1b.tex": "$y$", "notes.md": "nothing"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    submission = read_submission(tmp_path, LABELS)
    assert {a.question: a.fragments[0].text for a in submission.answers} == {"1a": "x", "1b": "y"}


def test_a_problem_with_one_question_needs_no_label(tmp_path: Path) -> None:
    submission = read(tmp_path, "$x^2$\n", "md", Labels({"1": "The only one"}))
    assert [a.question for a in submission.answers] == ["1"]
