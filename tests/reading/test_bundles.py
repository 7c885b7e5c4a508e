"""Class downloads as they come: who handed in what, and when."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.model import Remark
from grader.reading import Labels, archives, open_class, read_class, read_handin, read_submission
from grader.reading.files import File

LABELS = Labels({"1a": "First", "1b": "Second"})
X = b"## 1a\n$x$\n"


def lay_out(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


MOODLE = {
    "Ada Lovelace_1234567_assignsubmission_file_/answers.md": X,
    "Ada Lovelace_1234567_assignsubmission_onlinetext_/onlinetext.html": b"<p>1b</p><p>$y &lt; 1$</p>",
    "Jörg Müller-Öz_1234568_assignsubmission_file/sub/aufgabe.tex": b"\\section{1a}\n$\\ddot o$",
    "Teilnehmer/in 99_1234569_assignsubmission_file_/a.md": X,
}
CANVAS = {
    "lovelaceada_1001_77001_answers.md": X,
    "lovelaceada_1001_77002_program-1.ipynb": b'{"cells": []}',
    "mullerjorg_LATE_1002_77003_answers.md": X,
}
ILIAS = {"Lovelace_Ada_ada.l_40001/answers.md": X, "Müller_Jörg_jm_40002/answers.md": X}
NBGRADER = {
    "submitted/ada/sheet1/a.md": X,
    "submitted/ada/sheet1/timestamp.txt": b"2024-11-20 10:00:00 UTC",
    "submitted/bob/sheet1/a.md": X,
}
GRADESCOPE = {
    "assignment_1_export/submission_11/a.md": X,
    "assignment_1_export/submission_12/a.md": X,
    "assignment_1_export/submission_metadata.yml": b"""---
submission_11:
  :submitters:
  - :name: Ada Lovelace
    :sid: '1001'
    :email: ada@example.org
  :created_at: 2024-11-20 09:30:00.123456789 Z
  :score: 3.0
