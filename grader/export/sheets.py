"""CSV files of other programs: read into cells that know where they stand, so that all other bytes stay as they are."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from grader.export.grades import WrongSheet

MAX_BYTES = 64 * 2**20
DELIMITERS = ",;\t"
BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's value, and the stretch text[start:end] it stands in, quotes included."""

    value: str
    start: int
    end: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV file: its text, how it was encoded, and its cells by rows."""

    text: str
    bom: bytes
    encoding: str
    delimiter: str
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(cell.value.strip() for cell in self.rows[0]) if self.rows else ()

    def value(self, row: tuple[Cell, ...], column: int | None) -> str:
        """The row's value in a column, "" where the row is too short or there is no such column."""
        return row[column].value.strip() if column is not None and column < len(row) else ""


def read_sheet(data: bytes) -> Sheet:
    """The cells of a CSV file.  Errors: WrongSheet."""
    if len(data) > MAX_BYTES:
        raise WrongSheet(f"the file is larger than {MAX_BYTES // 2**20} MB")
    if data.startswith(b"PK\x03\x04"):
        raise WrongSheet("this is a spreadsheet, not a CSV file; save it as CSV first")
    bom, encoding = next(((mark, name) for mark, name in BOMS if data.startswith(mark)), (b"", "utf-8"))
    body = data[len(bom) :]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        if bom:
            raise WrongSheet(f"the file says it is {encoding} but is not") from None
        encoding = "latin-1"  # every byte has a meaning and comes back as itself
        text = body.decode(encoding)
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=lambda sign: (first.count(sign), -DELIMITERS.index(sign)))
    sheet = Sheet(text, bom, encoding, delimiter, _rows(text, delimiter))
    if not sheet.rows or len(sheet.rows[0]) < 2:
        raise WrongSheet("the file has no table; it should be the CSV file as the platform wrote it")
    return sheet


def _rows(text: str, delimiter: str) -> tuple[tuple[Cell, ...], ...]:
    rows: list[tuple[Cell, ...]] = []
    row: list[Cell] = []
    at, end = 0, len(text)
    while at < end or row:
        cell = _cell(text, at, delimiter)
        row.append(cell)
        at = cell.end
        if at < end and text[at] == delimiter:
            at += 1
            if at == end:
                row.append(Cell("", at, at, False))
                rows.append(tuple(row))
                row = []
            continue
        if any(one.value for one in row) or len(row) > 1:
            rows.append(tuple(row))
        row = []
        if text.startswith("\r\n", at):
            at += 2
        elif at < end:
            at += 1
    return tuple(rows)


def _cell(text: str, at: int, delimiter: str) -> Cell:
    if text.startswith('"', at):
        found: list[str] = []
        start, scan = at, at + 1
        while True:
            quote = text.find('"', scan)
            if quote < 0:
                return Cell("".join(found) + text[scan:], start, len(text), True)
            found.append(text[scan:quote])
            if text.startswith('""', quote):
                found.append('"')
                scan = quote + 2
                continue
            stop = _stop(text, quote + 1, delimiter)
            return Cell("".join(found) + text[quote + 1 : stop], start, stop, True)
    stop = _stop(text, at, delimiter)
    return Cell(text[at:stop], at, stop, False)


def _stop(text: str, at: int, delimiter: str) -> int:
    """The offset of the next delimiter or line end."""
    ends = [hit for sign in (delimiter, "\n", "\r") if (hit := text.find(sign, at, at + 200_000)) >= 0]
    return min(ends) if ends else len(text)


def write_sheet(sheet: Sheet, changes: dict[Cell, str]) -> bytes:
    """The file's bytes with new values in some cells; a value is quoted where the cell was or where it must be."""
    parts: list[str] = []
    at = 0
    for cell in sorted(changes, key=lambda one: one.start):
        value = changes[cell]
        must = any(sign in value for sign in (sheet.delimiter, '"', "\n", "\r"))
        parts += [sheet.text[at : cell.start], '"' + value.replace('"', '""') + '"' if cell.quoted or must else value]
        at = cell.end
    return sheet.bom + "".join([*parts, sheet.text[at:]]).encode(sheet.encoding, "replace")
