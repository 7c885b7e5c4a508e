"""A class's hand-ins as they are downloaded: who handed in which files, and when.

Known layouts: a plain folder, Moodle, Canvas, Gradescope, ILIAS, nbgrader, clones of GitHub Classroom and Classroom 50,
and anything a regular expression describes.  Times come from the download, never from a file's date or our clock.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from grader.model import Place, Remark, Submission
from grader.reading.archives import unpack
from grader.reading.commits import is_clone, last_commit_time
from grader.reading.files import ANSWERS, IMAGES, NOT_ANSWERS, SKIPPED_FOLDERS, Files, gather, shown
from grader.reading.gradescope import read_gradescope
from grader.reading.labels import Labels
from grader.reading.submission import STUDENT_ID, submission_of

MAX_WRAPPERS = 4  # folders that hold nothing but one folder
MAX_HAND_INS = 10_000
HANDED_IN = (*ANSWERS, *IMAGES, ".zip", ".py", ".html")

MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<file>.*))?$")
CANVAS = re.compile(r"(?P<name>[^_]+?)(?:_(?P<late>LATE))?_(?P<id>\d+)_(?P<attachment>\d+)_(?P<file>.+)$")
ILIAS = re.compile(r"(?P<last>[^_]+)_(?P<first>[^_]+)_(?P<login>[^_]+)_(?P<id>\d+)$")


@dataclass(frozen=True, slots=True)
class Handin:
    """One student's files.  `root` is what names in the submission are relative to."""

    student: str
    name: str
    paths: tuple[Path, ...]
    root: Path
    submitted: str | None = None
    email: str = ""
    layout: str = "plain"
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassFolder:
    """All hand-ins in the order of their ids, and remarks that belong to none of them."""

    handins: tuple[Handin, ...]
    layout: str
    remarks: tuple[Remark, ...] = ()
    unpacked: Path | None = field(default=None, compare=False)


def read_class(path: Path, unpack_to: Path | None = None, pattern: str | None = None) -> tuple[Handin, ...]:
    """The hand-ins of a class, in the order of the students' ids."""
    return open_class(path, unpack_to, pattern).handins


def open_class(path: Path, unpack_to: Path | None = None, pattern: str | None = None) -> ClassFolder:
    """The hand-ins of a class's folder or ZIP archive.

    An archive is unpacked into `unpack_to` (a new temporary folder when None, which stays: the caller removes it).
    `pattern` is a regular expression with a group `student` (and `name`, `email`, `submitted`) that is matched against
    every file's path relative to the class's folder.  Raises `re.error` and `ValueError` for a pattern that is none.
    """
    if path.is_file() and path.suffix.lower() == ".zip":
        folder = unpack_to or Path(tempfile.mkdtemp(prefix="grader-class-"))
        folder.mkdir(parents=True, exist_ok=True)
        remarks = unpack(path, folder)
        found = _open_folder(folder, pattern)
        return replace(found, remarks=remarks + found.remarks, unpacked=folder)
    if path.is_file():
        return ClassFolder(_settled([_single(path)]), "plain")
    if not path.is_dir():
        return ClassFolder((), "plain", (Remark("missing", f"{shown(path.name)} is neither a folder nor a file."),))
    return _open_folder(path, pattern)


def read_handin(handin: Handin, labels: Labels) -> Submission:
    """The submission one hand-in is; what the download says about name and time comes before what files say."""
    found: list[Files] = [_under(gather(path), path, handin.root) for path in handin.paths]
    files = Files(
        tuple(sorted((file for one in found for file in one.files), key=lambda file: file.name)),
        handin.remarks + tuple(remark for one in found for remark in one.remarks),
    )
    submission = submission_of(files, labels, handin.student)
    return replace(
        submission,
        name=handin.name or submission.name,
        submitted=handin.submitted or submission.submitted,
    )


def _under(files: Files, path: Path, root: Path) -> Files:
    """The files with names relative to the hand-in's root instead of their own folder."""
    relative = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    prefix = "" if path == root else (relative if path.is_dir() else relative.parent).as_posix()
    if prefix in ("", "."):
        return files
    return Files(tuple(replace(file, name=f"{prefix}/{file.name}") for file in files.files), files.remarks)


