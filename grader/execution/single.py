"""A kernel in a process of its own, without fork and without isolation: for macOS, Windows, and code one trusts.

The same kernel answers over the same kind of pipe, so the verdicts are the same.  `SingleKernels` stands in for a
zygote.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any

from grader.execution import frames
from grader.execution.hatchery import OWN_ROOT, Hatched, Way, environment, own_roots
from grader.execution.limits import DEAD_CHECK_SECONDS, Limits

_START = "import sys; sys.path.insert(0, {root!r}); from grader.execution.single import main; main()"
_WINDOWS = sys.platform == "win32"


class SingleKernels:
    """Starts one process per kernel.  Use as a context manager; threads may share it."""

    way = Way("none")
    missing: tuple[str, ...] = ()
    trouble = ""
    alive = True

    def __init__(self, imports: Iterable[str] = (), refused: Iterable[str] = ()) -> None:
        self.imports = tuple(imports)
        self.refused = tuple(refused)

    def __enter__(self) -> SingleKernels:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing waits here; kernels end with their leases."""

    def hatch(self, limits: Limits, seed: int) -> Hatched:
        """Start a kernel process; it reports over its channel when something is wrong."""
        channel, theirs = socket.socketpair()
        lease, held = socket.socketpair()
        work = tempfile.mkdtemp(prefix="grader-")
        process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-c", _START.format(root=OWN_ROOT), str(theirs.fileno())],
            pass_fds=() if _WINDOWS else (theirs.fileno(),),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**environment(), "HOME": work, "TMPDIR": work, "MPLCONFIGDIR": work},
            cwd=work,
        )
        setting = {"imports": self.imports, "refused": self.refused, "roots": own_roots(), "work": work, "seed": seed}
        _introduce(process, theirs, {**setting, "limits": asdict(limits)})
        gone: Future[int] = Future()
        threading.Thread(target=_watch, args=(process, held, work, limits, gone), daemon=True).start()
        return Hatched(channel, lease, gone, process.pid)


def _introduce(process: subprocess.Popen[bytes], theirs: socket.socket, setting: dict[str, Any]) -> None:
    shared = ""
    if sys.platform == "win32":
        shared = theirs.share(process.pid).hex()
    stdin = process.stdin
    if stdin is not None:
        with contextlib.suppress(OSError), stdin:
            stdin.write(json.dumps({**setting, "socket": shared}).encode())
    theirs.close()


def _watch(process: subprocess.Popen[bytes], held: socket.socket, work: str, limits: Limits, gone: Future[int]) -> None:
    """Keep the process within its lease and lifetime; clean up after it."""
    held.settimeout(DEAD_CHECK_SECONDS)
    left = limits.lifetime_seconds
    while process.poll() is None:
        try:
            said = held.recv(16)
        except TimeoutError:
            left -= DEAD_CHECK_SECONDS
            if left > 0:
                continue
            said = b""
        except OSError:
            said = b""
        if said and not _WINDOWS:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGINT)
        else:
            process.kill()
            break
    status = process.wait()
    held.close()
    shutil.rmtree(work, ignore_errors=True)
    gone.set_result(status if status >= 0 else 128 - status)


def main() -> None:
    """The process: prepare a kernel and serve.  Its socket is named by its argument (on Windows: shared over stdin)."""
    setting = json.loads(sys.stdin.buffer.read())
    if sys.platform == "win32":
        channel = socket.fromshare(bytes.fromhex(setting["socket"]))
    else:
        channel = socket.socket(fileno=int(sys.argv[1]))
    from grader.execution import kernel

    limits = Limits(**setting["limits"])
    try:
        prepared = kernel.prepare(f"{setting['work']}/ipython")
        for name in setting["imports"]:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        guard = kernel.ImportGuard(setting["refused"])
        sys.meta_path.insert(0, guard)
        kernel.forget_grader(setting["roots"])
        _limit_memory(limits)
        kernel.serve(prepared, channel, limits, guard, setting["seed"], setting["work"])
    except BaseException as error:  # noqa: BLE001 - the last stop before the end of the process
        channel.sendall(frames.encode({"channel": "last", "error": f"{type(error).__name__}: {error}"}))


def _limit_memory(limits: Limits) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (limits.memory_bytes * 2, limits.memory_bytes * 2))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.disk_bytes, limits.disk_bytes))
