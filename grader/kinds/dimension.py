r"""Sizes as people write them: `2 × 3`, `\mathbb{R}^{M\times N}`, `n`, `(M, N)`, `2x1`, `$n$-dimensional`.

Pure text to tuples of names and numbers; no reading of formulas is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

MAX_TEXT = 400
_SPACE = re.compile(
    r"\\in\s*\\?(?:mathbb|mathbf|Bbb|mathrm)?\s*\{?\s*R\s*\}?\s*\^|∈\s*(?:ℝ|R)\s*\^?|\\R\s*\^|ℝ\s*\^?|\bR\s*\^"
)
_BLACKBOARD = re.compile(r"(?:\\(?:mathbb|mathbf|Bbb|mathrm)\s*\{?\s*R\s*\}?|\\R(?![A-Za-z])|ℝ|\bR(?=\s*\^))\s*\^?")
_TIMES = re.compile(r"\\times|\\cdot|×|\\ast|\*|\bby\b|\bauf\b|(?<=[\dA-Za-z\s)}])\s*x\s*(?=[\dA-Za-z\s({])|,|;")
_SIZE = re.compile(r"\d+|[A-Za-z]")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿˣᴹᴺ", "0123456789nxMN")


def membership(text: str) -> str:
    r"""The exponent of `\in \mathbb{R}^{…}` in a formula, "" if there is none."""
    places = [found.end() for found in _SPACE.finditer(text)]
    if not places:
        return ""
    rest = text[places[-1] :].translate(_SUPERSCRIPTS).lstrip()
    if rest.startswith("{"):
        depth = 0
        for position, character in enumerate(rest):
            depth += {"{": 1, "}": -1}.get(character, 0)
            if depth == 0:
                return rest[1:position]
        return ""
    one = re.match(r"\s*(\d+|[A-Za-z])(?:\s*(?:×|x)\s*(\d+|[A-Za-z]))?", rest)
    return one[0] if one else ""


def read_dimension(text: str, names: Sequence[str]) -> tuple[str, ...] | None:
    """The sizes a text states, as numbers and declared names; None if it states none that can be understood."""
    if len(text) > MAX_TEXT:
        return None
    inside = membership(text)
    body = inside or text
    body = _BLACKBOARD.sub(" ", body.translate(_SUPERSCRIPTS))
    body = re.sub(r"\\(?:mathrm|text|mathbf|mathit|operatorname)\s*\{([^{}]*)\}", r" \1 ", body)
    parts = _TIMES.split(_glued(body, names))
    sizes: list[str] = []
    for part in parts:
        found = [token for token in _SIZE.findall(_bare(part)) if token.isdigit() or token in names]
        if len(found) > 1:
            return None
        sizes.extend(found)
    return tuple(sizes) or None


def _glued(text: str, names: Sequence[str]) -> str:
    """`2x3`, `MxN` and `n x 1` with a proper times sign, unless x is itself a size."""
    if "x" in names:
        return text
    size = r"(?:\d+|" + "|".join(map(re.escape, names)) + r")" if names else r"\d+"
    return re.sub(rf"({size})\s*[xX]\s*(?={size}\b)", r"\1 × ", text)


def _bare(part: str) -> str:
    """A part without the words around a size: only single letters and numbers are left."""
    return " ".join(re.findall(r"(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])|\d+", part))


def evaluate_dimension(sizes: Iterable[str], values: Mapping[str, int]) -> tuple[int, ...]:
    """The sizes as numbers."""
    return tuple(int(size) if size.isdigit() else values[size] for size in sizes)


def same_dimension(stated: tuple[int, ...], shape: tuple[int, ...], either_way: bool) -> bool:
    """Does a stated size fit a shape?  A vector's is n, n×1 or 1×n; a number's is 1 or 1×1; a matrix's is m×n.

    With `either_way` (other layouts are accepted) n×m is as good as m×n.
    """
    if shape in ((), (1,), (1, 1)):
        return all(one == 1 for one in stated)
    if len(shape) == 1 or 1 in shape:
        length = max(shape)
        return stated in ((length,), (length, 1), (1, length))
    return stated == shape or (either_way and stated == shape[::-1])
