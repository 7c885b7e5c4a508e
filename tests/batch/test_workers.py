"""A worker that dies or hangs costs only its own task."""

from __future__ import annotations

import pytest

from grader.workers import Outcome, Pool

FUNCTION = "tests.batch.tasks:run"


def run_all(tasks: list[dict[str, object]], count: int = 2, limit: float = 30.0) -> dict[str, Outcome]:
    waiting = {str(number): task for number, task in enumerate(tasks)}
    found: dict[str, Outcome] = {}
    with Pool(FUNCTION, count, {"a": 1}) as pool:
        while len(found) < len(tasks):
            while pool.free and waiting:
                name = next(iter(waiting))
                pool.submit(name, waiting.pop(name), limit)
            for outcome in pool.outcomes():
                found[outcome.task] = outcome
    return found


def test_results_come_back_whatever_the_neighbours_do() -> None:
    tasks: list[dict[str, object]] = [{"do": "die"}, {"do": "double", "n": 4}, {"do": "raise"}, {"do": "exit"}]
    tasks += [{"do": "orphan"}, *({"do": "double", "n": n} for n in range(4)), {"do": "setup"}]
    found = run_all(tasks)
    assert [found[str(n)].how for n in range(5)] == ["died", "done", "raised", "died", "died"]
    assert [found[str(n)].value for n in range(5, 10)] == [0, 2, 4, 6, {"a": 1}]
    assert "SIGKILL" in found["0"].detail
    assert "on purpose" in found["2"].detail


def test_a_task_that_takes_too_long_is_ended() -> None:
    found = run_all([{"do": "sleep"}, {"do": "double", "n": 1}], limit=1.5)
    assert found["0"].how == "timeout"
    assert found["1"].how == "done"


def test_a_pool_leaves_no_process_behind() -> None:
    with Pool(FUNCTION, 1) as pool:
        pool.submit("a", {"do": "sleep"}, 30.0)
        process = pool._workers[0].process
    assert not process.is_alive()


@pytest.mark.parametrize("text", ["\ud800", "ä\x00", "x" * 200_000])
def test_any_text_crosses_the_pipe(text: str) -> None:
    with Pool(FUNCTION, 1, text) as pool:
        pool.submit("a", {"do": "setup"}, 30.0)
        found = []
        while not found:
            found = list(pool.outcomes())
    assert found[0].value == text
