"""Reading a hand-in: which answer is where, in Markdown, LaTeX, notebooks, records, PDFs with their source."""

from __future__ import annotations

from grader.reading.bundles import ClassFolder, Handin, open_class, read_class, read_handin
from grader.reading.labels import Labels
from grader.reading.submission import answer_of, file_bytes, formulas, images, read_submission, submission_of

__all__ = [
    "ClassFolder",
    "Handin",
    "Labels",
    "answer_of",
    "file_bytes",
    "formulas",
    "images",
    "open_class",
    "read_class",
    "read_handin",
    "read_submission",
    "submission_of",
]
