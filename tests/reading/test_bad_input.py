"""Whatever is handed in: a remark that says what, where and how to mend it; never an exception, nothing else lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from grader.model import Submission
from grader.reading import Labels, formulas, read_submission
from grader.reading import files as limits
from grader.reading.files import File, Files
from grader.reading.submission import submission_of

LABELS = Labels({"1a": "First", "1b": "Second", "2a": "Third"}, {"2a.A": "", "2a.B": ""})
FORMATS = ["md", "tex", "txt", "toml", "json", "yaml", "ipynb", "pdf"]


def notes(submission: Submission) -> list[str]:
    return [remark.note for remark in submission.remarks]


def answered(submission: Submission) -> dict[str, str]:
    return {a.question: a.fragments[0].text for a in submission.answers}


def beside_a_good_file(folder: Path, name: str, data: bytes) -> Submission:
    (folder / "good.md").write_text("## 1b\n$y$\n", encoding="utf-8")
    (folder / name).write_bytes(data)
    return read_submission(folder, LABELS)


def deep(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("name", "data", "note"),
    [
        ("a.md", b"", "empty_file"),
        ("a.md", bytes(range(256)) * 20, "binary"),
        ("a.md", b"\x89PNG\r\n\x1a\n" + bytes(2000), "binary"),
        ("a.ipynb", b"", "empty_file"),
        ("a.ipynb", b"  \n ", "corrupt_notebook"),
        ("a.ipynb", b"this is no json", "corrupt_notebook"),
        ("a.ipynb", b"[1, 2]", "corrupt_notebook"),
        ("a.ipynb", b'{"cells": 3}', "corrupt_notebook"),
        ("a.ipynb", b'{"cells": [1]}', "bad_cell"),
        ("a.ipynb", b'{"cells": [{"cell_type": "markdown", "source": {"a": 1}}]}', "bad_cell"),
        ("a.ipynb", deep(100_000), "corrupt_notebook"),
        ("a.ipynb", b'{"cells": [' + deep(100_000) + b"]}", "corrupt_notebook"),
        ("a.json", b"{", "unreadable_record"),
        ("a.json", deep(100_000), "unreadable_record"),
        ("a.json", b"{}", "no_answers"),
        ("a.toml", b"= 3", "unreadable_record"),
        ("a.toml", b"a = " + deep(5_000), "unreadable_record"),
        ("a.yaml", b"a: [", "unreadable_record"),
        ("a.yaml", b"a: &x [1]\nb: *x\n", "unreadable_record"),
        ("a.pdf", b"%PDF-1.4 broken", "corrupt_pdf"),
        ("a.pdf", b"no pdf at all", "corrupt_pdf"),
    ],
)
def test_a_bad_file_is_named_and_the_others_are_read(name: str, data: bytes, note: str, tmp_path: Path) -> None:
    submission = beside_a_good_file(tmp_path, name, data)
    assert note in notes(submission)
    assert answered(submission)["1b"] == "y"
    said = next(remark for remark in submission.remarks if remark.note == note)
    assert said.where is not None
    assert said.where.file == name


@pytest.mark.parametrize(
    ("data", "remarks"),
    [
        ("\ufeff## 1a\n$ä$\n".encode(), []),
        ("## 1a\r\n$ä$\r\n".encode(), []),
        ("## 1a\r$ä$\r".encode(), []),
        ("## 1a\n$ä$\n".encode("utf-16"), ["encoding"]),
        ("## 1a\n$ä$\n".encode("utf-16-be"), ["encoding"]),
        ("## 1a\n$ä$\n für die Lösung \n".encode("latin-1"), ["encoding"]),
        ("## 1a\n$\0ä$\n".encode(), ["control_characters"]),
    ],
)
def test_other_encodings_are_read_and_named(data: bytes, remarks: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(data)
    submission = read_submission(tmp_path, LABELS)
    assert answered(submission) == {"1a": "ä"}
    assert notes(submission) == remarks


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    submission = read_submission(tmp_path, LABELS)
    assert notes(submission) == ["empty"]


def test_a_missing_path_says_so(tmp_path: Path) -> None:
    assert notes(read_submission(tmp_path / "nobody", LABELS)) == ["missing"]


def test_a_file_above_its_cap_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_TEXT_BYTES", 1000)
    submission = beside_a_good_file(tmp_path, "a.md", b"x" * 1001)
    assert notes(submission) == ["too_large"]
    assert answered(submission) == {"1b": "y"}


def test_fifty_megabytes_are_not_read_into_an_answer(tmp_path: Path) -> None:
    with (tmp_path / "a.md").open("wb") as stream:
        stream.truncate(50 * 2**20)
    submission = read_submission(tmp_path, LABELS)
    assert "too_large" in notes(submission)
    assert "50 MB" in submission.remarks[0].message


def test_a_folder_where_a_file_should_be_is_read_and_named(tmp_path: Path) -> None:
    (tmp_path / "answers.md").mkdir()
    (tmp_path / "answers.md" / "inner.md").write_text("## 1a\n$x$\n")
    submission = read_submission(tmp_path, LABELS)
    assert notes(submission) == ["folder_for_file"]
    assert answered(submission) == {"1a": "x"}


def test_links_are_followed_only_inside_the_hand_in(tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("## 1a\n$s$\n")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "real.md").write_text("## 1b\n$y$\n")
    (mine / "outside.md").symlink_to(secret)
    (mine / "folder").symlink_to(tmp_path)
    (mine / "loop.md").symlink_to(mine / "loop.md")
    submission = read_submission(mine, LABELS)
    assert answered(submission) == {"1b": "y"}
    assert "outside_link" in notes(submission)
    assert all("$s$" not in a.text for a in submission.answers)


def test_a_pipe_does_not_hold_up_reading(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.md")
    assert "not_a_file" in notes(read_submission(tmp_path, LABELS))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("## 1a")
    (tmp_path / "a.md").chmod(0)
    assert "unreadable_file" in notes(read_submission(tmp_path, LABELS))


def test_deep_folders_and_many_files_end_somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FILES", 5)
    folder = tmp_path
    for _ in range(12):
        folder = folder / "d"
        folder.mkdir()
        (folder / "a.md").write_text("## 1a\n$x$\n")
    assert {"too_deep", "too_many_files"} <= set(notes(read_submission(tmp_path, LABELS)))


def test_lone_surrogates_and_nul_in_a_notebook_are_replaced(tmp_path: Path) -> None:
    cell = {"cell_type": "markdown", "source": "## 1a\n$\ud800x\0$"}
    submission = beside_a_good_file(tmp_path, "a.ipynb", json.dumps({"cells": [cell]}).encode())
    assert answered(submission)["1a"] == "\ufffdx"


def test_what_tools_leave_behind_is_no_answer(tmp_path: Path) -> None:
    for name in (".ipynb_checkpoints/a.md", "__MACOSX/a.md", "node_modules/a.md", ".git/a.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("## 1a\n$x$\n")
    (tmp_path / "README.md").write_text("## 1a\n$statement$\n")
    (tmp_path / "answers.md").write_text("## 1a\n$y$\n")
    submission = read_submission(tmp_path, LABELS)
    assert answered(submission) == {"1a": "y"}
    assert not submission.remarks


def test_the_time_and_name_come_from_the_hand_ins_own_files(tmp_path: Path) -> None:
    (tmp_path / "metadata.toml").write_text('name = "Ada L."\nsubmitted = 2024-11-20T10:00:00+01:00\n')
    (tmp_path / "a.md").write_text("## 1a\n$x$\n")
    submission = read_submission(tmp_path, LABELS)
    assert (submission.name, submission.submitted) == ("Ada L.", "2024-11-20T10:00:00+01:00")


def test_the_same_bytes_elsewhere_give_the_same_submission(tmp_path: Path) -> None:
    found = []
    for folder in (tmp_path / "one" / "ada", tmp_path / "two" / "ada"):
        folder.mkdir(parents=True)
        (folder / "a.md").write_text("## 1a\n$x$\n")
        found.append(read_submission(folder, LABELS))
    assert found[0] == found[1]


TYPED = """## 1a|1b)|$x|$$|$|\\[|\\begin{align}|\\end{align}|```|`a|- a)||> $y$|**1a**|\\section{1a}|\\item
\\begin{enumerate}|f1:|x = 3|===|<!--|-->|{|}"""
LINES = st.sampled_from([*TYPED.replace("\n", "|").split("|"), "| a | b |", "|---|---|"])
QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("suffix", FORMATS)
@QUIET
@given(data=st.one_of(st.binary(max_size=300), st.lists(LINES, max_size=25).map(lambda t: "\n".join(t).encode())))
@example(data=b"\\begin{")
@example(data=b"\xff\xfe\x00")
@example(data=b"1a = '''")
@example(data=b'{"1a": 1e999999}')
@example(data=b"1a = 9999999999999999999999999999999999999999")
@example(data=b"? !!python/object:os.system a")
def test_any_bytes_give_a_submission(suffix: str, data: bytes) -> None:
    file = File(f"a.{suffix}", data)
    submission = submission_of(Files((file,)), LABELS, "s")
    text = data.replace(b"\r\n", b"\n")
    for answer in submission.answers:
        for fragment in answer.fragments:
            assert 1 <= fragment.where.line <= text.count(b"\n") + text.count(b"\r") + 2 or suffix == "ipynb"
            assert fragment.where.column >= 1


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | LINES, inner, max_size=4),
    max_leaves=12,
)


@QUIET
@given(data=JSON, cells=st.booleans())
def test_any_json_gives_a_submission(data: object, cells: bool) -> None:
    whole = {"cells": [data, {"cell_type": "markdown", "source": data}, data]} if cells else {"1a": data, "x": data}
    text = json.dumps(whole).encode()
    submission_of(Files((File("a.ipynb", text), File("a.json", text))), LABELS, "s")


@QUIET
@given(st.lists(LINES, max_size=30))
def test_no_formula_is_lost_between_its_dollars(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n\n## 2a\n\n$q_{77}$\n"
    submission = submission_of(Files((File("a.md", text.encode()),)), LABELS, "s")
    kept = "".join(a.text for a in submission.answers) + "".join(remark.message for remark in submission.remarks)
    hidden = "```" in lines or "<!--" in lines
    assert "q_{77}" in kept or hidden


def test_formulas_of_anything_never_raise(tmp_path: Path) -> None:
    for suffix in FORMATS:
        (tmp_path / f"a.{suffix}").write_bytes(b"$x$ \x00\xff [" * 50)
        assert isinstance(formulas(tmp_path / f"a.{suffix}"), tuple)


REPEATED = [
    "$",
    "$x\n",
    "\\begin{align}",
    "`",
    "`a",
    "**",
    "[",
    "a_",
    "1a) ",
    "| a ",
    "<img ",
    "\\[",
    "x: ",
    "1. ",
    "{",
]
REPEATED += ["*a ", "Exercise ", "> ", "[a](", "```\n", "a, b: c; ", "(a, ", "\\item ", "f1: ", "- ", "<!--", "a = b "]


@pytest.mark.parametrize("text", REPEATED)
@pytest.mark.parametrize("suffix", ["md", "tex"])
def test_long_repetitions_are_read_in_bounded_time(text: str, suffix: str) -> None:
    submission_of(Files((File(f"a.{suffix}", ("## 1a\n\\section{1a}\n" + text * 20_000).encode()),)), LABELS, "s")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("answers.docx", b"PK\x03\x04 words"),
        ("photo.JPG", b"\xff\xd8\xff\xe0 picture"),
        ("answers.pdf", b"%PDF-1.4 broken"),
        ("answers.md", b"The derivative is $f'(x) = 3x^2$.\n"),
        ("answers.tex", b"\x00\x01\x02\x03" * 50),
    ],
)
def test_what_can_not_be_read_waits_for_a_person_and_is_not_blank(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    submission = read_submission(tmp_path, LABELS)
    assert {a.question for a in submission.answers} == set(LABELS.questions)
    assert all(f.kind == "image" for a in submission.answers for f in a.fragments)
    assert "for_person" in [remark.note for remark in submission.remarks]


def test_a_picture_beside_written_answers_is_no_answer_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 picture")
    (tmp_path / "answers.md").write_text("## 1a\n$x$\n")
    submission = read_submission(tmp_path, LABELS)
    assert [a.question for a in submission.answers] == ["1a"]
