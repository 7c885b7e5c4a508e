"""From a fresh fork to a confined process: namespaces, limits, Landlock, seccomp, in the order that works.

The zygote forks a supervisor, the supervisor forks the kernel.  The supervisor holds the lease: when the grader closes
its end, or dies, everything below is killed.  Student code never runs in the supervisor.
"""

from __future__ import annotations

import os
import resource
import select
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from grader.execution import landlock, namespaces, seccomp, syscalls
from grader.execution.limits import INTERRUPT_GRACE_SECONDS, Limits, Tier
from grader.execution.namespaces import NOBODY

DISK_CHECK_SECONDS = 0.2
SETUP_FAILED = 120  # exit status of a child that could not be confined; nothing of the student's ran in it
LEASE_ENDED = 121


@dataclass(frozen=True, slots=True)
class Plan:
    """How one kernel is to be confined; made by the zygote, which sees the file system."""

    tier: Tier
    user_namespace: bool
    privileged: bool  # the zygote runs as root
    root: namespaces.Root
    readable: tuple[str, ...]  # the same view as allow-lists, for Landlock alone
    listable: tuple[str, ...]
    as_nobody: bool  # whether a user without rights can read what is visible
    scratch: str  # a directory of this kernel's own on the real disk; used where there is no private tmpfs
    limits: Limits


def supervise(
    plan: Plan,
    lease: socket.socket,
    mapped: Callable[[], None],
    run: Callable[[dict[str, int]], None],
    channel: socket.socket,
) -> int:
    """Fork the kernel, keep it within its lease and lifetime, clean up after it.  Its exit status (128 + signal).

    `mapped` returns when the zygote has written the identity maps; `run` is the confined part, given
    the descriptors of the trees it may show, and never returns.
    """
    opened: dict[str, int] = {}
    if plan.tier == "namespaces":
        namespaces.leave_host(plan.user_namespace)
        opened = namespaces.open_trees(plan.root)
        if plan.user_namespace:
            mapped()
            namespaces.become_nobody(may_set_groups=plan.privileged, keep_capabilities=True)
    else:
        os.makedirs(plan.scratch, mode=0o700, exist_ok=True)
        if plan.privileged and plan.as_nobody and plan.tier != "none":
            os.chown(plan.scratch, NOBODY, NOBODY)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)  # after the last change of identity, which clears it
    kernel = os.fork()
    if kernel == 0:
        run(opened)
        os._exit(SETUP_FAILED)
    channel.close()
    for handle in opened.values():
        os.close(handle)
    status = _watch(kernel, plan, lease)
    if plan.tier != "namespaces":
        shutil.rmtree(plan.scratch, ignore_errors=True)
    return status


def _watch(kernel: int, plan: Plan, lease: socket.socket) -> int:
    os.set_blocking(lease.fileno(), False)
    descriptor = os.pidfd_open(kernel)
    poll = select.poll()
    poll.register(lease.fileno(), select.POLLIN | select.POLLHUP)
    poll.register(descriptor, select.POLLIN)
    deadline = time.monotonic() + plan.limits.lifetime_seconds
    on_disk = plan.tier != "namespaces"
    while True:
        left = deadline - time.monotonic()
        ready = poll.poll(max(0.0, min(left, DISK_CHECK_SECONDS) if on_disk else left) * 1000)
        if any(fd == descriptor for fd, _ in ready):
            return _exit_status(os.waitpid(kernel, 0)[1])
        if ready and _lease_says_interrupt(lease):
            os.kill(kernel, signal.SIGCONT)
            os.kill(kernel, signal.SIGINT)
            continue
        if ready or left <= 0 or (on_disk and _size(plan.scratch) > plan.limits.disk_bytes):
            os.kill(kernel, signal.SIGKILL)
            status = _exit_status(os.waitpid(kernel, 0)[1])
            return LEASE_ENDED if ready else status


def _lease_says_interrupt(lease: socket.socket) -> bool:
    try:
        return lease.recv(16) != b""
    except OSError:
        return False


def _exit_status(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _size(directory: str) -> int:
    total = 0
    for folder, _, files in os.walk(directory):
        for name in files:
            try:
                total += os.lstat(f"{folder}/{name}").st_blocks * 512
            except OSError:
                continue
    return total


def enter(plan: Plan, opened: dict[str, int]) -> str:
    """Confine this process for good, as its tier says.  The working directory is returned.  Raises OSError."""
    in_use = _address_space()
    if plan.tier == "none":
        _limit(plan, in_use)
        os.chdir(plan.scratch)
        return plan.scratch
    read: tuple[str, ...]
    listed: tuple[str, ...]
    if plan.tier == "namespaces":
        namespaces.build_root(plan.root, opened)
        os.makedirs(namespaces.WORK, exist_ok=True)
        work, read, listed, write = namespaces.WORK, ("/",), (), ("/tmp",)  # noqa: S108
        if not plan.user_namespace:
            os.chown(work, NOBODY, NOBODY)
            namespaces.become_nobody(may_set_groups=True, keep_capabilities=False)
    else:
        work, write = plan.scratch, (plan.scratch,)
        read, listed = (*plan.readable, "/proc/self"), plan.listable
        if plan.privileged and plan.as_nobody:
            namespaces.become_nobody(may_set_groups=True, keep_capabilities=False)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    _limit(plan, in_use)
    syscalls.drop_capabilities()
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    if landlock.abi():
        landlock.restrict(read, listed, (*write, *namespaces.DEVICES))
    elif plan.tier == "landlock":
        raise OSError("this kernel has no Landlock")
    os.chdir(work)
    if seccomp.available():
        seccomp.install()
    return work


def _limit(plan: Plan, in_use: int) -> None:
    limits = plan.limits
    seconds = int(limits.lifetime_seconds + INTERRUPT_GRACE_SECONDS) + 1
    bounds = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, limits.disk_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_AS, in_use + limits.memory_bytes),
    ]
    if plan.tier != "none":
        bounds += [(resource.RLIMIT_MEMLOCK, 0), (resource.RLIMIT_MSGQUEUE, 0)]
    if plan.user_namespace:  # elsewhere the count would include this user's other processes
        bounds.append((resource.RLIMIT_NPROC, limits.threads))
    for which, value in bounds:
        _, hard = resource.getrlimit(which)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (bound, bound))


def _address_space() -> int:
    """Bytes of address space in use now."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # no /proc here: be generous once
        return 1 << 30
