"""What leaves the house: files of learning platforms, filled in or made, byte for byte as the platforms know them."""

from __future__ import annotations

import io
import json
import zipfile
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from grader.cli.export import command, load_reports
from grader.export import DEPARTURES, canvas, feedback, gradescope, ilias, junit, moodle, nbgrader
from grader.export.grades import Filled, WrongSheet
from grader.export.sheets import read_sheet, write_sheet
from grader.model import Decision, Finding, Place, QuestionScore, Remark, Report, Score, Verdict
from grader.reporting import render


def report(
    student: str, name: str = "", earned: Fraction | int = 0, pending: int = 0, possible: int = 100, penalty: int = 0
) -> Report:
    findings = (
        Finding("1a", Verdict.CORRECT, Fraction(1), Fraction(2), read_as="2*x"),
        Finding(
            "1b", Verdict.INCORRECT, Fraction(1, 2), Fraction(2), "sign", "The sign differs.", where=Place("a.md", 3)
        ),
        Finding("2", Verdict.UNREADABLE, Fraction(0), Fraction(3), "unreadable", "A brace is open."),
    )
    questions = (QuestionScore("1a", Fraction(2), Fraction(2), Fraction(0)),)
    score = Score(Fraction(earned), Fraction(possible), Fraction(pending), questions, Fraction(penalty))
    return Report("sheet01", "Sheet 01", student, name, findings, score, remarks=(Remark("note", "A remark."),))


ADA = report("1001", "Ada Lovelace", Fraction(27, 2))
BOB = report("bob", "Bob Ross", 40)
EVE = report("1003", "Eve Müller", 7, pending=4)
CLASS = (ADA, BOB, EVE)


def notes(filled: Filled) -> dict[str, str]:
    return {warned.student: warned.note for warned in filled.warnings}


ENGLISH = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\r\n'
    '"Participant 1001","Ada Lovelace",ada@x.org,"Submitted for grading - ",,100.00,Yes,"Monday, 1 May 2025, 1 PM",-,'
    '"a ""quoted"" word,\nin two lines"\r\n'
    '"Participant 1002","Bob Ross",bob@x.org,"Submitted for grading - ",,100.00,Yes,"-",-,\r\n'
    '"Participant 1003","Eve Müller",eve@x.org,"Submitted for grading - ",12.00,100.00,Yes,"-",-,\r\n'
    '"Participant 1004","Nobody Else",nobody@x.org,"No submission",,100.00,Yes,"-",-,\r\n'
)
GERMAN = (
    "Teilnehmer;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;Bewertung kann geändert werden;"
    "Zuletzt geändert (Abgabe);Zuletzt geändert (Bewertung);Feedback als Kommentar\n"
    "Teilnehmer/in1001;Ada Lovelace;ada@x.org;Zur Bewertung abgegeben;;100,00;Ja;;-;\n"
    "Teilnehmer/in1002;Bob Ross;bob@x.org;Zur Bewertung abgegeben;;100,00;Nein;;-;\n"
    "Teilnehmer/in1003;Eve Müller;eve@x.org;Zur Bewertung abgegeben;;100,00;Ja;;-;"
)


def test_a_moodle_worksheet_changes_in_its_grade_cells_only() -> None:
    data = b"\xef\xbb\xbf" + ENGLISH.encode()
    filled = moodle.fill(data, CLASS)
    expected = ENGLISH.replace('grading - ",,100.00,Yes,"Monday', 'grading - ",13.50,100.00,Yes,"Monday')
    expected = expected.replace('bob@x.org,"Submitted for grading - ",,', 'bob@x.org,"Submitted for grading - ",40.00,')
    expected = expected.replace(",12.00,100.00", ",,100.00")
    assert filled.data == b"\xef\xbb\xbf" + expected.encode()
    assert filled.grades == 2
    assert notes(filled) == {"1003": "pending", "Nobody Else": "no_report"}


