"""`grader audit`: what CI claimed, held against the instructor's own run."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import EXIT_OK, EXIT_USAGE

if TYPE_CHECKING:
    from grader.pushes.claims import Audited, Claim

MAX_CLAIM_BYTES = 8 * 1024 * 1024
CLAIM_FILES = ("result.json", "report.json")


@click.command("audit")
@click.argument("claims", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("ours", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--csv", "as_csv", is_flag=True, help="A table as CSV.")
@click.option("--json", "as_json", is_flag=True, help="A table as JSON.")
def command(claims: Path, ours: Path, as_csv: bool, as_json: bool) -> int:
    """Compare CLAIMS, what CI said of each student, with OURS, the folder of `grader batch`.

    CLAIMS has a file <student>.json or a folder <student>/ with result.json or report.json for each student.
    Our run is the grade whatever CI said.
    """
    reports = ours / "reports" if (ours / "reports").is_dir() else ours
    said = dict(_claim_files(claims))
    found = {path.stem: path for path in sorted(reports.glob("*.json"))}
    if not said and not found:
        click.echo(f"Error: neither {claims} nor {ours} has a result to compare.", err=True)
        return EXIT_USAGE
    rows = [_audit(student, said.get(student), found.get(student)) for student in sorted(said.keys() | found.keys())]
    _print(rows, as_csv, as_json)
    return EXIT_OK


def _claim_files(claims: Path) -> list[tuple[str, Path]]:
    files = [(path.stem, path) for path in sorted(claims.glob("*.json"))]
    for folder in sorted(path for path in claims.iterdir() if path.is_dir()):
        files += [(folder.name, folder / name) for name in CLAIM_FILES if (folder / name).is_file()][:1]
    return files


def _audit(student: str, claimed: Path | None, found: Path | None) -> Audited:
    from grader.pushes.claims import Audited, audit

    claim = _read(claimed)
    if claimed is not None and claim is None:
        return Audited(student, "unreadable claim", "–", "–", f"{claimed} holds no result we know")
    return audit(student, claim, _read(found))


def _read(path: Path | None) -> Claim | None:
    from grader.pushes.claims import read_claim

    if path is None or path.stat().st_size > MAX_CLAIM_BYTES:
        return None
    try:
        return read_claim(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, OSError, RecursionError):
        return None


def _print(rows: list[Audited], as_csv: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"students": [asdict(row) for row in rows]}, ensure_ascii=False, indent=1))
        return
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(["student", "standing", "claimed", "ours", "message"])
        writer.writerows([row.student, row.standing, row.claimed, row.ours, row.message] for row in rows)
        return
    width = max(len(row.student) for row in rows)
    for row in rows:
        click.echo(
            f"{row.student:<{width}}  {row.standing:<16}  CI {row.claimed:>9}  ours {row.ours:>9}  {row.message}"
        )
    differing = sum(row.standing not in ("same", "no claim") for row in rows)
    click.echo(f"{len(rows)} students, {differing} to look at.")
