"""A notebook without its solutions: regions stripped, outputs cleared, what only the instructor needs removed."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

# The marks in use in the field; a region runs from a BEGIN line to the END line of the same kind.
BEGIN = re.compile(
    r"^(?P<indent>[ \t]*)#{1,4}[ \t]*(?:<solution>|BEGIN[ _](?:SOLUTION|HIDDEN[ _]TESTS?|PROMPT)\b)", re.I
)
END = re.compile(r"^[ \t]*#{1,4}[ \t]*(?:</solution>|END[ _](?:SOLUTION|HIDDEN[ _]TESTS?|PROMPT)\b)", re.I)
HIDDEN = re.compile(r"HIDDEN[ _]TESTS?", re.I)
SOLUTION_LINE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<code>.*?\S.*?)[ \t]*#[ \t]*SOLUTION(?P<none>[ \t]+NO[ \t]+PROMPT)?[ \t]*$", re.I
)
ASSIGNMENT = re.compile(r"^(?P<name>[A-Za-z_][\w.]*(?:[ \t]*,[ \t]*[A-Za-z_][\w.]*)*)[ \t]*=(?!=)")
REMOVED_TAGS = {"solution", "instructor", "instructor-only", "hide-from-students"}
# Inside a function the placeholder says so when it is called; at the top level it must not stop the notebook.
INNER_PLACEHOLDER = "raise NotImplementedError  # TODO"
OUTER_PLACEHOLDER = "pass  # TODO"
KEPT_METADATA = ("kernelspec", "language_info", "problem")


class UnclosedRegion(ValueError):
    """A solution region that never ends: handing it out would give the rest of the cell away."""


def student_version(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook as students get it.  The argument is nbformat-4 data and is not changed.

    Raises UnclosedRegion if a solution region has no end, or ends without a beginning.
    """
    stripped = deepcopy(notebook)
    stripped["metadata"] = {key: value for key, value in notebook.get("metadata", {}).items() if key in KEPT_METADATA}
    stripped["cells"] = [
        _cell_for_students(cell, index)
        for index, cell in enumerate(stripped.get("cells", []))
        if not REMOVED_TAGS & set(cell.get("metadata", {}).get("tags", []))
    ]
    return stripped


def notebook_of(program: str, title: str) -> dict[str, Any]:
    """A program's text as a notebook with one cell of code."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    code: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "program",
        "metadata": {},
        "outputs": [],
    }
    return {
        "cells": [
            {"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"# {title}"},
            {**code, "source": program.rstrip("\n")},
        ],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def strip_solutions(source: str, where: str = "") -> str:
    """Source code with every solution region replaced by a placeholder at the region's own indentation."""
    kept: list[str] = []
    opened = ""
    for number, line in enumerate(source.split("\n"), start=1):
        begin = BEGIN.match(line)
        if opened:
            if begin:
                raise UnclosedRegion(f"{where}line {number}: a solution region begins inside another one")
            if END.match(line):
                opened = ""
            continue
        if END.match(line):
            raise UnclosedRegion(f"{where}line {number}: a solution region ends that has not begun")
        if begin:
            opened = f"line {number}"
            if not HIDDEN.search(line):
                kept.append(_placeholder(begin["indent"]))
            continue
        kept.extend(_strip_line(line))
    if opened:
        raise UnclosedRegion(f"{where}{opened}: this solution region has no end; write `### END SOLUTION`")
    return "\n".join(kept)


def _strip_line(line: str) -> list[str]:
    """A line marked `# SOLUTION`: an assignment keeps its name, anything else becomes a placeholder."""
    marked = SOLUTION_LINE.match(line)
    if marked is None:
        return [line]
    if marked["none"]:
        return []
    assigned = ASSIGNMENT.match(marked["code"])
    return [f"{marked['indent']}{assigned['name']} = ...  # TODO" if assigned else _placeholder(marked["indent"])]


def _placeholder(indent: str) -> str:
    return indent + (INNER_PLACEHOLDER if indent else OUTER_PLACEHOLDER)


def _cell_for_students(cell: dict[str, Any], index: int) -> dict[str, Any]:
    source = cell.get("source", "")
    text = "".join(source) if isinstance(source, list) else source
    cell["metadata"] = {}
    if cell.get("cell_type") == "code":
        cell["outputs"] = []
        cell["execution_count"] = None
        text = strip_solutions(text, f"cell {index + 1}, ")
    cell["source"] = text
    return cell
