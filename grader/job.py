"""One submission, graded in a process of its own: read, run, mark.  Plain data in and out, so that it can run anywhere."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from grader.model import Report

PACKAGES = ("numpy", "sympy", "python-flint", "nbclient", "ipykernel")  # versions that a verdict may rest on
ROOT = Path(__file__).resolve().parent
KILLED = "grader_killed"


@dataclass(frozen=True, slots=True)
class Entrant:
    """A student's hand-in before it is read."""

    student: str
    path: str
    digest: str
    name: str = ""
    submitted: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What all submissions of a class share.  `sandbox` is a tier of grader.execution, or "not needed"."""

    problem: str
    sandbox: str
    seed: str = ""


@lru_cache(maxsize=1)
def environment() -> str:
    """Digest of all that a verdict rests on besides problem and hand-in: our own code and the libraries' versions."""
    total = hashlib.sha256(platform.python_version().encode())
    for package in PACKAGES:
        total.update(f"{package} {_version(package)}\n".encode())
    for folder in (ROOT, ROOT.parent / "reference"):
        for path in sorted(folder.rglob("*.py")):
            total.update(path.relative_to(ROOT.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