submission_12:
  :submitters:
  - :name: Bob
    :sid: ''
    :email: bob@example.org
  - :name: Carl
    :sid: '1003'
    :email: carl@example.org
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: 2024-11-20 10:30:00.0 Z
""",
}


@pytest.mark.parametrize(
    ("files", "layout", "students"),
    [
        ({"ada/a.md": X, "bob/a.md": X, "expected.toml": b""}, "plain", [("ada", ""), ("bob", "")]),
        ({"ada.md": X, "bob.txt": X, "README.md": X}, "plain", [("ada", ""), ("bob", "")]),
        ({"wrapper/ada/a.md": X, "wrapper/bob/a.md": X}, "plain", [("ada", ""), ("bob", "")]),
        (
            {name: data for name, data in MOODLE.items() if "/in 99" not in name},
            "moodle",
            [("1234567", "Ada Lovelace"), ("1234568", "Jörg Müller-Öz")],
        ),
        (CANVAS, "canvas", [("1001", "lovelaceada"), ("1002", "mullerjorg")]),
        (ILIAS, "ilias", [("ada.l", "Ada Lovelace"), ("jm", "Jörg Müller")]),
        (NBGRADER, "nbgrader", [("ada", ""), ("bob", "")]),
        (GRADESCOPE, "gradescope", [("1001", "Ada Lovelace"), ("1003", "Carl"), ("bob@example.org", "Bob")]),
        ({}, "plain", []),
    ],
    ids=["folders", "files", "wrapped", "moodle", "canvas", "ilias", "nbgrader", "gradescope", "empty"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_download_names_its_students(
    files: dict[str, bytes], layout: str, students: list[tuple[str, str]], packed: bool, tmp_path: Path
) -> None:
    path = zipped(tmp_path / "class.zip", files) if packed else lay_out(tmp_path / "class", files)
    path.mkdir(exist_ok=True) if not packed else None
    found = open_class(path, tmp_path / "unpacked")
    assert [(handin.student, handin.name) for handin in found.handins] == students
    assert found.layout == layout
    for handin in found.handins:
        submission = read_handin(handin, LABELS)
        assert submission.student == handin.student
        assert "1a" in [answer.question for answer in submission.answers] or not files


def test_moodles_files_and_online_text_are_one_hand_in(tmp_path: Path) -> None:
    ada = read_class(lay_out(tmp_path, MOODLE))[0]
    submission = read_handin(ada, LABELS)
    assert {a.question: a.fragments[0].text for a in submission.answers} == {"1a": "x", "1b": "y < 1"}
    assert [name.split("/")[-1] for name in submission.files] == ["answers.md", "onlinetext.html"]


def test_times_come_from_the_download(tmp_path: Path) -> None:
    found = {h.student: h for h in read_class(lay_out(tmp_path / "g", GRADESCOPE))}
    assert found["1001"].submitted == "2024-11-20T09:30:00+00:00"
    assert found["1001"].email == "ada@example.org"
    ada = read_class(lay_out(tmp_path / "n", NBGRADER))[0]
    assert read_handin(ada, LABELS).submitted == "2024-11-20 10:00:00 UTC"
    canvas = read_class(lay_out(tmp_path / "c", CANVAS))
    assert [[r.note for r in h.remarks] for h in canvas] == [[], ["late"]]
    assert all(h.submitted is None for h in canvas)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_clones_lose_the_assignments_name_and_bring_their_commits_time(tmp_path: Path) -> None:
    for name in ("sheet01-ada", "sheet01-bob-b"):
        folder = lay_out(tmp_path / "sheet01-submissions" / name, {"answers.md": X})
        environment = {
            "GIT_COMMITTER_DATE": "2024-11-20T10:00:00+0100",
            "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z",
            "HOME": str(tmp_path),
            "PATH": "/usr/bin:/bin:/usr/local/bin",
        }
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
            subprocess.run(["git", "-C", str(folder), *command], check=True, env=environment, capture_output=True)
    found = open_class(tmp_path / "sheet01-submissions")
    assert found.layout == "clones"
    assert [(h.student, h.submitted) for h in found.handins] == [
        ("ada", "2024-11-20T10:00:00+01:00"),
        ("bob-b", "2024-11-20T10:00:00+01:00"),
    ]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_hostile_repository_configures_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    folder = lay_out(tmp_path / "class" / "ada", {"a.md": X})
    subprocess.run(["git", "init", "-q", str(folder)], check=True, capture_output=True)
    (folder / ".git" / "refs" / "heads").mkdir(exist_ok=True, parents=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / ".git" / "refs" / "heads" / "main").write_text("1" * 40)
    (folder / ".git" / "config").write_text(
        f"[core]\n repositoryformatversion = 1\n fsmonitor = touch {mark}\n sshCommand = touch {mark}\n"
        f'[extensions]\n partialClone = o\n[remote "o"]\n promisor = true\n url = ext::touch {mark}\n'
        '[protocol "ext"]\n allow = always\n'
    )
    assert read_class(tmp_path / "class")[0].submitted is None
    assert not mark.exists()


def test_a_regular_expression_describes_anything_else(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "group1/ada (Ada L)/ex.md": X,
            "group1/ada (Ada L)/ex2.md": b"## 1b\n$y$",
            "group2/bob (Bob)/ex.md": X,
            "x.txt": X,
        },
    )
    found = read_class(tmp_path, pattern=r"group\d/(?P<student>\w+) \((?P<name>[^)]*)\)/")
    assert [(h.student, h.name, len(h.paths)) for h in found] == [("ada", "Ada L", 2), ("bob", "Bob", 1)]
    assert {a.question for a in read_handin(found[0], LABELS).answers} == {"1a", "1b"}


def test_a_pattern_without_a_student_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="student"):
        read_class(tmp_path, pattern="x")


def test_students_who_share_an_id_are_both_kept(tmp_path: Path) -> None:
    found = read_class(lay_out(tmp_path, {"ada/a.md": X, "ada.md": X, "ada-2/a.md": X, "a b/a.md": X, "a_b/a.md": X}))
    assert [h.student for h in found] == ["a_b", "a_b-2", "ada", "ada-2", "ada-3"]
    assert [h.student for h in found if any(r.note == "same_id" for r in h.remarks)] == ["a_b-2", "ada-3"]


def test_the_order_of_the_archive_does_not_matter(tmp_path: Path) -> None:
    files = list(MOODLE.items())
    one = open_class(zipped(tmp_path / "one.zip", dict(files)), tmp_path / "u1")
    two = open_class(zipped(tmp_path / "two.zip", dict(reversed(files))), tmp_path / "u2")
    assert [read_handin(h, LABELS) for h in one.handins] == [read_handin(h, LABELS) for h in two.handins]


def notes(remarks: tuple[Remark, ...]) -> list[str]:
    return [remark.note for remark in remarks]


def test_no_member_leaves_the_folder(tmp_path: Path) -> None:
    bad = {
        "../evil.md": X,
        "/abs.md": X,
        "C:\\win.md": X,
        "a/../../up.md": X,
        "..\\back.md": X,
        "good/a.md": X,
        "other/a.md": X,
    }
    found = open_class(zipped(tmp_path / "c.zip", bad), tmp_path / "in" / "unpacked")
    assert notes(found.remarks) == ["path_traversal"] * 5
    assert [h.student for h in found.handins] == ["good", "other"]
    outside = [p for p in tmp_path.rglob("*.md") if not p.is_relative_to(tmp_path / "in" / "unpacked")]
    assert not outside


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "c.zip", {"ada/a.md": X, "bob/a.md": X, "eve/big.md": bytes(60 * 2**20)})
    found = open_class(path, tmp_path / "u")
    assert notes(found.remarks) == ["zip_bomb"]
    assert [h.student for h in found.handins] == ["ada", "bob"]


def test_an_archive_that_lies_about_its_sizes_is_still_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 1000)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.md", b"x" * 5000)
    raw = data.getvalue().replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    found = list(archives.members(raw, "c.zip", 10_000))
    assert all(isinstance(one, Remark) for one in found)


def test_a_link_in_an_archive_is_not_made(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("ada/link.md")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
        archive.writestr("ada/a.md", X)
    found = open_class(tmp_path / "c.zip", tmp_path / "u")
    assert notes(found.remarks) == ["outside_link"]
    assert not (tmp_path / "u" / "ada" / "link.md").exists()


def test_an_archive_inside_a_hand_in_is_read(tmp_path: Path) -> None:
    zipped(tmp_path / "sub.zip", {"work/a.md": X, "__MACOSX/._a.md": b"junk"})
    submission = read_submission(tmp_path, LABELS)
    assert [a.question for a in submission.answers] == ["1a"]
    assert submission.files == ("sub.zip/work/a.md",)


def test_a_broken_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "sub.zip").write_bytes(b"PK\x03\x04 broken")
    assert "corrupt_zip" in notes(read_submission(tmp_path, LABELS).remarks)
    assert "corrupt_zip" in notes(open_class(tmp_path / "sub.zip", tmp_path / "u").remarks)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 400))
def test_any_bytes_as_an_archive_never_raise(noise: bytes, at: int) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.md", X)
    whole = data.getvalue()
    archives.inner_files(File("a.zip", noise))
    archives.inner_files(File("a.zip", whole[:at] + noise[:4] + whole[at + 4 :]))
