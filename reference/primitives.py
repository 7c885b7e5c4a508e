"""The table of primitives.  Evaluation, both modes, symbolic form, cost and printing are interpreters over it."""

from __future__ import annotations

from reference.arithmetic import ARITHMETIC
from reference.arrays import ARRAYS
from reference.entrywise import ENTRYWISE
from reference.linear import LINEAR
from reference.primitive import Primitive
from reference.reductions import REDUCTIONS

PRIMITIVES: dict[str, Primitive] = {p.name: p for p in (*ARITHMETIC, *ENTRYWISE, *REDUCTIONS, *LINEAR, *ARRAYS)}
