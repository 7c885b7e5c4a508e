"""Who handed in: a class's folder or download → one entrant per student."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from grader.model import Remark
from grader.reading.bundles import Handin, open_class
from grader.reading.files import gather
from grader.reading.submission import digest

UNPACKED = ".unpacked"  # folder below --out that an archive is unpacked into


@dataclass(frozen=True, slots=True)
class Entrant:
    """A student's hand-in before it is read, as plain data for a worker.

    `paths` are its files and folders, `root` what names in it are relative to, `remarks` notes and messages about it.
    """

    student: str
    paths: tuple[str, ...]
    root: str
    digest: str
    name: str = ""
    submitted: str | None = None
    remarks: tuple[tuple[str, str], ...] = ()

    @property
    def handin(self) -> Handin:
        remarks = tuple(Remark(note, message) for note, message in self.remarks)
        paths = tuple(Path(path) for path in self.paths)
        return Handin(self.student, self.name, paths, Path(self.root), self.submitted, remarks=remarks)


@dataclass(frozen=True, slots=True)
class Roster:
    """The entrants of a class in the order of their ids, and what was noticed about the download as a whole."""

    entrants: tuple[Entrant, ...]
    layout: str
    noticed: tuple[str, ...] = ()


def find_entrants(submissions: Path, out: Path, pattern: str = "") -> Roster:
    """Every student's hand-in in a class's folder or archive.  Errors: ValueError for a pattern without `student`."""
    unpacked = out / UNPACKED
    if submissions.is_file() and unpacked.is_dir():
        shutil.rmtree(unpacked)
    found = open_class(submissions, unpacked, pattern or None)
    entrants = tuple(entrant_of(handin) for handin in found.handins)
    return Roster(entrants, found.layout, tuple(remark.message for remark in found.remarks))


def entrant_of(handin: Handin) -> Entrant:
    """The hand-in as plain data, with the digest of all its bytes."""
    total = hashlib.sha256()
    for path in handin.paths:
        total.update(digest(gather(path).files).encode())
    whole = digest(gather(handin.paths[0]).files) if len(handin.paths) == 1 else total.hexdigest()
    return Entrant(
        handin.student,
        tuple(str(path.resolve()) for path in handin.paths),
        str(handin.root.resolve()),
        whole,
        handin.name,
        handin.submitted,
        tuple((remark.note, remark.message) for remark in handin.remarks),
    )
