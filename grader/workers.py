"""A pool of processes that survives its workers: one that dies or takes too long costs only its own task.

Tasks and results are JSON over pipes.  `concurrent.futures` gives up a whole pool when one worker dies; here the task
is reported as lost and the worker replaced.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import Any, Literal

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # one each: the pool uses the cores
PRELOADED = ("grader.job", "grader.grading", "grader.reporting.json_report")
STOP_SECONDS = 2.0
TICK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended.  `value` is the worker's result, or in `detail` stands what happened instead."""

    task: str
    how: Literal["done", "died", "timeout", "raised"]
    value: Any = None
    detail: str = ""
    seconds: float = 0.0


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    task: str | None = None
    since: float = 0.0
    limit: float = 0.0


@dataclass
class Pool:
    """`count` processes that run `function`, named `package.module:name`, on JSON values one at a time.

    submit() hands out a task when a worker is free; outcomes() waits for the next ones.  Used as a context manager; at
    its end every worker is gone.
    """

    function: str
    count: int
    setup: Any = None
    _workers: list[_Worker] = field(default_factory=list)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            _end(worker)
        self._workers.clear()

    @property
    def free(self) -> int:
        """How many tasks can be submitted now."""
        return self.count - sum(worker.task is not None for worker in self._workers)

    def submit(self, task: str, value: Any, limit: float) -> None:
        """Start a task that may take `limit` seconds.  Only when `free` is positive."""
        worker = next((w for w in self._workers if w.task is None and w.process.is_alive()), None)
        if worker is None:
            self._workers = [w for w in self._workers if w.task is not None]
            worker = _start(self.function, self.setup)
            self._workers.append(worker)
        worker.task, worker.since, worker.limit = task, time.monotonic(), limit
        with contextlib.suppress(OSError):  # a worker that is dead already is found by outcomes()
            worker.pipe.send_bytes(json.dumps(value).encode())

    def outcomes(self) -> Iterator[Outcome]:
        """The tasks that ended since the last call; waits for at most a tick."""
        busy = [worker for worker in self._workers if worker.task is not None]
        ready = wait([worker.pipe for worker in busy], TICK_SECONDS) if busy else []
        now = time.monotonic()
        for worker in busy:
            assert worker.task is not None
            task, seconds = worker.task, now - worker.since
            if worker.pipe in ready or not worker.process.is_alive():  # a grandchild may keep a dead one's pipe open
                yield self._receive(worker, task, seconds)
            elif seconds > worker.limit:
                self._drop(worker)
                yield Outcome(task, "timeout", detail=f"no result after {worker.limit:.0f} s", seconds=seconds)

    def _receive(self, worker: _Worker, task: str, seconds: float) -> Outcome:
        try:
            answer = json.loads(worker.pipe.recv_bytes()) if worker.pipe.poll() else None
        except (EOFError, OSError, ValueError):
            answer = None
        if answer is None:
            self._drop(worker)
            code = worker.process.exitcode
            how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
            return Outcome(task, "died", detail=f"worker ended: {how}", seconds=seconds)
        worker.task = None
        if "error" in answer:
            return Outcome(task, "raised", detail=answer["error"], seconds=seconds)
        return Outcome(task, "done", answer["value"], seconds=answer["seconds"])

    def _drop(self, worker: _Worker) -> None:
        worker.task = None
        self._workers.remove(worker)
        _end(worker, at_once=True)


def _start(function: str, setup: Any) -> _Worker:
    for name in THREADS:
        os.environ.setdefault(name, "1")
    context = _context()
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, function, json.dumps(setup)), daemon=False)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _context() -> Any:
    """Workers are forked from a server that has imported everything once; spawned where there is no such server."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context


def _end(worker: _Worker, at_once: bool = False) -> None:
    with contextlib.suppress(OSError):
        worker.pipe.close()
    if not at_once and worker.task is None:
        worker.process.join(STOP_SECONDS)
    if worker.process.is_alive():
        worker.process.kill()
    worker.process.join()


def serve(pipe: Connection, function: str, setup: str) -> None:
    """A worker's life: tasks in, results out, until the pipe closes.  Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run: Callable[[Any, Any], Any] | None = None
    prepared = json.loads(setup)
    while True:
        try:
            value = json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        started = time.monotonic()
        try:
            if run is None:
                module, name = function.split(":")
                run = getattr(import_module(module), name)
            assert run is not None
            answer = {"value": run(value, prepared), "seconds": time.monotonic() - started}
        except Exception:  # noqa: BLE001 - the pool's one place for what a task raises; the caller decides
            answer = {"error": traceback.format_exc(limit=20)}
        try:
            pipe.send_bytes(json.dumps(answer).encode())
        except OSError:
            return
        sys.stdout.flush()