def test_a_german_worksheet_keeps_its_semicolons_and_commas() -> None:
    filled = moodle.fill(GERMAN.encode("utf-8"), CLASS)
    expected = GERMAN.replace(
        "abgegeben;;100,00;Ja;;-;\nTeilnehmer/in1002", "abgegeben;13,50;100,00;Ja;;-;\nTeilnehmer/in1002"
    )
    assert filled.data == expected.encode()
    assert notes(filled) == {"bob": "locked", "1003": "pending"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_stay(encoding: str, end: str) -> None:
    text = GERMAN.replace("\n", end)
    filled = moodle.fill(text.encode(encoding), [ADA])
    expected = text.replace(
        "abgegeben;;100,00;Ja;;-;" + end + "Teilnehmer/in1002",
        "abgegeben;13,50;100,00;Ja;;-;" + end + "Teilnehmer/in1002",
    )
    assert filled.data == expected.encode(encoding)


@pytest.mark.parametrize(
    ("made", "row", "note"),
    [
        (report("1", "A B", 120), "Participant 1,A B,,100.00,Yes,-,-", "above_maximum"),
        (report("1", "A B", -1), "Participant 1,A B,,100.00,Yes,-,-", "negative"),
        (report("1", "A B", 5), "Participant 1,A B,,100.00,No,-,-", "locked"),
        (report("1", "A B", 5), "Participant 1,A B,5.00,100.00,Yes,-,-", "unchanged"),
        (report("1", "A B", 5), "Participant 1,A B,4.00,100.00,Yes,-,-", "graded_before"),
        (report("1", "A B", 5), 'Participant 1,A B,,100.00,Yes,-,"Monday, 5 May"', "graded_before"),
        (report("1", "A B", 5), "Participant 1,A B,,20.00,Yes,-,-", "other_maximum"),
        (report("1", "A B", 5, pending=1), "Participant 1,A B,,100.00,Yes,-,-", "pending"),
        (report("7", "C D", 5), "Participant 1,A B,,100.00,Yes,-,-", "no_row"),
    ],
)
def test_every_row_that_moodle_would_skip_is_warned_about(made: Report, row: str, note: str) -> None:
    head = "Identifier,Full name,Grade,Maximum Grade,Grade can be changed,Last modified (submission),Last modified\n"
    filled = moodle.fill((head + row + "\n").encode(), [made])
    assert note in [warned.note for warned in filled.warnings]


def test_an_unknown_language_is_read_by_what_stands_in_the_columns() -> None:
    text = "Aaa,Bbb,Ccc,Ddd,Eee\nOsallistuja 1001,Ada Lovelace,,50.00,Kyllä\nOsallistuja 5,X Y,,50.00,Kyllä\n"
    assert b"1001,Ada Lovelace,13.50,50.00" in moodle.fill(text.encode(), [ADA]).data


@pytest.mark.parametrize("data", [b"", b"nothing", b"a,b\n1,2\n", b"PK\x03\x04xx", b"\xff\xfex"])
def test_what_is_no_worksheet_is_refused_in_words(data: bytes) -> None:
    for fill in (moodle.fill, canvas.fill, ilias.fill):
        with pytest.raises(WrongSheet):
            fill(data, CLASS)


CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Sheet 00 (11),Sheet 01 (12),Current Score\r\n"
    "    Points Possible,,,,,10,100.0,(read only)\r\n"
    '"Lovelace, Ada",1001,u1,ada@x.org,S1,3,,50\r\n'
    '"Ross, Bob",1002,u2,bob@x.org,"S1, S2",,EX,\r\n'
    '"Müller, Eve",1003,u3,eve@x.org,S1,,1.5,\r\n'
    '"Student, Test",1,,,S1,,,\r\n'
)


def test_a_canvas_gradebook_changes_in_one_column_only() -> None:
    filled = canvas.fill(CANVAS.encode(), CLASS)
    expected = CANVAS.replace("ada@x.org,S1,3,,50", "ada@x.org,S1,3,13.50,50").replace("S1,,1.5,", "S1,,,")
    assert filled.data == expected.encode()
    assert notes(filled) == {"bob": "locked", "1003": "pending"}


@pytest.mark.parametrize("column", ["Sheet 00 (11)", "Sheet 00", "11"])
def test_a_canvas_column_is_named_by_title_or_number(column: str) -> None:
    filled = canvas.fill(CANVAS.encode(), [ADA], column)
    assert filled.data == CANVAS.replace("S1,3,,50", "S1,13.50,,50").encode()
    assert {"above_maximum", "other_maximum", "graded_before"} <= {warned.note for warned in filled.warnings}


def test_a_canvas_gradebook_without_the_assignment_names_those_it_has() -> None:
    with pytest.raises(WrongSheet, match=r"Sheet 00 \(11\); Sheet 01 \(12\)"):
        canvas.fill(CANVAS.encode(), CLASS, "Sheet 99")


