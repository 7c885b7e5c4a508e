"""A class graded end to end, beside a stock nbclient that only runs the same notebooks and marks nothing.

    python benchmarks/batch.py [--sheet dl-sheet01] [--copies N] [--jobs 2]

Both take the sample class, copied N times, without the hand-ins that are made to hang or to flood: a stock kernel would
wait for them.  Ours includes start, canary attacks, sandbox, exact judging, written answers and all reports; the stock
side is one process per job over its share of the notebooks.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOSTILE = frozenset({"ivan", "jana", "emil"})
STOCK = """
import json, sys, warnings
warnings.simplefilter("ignore")
import nbformat
from nbclient import NotebookClient
for path in sys.argv[1:]:
    try:
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=20, kernel_name="python3", allow_errors=True).execute()
    except Exception as trouble:
        print(path, repr(trouble)[:100], file=sys.stderr)
"""


def make_class(sheet: str, folder: Path, copies: int) -> list[Path]:
    """The class on disk; its notebooks."""
    for source in sorted(path for path in (ROOT / "submissions" / sheet).iterdir() if path.is_dir()):
        for number in range(0 if source.name in HOSTILE else copies):
            student = folder / f"{source.name}{number:04}"
            shutil.copytree(source, student)
            (student / "about.txt").write_text(f"This is hand-in {number}.\n")
    return sorted(folder.rglob("*.ipynb"))


def run_ours(sheet: str, submissions: Path, out: Path, jobs: int) -> None:
    command = ["batch", f"problems/{sheet}", str(submissions), "--out", str(out), "--jobs", str(jobs)]
    subprocess.run([sys.executable, "-m", "grader", *command], cwd=ROOT, check=True, capture_output=True)


def run_stock(notebooks: list[Path], jobs: int) -> None:
    shares = [notebooks[number::jobs] for number in range(jobs)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", STOCK, *map(str, share)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for share in shares
    ]
    for process in running:
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", default="dl-sheet01")
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        submissions = Path(place) / "class"
        notebooks = make_class(options.sheet, submissions, options.copies)
        students = len(list(submissions.iterdir()))
        started = time.perf_counter()
        run_ours(options.sheet, submissions, Path(place) / "out", options.jobs)
        ours = time.perf_counter() - started
        started = time.perf_counter()
        run_stock(notebooks, options.jobs)
        stock = time.perf_counter() - started
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {options.jobs} jobs")
    print(f"ours, everything: {students} hand-ins in {ours:.1f} s, {1000 * ours / students:.0f} ms each")
    print(f"stock nbclient, running alone: {len(notebooks)} notebooks in {stock:.1f} s, ratio {stock / ours:.2f}")


if __name__ == "__main__":
    main()