def _entries(folder: Path) -> list[Path]:
    """What the folder holds, in the order of names, without hidden files and leftovers."""
    try:
        inside = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError:
        return []
    return [entry for entry in inside if entry.name[0] != "." and entry.name.lower() not in SKIPPED_FOLDERS]


def _open_folder(folder: Path, pattern: str | None) -> ClassFolder:
    if pattern is not None:
        return ClassFolder(_settled(_by_pattern(folder, pattern)), "pattern")
    submitted = next((entry for entry in _entries(folder) if entry.name == "submitted" and entry.is_dir()), None)
    if submitted is not None:
        return ClassFolder(
            _settled([_nbgrader(entry) for entry in _entries(submitted) if _real_dir(entry)]), "nbgrader"
        )
    for _ in range(MAX_WRAPPERS):
        entries = _entries(folder)
        if (folder / "submission_metadata.yml").is_file():
            handins, remarks = _gradescope(folder)
            return ClassFolder(_settled(handins), "gradescope", remarks)
        inner = [entry for entry in entries if _real_dir(entry)]
        alone = len(inner) == 1 and not any(entry.suffix.lower() in HANDED_IN for entry in entries if entry.is_file())
        # A wrapper has a folder for every student inside; one student's own folder has files.
        if not alone or _recognise(inner) or not _is_class(inner[0]):
            break
        folder = inner[0]
    entries = _entries(folder)
    layout = _recognise(entries)
    if layout is None:
        return ClassFolder(_settled(_plain(entries)), "plain")
    name, make = layout
    return ClassFolder(_settled([handin for entry in entries if (handin := make(entry)) is not None]), name)


def _is_class(folder: Path) -> bool:
    """Does a folder hold a class's hand-ins rather than one student's files?"""
    entries = _entries(folder)
    if (folder / "submission_metadata.yml").is_file() or _recognise(entries):
        return True
    return bool(entries) and all(_real_dir(entry) for entry in entries)


