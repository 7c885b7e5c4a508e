"""A student's self-check from a cold start, beside the bare start of the libraries such programs are built on.

    python benchmarks/check.py [--rounds N]

Every round starts each program once, one after the other, so that a machine under load slows all alike.  Wall and
processor seconds (user and system, of all processes) are medians; the ratio is to importing sympy and pandas.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOOR = "sympy and pandas imported"
SHEET, RECURSIONS = "problems/dl-sheet01", "problems/adl4p-ex05"
PROGRAMS = {
    FLOOR: ("-c", "import sympy, pandas"),
    "numpy imported": ("-c", "import numpy"),
    "grader --help": ("-m", "grader", "--help"),
    "grader check, whole sheet": (
        *("-m", "grader", "check", "submissions/dl-sheet01/ada/documentation.md"),
        *("--problem", SHEET),
    ),
    "grader check, one question": (
        *("-m", "grader", "check", "submissions/dl-sheet01/ada/documentation.md"),
        *("--problem", SHEET, "--question", "1a"),
    ),
    "grader check, recursions": ("-m", "grader", "check", "submissions/adl4p-ex05/mei", "--problem", RECURSIONS),
}


def run_once(arguments: tuple[str, ...]) -> tuple[float, float]:
    """Wall and processor seconds of one program."""
    before, started = os.times(), time.perf_counter()
    found = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, check=False)
    seconds, after = time.perf_counter() - started, os.times()
    assert found.returncode in (0, 1), found.stderr.decode()
    return seconds, after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    for arguments in PROGRAMS.values():  # compiled files and the disk's cache, as on a student's second start
        run_once(arguments)
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name, arguments in PROGRAMS.items():
            seen[name].append(run_once(arguments))
    floor = statistics.median(cpu for _, cpu in seen[FLOOR])
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; bytecode kept: {not sys.dont_write_bytecode}")
    print(f"{'':28} {'wall':>8} {'processor':>10} {'least':>7} {'ratio':>6}")
    for name, times in seen.items():
        wall = statistics.median(seconds for seconds, _ in times)
        cpu = statistics.median(cpu for _, cpu in times)
        least = min(cpu for _, cpu in times)
        print(f"{name:28} {wall:6.2f} s {cpu:8.2f} s {least:5.2f} s {cpu / floor:5.2f}x")


if __name__ == "__main__":
    main()
