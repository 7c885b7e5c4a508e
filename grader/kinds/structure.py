"""What is characteristic of a matrix: derived from its entries, never typed; and the words people say it with."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from grader.kinds.plan import Truth
from reference.expression import Expr, Function, calls, exp, instantiate, symbol
from reference.graph import FLOAT, build, run

TOLERANCE = 1e-12
POINTS = 6

# from the most to the least special; a matrix is called by the first that fits
NAMES = ("zero", "identity", "diagonal", "lower triangular", "upper triangular", "symmetric", "skew-symmetric")
IMPLIED = {
    "zero": set(NAMES) - {"identity"},
    "identity": {"diagonal", "lower triangular", "upper triangular", "symmetric"},
    "diagonal": {"lower triangular", "upper triangular", "symmetric"},
}

WORDS: tuple[tuple[str, str], ...] = (
    (r"off[- ]?diagonal[^.;]*(zero|vanish|0)|nondiagonal[^.;]*(zero|vanish)|außerhalb der diagonale", "diagonal"),
    (r"only (on )?(the )?(main )?diagonal|nur (auf )?(der )?(haupt)?diagonal", "diagonal"),
    (r"diagonal", "diagonal"),
    (r"lower[- ]triang|untere dreiecks", "lower triangular"),
    (r"upper[- ]triang|obere dreiecks", "upper triangular"),
    (r"(skew|anti)[- ]?symm|schiefsymm", "skew-symmetric"),
    (r"symmetri", "symmetric"),
    (r"identity matrix|einheitsmatrix", "identity"),
    (r"zero matrix|nullmatrix|all (entries )?(are )?zero", "zero"),
)
_NEGATION = re.compile(r"\b(not|no|isn't|kein\w*|nicht|never|non)\b", re.IGNORECASE)


def structure_of(truths: Sequence[Truth]) -> str:
    """The name of the structure the result of each truth's last step has at every size and point; "" if none."""
    fitting: set[str] | None = None
    for truth in truths:
        for value in _values(truth):
            names = _names_of(value)
            fitting = names if fitting is None else fitting & names
    return next((name for name in NAMES if fitting and name in fitting), "")


def words_for_structure(text: str) -> tuple[str, bool]:
    """The structure a text names ("" if none) and whether it is denied, so that a person must read it."""
    lowered = " ".join(text.lower().split())
    found = [name for pattern, name in WORDS if re.search(pattern, lowered)]
    if not found:
        return "", False
    return found[0], bool(_NEGATION.search(lowered)) and "diagonal" not in re.findall(r"off.?(diagonal)", lowered)


def _values(truth: Truth) -> list[np.ndarray]:
    expr = _concrete(truth.derivation.steps[-1].expr)
    graph = build([expr])
    values = []
    for point in truth.domain.points()[:POINTS]:
        env = {
            name: np.array([float(v) for v in entries]).reshape(truth.domain.shape(name))
            for name, entries in point.values
        }
        with np.errstate(all="ignore"):
            value = np.asarray(run(graph, env, FLOAT)[0])
        if value.ndim == 2 and np.isfinite(value).all():
            values.append(value)
    return values


def _concrete(expr: Expr) -> Expr:
    """Elementwise abstract functions replaced by one without special values; zeros that stay zero are structural."""
    v = symbol("v")
    bodies = {name: exp(v / 3) + v * v for name in {call.name for call in calls(expr) if call.attr("elementwise")}}
    return instantiate(expr, {name: Function((v,), body) for name, body in bodies.items()})


def _names_of(value: np.ndarray) -> set[str]:
    scale = TOLERANCE * max(1.0, float(np.abs(value).max()))
    if value.shape[0] != value.shape[1] or value.shape[0] < 2:
        return {"zero"} if np.abs(value).max() <= scale else set()
    small = {
        "zero": value,
        "identity": value - np.eye(len(value)),
        "diagonal": value - np.diag(np.diag(value)),
        "lower triangular": np.triu(value, 1),
        "upper triangular": np.tril(value, -1),
        "symmetric": value - value.T,
        "skew-symmetric": value + value.T,
    }
    return {name for name, rest in small.items() if np.abs(rest).max() <= scale}
