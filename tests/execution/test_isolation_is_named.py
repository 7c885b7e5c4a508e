"""Whoever runs student code without isolation says so, and then every report says so too."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from grader.batch import Options, grade_class
from grader.problems import load_problem

ROOT = Path(__file__).parents[2]
SHEET = "dl-sheet01"
STUDENTS = ("noor", "lina")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("class")
    for student in STUDENTS:
        shutil.copytree(ROOT / "submissions" / SHEET / student, place / "submissions" / student)
    options = Options(jobs=1, sandbox="none")
    grade_class(load_problem(ROOT / "problems" / SHEET), place / "submissions", place / "out", options, lambda _: None)
    return place / "out"


@pytest.mark.parametrize("student", STUDENTS)
def test_without_isolation_every_report_of_every_student_says_none(folder, student):
    reports = {path.suffix: path.read_text(encoding="utf-8") for path in (folder / "reports").glob(f"{student}.*")}
    assert set(reports) >= {".json", ".md", ".html"}
    assert json.loads(reports[".json"])["provenance"]["isolation"] == "none"
    assert "Isolation: none." in reports[".md"]
    assert re.search(r"Isolation</dt>\s*<dd>none", reports[".html"])


def test_without_isolation_the_page_of_the_class_says_none(folder):
    pages = [path.read_text(encoding="utf-8") for path in folder.glob("*.html")]
    assert any("Isolation of the code that ran: none." in page for page in pages)
