"""A batch killed again and again with SIGKILL ends with the same bytes as one that ran through.

    python benchmarks/killed_batch.py --submissions 1000 --kills 8

Copies a sample class until it has that many students, grades it once undisturbed, then once with kills at random
moments, and compares every report, the gradebook, the class page and the review list byte for byte.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]


def make_class(sample: Path, folder: Path, count: int) -> None:
    """`count` students, each a copy of one of the sample class with a line of its own."""
    students = sorted(path for path in sample.iterdir() if path.is_dir())
    for number in range(count):
        student = folder / f"student{number:05}"
        shutil.copytree(students[number % len(students)], student)
        (student / "about.txt").write_text(f"This is hand-in {number}.\n")


def freeze(folder: Path) -> Path:
    """A copy of the program, so that nothing changes under a long run."""
    for name in ("grader", "reference", "problems"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def grade(tree: Path, sheet: str, submissions: Path, out: Path, jobs: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "grader", "batch", f"problems/{sheet}", str(submissions), "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    return subprocess.Popen([*command, "--jobs", str(jobs)], cwd=tree, env=environment, stdout=subprocess.DEVNULL)


def snapshot(out: Path) -> dict[str, bytes]:
    files = [
        path for path in out.rglob("*") if path.is_file() and not path.name.startswith((".grader", "grader.sqlite"))
    ]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


@click.command()
@click.option("--sheet", default="adl4p-ex05", show_default=True)
@click.option("--submissions", "count", default=1000, show_default=True)
@click.option("--kills", default=8, show_default=True)
@click.option("--jobs", default=2, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Of the moments of the kills.")
def main(sheet: str, count: int, kills: int, jobs: int, seed: int) -> None:
    """Compare a batch that is killed with one that is not."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        submissions, whole, killed = (Path(place) / name for name in ("class", "whole", "killed"))
        tree = freeze(Path(place) / "tree")
        make_class(ROOT / "submissions" / sheet, submissions, count)
        started = time.monotonic()
        assert grade(tree, sheet, submissions, whole, jobs).wait() == 0
        seconds = time.monotonic() - started
        click.echo(f"{count} submissions in {seconds:.1f} s ({1000 * seconds / count:.0f} ms each)")
        for number in range(kills):
            process = grade(tree, sheet, submissions, killed, jobs)
            time.sleep(chance.uniform(0.3, 2.0) * seconds / (kills + 1))
            process.kill()
            process.wait()
            click.echo(f"kill {number + 1}")
        assert grade(tree, sheet, submissions, killed, jobs).wait() == 0
        first, second = snapshot(whole), snapshot(killed)
        different = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
        click.echo(f"{len(first)} files, {len(different)} different {different[:5]}")
        sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
