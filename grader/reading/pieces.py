"""Lines and runs: what every written format is turned into before answers are looked for."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Literal

from grader.model import Notation, Place, Remark

RunKind = Literal["text", "formula", "code", "graph", "image"]


@dataclass(frozen=True, slots=True)
class Source:
    """A text together with where it came from.  Offsets into `text` become places by `place`."""

    file: str
    text: str
    cell: int | None
    starts: tuple[int, ...]  # offset of every line's first character

    def place(self, offset: int) -> Place:
        """The place of the character at `offset`; an offset outside the text is moved to its nearest end."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        return Place(self.file, line + 1, offset - self.starts[line] + 1, self.cell)


def source(file: str, text: str, cell: int | None = None) -> Source:
    """A source whose line starts are known.  Newlines in `text` are already "\\n"."""
    starts = [0]
    at = text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return Source(file, text, cell, tuple(starts))


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one line that is all text, or one formula, or one piece of code, graph or image."""

    kind: RunKind
    text: str
    where: Place
    notation: Notation = "latex"


@dataclass(frozen=True, slots=True)
class Line:
    """What stands on one line of the document; a displayed formula of many lines is one run of one line."""

    runs: tuple[Run, ...]
    where: Place
    heading: int = 0  # 1 is the highest level, 0 is no heading
    bold: bool = False  # the line begins in bold face
    marker: str = ""  # what a list put in front: "(a)", "1.", "-"
    quoted: bool = False  # set as a quotation
    depth: int = 0  # how deep in lists, or how far indented

    @property
    def text(self) -> str:
        """The line's words and formulas in one string, for labels and titles."""
        return " ".join(run.text.strip() for run in self.runs if run.kind in ("text", "formula")).strip()


@dataclass(frozen=True, slots=True)
class Document:
    """The lines of one file, what was noticed in reading it, and what the file says about itself."""

    lines: tuple[Line, ...]
    remarks: tuple[Remark, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    notebooks: tuple[str, ...] = ()


def joined(documents: list[Document]) -> Document:
    """One document from several, in order."""
    return Document(
        tuple(line for document in documents for line in document.lines),
        tuple(remark for document in documents for remark in document.remarks),
        tuple(pair for document in documents for pair in document.metadata),
        tuple(path for document in documents for path in document.notebooks),
    )


def with_heading(line: Line, level: int) -> Line:
    """The same line, as a heading of that level."""
    return replace(line, heading=level)
