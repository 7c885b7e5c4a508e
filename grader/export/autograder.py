"""Gradescope's autograder archive: setup.sh, run_autograder, the problem, and this project's source."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)
DISTRIBUTION = "gradient-grader"
PACKAGES = ("grader", "reference")
MAX_FILE = 32 * 2**20

SETUP = """#!/usr/bin/env bash
# Runs once, when Gradescope builds the image.
set -euo pipefail
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv python3-pip
python3 -m venv /autograder/venv
/autograder/venv/bin/python -m pip install --no-cache-dir -r /autograder/source/requirements.txt
site="$(/autograder/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
echo /autograder/source/lib > "$site/gradient_grader.pth"
chmod -R go-rwx /autograder/source/problem
"""

RUN = """#!/usr/bin/env bash
# Runs for every hand-in.  -I: nothing beside the hand-in, nor the environment, changes what is imported.
set -uo pipefail
mkdir -p /autograder/results
cd /autograder
exec /autograder/venv/bin/python -I -m grader gradescope /autograder/source/problem \\
  --grade /autograder/submission --metadata /autograder/submission_metadata.json \\
  --results /autograder/results/results.json
"""


def build(problem: Path) -> bytes:
    """The archive's bytes; the same problem and source give the same bytes.  Errors: OSError."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "setup.sh", SETUP.encode(), 0o755)
        _add(archive, "run_autograder", RUN.encode(), 0o755)
        _add(archive, "requirements.txt", _requirements().encode(), 0o644)
        for name, path in _files(problem):
            _add(archive, f"problem/{name}", path.read_bytes(), 0o644)
        root = Path(__file__).resolve().parents[2]
        for package in PACKAGES:
            for name, path in _files(root / package):
                _add(archive, f"lib/{package}/{name}", path.read_bytes(), 0o644)
    return packed.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes, mode: int) -> None:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (0o100000 | mode) << 16
    archive.writestr(info, data)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """(relative name, path) of the folder's own files, without caches, hidden files and links."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
        if path.is_file() and not path.is_symlink() and not hidden and path.stat().st_size <= MAX_FILE:
            yield relative.as_posix(), path


def _requirements() -> str:
    """What the project needs, without extras, as pip reads it."""
    try:
        needed = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        needed = []
    plain = [line for line in needed if not re.search(r";.*\bextra\b", line)]
    return "".join(f"{line}\n" for line in sorted(plain))
