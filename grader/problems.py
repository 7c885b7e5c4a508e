"""Load a problem: a folder with `problem.toml` becomes a frozen Problem, or a ProblemError with all mistakes at once.

docs/problems.md describes every key; a test keeps it complete.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from grader.decode import Mistake, ProblemError, Source, decode, did_you_mean, fields_of, read_toml, unseal
from grader.kinds import KINDS, load_kind
from grader.kinds.plan import Context, Item, ItemPolicy, Plan, Task
from grader.notation.vocabulary import canonical
from grader.notes import NOTES
from grader.reading import Labels
from grader.variants import IllPosed, Parameter, draw_parameters
from grader.wellposed import Drawn, NoDraw, Tidy, choose_draw, coincidences

PROBLEM_FILE = "problem.toml"
DIGESTED = ("problem.toml", "statement.md", "notebook.ipynb", "cases.toml")
TABLES = ("problem", "parts", "vocabulary", "late", "hints", "question")
MAX_DIGITS = 15  # of a decimal answer; more are exact answers
REFERENCE_DRAWS = 4  # draws at which a misconception that is always right is recognised
SEALED = "sealed"  # the only key of a student's copy, see grader.decode.seal
NOT_INHERITED = ("id", "points", "title", "like", "labels", "part", "bonus", "kind")


@dataclass(frozen=True)
class About:
    """The table `[problem]`."""

    id: str
    title: str
    course: str = ""
    language: str = "en"
    due: datetime | None = None
    required: tuple[Literal["documentation", "notebook"], ...] = ()

    def __post_init__(self) -> None:
        if not self.id or not all(c.isalnum() or c in "-_." for c in self.id):
            raise ValueError(f"the id `{self.id}` may hold letters, digits, - _ . only")
        if self.due is not None and self.due.tzinfo is None:
            raise ValueError("`due` needs a time zone: write 2024-11-21T11:59:00+01:00")


@dataclass(frozen=True)
class Words:
    """The table `[vocabulary]`: how this course writes."""

    log: Literal["natural", "10", "2"] = "natural"
    decimal_comma: bool = False
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LatePolicy:
    """The table `[late]`.  Without it lateness is recorded and costs nothing.

    `grace_minutes` cost nothing; every begun day after that takes `per_day` (a fraction of the points earned), but at
    least the fraction `floor` of them stays.  `extensions` gives single students more minutes.
    """

    per_day: Fraction
    grace_minutes: int = 0
    floor: Fraction = Fraction(0)
    extensions: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.per_day <= 1:
            raise ValueError("`per_day` is a share of the points, more than 0 and at most 1: write 0.1 for 10 %")
        if not 0 <= self.floor <= 1:
            raise ValueError("`floor` is a share of the points, between 0 and 1")
        if self.grace_minutes < 0 or any(minutes < 0 for minutes in self.extensions.values()):
            raise ValueError("minutes are never negative")


@dataclass(frozen=True)
class Hints:
    """The table `[hints]`: what a self-check may say.

    `witness`: at its third level, a point with the student's own value against a numerical derivative there.
    """

    witness: bool = False


@dataclass(frozen=True)
class _Parts:
    parts: dict[str, str]


@dataclass(frozen=True)
class Head:
    """The keys every question may have, whatever its kind."""

    id: str
    kind: str
    points: Fraction | dict[str, Fraction] = Fraction(0)
    title: str = ""
    like: str = ""
    bonus: bool = False
    parameters: dict[str, Parameter] = field(default_factory=dict)
    tidy: Tidy | None = None
    prose: dict[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    layouts: tuple[Literal["any", "numerator", "denominator"], ...] = ()
    decimals: int | None = None
    places: int | None = None
    partly: Fraction = Fraction(1)
    unshown: Literal["implied", "blank"] = "implied"
    entries: bool = False
    credit: dict[str, Fraction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for note, worth in self.credit.items():
            if note not in NOTES:
                near = did_you_mean(note, NOTES) if "." in note else "docs/notes.md lists them"
                raise ValueError(f"`credit`: there is no note `{note}`; {near}")
            if not 0 <= worth <= 1:
                raise ValueError(f"`credit`: {note} = {worth} is no share between 0 and 1")
        for name, digits in (("decimals", self.decimals), ("places", self.places)):
            if digits is not None and not 1 <= digits <= MAX_DIGITS:
                raise ValueError(f"`{name}` lies between 1 and {MAX_DIGITS}")
        if not 0 <= self.partly <= 1:
            raise ValueError("`partly` is a share between 0 and 1")
        if _worth(self.points) < 0:
            raise ValueError("points are never negative")

    def policy(self) -> ItemPolicy:
        credit = tuple(sorted(self.credit.items()))
        return ItemPolicy(self.layouts, self.decimals, self.places, self.partly, self.unshown, self.entries, credit)


@dataclass(frozen=True)
class Part:
    """One function of a question: what it is worth, and its kind's own keys, decoded."""

    id: str
    points: Fraction | Mapping[str, Fraction]
    spec: Any
    title: str = ""
    line: int = 0
    lines: Mapping[str, int] = field(default_factory=dict)  # where its keys stand


