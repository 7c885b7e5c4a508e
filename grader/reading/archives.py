"""ZIP archives, bounded: what is unpacked, how much of it, and where to."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.model import Place, Remark
from grader.reading.files import File, safe_name, shown

MAX_MEMBERS = 20_000
MAX_MEMBER_BYTES = 64 * 2**20
MAX_UNPACKED = 2 * 2**30  # a class's download
MAX_INNER = 128 * 2**20  # an archive that one student handed in
MAX_RATIO = 300  # compression beyond which a member above SMALL is a bomb
SMALL = 2**20
MAX_PARTS = 20

# Errors that a broken or hostile archive raises anywhere in the standard library's reader.
BROKEN = (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError, KeyError)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: a relative name without "..", and its bytes."""

    name: str
    data: bytes


def members(data: bytes | Path, name: str, limit: int) -> Iterator[Member | Remark]:
    """The files of an archive in the order of their names, and remarks about those left out; never raises."""
    try:
        with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as archive:
            yield from _members(archive, name, limit)
    except BROKEN as problem:
        reason = str(problem)[:80] or type(problem).__name__
        yield Remark(
            "corrupt_zip", f"{shown(name)} is not a readable ZIP archive ({reason}); pack it again.", Place(name)
        )


def _members(archive: zipfile.ZipFile, name: str, limit: int) -> Iterator[Member | Remark]:
    infos = sorted((info for info in archive.infolist() if not info.is_dir()), key=lambda info: info.filename)
    if len(infos) > MAX_MEMBERS:
        yield Remark("too_many_files", f"Only the first {MAX_MEMBERS} files of {shown(name)} were read.", Place(name))
    total = 0
    for info in infos[:MAX_MEMBERS]:
        clean = _clean(info.filename)
        where = Place(name)
        if clean is None:
            message = f"{shown(name)} holds a file that leads outside ({shown(safe_name(info.filename))}); left out."
            yield Remark("path_traversal", message, where)
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            yield Remark("outside_link", f"{shown(clean)} in {shown(name)} is a link and was not followed.", where)
            continue
        taken = _take(archive, info, clean, name)
        if isinstance(taken, Member):
            total += len(taken.data)
            if total > limit:
                message = f"{shown(name)} unpacks to more than {limit // 2**20} MB; {shown(clean)} … left out."
                yield Remark("zip_bomb", message, where)
                return
        yield taken


def _clean(filename: str) -> str | None:
    """The member's name as a relative path, or None when it leads outside."""
    name = safe_name(filename.replace("\\", "/"))
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in parts or not parts or len(parts) > MAX_PARTS:
        return None
    if any("\0" in part or len(part.encode()) > 240 for part in parts):
        return None
    return "/".join(parts)


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, clean: str, name: str) -> Member | Remark:
    where = Place(name)
    if info.flag_bits & 1:
        return Remark("protected_zip", f"{shown(clean)} in {shown(name)} is protected by a password.", where)
    if info.file_size > SMALL and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        message = (
            f"{shown(clean)} in {shown(name)} unpacks to {info.file_size // 2**20} MB from almost nothing; left out."
        )
        return Remark("zip_bomb", message, where)
    try:
        with archive.open(info) as stream:
            data = stream.read(MAX_MEMBER_BYTES + 1)  # what the archive says about sizes need not be true
    except BROKEN as problem:
        message = f"{shown(clean)} in {shown(name)} is damaged ({type(problem).__name__}); pack it again."
        return Remark("corrupt_zip", message, where)
    if len(data) > MAX_MEMBER_BYTES:
        message = f"{shown(clean)} in {shown(name)} is larger than {MAX_MEMBER_BYTES // 2**20} MB; left out."
        return Remark("too_large", message, where)
    return Member(clean, data)


def inner_files(file: File) -> tuple[tuple[File, ...], tuple[Remark, ...]]:
    """The files of an archive inside a hand-in, named "archive.zip/file"; archives within it are not opened."""
    files: list[File] = []
    remarks: list[Remark] = []
    for one in members(file.data, file.name, MAX_INNER):
        if isinstance(one, Remark):
            remarks.append(one)
        elif not any(
            p.startswith(".") or p.lower() in ("__macosx", "__pycache__") for p in PurePosixPath(one.name).parts
        ):
            files.append(File(f"{file.name}/{one.name}", one.data))
    return tuple(files), tuple(remarks)


def unpack(archive: Path, to: Path) -> tuple[Remark, ...]:
    """Unpack a class's archive into a folder; no file is written outside it, none is overwritten."""
    remarks: list[Remark] = []
    for one in members(archive, archive.name, MAX_UNPACKED):
        if isinstance(one, Remark):
            remarks.append(one)
            continue
        target = to / one.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as stream:
                stream.write(one.data)
        except FileExistsError:
            message = f"{archive.name} holds {shown(one.name)} twice; the first was kept."
            remarks.append(Remark("duplicate", message, Place(archive.name)))
        except OSError as problem:
            message = f"{shown(one.name)} can't be unpacked: {problem.strerror or problem}."
            remarks.append(Remark("unreadable_file", message, Place(archive.name)))
    return tuple(remarks)
