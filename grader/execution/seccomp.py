"""The system calls student code is refused, as a BPF program for x86-64.

Refused calls return EPERM, so that a library that merely tries goes on.  Threads are allowed, processes are not;
signals reach only the process itself; `prctl` may not undo what ties its life to its supervisor.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from grader.execution import syscalls

AUDIT_ARCH_X86_64 = 0xC000003E
X32_BIT = 0x40000000
LAST_KNOWN = 470  # later calls do not exist for the sandbox: ENOSYS, so that libraries fall back
AF_UNIX = 1
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARG0_LOW, _ARG0_HIGH = 0, 4, 16, 20

REFUSED = {
    # network
    **{"socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "accept4": 288},
    # processes and other processes' memory
    **{"fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "ptrace": 101, "process_vm_readv": 310},
    **{"process_vm_writev": 311, "kcmp": 312, "pidfd_open": 434, "pidfd_send_signal": 424, "pidfd_getfd": 438},
    **{"process_madvise": 440, "process_mrelease": 448, "tkill": 200, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297},
    # memory that no limit of the process counts
    **{"shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "msgget": 68, "mq_open": 240, "memfd_create": 319},
    **{"memfd_secret": 447, "mlock": 149, "mlockall": 151, "mlock2": 325, "remap_file_pages": 216},
    # mounts, namespaces, roots
    **{"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308, "open_tree": 428},
    **{"move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442},
    **{"statmount": 457, "listmount": 458, "open_tree_attr": 467, "mknod": 133, "mknodat": 259},
    # the machine
    **{"bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426},
    **{"io_uring_register": 427, "keyctl": 250, "add_key": 248, "request_key": 249, "kexec_load": 246},
    **{"kexec_file_load": 320, "init_module": 175, "finit_module": 313, "delete_module": 176, "reboot": 169},
    **{"swapon": 167, "swapoff": 168, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173},
    **{"quotactl": 179, "quotactl_fd": 443, "acct": 163, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159},
    **{"clock_adjtime": 305, "syslog": 103, "personality": 135, "open_by_handle_at": 304, "name_to_handle_at": 303},
    **{"fanotify_init": 300, "fanotify_mark": 301, "lookup_dcookie": 212, "seccomp": 317, "vhangup": 153},
    **{"modify_ldt": 154, "uselib": 134, "ustat": 136, "sysfs": 139, "nfsservctl": 180, "vmsplice": 278},
    **{"move_pages": 279, "migrate_pages": 256, "mbind": 237, "set_mempolicy": 238, "_sysctl": 156},
}
ABSENT = {"clone3": 435}  # glibc then uses clone, whose flags a filter can see
CLONE, KILL, TGKILL, SOCKETPAIR, PRCTL = 56, 62, 234, 53, 157
PRCTL_REFUSED = (syscalls.PR_SET_PDEATHSIG, syscalls.PR_SET_DUMPABLE, syscalls.PR_SET_SECCOMP)


def available() -> bool:
    return syscalls.available() and syscalls.MACHINE == "x86_64"


def program(pid: int) -> bytes:
    """The filter for the process `pid` (as it sees itself): instructions of `struct sock_filter`."""
    code: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, AUDIT_ARCH_X86_64),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_AT_LEAST, 0, 1, X32_BIT),
        (_RETURN, 0, 0, _KILL),
        (_JUMP_AT_LEAST, 0, 1, LAST_KNOWN),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    for number in REFUSED.values():
        code += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    for number in ABSENT.values():
        code += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    refuse, allow = (_RETURN, 0, 0, _ERRNO | errno.EPERM), (_RETURN, 0, 0, _ALLOW)
    threads = [(_LOAD, 0, 0, _ARG0_LOW), (_JUMP_SET, 1, 0, syscalls.CLONE_THREAD), refuse, allow]
    itself = [(_LOAD, 0, 0, _ARG0_LOW), (_JUMP_EQUAL, 1, 0, pid), refuse, allow]
    local = [(_LOAD, 0, 0, _ARG0_LOW), (_JUMP_EQUAL, 1, 0, AF_UNIX), refuse, allow]
    options = [(_LOAD, 0, 0, _ARG0_LOW)]
    for option in PRCTL_REFUSED:
        options += [(_JUMP_EQUAL, 0, 1, option), refuse]
    options.append(allow)
    for number, block in ((CLONE, threads), (KILL, itself), (TGKILL, itself), (SOCKETPAIR, local), (PRCTL, options)):
        code += [(_JUMP_EQUAL, 0, len(block), number), *block]
    code.append(allow)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def install() -> None:
    """Put this process and its threads under the filter.  Needs no_new_privs.  Raises OSError."""
    code = program(os.getpid())
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    syscalls.prctl(syscalls.PR_SET_SECCOMP, 2, header)
