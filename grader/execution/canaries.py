"""Attacks we make on our own sandbox before a batch.  If one gets through, other people's code is not run.

Each canary is a cell that tries something and says what happened; what it would have to touch outside is set up here.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.execution import seccomp
from grader.execution.hatchery import OWN_ROOT, SandboxError, environment
from grader.execution.limits import MIB, Limits
from grader.execution.pool import Pool

CANARY_LIMITS = Limits(
    cell_seconds=5.0, notebook_seconds=30.0, probes_seconds=1.0, memory_bytes=256 * MIB, disk_bytes=8 * MIB, threads=32
)
SAID = "canary: "
PUBLIC = frozenset({"HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR", "TERM", "PAGER", "GIT_PAGER"})  # set inside as well
PUBLIC |= {"CLICOLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "LC_CTYPE"}


@dataclass(frozen=True, slots=True)
class CanaryResult:
    """One attack: `held` says whether the sandbox withstood it, `detail` what happened."""

    name: str
    held: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Canary:
    name: str
    code: str  # assigns `breach`: a non-empty text when the attack worked; an exception is a success of the sandbox
    needs_seccomp: bool = False


_SYSCALL = "import ctypes; call = ctypes.CDLL(None, use_errno=True).syscall\n"
CANARIES = (
    Canary("read a file of the grader", "breach = open(SECRET).read()"),
    Canary("write a file of the grader", "breach = open(SECRET, 'a').write('x') and 'written'"),
    Canary("make a file beside it", "breach = open(SECRET + '.new', 'w').write('x') and 'written'"),
    Canary("list the grader's folder", "import os; breach = ' '.join(os.listdir(OWN_ROOT))"),
    Canary("reach it through /proc", "breach = open('/proc/1/root' + SECRET).read()"),
    Canary("import the grader", "import grader.model; breach = 'imported'"),
    Canary("import the reference engine", "import reference.expression; breach = 'imported'"),
    Canary(
        "change an installed library",
        "import numpy, os; p = os.path.join(os.path.dirname(numpy.__file__), 'canary_written')\n"
        "open(p, 'w').close(); os.unlink(p); breach = p",
    ),
    Canary("read the grader's environment", "import os; breach = ' '.join(set(os.environ) & set(ENVIRONMENT))"),
    Canary(
        "connect to the network",
        "import socket; s = socket.socket(); s.settimeout(1); s.connect(('127.0.0.1', PORT)); breach = 'connected'",
    ),
    Canary(
        "connect to a local service",
        "import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(1); s.connect(SERVICE); breach = 'connected'",
    ),
    Canary("fork", "import os\np = os.fork()\nif p == 0: os._exit(0)\nbreach = 'forked'", needs_seccomp=True),
    Canary("run a program", "import subprocess; breach = subprocess.run(['/bin/true']) and 'ran'", needs_seccomp=True),
    Canary(
        "signal another process",
        "import os\nfor p in {os.getppid(), GRADER} - {0}:\n    os.kill(p, 0); breach = f'may signal {p}'",
    ),
    Canary("signal everything", "import os; os.kill(-1, 0); breach = 'may signal all'", needs_seccomp=True),
    Canary("trace another process", f"{_SYSCALL}breach = 'traced' if call(101, 16, GRADER, 0, 0) == 0 else ''"),
    Canary(
        "see other processes",
        "import os; breach = ' '.join(p for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid())",
    ),
    Canary("become root", "import os; os.setuid(0); breach = 'root' if open('/etc/shadow').read() else ''"),
    Canary("make namespaces", "import ctypes; breach = '' if ctypes.CDLL(None).unshare(0x10020000) else 'unshared'"),
    Canary(
        "mount",
        "import ctypes; breach = '' if ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, None) else 'mounted'",
    ),
    Canary(
        "outlive the grader",
        "import ctypes; breach = '' if ctypes.CDLL(None).prctl(1, 0, 0, 0, 0) else 'cut its lifeline'",
        needs_seccomp=True,
    ),
    Canary("shared memory", f"{_SYSCALL}breach = 'got a segment' if call(29, 0, 4096, 0o1600) >= 0 else ''", True),
    Canary(
        "asynchronous system calls", f"{_SYSCALL}breach = 'got a ring' if call(425, 1, b'0' * 200) >= 0 else ''", True
    ),
    Canary(
        "use an inherited descriptor",
        "import os\nfor fd in range(3, 256):\n"
        "    try: kind = os.fstat(fd).st_mode & 0o170000\n"
        "    except OSError: continue\n"
        "    if kind in (0o100000, 0o040000): breach = f'descriptor {fd} is a file or folder'",
    ),
    Canary("take all memory", "big = bytearray(400 * 2**20); breach = 'allocated'"),
    Canary(
        "fill the disk",
        "n = 0\nfor i in range(64):\n    with open(f'f{i}', 'wb') as f: n += f.write(b'x' * 2**20)\n"
        "import time; time.sleep(1); breach = f'{n} bytes written'",
    ),
)


def canaries(pool: Pool) -> tuple[CanaryResult, ...]:
    """What became of each attack, made inside the pool's own sandbox.  Raises SandboxError if none could be made."""
    chosen = [canary for canary in CANARIES if seccomp.available() or not canary.needs_seccomp]
    with _bait() as names:
        cells = [_cell(canary, names) for canary in chosen]
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        execution = pool.observe(json.dumps(notebook).encode(), seed=b"canary", limits=CANARY_LIMITS)
    ended = {event.cell: event for event in execution.events if event.note != "cell.raised"}
    results = []
    for number, cell in enumerate(json.loads(execution.notebook)["cells"]):
        said = "".join(output.get("text", "") for output in cell["outputs"])
        if number in ended:
            results.append(CanaryResult(chosen[number].name, True, ended[number].message))
        else:
            _, found, text = said.partition(SAID)
            held, _, detail = text.strip().partition(" ")
            results.append(CanaryResult(chosen[number].name, bool(found) and held == "held", detail or "said nothing"))
    return tuple(results)


