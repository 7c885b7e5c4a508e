"""Observations as numbers: what came back for a probe, decoded, with everything odd turned into a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.execution.probes import ndarray_of
from grader.model import Array, Observation

NOT_DONE = ("NotImplementedError", "NotImplemented")  # how unfinished code announces itself


@dataclass(frozen=True, slots=True)
class Reply:
    """One observation, decoded.  `y` and the gradients are None where nothing (or `None`) was returned."""

    status: str
    y: NDArray[Any] | None
    gradients: tuple[NDArray[Any] | None, ...]
    flags: Mapping[str, bool]
    detail: str
    calls: int | None

    @property
    def returned(self) -> bool:
        return self.status == "returned"

    @property
    def unfinished(self) -> bool:
        """The code says of itself that it is not written yet, or gives nothing back."""
        if self.returned:
            return self.y is None
        return self.status == "absent" or (self.status == "raised" and self.detail.startswith(NOT_DONE))

    @property
    def ours(self) -> bool:
        """Stopped by limits or by the sandbox rather than by an error of the student's."""
        return self.status in ("timeout", "killed", "refused", "malformed")


NOTHING = Reply("absent", None, (), {}, "no reply", None)


def reply_of(observation: Observation) -> Reply:
    """The numbers of an observation.  Arrays that are not numbers in the end (booleans, complex) stay what they are."""
    arrays = dict(observation.arrays)
    count = sum(1 for name in arrays if name.startswith("dx"))
    calls = arrays.get("calls")
    return Reply(
        status=observation.status,
        y=_values(arrays.get("y")),
        gradients=tuple(_values(arrays.get(f"dx{i}")) for i in range(count)),
        flags=dict(observation.flags),
        detail=observation.detail,
        calls=None if calls is None or calls.shape != () else int(ndarray_of(calls)),
    )


def replies_by_name(observations: Iterable[Observation]) -> dict[str, Reply]:
    """Replies by the name of their probe; the first one wins where a name occurs twice."""
    found: dict[str, Reply] = {}
    for one in observations:
        found.setdefault(one.probe, reply_of(one))
    return found


def _values(array: Array | None) -> NDArray[Any] | None:
    return None if array is None else np.asarray(ndarray_of(array))
