"""Values of a problem's parameters for one student.

A value depends on the seed and on the names of problem, question and parameter, on nothing else: adding, removing or
editing other questions never changes it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

MAX_ATTEMPTS = 50  # draws tried for one question before its parameters are called ill-posed
MAX_SPAN = 10**6


class IllPosed(Exception):
    """These values make the question degenerate; another draw is to be tried.  Carries the reason."""


@dataclass(frozen=True)
class Parameter:
    """The values a parameter may take: whole numbers `integer = [2, 9]`, or one of `choice = ['1/2', 2]`.

    `without` lists values never drawn.
    """

    integer: tuple[int, int] | None = None
    choice: tuple[Fraction, ...] = ()
    without: tuple[Fraction, ...] = ()

    def __post_init__(self) -> None:
        if (self.integer is None) == (not self.choice):
            raise ValueError("a parameter has either `integer = [lowest, highest]` or `choice = [value, …]`")
        if self.integer is not None and self.integer[0] > self.integer[1]:
            raise ValueError(f"the range [{self.integer[0]}, {self.integer[1]}] is empty")
        if self.integer is not None and self.integer[1] - self.integer[0] > MAX_SPAN:
            raise ValueError(f"the range is wider than {MAX_SPAN}")
        if not self.values():
            raise ValueError("`without` leaves no value")

    def values(self) -> tuple[Fraction, ...]:
        """Every value that can be drawn, in order."""
        if self.integer is not None:
            drawn = [Fraction(n) for n in range(self.integer[0], self.integer[1] + 1)]
        else:
            drawn = list(self.choice)
        return tuple(value for value in drawn if value not in self.without)


def draw_parameters(
    parameters: Mapping[str, Parameter], seed: str, problem: str, question: str, attempt: int = 0
) -> dict[str, Fraction]:
    """One value for each parameter, the same on every machine.  `attempt` counts rejected draws."""
    drawn = {}
    for name, parameter in parameters.items():
        content = "\x1f".join((seed, problem, question, name, str(attempt)))
        chance = random.Random(hashlib.sha256(content.encode()).hexdigest())  # noqa: S311  not for secrets
        drawn[name] = chance.choice(parameter.values())
    return drawn
