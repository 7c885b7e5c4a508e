"""Is a problem sound?  Routes agree, its own cases hold, variants stay well-posed, answers can be written down.

Pure but for reading `cases.toml`; each check gives rows of what was found, none of them stops at the first trouble.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from grader.decode import Mistake, ProblemError, decode, did_you_mean, read_toml
from grader.derived import arguments_of, question_rows, sound_check, written
from grader.grading import grade
from grader.kinds.plan import Item, Plan
from grader.model import Answer, Finding, Fragment, Notation, Place, Submission, Verdict
from grader.problems import Problem, Question

CASES_FILE = "cases.toml"
SEEDS = 20  # variants looked at by default
MAX_SHOWN = 200  # characters of a model answer in a message
ANSWERED = 3  # variants whose own model answers are printed, read back and marked


@dataclass(frozen=True)
class Case:
    """One row of `cases.toml`; see docs/problems.md."""

    item: str
    answer: str
    verdict: Literal["CORRECT", "CARRIED", "INCORRECT", "BLANK", "UNREADABLE", "UNDECIDED"]
    notation: Notation = "latex"
    note: str = ""
    credit: Fraction | None = None
    together: dict[str, str] = field(default_factory=dict)
    why: str = ""
    line: int = 0


@dataclass(frozen=True)
class Variants:
    """What became of a question's parameters over some seeds: how many different draws, and why others were not."""

    question: str
    seeds: int
    different: int
    reasons: tuple[tuple[str, int], ...] = ()  # why draws were passed over, with how often


@dataclass(frozen=True)
class Soundness:
    """All of `grader validate`: `rows` as `grader.derived.question_rows` gives them, `cases` as many as were run."""

    troubles: tuple[Trouble, ...]
    rows: tuple[Mapping[str, Any], ...] = ()
    variants: tuple[Variants, ...] = ()
    cases: int = 0

    @property
    def sound(self) -> bool:
        return all(one.warning for one in self.troubles)


Tell = Callable[[str], None]  # is told what is looked at next


@dataclass(frozen=True)
class Trouble:
    """One thing `grader validate` has to say.  A warning does not make the problem unsound."""

    where: str
    message: str
    warning: bool = False


def load_cases(folder: Path) -> tuple[Case, ...]:
    """The problem's own tests, () if there is no file.  Raises ProblemError with every mistake."""
    path = folder / CASES_FILE
    if not path.is_file():
        return ()
    data, source = read_toml(path)
    # answers with line breaks are often written as "…\n…": here a backslash is meant
    source.mistakes.clear()
    found = []
    for name in data:
        if name != "case":
            source.report((name,), f"unknown table `{name}`", "write [[case]]")
    for index, raw in enumerate(data.get("case", [])):
        row = {("together" if key == "with" else key): value for key, value in raw.items()}
        case = decode(Case, row, source, ("case", index))
        if case is not None:
            found.append(replace(case, line=source.line_of(("case", index))))
    source.refuse()
    return tuple(found)


def run_case(problem: Problem, case: Case) -> Finding:
    """The finding on a case's item.  Raises ProblemError for an item the problem does not have."""
    forms = {item.id: (question.id, item) for question in problem.questions for item in problem.items(question)}
    rows = {**dict.fromkeys(case.together), case.item: None}
    for name in rows:
        if name not in forms:
            raise ProblemError(
                [Mistake(f"there is no item `{name}`", "", CASES_FILE, case.line, did_you_mean(name, forms))]
            )
    answers = [
        make_answer(*forms[name], text, _notation_of(text, case.notation)) for name, text in case.together.items()
    ]
    answers.append(make_answer(*forms[case.item], case.answer, case.notation))
    submission = Submission("case", tuple(answers))
    question = forms[case.item][0]
    report = grade(problem, submission, only=question)
    return next(finding for finding in report.findings if finding.item == case.item)


def _notation_of(text: str, default: Notation) -> Notation:
    return "latex" if "\\" in text else "plain" if default == "plain" or "\n" in text else default


