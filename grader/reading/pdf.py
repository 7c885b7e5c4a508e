"""PDFs: the source embedded in one is read; its pages' text is not, for it is not mathematics.

Text taken from a PDF loses exponents, fraction bars and matrices ("2^2" becomes "22"), which makes plausible false
statements.  A PDF without its source therefore goes to a person.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.model import Place, Remark
from grader.reading.files import NOTEBOOKS, RECORDS, WRITTEN, File, cap, safe_name, shown

MAX_ATTACHMENTS = 50


@dataclass(frozen=True, slots=True)
class Printed:
    """What a PDF holds: the sources embedded in it, the number of its pages (0: not known), and remarks."""

    sources: tuple[File, ...]
    pages: int
    remarks: tuple[Remark, ...] = ()


def read_pdf(file: File) -> Printed:
    """The sources embedded in a PDF; never raises for what a student handed in."""
    import logging

    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it logs every flaw of a broken file
    where = Place(file.name)
    try:
        reader = pypdf.PdfReader(io.BytesIO(file.data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            message = f"{shown(file.name)} is protected by a password; hand in one without."
            return Printed((), 0, (Remark("protected_pdf", message, where),))
        sources, remarks = _sources(reader, file)
        return Printed(sources, _pages(reader), remarks)
    except Exception as problem:  # noqa: BLE001 - a hostile file may raise anything inside the PDF library
        message = f"{shown(file.name)} is not a readable PDF ({type(problem).__name__}); export it again."
        return Printed((), 0, (Remark("corrupt_pdf", message, where),))


def _pages(reader: object) -> int:
    try:
        return len(reader.pages)  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - the page tree may be broken where attachments are not
        return 0


def _sources(reader: object, file: File) -> tuple[tuple[File, ...], tuple[Remark, ...]]:
    found: list[File] = []
    remarks: list[Remark] = []
    for count, attachment in enumerate(reader.attachment_list):  # type: ignore[attr-defined]
        if count >= MAX_ATTACHMENTS:
            remarks.append(
                Remark(
                    "too_many_files",
                    f"Only {MAX_ATTACHMENTS} attachments of {shown(file.name)} were read.",
                    Place(file.name),
                )
            )
            break
        name = PurePosixPath(safe_name(str(attachment.name)).replace("\\", "/")).name
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in WRITTEN + RECORDS + NOTEBOOKS:
            continue
        data = bytes(attachment.content or b"")
        if len(data) > cap(suffix):
            message = f"{shown(name)} inside {shown(file.name)} is too large and was not read."
            remarks.append(Remark("too_large", message, Place(file.name)))
            continue
        found.append(File(name, data))
    return tuple(found), tuple(remarks)


def for_a_person(file: File, printed: Printed) -> Remark:
    """The remark about a PDF that nobody but a person can mark."""
    pages = (
        f"{printed.pages} page{'s' if printed.pages != 1 else ''}" if printed.pages else "an unknown number of pages"
    )
    message = (
        f"{shown(file.name)} ({pages}) has no embedded source, so a person marks it: mathematics is not read from the"
        " text of a PDF. Embed the source with `grader pack`, or hand the source in beside it."
    )
    return Remark("pdf_for_person", message, Place(file.name))
