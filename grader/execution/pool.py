"""Student code on all cores: `observe` for one hand-in, `Pool` for a class."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from grader.execution import asking, handin, notebooks, syscalls
from grader.execution.client import Kernel
from grader.execution.handin import Event, Execution
from grader.execution.hatchery import WAYS, SandboxError, Way, Zygote
from grader.execution.limits import MAX_FILES_BYTES, START_SECONDS, WATCHED, Limits, Tier
from grader.execution.probes import Probe, unanswered
from grader.execution.single import SingleKernels

DEFAULT_IMPORTS = ("numpy",)


class Pool:
    """Kernels for many hand-ins, `jobs` at a time.  Use as a context manager; threads may share it.

    `imports` are loaded before the fork (matplotlib is best declared as `matplotlib.pyplot`) and are the only libraries
    among those that differentiate by themselves which student code can import.  `tier` None takes the strongest
    that isolates, never "none"; with tier "none", `fork` False starts a whole process per kernel.  Raises SandboxError
    when the zygote cannot start or the tier is not to be had.
    """

    def __init__(
        self,
        jobs: int = 1,
        *,
        imports: Iterable[str] = DEFAULT_IMPORTS,
        tier: Tier | None = None,
        fork: bool = True,
    ) -> None:
        self.imports = tuple(imports)
        self._zygote = start_zygote(self.imports, tier, fork=fork)
        self.missing = self._zygote.missing
        self.tier: Tier = self._zygote.way.tier
        self._reviving = threading.Lock()
        self._fork = fork
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="hand-in")

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._zygote.close()

    def submit(
        self,
        source: bytes | str,
        probes: Sequence[Probe] = (),
        *,
        seed: bytes,
        limits: Limits | None = None,
        adapter: str | None = None,
        files: Iterable[tuple[str, str]] = (),
    ) -> Future[Execution]:
        """Queue one hand-in: notebook bytes or the text of a module, and files to stand beside it.

        The future raises SandboxError for our own trouble; all that the hand-in does is in the Execution.
        """
        return self._threads.submit(self._run, source, tuple(probes), seed, limits or Limits(), adapter, tuple(files))

    def observe(self, source: bytes | str, probes: Sequence[Probe] = (), **how: Any) -> Execution:
        """`submit`, waited for."""
        return self.submit(source, probes, **how).result()

    def _run(
        self,
        source: bytes | str,
        probes: tuple[Probe, ...],
        seed: bytes,
        limits: Limits,
        adapter: str | None,
        files: tuple[tuple[str, str], ...],
    ) -> Execution:
        code = notebooks.read_code(source)
        if isinstance(code, notebooks.NoCode):
            return _nothing_to_run(probes, self.tier, code.reason)
        unfit = _unfit_file(files)
        if unfit:
            return _nothing_to_run(probes, self.tier, unfit)
        work = handin.Work(code, probes, adapter, files, limits, self.tier)
        number = int.from_bytes(hashlib.sha256(b"kernel" + seed).digest()[:8], "big")
        zygote = self._zygote
        try:
            return asyncio.run(handin.run(work, lambda: Kernel(zygote.hatch(limits, number), limits)))
        except SandboxError:
            if zygote.alive:
                raise
        another = self._revive(zygote)
        return asyncio.run(handin.run(work, lambda: Kernel(another.hatch(limits, number), limits)))

    def _revive(self, dead: Zygote | SingleKernels) -> Zygote | SingleKernels:
        """Another zygote in place of one that has died (out of memory, killed), started by whoever notices first."""
        with self._reviving:
            if self._zygote is dead:
                dead.close()
                self._zygote = start_zygote(self.imports, self.tier, fork=self._fork)
            return self._zygote


def observe(
    source: bytes | str,
    probes: Sequence[Probe] = (),
    *,
    seed: bytes,
    limits: Limits | None = None,
    tier: Tier | None = None,
    imports: Iterable[str] = DEFAULT_IMPORTS,
    adapter: str | None = None,
    files: Iterable[tuple[str, str]] = (),
) -> Execution:
    """Run one hand-in and ask it the probes.  For more than one, a `Pool` saves starting a zygote for each."""
    with Pool(1, imports=imports, tier=tier) as pool:
        return pool.observe(source, probes, seed=seed, limits=limits, adapter=adapter, files=files)


def start_zygote(imports: Iterable[str] = (), tier: Tier | None = None, *, fork: bool = True) -> Zygote | SingleKernels:
    """A zygote confined the first way that works, of the given tier or of all that isolate.

    Running without isolation has to be asked for: None never comes to "none".  Raises SandboxError.
    """
    declared = tuple(imports)
    if tier == "none" and not (fork and syscalls.available()):
        return SingleKernels(declared, _refused(declared))
    reasons = []
    for way in WAYS:
        if way.tier == "none" if tier is None else way.tier != tier:
            continue
        try:
            return try_way(way, declared)
        except SandboxError as error:
            reasons.append(f"{describe_way(way)}: {error}")
    raise SandboxError("; ".join(reasons) or f"there is no tier {tier}")


def describe_way(way: Way) -> str:
    if way.tier == "namespaces":
        return "namespaces of an ordinary user" if way.user_namespace else "namespaces made by root"
    return "Landlock and seccomp alone" if way.tier == "landlock" else "no isolation"


def try_way(way: Way, imports: Iterable[str] = ()) -> Zygote:
    """A zygote confined this way, of which one kernel has answered.  Raises SandboxError with the reason."""
    declared = tuple(imports)
    zygote = Zygote(way, declared, _refused(declared))
    try:
        asyncio.run(_try(zygote))
    except SandboxError:
        zygote.close()
        raise
    return zygote


def _refused(declared: tuple[str, ...]) -> list[str]:
    return sorted(WATCHED - {name.partition(".")[0] for name in declared})


async def _try(zygote: Zygote) -> None:
    limits = Limits(notebook_seconds=5.0, probes_seconds=5.0)
    kernel = Kernel(zygote.hatch(limits, 0), limits)
    await kernel.open()
    try:
        reply = await asking.ask_once(kernel, {"op": "files", "id": 0, "files": [["here", "x"]]}, START_SECONDS)
    finally:
        await kernel.close()
    if reply != {"status": "returned"}:
        raise SandboxError(zygote.trouble or kernel.detail or "a kernel confined this way does not answer")


def _nothing_to_run(probes: tuple[Probe, ...], tier: Tier, reason: str) -> Execution:
    observations = tuple(unanswered(probe, "absent", reason) for probe in probes)
    return Execution(observations, b"", tier, (Event("notebook.unreadable", reason),))


def _unfit_file(files: tuple[tuple[str, str], ...]) -> str:
    if sum(len(text) for _, text in files) > MAX_FILES_BYTES:
        return f"The files beside the notebook are larger than {MAX_FILES_BYTES} bytes together."
    for name, _ in files:
        if not name or name.startswith("/") or "\0" in name or ".." in name.split("/"):
            return "A file beside the notebook has a name that leaves its folder."
    return ""
