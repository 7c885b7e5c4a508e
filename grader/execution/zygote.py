"""The process that kernels are forked from: single-threaded, everything imported, nothing started, nothing secret.

Started by `grader.execution.hatchery` with one end of a socket pair as its only argument.  Each request carries two
descriptors: the kernel's end of its channel, and the kernel's end of its lease.  When the grader closes its end of a
lease, or dies, the zygote kills that kernel; when the zygote dies, the system kills them all.
"""

from __future__ import annotations

import codecs
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.execution import confine, frames, kernel, namespaces, syscalls, visible
from grader.execution.limits import Limits

MAX_REQUEST = 64 * 1024
DISK_CHECK_SECONDS = 0.2
LEASE_ENDED = 121


def main() -> None:
    """Move in, import, report, then fork one kernel per request until the grader goes away."""
    control = socket.socket(fileno=int(sys.argv[1]))
    setting = json.loads(control.recv(MAX_REQUEST))
    try:
        _live(control, setting)
    except Exception as error:  # noqa: BLE001 - the grader says what it was; no student code has run here
        control.send(json.dumps({"event": "failed", "error": f"{type(error).__name__}: {error}"}).encode())
        sys.exit(confine.SETUP_FAILED)


def _live(control: socket.socket, setting: dict[str, Any]) -> None:
    view = visible.view(setting["imports"], setting["roots"])
    confinement = confine.Confinement(
        tier=setting["tier"],
        user_namespace=setting["user_namespace"],
        privileged=os.geteuid() == 0,
        root=namespaces.Root(view.trees, view.hidden, f"{setting['scratch']}/root"),
        view=view,
        scratch=setting["scratch"],
    )
    own = None
    home = confinement.scratch
    if confinement.tier == "namespaces":
        own = confine.move_in(confinement, control)
        home = confinement.root.home
    os.environ.update(HOME=home, TMPDIR=home, MPLCONFIGDIR=f"{home}/matplotlib")
    prepared = kernel.prepare(f"{home}/ipython")
    missing = _import_all(setting["imports"])
    guard = kernel.ImportGuard(setting["refused"])
    sys.meta_path.insert(0, guard)
    kernel.forget_grader(setting["roots"])
    for name in ("ascii", "latin-1", "utf-8", "idna"):
        codecs.lookup(name)
    gc.collect()
    gc.freeze()
    threads = _threads()
    control.send(json.dumps({"event": "ready", "missing": missing, "threads": threads}).encode())
    if threads == 1:
        _Nest(control, confinement, prepared, guard, own).serve()


def _import_all(names: list[str]) -> list[str]:
    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    return missing


def _threads() -> int:
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return 1


@dataclass(slots=True)
class _Child:
    """A kernel that lives, and the directory on the real disk that is its own, if it has one."""

    pid: int
    number: int
    lease: socket.socket
    deadline: float
    scratch: str
    disk_bytes: int
    ended: bool = False


