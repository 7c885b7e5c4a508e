"""One hand-in: its cells under nbclient, then the probes; again without the cell that killed the kernel, if one did."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode, from_dict

from grader.execution import asking, notebooks, outputs
from grader.execution.asking import Questions
from grader.execution.client import CellClient, Kernel
from grader.execution.hatchery import SandboxError
from grader.execution.limits import START_SECONDS, WATCHED, Limits, Tier
from grader.execution.probes import Probe
from grader.model import Observation

Open = Callable[[], Kernel]
_QUIET = logging.getLogger("grader.execution.nbclient")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
_WHY = {
    "cell.timeout": "stopped: it ran longer than allowed and ignored being interrupted",
    "kernel.died": "ended the kernel",
    "output.flood": "stopped: it sent more output than allowed",
    "kernel.violation": "stopped: it sent the grader messages of its own making",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened while the code ran.  `note` is a stable tag; cells count from 0."""

    note: str
    message: str
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """What running a hand-in gave.  `notebook` is nbformat 4 JSON whose outputs are plain text and images."""

    observations: tuple[Observation, ...]
    notebook: bytes
    tier: Tier
    events: tuple[Event, ...]
    imports: tuple[str, ...] = ()  # libraries that differentiate by themselves, seen imported or tried


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one hand-in."""

    code: notebooks.Code
    probes: Sequence[Probe]
    adapter: str | None
    files: tuple[tuple[str, str], ...]
    limits: Limits
    tier: Tier


@dataclass(slots=True)
class _Progress:
    """What the attempts so far have shown."""

    questions: Questions
    cells_time_left: float
    restarts_left: int
    last_chance: bool = False
    skipped: set[int] = field(default_factory=set)
    completed: set[int] = field(default_factory=set)
    shown: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    events: dict[tuple[str, int | None], Event] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)

    def note(self, note: str, message: str, cell: int | None = None) -> None:
        self.events.setdefault((note, cell), Event(note, outputs.plain(message, 400), cell))


async def run(work: Work, open_kernel: Open) -> Execution:
    """Run and ask.  Raises SandboxError for our own trouble only."""
    limits = work.limits
    progress = _Progress(Questions(work.probes, limits), limits.notebook_seconds, limits.restarts)
    while await _attempt(work, open_kernel, progress):
        progress.restarts_left -= 1
    progress.questions.give_up("killed", "not asked: the hand-in ended its kernel too often")
    watched = progress.imports | notebooks.imports_of(work.code, WATCHED)
    if watched:
        progress.note("imports.derivatives", f"imports {', '.join(sorted(watched))}, which can differentiate by itself")
    return Execution(
        observations=progress.questions.observations(),
        notebook=_executed(work.code, progress.shown),
        tier=work.tier,
        events=tuple(sorted(progress.events.values(), key=lambda e: (-1 if e.cell is None else e.cell, e.note))),
        imports=tuple(sorted(watched)),
    )


async def _attempt(work: Work, open_kernel: Open, progress: _Progress) -> bool:
    """One kernel's life.  True when another one should be tried."""
    kernel = open_kernel()
    try:
        await kernel.open()
        if work.files or kernel.starts_slowly:  # the answer says that it is there: only then its time begins
            files = {"op": "files", "id": 0, "files": [list(entry) for entry in work.files]}
            await asking.ask_once(kernel, files, START_SECONDS)
        kernel.asking = False
        if not await _run_cells(work, kernel, progress):
            return progress.restarts_left > 0
        return await _ask(work, kernel, progress)
    finally:
        await kernel.close()


