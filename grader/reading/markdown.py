"""Markdown (and plain text) → lines.

Mathematics is found before any markup is looked at, for Markdown's own rules break it: `_` and `*` in a formula are
no emphasis, a line that begins with `=` or `-` is no underlined heading and no list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from grader.model import Place, Remark
from grader.reading.delimiters import Span, spans
from grader.reading.pieces import Document, Line, Run, Source, source
from grader.reading.wording import is_formula, is_graph, notation_of

MATH_LANGUAGES = frozenset({"math", "latex", "tex", "katex"})
_FRONT = re.compile(r"\A---[ \t]*\n(.{0,4000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$")
_PREFIX = re.compile(
    r"(?P<quote>(?:[ \t]{0,3}>[ \t]?)*)(?P<indent>[ \t]*)(?:(?P<hashes>\#{1,6})(?:[ \t]+|(?=[\dA-Z(]))"
    r"|(?P<html><h(?P<level>[1-6])[^>\n]{0,80}>)"
    r"|(?P<marker>[-*+•]|\d{1,2}[.)]|\(?[a-zA-Z]\)|[a-h]\.|\([ivx]{1,4}\))(?=[ \t]|$))?"
    r"[ \t]*(?P<inner>\#{1,6}[ \t]+)?"
)
_COLUMN = re.compile(r"(?:[A-Za-zÄÖÜäöü]{2,12}\.? )?\(?(?:\d{1,2}[ .]?\(?[a-z]?|[a-z])\)?\.?")
_STRONG = re.compile(r"[ \t]*(?:\*\*|__|<b>|<strong>|<u>|\*(?=[^\s*])(?=[^*\n]{1,40}\*(?![\w(])))")
_TAGS = re.compile(
    r"</?(?:b|i|em|strong|u|p|div|span|center|font|h[1-6]|details|summary|sub|sup|br|small)\b[^>\n]{0,100}>"
)

# What Markdown's dialects put beside the words: attributes, footnotes' numbers, highlighting, names of blocks, fences.
_EXTRAS = re.compile(
    r"\{[ \t]*[.#][^{}\n]{0,100}\}|\[\^[^\]\n]{1,40}\]|(?:^|[ \t])\^[\w-]{1,40}[ \t]*$|^[ \t]*:{3,}[^\n]*$"
    r"|==(?=\S)(?![=>])|(?<=\S)==(?=[\s.,;]|$)|^==[ \t]*$|\[![A-Za-z]{1,20}\][+-]?|^\[(?:TOC|toc)\]"
)


@dataclass(slots=True)
class _Page:
    """Lines under construction."""

    source: Source
    lines: list[Line] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    prefix: re.Match[str] | None = None
    start: int = 0
    bold: bool = False
    columns: dict[int, tuple[str, ...]] = field(default_factory=dict)  # by line of a table: what heads its cells
    column: int = 0


def read_markdown(file: str, text: str, cell: int | None = None) -> Document:
    """The lines of a Markdown text; never raises."""
    origin = source(file, text, cell)
    front = _FRONT.match(text) if cell is None else None
    body = " " * 0 + text
    if front:
        body = re.sub(r"[^\n]", " ", text[: front.end()]) + text[front.end() :]
    tables = _table_lines(body)
    page = _Page(origin, columns=_headed_cells(body, tables))
    remarks: list[Remark] = []
    at = 0
    for span in spans(body, "markdown"):
        _add_text(page, body, at, span.start, tables)
        _add_span(page, body, span, remarks)
        at = span.end
    _add_text(page, body, at, len(body), tables)
    _end_line(page)
    return Document(_underlined(page.lines), tuple(remarks), _metadata(front.group(1)) if front else ())


def _metadata(front: str) -> tuple[tuple[str, str], ...]:
    pairs = re.findall(r"^([A-Za-z_]{1,30})[ \t]*:[ \t]*(.{1,200}?)[ \t]*$", front, re.M)
    return tuple((key.lower(), value.strip("\"'")) for key, value in pairs)


def _table_lines(text: str) -> frozenset[int]:
    """Numbers (from 0) of the lines that are rows of a table."""
    rows = text.split("\n")
    found: set[int] = set()
    for number, row in enumerate(rows):
        if not _TABLE_RULE.match(row):
            continue
        found.add(number)
        for step, stop in ((-1, -1), (1, len(rows))):
            at = number + step
            while at != stop and "|" in rows[at] and at not in found:
                found.add(at)
                at += step
    return frozenset(found)


def _headed_cells(text: str, tables: frozenset[int]) -> dict[int, tuple[str, ...]]:
    """The labels above the cells of tables that have a column for each answer ("| 1a | 1b |"); the head itself: ()."""
    found: dict[int, tuple[str, ...]] = {}
    rows = text.split("\n")
    for at in sorted(tables):
        if at == 0 or at - 1 not in tables or not _TABLE_RULE.match(rows[at]):
            continue
        head = tuple(cell.strip(" *_") for cell in rows[at - 1].strip().strip("|").split("|"))
        if len(head) < 2 or not all(_COLUMN.fullmatch(cell) for cell in head):
            continue
        found[at - 1] = found[at] = ()
        below = at + 1
        while below in tables and not _TABLE_RULE.match(rows[below]):
            found[below] = head
            below += 1
    return found


def _add_cells(page: _Page, text: str, start: int, end: int, head: tuple[str, ...]) -> None:
    """A stretch of a table's row, every cell as a line of its own that begins with what heads its column."""
    if start == 0 or text[start - 1] == "\n":
        page.column = -1 if text[start:end].lstrip().startswith("|") else 0
        if head and page.column == 0:
            page.runs.append(Run("text", f"{head[0]}:", page.source.place(start), "plain"))
    for number, piece in enumerate(text[start:end].split("|") if head else ()):
        if number:
            _end_line(page)
            page.column += 1
            if page.column < len(head):
                page.runs.append(Run("text", f"{head[page.column]}:", page.source.place(start), "plain"))
        if piece.strip():
            place = page.source.place(start + len(piece) - len(piece.lstrip()))
            page.runs.append(Run("text", clean(piece).strip(), place, notation_of(piece)))
        start += len(piece) + 1


