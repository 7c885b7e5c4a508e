"""A hand-in's code as a list of cells, whatever state the file is in.  Metadata and old outputs are never believed."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any

from grader.execution.frames import too_deep
from grader.execution.limits import MAX_CELL_BYTES, MAX_CELLS, MAX_JSON_DEPTH, MAX_SOURCE_BYTES

_MAGIC = re.compile(r"^\s*[%!?].*$", re.MULTILINE)
_IMPORT = re.compile(r"^\s*(?:import|from)\s+([A-Za-z_]\w*)", re.MULTILINE)


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


def imports_of(code: Code) -> frozenset[str]:
    """Top-level names the cells import, as far as reading can tell; no cell runs for it."""
    names: set[str] = set()
    for cell in code.cells:
        if not cell.code:
            continue
        try:
            tree = ast.parse(_MAGIC.sub("pass", cell.text))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            names |= set(_IMPORT.findall(cell.text))
            continue
        names |= _imports_in(tree)
    return frozenset(names)


def _imports_in(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                names.add(node.args[0].value.partition(".")[0])
    return names


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