def test_an_ilias_sheet_gets_marks() -> None:
    text = "update;usr_id;login;lastname;firstname;status;mark;notice\n"
    text += "0;7;1001;Lovelace;Ada;notgraded;;\n0;8;eve;Müller;Eve;notgraded;;\n"
    filled = ilias.fill(text.encode(), CLASS)
    assert (
        filled.data == text.replace("0;7;1001;Lovelace;Ada;notgraded;;", "1;7;1001;Lovelace;Ada;failed;13.50;").encode()
    )
    assert notes(filled) == {"1003": "pending", "bob": "no_row"}


FIELD = st.text(st.sampled_from('ab,;"\n\r ä'), max_size=6)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(FIELD, min_size=2, max_size=4), min_size=1, max_size=5),
    FIELD,
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_changed_cell_reads_back_and_nothing_else_moves(rows: list[list[str]], value: str, end: str) -> None:
    quoted = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in [["h", "i"], *rows]]
    sheet = read_sheet((end.join(quoted) + end).encode())
    assert write_sheet(sheet, {}) == (end.join(quoted) + end).encode()
    cell = sheet.rows[-1][1]
    again = read_sheet(write_sheet(sheet, {cell: value}))
    assert again.rows[-1][1].value == value
    assert [[c.value for c in row] for row in again.rows[:-1]] == [[c.value for c in row] for row in sheet.rows[:-1]]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_as_a_sheet_are_filled_or_refused(data: bytes) -> None:
    for fill in (moodle.fill, canvas.fill, ilias.fill):
        for head in (b"", b"Student,ID,T (1)\n", b"update,login,status,mark\n", b"Identifier,Grade\n"):
            try:
                fill(head + data, CLASS)
            except WrongSheet:
                continue


def test_feedback_is_packed_as_moodle_names_its_folders() -> None:
    pages = {"1001": b"<p>1</p>", "bob": b"<p>2</p>"}
    filled = feedback.pack(CLASS, pages, ENGLISH.encode())
    with zipfile.ZipFile(io.BytesIO(filled.data)) as archive:
        assert archive.namelist() == [
            "Ada Lovelace_1001_assignsubmission_file_/report.html",
            "Bob Ross_1002_assignsubmission_file_/report.html",
        ]
        assert archive.read(archive.namelist()[1]) == b"<p>2</p>"
    assert notes(filled) == {"1003": "no_page"}
    assert feedback.pack(CLASS, pages, ENGLISH.encode()).data == filled.data
    assert notes(feedback.pack(CLASS, pages)) == {"bob": "no_row", "1003": "no_page"}
    assert feedback.folder_name("../a/b", "1") == "ab_1_assignsubmission_file_"


def test_nbgraders_table_leaves_pending_scores_empty() -> None:
    filled = nbgrader.table((ADA, EVE, report("=cmd", "X", 5, penalty=2)))
    assert filled.data.decode().splitlines() == [
        "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,late_submission_penalty,score,max_score",
        "sheet01,,,1001,Lovelace,Ada,,13.50,0.00,13.50,100.00",
        "sheet01,,,1003,Müller,Eve,,,,,100.00",
        "sheet01,,,'=cmd,X,,,7.00,2.00,5.00,100.00",
    ]


def test_junit_has_a_suite_per_student_and_skips_what_is_pending() -> None:
    filled = junit.document((ADA, report("x", "\0\ud800 <b>&", 1)))
    root = ET.fromstring(filled.data)
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == ("testsuites", "6", "2", "0")
    for suite in root:
        assert suite.tag == "testsuite"
        assert {"name", "tests", "failures", "errors", "skipped", "time"} == set(suite.keys())
        assert [case.get("name") for case in suite] == ["1a", "1b", "2"]
        assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["skipped"]]
        assert (suite[1][0].text or "").startswith("a.md:3: ")


