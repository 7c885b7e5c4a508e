"""`result.json` of Classroom 50: schema `classroom50/result/v1`, whole numbers only."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

from grader.model import Finding, Json, Report

SCHEMA = "classroom50/result/v1"
# Beyond this scale a total would no longer read as points; shares are then rounded down to whole scaled points.
MAX_SCALE = 1000


def scale_of(report: Report) -> int:
    """The smallest whole number that makes every item's points and the points earned whole."""
    parts = [value for finding in report.findings for value in (finding.earned, finding.points)]
    parts += [report.score.earned, report.score.possible]
    return min(lcm(*(value.denominator for value in parts)) if parts else 1, MAX_SCALE)


def result(report: Report) -> dict[str, Json]:
    """The content of `result.json`.  Half points are scaled to whole ones; `scale` in every test says by how much.

    A pending item has score 0 and `passed` false, and says that a person will look at it.
    """
    scale = scale_of(report)
    tests: list[Json] = [_test(finding, scale, report) for finding in report.findings]
    return {
        "schema": SCHEMA,
        "score": _whole(report.score.earned, scale),
        "max-score": _whole(report.score.possible, scale),
        "tests": tests,
    }


def _test(finding: Finding, scale: int, report: Report) -> dict[str, Json]:
    decided = {decision.item: decision.points for decision in report.decisions}
    earned = decided.get(finding.item, finding.earned)
    return {
        "test-name": finding.item,
        "passed": earned == finding.points,
        "score": _whole(earned, scale),
        "max-score": _whole(finding.points, scale),
        "message": finding.message,
        "verdict": str(finding.verdict),
        "scale": scale,
        "commit": report.provenance.commit,
    }


def _whole(value: Fraction, scale: int) -> int:
    return (value * scale).__floor__()