def _add_text(page: _Page, text: str, start: int, end: int, tables: frozenset[int]) -> None:
    """Running text: every newline ends a line."""
    while start < end:
        newline = text.find("\n", start, end)
        stop = end if newline < 0 else newline
        _add_stretch(page, text, start, stop, tables)
        if newline < 0:
            return
        _end_line(page)
        start = newline + 1


def _add_stretch(page: _Page, text: str, start: int, end: int, tables: frozenset[int]) -> None:
    if start >= end:
        return
    line = page.source.place(start).line - 1
    if line in page.columns:
        _add_cells(page, text, start, end, page.columns[line])
        return
    if line in tables:
        raw = _row(text[start:end]) if start == 0 or text[start - 1] == "\n" else text[start:end].replace("|", " ")
        if _TABLE_RULE.match(text[start:end]):
            return
        text = text[:start] + raw + text[end:] if "|" in text[start:end] else text
    if page.prefix is None and not page.runs:
        at_start = start == 0 or text[start - 1] == "\n"
        page.prefix = _PREFIX.match(text, start, end) if at_start else None
        page.start = start
        if page.prefix:
            start = page.prefix.end()
    piece = text[start:end]
    if not page.runs:
        page.bold = page.bold or bool(_STRONG.match(piece))
    lead = len(piece) - len(piece.lstrip())
    words = clean(piece)
    if words.strip():
        offset = start + lead
        opened = (
            re.match(r"(?:\*\*|__|<[a-z]+>|\*(?=\S))+", piece.lstrip())
            if words.lstrip()[:1] != piece.lstrip()[:1]
            else None
        )
        offset += opened.end() if opened else 0
        page.runs.append(Run("text", words.strip(), page.source.place(offset), notation_of(words)))


def _row(text: str) -> str:
    """A table's row as running text of the same length; its first cell becomes the label of what follows."""
    first = re.match(r"(?:[ \t]*\|)?[^|]{0,40}[^|\s][^|]{0,40}\|(?=[^|]*$|[^|]*\S)", text)
    if first is None:
        return text.replace("|", " ")
    end = first.end() - 1
    return text[:end].replace("|", " ") + ":" + text[end + 1 :].replace("|", " ")


def clean(text: str) -> str:
    """The text without Markdown's markup; a formula typed without delimiters keeps its stars and underscores."""
    text = _TAGS.sub(" ", text)
    text = _EXTRAS.sub(lambda found: " " * len(found.group()), text)
    text = re.sub(r"(?<![\w)\]}*])\*\*|\*\*(?![\w({*\-])", "", text)
    text = re.sub(r"(?<!\w)__(?=\S)|(?<=\S)__(?!\w)", "", text)
    if not is_formula(text):
        text = re.sub(r"(?<![\w)\]*])\*(?=[^\s*])([^*\n]{1,200}?)(?<![\s*])\*(?![\w(*])", r"\1", text)
        text = re.sub(r"(?<![\w\\])_(?=[^\s_])([^_\n]{1,200}?)(?<!\s)_(?!\w)", r"\1", text)
        text = re.sub(r"\[([^\]\n]{1,200})\]\([^()\n]{1,300}\)", r"\1", text)
    text = re.sub(r"\\([#*_`.!()\[\]>+-])", r"\1", text)
    return re.sub(r"[ \t]#+[ \t]*$", "", text)


