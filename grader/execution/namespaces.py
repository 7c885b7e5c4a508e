"""A root of its own for student code: an empty tmpfs with the interpreter and libraries bound in, read-only.

The zygote moves into namespaces of its own once and builds the root there; each kernel then gets a process namespace,
a mount namespace, a private tmpfs, a /proc and a user namespace without any rights over the mounts it sees.
Paths are handled as text: part of this runs before every kernel.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
ZYGOTE_DISK = "32m"
_FLAGS = syscalls.MS_NOSUID | syscalls.MS_NODEV


@dataclass(frozen=True, slots=True)
class Tree:
    """A directory, a file, or a symbolic link (then `link` is its text) of the real file system."""

    path: str
    directory: bool
    link: str = ""


@dataclass(frozen=True, slots=True)
class Root:
    """What is visible: trees of the real file system to read, and paths below them that are covered up."""

    read: tuple[Tree, ...]
    hidden: tuple[str, ...]
    mount_point: str  # an existing empty directory of ours

    @property
    def home(self) -> str:
        """The one directory that can be written to; not /tmp where something visible lives below it."""
        return "/sandbox" if any(tree.path.startswith("/tmp/") for tree in self.read) else "/tmp"  # noqa: S108


def leave_host(inside_user_namespace: bool) -> None:
    """Leave every namespace of the host.  The process must have one thread.  Raises OSError."""
    syscalls.unshare(NAMESPACES | (syscalls.CLONE_NEWUSER if inside_user_namespace else 0))
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)


def map_to(pid: int, user: int, group: int, may_set_groups: bool) -> None:
    """Map NOBODY inside the user namespace of `pid` to one user and group outside.  Raises OSError."""
    if not may_set_groups:
        _write(f"/proc/{pid}/setgroups", "deny")
    _write(f"/proc/{pid}/gid_map", f"{NOBODY} {group} 1")
    _write(f"/proc/{pid}/uid_map", f"{NOBODY} {user} 1")


def become_nobody(may_set_groups: bool, keep_capabilities: bool) -> None:
    """Take the identity NOBODY, for good.  Raises OSError."""
    if keep_capabilities:
        syscalls.prctl(syscalls.PR_SET_KEEPCAPS, 1)
    if may_set_groups:
        os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def open_trees(root: Root) -> dict[str, int]:
    """Descriptors of the trees, opened in the new mount namespace while this process may still reach them all."""
    return {tree.path: os.open(tree.path, os.O_PATH | os.O_CLOEXEC) for tree in root.read if not tree.link}


def build_root(root: Root, opened: Mapping[str, int]) -> None:
    """Build the root and move into it.  Raises OSError."""
    new = root.mount_point
    syscalls.mount("tmpfs", new, "tmpfs", _FLAGS, "size=1m,nr_inodes=512,mode=755")
    for directory in ("proc", ".nothing", root.home[1:]):
        Path(f"{new}/{directory}").mkdir()
    syscalls.mount("tmpfs", f"{new}{root.home}", "tmpfs", _FLAGS, f"size={ZYGOTE_DISK},mode=1777")
    for tree in root.read:
        _show(new, tree, opened)
    for path in DEVICES:
        _bind(new, path, path, directory=False)
    Path(f"{new}/etc").mkdir(exist_ok=True)
    _write(f"{new}/etc/passwd", f"student:x:{NOBODY}:{NOBODY}:student:{root.home}:/bin/false\n", os.O_CREAT)
    _write(f"{new}/etc/group", f"student:x:{NOBODY}:\n", os.O_CREAT)
    Path(f"{new}/dev/shm").symlink_to(root.home)  # noqa: S108
    for path in root.hidden:
        _hide(new, path)
    _mount_proc(f"{new}/proc", "")
    os.chdir(new)
    syscalls.pivot_root(".", ".")
    syscalls.detach(".")
    os.chdir("/")
    syscalls.mount("none", "/", None, syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | _FLAGS)
    for descriptor in opened.values():
        os.close(descriptor)


def settle(root: Root, disk_bytes: int) -> str:
    """A kernel's own part: private tmpfs and /proc in a mount namespace of its own.  Its working directory."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("tmpfs", root.home, "tmpfs", _FLAGS, f"size={disk_bytes},nr_inodes=8192,mode=1777")
    if not _mount_proc("/proc", "hidepid=2,subset=pid"):
        syscalls.mount("tmpfs", "/proc", "tmpfs", _FLAGS | syscalls.MS_RDONLY, "size=4k")
    work = f"{root.home}/work"
    Path(work).mkdir()
    return work


def give_up_rights_over_mounts() -> None:
    """A user namespace below the one that owns the mounts: limits are counted in it, rights end at it."""
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)  # else its own /proc entries belong to root
    map_to(os.getpid(), NOBODY, NOBODY, may_set_groups=False)


def _show(new: str, tree: Tree, opened: Mapping[str, int]) -> None:
    if tree.link:
        place = Path(f"{new}{tree.path}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(tree.link)
        return
    target = _bind(new, f"/proc/self/fd/{opened[tree.path]}", tree.path, tree.directory)
    syscalls.make_read_only(target)


def _bind(new: str, source: str, path: str, directory: bool) -> str:
    target = f"{new}{path}"
    if directory:
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    syscalls.mount(source, target, None, syscalls.MS_BIND | syscalls.MS_REC)
    return target


def _hide(new: str, path: str) -> None:
    target = f"{new}{path}"
    if Path(target).is_dir():
        syscalls.mount(f"{new}/.nothing", target, None, syscalls.MS_BIND)
    elif Path(target).exists():
        syscalls.mount("/dev/null", target, None, syscalls.MS_BIND)


def _mount_proc(target: str, options: str) -> bool:
    """False in a container that masks parts of /proc, or on an old kernel: there is none then."""
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    try:
        syscalls.mount("proc", target, "proc", flags, options)
    except OSError:
        return False
    return True


def _write(path: str, text: str, flags: int = 0) -> None:
    descriptor = os.open(path, os.O_WRONLY | flags, 0o644)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