@dataclass(frozen=True)
class Question:
    """One question.  `parts` has a single entry with id "" where the question has no parts."""

    head: Head
    parts: tuple[Part, ...]
    line: int = 0

    @property
    def id(self) -> str:
        return self.head.id

    @property
    def kind(self) -> str:
        return self.head.kind

    @property
    def title(self) -> str:
        return self.head.title


@dataclass(frozen=True)
class Problem:
    """A whole sheet.  `seed` chooses the variant; `digest` is the SHA-256 of its files' bytes."""

    about: About
    questions: tuple[Question, ...]
    words: Words = field(default_factory=Words)
    late: LatePolicy | None = None
    hints: Hints = field(default_factory=Hints)
    parts: Mapping[str, str] = field(default_factory=dict)  # titles of groups of questions: "1" → "Derivatives"
    folder: Path | None = None
    digest: str = ""
    seed: str = ""
    sealed: bool = False  # a student's copy, made by `grader handout`: it checks, and shows nobody a model answer

    def __hash__(self) -> int:
        return hash((self.about.id, self.digest, self.seed))

    @property
    def id(self) -> str:
        return self.about.id

    @property
    def title(self) -> str:
        return self.about.title

    @property
    def points(self) -> Fraction:
        """What can be earned without bonus questions."""
        return sum((item.points for item in self.items() if not item.bonus), Fraction(0))

    def variant(self, seed: str) -> Problem:
        """The same problem with its parameters drawn for this seed (a student's name, usually)."""
        return replace(self, seed=seed)

    def question(self, label: str) -> Question:
        """The question with this id.  Raises KeyError."""
        for one in self.questions:
            if one.id == label:
                return one
        raise KeyError(label)

    def plans(self, question: Question) -> tuple[Plan, ...]:
        """A plan for each part of a question, in this variant.  Raises ProblemError if its definition is wrong."""
        return self.drawn(question).plans

    def parameters(self, question: Question) -> Mapping[str, Fraction]:
        """The values of this question's parameters in this variant."""
        return self.drawn(question).values

    def drawn(self, question: Question) -> Drawn:
        """A question with this variant's values, and the draws that were passed over.  Raises ProblemError."""
        # without parameters the seed does not matter: one plan for everybody
        return _drawn(self if question.head.parameters else replace(self, seed=""), question.id)

    def items(self, question: Question | None = None) -> tuple[Item, ...]:
        """Every gradable answer, of one question or of all."""
        chosen = self.questions if question is None else (question,)
        return tuple(item for one in chosen for plan in self.plans(one) for item in plan.items)

    def labels(self) -> Labels:
        """Every label an answer may be filed under, for the reader of hand-ins."""
        return Labels(
            questions={question.id: question.title for question in self.questions},
            items={item.id: item.asks for item in self.items()},
            parts=self.parts,
        )


