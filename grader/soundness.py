"""Is a problem sound?  Routes agree, its own cases hold, variants stay well-posed, answers can be written down.

Pure but for reading `cases.toml`; each check gives rows of what was found, none of them stops at the first trouble.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from grader.decode import Mistake, ProblemError, decode, did_you_mean, read_toml
from grader.grading import grade
from grader.kinds.certify import sound
from grader.kinds.plan import Item, Plan
from grader.model import Answer, Finding, Fragment, Notation, Place, Submission, Verdict
from grader.problems import Problem

CASES_FILE = "cases.toml"
SEEDS = 20


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


def case_troubles(problem: Problem, cases: tuple[Case, ...]) -> Iterator[Trouble]:
    """Cases that come out otherwise than they say."""
    for case in cases:
        where = f"{CASES_FILE}:{case.line} ({case.item})"
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


def route_troubles(problem: Problem) -> Iterator[Trouble]:
    """Derived truths that fewer than two independent routes confirm, or that one contradicts."""
    for question in problem.questions:
        for plan in problem.plans(question):
            if plan.certify is None:
                continue
            for name, routes in plan.certify():
                if not sound(routes):
                    shown = "; ".join(f"{r.name} {r.status} {r.detail}".strip() for r in routes)
                    yield Trouble(question.id, f"{name}: the routes do not agree ({shown})")


def vocabulary_troubles(problem: Problem) -> Iterator[Trouble]:
    """Items whose own model answer, printed, is not read back and marked right: nobody could answer them."""
    for question in problem.questions:
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
                        message = f"the {notation} model answer `{text}` comes out {found.verdict}: {found.message}"
                        yield Trouble(item.id, message, warning=found.verdict is Verdict.UNREADABLE)


def model_answer(plan: Plan, item: Item, notation: Notation) -> str | None:
    """The derived answer as a student could type it; None for texts and code."""
    from reference import printing

    if item.form == "expression":
        value = plan.truths[0].value(item.step)
        return printing.plain(value) if notation == "plain" else printing.latex(value)
    if item.key and item.form in ("dimension", "words", "assignments"):
        return item.key.replace("; ", "\n") if notation == "plain" else None
    return None


def variant_troubles(problem: Problem, seeds: int = SEEDS) -> Iterator[Trouble]:
    """Questions with parameters that can't be drawn well-posed for some seeds."""
    for question in problem.questions:
        if not question.head.parameters:
            continue
        drawn = set()
        for seed in range(seeds):
            variant = problem.variant(f"validate-{seed}")
            try:
                drawn.add(tuple(sorted(variant.parameters(question).items())))
            except ProblemError as trouble:
                yield Trouble(question.id, f"seed {seed}: {trouble}")
                break
        if len(drawn) == 1:
            yield Trouble(question.id, "every student gets the same values", warning=True)


def misconception_troubles(problem: Problem) -> Iterator[Trouble]:
    """Misconceptions that give the right answer, so that the question can't tell them apart from understanding."""
    from grader.compare import same
    from reference.expression import ShapeError, substitute

    for question in problem.questions:
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


def find_troubles(problem: Problem) -> tuple[Trouble, ...]:
    """Everything `grader validate` has to say."""
    cases: tuple[Case, ...] = ()
    found: list[Trouble] = []
    if problem.folder is not None:
        try:
            cases = load_cases(problem.folder)
        except ProblemError as trouble:
            found.extend(Trouble(str(m.file), str(m)) for m in trouble.mistakes)
    checks = (
        route_troubles(problem),
        case_troubles(problem, cases),
        vocabulary_troubles(problem),
        variant_troubles(problem),
        misconception_troubles(problem),
    )
    for check in checks:
        found.extend(check)
    return tuple(found)
