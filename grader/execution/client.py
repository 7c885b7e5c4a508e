"""nbclient's kernel manager and client over our pipe.  Every message from the kernel is checked here, first of all."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sys
import uuid
from collections.abc import Sequence
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode, from_dict

from grader.execution import frames, messages
from grader.execution.clocks import Clock, Mark
from grader.execution.hatchery import ZYGOTE_GONE, Hatched
from grader.execution.limits import INTERRUPT_GRACE_SECONDS, MAX_CELL_MESSAGES, SHORTEST_WAIT_SECONDS, Limits
from grader.model import Json

LANGUAGE = {
    "name": "python",
    "version": sys.version.split()[0],
    "mimetype": "text/x-python",
    "codemirror_mode": {"name": "ipython", "version": sys.version_info[0]},
    "pygments_lexer": "ipython3",
    "nbconvert_exporter": "python",
    "file_extension": ".py",
}


class CellClient(NotebookClient):  # type: ignore[misc]
    """nbclient without its once-a-second look whether the kernel lives: our channel says so at once."""

    async def _async_poll_kernel_alive(self) -> None:
        await self.km.dead.wait()

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode:
        """Append a message's output.  nbclient would check it against the notebook schema; it has been checked."""
        if self.clear_before_next_output:  # type: ignore[has-type]
            outs[:] = []
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output = False
        if display_id:
            self._display_id_map.setdefault(display_id, {}).setdefault(cell_index, []).append(len(outs))
        content = {key: value for key, value in msg["content"].items() if key != "transient"}
        out: NotebookNode = from_dict({"output_type": msg["msg_type"], **content})
        outs.append(out)
        return out


class Channel:
    """A queue of messages with the one method nbclient uses."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message.  Raises queue.Empty after `timeout` seconds, DeadKernelError when there will be none."""
        try:
            message = await (self.queue.get() if timeout is None else asyncio.wait_for(self.queue.get(), timeout))
        except TimeoutError:
            raise queue.Empty from None
        if message is None:
            self.queue.put_nowait(None)
            raise DeadKernelError("Kernel died")
        return message


