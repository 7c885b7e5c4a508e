"""No model answer, expected value or seed in anything a student gets to see, whatever the face.

The problem's answers hold numbers that stand nowhere in its definition; the hand-in is wrong in several ways, so that
hints, witnesses and misconceptions have something to say.
"""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SEED = "seed-of-the-class-5417"
STUDENT = "1001"
PROBLEM = """
[problem]
id = 'sentinel'
title = 'A sheet'
due = 2024-11-21T11:59:00+01:00

[late]
per_day = '1/10'

[[question]]
id = '1'
kind = 'derivative'
points = 2
symbols = {x = 'real'}
f = '1237*x^6 + sin(x^2)'

[[question]]
id = '2'
kind = 'derivative'
points = 4
symbols = {x = 'vector 2'}
f = '[1237*x1^4*x2, x2]'
entries = true

[[question]]
id = '3'
kind = 'rollout'
points = {x1 = 3, L = 1, lambda1 = 2, gradient = 4}
step = ['x1^2 + x2 + x1*theta1', '-x1 + x2/2 + x2*theta2']
state = 'x'
start = [211, -8]
weights = 'theta'
values = [17, 23]
steps = 1
loss = 'norm(x, 1)'

[[question]]
id = '4'
kind = 'graph'
ask = 'decomposition'
points = 4
symbols = {a = 'positive', b = 'positive'}
f = 'sqrt(a + b) + log(a + b)'
"""
# 6*1237, 4*1237; states (211^2 - 8 + 211*17, -211 - 4 - 8*23), their norm; the single operations of question 4
SECRETS = {"7422", "4948", "48100", "48499", "-399", SEED}
HAND_IN = """
## 1
$f'(x) = 1237 x^5 + \\cos(x^2)$

## 2
$\\begin{pmatrix} 1237 x_1^3 x_2 & 1237 x_1^4 \\\\ 0 & 1 \\end{pmatrix}$

## 3
$x_1 = (1, 2)$

$L = 3$

$\\lambda_1 = (1, 1)$

$\\nabla_\\theta L = (211, 8$

## 4
t1 = a + b
t2 = sqrt(b)
"""


def grader(*arguments: str | Path, code: int = 0) -> str:
    environment = {**os.environ, "GRADER_SEED": SEED}
    command = [sys.executable, "-m", "grader", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of one, graded."""
    here = tmp_path_factory.mktemp("sentinel")
    (here / "sentinel").mkdir()
    (here / "sentinel" / "problem.toml").write_text(PROBLEM, encoding="utf-8")
    (here / "sentinel" / "statement.md").write_text("# A sheet\n", encoding="utf-8")
    handed_in = here / "class" / f"Ada Lovelace_{STUDENT}_assignsubmission_file_"
    handed_in.mkdir(parents=True)
    (handed_in / "answers.md").write_text(HAND_IN, encoding="utf-8")
    grader("batch", here / "sentinel", here / "class", "--out", here / "out", "--jobs", "1")
    return here


def assert_nothing_in(texts: dict[str, str]) -> None:
    assert texts
    for name, text in texts.items():
        found = {secret for secret in SECRETS if re.search(rf"(?<!\d){re.escape(secret)}(?!\d)", text)}
        assert not found, (name, found)


def all_texts(folder: Path) -> dict[str, str]:
    """Every file below, archives opened, base64 decoded."""
    texts: dict[str, str] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                texts |= {f"{path}/{name}": archive.read(name).decode() for name in archive.namelist()}
        else:
            texts[str(path)] = data.decode("utf-8", "replace")
    for name, text in list(texts.items()):
        for word in re.findall(r"=([A-Za-z0-9+/]{40,}={0,2})$", text, re.M):
            texts[f"{name}, decoded"] = base64.b64decode(word).decode("utf-8", "replace")
    return texts


def test_the_secrets_are_there_to_be_given_away(folder: Path) -> None:
    journal = (folder / "out" / "grader.sqlite").read_bytes().decode("utf-8", "replace")
    wal = folder / "out" / "grader.sqlite-wal"
    journal += wal.read_bytes().decode("utf-8", "replace") if wal.exists() else ""
    truth = grader("truth", folder / "sentinel", code=0)
    assert {secret for secret in SECRETS - {SEED} if secret in truth + journal} == SECRETS - {SEED}


def test_reports_give_nothing_away(folder: Path) -> None:
    assert_nothing_in(all_texts(folder / "out" / "reports"))


@pytest.mark.parametrize("level", ["1", "2", "3"])
@pytest.mark.parametrize("form", ["", "--json"])
def test_a_self_check_gives_nothing_away(level: str, form: str, folder: Path) -> None:
    options = [*([form] if form else []), "--hints", level, "--problem", folder / "sentinel"]
    assert_nothing_in({"check": grader("check", next((folder / "class").iterdir()), *options, code=1)})


def test_a_check_in_a_notebook_gives_nothing_away(folder: Path) -> None:
    from grader.jupyter.session import Check

    check = Check()
    check.problem(folder / "sentinel")
    for question, answer in (("1", "1237*x^5"), ("3", "$x_1 = (1, 2)$\n\n$L = 3$"), ("1", "1237*x^(")):
        for level in (1, 2, 3):
            shown = check(question, answer, hints=level)
            assert_nothing_in({"repr": repr(shown), "html": shown._repr_html_()})


def test_a_push_gives_nothing_away(folder: Path, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("summary", "outputs", "classroom50", "release-body")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    problem = ["--problem", folder / "sentinel", "--out", tmp_path / "report"]
    said = grader("ci", next((folder / "class").iterdir()), *problem, *options)
    assert "::error" in said
    assert all(path.is_file() for path in files.values())
    assert_nothing_in({"stdout": said, **all_texts(tmp_path)})


@pytest.mark.parametrize("departure", ["feedback", "gradescope", "junit", "nbgrader"])
def test_departures_give_nothing_away(departure: str, folder: Path, tmp_path: Path) -> None:
    grader("export", departure, folder / "out", "--to", tmp_path / "export")
    assert_nothing_in(all_texts(tmp_path))


@pytest.mark.parametrize("platform", ["actions", "classroom", "classroom50"])
def test_a_handout_gives_nothing_away(platform: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "students.txt").write_text(f"{STUDENT}\n")
    options = ["--students", tmp_path / "students.txt", "--platform", platform, "--out", tmp_path / "handout"]
    grader("handout", folder / "sentinel", *options)
    texts = all_texts(tmp_path / "handout")
    assert_nothing_in(texts)
    assert not any("1237" in text for text in texts.values())