def make_answer(question: str, item: Item, text: str, notation: Notation) -> Answer:
    """A text as an answer filed under an item, in the kind of fragment a hand-in would have."""
    kinds: Mapping[str, Literal["formula", "text", "graph"]] = {
        "words": "text",
        "prose": "text",
        "graph": "graph",
        "assignments": "formula" if notation == "latex" else "graph",
        "table": "formula" if notation == "latex" else "graph",
    }
    where = Place(CASES_FILE)
    fragment = Fragment(kinds.get(item.form, "formula"), text.strip("\n"), notation, where, display=True)
    return Answer(question, item.id, (fragment,), text, where)


def case_troubles(problem: Problem, cases: tuple[Case, ...], seed: str = "") -> Iterator[Trouble]:
    """Cases that come out otherwise than they say, in this variant."""
    for case in cases:
        where = f"{CASES_FILE}:{case.line} ({case.item}){f', seed {seed}' if seed else ''}"
        try:
            found = run_case(problem, case)
        except ProblemError as trouble:
            yield Trouble(where, str(trouble))
            continue
        if found.verdict != case.verdict:
            yield Trouble(where, f"says {case.verdict}, comes out {found.verdict} {found.note}: {found.message}")
        elif case.note and found.note != case.note:
            yield Trouble(where, f"says {case.note}, comes out {found.note}")
        elif case.credit is not None and found.credit != case.credit:
            yield Trouble(where, f"says credit {case.credit}, comes out {found.credit}")


def seeded_case_troubles(problem: Problem, cases: tuple[Case, ...], seeds: int, tell: Tell) -> Iterator[Trouble]:
    """The cases in the first variant; those of questions with parameters in every variant, to the first that fails."""
    yield from case_troubles(problem, cases)
    for question in problem.questions:
        own = tuple(case for case in cases if _belongs(case.item, question.id))
        if not question.head.parameters or not own:
            continue
        tell(f"cases of {question.id} in {seeds} variants")
        for seed in map(_seed, range(seeds)):
            found = list(case_troubles(problem.variant(seed), own, seed))
            yield from found
            if found:
                break


def _belongs(item: str, question: str) -> bool:
    return item == question or item.startswith(f"{question}.")


def _seed(number: int) -> str:
    return f"validate-{number}"


def route_troubles(rows: list[dict[str, Any]]) -> Iterator[Trouble]:
    """Derived truths that fewer than two independent routes confirm, or that one contradicts."""
    for row in rows:
        for check in row["checks"]:
            if not sound_check(check):
                shown = "; ".join(f"{r['name']} {r['status']} {r['detail']}".strip() for r in check["routes"])
                yield Trouble(row["question"], f"{check['of']}: the routes do not agree ({shown})")


def vocabulary_troubles(problem: Problem, question: Question) -> Iterator[Trouble]:
    """Items whose own model answer, printed, is not read back and marked right: could anybody answer them?"""
    for plan in problem.plans(question):
        for item in plan.items:
            for notation in ("plain", "latex"):
                text = model_answer(plan, item, notation)
                if text is None:
                    continue
                submission = Submission("model", (make_answer(question.id, item, text, notation),))
                report = grade(problem, submission, only=question.id)
                found = next(f for f in report.findings if f.item == item.id)
                if found.verdict is not Verdict.CORRECT:
                    shown = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
                    message = f"the {notation} model answer `{shown}` comes out {found.verdict}: {found.message}"
                    yield Trouble(item.id, message, warning=found.verdict.pending)


def with_size_names(text: str, sizes: Mapping[str, int]) -> str:
    """`eye(3)` as `eye(n)` where n is 3 in this choice of sizes: the answer has to hold at every size."""
    names = {str(size): name for name, size in sizes.items()}

    def named(found: re.Match[str]) -> str:
        return f"{found[1]}({', '.join(names.get(one.strip(), one.strip()) for one in found[2].split(','))})"

    return re.sub(r"\b(eye|ones|zeros)\(([\d, ]+)\)", named, text) if names else text


