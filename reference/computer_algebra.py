"""sympy, imported when it is first computed with: it takes longer to import than a self-check may last.

The tables of primitives name its functions (`sp.sin`); what they hold until then is a `Deferred` of that name.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


def sympy_module() -> ModuleType:
    """sympy itself, imported now if it was not."""
    return importlib.import_module("sympy")


class Deferred:
    """A function of sympy that is looked up when it is called."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any, **options: Any) -> Any:
        return getattr(sympy_module(), self.name)(*args, **options)


class Names:
    """`sp.<name>` for functions and classes of sympy.  Constants are `sympy_module().pi`."""

    def __getattr__(self, name: str) -> Deferred:
        if name.startswith("__"):
            raise AttributeError(name)
        return Deferred(name)


sp = Names()
