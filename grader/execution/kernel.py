"""The kernel inside the sandbox: a real IPythonKernel in one process and one thread, fed over one socket.

`prepare` runs in the zygote, before the fork; `serve` in the confined child.  A few private points of ipykernel are
touched, all of them here.
"""

from __future__ import annotations

import asyncio
import builtins
import importlib.abc
import logging
import os
import random
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from grader.execution import frames, harness, streams
from grader.execution.limits import WATCHED, Limits

sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]  # half of ipykernel's start-up, never used here
from ipykernel import ipkernel  # noqa: E402
from ipykernel.ipkernel import IPythonKernel  # noqa: E402
from tornado.ioloop import IOLoop  # noqa: E402

_plain_accepts = getattr(ipkernel, "_accepts_parameters", None)  # ipykernel 7 looks at a signature for every cell


@lru_cache(maxsize=8)
def _accepts(method: Any, names: tuple[str, ...]) -> dict[str, bool]:
    return dict(_plain_accepts(method, list(names)))  # type: ignore[misc]


if _plain_accepts is not None:
    ipkernel._accepts_parameters = lambda method, names: _accepts(method, tuple(names))


class _NoShellThread:
    """Says that the main thread runs the cells; false, so that ipykernel 7 does not look for subshells."""

    parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class PipeKernel(IPythonKernel):  # type: ignore[misc]
    """IPythonKernel without sockets and threads."""

    _supports_kernel_subshells = False


class ImportGuard(importlib.abc.MetaPathFinder):
    """Refuses imports by name with a message the student understands; the sandbox hides the files as well."""

    def __init__(self, refused: Iterable[str]) -> None:
        self.refused = frozenset(refused)
        self.attempted: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        top = name.partition(".")[0]
        if top in WATCHED or top in self.refused:
            self.attempted.add(top)
        if top in self.refused:
            raise ModuleNotFoundError(f"No module named '{top}' (not available in this exercise)", name=top)


def prepare(directory: str) -> PipeKernel:
    """A kernel ready but for its pipe.  Starts no thread."""
    from traitlets.config import Config

    session = streams.PipeSession(key=b"", username="student")
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.history_length = 0
    os.environ["IPYTHONDIR"] = directory
    log = logging.getLogger("ipykernel.sandbox")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    kernel: PipeKernel = PipeKernel.instance(config=config, session=session, iopub_socket=streams.IOPUB, log=log)
    kernel.shell_channel_thread = _NoShellThread()
    kernel._execute_sleep = 0.0  # it waits for a socket that is not there
    kernel.shell.displayhook.session = session
    kernel.shell.ask_exit = lambda: None  # a cell with `exit` ends nothing: the probes are still to come
    _rewrite_once(kernel.shell)
    _warm_up(kernel)
    return kernel


def _rewrite_once(shell: Any) -> None:
    """Keep the text of a cell as rewritten for IPython: ipykernel and IPython ask for it one after the other."""
    plain, manager = shell.transform_cell, shell.input_transformer_manager
    last: list[tuple[tuple[Any, ...], str]] = []

    def transform_cell(raw_cell: str) -> str:
        rules = (manager.cleanup_transforms, manager.line_transforms, manager.token_transformers)
        key = (raw_cell, shell.execution_count, *map(tuple, (*rules, shell.input_transformers_post)))
        if not last or last[0][0] != key:
            last[:] = [(key, plain(raw_cell))]
        return last[0][1]

    shell.transform_cell = transform_cell


WARM_UP = ("1 + 1", "print('x')", "1 / 0", "import asyncio\nawait asyncio.sleep(0)", "display('x')", "def", "%pwd")

CAN_WAIT = frozenset({"execute_input", "execute_result", "execute_reply"})  # the cell's end follows: one write for all
BUSY = {"execution_state": "busy"}
WARM_UP_ROUNDS = 4  # the interpreter specialises code that has run a few times, which writes to pages forks share


