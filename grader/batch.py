"""Grade a class: who handed in, what is graded already, the rest in workers, and the files.

The journal decides what is left to do, so a run that was stopped anywhere is continued by starting it again and ends
with the same bytes.  Workers only compute; every write is done here.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from grader import class_files, job, observing
from grader.changes import Changes, compare, take_in
from grader.class_files import JOURNAL, Written
from grader.job import Setting
from grader.model import Report
from grader.problems import Problem
from grader.reporting import json_report
from grader.roster import Entrant, find_entrants
from grader.store import MOST_ATTEMPTS, Member, Store, Verdict, make_key
from grader.workers import Outcome, Pool

FUNCTION = "grader.job:grade"
WRITTEN_SECONDS = 120.0  # for a submission without code; the last fuse, every step has its own limits
LOCK = ".grader.lock"


class BatchError(Exception):
    """The run cannot be started or finished; the message says what to do."""


class NoIsolation(BatchError):
    """This machine cannot isolate student code, and nobody said to do without."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a class is graded.  None of it changes a verdict but `sandbox`, which every report names."""

    jobs: int = 0  # 0: one per core
    sandbox: str = ""  # a tier, or "" for the strongest this machine offers
    scheduler: str = ""  # address of a Dask scheduler
    shard: tuple[int, int] = (1, 1)
    merge: tuple[Path, ...] = ()
    pattern: str = ""  # regular expression for folders of students
    seed: str = ""  # secret that variants are drawn from


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A student of this run with the key of the submission."""

    entrant: Entrant
    key: str


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    total: int
    student: str = ""
    event: str = ""  # "graded", "again", "given up", "noticed"; "" at the start


class Workers(Protocol):
    """What `grader.workers.Pool` and `grader.cluster.Cluster` offer."""

    @property
    def free(self) -> int: ...
    def submit(self, task: str, value: object, limit: float) -> None: ...
    def outcomes(self) -> Iterator[Outcome]: ...


Watch = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Graded:
    """What a run came to."""

    written: Written
    seconds: Mapping[str, float]
    fresh: int  # submissions graded in this run; the others were in the journal


def grade_class(problem: Problem, submissions: Path, out: Path, options: Options, watch: Watch) -> Graded:
    """Grade every submission and write the class's files.

    Errors: BatchError when there is nothing to grade, the machine offers no isolation and none was refused, or another
    run uses the folder.
    """
    with open_class(out) as store:
        enrolled = enroll(problem, submissions, out, options, watch)
        for other in options.merge:
            store.merge(other / JOURNAL if other.is_dir() else other)
        fresh = grade_missing(problem, enrolled, store, options, watch)
        settle(store, problem, submissions, enrolled, options)
        written = class_files.write_class(out, store, problem.title)
        seconds = {student: verdict.seconds for student, verdict in store.class_verdicts()}
    return Graded(written, seconds, fresh)


@contextlib.contextmanager
def open_class(out: Path) -> Iterator[Store]:
    """The journal of a class, for one run at a time."""
    if out.exists() and not out.is_dir():
        raise BatchError(f"{out} is a file; --out names a folder.")
    out.mkdir(parents=True, exist_ok=True)
    with _locked(out / LOCK), Store(out / JOURNAL) as store:
        yield store


def settle(store: Store, problem: Problem, submissions: Path, enrolled: Sequence[Enrolled], options: Options) -> None:
    """Note which verdicts count and what the class was graded with."""
    store.set_members(Member(one.entrant.student, one.key) for one in enrolled)
    store.set_setting("title", problem.title)
    store.set_setting("problem", str(problem.folder.resolve()) if problem.folder else "")
    store.set_setting("submissions", str(submissions.resolve()))
    store.set_setting("sandbox", options.sandbox)
    store.set_setting("pattern", options.pattern)
    store.set_setting("seed", options.seed)


def enroll(problem: Problem, submissions: Path, out: Path, options: Options, watch: Watch) -> tuple[Enrolled, ...]:
    """The students of this run in the order of their ids, with the keys of their submissions."""
    try:
        roster = find_entrants(submissions, out, options.pattern)
    except ValueError as trouble:
        raise BatchError(f"--pattern: {trouble}.") from trouble
    for message in roster.noticed:
        watch(Progress(0, 0, message, "noticed"))
    if not roster.entrants:
        raise BatchError(
            f"{submissions}: there is no submission here.  Each student has a folder or a file of his own."
        )
    number, count = options.shard
    chosen = roster.entrants[number - 1 :: count]
    sandbox = isolation_of(problem, options)
    environment = job.environment()
    return tuple(
        Enrolled(one, make_key(problem.digest, options.seed, environment, _identity(one), sandbox)) for one in chosen
    )


def grade_missing(problem: Problem, enrolled: Sequence[Enrolled], store: Store, options: Options, watch: Watch) -> int:
    """Grade what the journal has no verdict for.  Result: how many were graded."""
    missing = [one for one in enrolled if store.verdict(one.key) is None]
    done = len(enrolled) - len(missing)
    watch(Progress(done, len(enrolled)))
    queue = sorted(missing, key=lambda one: store.attempts(one.key))  # suspects last: they must not hold up the rest
    for one in [one for one in queue if store.attempts(one.key) >= MOST_ATTEMPTS]:
        queue.remove(one)
        _give_up(problem, one, store, options)
        done += 1
        watch(Progress(done, len(enrolled), one.entrant.student, "given up"))
    if not queue:
        return len(missing)
    sandbox = isolation_of(problem, options)
    if sandbox != observing.NOT_NEEDED:
        try:
            observing.attack_tier(sandbox, observing.imports_of(problem))
        except observing.NoTier as breach:
            raise NoIsolation(str(breach)) from breach
    setting = Setting(str(problem.folder), sandbox, options.seed)
    limit = observing.time_limit(problem)
    with _workers(options, setting, len(queue)) as workers:
        _run(_Run(problem, store, options, watch, limit, done, len(enrolled)), queue, workers)
    return len(missing)


@dataclass
class _Run:
    """What the loop over a class needs besides its queue."""

    problem: Problem
    store: Store
    options: Options
    watch: Watch
    limit: float
    done: int
    total: int


def _run(run: _Run, queue: list[Enrolled], workers: Workers) -> None:
    running: dict[str, Enrolled] = {}
    try:
        while queue or running:
            while queue and workers.free > 0:
                one = queue.pop(0)
                run.store.begin(one.key)
                running[one.key] = one
                workers.submit(one.key, asdict(one.entrant), run.limit)
            for outcome in workers.outcomes():
                one = running.pop(outcome.task)
                if _take(run, one, outcome):
                    run.done += 1
                    run.watch(Progress(run.done, run.total, one.entrant.student, "graded"))
                else:
                    queue.append(one)
                    run.watch(Progress(run.done, run.total, one.entrant.student, "again"))
    except (KeyboardInterrupt, SystemExit):
        for key in running:  # stopped from outside: nobody's fault
            run.store.withdraw(key)
        raise


def _take(run: _Run, one: Enrolled, outcome: Outcome) -> bool:
    """Keep what a worker found.  False when the submission is to be tried again."""
    if outcome.how == "done":
        value = outcome.value
        run.store.finish(Verdict(one.key, value["report"], Fraction(value["share"]), outcome.seconds))
        return True
    run.store.blame(one.key, f"{outcome.how}: {outcome.detail}"[-4_000:])
    if outcome.how == "raised" or run.store.attempts(one.key) >= MOST_ATTEMPTS:  # what raises once raises again
        _give_up(run.problem, one, run.store, run.options)
        return True
    return False


def _give_up(problem: Problem, one: Enrolled, store: Store, options: Options) -> None:
    """A finding of ours for every item: grading this submission failed, a person looks at it."""
    causes = [cause or "the whole run ended with it" for cause in store.causes(one.key)]
    sandbox = isolation_of(problem, options)
    report, share = job.failed_report(problem, one.entrant, Setting(str(problem.folder), sandbox, options.seed), causes)
    store.finish(Verdict(one.key, json_report.render(report), share))


@contextlib.contextmanager
def _workers(options: Options, setting: Setting, tasks: int) -> Iterator[Workers]:
    if options.scheduler:
        from grader.cluster import Cluster, NoCluster

        try:
            with Cluster(options.scheduler, FUNCTION, asdict(setting)) as cluster:
                yield cluster
        except NoCluster as trouble:
            raise BatchError(str(trouble)) from trouble
    else:
        with Pool(FUNCTION, max(1, min(options.jobs or os.cpu_count() or 1, tasks)), asdict(setting)) as pool:
            yield pool


def isolation_of(problem: Problem, options: Options) -> str:
    """The tier that this run's code is confined in.  Errors: NoIsolation."""
    if not observing.program_questions(problem):
        return observing.NOT_NEEDED
    try:
        return observing.find_tier(options.sandbox, observing.imports_of(problem))
    except observing.NoTier as absent:
        raise NoIsolation(str(absent)) from absent


