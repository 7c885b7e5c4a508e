"""Bad input as a user meets it: the installed command, one clear message, nothing lost, the class goes on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.walk import ROOT, prepare, run

SYSTEM = ROOT / "problems" / "adl4p-ex05"
GOOD = "# 1\n$L = 15.5$\n"


@dataclass(frozen=True)
class Bad:
    """What lies there (name -> bytes, None for a folder), what is called, what is said, and the exit codes it may have.

    What a person has to look at is neither wrong (1) nor nothing to check (5).
    """

    files: dict[str, bytes | None]
    command: str
    said: tuple[str, ...]
    code: int | tuple[int, ...]


CHECK = f"grader check {{}} --problem {SYSTEM}"
TABLE = {
    "an empty folder": Bad({"a": None}, CHECK.format("a"), ("the folder is empty", "no answer to check"), 5),
    "an empty file": Bad({"a.md": b""}, CHECK.format("a.md"), ("a.md is empty",), 5),
    "a binary file": Bad({"a.md": b"\x7fELF\x00\x01\x02" * 50}, CHECK.format("a.md"), ("a.md",), (0, 5)),
    "a wrong encoding": Bad(
        {"a.md": "# 1\n$L = 15.5$ für\n".encode("latin-1")}, CHECK.format("a.md"), ("a.md is not UTF-8", "Right"), 0
    ),
    "fifty megabytes": Bad({"a.md": b"a" * 50_000_000}, CHECK.format("a.md"), ("a.md is", "was not read"), (0, 5)),
    "a folder called like a file": Bad({"a.md": None}, CHECK.format("a.md"), ("the folder is empty",), 5),
    "a file that is not there": Bad({}, CHECK.format("a.md"), ("'a.md' does not exist",), 2),
    "answers twice": Bad(
        {"a.md": b"# 1\n$L = 15.5$\n\n# 1\n$L = 15.5$\n"}, CHECK.format("a.md"), ("several places", "Right"), 0
    ),
    "a question that does not exist": Bad(
        {"a.md": b"# 1\n$L = 15.5$\n\n# Exercise 17\n$x = 3$\n"}, CHECK.format("a.md"), ("Right",), 0
    ),
    "a corrupt notebook": Bad({"a.ipynb": b'{"cells": [{'}, CHECK.format("a.ipynb"), ("a.ipynb",), (0, 5)),
    "a class without hand-ins": Bad(
        {"class": None}, f"grader batch {SYSTEM} class --out out", ("there is no submission here",), 2
    ),
    "a problem that is no TOML": Bad(
        {"p/problem.toml": b"[problem]\nid = 'x\n"},
        "grader validate p",
        ("p/problem.toml:2", "a quote is missing", "1 mistake"),
        1,
    ),
    "a problem in another encoding": Bad(
        {"p/problem.toml": b"[problem]\nid = 'x'\ntitle = '\xfc'\n"}, "grader validate p", ("not UTF-8", "save it"), 1
    ),
    "a problem with many mistakes": Bad(
        {"p/problem.toml": b"[problem]\nid = 'x'\ntitel = 'y'\n\n[[question]]\nid = '1'\nkind = 'grpah'\n"},
        "grader check a.md --problem p",
        ("does not exist",),
        2,
    ),
    "a folder where the problem file should be": Bad(
        {"p/problem.toml": None}, "grader validate p", ("p is no problem", "grader new"), 2
    ),
    "a folder without a problem": Bad({"p": None}, "grader truth p", ("has no file problem.toml",), 2),
    "a bad problem for a whole class": Bad(
        {"p/problem.toml": b"[problem]\nid = 'x'\ntitel = 'y'\n", "class/a.md": b"# 1\n"},
        "grader batch p class --out out",
        ("did you mean `title`?", "`title` is missing", "there is no `[[question]]`"),
        2,
    ),
    "a place that cannot hold a folder": Bad({"f": b""}, "grader new x --in f", ("can't be made",), 2),
    "a name that is none": Bad({}, "grader new 'a b'", ("can't be a problem's id",), 2),
}


def lay_out(files: dict[str, bytes | None], folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@pytest.mark.parametrize("name", TABLE)
def test_bad_input_gets_a_clear_message_and_its_exit_code(name: str, tmp_path: Path) -> None:
    row = TABLE[name]
    prepare(tmp_path)
    lay_out(row.files, tmp_path)
    output = run(f"{row.command}; echo code $?", tmp_path)
    for said in row.said:
        assert said in output, output
    codes = row.code if isinstance(row.code, tuple) else (row.code,)
    assert output.endswith(tuple(f"code {code}\n" for code in codes)), output
    assert "Traceback" not in output


def test_a_class_of_bad_hand_ins_is_graded_to_the_end(tmp_path: Path) -> None:
    prepare(tmp_path)
    students: dict[str, bytes | None] = {
        "class/good/a.md": GOOD.encode(),
        "class/empty": None,
        "class/binary/a.md": b"\x00\xff\x01" * 100,
        "class/latin/a.md": GOOD.encode() + "für".encode("latin-1"),
        "class/huge/a.md": b"x" * 50_000_000,
        "class/folder/a.md": None,
        "class/twice/a.md": (GOOD + GOOD).encode(),
        "class/unknown/a.md": (GOOD + "\n# Exercise 99\n$x=1$\n").encode(),
        "class/notebook/a.ipynb": b"not json",
        "class/zip/a.zip": b"PK\x03\x04 not a zip",
        "class/pdf/a.pdf": b"%PDF-1.4 broken",
    }
    lay_out(students, tmp_path)
    output = run(f"grader batch {SYSTEM} class --out out --jobs 1; echo code $?", tmp_path)
    assert output.endswith("code 0\n"), output
    names = {name.split("/")[1] for name in students}
    reports = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "out" / "reports").glob("*.json")}
    assert set(reports) == names
    for name in names - {"good", "latin", "twice", "unknown"}:
        assert reports[name]["remarks"], name
    for name in ("good", "latin", "twice", "unknown"):
        right = [one for one in reports[name]["findings"] if one["item"] == "1.L"]
        assert right[0]["verdict"] == "CORRECT", name
    gradebook = (tmp_path / "out" / "gradebook.csv").read_text(encoding="utf-8-sig")
    assert len(re.findall(r"^\w+,", gradebook, re.MULTILINE)) == len(names) + 1
