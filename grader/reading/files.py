"""Bytes from disk, bounded: what may be read, how much of it, and in which encoding."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from grader.model import Place, Remark

MAX_TEXT_BYTES = 4 * 2**20  # a written answer; a sheet's text is a few kB
MAX_NOTEBOOK_BYTES = 32 * 2**20  # notebooks carry images in their outputs
MAX_PDF_BYTES = 64 * 2**20
MAX_FOLDER_BYTES = 256 * 2**20  # all files of one hand-in together
MAX_FILES = 500
MAX_DEPTH = 8
MAX_NAME = 200  # characters of a file's name that a message repeats

WRITTEN = (".md", ".markdown", ".mdown", ".qmd", ".rmd", ".tex", ".ltx", ".latex", ".txt", ".text")
RECORDS = (".toml", ".json", ".yaml", ".yml")
NOTEBOOKS = (".ipynb",)
PDFS = (".pdf",)
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".heic", ".tif", ".tiff", ".bmp")
DOCUMENTS = (".docx", ".doc", ".odt", ".rtf", ".pages", ".one", ".djvu", ".ps", ".xopp", ".goodnotes", ".note")
ANSWERS = WRITTEN + RECORDS + NOTEBOOKS + PDFS
ARCHIVES = (".zip",)

# Beside the answers but none: our own files about a hand-in, what tools leave behind, what packages bring.
NOT_ANSWERS = frozenset({
    "metadata.toml", "metadata.json", "metadata.yml", "submitted.txt", "timestamp.txt", "expected.toml",
    "outcome.toml", "submission_metadata.yml", "requirements.txt", "pyproject.toml", "package.json", "settings.json",
    "result.json", "results.json", "license.md", "license.txt", "changelog.md", "environment.yml", "environment.yaml",
})  # fmt: skip
SKIPPED_FOLDERS = frozenset({
    "__pycache__", "__macosx", "node_modules", "venv", "env", "site-packages", "nbproject",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class File:
    """One file of a hand-in: its name relative to the hand-in's root, and its bytes."""

    name: str
    data: bytes

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Files:
    """What was found: files in the order of their names, and remarks about those that could not be taken."""

    files: tuple[File, ...]
    remarks: tuple[Remark, ...] = ()


def shown(name: str) -> str:
    """A file's name as a message repeats it: printable and not too long."""
    clean = "".join(c if c.isprintable() else "�" for c in name)
    return clean if len(clean) <= MAX_NAME else clean[: MAX_NAME - 1] + "…"


def cap(suffix: str) -> int:
    """The number of bytes a file of that kind may have."""
    if suffix in NOTEBOOKS:
        return MAX_NOTEBOOK_BYTES
    return MAX_PDF_BYTES if suffix in PDFS + IMAGES + ARCHIVES else MAX_TEXT_BYTES


