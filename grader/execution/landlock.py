"""Landlock: the files a process may touch, by allow-list, enforced by the kernel without any privilege.

Later ABIs add TCP (4), device ioctls (5), and signals and abstract sockets (6); what a kernel lacks is left out.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable

from grader.execution import syscalls

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
_FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | (1 << 14) | (1 << 15)  # what a rule on a plain file may name
_RIGHTS_OF_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
READ_ONLY = EXECUTE | READ_FILE | READ_DIR
_TCP_BIND_CONNECT, _SCOPE_SOCKETS_SIGNALS = 3, 3
_RULE_PATH_BENEATH, _CREATE_VERSION = 1, 1


def abi() -> int:
    """Version of Landlock this kernel offers; 0 for none."""
    if not syscalls.available():
        return 0
    try:
        return syscalls.call("landlock_create_ruleset", 0, 0, _CREATE_VERSION)
    except OSError:
        return 0


def restrict(read: Iterable[str], listed: Iterable[str], write: Iterable[str]) -> None:
    """Only files below `read` (reading, mapping code) and `write` (everything) from now on; names below `listed`.

    Needs no_new_privs.  Paths that do not exist are left out.  Raises OSError.
    """
    version = abi()
    handled = next(rights for since, rights in sorted(_RIGHTS_OF_ABI.items(), reverse=True) if since <= version)
    attributes = struct.pack(
        "=QQQ",
        handled,
        _TCP_BIND_CONNECT if version >= 4 else 0,
        _SCOPE_SOCKETS_SIGNALS if version >= 6 else 0,
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = syscalls.call("landlock_create_ruleset", attributes[:size], size, 0)
    try:
        for path in read:
            _allow(ruleset, path, READ_ONLY & handled)
        for path in listed:
            _allow(ruleset, path, READ_DIR)
        for path in write:
            _allow(ruleset, path, handled & ~(1 << 6) & ~(1 << 11))  # no device nodes
        syscalls.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - runs before every kernel; pathlib costs more than the call
            rights &= _FILE_RIGHTS
        rule = struct.pack("=Qi", rights, descriptor)
        syscalls.call("landlock_add_rule", ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)