def require_isolation(pool: Pool, *, without_isolation: bool = False) -> tuple[CanaryResult, ...]:
    """Refuse to run other people's code unless it is isolated and every canary is caught.

    Raises SandboxError.  `without_isolation` (`--sandbox none`) runs it all the same; nothing is tried then.
    """
    if without_isolation:
        return ()
    if pool.tier == "none":
        raise SandboxError(
            "This machine offers no isolation for student code.  `grader doctor` says what is missing; "
            "`--sandbox none` runs the code unprotected, for code you trust."
        )
    results = canaries(pool)
    escaped = [result for result in results if not result.held]
    if escaped:
        what = "; ".join(f"{result.name} ({result.detail})" for result in escaped)
        raise SandboxError(f"The sandbox (tier {pool.tier}) does not hold: {what}.")
    return results


@contextlib.contextmanager
def _bait() -> Iterator[dict[str, object]]:
    """Something outside to steal, to write to and to talk to."""
    with tempfile.TemporaryDirectory(prefix="canary-") as folder, contextlib.ExitStack() as open_sockets:
        secret = Path(folder, "secret")
        secret.write_text(secrets.token_hex(8), encoding="ascii")
        Path(folder).chmod(0o755)
        secret.chmod(0o666)
        network = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0)))
        local = open_sockets.enter_context(socket.socket(socket.AF_UNIX))
        service = "\0canary-" + secrets.token_hex(8)
        local.bind(service)
        local.listen()
        yield {
            "SECRET": str(secret),
            "OWN_ROOT": f"{OWN_ROOT}/grader",
            "PORT": network.getsockname()[1],
            "SERVICE": service,
            "GRADER": os.getpid(),
            "ENVIRONMENT": sorted(set(os.environ) - set(environment()) - PUBLIC),
        }


def _cell(canary: Canary, names: dict[str, object]) -> dict[str, object]:
    """The attack with its report around it; anything it raises means that it was refused."""
    setting = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    body = "".join(f"    {line}\n" for line in canary.code.splitlines())
    source = (
        f"{setting}breach = ''\ntry:\n{body}except BaseException as error:\n"
        f"    print({SAID!r} + 'held', type(error).__name__, error)\n"
        f"else:\n    print({SAID!r} + ('breached ' + str(breach) if breach else 'held nothing gained'))\n"
        "finally:\n    big = None\n"
    )
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