def _identity(entrant: Entrant) -> str:
    """All of a submission that its report shows: two students with equal files have two reports."""
    return "\0".join((entrant.digest, entrant.student, entrant.name, entrant.submitted or ""))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One run at a time; the lock goes with the process, however it ends.  No lock where the system has none."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as trouble:
            raise BatchError(f"{path.parent}: another run is writing here.  Wait for it, or stop it.") from trouble
        yield


def with_settings(store: Store, options: Options) -> Options:
    """The options a class was graded with, where none are given now."""
    return replace(
        options,
        sandbox=options.sandbox or store.setting("sandbox"),
        pattern=options.pattern or store.setting("pattern"),
        seed=options.seed or store.setting("seed"),
    )


def regrade_class(
    problem: Problem, submissions: Path, out: Path, jobs: int, sandbox: str, apply: bool, watch: Watch
) -> Changes:
    """Grade a class again and say what changes; with `apply` the new verdicts count from now on.

    Old and new verdicts stand side by side in the journal under different keys, so showing the changes first and
    applying them later grades once.  Decisions of people count on both sides.
    """
    with open_class(out) as store:
        chosen = "" if sandbox in ("auto", "as before") else sandbox
        options = Options(jobs=jobs, sandbox=chosen)
        options = (
            with_settings(store, options)
            if sandbox == "as before"
            else replace(with_settings(store, options), sandbox=chosen)
        )
        class_files.take_in_review(store, class_files.read_review(out))
        before = {report.student: report for report in class_files.read_reports(store)}
        enrolled = enroll(problem, submissions, out, options, watch)
        grade_missing(problem, enrolled, store, options, watch)
        after = _reports_of(store, enrolled)
        if apply:
            settle(store, problem, submissions, enrolled, options)
            class_files.write_class(out, store, problem.title)
    return compare(before, after)


def _reports_of(store: Store, enrolled: Sequence[Enrolled]) -> dict[str, Report]:
    decisions = store.decisions()
    found = {}
    for one in enrolled:
        verdict = store.verdict(one.key)
        assert verdict is not None
        found[one.entrant.student] = take_in(json_report.parse(verdict.report), decisions, verdict.share)
    return found
