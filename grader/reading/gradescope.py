"""Gradescope's export of submissions: `submission_metadata.yml` says whose folder is whose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.model import Place, Remark

MAX_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Submitter:
    """One of the students who handed in a folder (a group has several)."""

    folder: str
    student: str
    name: str
    email: str
    submitted: str | None


def read_gradescope(path: Path) -> tuple[tuple[Submitter, ...], tuple[Remark, ...]]:
    """The submitters that the export's metadata names, in its order; never raises for the file's contents."""
    import yaml

    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES).decode("utf-8", "replace")
        # BaseLoader makes strings, lists and dictionaries only, whatever tags (Ruby's, say) the file carries.
        data = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except (OSError, yaml.YAMLError, RecursionError, ValueError, AttributeError, TypeError) as problem:
        message = f"{path.name} can't be read ({type(problem).__name__}); folders were taken as students instead."
        return (), (Remark("unreadable_record", message, Place(path.name)),)
    found: list[Submitter] = []
    for folder, entry in data.items() if isinstance(data, dict) else ():
        if not isinstance(entry, Mapping):
            continue
        submitters = _value(entry, "submitters")
        for one in submitters if isinstance(submitters, list) else ():
            if isinstance(one, Mapping):
                found.append(_submitter(str(folder), one, entry))
    return tuple(found), ()


def _submitter(folder: str, one: Mapping[Any, Any], entry: Mapping[Any, Any]) -> Submitter:
    name, email, sid = (str(_value(one, key) or "") for key in ("name", "email", "sid"))
    return Submitter(folder, sid or email or name or folder, name, email, _time(_value(entry, "created_at")))


def _value(entry: Mapping[Any, Any], key: str) -> Any:
    """The export writes Ruby's symbols (`:name:`) as keys."""
    return entry.get(f":{key}", entry.get(key))


def _time(written: Any) -> str | None:
    """ "2024-11-20 09:30:00.123456789 Z" in ISO 8601."""
    if not isinstance(written, str):
        return None
    found = re.match(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?", written)
    if found is None:
        return None
    day, time, zone = found.groups()
    if zone is None:
        return f"{day}T{time}"
    zone = "+00:00" if zone in ("Z", "UTC") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    return f"{day}T{time}{zone}"
