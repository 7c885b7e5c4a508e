"""JSON messages over a stream socket: four bytes of length, then UTF-8 JSON.  Both ends use it; only one end trusts."""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING, Any

from grader.execution.limits import MAX_FRAME_BYTES, MAX_JSON_DEPTH

if TYPE_CHECKING:
    import asyncio  # slow to load, and a written hand-in needs none of it

_LENGTH = struct.Struct(">I")


class BadFrame(ValueError):
    """Bytes that are not one bounded JSON object."""


def encode(message: dict[str, Any]) -> bytes:
    """Bytes of one frame; characters outside ASCII are escaped, so that lone surrogates travel too."""
    body = json.dumps(message, default=str, separators=(",", ":")).encode("ascii")
    return _LENGTH.pack(len(body)) + body


def decode(body: bytes) -> dict[str, Any]:
    """The object in a frame's body.  Raises BadFrame, also for nesting deeper than MAX_JSON_DEPTH."""
    if too_deep(body):
        raise BadFrame("the message is nested too deeply")
    try:
        message = json.loads(body, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise BadFrame("the message is not JSON") from error
    if not isinstance(message, dict):
        raise BadFrame("the message is not an object")
    return message


def too_deep(body: bytes, limit: int = MAX_JSON_DEPTH) -> bool:
    """Whether brackets nest deeper than `limit`, counting those inside strings only where that can matter."""
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    depth, inside, escaped = 0, False, False
    for byte in body:
        if inside:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                inside = False
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif byte in b"]}":
            depth -= 1
    return False


def receive(channel: socket.socket) -> dict[str, Any] | None:
    """The next message, waiting for it; None at the end.  For the kernel's side, whose peer is the grader."""
    header = _exactly(channel, _LENGTH.size)
    if header is None:
        return None
    body = _exactly(channel, _LENGTH.unpack(header)[0])
    return None if body is None else decode(body)


async def read(stream: asyncio.StreamReader, limit: int = MAX_FRAME_BYTES) -> tuple[dict[str, Any], int] | None:
    """The next message and its size; None at the end.  Raises BadFrame for what breaks the limit or is no object."""
    try:
        size = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))[0]
        if size > limit:
            raise BadFrame(f"a message of {size} bytes; at most {limit} are allowed")
        body = await stream.readexactly(size)
    except (EOFError, ConnectionError):
        return None
    return decode(body), size


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    parts = []
    while size:
        part = channel.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
