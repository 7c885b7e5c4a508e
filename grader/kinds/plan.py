"""What a kind of question makes of a definition: items to be marked, and the derivation behind them.

A kind is a module with `Spec` (a frozen dataclass: the keys a question of this kind may have), `ITEMS` (the names of
what it can ask, for `points = {name = …}`) and `plan(spec, task, context) -> Plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from grader.decode import Mistake, ProblemError, did_you_mean
from grader.model import Finding, Fragment, Observation, Place
from reference.derivation import Derivation, evaluate

if TYPE_CHECKING:  # these are heavy and only named here
    from grader.compare import Domain
    from grader.notation import Vocabulary
    from reference.expression import Expr

Form = Literal[
    "expression",  # a formula or number: the marking rule of grader.checking
    "dimension",  # the size of a result: "2×3", "n", "\\mathbb{R}^{M\\times N}"
    "words",  # a word or phrase out of a list
    "assignments",  # a decomposition into single operations
    "graph",  # a drawn or written computation graph
    "table",  # several named values, credit by share
    "observation",  # what a notebook did
    "prose",  # a person reads it
]
Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ItemPolicy:
    """How an item is to be marked; the same keys stand on a question in `problem.toml`.

    layouts: accepted shapes of a derivative: "numerator", "denominator", "any"; none means a gradient as row or column,
    a Jacobian in numerator layout.  decimals: significant digits of a rounded number that must be right, places: digits
    after the point; neither means exact answers only.  partly: what an answer is worth that is equal wherever both are
    defined but is undefined on part of the domain.  unshown: what a step is worth that was not written down but whose
    right use shows in a later right result.  entries: credit by the share of right entries.  credit: what an answer
    that is wrong with this note is worth, whatever it would be worth otherwise.
    """

    layouts: tuple[Literal["any", "numerator", "denominator"], ...] = ()
    decimals: int | None = None
    places: int | None = None
    partly: Fraction = Fraction(1)
    unshown: Literal["implied", "blank"] = "implied"
    entries: bool = False
    credit: tuple[tuple[str, Fraction], ...] = ()


@dataclass(frozen=True)
class Misconception:
    """What a well-known mistake makes of some steps: `replaced` gives their expressions, in terms of earlier steps.

    Where sizes have names, there is one expression for each choice of sizes, in the order of the plan's truths.
    `message` is the hint a student reads; it never contains a model answer.
    """

    note: str
    message: str
    replaced: Mapping[str, Expr | tuple[Expr, ...]]

    def at(self, step: str, number: int) -> Expr:
        """What it makes of a step at one choice of sizes."""
        made = self.replaced[step]
        return made[number] if isinstance(made, tuple) else made


@dataclass(frozen=True, slots=True)
class Aim:
    """What a left-hand side names: the quantity `name`, or its derivative with respect to `wrt`."""

    name: str
    wrt: str = ""


@dataclass(frozen=True)
class Item:
    """One gradable answer.  `id` is stable (`1f.f1.gradient`); `step` names its step of the derivation.

    `targets` are the left-hand sides that announce it, `labels` the words ("dimension", "gradient").  An item that is
    not marked by the rule for expressions carries `judge`, which gets the item and what the student wrote or the
    notebook did, and returns a Finding.
    """

    id: str
    form: Form
    points: Fraction
    asks: str
    step: str = ""
    targets: tuple[Aim, ...] = ()
    labels: tuple[str, ...] = ()
    policy: ItemPolicy = field(default_factory=ItemPolicy)
    judge: Callable[[Item, Seen], Finding] | None = None
    bonus: bool = False
    main: bool = False  # takes an answer nothing else names
    hull: tuple[tuple[Fraction, ...], ...] = ()  # at a kink: results whose every mixture is right too
    parts: Mapping[Aim, tuple[int, ...]] = field(default_factory=dict)  # entries that have a name of their own, from 1
    also: tuple[tuple[Expr, ...], ...] = ()  # further right results by accepted conventions, each once per truth
    key: str = ""  # the derived answer as text where it is no step of the derivation; instructors only


@dataclass(frozen=True)
class Seen:
    """What a judge gets to see of a hand-in.

    texts: pieces of the student's text that may answer the item, in order, with their places; labelled: were they
    announced by a label?  fragments: everything in the question's section.  own: the student's values of earlier steps;
    own_shapes: shape of the student's result by (step, number of the truth).  sections: what stands in other questions
    of the sheet, by task id ("2a.A").  observations: what the notebook did, by probe.
    """

    texts: tuple[tuple[str, Place | None], ...] = ()
    labelled: bool = False
    fragments: tuple[Fragment, ...] = ()
    own: Mapping[str, Expr] = field(default_factory=dict)
    own_shapes: Mapping[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)
    sections: Mapping[str, tuple[Fragment, ...]] = field(default_factory=dict)
    observations: Mapping[str, Observation] = field(default_factory=dict)


@dataclass(frozen=True)
class Truth:
    """The derivation at one choice of sizes.

    `domain` bounds what is free.  `sources` says of a step what is differentiated there and by what, where one
    expression is: misconceptions are worked out from it.
    """

    sizes: Sizes
    derivation: Derivation
    domain: Domain
    sources: Mapping[str, tuple[Expr, tuple[Expr, ...]]] = field(default_factory=dict)

    @cached_property
    def values(self) -> Mapping[str, Expr]:
        """Every step's value over what is free."""
        return evaluate(self.derivation)

    def value(self, step: str) -> Expr:
        """The value of one step.  Raises KeyError."""
        return self.values[step]


