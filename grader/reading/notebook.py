"""Jupyter notebooks → lines: Markdown cells are read, code cells are listed, nothing is executed here."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from grader.model import Place, Remark
from grader.reading.files import File, decode, shown
from grader.reading.markdown import read_markdown
from grader.reading.pieces import Document, Line, Run, joined

MAX_CELLS = 3_000
MAX_CELL = 400_000  # characters of one cell


def read_notebook(file: File) -> Document:
    """The lines of all cells in order, each place with its cell's number; never raises."""
    text, remarks = decode(file)
    cells, metadata, trouble = _cells(file, text)
    if trouble is not None:
        return Document((), (*remarks, trouble), (), ())
    code = any(_has_code(cell) for cell in cells)  # a notebook of text alone is a written answer, not a program
    documents = [Document((), remarks, metadata, (file.name,) if code or not cells else ())]
    if len(cells) > MAX_CELLS:
        message = f"{shown(file.name)} has {len(cells)} cells; only the first {MAX_CELLS} were read."
        documents.append(Document((), (Remark("too_large", message, Place(file.name)),)))
    for number, cell in enumerate(cells[:MAX_CELLS]):
        documents.append(_read_cell(file.name, number, cell))
    return joined(documents)


def _has_code(cell: Any) -> bool:
    """Is this anything but text?  A damaged cell counts: what it was is not known."""
    return not isinstance(cell, dict) or cell.get("cell_type") not in ("markdown", "heading", "raw")


def _broken(file: File, why: str) -> Remark:
    message = (
        f"{shown(file.name)} is not a readable notebook: {why}. Open it in Jupyter, save it again and hand that in."
    )
    return Remark("corrupt_notebook", message, Place(file.name))


def _cells(file: File, text: str) -> tuple[list[Any], tuple[tuple[str, str], ...], Remark | None]:
    if not text.strip():
        return [], (), _broken(file, "the file is empty")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as problem:
        why = f"line {problem.lineno}, column {problem.colno}: {problem.msg}"
        return [], (), replace(_broken(file, why), where=Place(file.name, problem.lineno, problem.colno))
    except (RecursionError, ValueError) as problem:
        return (
            [],
            (),
            _broken(file, "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)[:100]),
        )
    if not isinstance(data, dict):
        return [], (), _broken(file, "it is JSON, but not a notebook's")
    cells = data.get("cells")
    if cells is None and isinstance(data.get("worksheets"), list):  # notebooks of version 3
        sheets = [sheet for sheet in data["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets for cell in sheet.get("cells", []) or []]
    if not isinstance(cells, list):
        return [], (), _broken(file, "it has no list of cells")
    return cells, _metadata(data.get("metadata")), None


def _metadata(metadata: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(metadata, dict):
        return ()
    found = [(key, value) for key, value in metadata.items() if key in ("name", "student") and isinstance(value, str)]
    authors = metadata.get("authors")
    if (
        isinstance(authors, list)
        and authors
        and isinstance(authors[0], dict)
        and isinstance(authors[0].get("name"), str)
    ):
        found.append(("name", authors[0]["name"]))
    return tuple(found)


def _read_cell(name: str, number: int, cell: Any) -> Document:
    where = Place(name, 1, 1, number)
    if not isinstance(cell, dict):
        return Document(
            (), (Remark("bad_cell", f"Cell {number} of {shown(name)} is no cell and was left out.", where),)
        )
    written = cell.get("source", cell.get("input", ""))
    if isinstance(written, list):
        written = "".join(part for part in written if isinstance(part, str))
    if not isinstance(written, str):
        message = f"Cell {number} of {shown(name)} has no text where its source should be and was left out."
        return Document((), (Remark("bad_cell", message, where),))
    text = printable(written).replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_CELL:
        message = f"Cell {number} of {shown(name)} has {len(text)} characters; only the first {MAX_CELL} were read."
        return joined(
            [Document((), (Remark("too_large", message, where),)), _read_text(name, number, cell, text[:MAX_CELL])]
        )
    return _read_text(name, number, cell, text)


def _read_text(name: str, number: int, cell: dict[str, Any], text: str) -> Document:
    kind = cell.get("cell_type")
    if kind in ("markdown", "heading"):
        if kind == "heading":
            level = cell.get("level")
            text = "#" * (level if isinstance(level, int) and 0 < level < 7 else 1) + " " + text
        return read_markdown(name, text, number)
    if kind == "code" and text.strip():
        where = Place(name, 1, 1, number)
        if magic := re.match(r"\s*%%(latex|markdown)[^\n]*\n", text):
            # A cell that typesets is written text in a code cell's clothes.
            blank = "\n" * magic.group().count("\n")
            return read_markdown(name, blank + text[magic.end() :], number)
        return Document((Line((Run("code", text.strip("\n").rstrip(), where, "plain"),), where),))
    return Document(())


def printable(text: str) -> str:
    """The text without NUL and without halves of surrogate pairs, which no file could hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")
