"""Matrix and cases environments: cells between `&`, rows between `\\\\`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.notation.commands import CASES
from grader.notation.groups import is_decimal_comma, place, read_links, read_over
from grader.notation.lexicon import OTHERWISE
from grader.notation.syntax import Syntax, nothing

if TYPE_CHECKING:
    from grader.notation.parser import Parser

_CELL_ENDS = frozenset(("&", "row", "env_close", "end"))


def read_environment(p: Parser) -> Syntax:
    opening = p.take()
    p.descend()
    saved, bars = p.row_list, p.bars
    p.row_list, p.bars = False, []
    is_cases = opening.text in CASES
    rows: list[list[Syntax]] = [[]]
    while True:
        rows[-1].append(_read_condition(p) if is_cases and rows[-1] else _read_cell(p))
        kind = p.peek()
        if kind == "&":
            p.take()
        elif kind == "row":
            p.take()
            rows.append([])
        elif kind == "env_close":
            break
        elif kind == "end":
            raise p.fail(
                f"`\\begin{{{opening.text}}}` has no `\\end{{{opening.text}}}`.",
                token=place(opening.start, opening.end - opening.start),
            )
        else:
            raise p.unexpected()
    closing = p.take()
    if closing.text.rstrip("*") != opening.text.rstrip("*"):
        raise p.fail(f"`\\end{{{closing.text}}}` closes `\\begin{{{opening.text}}}`.", token=closing)
    p.depth -= 1
    p.row_list, p.bars = saved, bars
    if len(rows) > 1 and all(cell.kind == "nothing" for cell in rows[-1]):
        rows.pop()
    if is_cases:
        return _cases(p, rows, opening.start, closing.end)
    width = max(len(row) for row in rows)
    cells = tuple(cell for row in rows for cell in [*row, *[nothing(closing.start)] * (width - len(row))])
    if all(cell.kind == "nothing" for cell in cells):
        raise p.fail("This matrix is empty.", token=place(opening.start, closing.end - opening.start))
    name = opening.text.rstrip("*")
    grid = Syntax("grid", opening.start, closing.end, cells, name, None, (str(width),))
    return Syntax("norm", grid.start, grid.end, (grid,)) if name == "Vmatrix" else grid


def _read_cell(p: Parser) -> Syntax:
    if p.peek() in _CELL_ENDS:
        return nothing(p.token.start)
    first = p.i
    cell = _read_members(p)
    if p.peek() == "," and is_decimal_comma(p, p.i):
        p.kinds[p.i] = "comma"
        p.remark("commas between digits were read as decimal commas")
        p.i = first
        cell = _read_members(p)
    while p.peek() in (",", "stop", ";", "colon"):
        p.take()
    return cell


def _read_members(p: Parser) -> Syntax:
    cell = read_over(p, p.sum())
    return read_links(p, cell) if p.peek() == "rel" else cell


def _read_condition(p: Parser) -> Syntax:
    """The right-hand column of cases: a relation, or `otherwise`."""
    start = p.token.start
    parts: list[Syntax] = []
    otherwise = False
    while p.peek() not in _CELL_ENDS:
        kind = p.peek()
        if kind == "text":
            otherwise |= p.take().text.strip(" .,").lower().split(" ")[0] in OTHERWISE
        elif kind in (",", "stop", "sep", ";", "colon"):
            p.take()
        else:
            parts.append(_read_members(p))
    if len(parts) == 1 and not otherwise:
        return parts[0]
    if parts and not otherwise:
        return Syntax("tuple", start, p.last_end(), tuple(parts))
    return Syntax("otherwise", start, max(start, p.last_end()))


def _cases(p: Parser, rows: list[list[Syntax]], start: int, end: int) -> Syntax:
    args: list[Syntax] = []
    for row in rows:
        cells = [cell for cell in row if cell.kind != "nothing"]
        if not cells:
            continue
        condition = cells[1] if len(cells) > 1 else Syntax("otherwise", cells[0].end, cells[0].end)
        args += [cells[0], condition]
    if not args:
        raise p.fail("These cases are empty.", token=place(start, end - start))
    return Syntax("cases", start, end, tuple(args))
