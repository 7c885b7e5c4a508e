"""What the kernel prints and publishes, inside: one pipe for all channels, streams that keep their size.

These stand in for ipykernel's sockets.  Text is collected per stream and sent when something else is published, when
the cell ends, or after a while, which gives the same outputs as a stock kernel without its waiting.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.session import Session, extract_header

Post = Callable[[dict[str, Any]], None]
FLUSH_SECONDS = 0.2
FLUSH_CHARACTERS = 8192
IOPUB = "iopub"


class PipeSession(Session):  # type: ignore[misc]
    """A Jupyter session that posts its messages as plain objects instead of signing and sending frames."""

    post: Post

    def send(  # the signature ipykernel calls
        self,
        stream: Any,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,
        header: Any = None,
        metadata: Any = None,
    ) -> Any:
        if isinstance(msg_or_type, dict):
            msg = msg_or_type
        else:
            msg = self.msg(msg_or_type, content=content, parent=parent, header=header, metadata=metadata)
        self.post(
            {
                "channel": IOPUB if stream is IOPUB else "shell",
                "type": msg["header"]["msg_type"],
                "parent": (msg.get("parent_header") or {}).get("msg_id", ""),
                "content": msg["content"],
            }
        )
        return msg

    def feed_identities(self, msg_list: Any, copy: bool = True) -> Any:
        return [], msg_list

    def deserialize(self, msg_list: Any, content: bool = True, copy: bool = True) -> Any:
        return msg_list


class PipeStream(io.TextIOBase):
    """sys.stdout or sys.stderr of a cell.  Text beyond `limit` characters per cell is dropped, and said to be."""

    def __init__(self, name: str, session: PipeSession, limit: int) -> None:
        self.name = name
        self.session = session
        self.limit = limit
        self.parent_header: dict[str, Any] = {}
        self.muted = False
        self._parts: list[str] = []
        self._held = 0
        self._written = 0
        self._sent_at = time.monotonic()

    encoding = "UTF-8"
    errors = None

    def set_parent(self, parent: dict[str, Any]) -> None:
        self.flush()
        self.parent_header = extract_header(parent)
        self._written = 0

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if self.muted:
            return len(text)
        room = self.limit - self._written
        if room >= 0:
            kept = text if len(text) <= room else text[:room] + f"\n… more than {self.limit} characters, dropped\n"
            self._parts.append(kept)
            self._held += len(kept)
            if self._held > FLUSH_CHARACTERS or time.monotonic() - self._sent_at > FLUSH_SECONDS:
                self.flush()
        self._written += len(text)
        return len(text)

    def flush(self) -> None:
        if self._parts:
            text = "".join(self._parts)
            self._parts.clear()
            self._held = 0
            content = {"name": self.name, "text": text}
            self.session.send(IOPUB, "stream", content, parent=self.parent_header)
        self._sent_at = time.monotonic()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return 1 if self.name == "stdout" else 2


class DescriptorCapture:
    """What compiled code writes to descriptors 1 and 2, past Python's streams: a file without a name."""

    def __init__(self, directory: str) -> None:
        self.descriptors: dict[str, int] = {}
        for number, name in ((1, "stdout"), (2, "stderr")):
            file = _unnamed_file(directory)
            os.dup2(file, number)
            os.close(file)
            self.descriptors[name] = number

    def drain(self, stream: PipeStream) -> None:
        descriptor = self.descriptors[stream.name]
        try:
            size = os.fstat(descriptor).st_size
            if size:
                stream.write(os.pread(descriptor, min(size, stream.limit + 1), 0).decode(errors="replace"))
                os.ftruncate(descriptor, 0)
        except OSError:  # a cell closed or replaced the descriptor: nothing to show
            return


def _unnamed_file(directory: str) -> int:
    flags = os.O_RDWR | os.O_APPEND
    try:
        return os.open(directory, os.O_TMPFILE | flags, 0o600)
    except (OSError, AttributeError):  # a file system without unnamed files
        name = f"{directory}/.capture"
        file = os.open(name, os.O_CREAT | os.O_EXCL | flags, 0o600)
        Path(name).unlink()
        return file
