"""Who handed in: a class's folder or download → one entrant per student."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.reading.files import NOT_ANSWERS, gather
from grader.reading.submission import digest, student_id


@dataclass(frozen=True, slots=True)
class Entrant:
    """A student's hand-in before it is read."""

    student: str
    path: str
    digest: str
    name: str = ""
    submitted: str | None = None
    remarks: tuple[tuple[str, str], ...] = ()  # notes and messages about the bundle


def find_entrants(submissions: Path, pattern: str = "") -> tuple[Entrant, ...]:
    """Every student's hand-in below a class's folder, in no particular order; our own files are skipped."""
    found = []
    for path in sorted(submissions.iterdir()):
        if path.name.startswith(".") or path.name.lower() in NOT_ANSWERS:
            continue
        files = gather(path)
        found.append(Entrant(student_id(path), str(path), digest(files.files)))
    return tuple(found)
