"""Reports as JUnit XML: a suite per student, a case per item.  Pending items are skipped cases, never failures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from grader.export.grades import Filled, Warned, number, waits
from grader.model import Report, Verdict
from grader.reporting.audience import for_student
from grader.reporting.lines import Line, arrange

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(reports: Sequence[Report]) -> Filled:
    """The class's reports as a student may see them.  Times are 0: a report has no clock."""
    root = ET.Element("testsuites")
    warnings: list[Warned] = []
    totals = [0, 0, 0]
    for report in sorted(reports, key=lambda one: one.student):
        suite = ET.SubElement(root, "testsuite")
        counts = _suite(suite, for_student(report))
        totals = [a + b for a, b in zip(totals, counts, strict=True)]
        if waits(report):
            message = f"{number(report.score.pending)} points still wait for a person; their cases are skipped."
            warnings.append(Warned("pending", report.student, message))
    for name, value in zip(("tests", "failures", "skipped"), totals, strict=True):
        if name != "skipped":
            root.set(name, str(value))
    root.set("errors", "0")
    ET.indent(root)
    data = ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
    return Filled(data, len(reports), tuple(warnings))


def _suite(suite: ET.Element, report: Report) -> list[int]:
    lines = [line for section in arrange(report) for line in section.lines]
    failed = [line for line in lines if _failed(line)]
    skipped = [line for line in lines if line.pending]
    suite.attrib.update(
        {
            "name": _clean(f"{report.problem}.{report.student}"),
            "tests": str(len(lines)),
            "failures": str(len(failed)),
            "errors": "0",
            "skipped": str(len(skipped)),
            "time": "0",
        }
    )
    for line in lines:
        finding = line.finding
        case = ET.SubElement(suite, "testcase")
        case.attrib.update({"classname": _clean(report.problem), "name": _clean(finding.item), "time": "0"})
        if line.pending:
            ET.SubElement(case, "skipped").set("message", _clean(finding.message or "waits for a person"))
        elif _failed(line):
            failure = ET.SubElement(case, "failure")
            failure.attrib.update({"message": _clean(finding.message or finding.verdict.value), "type": finding.note})
            # The schema that Jenkins checks has no place for file and line at a case: they stand in the text.
            place = f"{finding.where.file}:{finding.where.line}: " if finding.where is not None else ""
            worth = f"{number(line.earned)} of {number(finding.points)} points. Read as: {finding.read_as}"
            failure.text = _clean(place + worth)
    return [len(lines), len(failed), len(skipped)]


def _failed(line: Line) -> bool:
    """Less than all points, for whatever reason; a person's word counts before the program's."""
    if line.decision is not None:
        return line.earned < line.finding.points
    return line.finding.verdict in (Verdict.INCORRECT, Verdict.BLANK)


def _clean(text: str) -> str:
    """Text that XML can hold."""
    return _NOT_XML.sub("�", text)
