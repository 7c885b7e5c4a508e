"""Cell outputs made harmless: plain text and PNG or JPEG images.  Markup and scripts of students reach no browser."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from grader.execution.probes import clean_text

MAX_OUTPUT_TEXT = 64 * 1024
MAX_IMAGE_BYTES = 4 * 1024 * 1024
_SIGNATURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-Z\\-_]")


def sanitise(output: Mapping[str, Any]) -> dict[str, Any]:
    """The output as nbformat data that holds nothing but plain text and checked images.  Takes any mapping."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": plain(output.get("text"))}
    if kind == "error":
        lines = output.get("traceback")
        return {
            "output_type": "error",
            "ename": plain(output.get("ename")),
            "evalue": plain(output.get("evalue")),
            "traceback": [plain(line) for line in lines] if isinstance(lines, list) else [],
        }
    data = output.get("data")
    shown = _bundle(data if isinstance(data, Mapping) else {})
    if kind == "execute_result":
        count = output.get("execution_count")
        count = count if type(count) is int else None
        return {"output_type": "execute_result", "data": shown, "metadata": {}, "execution_count": count}
    return {"output_type": "display_data", "data": shown, "metadata": {}}


def plain(value: object, limit: int = MAX_OUTPUT_TEXT) -> str:
    """Text without terminal colours and control characters, bounded.  Still text, not HTML: exporters escape."""
    text = "".join(part for part in value if isinstance(part, str)) if isinstance(value, list) else value
    return clean_text(_TERMINAL.sub("", text), limit) if isinstance(text, str) else ""


def _bundle(data: Mapping[Any, Any]) -> dict[str, str]:
    shown = {mime: image for mime in _SIGNATURES if (image := _image(mime, data.get(mime))) is not None}
    text = plain(data.get("text/plain"))
    if text or not shown:
        shown["text/plain"] = text or _what_was_left_out(data)
    return shown


def _image(mime: str, value: object) -> str | None:
    """Base64 of an image whose bytes begin as its type says; None for anything else."""
    if not isinstance(value, str) or len(value) > MAX_IMAGE_BYTES * 4 // 3 + 8:
        return None
    try:
        raw = base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return base64.b64encode(raw).decode("ascii") if raw.startswith(_SIGNATURES[mime]) else None


def _what_was_left_out(data: Mapping[Any, Any]) -> str:
    names = ", ".join(sorted(plain(name, 40) for name in data if isinstance(name, str)))
    return f"[output not shown: {names}]" if names else ""
