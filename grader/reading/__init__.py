"""Reading a hand-in: which answer is where, in Markdown, LaTeX, notebooks, records, PDFs with their source."""

from __future__ import annotations

from grader.reading.labels import Labels
from grader.reading.submission import answer_of, file_bytes, formulas, images, read_submission, submission_of

__all__ = ["Labels", "answer_of", "file_bytes", "formulas", "images", "read_submission", "submission_of"]