def _warm_up(kernel: PipeKernel) -> None:
    """Run each kind of cell once, unheard, so that no kernel has to import or compile what all of them need."""
    kernel.session.post = lambda _: None
    shell = kernel.shell
    before, hidden = dict(shell.user_ns), dict(shell.user_ns_hidden)
    kept = sys.stdout, sys.stderr
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    kernel.io_loop = IOLoop.current()
    sys.stdout, sys.stderr = (streams.PipeStream(name, kernel.session, 1000) for name in ("stdout", "stderr"))
    for number, code in enumerate(WARM_UP * WARM_UP_ROUNDS):
        content = {"code": code, "silent": False, "store_history": False, "stop_on_error": False}
        header = {"msg_id": str(number), "msg_type": "execute_request"}
        loop.run_until_complete(
            kernel.dispatch_shell({"header": header, "parent_header": {}, "metadata": {}, "content": content})
        )
    sys.stdout, sys.stderr = kept
    np.random.seed(0)  # loads numpy.random, which is lazy
    asyncio.set_event_loop(None)
    loop.close()
    shell.user_ns.clear()
    shell.user_ns.update(before)
    shell.user_ns_hidden.clear()
    shell.user_ns_hidden.update(hidden)
    for name in ("_", "__", "___"):
        setattr(shell.displayhook, name, before[name])
    shell.execution_count = 1
    kernel._aborting = False


def serve(kernel: PipeKernel, channel: socket.socket, limits: Limits, guard: ImportGuard, seed: int, work: str) -> None:
    """Answer requests until the channel ends.  Runs the student's code."""
    session = kernel.session

    held: list[bytes] = []

    def post(message: dict[str, Any]) -> None:
        held.append(frames.encode(message))
        if message.get("type") not in CAN_WAIT and message.get("content") != BUSY:
            whole = b"".join(held)
            held.clear()
            channel.sendall(whole)

    session.post = post
    out, err = (streams.PipeStream(name, session, limits.text_bytes) for name in ("stdout", "stderr"))
    capture = streams.DescriptorCapture(work)
    sys.stdout, sys.stderr = out, err
    random.seed(seed)
    np.random.seed(seed % 2**32)  # the legacy state, which forks share
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path.insert(0, "")
    loop = asyncio.SelectorEventLoop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_answer_all(kernel, channel, (out, err), capture, guard, post))


async def _answer_all(
    kernel: PipeKernel,
    channel: socket.socket,
    outputs: Sequence[streams.PipeStream],
    capture: streams.DescriptorCapture,
    guard: ImportGuard,
    post: streams.Post,
) -> None:
    kernel.io_loop = IOLoop.current()
    incoming: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.add_reader(channel, lambda: incoming.put_nowait(frames.receive(channel)))
    asked = _Asked(kernel, outputs, guard, post)

    def drain() -> None:
        for stream in outputs:
            capture.drain(stream)

    kernel.shell.events.register("post_execute", drain)
    while (message := await incoming.get()) is not None:
        if message["channel"] == "shell":
            await kernel.dispatch_shell(message["message"])
        else:
            asked.handle(message)


class _Asked:
    """The part after the cells: files beside the notebook, the adapter, the probes."""

    def __init__(
        self,
        kernel: PipeKernel,
        outputs: Sequence[streams.PipeStream],
        guard: ImportGuard,
        post: streams.Post,
    ) -> None:
        self.kernel = kernel
        self.outputs = outputs
        self.guard = guard
        self.post = post
        self.adapter: Any = None

    def handle(self, message: dict[str, Any]) -> None:
        handlers = {"files": self._place_files, "adapter": self._load_adapter, "probe": self._answer_probe}
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        for stream in self.outputs:
            stream.muted = True
        try:
            reply = handlers[message["op"]](message)
        except BaseException as error:  # noqa: BLE001 - student code may raise anything
            reply = {"status": "raised", "detail": harness.describe(error)}
        finally:
            signal.signal(signal.SIGINT, before)
            for stream in self.outputs:
                stream.muted = False
        self.post({"channel": "probe", "id": message["id"], "reply": reply})

    def _place_files(self, message: dict[str, Any]) -> dict[str, Any]:
        for name, text in message["files"]:
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="replace")
        return {"status": "returned"}

    def _load_adapter(self, message: dict[str, Any]) -> dict[str, Any]:
        seen = sorted((WATCHED & {name.partition(".")[0] for name in sys.modules}) | self.guard.attempted)
        names: list[Any] = [[name, True] for name in seen[:50]]
        self.adapter = harness.load_adapter(message["source"], self.kernel.shell.user_ns)
        return {"status": "returned", "flags": names}

    def _answer_probe(self, message: dict[str, Any]) -> dict[str, Any]:
        return harness.answer(self.adapter, message["request"])


def forget_grader(roots: Iterable[str]) -> None:
    """Take our own packages out of reach of imports; what runs keeps its references."""
    for name in [n for n in sys.modules if n.partition(".")[0] in ("grader", "reference")]:
        del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if entry not in set(roots)]
    sys.path_importer_cache.clear()
    builtins.__dict__.pop("_", None)
