"""The few Linux calls Python's library lacks, by ctypes.  Everything raises OSError with the call's name."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Any

MACHINE = platform.machine()

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    *(1, 2, 4, 8, 32, 4096, 16384),
    1 << 18,
)
MNT_DETACH = 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 1, 2, 4
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAPBSET_DROP = 1, 4, 8, 24
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 22, 38, 47
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_THREAD = 0x10000000, 0x20000000, 0x40000000, 0x10000
LAST_CAPABILITY = 40

# Numbers from 424 on are the same on every processor; the few older ones differ.
_COMMON = {
    "mount_setattr": 442,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}
_OLDER = {"x86_64": {"pivot_root": 155, "capset": 126}, "aarch64": {"pivot_root": 41, "capset": 91}}


def available() -> bool:
    """Whether this platform is one whose calls are known here: Linux on x86-64 or ARM64."""
    return platform.system() == "Linux" and MACHINE in _OLDER


def call(name: str, *args: Any) -> int:
    number = _COMMON.get(name) or _OLDER[MACHINE][name]
    return _checked(name, _libc().syscall(ctypes.c_long(number), *(_argument(a) for a in args)))


def prctl(option: int, *args: Any) -> int:
    padded = [*args, *([0] * (4 - len(args)))]
    return _checked("prctl", _libc().prctl(option, *(_argument(a) for a in padded)))


def unshare(flags: int) -> None:
    _checked("unshare", _libc().unshare(flags))


def join(descriptor: int, kind: int) -> None:
    """Move (for process namespaces: the children born from now on) into the namespace behind a descriptor."""
    _checked("setns", _libc().setns(descriptor, kind))


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    kind_bytes = None if kind is None else kind.encode()
    result = _libc().mount(
        os.fsencode(source), os.fsencode(target), kind_bytes, ctypes.c_ulong(flags), options.encode()
    )
    _checked(f"mount {target}", result)


def make_read_only(target: str) -> None:
    """Read-only, without devices and set-user-id, mounts below included."""
    attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
    request = struct.pack("=QQQQ", attributes, 0, 0, 0)
    call("mount_setattr", AT_FDCWD, os.fsencode(target), AT_RECURSIVE, request, len(request))


def detach(target: str) -> None:
    _checked(f"umount {target}", _libc().umount2(os.fsencode(target), MNT_DETACH))


def pivot_root(new: str, old: str) -> None:
    call("pivot_root", os.fsencode(new), os.fsencode(old))


def drop_capabilities() -> None:
    """Nothing left in any set, and nothing can come back."""
    for capability in range(LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # unknown to this kernel, or not ours to drop: the sets below are emptied all the same
            break
    prctl(PR_CAP_AMBIENT, 4)
    header = struct.pack("=Ii", 0x20080522, 0)
    call("capset", header, struct.pack("=6I", *([0] * 6)))


def _libc() -> Any:
    return _LIBC


def _argument(value: Any) -> Any:
    return ctypes.c_long(value) if isinstance(value, int) else ctypes.c_char_p(value)


def _checked(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


_LIBC = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
