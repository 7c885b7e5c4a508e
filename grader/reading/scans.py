"""Pictures for a person to look at: image files, and the images that pages of a scanned PDF consist of.

Nothing is drawn: a scan's page is one embedded image, which is taken as it is.  A page made of text and lines has none.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_PICTURES = 20  # of one file
MAX_BYTES = 6 * 2**20  # of all pictures of one file
MAX_SAMPLES = 40 * 10**6  # of one uncompressed image
MEDIA = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}
COMPONENTS = {"/DeviceGray": 1, "/CalGray": 1, "/DeviceRGB": 3, "/CalRGB": 3}
PNG_COLOURS = {1: 0, 3: 2}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture in a form a browser shows.  `page` counts from 1; 0 for an image file."""

    media: str
    data: bytes
    page: int = 0


def pictures(data: bytes) -> tuple[Picture, ...]:
    """The pictures in an image file or a PDF, as many as fit into the limits.  Never raises for what was handed in."""
    media = media_of(data)
    if media:
        return (Picture(media, data),) if len(data) <= MAX_BYTES else ()
    if data.lstrip()[:5] != b"%PDF-":
        return ()
    found: list[Picture] = []
    room = MAX_BYTES
    try:
        for picture in _of_pages(data):
            if len(found) == MAX_PICTURES or len(picture.data) > room:
                break
            room -= len(picture.data)
            found.append(picture)
    except Exception:  # noqa: BLE001 - a hostile file may raise anything inside the PDF library
        return tuple(found)
    return tuple(found)


def media_of(data: bytes) -> str:
    """The media type by the first bytes, of those that browsers show; "" for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media for start, media in MEDIA.items() if data.startswith(start)), "")


def _of_pages(data: bytes) -> Iterator[Picture]:
    import logging

    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it logs every flaw of a broken file
    reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
    for number, page in enumerate(reader.pages, start=1):
        objects = page.get("/Resources", {}).get("/XObject", {})
        for name in objects:
            image = objects[name].get_object()
            if image.get("/Subtype") == "/Image":
                shown = _shown(image)
                if shown:
                    yield Picture(media_of(shown), shown, number)


def _shown(image: Any) -> bytes:
    """An image of a PDF as JPEG or PNG; nothing where it is in another form."""
    width, height, bits = int(image["/Width"]), int(image["/Height"]), int(image.get("/BitsPerComponent", 8))
    if width < 1 or height < 1 or width * height > MAX_SAMPLES:
        return b""
    content = bytes(image.get_data())
    if media_of(content):
        return content
    components = _components(image.get("/ColorSpace"))
    line = (width * components * bits + 7) // 8
    if components not in PNG_COLOURS or bits not in (1, 8) or (bits == 1 and components != 1):
        return b""
    if len(content) < line * height:
        return b""
    rows = b"".join(b"\0" + content[at : at + line] for at in range(0, line * height, line))
    head = struct.pack(">IIBBBBB", width, height, bits, PNG_COLOURS[components], 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, part) for kind, part in parts)


def _components(space: Any) -> int:
    """How many numbers a colour has; 0 where that is not plain grey or RGB."""
    space = space.get_object() if hasattr(space, "get_object") else space
    if isinstance(space, list) and len(space) > 1 and space[0] == "/ICCBased":
        return int(space[1].get_object().get("/N", 0))
    name = space[0] if isinstance(space, list) and space else space
    return COMPONENTS.get(str(name), 0)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
