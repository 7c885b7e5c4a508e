"""A root of its own for student code: an empty tmpfs with the interpreter and libraries bound in, read-only.

Runs in the forked child, before any student code, with the capabilities of its own user namespace or of root.
Paths are handled as text: this is the hot path of every kernel start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from grader.execution import syscalls

NAMESPACES = (
    syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
    | syscalls.CLONE_NEWCGROUP
)
NOBODY = 65534
WORK = "/tmp/work"  # noqa: S108 - inside the sandbox, where /tmp is a private tmpfs
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_ETC = {"passwd": f"student:x:{NOBODY}:{NOBODY}:student:{WORK}:/bin/false\n", "group": f"student:x:{NOBODY}:\n"}
_EXISTS, _IS_DIR, _IS_LINK = os.path.exists, os.path.isdir, os.path.islink


@dataclass(frozen=True, slots=True)
class Root:
    """What is visible: trees of the real file system to read, and paths below them that are covered up."""

    read: tuple[str, ...]
    hidden: tuple[str, ...]
    mount_point: str  # an existing empty directory of ours
    disk_bytes: int


def leave_host(inside_user_namespace: bool) -> None:
    """Leave every namespace of the host.  The process must have one thread.  Raises OSError."""
    syscalls.unshare(NAMESPACES | (syscalls.CLONE_NEWUSER if inside_user_namespace else 0))


def write_identity_maps(pid: int, outer_user: int, outer_group: int, may_set_groups: bool) -> None:
    """Map NOBODY inside the user namespace of `pid` to one user and group outside.  Raises OSError."""
    if not may_set_groups:
        _write(f"/proc/{pid}/setgroups", "deny")
    _write(f"/proc/{pid}/gid_map", f"{NOBODY} {outer_group} 1")
    _write(f"/proc/{pid}/uid_map", f"{NOBODY} {outer_user} 1")


def become_nobody(may_set_groups: bool, keep_capabilities: bool) -> None:
    """Take the identity NOBODY, for good.  Raises OSError."""
    if keep_capabilities:
        syscalls.prctl(syscalls.PR_SET_KEEPCAPS, 1)
    if may_set_groups:
        os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def build_root(root: Root) -> bool:
    """Build the root and move into it.  Whether /proc could be had is returned; every other failure raises OSError."""
    new = root.mount_point
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV
    syscalls.mount("tmpfs", new, "tmpfs", flags, "size=1m,nr_inodes=512,mode=755")
    for path in root.read:
        _show(new, path)
    for path in DEVICES:
        _show(new, path, read_only=False)
    os.makedirs(f"{new}/etc", exist_ok=True)
    for name, text in _ETC.items():
        _write(f"{new}/etc/{name}", text, os.O_CREAT)
    for directory in ("tmp", "proc", ".nothing"):
        os.mkdir(f"{new}/{directory}")
    os.symlink("/tmp", f"{new}/dev/shm")  # noqa: S108
    for path in root.hidden:
        _hide(new, path)
    syscalls.mount("tmpfs", f"{new}/tmp", "tmpfs", flags, f"size={root.disk_bytes},nr_inodes=8192,mode=1777")
    has_proc = _mount_proc(f"{new}/proc")
    os.chdir(new)
    syscalls.pivot_root(".", ".")
    syscalls.detach(".")
    os.chdir("/")
    syscalls.mount("none", "/", None, syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | flags)
    return has_proc


def _show(new: str, path: str, read_only: bool = True) -> None:
    if _IS_LINK(path):
        target = f"{new}{path}"
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH120
        if not os.path.lexists(target):
            os.symlink(os.readlink(path), target)  # noqa: PTH115
        return
    if not _EXISTS(path):
        return
    target = f"{new}{path}"
    if _IS_DIR(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH120
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    syscalls.mount(path, target, None, syscalls.MS_BIND | syscalls.MS_REC)
    if read_only:
        syscalls.make_read_only(target)


def _hide(new: str, path: str) -> None:
    target = f"{new}{path}"
    if _IS_DIR(target):
        syscalls.mount(f"{new}/.nothing", target, None, syscalls.MS_BIND)
    elif _EXISTS(target):
        syscalls.mount("/dev/null", target, None, syscalls.MS_BIND)


def _mount_proc(target: str) -> bool:
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    for options in ("hidepid=2,subset=pid", ""):
        try:
            syscalls.mount("proc", target, "proc", flags, options)
        except OSError:  # a container that masks parts of /proc, or an old kernel: do without
            continue
        return True
    return False


def _write(path: str, text: str, flags: int = 0) -> None:
    descriptor = os.open(path, os.O_WRONLY | flags, 0o644)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
