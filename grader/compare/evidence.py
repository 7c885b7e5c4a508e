"""What a comparison found: a verdict, how it was reached, and where the two sides differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["yes", "no", "partly", "unknown"]


@dataclass(frozen=True, slots=True)
class Witness:
    """A point of the domain where the answer and the truth differ.  Numbers are text: exact points, rounded values.

    `entry` counts rows and columns from 1 and is empty for a scalar; `truth` is for instructors only.
    """

    point: tuple[tuple[str, str], ...]
    answer: str
    truth: str
    entry: tuple[int, ...] = ()

    def text(self, *, audience: Literal["student", "instructor"] = "instructor") -> str:
        """One line.  A student reads where and what his answer gives there, never the value of the truth."""
        where = ", ".join(f"{name} = {value}" for name, value in self.point)
        entry = f"entry {','.join(map(str, self.entry))}: " if self.entry else ""
        place = f"at {where} " if where else ""
        if audience == "student":
            return f"{entry}{place}the answer gives {self.answer}, which is not the right value"
        return f"{entry}{place}the answer gives {self.answer}, the truth {self.truth}"


@dataclass(frozen=True, slots=True)
class Sameness:
    """Are two expressions the same?

    how      identical, balls, rounding, witness, shape, layout, undefined, empty_domain, effort, names
    note     stable tag for statistics: shape.wrong, jacobian.transposed, domain.partly_undefined, …
    message  for a learner, plain text
    entries  per entry of the truth (row by row): is it right?  Empty where the shapes do not allow to say
    """

    verdict: Verdict
    how: str
    witness: Witness | None = None
    note: str = ""
    message: str = ""
    entries: tuple[bool, ...] = ()
    points: int = 0  # how many points confirm or refute

    @property
    def same(self) -> bool:
        return self.verdict == "yes"