def _real_dir(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _recognise(entries: list[Path]) -> tuple[str, Callable[[Path], Handin | None]] | None:
    """The layout that at least half of the entries follow, and how an entry of it is read."""
    looked = [e for e in entries if _real_dir(e) or e.suffix.lower() in HANDED_IN]
    counts = {
        "moodle": sum(bool(MOODLE.match(e.name)) for e in looked),
        "canvas": sum(bool(CANVAS.match(e.name)) for e in looked if e.is_file()),
        "ilias": sum(bool(ILIAS.match(e.name)) for e in looked if _real_dir(e)),
        "clones": sum(is_clone(e) for e in looked if _real_dir(e)),
    }
    best = max(counts, key=lambda key: counts[key])
    if not looked or counts[best] * 2 < len(looked) or counts[best] == 0:
        return None
    prefix = _common_prefix([e.name for e in looked if is_clone(e)])
    makers: dict[str, Callable[[Path], Handin | None]] = {
        "moodle": _moodle,
        "canvas": _canvas,
        "ilias": _ilias,
        "clones": lambda entry: _clone(entry, prefix),
    }
    return best, makers[best]


def _common_prefix(names: list[str]) -> str:
    """The assignment's name in front of "assignment-student", when all clones share it."""
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[: first.rfind("-", 0, same) + 1]


def _single(path: Path) -> Handin:
    return Handin(_id(path.stem if path.is_file() else path.name), "", (path,), path.parent if path.is_file() else path)


def _id(text: str) -> str:
    return STUDENT_ID.sub("_", text.encode("utf-8", "replace").decode()).strip("_") or "student"


def _plain(entries: list[Path]) -> list[Handin]:
    found: list[Handin] = []
    for entry in entries:
        if entry.is_symlink():
            message = f"{shown(entry.name)} is a link and was not followed."
            found.append(Handin(_id(entry.stem), "", (), entry.parent, remarks=(Remark("outside_link", message),)))
        elif entry.is_dir():
            found.append(replace(_single(entry), submitted=last_commit_time(entry)))
        elif _is_handed_in(entry):
            found.append(_single(entry))
    return found


def _is_handed_in(entry: Path) -> bool:
    name = entry.name.lower()
    return entry.suffix.lower() in HANDED_IN and name not in NOT_ANSWERS and not name.startswith("readme")


def _moodle(entry: Path) -> Handin | None:
    match = MOODLE.match(entry.name)
    if match is None:
        return _other(entry)
    student = match.group("id")
    return Handin(student, match.group("name"), (entry,), entry.parent if entry.is_file() else entry, layout="moodle")


def _canvas(entry: Path) -> Handin | None:
    match = CANVAS.match(entry.name) if entry.is_file() else None
    if match is None:
        return _other(entry)
    late = (Remark("late", f"Canvas marks {shown(match.group('file'))} as handed in late.", Place(entry.name)),)
    remarks = late if match.group("late") else ()
    return Handin(match.group("id"), match.group("name"), (entry,), entry.parent, layout="canvas", remarks=remarks)


def _ilias(entry: Path) -> Handin | None:
    match = ILIAS.match(entry.name) if _real_dir(entry) else None
    if match is None:
        return _other(entry)
    name = f"{match.group('first')} {match.group('last')}"
    return Handin(_id(match.group("login")), name, (entry,), entry, layout="ilias")


def _clone(entry: Path, prefix: str) -> Handin | None:
    if not _real_dir(entry):
        return _other(entry)
    name = entry.name.removeprefix(prefix) or entry.name
    return Handin(_id(name), "", (entry,), entry, last_commit_time(entry), layout="clones")


def _other(entry: Path) -> Handin | None:
    """An entry beside the layout: kept as a hand-in when it may be one."""
    return _single(entry) if _real_dir(entry) or (entry.is_file() and _is_handed_in(entry)) else None


def _nbgrader(entry: Path) -> Handin:
    inner = _entries(entry)
    root = inner[0] if len(inner) == 1 and _real_dir(inner[0]) else entry
    return Handin(_id(entry.name), "", (root,), root, layout="nbgrader")


def _gradescope(folder: Path) -> tuple[list[Handin], tuple[Remark, ...]]:
    submitters, remarks = read_gradescope(folder / "submission_metadata.yml")
    found: list[Handin] = []
    named = {one.folder for one in submitters}
    for one in submitters:
        path = folder / one.folder
        paths = (path,) if _real_dir(path) and PurePosixPath(one.folder).name == one.folder else ()
        found.append(Handin(_id(one.student), one.name, paths, path, one.submitted, one.email, "gradescope"))
    found += [_single(entry) for entry in _entries(folder) if _real_dir(entry) and entry.name not in named]
    return found, remarks


def _by_pattern(folder: Path, pattern: str) -> list[Handin]:
    expression = re.compile(pattern)
    if "student" not in expression.groupindex:
        raise ValueError("the pattern needs a group (?P<student>…)")
    found: list[Handin] = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        match = expression.search(path.relative_to(folder).as_posix())
        if match and len(found) < MAX_HAND_INS:
            group = match.groupdict()
            student, name = _id(group["student"] or ""), group.get("name") or ""
            email, submitted = group.get("email") or "", group.get("submitted")
            found.append(Handin(student, name, (path,), folder, submitted, email, "pattern"))
    return found


def _settled(handins: list[Handin]) -> tuple[Handin, ...]:
    """One hand-in per student: files of the same student put together, students who share an id told apart."""
    together: dict[tuple[str, str, str, str], Handin] = {}
    for at, handin in enumerate(handins):
        # Only downloads that spread a student's files say by the id that two entries are one student's.
        spread = handin.layout in ("moodle", "canvas", "pattern")
        key = (handin.student, handin.layout, handin.name if spread else str(at), handin.email)
        if key in together:
            first = together[key]
            root = first.root if first.root == handin.root else first.root.parent
            paths, remarks = first.paths + handin.paths, first.remarks + handin.remarks
            handin = replace(first, paths=paths, root=root, remarks=remarks)
        together[key] = handin
    taken: set[str] = set()
    found: list[Handin] = []
    everyone = {handin.student for handin in together.values()}
    for handin in sorted(together.values(), key=lambda h: (h.student, h.name, [p.name for p in h.paths])):
        student, number = handin.student, 1
        while student in taken or (number > 1 and student in everyone):
            number += 1
            student = f"{handin.student}-{number}"
        taken.add(student)
        if student != handin.student:
            message = f"Two hand-ins have the id {handin.student}; this one is called {student} here."
            handin = replace(handin, student=student, remarks=(*handin.remarks, Remark("same_id", message)))
        found.append(handin)
    return tuple(sorted(found, key=lambda handin: handin.student))