class Kernel:
    """A forked kernel as nbclient's manager and client in one, and the probes' channel.

    `reason` says why it ended: "" while it lives, then a note such as `cell.timeout`.
    """

    ipykernel = False
    kernel_id = "sandbox"

    def __init__(self, hatched: Hatched, limits: Limits) -> None:
        self.hatched = hatched
        self.limits = limits
        self.has_kernel = True
        self.allow_stdin = False
        self.shell_channel = Channel()
        self.iopub_channel = Channel()
        self.probes: asyncio.Queue[tuple[int, Json] | None] = asyncio.Queue()
        self.reason = ""
        self.detail = ""
        self.dead = asyncio.Event()
        self.interrupted = False
        self.clock = Clock(hatched.pid, hatched.lease)
        self.cells_seconds = float("inf")  # charged seconds that all cells may use, from `cells_since` on
        self.cells_since = self.clock.mark()
        self._received = 0
        self._messages = 0
        self.asking = False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._current = ""
        self._gone: asyncio.Future[int] = asyncio.wrap_future(hatched.gone)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def starts_slowly(self) -> bool:
        """A process of its own, which has still to import everything."""
        return self.hatched.pid is not None

    async def open(self) -> None:
        reader, self._writer = await asyncio.open_connection(sock=self.hatched.channel)
        self._tasks = [asyncio.create_task(self._pump(reader)), asyncio.create_task(self._await_end())]

    # What nbclient calls as kernel manager and client.

    def client(self) -> Kernel:
        return self

    def start_channels(self) -> None:
        return

    def stop_channels(self) -> None:
        return

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        return

    async def is_alive(self) -> bool:
        return not self.dead.is_set()

    def kernel_info(self) -> str:
        """Answered here: what the kernel would say of itself is of no interest, and cannot be lied about."""
        reply = messages.message("kernel_info_reply", {"status": "ok", "language_info": LANGUAGE}, "info")
        self.shell_channel.queue.put_nowait(reply)
        return "info"

    def execute(self, code: str, store_history: bool = True, stop_on_error: bool = True, **_: object) -> str:
        self._current = uuid.uuid4().hex
        self._messages = 0
        self.interrupted = False
        self._set_timer(min(self.limits.cell_seconds, self.cells_left()), "cell.timeout")
        content = {
            **{"code": code, "silent": False, "store_history": store_history, "stop_on_error": stop_on_error},
            **{"user_expressions": {}, "allow_stdin": False},
        }
        header = {"msg_id": self._current, "msg_type": "execute_request", "session": "grader", "username": "grader"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": []}
        self.send({"channel": "shell", "message": {**message, "msg_id": self._current, "msg_type": "execute_request"}})
        return self._current

    def cells_left(self) -> float:
        """Charged seconds that are left for the cells."""
        return self.cells_seconds - self.clock.spent(self.cells_since)

    # The probes' side.

    def send(self, frame: dict[str, Any]) -> None:
        if self._writer.is_closing():  # the kernel is gone; asyncio would print so for each frame it is given
            return
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.write(frames.encode(frame))

    def ask(self, requests: Sequence[dict[str, Any]]) -> None:
        """Send requests of the part after the cells; replies come to `probes` as (id, reply), None at the end."""
        self.asking = True
        for request in requests:
            self.send({"channel": "grader", **request})

    async def answer(self, seconds: float) -> tuple[int, Json] | None:
        """The next reply; None when there will be none.  Raises TimeoutError after so many charged seconds."""
        since, left = self.clock.mark(), seconds
        while True:
            try:
                return await asyncio.wait_for(self.probes.get(), max(SHORTEST_WAIT_SECONDS, left))
            except TimeoutError:
                left = seconds - self.clock.spent(since)
                if left <= 0:
                    raise

    # Ends.

    def interrupt(self) -> None:
        self.interrupted = True
        with contextlib.suppress(OSError):
            self.hatched.lease.send(b"I")

    def kill(self, reason: str, detail: str = "") -> None:
        if not self.reason:
            self.reason, self.detail = reason, detail
        self._set_timer(None, "")
        self.hatched.lease.close()

    async def close(self) -> None:
        """End it and wait until nothing of it is left."""
        self.kill("closed")
        await self.dead.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.clock.close()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _await_end(self) -> None:
        status = await asyncio.shield(self._gone)
        await asyncio.wait(self._tasks[:1], timeout=INTERRUPT_GRACE_SECONDS)  # its last words are still in the pipe
        if status == ZYGOTE_GONE:
            self.reason, self.detail = "sandbox.failed", "the zygote is gone"
        if not self.reason:
            self.reason = "kernel.died"
            self.detail = f"ended by signal {status - 128}" if status > 128 else f"ended with status {status}"
        self._set_timer(None, "")
        self.hatched.lease.close()
        self.dead.set()
        self.shell_channel.queue.put_nowait(None)
        self.probes.put_nowait(None)

    async def _pump(self, reader: asyncio.StreamReader) -> None:
        try:
            while (received := await frames.read(reader)) is not None:
                self._take(*received)
        except (messages.Violation, frames.BadFrame) as error:
            self.kill("kernel.violation", str(error))
        else:
            # The end of the channel is not yet the end of the process: the supervisor says when it is gone.
            self._loop.call_later(INTERRUPT_GRACE_SECONDS, self._end_after_closing)

    def _end_after_closing(self) -> None:
        if not self.dead.is_set():
            self.kill("kernel.died", "closed its channel")

    def _take(self, frame: dict[str, Any], size: int) -> None:
        channel = frame.get("channel")
        if channel == "setup":
            self.kill("sandbox.failed", messages.text(frame.get("error"), 2000))
            return
        if channel == "last":
            self.kill("kernel.died", messages.text(frame.get("error"), 4000))
            return
        if channel == "probe":
            self._take_reply(frame)
            return
        self._received += size
        self._messages += 1
        if self._received > self.limits.output_bytes or self._messages > MAX_CELL_MESSAGES:
            self.kill("output.flood", f"more than {self.limits.output_bytes} bytes of output")
            return
        message = messages.check(frame)
        if message is None or self.asking:
            return
        if channel == "iopub":
            self.iopub_channel.queue.put_nowait(message)
            return
        if message["parent_header"]["msg_id"] == self._current:
            self._set_timer(None, "")
        self.shell_channel.queue.put_nowait(message)

    def _take_reply(self, frame: dict[str, Any]) -> None:
        number = frame.get("id")
        if not self.asking or type(number) is not int:
            raise messages.Violation("an answer nobody asked for")
        self.probes.put_nowait((number, frame.get("reply")))

    def _set_timer(self, seconds: float | None, note: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._watch_time(self.clock.mark(), seconds, note)

    def _watch_time(self, since: Mark, seconds: float, note: str) -> None:
        """Look again when so many charged seconds may have been used, until they have."""
        left = seconds - self.clock.spent(since)
        if left > 0:
            self._timer = self._loop.call_later(
                max(SHORTEST_WAIT_SECONDS, left), self._watch_time, since, seconds, note
            )
        else:
            self._time_is_up(note)

    def _time_is_up(self, note: str) -> None:
        if self.interrupted:
            self.kill(note, "did not stop when interrupted")
            return
        self.interrupt()
        self._watch_time(self.clock.mark(), INTERRUPT_GRACE_SECONDS, note)
