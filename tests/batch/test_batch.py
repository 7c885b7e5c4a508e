"""A class is graded whole, whatever single submissions do; a stopped run is continued; nothing depends on --jobs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from grader import batch, class_files
from grader.batch import BatchError, Options, Progress, grade_class, regrade_class
from grader.cli import main
from grader.model import Decision, Report, Verdict
from grader.problems import Problem, load_problem
from grader.reporting import json_report
from grader.store import MOST_ATTEMPTS, Store

ROOT = Path(__file__).parents[2]
PROBLEM = """
[problem]
id = 'essay'
title = 'An essay'
due = 2024-11-21T11:59:00+01:00

[late]
per_day = '1/10'

[[question]]
id = '1'
kind = 'prose'
points = 5
title = 'Say something'

[[question]]
id = '2'
kind = 'prose'
points = 3
title = 'Say more'
"""


@pytest.fixture
def problem(tmp_path: Path) -> Problem:
    folder = tmp_path / "problem"
    folder.mkdir()
    (folder / "problem.toml").write_text(PROBLEM)
    return load_problem(folder)


def make_class(tmp_path: Path, *students: str) -> Path:
    for student in students:
        folder = tmp_path / "class" / student
        folder.mkdir(parents=True)
        (folder / "answers.md").write_text(f"# Exercise 1\n\nWords of {student}.\n\n# Exercise 2\n\nMore.\n")
    return tmp_path / "class"


def run(problem: Problem, submissions: Path, out: Path, **options: object) -> dict[str, Report]:
    graded = grade_class(problem, submissions, out, Options(**{"jobs": 2, **options}), lambda _progress: None)  # type: ignore[arg-type]
    return {report.student: report for report in graded.written.reports}


def snapshot(out: Path) -> dict[str, bytes]:
    files = [p for p in out.rglob("*") if p.is_file() and "sqlite" not in p.name and "lock" not in p.name]
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


@pytest.fixture
def rough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "FUNCTION", "tests.batch.tasks:grade")


def test_the_files_do_not_depend_on_jobs_nor_on_being_run_again(problem: Problem, tmp_path: Path) -> None:
    submissions = make_class(tmp_path, *"abcde")
    run(problem, submissions, tmp_path / "one", jobs=1)
    run(problem, submissions, tmp_path / "two", jobs=2)
    before = snapshot(tmp_path / "one")
    assert snapshot(tmp_path / "two") == before
    run(problem, submissions, tmp_path / "one")
    assert snapshot(tmp_path / "one") == before
    assert {f"reports/{name}.{form}" for name in "abcde" for form in ("html", "md", "json")} <= set(before)


@pytest.mark.usefixtures("rough")
def test_a_submission_that_kills_its_worker_costs_nobody_else_anything(problem: Problem, tmp_path: Path) -> None:
    submissions = make_class(tmp_path, "a", "killer", "unlucky", "raiser", "z")
    events: list[Progress] = []
    graded = grade_class(problem, submissions, tmp_path / "out", Options(jobs=2), events.append)
    reports = {report.student: report for report in graded.written.reports}
    assert set(reports) == {"a", "killer", "unlucky", "raiser", "z"}
    for student in ("killer", "raiser"):
        assert {f.note for f in reports[student].findings} == {"grader_killed"}
        assert {f.verdict for f in reports[student].findings} == {Verdict.UNDECIDED}
        assert reports[student].score.pending == 8
    for student in ("a", "unlucky", "z"):
        assert "grader_killed" not in {f.note for f in reports[student].findings}
    assert events[-1].done == events[-1].total == 5
    with Store(tmp_path / "out" / class_files.JOURNAL) as store:
        keys = {member.student: member.key for member in store.members()}
        assert store.attempts(keys["killer"]) == MOST_ATTEMPTS
        assert store.attempts(keys["raiser"]) == 1


def test_a_submission_begun_three_times_without_a_verdict_is_not_begun_again(problem: Problem, tmp_path: Path) -> None:
    submissions = make_class(tmp_path, "a", "b")
    with batch.open_class(tmp_path / "out") as store:
        key = batch.enroll(problem, submissions, tmp_path / "out", Options(), lambda _: None)[0].key
        for _ in range(MOST_ATTEMPTS):
            store.begin(key)
    reports = run(problem, submissions, tmp_path / "out")
    assert {f.note for f in reports["a"].findings} == {"grader_killed"}
    assert {f.note for f in reports["b"].findings} != {"grader_killed"}


def test_a_run_killed_in_the_middle_ends_with_the_same_bytes(problem: Problem, tmp_path: Path) -> None:
    submissions = make_class(tmp_path, *(f"slow{n}" for n in range(8)))
    script = (
        "import sys; from pathlib import Path\n"
        "from grader import batch; from grader.problems import load_problem\n"
        "if __name__ == '__main__':\n"
        "    batch.FUNCTION = 'tests.batch.tasks:grade'\n"
        "    a, b, c = map(Path, sys.argv[1:])\n"
        "    batch.grade_class(load_problem(a), b, c, batch.Options(jobs=2), lambda p: print(p.done, flush=True))\n"
    )
    (tmp_path / "run.py").write_text(script)
    command = [sys.executable, str(tmp_path / "run.py"), str(problem.folder), str(submissions), str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True, cwd=ROOT)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 3:
            break
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait()
    run(problem, submissions, tmp_path / "out")
    run(problem, submissions, tmp_path / "whole")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "whole")


def test_shards_put_together_equal_one_run(problem: Problem, tmp_path: Path) -> None:
    submissions = make_class(tmp_path, *"abcde")
    run(problem, submissions, tmp_path / "whole")
    assert set(run(problem, submissions, tmp_path / "s1", shard=(1, 2))) == set("ace")
    assert set(run(problem, submissions, tmp_path / "s2", shard=(2, 2))) == set("bd")
    options = Options(merge=(tmp_path / "s1", tmp_path / "s2"))
    graded = grade_class(problem, submissions, tmp_path / "all", options, lambda _: None)
    assert graded.fresh == 0
    assert snapshot(tmp_path / "all") == snapshot(tmp_path / "whole")


def test_two_runs_do_not_write_one_folder_at_a_time(problem: Problem, tmp_path: Path) -> None:
    submissions = make_class(tmp_path, "a")
    with batch.open_class(tmp_path / "out"), pytest.raises(BatchError, match="another run"):
        run(problem, submissions, tmp_path / "out")


def test_an_empty_class_is_an_error_that_says_what_to_do(problem: Problem, tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    with pytest.raises(BatchError, match="no submission"):
        run(problem, tmp_path / "class", tmp_path / "out")


def test_a_file_where_the_folder_should_be_is_an_error(problem: Problem, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(BatchError, match="is a file"):
        run(problem, make_class(tmp_path, "a"), tmp_path / "out")


def test_two_students_with_equal_files_have_two_reports(problem: Problem, tmp_path: Path) -> None:
    submissions = make_class(tmp_path, "a", "b")
    (submissions / "b" / "answers.md").write_bytes((submissions / "a" / "answers.md").read_bytes())
    assert [r.student for r in run(problem, submissions, tmp_path / "out").values()] == ["a", "b"]


def test_a_regrade_shows_what_changes_and_changes_nothing_before_it_is_applied(
    problem: Problem, tmp_path: Path
) -> None:
    submissions, out = make_class(tmp_path, "a", "b"), tmp_path / "out"
    run(problem, submissions, out)
    with Store(out / class_files.JOURNAL) as store:
        store.decide([Decision("a", "1", Fraction(4), "good", "kb")])
    run(problem, submissions, out)
    before = snapshot(out)
    assert problem.folder is not None
    (problem.folder / "problem.toml").write_text(PROBLEM.replace("points = 3", "points = 2"))
    changed = load_problem(problem.folder)
    (submissions / "c").mkdir()
    (submissions / "c" / "answers.md").write_text("# Exercise 1\n\nlate\n")
    shown = regrade_class(changed, submissions, out, 2, "as before", False, lambda _: None)
    assert "c" in shown.students
    assert snapshot(out) == before
    applied = regrade_class(changed, submissions, out, 2, "as before", True, lambda _: None)
    assert applied == shown
    report = json_report.parse((out / "reports" / "a.json").read_text())
    assert report.score.possible == 7
    assert report.decisions == (Decision("a", "1", Fraction(4), "good", "kb"),)
    assert regrade_class(changed, submissions, out, 2, "as before", False, lambda _: None).students == ()


def grader(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.out, said.err


def test_the_commands_work_and_their_exit_codes_are_as_documented(
    problem: Problem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submissions, out = make_class(tmp_path, "a", "b"), tmp_path / "out"
    assert problem.folder is not None
    start = ("batch", problem.folder, submissions, "--out", out)
    code, said, progress = grader(capsys, *start, "--json")
    assert code == 0
    assert json.loads(said)["submissions"] == 2
    assert "\x1b[" not in said + progress
    assert grader(capsys, *start, "--fail-below", "50")[0] == 1
    assert grader(capsys, *start, "--shard", "3/2")[0] == 2
    assert grader(capsys, *start, "--pattern", "(")[0] == 2
    assert grader(capsys, *start, "--pattern", "x")[0] == 2
    assert grader(capsys, "batch", tmp_path, submissions, "--out", out)[0] == 2
    assert "Nothing changes" in grader(capsys, "regrade", "--diff", out)[1]
    assert grader(capsys, "regrade", "--diff", "--apply", out)[0] == 2
    assert grader(capsys, "report", out, "--instructor")[0] == 0
    assert (out / "instructor" / "a.html").is_file()
    assert grader(capsys, "report", tmp_path)[0] == 2


def test_a_stop_from_outside_blames_nobody(problem: Problem, tmp_path: Path) -> None:
    submissions = make_class(tmp_path, "a", "b")

    def stop(progress: Progress) -> None:
        if progress.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade_class(problem, submissions, tmp_path / "out", Options(jobs=2), stop)
    with Store(tmp_path / "out" / class_files.JOURNAL) as store:
        keys = [one.key for one in batch.enroll(problem, submissions, tmp_path / "out", Options(), lambda _: None)]
        unfinished = [key for key in keys if store.verdict(key) is None]
        assert [store.attempts(key) for key in unfinished] == [0]
