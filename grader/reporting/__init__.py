"""Reports to text: one exporter per module, each a pure function of the report.

A new exporter is one module with `render(report) -> str` and one line here.
"""

from __future__ import annotations

from importlib import import_module

from grader.model import Report

# format -> (suffix of its file, module with `render`)
EXPORTERS = {
    "html": (".html", "grader.reporting.html"),
    "markdown": (".md", "grader.reporting.markdown"),
    "json": (".json", "grader.reporting.json_report"),
    "terminal": (".txt", "grader.reporting.terminal"),
}


def render(report: Report, form: str) -> str:
    """The report in one of EXPORTERS' formats.  Errors: KeyError for an unknown format."""
    text = import_module(EXPORTERS[form][1]).render(report)
    assert isinstance(text, str)
    return text
