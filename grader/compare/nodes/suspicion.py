"""Signs that derivatives come from elsewhere: libraries that differentiate, complex steps in the code.

Such a sign never costs a point; it sends what would have been right to a person, with the evidence.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from grader.model import Evidence, Observation

LOOK = "look"  # the probe name under which signs travel with the observations
MAX_SOURCE = 2_000_000
NUMERICAL = frozenset(
    {"approx_fprime", "check_grad", "derivative", "approx_derivative", "gradient_check", "grad_check"}
)


def signs_in(source: str) -> tuple[str, ...]:
    """What a look at the code shows: complex numbers, imaginary parts, functions that differentiate numerically."""
    if len(source) > MAX_SOURCE:
        return ()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, complex):
            found["a complex number"] = None
        elif isinstance(node, ast.Attribute) and node.attr in ("imag", "complex128", "complex64"):
            found[f"`.{node.attr}`"] = None
        elif isinstance(node, ast.Attribute) and node.attr in NUMERICAL:
            found[f"`{node.attr}`"] = None
    return tuple(found)


def look(source: str, imports: Iterable[str] = ()) -> Observation:
    """An observation that carries the signs of a hand-in's code and the watched libraries it imported or tried to."""
    flags = [(f"library {name}", True) for name in imports] + [(f"code {sign}", True) for sign in signs_in(source)]
    return Observation(probe=LOOK, status="returned", flags=tuple(flags))


def foreign_help(observations: Iterable[Observation]) -> tuple[Evidence, ...]:
    """Evidence for a person, out of the observations."""
    found = []
    for one in observations:
        if one.probe != LOOK:
            continue
        for name, _ in one.flags:
            kind, _, what = name.partition(" ")
            text = f"The notebook imports {what}." if kind == "library" else f"The code uses {what}."
            found.append(Evidence("look", text, "instructor"))
    return tuple(found)