def _add_span(page: _Page, text: str, span: Span, remarks: list[Remark]) -> None:
    if not page.runs and page.prefix is None:
        page.start = span.start
    inner = text[span.inner : span.inner_end]
    lead = len(inner) - len(inner.lstrip())
    where = page.source.place(span.inner + lead)
    body = inner.strip()
    if span.kind == "image":
        page.runs.append(Run("image", image_target(body), where))
    elif span.kind == "fence":
        add_block(page.runs, inner, span.language, page.source.place(span.inner))
    elif span.kind == "code" and body:
        page.runs.append(Run("formula" if _is_mathematical(body) else "text", body, where, "plain"))
    elif span.kind == "math":
        if not span.closed:
            remarks.append(unclosed(where, text[span.start : span.start + 2]))
        if body:
            if _quotes(page):
                lead += len(inner[lead:]) - len(inner[lead:].lstrip("> \t"))
                where, body = page.source.place(span.inner + lead), _unquoted(inner[lead:]).strip()
            page.runs.append(Run("formula", body, where))


def image_target(text: str) -> str:
    """The file an image names, without its title."""
    return re.sub(r"\s+[\"'].*$", "", text.strip()).strip("<>")


def _quotes(page: _Page) -> bool:
    return bool(page.prefix and page.prefix.group("quote").strip())


def _unquoted(text: str) -> str:
    return re.sub(r"\n[ \t]*>[ \t]?", "\n", text)


def _is_mathematical(code: str) -> bool:
    return is_formula(code) or bool(re.match(r"[\w'()]{1,20}\s*=", code))


def unclosed(where: Place, opening: str) -> Remark:
    """The remark about a formula whose end is missing."""
    message = f"A formula begins here with {opening.strip()} but has no end; it was read up to the end of its line."
    return Remark("unclosed_formula", message, where)


def add_block(runs: list[Run], inner: str, language: str, where: Place) -> None:
    """A fenced or verbatim block as a run: a graph, a formula, or code."""
    body = inner.strip("\n").rstrip()
    if not body.strip():
        return
    skipped = len(inner) - len(inner.lstrip("\n"))
    where = replace(where, line=where.line + skipped, column=where.column if not skipped else 1)
    typed = language in ("", "text", "txt", "plain") and "\n" not in body.strip() and is_formula(body)
    if language in MATH_LANGUAGES or typed:
        runs.append(Run("formula", body.strip(), where, notation_of(body) if typed else "latex"))
    elif is_graph(body, language) or language == "tikzpicture":
        runs.append(Run("graph", body, where, "latex" if language == "tikzpicture" else "plain"))
    elif language != "comment":
        runs.append(Run("code", body, where, "plain"))


def _end_line(page: _Page) -> None:
    prefix = page.prefix
    if page.runs or (prefix and prefix.group("marker")):
        heading = 0
        if prefix:
            heading = len(prefix.group("hashes") or "") or int(prefix.group("level") or 0)
            heading = heading or len((prefix.group("inner") or "").strip())
        where = page.runs[0].where if page.runs else page.source.place(page.start)
        marker = (prefix.group("marker") or "") if prefix else ""
        quoted = bool(prefix and prefix.group("quote").strip())
        depth = len(prefix.group("indent").expandtabs(4)) if prefix else 0
        page.lines.append(Line(tuple(page.runs), where, heading, page.bold, marker, quoted, depth))
    page.runs, page.prefix, page.bold = [], None, False


def _underlined(lines: list[Line]) -> tuple[Line, ...]:
    """Lines underlined with === or --- are headings; other rules are dropped."""
    found: list[Line] = []
    for line in lines:
        rule = line.text
        if len(line.runs) == 1 and re.fullmatch(r"={2,}|-{3,}|\*{3,}|_{3,}", rule) and not line.heading:
            above = found[-1] if found else None
            directly = (
                above is not None and above.where.line == line.where.line - 1 and above.where.cell == line.where.cell
            )
            if (
                directly
                and above
                and rule[0] in "=-"
                and not above.marker
                and all(r.kind == "text" for r in above.runs)
            ):
                found[-1] = replace(above, heading=1 if rule[0] == "=" else 2)
            continue
        found.append(line)
    return tuple(found)
