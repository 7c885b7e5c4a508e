"""What a hand-in's code does: which isolation there is, which notebook runs, which probes it is asked."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from grader.model import Observation, Place, Remark, Submission
from grader.problems import Problem, Question
from grader.reading.bundles import Handin

if TYPE_CHECKING:
    from grader.execution.pool import Pool
    from grader.execution.probes import Probe
    from grader.execution.sources import Source

PROGRAM = "program"
NOT_NEEDED = "not needed"
PYTHON = ".py"
UNFIT = "notebook.unreadable"  # event of grader.execution: a file that cannot be run at all
MOST_NOTEBOOKS = 3  # of one hand-in that are run
MARGIN_SECONDS = 60.0  # for all that is not running code


class NoTier(Exception):
    """This machine offers no isolation for student code; the message says what was tried."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What running a hand-in gave."""

    observations: tuple[Observation, ...] = ()
    remarks: tuple[Remark, ...] = ()
    isolation: str = NOT_NEEDED


def program_questions(problem: Problem) -> tuple[Question, ...]:
    """The questions that are answered by code."""
    return tuple(question for question in problem.questions if question.kind == PROGRAM)


@lru_cache(maxsize=8)
def find_tier(wanted: str, imports: tuple[str, ...] = ()) -> str:
    """The tier to run student code in: the one wanted, or the strongest this machine offers.

    It is tried once: a kernel confined that way has answered.  Errors: NoTier, also for want of any when none is named;
    running without isolation must be asked for.
    """
    from grader.execution.hatchery import SandboxError
    from grader.execution.limits import TIERS
    from grader.execution.pool import start_zygote

    if wanted == "none":
        return wanted
    reasons = []
    for tier in TIERS:
        if tier == "none" or (wanted and tier != wanted):
            continue
        try:
            start_zygote(imports, tier).close()
        except SandboxError as trouble:
            reasons.append(f"{tier}: {trouble}")
        else:
            return tier
    tried = "; ".join(reasons)
    raise NoTier(
        f"this machine offers no isolation for student code ({tried}).  `grader doctor` says how to get it;"
        " --sandbox none runs the code without, and every report then says so."
    )


def attack_tier(tier: str, imports: tuple[str, ...] = ()) -> None:
    """Attack our own sandbox before other people's code runs in it.  Errors: NoTier naming what got through."""
    from grader.execution.canaries import require_isolation
    from grader.execution.hatchery import SandboxError

    if tier == "none":
        return
    try:
        require_isolation(_pool(imports, tier))
    except SandboxError as trouble:
        raise NoTier(str(trouble)) from trouble


def inquire(problem: Problem, seed: bytes) -> tuple[str, tuple[str, ...], tuple[Probe, ...]]:
    """What the problem asks of a hand-in's code: the adapter's text, libraries to load, the probes for this seed."""
    from grader.kinds.program import merge

    plans = [plan for question in program_questions(problem) for plan in problem.plans(question)]
    return merge((inquiry for plan in plans for inquiry in plan.probes), seed)


def imports_of(problem: Problem) -> tuple[str, ...]:
    """Libraries that the problem's code may use, loaded before a kernel is forked."""
    plans = [plan for question in program_questions(problem) for plan in problem.plans(question)]
    return tuple(dict.fromkeys(name for plan in plans for inquiry in plan.probes for name in inquiry.imports))


def time_limit(problem: Problem) -> float:
    """Seconds after which grading one hand-in is given up.  Its code ends by its own limits before that."""
    from grader.execution.limits import Limits

    running = MOST_NOTEBOOKS * Limits().lifetime_seconds if program_questions(problem) else MARGIN_SECONDS
    return MARGIN_SECONDS + running


