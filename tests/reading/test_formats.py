"""The same answers, composed at random, in every format: the same fragments under the same questions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.model import Submission
from grader.reading import Labels
from grader.reading.files import File, Files
from grader.reading.submission import submission_of

QUESTIONS = ("1a", "1b", "1c", "2a")
LABELS = Labels(dict.fromkeys(QUESTIONS, ""), {}, {"1": "Derivatives", "2": "Graphs"})
FORMULAS = (
    r"f'(x) = 3x^2",
    r"\frac{1}{2}",
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
    r"x_1 \cdot y_{2,1}",
    "0.5",
)
WORDS = ("", "By the chain rule we get", "so that", "Finally,")
ANSWERS = st.dictionaries(
    st.sampled_from(QUESTIONS),
    st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(FORMULAS)), min_size=1, max_size=3),
    min_size=1,
)
Sheet = dict[str, list[tuple[str, str]]]


def lines_of(answer: list[tuple[str, str]]) -> str:
    return "\n\n".join(f"{words} ${formula}$".strip() for words, formula in answer)


def markdown(sheet: Sheet) -> str:
    return "\n\n".join(f"## {question}\n\n{lines_of(sheet[question])}" for question in sorted(sheet))


def in_lines(sheet: Sheet) -> str:
    return "\n\n".join(f"**{question})** {lines_of(sheet[question])}" for question in sorted(sheet))


def tex(sheet: Sheet) -> str:
    body = "\n\n".join(f"\\section*{{Exercise {q}}}\n\n{lines_of(sheet[q])}" for q in sorted(sheet))
    return f"\\documentclass{{article}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"


def notebook(sheet: Sheet) -> str:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": f"### {q}\n\n{lines_of(sheet[q])}"} for q in sorted(sheet)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def toml(sheet: Sheet) -> str:
    return "\n".join(f"\"{question}\" = '''\n{lines_of(sheet[question])}\n'''" for question in sorted(sheet))


WRITERS = {"md": markdown, "txt": in_lines, "tex": tex, "ipynb": notebook, "toml": toml}


def read(name: str, text: str) -> Submission:
    return submission_of(Files((File(name, text.encode()),)), LABELS, "ada")


def formulas(submission: Submission) -> dict[str, list[str]]:
    return {a.question: [f.text for f in a.fragments if f.kind == "formula"] for a in submission.answers}


@pytest.mark.parametrize("suffix", sorted(WRITERS))
@settings(max_examples=40)
@given(sheet=ANSWERS)
def test_a_sheet_reads_the_same_in_every_format(suffix: str, sheet: Sheet) -> None:
    expected = {question: [formula for _, formula in answer] for question, answer in sheet.items()}
    assert formulas(read(f"answers.{suffix}", WRITERS[suffix](sheet))) == expected
