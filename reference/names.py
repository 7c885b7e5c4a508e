"""Names as a person writes them: theta1 -> \\theta_{1}, x_1 entry 2 -> x_{1,2}, lambda_2, mhat_1, bar_x, grad_theta."""

from __future__ import annotations

import re

GREEK = frozenset(
    (
        *(
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "varepsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
        ),
        *("mu", "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega", "pi", "ell"),
        *("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"),
    )
)
ACCENTS = ("hat", "bar", "tilde", "dot")


def letter(name: str) -> str:
    """One stem in LaTeX: a letter, a Greek letter, an accented letter, or a word set upright."""
    if len(name) <= 1:
        return name
    if name in GREEK:
        return f"\\{name}"
    for accent in ACCENTS:
        if name.endswith(accent) and len(name) > len(accent) and not name[: -len(accent)].endswith("_"):
            return f"\\{accent}{{{letter(name[: -len(accent)])}}}"
    if len(name) == 2 and name[0] == "d":
        return name
    return rf"\mathrm{{{name}}}"


def latex_name(name: str, position: str = "") -> str:
    """A symbol's name in LaTeX, with the position of one entry (counted from 1) as a further subscript."""
    for prefix, shown in (("grad_", r"\nabla_{{{}}} L"), ("bar_", r"\bar{{{}}}")):
        if name.startswith(prefix) and len(name) > len(prefix):
            inner = latex_name(name[len(prefix) :])
            text = shown.format(inner)
            return rf"\left({text}\right)_{{{position}}}" if position else text
    stem, *marks = [part for part in name.split("_") if part] or [name]
    if marks and marks[-1] in ACCENTS:
        stem, marks = stem + marks[-1], marks[:-1]
    found = re.fullmatch(r"(.*?[^\d])(\d+)", stem)
    if found:
        stem, marks = found.group(1), [found.group(2), *marks]
    primes = len(stem) - len(stem.rstrip("'"))
    text = letter(stem[: len(stem) - primes] if primes else stem) + "'" * primes
    below = [m if m.isdigit() or len(m) == 1 else letter(m) for m in marks] + ([position] if position else [])
    return f"{text}_{{{','.join(below)}}}" if below else text


def plain_entry(name: str, position: str) -> str:
    """One entry of a symbol in plain text: x_1, x_{1,2} for entry 2 of x_1."""
    stem, _, mark = name.partition("_")
    if mark:
        return f"{stem}_{{{mark},{position}}}"
    return f"{name}_{position}" if position.isdigit() else f"{name}_{{{position}}}"