def observe(problem: Problem, handin: Handin, submission: Submission, seed: bytes, tier: str) -> Observed:
    """Run the hand-in's code and ask it the problem's probes.  Nothing runs where no question asks for code."""
    from grader.compare.nodes.suspicion import look

    if not program_questions(problem):
        return Observed()
    sources, remarks = _sources(problem, handin, submission)
    if not sources:
        return Observed((), remarks, tier)
    adapter, imports, probes = inquire(problem, seed)
    executions: list[tuple[Observation, ...]] = []
    found = list(remarks)
    for source in sources[:MOST_NOTEBOOKS]:
        execution = _pool(imports, tier).observe(
            source.code, probes, seed=seed, adapter=adapter or None, files=source.files
        )
        found += [Remark(event.note, event.message, Place(source.name, cell=event.cell)) for event in execution.events]
        unfit = any(event.note == UNFIT for event in execution.events)
        seen = tuple(execution.observations)
        if unfit:  # a damaged file is nobody's missing answer: a person looks at it
            seen = tuple(replace(one, status="refused") for one in seen)
        foreign = [name for name in execution.imports if name not in imports]
        executions.append((*seen, look(source.texts, foreign, adapter)))
    return Observed(_merge(executions), tuple(dict.fromkeys(found)), tier)


def _notebooks(submission: Submission) -> tuple[str, ...]:
    damaged = {one.where.file for one in submission.remarks if one.note == "corrupt_notebook" and one.where}
    return submission.notebooks or tuple(name for name in submission.files if name in damaged)


def _sources(problem: Problem, handin: Handin, submission: Submission) -> tuple[tuple[Source, ...], tuple[Remark, ...]]:
    """The programs of a hand-in: its notebooks with the modules beside them, or its Python files."""
    from grader.execution.sources import sources_of
    from grader.kinds.program import manner

    plans = [plan for question in program_questions(problem) for plan in problem.plans(question)]
    run, modules = manner(inquiry for plan in plans for inquiry in plan.probes)
    notebooks = _notebooks(submission)
    names = dict.fromkeys((*notebooks, *(name for name in submission.files if name.endswith(PYTHON))))
    files = contents(handin, names)
    missing = [
        Remark("notebook_missing", f"{name} cannot be read.", Place(name)) for name in names if name not in files
    ]
    return sources_of(files, notebooks, run, modules, imports_of(problem)), tuple(missing)


def _merge(executions: list[tuple[Observation, ...]]) -> tuple[Observation, ...]:
    """The observations of the notebook that answers most probes; others fill in what is absent there."""
    from grader.compare.nodes.suspicion import LOOK

    merged: dict[str, Observation] = {}
    signs = tuple(flag for seen in executions for one in seen if one.probe == LOOK for flag in one.flags)
    for seen in sorted(executions, key=lambda one: -sum(each.status == "returned" for each in one)):
        for one in seen:
            if one.probe not in merged or merged[one.probe].status == "absent":
                merged[one.probe] = one
    if LOOK in merged:
        merged[LOOK] = replace(merged[LOOK], flags=tuple(dict.fromkeys(signs)))
    return tuple(merged.values())


def contents(handin: Handin, names: Iterable[str]) -> dict[str, bytes]:
    """The bytes of files by their names relative to the hand-in's root; those that cannot be read are left out."""
    from grader.reading.files import gather
    from grader.reading.submission import opened

    wanted, found = set(names), dict[str, bytes]()
    for path in handin.paths:
        folder = path if path.is_dir() else path.parent
        above = folder.relative_to(handin.root).as_posix() if folder.is_relative_to(handin.root) else "."
        for file in opened(gather(path)).files:
            name = file.name if above == "." else f"{above}/{file.name}"
            if name in wanted:
                found.setdefault(name, file.data)
    return {name: found[name] for name in names if name in found}


@lru_cache(maxsize=4)
def _pool(imports: tuple[str, ...], tier: str) -> Pool:
    """The kernels of this process; they end with it."""
    from grader.execution.limits import TIERS
    from grader.execution.pool import Pool

    chosen = next(one for one in TIERS if one == tier)
    fork = sys.platform == "linux"  # elsewhere a kernel is a whole process, and there is no isolation
    pool = Pool(1, imports=imports, tier=chosen, fork=fork)
    atexit.register(pool.close)
    return pool
