"""Same or not: expressions, arrays, matrices, abstract functions, numbers, chains of equalities."""

from __future__ import annotations

from grader.compare.conditions import Condition
from grader.compare.domain import Domain, Point
from grader.compare.evidence import Sameness, Witness
from grader.compare.policy import EXACT, Policy
from grader.compare.sameness import same

__all__ = ["EXACT", "Condition", "Domain", "Point", "Policy", "Sameness", "Witness", "same"]
