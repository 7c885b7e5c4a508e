"""Gradescope's results.json: what an autograder says about one hand-in."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from grader.export.grades import Filled, Warned, number, waits
from grader.model import Report
from grader.reporting.audience import for_student
from grader.reporting.lines import Line, arrange

MAX_OUTPUT = 20_000  # characters of one text


def results(report: Report) -> Filled:
    """The report as a student may see it.  No item is hidden: one hidden test would hide the total.

    Gradescope adds up the tests' scores; items that wait for a person count 0 so far and say so.
    """
    seen = for_student(report)
    tests = [_test(line) for section in arrange(seen) for line in section.lines]
    data: dict[str, Any] = {
        "output": _summary(seen),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"student": seen.student, "problem": seen.problem, "pending": str(seen.score.pending)},
    }
    if not tests or seen.score.penalty:
        data["score"] = _float(seen.score.earned)  # lateness is taken from the whole, not from an item
    warnings: tuple[Warned, ...] = ()
    if waits(seen):
        message = f"{number(seen.score.pending)} points still wait for a person; they count 0 on Gradescope so far."
        warnings = (Warned("pending", seen.student, message),)
    text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    return Filled(text.encode("utf-8", "replace"), 1, warnings)


def failure(message: str) -> bytes:
    """results.json of a run that could not grade: no tests, no score, the reason in words."""
    data = {"output": message[:MAX_OUTPUT], "output_format": "text", "visibility": "visible", "score": 0, "tests": []}
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _test(line: Line) -> dict[str, Any]:
    finding = line.finding
    test: dict[str, Any] = {
        "name": finding.item,
        "number": finding.item,
        "score": _float(line.earned),
        "max_score": _float(finding.points),
        "output": _words(line),
        "output_format": "text",
        "visibility": "visible",
    }
    if not line.pending:
        test["status"] = "passed" if line.earned == finding.points else "failed"
    if finding.note:
        test["tags"] = [finding.note]
    return test


def _words(line: Line) -> str:
    finding = line.finding
    parts = [f"Read as: {finding.read_as}" if finding.read_as else "", finding.message]
    parts += [evidence.text for evidence in finding.evidence]
    if line.pending:
        parts.append("A person will look at this; it counts neither way until then.")
    if line.decision is not None:
        parts.append(line.decision.reason)
    return "\n".join(part for part in parts if part)[:MAX_OUTPUT]


def _summary(report: Report) -> str:
    parts = [f"{report.title}: {number(report.score.earned)} of {number(report.score.possible)} points."]
    if waits(report):
        parts.append(f"{number(report.score.pending)} points wait for a person.")
    parts += [remark.message for remark in report.remarks]
    return "\n".join(parts)[:MAX_OUTPUT]


def _float(value: Fraction) -> float:
    return round(float(value), 4)
