"""Time that student code did not get is not held against it, and whatever waits ends all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import hostile_table as table
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.execution.clocks import charge
from grader.execution.hatchery import SandboxError
from grader.execution.limits import FUSE_FACTOR, TIERS, Limits
from grader.execution.pool import Pool

SHORT = Limits(cell_seconds=0.5, notebook_seconds=1.5, probe_seconds=0.3, probes_seconds=2.0)
NEIGHBOURS_PER_CORE = 4
WORKS = """
import time
def work(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until: pass
work(0.3)
"""
SLOW_PROBES = """
class Square(Square):
    def forward(self, x):
        work(0.1)
        return super().forward(x)
"""
SECONDS = st.floats(min_value=0, max_value=1e6)


@pytest.fixture
def busy_neighbours():
    hogs = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(NEIGHBOURS_PER_CORE * (os.cpu_count() or 1))
    ]
    yield
    for hog in hogs:
        hog.kill()
        hog.wait()


@pytest.fixture(params=[(tier, True) for tier in TIERS] + [("none", False)], ids=str)
def pool(request):
    tier, fork = request.param
    try:
        with Pool(1, tier=tier, fork=fork) as shared:
            yield shared
    except SandboxError as error:
        pytest.skip(f"not offered here: {error}")


@pytest.mark.usefixtures("busy_neighbours")
@pytest.mark.skipif(sys.platform != "linux", reason="another process's processor clock can be read on Linux alone")
def test_neighbours_that_take_the_processor_cost_an_honest_hand_in_nothing(pool):
    execution = pool.observe(
        table.notebook([WORKS, WORKS, table.HONEST, SLOW_PROBES]),
        table.probes(2),
        seed=b"s",
        adapter=table.ADAPTER,
        limits=SHORT,
    )
    assert execution.events == ()
    assert table.right_nodes(table.probes(2), execution.observations) == ["square", "exp"]


@pytest.mark.usefixtures("busy_neighbours")
def test_an_endless_loop_ends_and_keeps_what_came_before_it_however_busy_the_machine(pool):
    execution = pool.observe(table.notebook(["x = 7\nwhile True: pass", "print(x)"]), seed=b"s", limits=SHORT)
    assert [(event.note, event.cell) for event in execution.events] == [("cell.timeout", 0)]
    assert json.loads(execution.notebook)["cells"][1]["outputs"][0]["text"] == "7\n"


def test_a_cell_that_sleeps_ends_by_the_fuse(pool):
    execution = pool.observe(table.notebook(["import time\ntime.sleep(600)", "print(1)"]), seed=b"s", limits=SHORT)
    assert [(event.note, event.cell) for event in execution.events] == [("cell.timeout", 0)]
    assert json.loads(execution.notebook)["cells"][1]["outputs"][0]["text"] == "1\n"


@given(SECONDS, SECONDS, SECONDS)
def test_no_more_is_charged_than_has_passed_and_no_less_than_the_fuse_asks(wall, processor, queued):
    assert (wall - queued) / FUSE_FACTOR <= charge(wall, processor, queued) <= wall


@given(SECONDS)
def test_seconds_in_which_no_processor_was_granted_are_not_charged(wall):
    assert charge(wall, 0.0, wall) == 0.0


@given(SECONDS)
def test_where_no_processor_clock_can_be_read_the_wall_clock_counts(wall):
    assert charge(wall, None) == wall
