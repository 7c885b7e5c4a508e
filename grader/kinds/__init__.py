"""Kinds of questions.  A new kind is one module and one line here; see `grader.kinds.plan` for what it defines."""

from __future__ import annotations

import importlib
from types import ModuleType

# kind -> module; imported when a question of the kind is read, so that a check of a formula loads no notebook code.
KINDS = {
    "derivative": "grader.kinds.derivative",
    "matrix_derivative": "grader.kinds.derivative",
    "chain_rule": "grader.kinds.derivative",
    "graph": "grader.kinds.graph",
    "rollout": "grader.kinds.rollout",
    "program": "grader.kinds.program",
    "modes": "grader.kinds.modes",
    "count": "grader.kinds.count",
    "update": "grader.kinds.update",
    "optimiser": "grader.kinds.optimiser",
    "dynamics": "grader.kinds.dynamics",
    "cost": "grader.kinds.cost",
    "minimiser": "grader.kinds.minimiser",
    "convolution": "grader.kinds.convolution",
    "primitive": "grader.kinds.primitive",
    "network": "grader.kinds.network",
    "prose": "grader.kinds.prose",
}


def load_kind(kind: str) -> ModuleType:
    """The module of a kind.  Raises KeyError for an unknown one."""
    return importlib.import_module(KINDS[kind])
