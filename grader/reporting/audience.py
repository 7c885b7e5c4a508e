"""What a learner may see of a report."""

from __future__ import annotations

from dataclasses import replace

from grader.model import Evidence, Finding, Report


def for_student(report: Report) -> Report:
    """The report without the instructor's evidence and without the seed: no model answer, nothing that leads to one.

    A witness keeps the point and the student's own value there; a pair called `truth` is dropped from any evidence.
    """
    return replace(
        report,
        findings=tuple(_finding_for_student(finding) for finding in report.findings),
        provenance=replace(report.provenance, seed=""),
    )


def _finding_for_student(finding: Finding) -> Finding:
    kept = tuple(_evidence_for_student(evidence) for evidence in finding.evidence if evidence.audience == "student")
    return replace(finding, evidence=kept)


def _evidence_for_student(evidence: Evidence) -> Evidence:
    return replace(evidence, data=tuple((key, value) for key, value in evidence.data if key != "truth"))
