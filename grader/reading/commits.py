"""Which commit a clone stands at, and when it was made.

Nothing the repository configures is obeyed: it may be a student's own.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

MAX_REFERENCE = 4096
MAX_PACKED = 2**20
SECONDS = 10

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_COMMITTER = re.compile(rb"^committer [^\n]* (\d{1,12}) ([+-])(\d\d)(\d\d)$", re.M)


def is_clone(folder: Path) -> bool:
    """Is the folder a clone of a repository?"""
    git = folder / ".git"
    return not git.is_symlink() and git.is_dir()


def last_commit(folder: Path) -> str:
    """The hash of HEAD; "" where there is no commit or doubt."""
    return (_head(folder / ".git") if is_clone(folder) else None) or ""


def last_commit_time(folder: Path) -> str | None:
    """The committer's time of HEAD in ISO 8601 with its offset; None where there is no commit, no git, or doubt."""
    head = _head(folder / ".git") if is_clone(folder) else None
    git = shutil.which("git")
    if head is None or git is None:
        return None
    with tempfile.TemporaryDirectory(prefix="grader-") as scratch:
        # An empty repository of our own that only borrows the objects: the clone's configuration, hooks and remotes
        # are never looked at.
        bare = Path(scratch)
        for name in ("objects", "refs"):
            (bare / name).mkdir()
        (bare / "HEAD").write_text("ref: refs/heads/main\n")
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "GIT_OBJECT_DIRECTORY": str((folder / ".git" / "objects").resolve()),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_NO_REPLACE_OBJECTS": "1",
        }
        command = [git, f"--git-dir={bare}", "cat-file", "commit", head]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
    return _time(done.stdout) if done.returncode == 0 else None


def _time(commit: bytes) -> str | None:
    found = _COMMITTER.search(commit[:100_000])
    if found is None:
        return None
    seconds, sign, hours, minutes = found.groups()
    offset = dt.timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == b"-" else 1)
    try:
        return dt.datetime.fromtimestamp(int(seconds), dt.timezone(offset)).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _head(git: Path) -> str | None:
    """The hash HEAD stands for."""
    text = _read(git / "HEAD", MAX_REFERENCE)
    if text is None:
        return None
    if not text.startswith("ref:"):
        return text if _HASH.fullmatch(text) else None
    name = text[4:].strip()
    if not re.fullmatch(r"refs/heads/[\w./-]{1,200}", name) or ".." in name:
        return None
    loose = _read(git / name, MAX_REFERENCE)
    if loose and _HASH.fullmatch(loose):
        return loose
    for line in (_read(git / "packed-refs", MAX_PACKED) or "").splitlines():
        value, _, reference = line.partition(" ")
        if reference == name and _HASH.fullmatch(value):
            return value
    return None


def _read(path: Path, limit: int) -> str | None:
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as stream:
            return stream.read(limit).decode("ascii", "replace").strip()
    except OSError:
        return None
