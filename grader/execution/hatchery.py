"""The grader's side of a zygote: start it, ask it for kernels, learn when they are gone."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader.execution import clocks
from grader.execution.limits import ZYGOTE_SECONDS, Limits, Tier

OWN_ROOT = str(Path(__file__).resolve().parents[2])
ZYGOTE_GONE = -1  # instead of a kernel's exit status
_START = "import sys; sys.path.insert(0, {root!r}); from grader.execution.zygote import main; main()"
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "BLIS_NUM_THREADS")


class SandboxError(RuntimeError):
    """Our own trouble: a sandbox could not be set up.  Never the student's fault."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a tier is entered here: namespaces through a user namespace of one's own, or with root's rights."""

    tier: Tier
    user_namespace: bool = False


WAYS = (Way("namespaces", True), Way("namespaces", False), Way("landlock"), Way("none"))


@dataclass(frozen=True, slots=True)
class Hatched:
    """A kernel just forked.  Closing `lease` ends it and everything below it."""

    channel: socket.socket
    lease: socket.socket
    gone: Future[int]
    pid: int | None = None  # None: attested over the lease


def environment() -> dict[str, str]:
    """All the environment student code will see.  Nothing of the grader's own is passed on."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        **dict.fromkeys(_ONE_THREAD, "1"),
    }


def own_roots() -> tuple[str, ...]:
    """Import paths that lead to our own packages and nothing else (none when installed among other packages)."""
    return () if Path(OWN_ROOT).name in ("site-packages", "dist-packages") else (OWN_ROOT,)


class Zygote:
    """A running zygote whose kernels are confined in one way.  Use as a context manager; threads may share it."""

    def __init__(self, way: Way, imports: Iterable[str] = (), refused: Iterable[str] = ()) -> None:
        """Raises SandboxError if the zygote cannot start or cannot confine itself this way."""
        self.way = way
        self.scratch = tempfile.mkdtemp(prefix="grader-")
        Path(self.scratch).chmod(0o711)
        Path(self.scratch, "root").mkdir()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = Path(self.scratch, "log")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-s", "-P", "-c", _START.format(root=OWN_ROOT), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                cwd="/",
                start_new_session=True,
            )
        theirs.close()
        self._lock = threading.Lock()
        self._alive: dict[int, Future[int]] = {}
        self._numbers = 0
        self.trouble = ""  # what the zygote said before it ended
        setting: dict[str, Any] = {
            "imports": [*imports],
            "refused": [*refused],
            "scratch": self.scratch,
            "roots": own_roots(),
        }
        setting |= {"tier": way.tier, "user_namespace": way.user_namespace}
        self.missing = self._await_ready(setting)
        threading.Thread(target=self._listen, name="zygote", daemon=True).start()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End the zygote; kernels end with their leases."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def hatch(self, limits: Limits, seed: int) -> Hatched:
        """Fork a kernel.  Raises SandboxError; failures inside the child come over its channel."""
        channel, their_channel = socket.socketpair()
        lease, their_lease = socket.socketpair()
        clocks.expect_attestation(lease)
        gone: Future[int] = Future()
        with self._lock:
            self._numbers += 1
            number = self._numbers
            self._alive[number] = gone
        body = json.dumps({"number": number, "seed": seed, "limits": asdict(limits)}).encode()
        try:
            with self._lock:
                socket.send_fds(self._control, [body], [their_channel.fileno(), their_lease.fileno()])
        except OSError as error:
            channel.close()
            lease.close()
            raise SandboxError(f"the zygote is gone: {self.trouble or error}") from error
        finally:
            their_channel.close()
            their_lease.close()
        return Hatched(channel, lease, gone)

    def _await_ready(self, setting: dict[str, Any]) -> tuple[str, ...]:
        self._control.settimeout(ZYGOTE_SECONDS)
        try:
            self._control.send(json.dumps(setting).encode())
            body = self._control.recv(65536)
        except OSError:
            body = b""
        ready = json.loads(body) if body else {"event": "failed", "error": "no message"}
        if ready["event"] == "failed":
            self._process.kill()
            self._process.wait()
            said = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            shutil.rmtree(self.scratch, ignore_errors=True)
            raise SandboxError(f"the zygote did not start: {ready['error']} {said.strip()}".strip())
        if ready["threads"] != 1:
            self.close()
            raise SandboxError(f"the zygote has {ready['threads']} threads; a declared import starts some")
        self._control.settimeout(None)
        return tuple(ready["missing"])

    def _listen(self) -> None:
        while True:
            try:
                body = self._control.recv(65536)
            except OSError:
                body = b""
            if not body:
                break
            event = json.loads(body)
            if event["event"] == "failed":
                self.trouble = event["error"]
                break
            with self._lock:
                self._alive.pop(event["number"]).set_result(event["status"])
        self._give_up()

    def _give_up(self) -> None:
        """The zygote is gone: whoever waits for the end of a kernel learns it."""
        with self._lock:
            for gone in self._alive.values():
                gone.set_result(ZYGOTE_GONE)
            self._alive.clear()
        with contextlib.suppress(OSError):
            self._control.close()