@dataclass(frozen=True)
class Route:
    """How one independent computation of the truth came out, for `grader truth` and `validate`."""

    name: str
    status: Literal["agrees", "disagrees", "not run"]
    detail: str = ""


@dataclass(frozen=True)
class Plan:
    """A question (or one part of it) ready for marking.

    `truths` hold the derivation once per choice of sizes (one entry if nothing is of symbolic size).  `topics` and
    `malrules` are the misconceptions to look for.  `given` are quantities a student copies from the statement and that
    are therefore never an answer.  `unasked` are steps without points whose values, if written down, later steps are
    marked against.  `implies` adds to what a right step shows to be right besides the steps its formula rests on.
    `certify` runs every route; it is slow (sympy) and used by `truth` and `validate`.
    """

    items: tuple[Item, ...]
    truths: tuple[Truth, ...] = ()
    vocabulary: Vocabulary | None = None
    topics: tuple[str, ...] = ()
    given: tuple[Aim, ...] = ()
    malrules: tuple[Misconception, ...] = ()
    unasked: tuple[Item, ...] = ()
    implies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    probes: tuple[Any, ...] = ()
    certify: Callable[[], tuple[tuple[str, tuple[Route, ...]], ...]] | None = None

    @property
    def points(self) -> Fraction:
        return sum((item.points for item in self.items if not item.bonus), Fraction(0))


@dataclass(frozen=True)
class Context:
    """What a kind may know besides its own keys: the problem's vocabulary, this variant's parameters, its folder."""

    folder: Path | None = None
    log: Literal["natural", "10", "2"] = "natural"
    decimal_comma: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Fraction] = field(default_factory=dict)
    seed: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Task:
    """One function of a question: the prefix of its items' ids, what it is worth, how it is marked."""

    id: str
    points: Fraction | Mapping[str, Fraction]
    part: str = ""
    title: str = ""
    policy: ItemPolicy = field(default_factory=ItemPolicy)
    bonus: bool = False
    file: str = ""
    line: int = 0
    lines: Mapping[str, int] = field(default_factory=dict)  # where the question's keys stand

    def refuse(self, message: str, key: str = "", suggestion: str = "") -> ProblemError:
        """An author's mistake in this task, to be raised."""
        if key and self.lines and key not in self.lines:
            key = ""  # a key that was not written: the question as a whole is meant
        place = f"question {self.id}{'.' + key if key else ''}"
        return ProblemError([Mistake(message, place, self.file, self.lines.get(key, self.line), suggestion)])

    def share(self, weights: Mapping[str, int | Fraction], known: Sequence[str] = ()) -> dict[str, Fraction]:
        """Points of each asked item.

        A number is split by `weights`; a table names the items itself, and only those are asked.  `known` are the names
        a table may use; default: the keys of `weights`.  Raises ProblemError on an unknown name.
        """
        if isinstance(self.points, Mapping):
            names = list(known or weights)
            for name in self.points:
                if name not in names:
                    raise self.refuse(f"`{name}` is nothing this question can ask", "points", did_you_mean(name, names))
            return dict(self.points)
        total = sum(weights.values(), Fraction(0))
        return {name: self.points * Fraction(weight) / total for name, weight in weights.items()}

    def item_id(self, name: str, asked: Mapping[str, Any]) -> str:
        """`1f.f1.gradient`, or just `1d` where a single thing is asked and the points are a plain number."""
        if len(asked) == 1 and not isinstance(self.points, Mapping):
            return self.id
        return f"{self.id}.{name}" if name else self.id