def model_answer(plan: Plan, item: Item, notation: Notation) -> str | None:
    """The derived answer as a student could type it; None for texts, code, and what nobody would write out."""
    from reference.closed import exact, is_closed
    from reference.printing import CUT

    if item.form == "expression":
        value = plan.truths[0].value(item.step)
        rounded = item.policy.decimals is not None or item.policy.places is not None
        if is_closed(value) and exact(value) is None and not rounded:
            return None  # printed as decimals, which this question does not accept
        text = written(value, notation, arguments_of(plan))
        return None if CUT in text else with_size_names(text, plan.truths[0].sizes)
    if item.key and item.form in ("dimension", "words", "assignments"):
        return item.key.replace("; ", "\n") if notation == "plain" else None
    return None


def look_at_variants(problem: Problem, question: Question, seeds: int) -> tuple[Variants, list[Trouble]]:
    """How a question's parameters come out over some seeds."""
    drawn, reasons, troubles = set(), Counter[str](), []
    for seed in map(_seed, range(seeds)):
        try:
            found = problem.variant(seed).drawn(question)
        except ProblemError as trouble:
            troubles.append(Trouble(question.id, f"seed {seed}: {trouble}"))
            break
        drawn.add(tuple(sorted(found.values.items())))
        reasons.update(one.reason for one in found.refused)
        if found.blemishes and not any("no better draw" in one.message for one in troubles):
            shown = ", ".join(f"{name} = {value}" for name, value in found.values.items())
            message = f"at {shown} {found.blemishes[0]}; no better draw was found"
            troubles.append(Trouble(question.id, message, warning=True))
    if len(drawn) == 1:
        troubles.append(Trouble(question.id, "every student gets the same values", warning=True))
    return Variants(question.id, seeds, len(drawn), tuple(reasons.most_common())), troubles


def misconception_troubles(problem: Problem, question: Question) -> Iterator[Trouble]:
    """Misconceptions that give the right answer, so that the question can't tell them apart from understanding."""
    from grader.compare import same
    from reference.expression import ShapeError, substitute

    for plan in problem.plans(question):
        for mistake in plan.malrules:
            for item in plan.items:
                if item.step not in mistake.replaced:
                    continue
                truth = plan.truths[0]
                try:
                    made = substitute(mistake.at(item.step, 0), truth.values)
                except ShapeError:
                    continue
                if same(truth.value(item.step), made, truth.domain).verdict == "yes":
                    message = f"the misconception {mistake.note} gives the right result: the question can't show it"
                    yield Trouble(item.id, message, warning=True)


def examine(problem: Problem, seeds: int = SEEDS, tell: Tell = lambda text: None) -> Soundness:
    """Everything `grader validate` has to say."""
    cases: tuple[Case, ...] = ()
    troubles: list[Trouble] = []
    if problem.folder is not None:
        try:
            cases = load_cases(problem.folder)
        except ProblemError as trouble:
            troubles.extend(Trouble(f"{m.file}:{m.line}", str(m)) for m in trouble.mistakes)
    rows: list[dict[str, Any]] = []
    variants = []
    for question in problem.questions:
        tell(f"question {question.id}")
        found = question_rows(problem, question)
        rows += found
        troubles.extend(route_troubles(found))
        troubles.extend(vocabulary_troubles(problem, question))
        troubles.extend(misconception_troubles(problem, question))
        if question.head.parameters:
            tell(f"variants of {question.id}")
            one, more = look_at_variants(problem, question, seeds)
            variants.append(one)
            troubles.extend(more)
            if any(not trouble.warning for trouble in more):
                continue
            for seed in map(_seed, range(min(seeds, ANSWERED))):
                troubles.extend(vocabulary_troubles(problem.variant(seed), question))
    tell(f"{len(cases)} cases")
    troubles.extend(seeded_case_troubles(problem, cases, seeds, tell))
    return Soundness(tuple(dict.fromkeys(troubles)), tuple(rows), tuple(variants), len(cases))


def find_troubles(problem: Problem) -> tuple[Trouble, ...]:
    """What `examine` finds wrong."""
    return examine(problem).troubles
