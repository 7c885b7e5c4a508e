"""PDFs that carry their source: packed, read back byte for byte, graded from it."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pypdf
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.cli.pack import command as pack
from grader.export.autograder import build
from grader.export.embedding import NotEmbedded, embed, embedded
from grader.reading import Labels, file_bytes, formulas, read_submission

LABELS = Labels({"1a": "First", "1b": "Second"})
ROOT = Path(__file__).parents[2]


def blank(pages: int = 2) -> bytes:
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=1, max_size=2000), st.sampled_from(["a.tex", "übung 1.md", "a b.ipynb"]))
def test_any_source_comes_back_byte_for_byte(source: bytes, name: str) -> None:
    once = embed(blank(), name, source)
    assert embedded(once, name) == source
    assert embedded(embed(once, name, b"new " + source), name) == b"new " + source


def test_a_packed_pdf_is_graded_from_its_source(tmp_path: Path) -> None:
    (tmp_path / "hand.tex").write_text("\\section{1a}\n$x^2$\n")
    (tmp_path / "hand.pdf").write_bytes(blank())
    out = tmp_path / "in" / "hand.pdf"
    done = CliRunner().invoke(
        pack, [str(tmp_path / "hand.tex"), str(tmp_path / "hand.pdf"), "--out", str(out)], standalone_mode=False
    )
    assert done.return_value == 0, done.output
    submission = read_submission(tmp_path / "in", LABELS)
    assert [(a.question, a.fragments[0].text, a.where.file) for a in submission.answers] == [
        ("1a", "x^2", "hand.pdf/hand.tex")
    ]
    assert not submission.remarks
    assert file_bytes(tmp_path / "in", "hand.pdf/hand.tex") == (tmp_path / "hand.tex").read_bytes()
    assert [f.text for f in formulas(out)] == ["x^2"]


def test_a_notebook_in_a_pdf_is_code_to_run(tmp_path: Path) -> None:
    cells = [{"cell_type": "markdown", "source": "## 1a\n$y$"}, {"cell_type": "code", "source": "a = 1"}]
    (tmp_path / "a.pdf").write_bytes(embed(blank(), "a.ipynb", json.dumps({"cells": cells}).encode()))
    submission = read_submission(tmp_path, LABELS)
    assert submission.notebooks == ("a.pdf/a.ipynb",)
    assert [a.question for a in submission.answers] == ["1a"]


def test_a_bare_pdf_goes_to_a_person_with_its_pages_counted(tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(blank(3))
    submission = read_submission(tmp_path, LABELS)
    assert [(a.question, a.fragments[0].kind) for a in submission.answers] == [("1a", "image"), ("1b", "image")]
    (remark,) = submission.remarks
    assert remark.note == "pdf_for_person"
    assert "3 pages" in remark.message


def test_a_pdf_beside_its_source_is_not_read_twice(tmp_path: Path) -> None:
    source = b"## 1a\n$x$\n"
    (tmp_path / "a.md").write_bytes(source)
    (tmp_path / "a.pdf").write_bytes(embed(blank(), "a.md", source))
    (tmp_path / "print.pdf").write_bytes(blank())
    submission = read_submission(tmp_path, LABELS)
    assert [len(a.fragments) for a in submission.answers] == [1]
    assert [remark.note for remark in submission.remarks] == ["pdf_beside_source"]


def test_what_is_no_pdf_or_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotEmbedded):
        embed(b"no pdf", "a.tex", b"x")
    for name in ("a.exe", "a.tex", "broken.pdf"):
        (tmp_path / name).write_bytes(b"x")
    assert CliRunner().invoke(pack, [str(tmp_path / "a.exe"), str(tmp_path / "broken.pdf")]).exit_code == 2
    done = CliRunner().invoke(pack, [str(tmp_path / "a.tex"), str(tmp_path / "broken.pdf")])
    assert done.exit_code == 1
    assert (tmp_path / "broken.pdf").read_bytes() == b"x"


def test_an_encrypted_pdf_is_named(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(10, 10)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "a.pdf")
    assert "protected_pdf" in [remark.note for remark in read_submission(tmp_path, LABELS).remarks]
    with pytest.raises(NotEmbedded, match="protected"):
        embed((tmp_path / "a.pdf").read_bytes(), "a.tex", b"x")


def test_the_autograder_has_what_gradescope_looks_for() -> None:
    data = build(ROOT / "problems" / "adl4p-ex05")
    assert data == build(ROOT / "problems" / "adl4p-ex05")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert names[:3] == ["setup.sh", "run_autograder", "requirements.txt"]
        assert {
            "problem/problem.toml",
            "lib/grader/__main__.py",
            "lib/reference/__init__.py",
            "lib/grader/model.py",
        } <= set(names)
        assert not [name for name in names if "__pycache__" in name or "/." in name or name.startswith(("/", ".."))]
        for name in names[:2]:
            assert archive.getinfo(name).external_attr >> 16 & stat.S_IXUSR
            assert archive.read(name).startswith(b"#!/usr/bin/env bash\n")
            assert b"\r" not in archive.read(name)
        assert b"/autograder/results/results.json" in archive.read("run_autograder")
        assert b"numpy" in archive.read("requirements.txt")


def test_the_scripts_are_shell(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(build(ROOT / "problems" / "adl4p-ex05"))) as archive:
        archive.extract("setup.sh", tmp_path)
        archive.extract("run_autograder", tmp_path)
    for name in ("setup.sh", "run_autograder"):
        assert os.system(f"bash -n {tmp_path / name}") == 0


def test_the_archives_own_program_grades_a_hand_in(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(build(ROOT / "problems" / "adl4p-ex05"))) as archive:
        archive.extractall(tmp_path)
    metadata = {"users": [{"sid": "77", "name": "Ada L"}], "created_at": "2025-06-01T10:00:00+00:00"}
    (tmp_path / "metadata.json").write_text(json.dumps(metadata))
    results = tmp_path / "results" / "results.json"
    # As run_autograder does it, with this interpreter in place of the image's.
    start = f"import sys, runpy; sys.path.insert(0, {str(tmp_path / 'lib')!r})"
    start += "; runpy.run_module('grader', run_name='__main__')"
    submission = ROOT / "submissions" / "adl4p-ex05" / "amara"
    arguments = ["gradescope", tmp_path / "problem", "--grade", submission, "--metadata", tmp_path / "metadata.json"]
    command = [sys.executable, "-I", "-c", start, *map(str, arguments), "--results", str(results)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    data = json.loads(results.read_text())
    assert data["extra_data"]["student"] == "77"
    assert {test["name"]: test["score"] for test in data["tests"]}["1.gradient"] == 4
