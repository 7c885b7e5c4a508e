"""A hand-in's code as a list of cells, whatever state the file is in.  Metadata and old outputs are never believed."""

from __future__ import annotations

import io
import itertools
import json
import re
import tokenize
from dataclasses import dataclass
from typing import Any

from grader.execution.frames import too_deep
from grader.execution.limits import MAX_CELL_BYTES, MAX_CELLS, MAX_JSON_DEPTH, MAX_SOURCE_BYTES

_MAGIC = re.compile(r"^\s*[%!?].*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell in the order of the file; only code runs."""

    code: bool
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class NoCode:
    """Why there is nothing to run, in a sentence for the student."""

    reason: str


def read_code(source: bytes | str) -> Code | NoCode:
    """Cells of a notebook (bytes, any nbformat from 3 on) or of a Python module (text).  Never raises."""
    if isinstance(source, str):
        if len(source) > MAX_SOURCE_BYTES:
            return NoCode(f"The file is larger than {MAX_SOURCE_BYTES} bytes.")
        return Code((Cell(True, _clean(source)),))
    if len(source) > MAX_SOURCE_BYTES:
        return NoCode(f"The notebook is larger than {MAX_SOURCE_BYTES} bytes.")
    body = source.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        return NoCode("The file is empty.")
    if too_deep(body, MAX_JSON_DEPTH):
        return NoCode("The notebook is nested too deeply to be one.")
    try:
        document = json.loads(body.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return NoCode("The notebook cannot be read: it is not JSON.  Was it saved completely?")
    return _cells_of(document)


def imports_of(code: Code, names: frozenset[str]) -> frozenset[str]:
    """Which of these top-level names the cells import, as far as reading can tell; no cell runs for it."""
    mentioned = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, names)))})\b")
    found: set[str] = set()
    for cell in code.cells:
        if cell.code and "import" in cell.text and mentioned.search(cell.text):
            found |= _imports_in(_MAGIC.sub("", cell.text))
    return frozenset(found & names)


def _imports_in(text: str) -> set[str]:
    """Read from the tokens: `ast.parse` counts its depth for all threads together and fails when two use it at once."""
    names: set[str] = set()
    line: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in (tokenize.NEWLINE, tokenize.ENDMARKER) or token.string in (";", ":"):
                names |= _imports_of_line(line)
                line = []
            elif token.type in (tokenize.NAME, tokenize.OP, tokenize.STRING):
                line.append(token.string)
    except (tokenize.TokenError, SyntaxError):  # an unfinished cell: what was read before its end counts
        names |= _imports_of_line(line)
    return names


def _imports_of_line(words: list[str]) -> set[str]:
    if words[:1] == ["from"]:
        return {words[1]} if len(words) > 1 else set()
    if words[:1] == ["import"]:
        return {word for before, word in itertools.pairwise(words) if before in ("import", ",")}
    called = zip(words, words[1:], words[2:], strict=False)
    return {
        text.strip("rbuRBU'\"").partition(".")[0]
        for name, bracket, text in called
        if name in ("import_module", "__import__") and bracket == "("
    }


def _cells_of(document: object) -> Code | NoCode:
    if not isinstance(document, dict):
        return NoCode("The file is JSON, but not a notebook.")
    raw = document.get("cells")
    if raw is None and isinstance(document.get("worksheets"), list):  # nbformat 3
        sheets = [sheet for sheet in document["worksheets"] if isinstance(sheet, dict)]
        raw = [cell for sheet in sheets for cell in (sheet.get("cells") or []) if isinstance(sheet.get("cells"), list)]
    if not isinstance(raw, list):
        return NoCode("The file is JSON, but not a notebook: it has no list of cells.")
    if len(raw) > MAX_CELLS:
        return NoCode(f"The notebook has {len(raw)} cells; at most {MAX_CELLS} are run.")
    return Code(tuple(_cell(entry) for entry in raw))


def _cell(entry: Any) -> Cell:
    """A malformed cell is an empty one, so that the numbers of the others stay right."""
    if not isinstance(entry, dict):
        return Cell(False, "")
    text = entry.get("source", entry.get("input", ""))
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    if not isinstance(text, str) or len(text) > MAX_CELL_BYTES:
        return Cell(False, "")
    return Cell(entry.get("cell_type") == "code", _clean(text))


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd").replace("\r\n", "\n")
