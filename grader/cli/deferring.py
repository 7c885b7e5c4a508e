"""sympy, imported when it is first computed with: a written self-check never needs it; it is half of the start.

The engine's table names sympy's functions, so importing the engine would import sympy.  In the process of a self-check a
stand-in is imported instead; its functions import the real module when they are called.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

NAME = "sympy"


class Deferred:
    """A function or constant of sympy that is looked up when it is used."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any, **options: Any) -> Any:
        return getattr(real_module(), self.name)(*args, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(getattr(real_module(), self.name), name)


class StandIn(ModuleType):
    """A module whose attributes are Deferred."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Deferred(name)


def defer_sympy() -> None:
    """Put the stand-in in place, unless sympy is imported already.  For short-lived processes only."""
    if NAME not in sys.modules:
        sys.modules[NAME] = StandIn(NAME)


def real_module() -> ModuleType:
    """sympy itself, imported now if it was not."""
    if isinstance(sys.modules.get(NAME), StandIn):
        del sys.modules[NAME]
    return importlib.import_module(NAME)
