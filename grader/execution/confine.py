"""From an ordinary process to a confined one: namespaces, limits, Landlock, seccomp, in the order that works.

`move_in` is the zygote's, once; `enter` is each kernel's, after the fork and before any student code.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
from dataclasses import dataclass

from grader.execution import landlock, namespaces, seccomp, syscalls
from grader.execution.limits import INTERRUPT_GRACE_SECONDS, Limits, Tier
from grader.execution.namespaces import NOBODY
from grader.execution.visible import View

SETUP_FAILED = 120  # exit status of a child that could not be confined; nothing of the student's ran in it


@dataclass(frozen=True, slots=True)
class Confinement:
    """How the kernels of one zygote are confined; fixed when it starts."""

    tier: Tier
    user_namespace: bool
    privileged: bool  # the zygote was started by root
    root: namespaces.Root
    view: View
    scratch: str  # of this zygote, on the real disk


def move_in(confinement: Confinement, control: socket.socket) -> int:
    """Move the zygote into namespaces of its own, where it is process 1.  A descriptor of its process namespace.

    Two processes enter, one returns; the other waits for its end.  Raises OSError.
    """
    asks, helper = _start_helper(confinement) if confinement.user_namespace else (None, 0)
    namespaces.leave_host(confinement.user_namespace)
    opened = namespaces.open_trees(confinement.root)
    if asks is not None:
        asks.send(b"u")
        answer = asks.recv(200)
        os.waitpid(helper, 0)
        asks.close()
        if answer != b"y":
            raise OSError(f"the user namespace cannot be given an identity: {answer.decode(errors='replace')}")
        namespaces.become_nobody(may_set_groups=confinement.privileged, keep_capabilities=True)
    first = os.fork()
    if first:
        control.close()
        _, status = os.waitpid(first, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    namespaces.build_root(confinement.root, opened)
    return own


def _start_helper(confinement: Confinement) -> tuple[socket.socket, int]:
    """A process left outside that writes the identity maps when told: only it has the right to."""
    asks, answers = socket.socketpair()
    subject = os.getpid()
    user, group = (NOBODY, NOBODY) if confinement.privileged else (os.geteuid(), os.getegid())
    helper = os.fork()
    if helper == 0:
        asks.close()
        if answers.recv(1):
            try:
                namespaces.map_to(subject, user, group, may_set_groups=confinement.privileged)
                answers.send(b"y")
            except OSError as error:
                answers.send(str(error).encode()[:200])
        os._exit(0)
    answers.close()
    return asks, helper


def enter(confinement: Confinement, limits: Limits, scratch: str) -> str:
    """Confine this process for good, as its tier says.  The working directory is returned.  Raises OSError."""
    in_use = _address_space()
    if confinement.tier == "none":
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        _limit(confinement, limits, in_use)
        os.chdir(scratch)
        return scratch
    read: tuple[str, ...]
    listed: tuple[str, ...]
    if confinement.tier == "namespaces":
        work = namespaces.settle(confinement.root, limits.disk_bytes)
        read, listed, write = ("/",), (), confinement.root.home
        if confinement.user_namespace:
            namespaces.give_up_rights_over_mounts()
        else:
            os.chown(work, NOBODY, NOBODY)
            namespaces.become_nobody(may_set_groups=True, keep_capabilities=False)
    else:
        work = write = scratch
        read, listed = (*confinement.view.readable, "/proc/self"), confinement.view.listable
        if confinement.privileged and confinement.view.for_everyone:
            namespaces.become_nobody(may_set_groups=True, keep_capabilities=False)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)  # after the last change of identity, which clears it
    _limit(confinement, limits, in_use)
    syscalls.drop_capabilities()
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    if landlock.abi():
        landlock.restrict(read, listed, (write, *namespaces.DEVICES))
    elif confinement.tier == "landlock":
        raise OSError("this kernel has no Landlock")
    os.chdir(work)
    if seccomp.available():
        seccomp.install()
    return work


def _limit(confinement: Confinement, limits: Limits, in_use: int) -> None:
    seconds = int(limits.processor_seconds + INTERRUPT_GRACE_SECONDS) + 1
    bounds = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, limits.disk_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_AS, in_use + limits.memory_bytes),
    ]
    if confinement.tier != "none":
        bounds += [(resource.RLIMIT_MEMLOCK, 0), (resource.RLIMIT_MSGQUEUE, 0)]
    if confinement.user_namespace:  # elsewhere the count would include this user's other processes
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
