"""A class's files: names that lead nowhere else, decisions that survive, the same bytes again."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import class_files
from grader.changes import compare, describe, take_in
from grader.model import Decision, Report, Verdict
from grader.reporting import json_report, review
from grader.store import Member, Store
from grader.store import Verdict as Kept
from tests.reporting.samples import REPORT, TRUTH

BARE = replace(REPORT, decisions=())
F = Fraction


def make_class(out: Path, reports: list[Report]) -> Store:
    store = Store(out / class_files.JOURNAL)
    for report in reports:
        store.finish(Kept(f"key-{report.student}", json_report.render(report), F(1, 10)))
    store.set_members([Member(report.student, f"key-{report.student}") for report in reports])
    return store


def snapshot(out: Path) -> dict[str, bytes]:
    files = [p for p in out.rglob("*") if p.is_file() and "sqlite" not in p.name]
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


def fill(out: Path, item: str, student: str, **columns: str) -> None:
    path = out / "review.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    for row in rows:
        if row["item"] == item and row["student"] == student:
            row.update(columns)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, review.COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def row(out: Path, item: str, student: str) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO((out / "review.csv").read_text()))
    return next(row for row in rows if row["item"] == item and row["student"] == student)


@pytest.mark.parametrize(
    "student",
    ["../../etc/passwd", "/abs", "..", ".", "", "a/b", "a\\b", "con", "NUL.txt", "é", "x" * 300, "a\x00b", "-rf", "😀"],
)
def test_a_students_file_never_leaves_its_folder(student: str) -> None:
    name = class_files.file_names([student])[student]
    assert name
    assert not set(name) & set("/\\\0:")
    assert name not in (".", "..")
    assert len(name) < 100


@given(st.lists(st.text(max_size=20), max_size=12, unique=True))
def test_different_students_have_different_files_on_any_file_system(students: list[str]) -> None:
    names = class_files.file_names(students)
    assert len({name.lower() for name in names.values()}) == len(students)


def test_writing_a_class_again_changes_no_byte(tmp_path: Path) -> None:
    with make_class(tmp_path, [BARE, replace(BARE, student="b/../c", name="")]) as store:
        class_files.write_class(tmp_path, store, "Sheet")
        before = snapshot(tmp_path)
        class_files.write_class(tmp_path, store, "Sheet")
    assert snapshot(tmp_path) == before
    assert {"gradebook.csv", "class.html", "review.csv", "reports/lovelace_ada.html"} <= set(before)
    assert not any(TRUTH.encode() in data for data in before.values())


def test_what_a_killed_run_was_writing_is_cleared_away(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for folder in (tmp_path, tmp_path / "reports"):
        folder.mkdir(exist_ok=True)
        (folder / f".half.md.{ended.pid}.new").write_text("ha")
        (folder / f".other.md.{os.getpid()}.new").write_text("being written")
    with make_class(tmp_path, [BARE]) as store:
        class_files.write_class(tmp_path, store, "Sheet")
    left = list(tmp_path.rglob("*.new"))
    assert {path.name for path in left} == {f".other.md.{os.getpid()}.new"}


def test_the_instructors_pages_show_the_evidence_that_students_do_not_see(tmp_path: Path) -> None:
    with make_class(tmp_path, [BARE]) as store:
        class_files.write_class(tmp_path, store, "Sheet", for_instructor=True)
    assert "confirmed by three routes" in (tmp_path / "instructor" / "lovelace_ada.html").read_text()
    assert "confirmed by three routes" not in (tmp_path / "reports" / "lovelace_ada.html").read_text()


def test_a_filled_in_row_counts_stays_and_survives_a_regrade(tmp_path: Path) -> None:
    with make_class(tmp_path, [BARE]) as store:
        class_files.write_class(tmp_path, store, "Sheet")
        fill(tmp_path, "1c", "lovelace_ada", points="1,5", reason="meant e^{-x}", by="kb")
        written = class_files.write_class(tmp_path, store, "Sheet")
        question = next(q for q in written.reports[0].score.questions if q.question == "1c")
        assert (question.earned, question.pending) == (F(3, 2), 0)
        changed = replace(BARE.findings[2], verdict=Verdict.INCORRECT, note="new")
        store.forget(["key-lovelace_ada"])
        again = replace(BARE, findings=(*BARE.findings[:2], changed, *BARE.findings[3:]))
        store.finish(Kept("key-lovelace_ada", json_report.render(again)))
        class_files.write_class(tmp_path, store, "Sheet")
        kept = row(tmp_path, "1c", "lovelace_ada")
        assert (kept["points"], kept["reason"], kept["by"]) == ("1,5", "meant e^{-x}", "kb")
        assert store.decisions()[0].points == F(3, 2)


def test_an_emptied_row_takes_the_decision_back(tmp_path: Path) -> None:
    with make_class(tmp_path, [BARE]) as store:
        class_files.write_class(tmp_path, store, "Sheet")
        fill(tmp_path, "1c", "lovelace_ada", points="1", reason="x")
        class_files.write_class(tmp_path, store, "Sheet")
        fill(tmp_path, "1c", "lovelace_ada", points="", reason="", by="")
        class_files.write_class(tmp_path, store, "Sheet")
        assert store.decisions() == ()


def test_a_later_decision_elsewhere_is_not_undone_by_the_old_row(tmp_path: Path) -> None:
    with make_class(tmp_path, [BARE]) as store:
        class_files.write_class(tmp_path, store, "Sheet")
        fill(tmp_path, "1c", "lovelace_ada", points="1", reason="x", by="a")
        class_files.write_class(tmp_path, store, "Sheet")
        store.decide([Decision("lovelace_ada", "1c", F(2), "looked again", "b")])
        for _ in range(2):
            class_files.write_class(tmp_path, store, "Sheet")
            assert store.decisions()[0].points == 2
            assert row(tmp_path, "1c", "lovelace_ada")["points"] == "2"


def test_rows_that_cannot_count_are_named_and_kept(tmp_path: Path) -> None:
    with make_class(tmp_path, [BARE]) as store:
        class_files.write_class(tmp_path, store, "Sheet")
        fill(tmp_path, "1c", "lovelace_ada", points="7", reason="generous")
        fill(tmp_path, "3.statement", "lovelace_ada", points="many", reason="?")
        written = class_files.write_class(tmp_path, store, "Sheet")
        assert len(written.trouble) == 2
        assert store.decisions() == ()
        assert row(tmp_path, "1c", "lovelace_ada")["points"] == "7"


def test_decisions_and_lateness_are_counted_exactly() -> None:
    report = take_in(BARE, [Decision("lovelace_ada", "1c", F(2), ""), Decision("other", "1a", F(2), "")], F(1, 10))
    earned = F(2) + F(2) + F(4) + F(4) + F(4)
    assert report.score.earned == earned * F(9, 10)
    assert report.score.penalty == earned / 10
    assert report.score.pending == 5
    assert report.score.possible == BARE.score.possible


def test_changes_name_student_item_both_verdicts_and_why() -> None:
    after = replace(
        BARE,
        findings=(replace(BARE.findings[0], verdict=Verdict.CORRECT, credit=F(1), note=""), *BARE.findings[1:]),
        score=replace(BARE.score, earned=F(18)),
        provenance=replace(BARE.provenance, problem="ff"),
    )
    text = describe(compare({"lovelace_ada": BARE}, {"lovelace_ada": after}))
    assert "1a  INCORRECT chain_rule.inner_derivative_missing 0 → CORRECT 2  because: the problem changed" in text
    assert "16 → 18" in text
    assert describe(compare({"s": BARE}, {"s": BARE})) == "Nothing changes.\n"
