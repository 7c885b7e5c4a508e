"""The nouns that are written to disk.  Plain frozen data; exact fractions; no behaviour beyond what the data says."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Literal

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Notation = Literal["latex", "plain"]
Audience = Literal["student", "instructor"]


class Verdict(StrEnum):
    """What marking found.  UNREADABLE and UNDECIDED are pending: they neither give nor cost points."""

    CORRECT = "CORRECT"
    CARRIED = "CARRIED"  # right from the student's own earlier error
    INCORRECT = "INCORRECT"
    BLANK = "BLANK"
    UNREADABLE = "UNREADABLE"
    UNDECIDED = "UNDECIDED"

    @property
    def pending(self) -> bool:
        return self in (Verdict.UNREADABLE, Verdict.UNDECIDED)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a hand-in something stands.  Lines and columns count from 1, a notebook's cells from 0."""

    file: str
    line: int = 1
    column: int = 1
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of an answer as the student typed it: a formula without its dollars, a line of text, code, an image."""

    kind: Literal["formula", "text", "code", "graph", "image"]
    text: str
    notation: Notation
    where: Place
    label: str = ""  # "dimension" in "Dimension: $2 \times 1$"; "" when nothing names it
    display: bool = False  # stood alone on its line(s): $$…$$, \[…\], align, a plain line of its own


@dataclass(frozen=True, slots=True)
class Answer:
    """All a student wrote for one question (item "") or for one item of it."""

    question: str
    item: str
    fragments: tuple[Fragment, ...]
    text: str
    where: Place


@dataclass(frozen=True, slots=True)
class Remark:
    """Something noticed about a hand-in that is nobody's answer: an unknown label, a missing file, lateness."""

    note: str
    message: str
    where: Place | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One student's hand-in.  `digest` is the SHA-256 of its bytes; `notebooks` are paths of code to execute."""

    student: str
    answers: tuple[Answer, ...]
    notebooks: tuple[str, ...] = ()
    name: str = ""
    submitted: str | None = None  # ISO 8601, from the bundle or the file's own metadata, never from our clock
    digest: str = ""
    remarks: tuple[Remark, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Array:
    """A number array that left the sandbox: dtype from the allow-list, C order, already size-checked."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Observation:
    """What a student's code did with one probe.  Nothing here is trusted; the verdict is computed elsewhere."""

    probe: str
    status: Literal["returned", "raised", "malformed", "timeout", "killed", "absent", "refused"]
    arrays: tuple[tuple[str, Array | None], ...] = ()
    flags: tuple[tuple[str, bool], ...] = ()
    detail: str = ""  # exception type and message, escaped text only
    seconds: float = 0.0  # for budgets; never written to a report


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a verdict is what it is.  Evidence for the instructor never reaches a student-facing export."""

    kind: str  # witness, caret, chain, misconception, entry, probe, route, resolution …
    text: str  # plain text with $…$
    audience: Audience = "student"
    data: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one item.  `credit` is an exact fraction of the item's points; `note` a stable tag."""

    item: str
    verdict: Verdict
    credit: Fraction
    points: Fraction  # what the item is worth
    note: str = ""
    message: str = ""
    read_as: str = ""  # plain text, how the answer was understood
    read_as_latex: str = ""
    evidence: tuple[Evidence, ...] = ()
    where: Place | None = None
    asks: str = ""  # what was asked for, in words: "the gradient of f with respect to x"

    @property
    def earned(self) -> Fraction:
        return Fraction(0) if self.verdict.pending else self.credit * self.points


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's verdict on one item; kept beside the program's, never overwritten by it."""

    student: str
    item: str
    points: Fraction
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class QuestionScore:
    question: str
    earned: Fraction
    possible: Fraction
    pending: Fraction  # points of items that still wait for a person
    title: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    earned: Fraction
    possible: Fraction
    pending: Fraction
    questions: tuple[QuestionScore, ...] = ()
    penalty: Fraction = Fraction(0)  # late policy, already taken from `earned`


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a report rests on.  No clock."""

    grader: str = ""
    problem: str = ""  # digest of the problem's files
    submission: str = ""  # digest of the hand-in
    seed: str = ""  # digest, never the seed itself
    isolation: str = "none"  # tier of the sandbox the code ran in; "not needed" when none ran
    versions: tuple[tuple[str, str], ...] = ()
    commit: str = ""  # of the clone that was graded; "" where the hand-in is none


@dataclass(frozen=True, slots=True)
class Report:
    problem: str
    title: str
    student: str
    name: str
    findings: tuple[Finding, ...]
    score: Score
    decisions: tuple[Decision, ...] = ()
    remarks: tuple[Remark, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)
    late_seconds: int = 0