async def _run_cells(work: Work, kernel: Kernel, progress: _Progress) -> bool:
    """Whether the kernel is still there after all cells."""
    notebook = _notebook(work.code, progress.skipped)
    started = kernel.cells_since = kernel.clock.mark()
    kernel.cells_seconds = progress.cells_time_left
    current = -1

    def start(cell: NotebookNode, cell_index: int) -> None:
        nonlocal current
        current = cell_index
        if cell.cell_type == "code" and kernel.cells_left() <= 0:
            cell["cell_type"] = "raw"
            progress.note("notebook.timeout", "not run: the time for the whole notebook was used up", cell_index)

    def executed(cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        _note_reply(progress, cell_index, execute_reply, kernel.interrupted)

    client = CellClient(
        notebook,
        km=kernel,
        allow_errors=True,
        timeout=None,
        record_timing=False,
        coalesce_streams=False,
        on_cell_start=start,
        on_cell_executed=executed,
        log=_QUIET,
    )
    try:
        await client.async_execute()
    except DeadKernelError:
        _raise_if_ours(kernel)
        progress.skipped.add(current)
        _keep(progress, notebook)
        progress.note(kernel.reason, _WHY.get(kernel.reason, kernel.detail), current)
        progress.cells_time_left -= kernel.clock.spent(started)
        if progress.cells_time_left <= 0:
            _take_last_chance(work, progress)
        return False
    _keep(progress, notebook)
    return True


async def _ask(work: Work, kernel: Kernel, progress: _Progress) -> bool:
    questions = progress.questions
    if not questions.open:
        return False
    if work.adapter is None:
        questions.give_up("absent", "there is no adapter to ask")
        return False
    started = kernel.clock.mark()
    trouble, seen = await asking.load_adapter(kernel, work.adapter, work.limits)
    progress.imports |= set(seen) & WATCHED
    _raise_if_ours(kernel)
    if trouble:
        progress.note("adapter.failed", trouble)
        questions.give_up("absent", trouble)
        return False
    await asking.ask_all(kernel, questions)
    _raise_if_ours(kernel)
    if not questions.open:
        return False
    progress.note(kernel.reason, f"while a probe ran: {kernel.detail}")
    if questions.time_left <= 0:
        questions.give_up("timeout", "not asked: the time for all probes was used up")
        return False
    progress.cells_time_left = max(progress.cells_time_left, kernel.clock.spent(started))
    return progress.restarts_left > 0


def _take_last_chance(work: Work, progress: _Progress) -> None:
    """The cells' time is up: once more only those that have run well, so that what they earn is not lost."""
    progress.restarts_left = 0 if progress.last_chance else 1
    progress.last_chance = True
    progress.skipped |= set(range(len(work.code.cells))) - progress.completed
    progress.cells_time_left = work.limits.cell_seconds


def _note_reply(progress: _Progress, cell: int, reply: dict[str, Any], interrupted: bool) -> None:
    content = reply["content"]
    if interrupted:
        progress.skipped.add(cell)  # should the cells run again: this one has had its time
        progress.note("cell.timeout", "interrupted: it ran longer than allowed", cell)
        return
    progress.completed.add(cell)
    if content.get("status") == "error":
        progress.note("cell.raised", f"{content['ename']}: {content['evalue']}", cell)


def _raise_if_ours(kernel: Kernel) -> None:
    if kernel.reason == "sandbox.failed":
        raise SandboxError(kernel.detail)


def _notebook(code: notebooks.Code, skipped: set[int]) -> NotebookNode:
    """A fresh notebook of the cells' text and nothing else of the file."""
    cells = []
    for number, cell in enumerate(code.cells):
        entry: dict[str, Any] = {"id": f"cell-{number}", "metadata": {}}
        if cell.code and number not in skipped:
            entry |= {"cell_type": "code", "source": cell.text, "outputs": [], "execution_count": None}
        else:
            entry |= {"cell_type": "markdown", "source": ""}
        cells.append(entry)
    # Not nbformat.v4.new_notebook: it checks every cell against the schema, which costs more than running one.
    notebook: NotebookNode = from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    return notebook


def _keep(progress: _Progress, notebook: NotebookNode) -> None:
    for number, cell in enumerate(notebook.cells):
        if cell.get("outputs"):
            progress.shown[number] = [outputs.sanitise(output) for output in cell.outputs]


def _executed(code: notebooks.Code, shown: dict[int, list[dict[str, Any]]]) -> bytes:
    cells: list[dict[str, Any]] = []
    for number, cell in enumerate(code.cells):
        entry: dict[str, Any] = {"id": f"cell-{number}", "metadata": {}, "source": cell.text}
        if cell.code:
            cells.append({**entry, "cell_type": "code", "execution_count": None, "outputs": shown.get(number, [])})
        else:
            cells.append({**entry, "cell_type": "markdown"})
    document = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1).encode()
