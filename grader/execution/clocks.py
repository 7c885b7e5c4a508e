"""How much of its time student code has used: processor seconds, with a wall-clock fuse behind them.

A kernel on a busy machine gets few of the seconds that pass; those it did not get are not held against it.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from dataclasses import dataclass, replace

from grader.execution.limits import FUSE_FACTOR

_CREDENTIALS = struct.Struct("3i")  # process, user, group: `struct ucred`


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment: seconds of the monotonic clock, of the kernel's processor clock, and spent ready but not running."""

    wall: float
    processor: float = 0.0
    queued: float = 0.0


def charge(wall: float, processor: float | None, queued: float = 0.0) -> float:
    """Seconds charged for `wall` seconds, `processor` of them used (None: not known), `queued` of them not granted.

    Never more than have passed (threads may use several at a time); never less than a FUSE_FACTOR-th of those it spent
    neither running nor waiting for a processor, so that whatever sleeps also ends.
    """
    return wall if processor is None else min(wall, max(processor, (wall - queued) / FUSE_FACTOR))


class Clock:
    """The clocks of one kernel.  They are read by process number, which nothing in it can change.

    `pid` None: the system attests it with the first message over `lease`.
    """

    def __init__(self, pid: int | None, lease: socket.socket) -> None:
        self._pid = pid
        self._lease = lease
        self._queue: int | None = None  # descriptor of the scheduler's account, if there is one
        self._last: Mark | None = None  # the clocks cannot be read when the kernel is gone
        if pid is not None:
            self._open_queue(pid)

    def close(self) -> None:
        """No more readings."""
        if self._queue is not None:
            os.close(self._queue)
            self._queue = None

    def mark(self) -> Mark:
        """This moment, to be handed to `spent` later."""
        return self._read() or Mark(time.monotonic())

    def spent(self, since: Mark) -> float:
        """Seconds charged since that moment."""
        now = self._read()
        if now is None:
            return charge(time.monotonic() - since.wall, None)
        return charge(now.wall - since.wall, now.processor - since.processor, now.queued - since.queued)

    def _read(self) -> Mark | None:
        if sys.platform == "linux" and self._pid is None:
            self._pid = attested_sender(self._lease)
            if self._pid is not None:
                self._open_queue(self._pid)
        processor = None if self._pid is None else processor_seconds(self._pid)
        wall = time.monotonic()
        if processor is not None:
            self._last = Mark(wall, processor, self._queued())
        return None if self._last is None else replace(self._last, wall=wall)

    def _open_queue(self, pid: int) -> None:
        try:
            self._queue = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY)
        except OSError:  # not told here: the fuse alone holds
            self._queue = None

    def _queued(self) -> float:
        if self._queue is None:
            return 0.0
        try:
            return int(os.pread(self._queue, 128, 0).split()[1]) / 1e9
        except (OSError, IndexError, ValueError):  # it has just gone
            return 0.0 if self._last is None else self._last.queued


def processor_seconds(pid: int) -> float | None:
    """Processor time of another process, all its threads; None where that cannot be read."""
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)  # the number clock_getcpuclockid(3) makes
    except OSError:
        return None


def expect_attestation(lease: socket.socket) -> None:
    """Have the system name the sender of what comes over this socket, where it can."""
    if sys.platform == "linux":
        lease.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def attested_sender(lease: socket.socket) -> int | None:
    """Process number of who sent the next message, as seen from here; None if there is none yet."""
    if sys.platform != "linux":
        return None
    try:
        _, extra, _, _ = lease.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size), socket.MSG_DONTWAIT)
    except OSError:
        return None
    for level, kind, body in extra:
        if (level, kind, len(body)) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS, _CREDENTIALS.size):
            pid = int(_CREDENTIALS.unpack(body)[0])
            return pid if pid > 0 else None
    return None
