"""Student code: run sealed, ask it probes, bring raw numbers back.  Verdicts are computed elsewhere.

`observe`, `Pool`, `Execution`, `Event`, `Limits` and `SandboxError` are to be had from here; they load nbclient when
first asked for, so that the probe protocol alone stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.execution.canaries import require_isolation
    from grader.execution.handin import Event, Execution
    from grader.execution.hatchery import SandboxError
    from grader.execution.limits import Limits
    from grader.execution.pool import Pool, observe

_HOMES = {
    "Event": "handin",
    "Execution": "handin",
    "Limits": "limits",
    "Pool": "pool",
    "SandboxError": "hatchery",
    "observe": "pool",
    "require_isolation": "canaries",
}
__all__ = ["Event", "Execution", "Limits", "Pool", "SandboxError", "observe", "require_isolation"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"grader.execution.{_HOMES[name]}"), name)
    raise AttributeError(name)
