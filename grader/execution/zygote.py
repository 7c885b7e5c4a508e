"""The process that kernels are forked from: single-threaded, everything imported, nothing started, nothing secret.

Started by `grader.execution.hatchery` with one end of a socket pair as its only argument.  Each request carries two
descriptors: the kernel's end of its channel, and the kernel's end of its lease.
"""

from __future__ import annotations

import codecs
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from typing import Any

from grader.execution import confine, frames, kernel, namespaces, visible
from grader.execution.limits import Limits

MAX_REQUEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Setting:
    """What the grader asks of this zygote once, as JSON in its first message."""

    imports: tuple[str, ...]
    refused: tuple[str, ...]
    scratch: str
    own_roots: tuple[str, ...]


def main() -> None:
    """Import, report, then fork one kernel per request until the grader goes away."""
    control = socket.socket(fileno=int(sys.argv[1]))
    request = json.loads(control.recv(MAX_REQUEST))
    setting = Setting(tuple(request["imports"]), tuple(request["refused"]), request["scratch"], tuple(request["roots"]))
    prepared, guard, missing = _prepare(setting)
    view = visible.view(setting.imports, setting.own_roots)
    kernel.forget_grader(setting.own_roots)
    for name in ("ascii", "latin-1", "utf-8", "idna"):
        codecs.lookup(name)  # between leaving the host and reaching the new root nothing can be imported
    gc.collect()
    gc.freeze()
    threads = _threads()
    control.send(json.dumps({"event": "ready", "missing": missing, "threads": threads, "pid": os.getpid()}).encode())
    if threads == 1:
        _Nest(control, setting, prepared, guard, view).serve()


def _prepare(setting: Setting) -> tuple[kernel.PipeKernel, kernel.ImportGuard, list[str]]:
    directory = f"{setting.scratch}/ipython"
    os.makedirs(directory, exist_ok=True)
    prepared = kernel.prepare(directory)
    missing = []
    for name in setting.imports:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    guard = kernel.ImportGuard(setting.refused)
    sys.meta_path.insert(0, guard)
    return prepared, guard, missing


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


class _Nest:
    def __init__(
        self,
        control: socket.socket,
        setting: Setting,
        prepared: kernel.PipeKernel,
        guard: kernel.ImportGuard,
        view: visible.View,
    ) -> None:
        self.control = control
        self.setting = setting
        self.prepared = prepared
        self.guard = guard
        self.view = view
        self.born = 0

    def serve(self) -> None:
        wake, waker = socket.socketpair()
        waker.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        while True:
            ready, _, _ = select.select([self.control, wake], [], [])
            if wake in ready:
                wake.recv(4096)
                self._reap()
            if self.control in ready and not self._take_request():
                return

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            self._tell({"event": "gone", "pid": pid, "status": code})

    def _take_request(self) -> bool:
        body, descriptors, _, _ = socket.recv_fds(self.control, MAX_REQUEST, 2)
        if not body:
            return False
        request = json.loads(body)
        channel, lease = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        self.born += 1
        plan = self._plan(request)
        asks, answers = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            self._be_supervisor(plan, request["seed"], channel, lease, answers)
        for end in (channel, lease, answers):
            end.close()
        self._map(plan, pid, asks)
        asks.close()
        self._tell({"event": "born", "number": request["number"], "pid": pid})
        return True

    def _plan(self, request: dict[str, Any]) -> confine.Plan:
        limits = Limits(**request["limits"])
        mount_point = f"{self.setting.scratch}/root"
        os.makedirs(mount_point, exist_ok=True)
        return confine.Plan(
            tier=request["tier"],
            user_namespace=request["user_namespace"],
            privileged=os.geteuid() == 0,
            root=namespaces.Root(self.view.trees, self.view.hidden, mount_point, limits.disk_bytes),
            readable=self.view.readable,
            listable=self.view.listable,
            as_nobody=self.view.for_everyone,
            scratch=f"{self.setting.scratch}/{self.born}",
            limits=limits,
        )

    def _map(self, plan: confine.Plan, pid: int, asks: socket.socket) -> None:
        """Wait until the child has left the host's namespaces, and give it its identity."""
        if not (plan.tier == "namespaces" and plan.user_namespace):
            return
        if asks.recv(1) == b"":
            return
        user, group = (namespaces.NOBODY,) * 2 if plan.privileged else (os.geteuid(), os.getegid())
        try:
            namespaces.write_identity_maps(pid, user, group, may_set_groups=plan.privileged)
        except OSError:
            asks.send(b"n")
        else:
            asks.send(b"y")

    def _tell(self, event: dict[str, Any]) -> None:
        try:
            self.control.send(json.dumps(event).encode())
        except OSError:
            os._exit(0)  # the grader is gone; the supervisors see their leases end

    def _be_supervisor(
        self, plan: confine.Plan, seed: int, channel: socket.socket, lease: socket.socket, answers: socket.socket
    ) -> None:
        """Never returns."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.control.close()
        status = confine.SETUP_FAILED
        try:

            def mapped() -> None:
                answers.send(b"u")
                if answers.recv(1) != b"y":
                    raise OSError("the identity maps of the user namespace cannot be written")

            def run(opened: dict[str, int]) -> None:
                lease.close()
                answers.close()
                self._be_kernel(plan, opened, seed, channel)

            status = confine.supervise(plan, lease, mapped, run, channel)
        except BaseException as error:  # noqa: BLE001 - the last stop before the end of the process
            _report(channel, "setup", f"{type(error).__name__}: {error}")
        finally:
            os._exit(status)

    def _be_kernel(self, plan: confine.Plan, opened: dict[str, int], seed: int, channel: socket.socket) -> None:
        """Never returns."""
        try:
            work = confine.enter(plan, opened)
        except OSError as error:
            _report(channel, "setup", str(error))
            os._exit(confine.SETUP_FAILED)
        os.environ["HOME"] = work
        os.environ["TMPDIR"] = "/tmp" if plan.tier == "namespaces" else work  # noqa: S108
        try:
            kernel.serve(self.prepared, channel, plan.limits, self.guard, seed, work)
        except BaseException as error:  # noqa: BLE001 - the last stop before the end of the process
            _report(channel, "last", "".join(traceback.format_exception(error))[-2000:])
        finally:
            os._exit(0)


def _report(channel: socket.socket, kind: str, error: str) -> None:
    try:
        channel.sendall(frames.encode({"channel": kind, "error": error}))
    except OSError:
        return


if __name__ == "__main__":
    main()