class _Nest:
    """The loop: requests in, kernels out, leases watched."""

    def __init__(
        self,
        control: socket.socket,
        confinement: confine.Confinement,
        prepared: kernel.PipeKernel,
        guard: kernel.ImportGuard,
        own_processes: int | None,
    ) -> None:
        self.control = control
        self.confinement = confinement
        self.prepared = prepared
        self.guard = guard
        self.own_processes = own_processes
        self.on_disk = confinement.tier != "namespaces"
        self.children: dict[int, _Child] = {}
        self.poll = select.poll()
        self.wake: tuple[int, ...] = ()

    def serve(self) -> None:
        wake, waker = socket.socketpair()
        waker.setblocking(False)
        self.wake = (wake.fileno(), waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self.poll.register(self.control, select.POLLIN)
        self.poll.register(wake, select.POLLIN)
        while True:
            for descriptor, _ in self.poll.poll(self._patience()):
                if descriptor == wake.fileno():
                    wake.recv(4096)
                elif descriptor == self.control.fileno():
                    if not self._take_request():
                        self._end()
                        return
                else:
                    self._hear_lease(descriptor)
            self._reap()
            self._check_bounds()

    def _patience(self) -> float | None:
        if not self.children:
            return None
        if self.on_disk:
            return DISK_CHECK_SECONDS * 1000
        return max(0.0, min(child.deadline for child in self.children.values()) - time.monotonic()) * 1000 + 1

    def _take_request(self) -> bool:
        try:
            body, descriptors, _, _ = socket.recv_fds(self.control, MAX_REQUEST, 2)
        except OSError:
            return False
        if not body:
            return False
        request = json.loads(body)
        limits = Limits(**request["limits"])
        channel, lease = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        scratch = self._scratch(request["number"]) if self.on_disk else ""
        pid = self._fork()
        if pid == 0:
            self._be_kernel(limits, request["seed"], scratch, channel, lease)
        channel.close()
        lease.setblocking(False)
        deadline = time.monotonic() + limits.lifetime_seconds
        child = _Child(pid, request["number"], lease, deadline, scratch, limits.disk_bytes)
        self.children[lease.fileno()] = child
        self.poll.register(lease, select.POLLIN)
        return True

    def _scratch(self, number: int) -> str:
        scratch = Path(self.confinement.scratch, str(number))
        scratch.mkdir(mode=0o700)
        if self.confinement.privileged and self.confinement.view.for_everyone and self.confinement.tier != "none":
            os.chown(scratch, namespaces.NOBODY, namespaces.NOBODY)
        return str(scratch)

    def _fork(self) -> int:
        """Fork, into a new process namespace where there are any."""
        if self.own_processes is None:
            return os.fork()
        syscalls.unshare(syscalls.CLONE_NEWPID)
        pid = os.fork()
        if pid:
            syscalls.join(self.own_processes, syscalls.CLONE_NEWPID)
        return pid

    def _hear_lease(self, descriptor: int) -> None:
        child = self.children[descriptor]
        try:
            said = child.lease.recv(16)
        except OSError:
            said = b""
        if said:
            _signal(child, signal.SIGCONT)
            _signal(child, signal.SIGINT)
        else:
            self.poll.unregister(descriptor)
            child.ended = True
            _signal(child, signal.SIGKILL)

    def _check_bounds(self) -> None:
        now = time.monotonic()
        for child in self.children.values():
            if now > child.deadline or (self.on_disk and _size(child.scratch) > child.disk_bytes):
                _signal(child, signal.SIGKILL)

    def _reap(self) -> None:
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            descriptor = next((d for d, child in self.children.items() if child.pid == pid), None)
            if descriptor is None:
                continue
            child = self.children.pop(descriptor)
            if not child.ended:
                self.poll.unregister(descriptor)
            child.lease.close()
            if child.scratch:
                shutil.rmtree(child.scratch, ignore_errors=True)
            code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            self._tell({"event": "gone", "number": child.number, "status": LEASE_ENDED if child.ended else code})

    def _tell(self, event: dict[str, Any]) -> None:
        try:
            self.control.send(json.dumps(event).encode())
        except OSError:
            self._end()

    def _end(self) -> None:
        """The grader is gone: so are we, and every kernel with us."""
        for child in self.children.values():
            _signal(child, signal.SIGKILL)
        if self.on_disk:
            shutil.rmtree(self.confinement.scratch, ignore_errors=True)
        os._exit(0)

    def _be_kernel(self, limits: Limits, seed: int, scratch: str, channel: socket.socket, lease: socket.socket) -> None:
        """Never returns."""
        status = confine.SETUP_FAILED
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            lease.send(b"K")  # the system names the sender: so the grader knows whose processor clock to read
            lease.close()
            for child in self.children.values():
                child.lease.close()
            for descriptor in self.wake:
                os.close(descriptor)
            self.control.close()
            if self.own_processes is not None:
                os.close(self.own_processes)
            work = confine.enter(self.confinement, limits, scratch)
            os.environ["HOME"] = work
            os.environ["TMPDIR"] = work
            status = 0
            kernel.serve(self.prepared, channel, limits, self.guard, seed, work)
        except BaseException as error:  # noqa: BLE001 - the last stop before the end of the process
            kind = "setup" if status else "last"
            _report(channel, kind, "".join(traceback.format_exception(error))[-2000:])
        finally:
            os._exit(status)


def _signal(child: _Child, number: int) -> None:
    try:
        os.kill(child.pid, number)
    except ProcessLookupError:
        return


def _size(directory: str) -> int:
    total = 0
    for folder, _, files in os.walk(directory):
        for name in files:
            try:
                total += os.lstat(f"{folder}/{name}").st_blocks * 512
            except OSError:
                continue
    return total


def _report(channel: socket.socket, kind: str, error: str) -> None:
    try:
        channel.sendall(frames.encode({"channel": kind, "error": error}))
    except OSError:
        return


if __name__ == "__main__":
    main()
