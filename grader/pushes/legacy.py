"""The result the former Classroom reporter reads: base64 of a JSON object in a step's output."""

from __future__ import annotations

import base64
import json

from grader.model import Finding, Json, Report, Verdict

VERSION = 1


def result(report: Report) -> dict[str, Json]:
    """The object before encoding.  Every test has a `score`: one without makes the reporter's total NaN.

    `status` is "pass" unless an item is wrong; it is never "fail" for pending items, which nobody has judged yet.
    """
    tests: list[Json] = [_test(finding) for finding in report.findings]
    wrong = any(finding.verdict in (Verdict.INCORRECT, Verdict.BLANK) for finding in report.findings)
    return {
        "version": VERSION,
        "status": "fail" if wrong else "pass",
        "max_score": float(report.score.possible),
        "tests": tests,
    }


def encode(report: Report) -> str:
    """One line for `$GITHUB_OUTPUT`."""
    return base64.b64encode(json.dumps(result(report), ensure_ascii=False).encode()).decode("ascii")


def _test(finding: Finding) -> dict[str, Json]:
    return {
        "name": finding.item,
        "status": "pass" if finding.earned == finding.points else "error" if finding.verdict.pending else "fail",
        "score": float(finding.earned),
        "message": finding.message,
        "test_code": "",
        "filename": finding.where.file if finding.where else "",
        "line_no": finding.where.line if finding.where else 0,
        "duration": 0,
    }