def load_problem(folder: Path, plans: bool = True) -> Problem:
    """The problem in a folder (or the folder of a given `problem.toml`).

    With `plans`, every question's definition is worked out as well, so that an unsound one is refused here and not in
    front of a student.  Raises ProblemError with all mistakes.
    """
    folder = folder.parent if folder.name == PROBLEM_FILE else folder
    path = folder / PROBLEM_FILE
    if not path.is_file():
        raise ProblemError(
            [Mistake("there is no problem here", file=str(path), suggestion="`grader new ID` makes one")]
        )
    data, source = read_toml(path)
    sealed = SEALED in data
    if sealed:
        data = _opened(data, path)
    for name in data:
        if name not in TABLES:
            near = did_you_mean(name, TABLES)
            source.report((name,), f"unknown table `{name}`", near)
    if "problem" not in data:
        source.report((), "the table `[problem]` is missing")
    about = decode(About, data["problem"], source, ("problem",)) if "problem" in data else None
    words = decode(Words, data.get("vocabulary", {}), source, ("vocabulary",))
    late = decode(LatePolicy, data["late"], source, ("late",)) if "late" in data else None
    hints = decode(Hints, data.get("hints", {}), source, ("hints",))
    parts = decode(_Parts, {"parts": data.get("parts", {})}, source, ())
    questions = _read_questions(data.get("question", []), source)
    source.refuse()
    assert about is not None
    assert words is not None
    assert hints is not None
    assert parts is not None
    problem = Problem(about, questions, words, late, hints, parts.parts, folder, _digest(folder), sealed=sealed)
    if plans:
        refuse_unsound(problem)
    return problem


