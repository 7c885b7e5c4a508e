"""Lists in records that are vectors and matrices: `gradient = [2, 1, 3]`, `J = [['2', '0'], ['0', '-1']]`."""

from __future__ import annotations

import re
from typing import Any

from grader.reading.wording import prose_words

_JOINS = re.compile(r"=|->|→|--|←|<-|:|;|\n|\$|`|\\(?:to|rightarrow|gets|leftarrow)\b")
_NAME = re.compile(r"\s*[A-Za-z]\w*\s*")


def is_array(data: list[Any]) -> bool:
    """Is a list a vector or matrix?  Lists of edges, assignments, and sentences are not, nor are pairs of names."""
    if data and all(isinstance(row, list) for row in data):
        width = len(data[0])
        pairs = width == 2 and all(isinstance(one, str) and _NAME.fullmatch(one) for row in data for one in row)
        return width > 0 and not pairs and all(len(row) == width and all(map(_is_entry, row)) for row in data)
    return len(data) > 1 and all(map(_is_entry, data))


def _is_entry(one: Any) -> bool:
    if isinstance(one, str):
        return bool(one.strip()) and not _JOINS.search(one) and not prose_words(one)
    return isinstance(one, int | float) and not isinstance(one, bool)


def array_text(data: list[Any]) -> str:
    """The list as a student would type it: plain, or as a LaTeX matrix where an entry is LaTeX."""
    rows = [row if isinstance(row, list) else [row] for row in data]
    cells = [[str(one).strip() for one in row] for row in rows]
    if any("\\" in one for row in cells for one in row):
        return "\\begin{bmatrix} " + r" \\ ".join(" & ".join(row) for row in cells) + r" \end{bmatrix}"
    if all(isinstance(row, list) for row in data):
        return "[" + ", ".join("[" + ", ".join(row) + "]" for row in cells) + "]"
    return "[" + ", ".join(row[0] for row in cells) + "]"
