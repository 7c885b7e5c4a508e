"""One submission, graded in a process of its own: read, run, mark.  Plain data in and out: it can run anywhere."""

from __future__ import annotations

import base64
import hashlib
import platform
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from grader.model import Evidence, Finding, Observation, Provenance, Remark, Report, Submission, Verdict
from grader.observing import NoTier, find_tier, imports_of, observe
from grader.problems import Problem, load_problem
from grader.reading.bundles import Handin
from grader.reading.commits import last_commit
from grader.reading.files import IMAGES
from grader.roster import Entrant
from grader.scoring import price_lateness, seconds_late

PACKAGES = ("numpy", "sympy", "python-flint", "nbclient", "ipykernel")  # versions that a verdict may rest on
ROOT = Path(__file__).resolve().parent
KILLED = "grader_killed"
PICTURED = (".pdf", *IMAGES)


@dataclass(frozen=True, slots=True)
class Setting:
    """What all submissions of a class share.  `sandbox` is a tier of grader.execution, or "not needed"."""

    problem: str
    sandbox: str
    seed: str = ""


@lru_cache(maxsize=1)
def environment() -> str:
    """Digest of all that a verdict rests on besides problem and hand-in: our own code and the libraries' versions."""
    total = hashlib.sha256(platform.python_version().encode())
    for package in PACKAGES:
        total.update(f"{package} {_version(package)}\n".encode())
    for folder in (ROOT, ROOT.parent / "reference"):
        for path in sorted(folder.rglob("*.py")):
            total.update(path.relative_to(ROOT.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def grade(value: dict[str, Any], setting: dict[str, Any]) -> dict[str, str]:
    """Grade one submission: `value` is an Entrant, `setting` a Setting, both as plain data.

    Result: the complete report as JSON, without decisions, and the share of the points that lateness takes.
    """
    from grader.reporting import json_report

    common = Setting(**setting)
    report, share = grade_entrant(_problem(common.problem), _entrant(value), common)
    return {"report": json_report.render(report), "share": str(share)}


def grade_entrant(problem: Problem, entrant: Entrant, setting: Setting) -> tuple[Report, Fraction]:
    """The report on one hand-in, and the share of the points that lateness takes."""
    from grader.grading import grade as grade_submission
    from grader.reading.bundles import read_handin

    variant = problem.variant(variant_seed(setting.seed, entrant.student))
    handin = entrant.handin
    submission = read_handin(handin, problem.labels())
    seed = probe_seed(problem.digest, setting.seed, entrant.digest)
    observed = observe(variant, handin, submission, seed, setting.sandbox)
    submission = replace(submission, remarks=(*submission.remarks, *observed.remarks))
    provenance = provenance_of(problem, entrant, setting, observed.isolation)
    report = grade_submission(variant, submission, observed.observations, provenance=provenance, noticed=_log)
    report = with_pictures(report, handin)
    return report, lateness_share(problem, report)


def with_pictures(report: Report, handin: Handin) -> Report:
    """The report with every picture a person has to look at, once, at the first item that waits for it.

    For instructors only: a student has the picture.
    """
    from grader.observing import contents
    from grader.reading.scans import pictures

    shown: set[str] = set()
    findings = []
    for finding in report.findings:
        name = finding.where.file if finding.where else ""
        if finding.verdict is Verdict.UNDECIDED and name.lower().endswith(PICTURED) and name not in shown:
            shown.add(name)
            data = tuple(
                (
                    f"{name}, page {one.page}" if one.page else name,
                    f"data:{one.media};base64,{base64.b64encode(one.data).decode('ascii')}",
                )
                for one in pictures(contents(handin, [name]).get(name, b""))
            )
            if data:
                evidence = Evidence("picture", "What was handed in.", "instructor", data)
                finding = replace(finding, evidence=(*finding.evidence, evidence))
        findings.append(finding)
    return replace(report, findings=tuple(findings))


def failed_report(
    problem: Problem, entrant: Entrant, setting: Setting, causes: Sequence[str]
) -> tuple[Report, Fraction]:
    """The report on a hand-in that could not be graded: every item goes to a person, nothing is lost."""
    from grader.grading import terms_of
    from grader.scoring import score

    variant = problem.variant(variant_seed(setting.seed, entrant.student))
    evidence = Evidence("attempts", "; ".join(causes)[:4_000], "instructor")
    message = "The program could not grade this hand-in; a person looks at it."
    findings = tuple(
        Finding(
            item.id, Verdict.UNDECIDED, Fraction(0), item.points, KILLED, message, evidence=(evidence,), asks=item.asks
        )
        for item in variant.items()
    )
    remark = Remark(KILLED, f"{message}  It is our trouble, not the student's.")
    isolation = setting.sandbox
    report = Report(
        problem=problem.id,
        title=problem.title,
        student=entrant.student,
        name=entrant.name,
        findings=findings,
        score=score(findings, (), terms_of(variant, problem.questions)),
        remarks=(remark,),
        provenance=provenance_of(problem, entrant, setting, isolation),
        late_seconds=seconds_late(entrant.submitted, problem.about.due),
    )
    return report, lateness_share(problem, report)


def lateness_share(problem: Problem, report: Report) -> Fraction:
    """The part of the points earned that the problem's rule on lateness takes."""
    policy = problem.late
    if policy is None or report.late_seconds <= 0:
        return Fraction(0)
    more = policy.extensions.get(report.student, 0)
    return price_lateness(report.late_seconds, policy.per_day, policy.grace_minutes, policy.floor, more).share


def provenance_of(problem: Problem, entrant: Entrant, setting: Setting, isolation: str) -> Provenance:
    """What a verdict rests on.  No clock, and of the seed only its digest."""
    seed = hashlib.sha256(setting.seed.encode()).hexdigest() if setting.seed else ""
    versions = tuple((package, _version(package)) for package in PACKAGES)
    commit = last_commit(Path(entrant.paths[0])) if len(entrant.paths) == 1 else ""
    return Provenance(_version("gradient-grader"), problem.digest, entrant.digest, seed, isolation, versions, commit)


def variant_seed(secret: str, student: str) -> str:
    """The seed of one student's variant: the student's id, mixed with the secret where there is one."""
    return hashlib.sha256(f"{secret}\0{student}".encode()).hexdigest() if secret else student


def probe_seed(problem: str, secret: str, submission: str) -> bytes:
    """The seed of the inputs that a hand-in's code is asked about: the same in every run, unknown before handing in.

    It depends on every byte of the hand-in, so that a hand-in cannot hold answers to its own probes.
    """
    return hashlib.sha256(f"probes\0{problem}\0{secret}\0{submission}".encode()).digest()


def observe_submission(problem: Problem, path: Path, submission: Submission) -> tuple[Observation, ...]:
    """What one's own code does, for a self-check: in the strongest isolation there is, or without any."""
    try:
        tier = find_tier("", imports_of(problem))
    except NoTier:
        tier = "none"
    handin = Handin(submission.student, "", (path,), path if path.is_dir() else path.parent)
    return observe(problem, handin, submission, probe_seed(problem.digest, "", submission.digest), tier).observations


def _entrant(value: dict[str, Any]) -> Entrant:
    """An entrant that travelled as JSON."""
    remarks = tuple((note, message) for note, message in value["remarks"])
    return Entrant(**{**value, "paths": tuple(value["paths"]), "remarks": remarks})


@lru_cache(maxsize=1)
def _problem(folder: str) -> Problem:
    return load_problem(Path(folder))


def _log(question: str, trouble: BaseException) -> None:
    """One line for the log; the finding of the question carries the same."""
    frame = traceback.extract_tb(trouble.__traceback__)[-1:]
    where = f" ({frame[0].filename}:{frame[0].lineno})" if frame else ""
    print(f"grader: internal error in question {question}: {trouble!r:.300}{where}", file=sys.stderr)
