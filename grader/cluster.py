"""Workers on a Dask cluster, with the interface of `grader.workers.Pool`.  Needs the extra `cluster`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from grader.workers import TICK_SECONDS, Outcome


class NoCluster(Exception):
    """There is no Dask here, or no scheduler at the address."""


@dataclass
class Cluster:
    """Tasks on every thread of a Dask cluster.  Its machines see the same files under the same paths."""

    address: str
    function: str
    setup: Any = None
    _client: Any = None
    _executor: Executor | None = None
    _running: dict[Future[Any], tuple[str, float, float]] = field(default_factory=dict)
    count: int = 1

    def __enter__(self) -> Cluster:
        try:
            from distributed import Client
        except ImportError as absent:
            raise NoCluster(
                "Dask is not installed.  Install it with: pip install 'gradient-grader[cluster]'"
            ) from absent
        try:
            self._client = Client(self.address, timeout="10s")
        except OSError as trouble:
            raise NoCluster(f"No Dask scheduler answers at {self.address}: {trouble}") from trouble
        self.count = max(1, sum(self._client.nthreads().values()))
        self._executor = self._client.get_executor(pure=False, retries=0)
        return self

    def __exit__(self, *_: object) -> None:
        for future in self._running:
            future.cancel()
        if self._client is not None:
            self._client.close()

    @property
    def free(self) -> int:
        return self.count - len(self._running)

    def submit(self, task: str, value: Any, limit: float) -> None:
        assert self._executor is not None
        future = self._executor.submit(call, self.function, value, self.setup)
        self._running[future] = (task, time.monotonic(), limit)

    def outcomes(self) -> Iterator[Outcome]:
        done, _ = wait(self._running, TICK_SECONDS, FIRST_COMPLETED)
        now = time.monotonic()
        for future in list(self._running):
            task, since, limit = self._running[future]
            if future in done:
                del self._running[future]
                yield _outcome(task, future, now - since)
            elif now - since > limit:
                del self._running[future]
                future.cancel()
                yield Outcome(task, "timeout", detail=f"no result after {limit:.0f} s", seconds=now - since)


def call(function: str, value: Any, setup: Any) -> Any:
    """What a cluster's worker runs."""
    module, name = function.split(":")
    return getattr(import_module(module), name)(value, setup)


def _outcome(task: str, future: Future[Any], seconds: float) -> Outcome:
    trouble = future.exception()
    if trouble is None:
        return Outcome(task, "done", future.result(), seconds=seconds)
    died = type(trouble).__name__ in ("KilledWorker", "CancelledError", "LostWorker")
    return Outcome(task, "died" if died else "raised", detail=f"{type(trouble).__name__}: {trouble}", seconds=seconds)
