"""What CI claimed, held against the instructor's own run of the same commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Standing = Literal["same", "differs", "other commit", "other bytes", "no claim", "not graded", "unreadable claim"]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a student's CI run says: points earned and possible, digest of the bytes and commit it graded ("" unknown).

    The commit decides only what is compared: a claim can name any, and ours is the grade in every case.
    """

    earned: Fraction
    possible: Fraction
    digest: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Audited:
    """One student's line of an audit."""

    student: str
    standing: Standing
    claimed: str
    ours: str
    message: str


def read_claim(data: object) -> Claim | None:
    """A claim from the JSON of `grader ci --json`, Classroom 50's result.json or the former reporter's result.

    None if it is neither.  Nothing in it is trusted: it is only compared.
    """
    if not isinstance(data, Mapping):
        return None
    try:
        if isinstance(data.get("score"), Mapping):  # our own report
            score = data["score"]
            provenance = data.get("provenance", {})
            known = provenance if isinstance(provenance, Mapping) else {}
            digest, commit = _text(known.get("submission")), _text(known.get("commit"))
            return Claim(_number(score["earned"]), _number(score["possible"]), digest, commit)
        if "max-score" in data:
            tests = data.get("tests") or [{}]
            scale = tests[0].get("scale", 1) if isinstance(tests[0], Mapping) else 1
            commit = _text(tests[0].get("commit")) if isinstance(tests[0], Mapping) else ""
            earned, possible = _number(data["score"]), _number(data["max-score"])
            return Claim(earned / _number(scale), possible / _number(scale), "", commit)
        if "max_score" in data:
            earned = sum((_number(test["score"]) for test in data["tests"]), Fraction(0))
            return Claim(earned, _number(data["max_score"]))
    except (KeyError, TypeError, ValueError, ArithmeticError, IndexError):
        return None
    return None


def audit(student: str, claim: Claim | None, ours: Claim | None) -> Audited:
    """Is what CI claimed what we found?  Different bytes are told apart from a different verdict on the same bytes."""
    claimed = f"{claim.earned}/{claim.possible}" if claim else "–"
    found = f"{ours.earned}/{ours.possible}" if ours else "–"
    if ours is None:
        return Audited(student, "not graded", claimed, found, "our run has no report for this student")
    if claim is None:
        return Audited(student, "no claim", claimed, found, "no result of CI was found")
    if claim.commit and ours.commit and claim.commit != ours.commit:
        which = f"CI graded {claim.commit[:12]}, we graded {ours.commit[:12]}; ours is the grade"
        return Audited(student, "other commit", claimed, found, which)
    if claim.digest and ours.digest and claim.digest != ours.digest:
        return Audited(student, "other bytes", claimed, found, "CI graded other files than we did; ours is the grade")
    if (claim.earned, claim.possible) != (ours.earned, ours.possible):
        return Audited(student, "differs", claimed, found, "CI's claim is not what we found; ours is the grade")
    return Audited(student, "same", claimed, found, "")


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 128 else ""


def _number(value: object) -> Fraction:
    if isinstance(value, Mapping):  # our own reports: {"exact": "3/2", "decimal": 1.5}
        value = value["exact"]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(type(value).__name__)
    if isinstance(value, float):
        return Fraction(value).limit_denominator(10**6)
    if isinstance(value, str) and len(value) > 40:
        raise ValueError("too long for points")
    return Fraction(value)
