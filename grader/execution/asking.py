"""Probes in order over a kernel's pipe: what was answered is kept, whatever the next one does to the kernel."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from grader.execution import probes as wire
from grader.execution.client import Kernel
from grader.execution.limits import INTERRUPT_GRACE_SECONDS, PROBE_BATCH, Limits
from grader.execution.probes import Probe
from grader.model import Observation

FAILURES_PER_NODE = 2  # after so many time-outs or deaths the node's other probes are not asked


class Questions:
    """The probes of one hand-in and what became of them.  Outlives the kernels that are asked."""

    def __init__(self, probes: Sequence[Probe], limits: Limits) -> None:
        self.probes = probes
        self.limits = limits
        self.waiting: deque[int] = deque(range(len(probes)))
        self.answers: dict[int, Observation] = {}
        self.failures: Counter[str] = Counter()
        self.time_left = limits.probes_seconds

    @property
    def open(self) -> bool:
        return bool(self.waiting)

    def observations(self) -> tuple[Observation, ...]:
        """One per probe, in order; call `give_up` first if some are still waiting."""
        return tuple(self.answers[number] for number in range(len(self.probes)))

    def give_up(self, status: wire.Status, detail: str) -> None:
        """Nothing more will be asked."""
        for number in self.waiting:
            self.answers[number] = wire.unanswered(self.probes[number], status, detail)
        self.waiting.clear()

    def note_failure(self, number: int, status: wire.Status, detail: str, seconds: float) -> None:
        """This probe's answer is that it had none; the other probes of its node go to the end of the queue."""
        node = _node(self.probes[number])
        self.answers[number] = wire.unanswered(self.probes[number], status, detail, seconds)
        self.failures[node] += 1
        same = [other for other in self.waiting if _node(self.probes[other]) == node]
        self.waiting = deque(other for other in self.waiting if _node(self.probes[other]) != node)
        if self.failures[node] < FAILURES_PER_NODE:
            self.waiting.extend(same)
            return
        for other in same:
            self.answers[other] = wire.unanswered(self.probes[other], status, f"not asked again: {detail}")


def _node(probe: Probe) -> str:
    return f"{probe.op} {probe.node}"


async def load_adapter(kernel: Kernel, source: str, limits: Limits) -> tuple[str, tuple[str, ...]]:
    """What went wrong ("" if nothing) and the watched modules the process has seen.  Never raises."""
    reply = await ask_once(kernel, {"op": "adapter", "id": 0, "source": source}, limits.probe_seconds)
    probe = Probe("adapter", op="nodes")
    if reply is None:
        kernel.kill("adapter.timeout", "the adapter did not finish")
        await kernel.dead.wait()
        return "the adapter did not finish", ()
    observation = wire.decode_reply(reply, probe)
    return ("" if observation.status == "returned" else observation.detail or observation.status), tuple(
        name for name, _ in observation.flags
    )


async def ask_once(kernel: Kernel, request: dict[str, Any], seconds: float) -> object:
    """The reply to one request, None if there was none in time."""
    kernel.ask([request])
    try:
        answer = await kernel.answer(seconds)
    except TimeoutError:
        return None
    return None if answer is None else answer[1]


async def ask_all(kernel: Kernel, questions: Questions) -> None:
    """Ask until all is answered, the time is up, or the kernel is gone (then some are still waiting)."""
    asked: deque[int] = deque()
    since = kernel.clock.mark()
    interrupted: int | None = None
    while questions.waiting or asked:
        while questions.waiting and len(asked) < PROBE_BATCH:
            number = questions.waiting.popleft()
            asked.append(number)
            request = wire.encode_probe(questions.probes[number], number)
            kernel.ask([{"op": "probe", "id": number, "request": request}])
        patience = INTERRUPT_GRACE_SECONDS if interrupted is not None else questions.limits.probe_seconds
        try:
            answer = await kernel.answer(min(patience, max(0.01, questions.time_left)))
        except TimeoutError:
            if interrupted is None and questions.time_left > patience:
                interrupted = asked[0]
                kernel.interrupt()
                continue
            kernel.kill("probe.timeout", "a probe did not stop when interrupted")
            await kernel.dead.wait()
            answer = None
        seconds = kernel.clock.spent(since)
        since = kernel.clock.mark()
        questions.time_left -= seconds
        head = asked.popleft()
        if answer is None:
            await kernel.dead.wait()
            questions.waiting.extendleft(reversed(asked))
            status: wire.Status = "timeout" if kernel.reason == "probe.timeout" else "killed"
            questions.note_failure(head, status, kernel.detail, seconds)
            return
        number, reply = answer
        if number != head:
            kernel.kill("kernel.violation", "answers out of order")
            await kernel.dead.wait()
            questions.waiting.extendleft(reversed(asked))
            questions.note_failure(head, "killed", kernel.detail, seconds)
            return
        observation = wire.decode_reply(reply, questions.probes[head], seconds)
        if observation.status == "raised" and observation.detail == "KeyboardInterrupt" and interrupted is not None:
            _note_interrupted(questions, head, interrupted, seconds)
            interrupted = None
            continue
        questions.answers[head] = observation
        if head == interrupted and not kernel.dead.is_set():
            interrupted = None


def _note_interrupted(questions: Questions, head: int, meant: int, seconds: float) -> None:
    """The interrupt ended a probe: the one it was meant for, or the next one, which is then asked again."""
    if head == meant:
        questions.note_failure(head, "timeout", "did not finish in time", seconds)
    else:
        questions.waiting.append(head)