def _opened(data: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The definitions inside a student's copy, with the parameters fixed to what was drawn for the student."""
    try:
        definitions, drawn = unseal(data[SEALED])
    except ValueError as trouble:
        advice = "get the handout again, or `git checkout` this file"
        raise ProblemError([Mistake(f"this copy is damaged: {trouble}", SEALED, str(path), 0, advice)]) from None
    for raw in definitions.get("question", []):
        fixed = drawn.get(raw.get("id"))
        if fixed:
            raw["parameters"] = {name: {"choice": [value]} for name, value in fixed.items()}
    return definitions


def refuse_unsound(problem: Problem) -> None:
    """Work out every question's definition.  Raises ProblemError with the mistakes of all of them."""
    mistakes: list[Mistake] = []
    for question in problem.questions:
        try:
            problem.plans(question)
        except ProblemError as found:
            mistakes.extend(found.mistakes)
    if mistakes:
        raise ProblemError(mistakes)


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _digest(folder: Path) -> str:
    total = hashlib.sha256()
    for name in DIGESTED:
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def _read_questions(raws: Any, source: Source) -> tuple[Question, ...]:
    if not isinstance(raws, list) or not all(isinstance(raw, dict) for raw in raws):
        source.report(("question",), "questions are written as `[[question]]`", "two brackets on either side")
        return ()
    if not raws:
        source.report((), "there is no `[[question]]`")
    by_id: dict[str, dict[str, Any]] = {}
    questions = []
    for index, raw in enumerate(raws):
        key = ("question", index)
        full = _inherit(raw, by_id, source, key)
        label = raw.get("id")
        if isinstance(label, str):
            if label in by_id:
                source.report((*key, "id"), f"the id `{label}` is used twice", "ids are unique")
            by_id[label] = full
        question = _read_question(full, source, key)
        if question is not None:
            questions.append(question)
    return tuple(questions)


def _inherit(
    raw: dict[str, Any], earlier: Mapping[str, dict[str, Any]], source: Source, key: tuple[str | int, ...]
) -> dict[str, Any]:
    """The question's table completed by that of the question named in `like`: all keys but id, points and title."""
    name = raw.get("like")
    if name is None:
        return raw
    if not isinstance(name, str) or name not in earlier:
        source.report((*key, "like"), f"there is no earlier question `{name}`", did_you_mean(str(name), earlier))
        return raw
    model = earlier[name]
    merged = {k: v for k, v in model.items() if k not in NOT_INHERITED}
    merged["kind"] = model.get("kind")
    merged.update(raw)
    own = {part.get("id"): part for part in raw.get("part", []) if isinstance(part, dict)}
    parts = [part for part in model.get("part", []) if isinstance(part, dict)]
    if parts or own:
        inherited = [
            {**{k: v for k, v in part.items() if k != "points"}, **own.pop(part.get("id"), {})} for part in parts
        ]
        merged["part"] = inherited + list(own.values())
    return merged


def _read_question(raw: dict[str, Any], source: Source, key: tuple[str | int, ...]) -> Question | None:
    kind = raw.get("kind")
    head_names = fields_of(Head)
    head = decode(Head, {name: raw[name] for name in raw if name in head_names}, source, key)
    if kind is not None and kind not in KINDS:
        source.report((*key, "kind"), f"there is no kind `{kind}`", did_you_mean(str(kind), KINDS))
    if kind not in KINDS:
        return None
    spec_type = load_kind(str(kind)).Spec
    rest = {name: value for name, value in raw.items() if name not in head_names and name != "part"}
    parts = _read_parts(raw.get("part"), rest, spec_type, source, key)
    if head is None or parts is None:
        return None
    return Question(head, _share_points(head, parts, source, key), source.line_of(key))


def _read_parts(
    raws: Any, shared: dict[str, Any], spec_type: type[Any], source: Source, key: tuple[str | int, ...]
) -> list[Part] | None:
    """The parts of a question, each with the question's own keys unless it overrides them."""
    known = set(fields_of(spec_type))
    if raws is None:
        spec = _decode_spec(spec_type, shared, source, key, known)
        return None if spec is None else [Part("", Fraction(0), spec, lines=_lines_of(source, key))]
    if not isinstance(raws, list) or not all(isinstance(raw, dict) for raw in raws) or not raws:
        source.report((*key, "part"), "parts are written as `[[question.part]]`")
        return None
    parts = []
    for index, raw in enumerate(raws):
        place = (*key, "part", index)
        label = raw.get("id")
        if not isinstance(label, str) or not label:
            source.report(place, "a part needs an `id`", "id = 'f1'")
            continue
        before = len(source.mistakes)
        points = _decode_points(raw.get("points", 0), source, (*place, "points"))
        own = {name: value for name, value in raw.items() if name not in ("id", "points", "title")}
        spec = _decode_spec(spec_type, {**shared, **own}, source, place, known)
        if len(source.mistakes) == before and spec is not None:
            lines = {**_lines_of(source, key), **_lines_of(source, place)}
            parts.append(Part(label, points, spec, str(raw.get("title", "")), source.line_of(place), lines))
    return parts if len(parts) == len(raws) else None


def _lines_of(source: Source, table: tuple[str | int, ...]) -> dict[str, int]:
    """Where the keys of a table stand."""
    found = {
        key[len(table)]: line for key, line in source.lines.items() if len(key) == len(table) + 1 and key[:-1] == table
    }
    return {str(name): line for name, line in found.items()}


def _decode_spec(
    spec_type: type[Any], data: dict[str, Any], source: Source, key: tuple[str | int, ...], known: set[str]
) -> Any:
    """The kind's own keys; a misspelt one may be meant for the question itself, so both lists are suggested from."""
    before = len(source.mistakes)
    unknown = [name for name in data if name not in known]
    for name in unknown:
        everything = [*known, *fields_of(Head), "part"]
        source.report((*key, name), f"unknown key `{name}` for this kind", did_you_mean(name, everything))
    spec = decode(spec_type, {name: value for name, value in data.items() if name in known}, source, key)
    return None if len(source.mistakes) > before else spec


def _decode_points(data: Any, source: Source, key: tuple[str | int, ...]) -> Fraction | dict[str, Fraction]:
    trial = decode(_Points, {"points": data}, source, key[:-1])
    return Fraction(0) if trial is None else trial.points


@dataclass(frozen=True)
class _Points:
    points: Fraction | dict[str, Fraction]


def _share_points(head: Head, parts: list[Part], source: Source, key: tuple[str | int, ...]) -> tuple[Part, ...]:
    """Parts with their points: their own, else their entry in the question's table, else an equal share."""
    if parts[0].id == "":
        return (replace(parts[0], points=_without_prose(head)),)
    given = _without_prose(head)
    if isinstance(given, dict):
        for name in given:
            if name not in [part.id for part in parts]:
                near = did_you_mean(name, [part.id for part in parts])
                source.report((*key, "points"), f"there is no part `{name}`", near)
        return tuple(replace(p, points=given.get(p.id, p.points)) for p in parts)
    if all(not isinstance(p.points, dict) and p.points == 0 for p in parts):
        return tuple(replace(p, points=given / len(parts)) for p in parts)
    total = sum((_worth(p.points) for p in parts), Fraction(0))
    if given not in (0, total):
        source.report((*key, "points"), f"the parts add up to {total}, the question says {given}")
    return tuple(parts)


def _without_prose(head: Head) -> Fraction | dict[str, Fraction]:
    """The points of a question apart from its texts."""
    if isinstance(head.points, dict):
        return {name: points for name, points in head.points.items() if name not in head.prose}
    return head.points


def _prose_items(head: Head) -> Plan:
    """An item for each text the question asks for besides its mathematics."""
    points = head.points if isinstance(head.points, dict) else {}
    return Plan(
        tuple(
            Item(f"{head.id}.{name}", "prose", points.get(name, Fraction(0)), asks, labels=(name,), bonus=head.bonus)
            for name, asks in head.prose.items()
        )
    )


def _worth(points: Fraction | Mapping[str, Fraction]) -> Fraction:
    return sum(points.values(), Fraction(0)) if isinstance(points, Mapping) else points


@lru_cache(maxsize=1024)
def _drawn(problem: Problem, label: str) -> Drawn:
    """A question at its draw of parameters: the first that is well-posed.  Raises ProblemError if there is none."""
    question = problem.question(label)
    parameters = question.head.parameters

    def plan(values: Mapping[str, Fraction]) -> tuple[Plan, ...]:
        return _plan_parts(problem, question, values)

    def draw(attempt: int) -> Mapping[str, Fraction]:
        return draw_parameters(parameters, problem.seed, problem.id, label, attempt)

    try:
        if all(len(one.values()) == 1 for one in parameters.values()):
            return Drawn(draw(0), plan(draw(0)))
        return choose_draw(draw, plan, question.head.tidy, lambda: _always(replace(problem, seed=""), label))
    except IllPosed as trouble:
        reason = f"no draw of the parameters is well-posed: {trouble}" if parameters else f"ill-posed: {trouble}"
    except NoDraw as trouble:
        if trouble.first is not None and len({one.reason for one in trouble.refused}) == 1:
            raise trouble.first from None  # the definition's own mistake, whatever is drawn
        last = trouble.refused[-1]
        shown = ", ".join(f"{name} = {value}" for name, value in last.values.items())
        reason = f"no draw of the parameters is well-posed; the last, {shown}, was refused because {last.reason}"
    file = str(problem.folder / PROBLEM_FILE) if problem.folder else ""
    raise ProblemError([Mistake(reason, f"question {label}", file, question.line)])


@lru_cache(maxsize=256)
def _always(problem: Problem, label: str) -> frozenset[tuple[str, str]]:
    """Misconceptions that give the right result at every one of some draws, so that no draw can avoid them."""
    question = problem.question(label)
    common: frozenset[tuple[str, str]] | None = None
    for attempt in range(REFERENCE_DRAWS):
        values = draw_parameters(question.head.parameters, "", problem.id, label, attempt)
        try:
            plans = _plan_parts(problem, question, values)
        except (ProblemError, IllPosed):
            continue
        found = frozenset(pair for plan in plans for pair in coincidences(plan))
        common = found if common is None else common & found
        if not common:
            break
    return common or frozenset()


def _with_parameters(plan: Plan, values: Mapping[str, Fraction]) -> Plan:
    """The plan's answers may use parameters by name, where the name is not one of the answer's own."""
    vocabulary = plan.vocabulary
    if vocabulary is None or not values:
        return plan
    more = {name: str(value) for name, value in values.items() if canonical(name) not in vocabulary.known}
    return replace(plan, vocabulary=replace(vocabulary, definitions={**vocabulary.definitions, **more}))


def _plan_parts(problem: Problem, question: Question, values: Mapping[str, Fraction]) -> tuple[Plan, ...]:
    context = Context(
        folder=problem.folder,
        log=problem.words.log,
        decimal_comma=problem.words.decimal_comma,
        names=problem.words.names,
        parameters=values,
        seed=problem.seed,
        language=problem.about.language,
    )
    module = load_kind(question.kind)
    plans: list[Plan] = []
    mistakes: list[Mistake] = []
    for part in question.parts:
        task = Task(
            id=_join(question.id, part.id),
            points=part.points,
            part=part.id,
            title=part.title or question.title,
            policy=question.head.policy(),
            bonus=question.head.bonus,
            file=str(problem.folder / PROBLEM_FILE) if problem.folder else "",
            line=part.line or question.line,
            lines=part.lines,
        )
        try:
            plans.append(_with_parameters(module.plan(part.spec, task, context), values))
        except ProblemError as found:
            mistakes.extend(found.mistakes)
    if mistakes:
        raise ProblemError(mistakes)
    if question.head.prose:
        plans.append(_prose_items(question.head))
    return tuple(plans)