RESULTS = Draft202012Validator(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "score": {"type": "number"},
            "execution_time": {"type": "number"},
            "output": {"type": "string"},
            "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
            "test_output_format": {"type": "string"},
            "test_name_format": {"type": "string"},
            "visibility": {"enum": ["visible", "hidden", "after_due_date", "after_published"]},
            "stdout_visibility": {"enum": ["visible", "hidden", "after_due_date", "after_published"]},
            "extra_data": {"type": "object"},
            "leaderboard": {"type": "array"},
            "tests": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "score": {"type": "number"},
                        "max_score": {"type": "number"},
                        "status": {"enum": ["passed", "failed"]},
                        "name": {"type": "string"},
                        "name_format": {"type": "string"},
                        "number": {"type": "string"},
                        "output": {"type": "string"},
                        "output_format": {"type": "string"},
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "visibility": {"enum": ["visible"]},
                        "extra_data": {"type": "object"},
                    },
                },
            },
        },
    }
)


def test_gradescopes_results_are_of_its_form_and_hide_nothing() -> None:
    decided = report("d", "D", 5)
    decided = Report(
        decided.problem,
        decided.title,
        "d",
        "D",
        decided.findings,
        decided.score,
        (Decision("d", "2", Fraction(3), "Fine."),),
    )
    for one in (*CLASS, decided, report("late", "L", 5, penalty=3)):
        data = json.loads(gradescope.results(one).data)
        RESULTS.validate(data)
        assert ("score" in data) == (one.score.penalty > 0)
    tests = {test["name"]: test for test in json.loads(gradescope.results(decided).data)["tests"]}
    assert (tests["1b"]["score"], tests["1b"]["status"]) == (1.0, "failed")
    assert (tests["2"]["score"], tests["2"]["status"]) == (3.0, "passed")
    assert "status" not in {t["name"]: t for t in json.loads(gradescope.results(ADA).data)["tests"]}["2"]
    RESULTS.validate(json.loads(gradescope.failure("x")))


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    for one in CLASS:
        (tmp_path / "reports" / f"{one.student}.json").write_text(render(one, "json"), encoding="utf-8")
        (tmp_path / "reports" / f"{one.student}.html").write_text("<p>hello</p>")
    (tmp_path / "reports" / "broken.json").write_text("{}")
    (tmp_path / "moodle.csv").write_bytes(ENGLISH.encode())
    (tmp_path / "canvas.csv").write_bytes(CANVAS.encode())
    (tmp_path / "ilias.csv").write_text("update,login,status,mark\n0,1001,notgraded,\n")
    return tmp_path


@pytest.mark.parametrize("form", DEPARTURES)
def test_every_departure_is_a_command(form: str, graded: Path) -> None:
    sheet = graded / f"{form}.csv"
    arguments = [form, str(graded), *(["--file", str(sheet)] if sheet.exists() else []), "--json"]
    done = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert done.return_value == 0, done.output
    said = json.loads(done.stdout)
    assert Path(said["file"]).exists()
    assert {"1003", "bob"} & {row["student"] for row in said["warnings"]}
    assert "broken.json" in done.stderr
    before = sheet.read_bytes() if sheet.exists() else b""
    assert before == {"moodle": ENGLISH.encode(), "canvas": CANVAS.encode()}.get(form, before)


def test_a_sheet_must_be_named_and_reports_must_exist(graded: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["moodle", str(graded)])
    assert done.exit_code == 2
    assert "--file" in done.output
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(command, ["junit", str(tmp_path / "empty")], standalone_mode=False)
    assert done.return_value == 5
    assert load_reports(graded).keys() == {"1001", "bob", "1003"}


def test_two_rows_of_one_name_never_share_one_report() -> None:
    sheet = (
        b"Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed\n"
        b"Participant 7,Anna Lee,a@x.org,,,100.00,Yes\nParticipant 8,Anna Lee,b@x.org,,,100.00,Yes\n"
    )
    filled = moodle.fill(sheet, [report("anna", "Anna Lee", 50)])
    assert filled.data == sheet
    assert [one.note for one in filled.warnings] == ["no_report", "no_report", "no_row"]


def test_ids_that_differ_in_case_or_accents_only_are_told_apart() -> None:
    sheet = b"Student,ID,SIS Login ID,Section,HW (1)\nA,1,ada,x,\nB,2,Ada,x,\nC,3,ADA,x,\n"
    filled = canvas.fill(sheet, [report("ada", "One", 5), report("Ada", "Two", 6)])
    assert filled.data == b"Student,ID,SIS Login ID,Section,HW (1)\nA,1,ada,x,5.00\nB,2,Ada,x,6.00\nC,3,ADA,x,\n"
