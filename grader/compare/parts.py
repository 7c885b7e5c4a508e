"""Where the parts of a document begin: "Exercise 2", "Part 3: …", "1b)"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from grader.model import Fragment
from grader.reading.files import ANSWERS, PDFS, RECORDS, File, gather
from grader.reading.pdf import read_pdf
from grader.reading.pieces import Line
from grader.reading.submission import read_document

WORDED = re.compile(
    r"^\W*(?:exercise|part|question|problem|task|aufgabe|teil|übung|frage|ex\.?)\s*[(:.#]?\s*(?:\d+|[a-z]\b|[ivx]+\b)",
    re.IGNORECASE,
)
LABELLED = re.compile(r"^\W*(?:\d{1,2}\s*[a-z]?|[a-z])\s*[).:](?:\s|$)|^\W*\d{1,2}[a-z]\b", re.IGNORECASE)


def number_parts(path: Path, fragments: Sequence[Fragment]) -> tuple[int, ...]:
    """For each formula of a file the number of parts begun before it.  Formulas keep the order of the document."""
    begins = sorted(
        (line.where.cell or 0, line.where.line)
        for file in gather(path).files
        for line in _lines(file)
        if begins_part(line)
    )
    found = []
    for fragment in fragments:
        place = (fragment.where.cell or 0, fragment.where.line)
        found.append(sum(1 for begin in begins if begin <= place))
    return tuple(found)


def _lines(file: File) -> tuple[Line, ...]:
    """The lines of a written file, or of the source inside a PDF; none of anything else."""
    if file.suffix in RECORDS or file.suffix not in ANSWERS:
        return ()
    sources = read_pdf(file).sources if file.suffix in PDFS else (file,)
    return tuple(line for source in sources for line in read_document(source).lines)


def begins_part(line: Line) -> bool:
    """Is this line the title of a part?"""
    text = line.text
    if WORDED.match(text):
        return True
    return bool((line.heading or line.bold) and LABELLED.match(text))