def gather(path: Path) -> Files:
    """The files of a hand-in (a folder or one file).  Never raises for what a student handed in."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as problem:
        return Files((), (Remark("missing", f"{shown(path.name)} can't be opened: {_reason(problem)}."),))
    if stat.S_ISDIR(mode):
        return _gather_folder(path)
    taken = _take(path, safe_name(path.name), path.parent)
    if isinstance(taken, Remark):
        return Files((), (taken,))
    return Files((taken,))


def _gather_folder(root: Path) -> Files:
    files: list[File] = []
    remarks: list[Remark] = []
    total = 0
    for path in _walk(root, root, 0, remarks):
        name = safe_name(path.relative_to(root).as_posix())
        if len(files) >= MAX_FILES:
            remarks.append(Remark("too_many_files", f"Only the first {MAX_FILES} files were read; hand in fewer."))
            break
        taken = _take(path, name, root)
        if isinstance(taken, Remark):
            remarks.append(taken)
            continue
        total += len(taken.data)
        if total > MAX_FOLDER_BYTES:
            message = (
                f"The hand-in is larger than {MAX_FOLDER_BYTES // 2**20} MB; files from {shown(name)} on were not read."
            )
            remarks.append(Remark("too_large", message, Place(name)))
            break
        files.append(taken)
    return Files(tuple(files), tuple(remarks))


def _walk(folder: Path, root: Path, depth: int, remarks: list[Remark]) -> list[Path]:
    """Paths of files below a folder in the order of their names, without hidden ones and leftovers of tools."""
    name = folder.relative_to(root).as_posix()
    if depth > MAX_DEPTH:
        remarks.append(
            Remark("too_deep", f"Folders deeper than {MAX_DEPTH} levels were not read.", Place(safe_name(name)))
        )
        return []
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as problem:
        where = safe_name(name) if name != "." else ""
        message = f"The folder {shown(where) or 'handed in'} can't be opened: {_reason(problem)}."
        remarks.append(Remark("unreadable_file", message, Place(where) if where else None))
        return []
    found: list[Path] = []
    for entry in entries:
        if entry.name.startswith(".") or entry.name.lower() in SKIPPED_FOLDERS:
            continue
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if path.suffix.lower() in ANSWERS:
                message = f"{shown(entry.name)} is a folder although its name is a file's; its contents were read."
                remarks.append(Remark("folder_for_file", message, Place(safe_name(path.relative_to(root).as_posix()))))
            found += _walk(path, root, depth + 1, remarks)
        else:
            found.append(path)
    return found


def _take(path: Path, name: str, root: Path) -> File | Remark:
    """The file's bytes, or why it was not taken.  A link is followed only to a file inside the hand-in."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            message = f"{shown(name)} is a link to outside the hand-in and was not followed. Hand in the file itself."
            return Remark("outside_link", message, Place(name))
        with _open(path) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                return Remark("not_a_file", f"{shown(name)} is not an ordinary file and was not read.", Place(name))
            limit = cap(path.suffix.lower())
            data = stream.read(limit + 1)
    except (OSError, ValueError, RuntimeError) as problem:
        return Remark("unreadable_file", f"{shown(name)} can't be read: {_reason(problem)}.", Place(name))
    if len(data) > limit:
        size = f"{_size(status.st_size)}, more than the {_size(limit)} a file of its kind may have"
        message = f"{shown(name)} is {size}; it was not read."
        return Remark("too_large", message, Place(name))
    return File(name, data)


def _open(path: Path) -> BinaryIO:
    # A named pipe would otherwise wait for a writer for ever.
    return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb")


def _size(count: int) -> str:
    return f"{count / 2**20:.0f} MB"


def _reason(problem: Exception) -> str:
    return (getattr(problem, "strerror", None) or str(problem) or type(problem).__name__).rstrip(".")


def safe_name(name: str) -> str:
    """A name that can be printed and encoded, whatever bytes the file system held."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def decode(file: File) -> tuple[str, tuple[Remark, ...]]:
    """The file's text with "\\n" line ends, and a remark when its encoding had to be guessed or it is no text."""
    text, encoding = _decoded(file.data)
    remarks: list[Remark] = []
    where = Place(file.name)
    if encoding == "binary":
        message = (
            f"{shown(file.name)} is not a text file although its name says so; export it again as plain text (UTF-8)."
        )
        return "", (Remark("binary", message, where),)
    if encoding in ("utf-16", "cp1252"):
        message = f"{shown(file.name)} is not UTF-8; it was read as {encoding}. Save it as UTF-8 to be sure."
        remarks.append(Remark("encoding", message, where))
    if "\0" in text:
        remarks.append(
            Remark("control_characters", f"{shown(file.name)} contains NUL characters; they were left out.", where)
        )
        text = text.replace("\0", "")
    return text.replace("\r\n", "\n").replace("\r", "\n"), tuple(remarks)


def _decoded(data: bytes) -> tuple[str, str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "utf-16"
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        text = data.decode("utf-8")
        if text.count("\0") > max(8, len(text) // 100):
            return _utf16_without_mark(data)
        return text, "utf-8"
    except UnicodeDecodeError:
        pass
    if data.count(0) > len(data) // 100:
        return _utf16_without_mark(data)
    controls = sum(byte < 9 or 13 < byte < 32 for byte in data[:4096])
    if controls > len(data[:4096]) // 100:
        return "", "binary"
    return data.decode("cp1252", "replace"), "cp1252"


def _utf16_without_mark(data: bytes) -> tuple[str, str]:
    """Text written as UTF-16 without its mark has a zero in nearly every second byte."""
    even, odd = data[0:4096:2], data[1:4096:2]
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros and zeros.count(0) > 0.8 * len(zeros) and others.count(0) < 0.2 * len(zeros):
            return data.decode(encoding, "replace"), "utf-16"
    return "", "binary"
