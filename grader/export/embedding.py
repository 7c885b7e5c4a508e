"""The source of an answer embedded in its PDF, so that the PDF alone can be graded."""

from __future__ import annotations

import io

MAX_BYTES = 256 * 2**20


class NotEmbedded(ValueError):
    """The PDF can't carry the source; the message says why."""


def embed(pdf: bytes, name: str, source: bytes) -> bytes:
    """The PDF with the source as an attachment; reading it back gives the same bytes.  Errors: NotEmbedded."""
    import logging

    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    if len(pdf) > MAX_BYTES:
        raise NotEmbedded(f"the PDF is larger than {MAX_BYTES // 2**20} MB")
    try:
        reader = pypdf.PdfReader(io.BytesIO(pdf), strict=False)
        if reader.is_encrypted:
            raise NotEmbedded("the PDF is protected; print it to a new one first")
        writer = pypdf.PdfWriter(clone_from=reader)
        for old in list(writer.attachment_list):
            if old.name == name:
                old.delete()  # packed again after a change: the new source replaces the old
        writer.add_attachment(name, source)
        out = io.BytesIO()
        writer.write(out)
    except NotEmbedded:
        raise
    except Exception as problem:  # the library raises whatever a broken file makes it raise
        raise NotEmbedded(f"the PDF can't be read ({type(problem).__name__}); export it again") from problem
    found = embedded(out.getvalue(), name)
    if found != source:
        raise NotEmbedded("the source did not come back unchanged from the PDF")
    return out.getvalue()


def embedded(pdf: bytes, name: str) -> bytes | None:
    """The bytes of the attachment of that name, or None."""
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(pdf), strict=False)
    for attachment in reader.attachment_list:
        if attachment.name == name:
            return bytes(attachment.content)
    return None
