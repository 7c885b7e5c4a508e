"""The marking rule: one loop over the items in the order of the derivation.  Pure.

No answer → BLANK.  Unreadable → UNREADABLE.  Equal to the truth → CORRECT.  Equal to the truth computed from the
student's own earlier values → CARRIED.  Equal to what a misconception gives → INCORRECT with its note.  Cannot tell →
UNDECIDED.  Else INCORRECT with a witness.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from grader.checking.evidence import caret_evidence, remark_evidence, witness_evidence
from grader.checking.meaning import Meaning, make_sense
from grader.checking.misconceptions import Readings, find_misconception
from grader.checking.policy import comparison_policy
from grader.compare import Domain, Sameness, same
from grader.compare.layouts import align
from grader.kinds.plan import Aim, Item, Plan, Seen
from grader.kinds.point import exact_entries, is_mixture
from grader.kinds.verdicts import blank, carried, right, undecided, unreadable, wrong
from grader.matching import Matched, Statement, Unread
from grader.matching.statements import aim_of
from grader.model import Evidence, Finding, Fragment, Verdict
from grader.notation import Reading
from grader.notation.syntax import walk
from grader.notation.targets import target_of
from reference.derivation import evaluate
from reference.expression import Expr, ShapeError, symbols

Sections = Mapping[str, tuple[Fragment, ...]]

INCOMPLETE = "incomplete"
_CROSSED = re.compile(r"\\(?:[xb]?cancel|sout|st|xout|hcancel)\s*\{")
PICTURE = "There is a picture here; a person reads it."


@dataclass
class _State:
    """What is known while the loop goes on: verdicts, and the student's own values per truth."""

    values: tuple[Mapping[str, Expr], ...]
    own: list[dict[str, Expr]]
    shapes: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)  # as typed, by step and truth
    off: list[str] = field(default_factory=list)  # steps whose own value is not the truth, in order
    findings: dict[str, Finding] = field(default_factory=dict)
    sections: Sections = field(default_factory=dict)


def mark(plan: Plan, matched: Mapping[str, Matched], sections: Sections | None = None) -> tuple[Finding, ...]:
    """Findings of a plan's items, in the items' order.  `sections` is what stands in the sheet's other questions."""
    values = tuple(truth.values for truth in plan.truths)
    state = _State(values, [{} for _ in values], sections=sections or {})
    for item in _in_derivation_order(plan):
        answer = matched.get(item.id, Matched())
        if item.judge is not None:
            finding = item.judge(item, _seen(item, answer, state))
        elif item.form == "prose":
            finding = _mark_prose(item, answer)
        else:
            finding = _mark_expression(plan, item, answer, state)
        state.findings[item.id] = credit_by_policy(item, finding)
    _credit_unshown(plan, state)
    return tuple(state.findings[item.id] for item in plan.items)


def _in_derivation_order(plan: Plan) -> list[Item]:
    """Expression items by the place of their step, unasked ones among them; then everything else."""
    places = {step.name: i for i, step in enumerate(plan.truths[0].derivation.steps)} if plan.truths else {}
    return sorted((*plan.items, *plan.unasked), key=lambda item: places.get(item.step, len(places)))


def _seen(item: Item, answer: Matched, state: _State) -> Seen:
    own = state.own[0] if state.own else {}
    return Seen(answer.texts, answer.labelled, answer.fragments, own, state.shapes, state.sections, answer.observations)


def _mark_prose(item: Item, answer: Matched) -> Finding:
    written = " ".join(text for text, _ in answer.texts).strip()
    if not written and not answer.picture:
        return blank(item)
    where = answer.texts[0][1] if answer.texts else None
    return undecided(item, "prose", "A person reads this text.", read_as=written[:2000], where=where)


def _mark_expression(plan: Plan, item: Item, answer: Matched, state: _State) -> Finding:
    statement = answer.final or (answer.entries[-1][1] if answer.entries else None)
    if statement is None:
        if answer.picture:
            return undecided(item, "picture", PICTURE, where=answer.picture)
        return blank(item)
    meaning = make_sense(plan, item, answer, state.values, state.own)
    if isinstance(meaning, Unread):
        if answer.picture and statement.fragment.kind == "text":  # "see the picture"
            return undecided(item, "picture", PICTURE, read_as=statement.text, where=answer.picture)
        evidence = caret_evidence(statement, meaning)
        where = statement.fragment.where
        return unreadable(item, meaning.message, read_as=statement.text, evidence=evidence, where=where)
    if meaning.copied:
        return blank(item)
    if _restates(item, statement):
        message = "This repeats what is asked; a person looks whether there is an answer."
        return undecided(item, "restated", message, read_as=statement.read_as, where=statement.fragment.where)
    if meaning.open_names:
        message = f"This is in terms of {', '.join(meaning.open_names)}, which has no value here; a person looks."
        return undecided(item, "not_worked_out", message, read_as=statement.read_as, where=statement.fragment.where)
    finding = _judge(plan, item, meaning, state)
    finding = _with_doubt(plan, item, answer, statement, finding, state)
    _remember(item, meaning, finding, state)
    evidence = (*finding.evidence, *remark_evidence(statement, answer))
    return replace(
        finding,
        read_as=_read_as(answer, statement, latex=False),
        read_as_latex=_read_as(answer, statement, latex=True),
        evidence=evidence,
        where=statement.fragment.where,
    )


def _with_doubt(
    plan: Plan, item: Item, answer: Matched, statement: Statement, finding: Finding, state: _State
) -> Finding:
    """The finding, unless it rests on a choice that only the student can make: then a person looks."""
    if answer.alternative is not None:
        other = make_sense(plan, item, Matched(answer.alternative), state.values, state.own)
        verdict = None if isinstance(other, Unread) else _judge(plan, item, other, state).verdict
        if verdict is not finding.verdict:
            return undecided(item, "two_answers", "Two answers with an “or” between them; a person looks.")
    if finding.verdict is not Verdict.INCORRECT:
        return finding
    if answer.guessed:
        return undecided(item, "unplaced", "It is not said that this is the answer; a person looks.")
    if _CROSSED.search(statement.text):
        return undecided(item, "crossed_out", "Something is crossed out here; a person looks what counts.")
    if statement.aim == Aim("", "?") and finding.note.startswith("shape.") and len(plan.items) > 1:
        return undecided(item, "unplaced", "It is not said that this is the answer; a person looks.")
    if _speaks_of_asked(plan, item, statement):
        message = "This is in terms of derivatives of the function itself; a person looks."
        return undecided(item, "not_worked_out", message)
    return finding


def _speaks_of_asked(plan: Plan, item: Item, statement: Statement) -> bool:
    """Are derivatives of the very function in the answer, `∂f/∂z ∂z/∂y` for ∇f?  Not where numbers are asked."""
    if not isinstance(statement.reading, Reading) or statement.vocabulary is None:
        return False
    if not symbols([plan.truths[0].value(item.step)]):
        return False
    asked = {target.name for target in item.targets if target.wrt} - set(statement.vocabulary.applied)
    parts = (part for part in walk(statement.reading.chain[-1]) if part.kind in ("derivative", "prime"))
    aims = (aim_of(target_of(part, statement.vocabulary)) for part in parts)
    return any(aim is not None and aim.name in asked for aim in aims)


def _read_as(answer: Matched, statement: Statement, latex: bool) -> str:
    """The statement that counted; entries given one by one, in order."""
    if answer.final is not None:
        return statement.read_as_latex if latex else statement.read_as
    shown = [one.read_as_latex if latex else one.read_as for _, one in answer.entries]
    return (r", \; " if latex else ", ").join(shown)


def _restates(item: Item, statement: Statement) -> bool:
    """Is the answer only a name for what is asked, `f'(x)` for the derivative of f?"""
    if not isinstance(statement.reading, Reading) or statement.vocabulary is None:
        return False
    target = target_of(statement.reading.chain[-1], statement.vocabulary)
    aim = aim_of(target)
    if target is None or aim is None or target.kind != "derivative":
        return False
    return any(aim.name == asked.name and aim.wrt in (asked.wrt, "?") for asked in item.targets)


def _judge(plan: Plan, item: Item, meaning: Meaning, state: _State) -> Finding:
    """The rule itself, for an answer that was read."""
    if meaning.shape_trouble:
        return wrong(item, "shape.conform", _sentence(meaning.shape_trouble))
    truths = [values[item.step] for values in state.values]
    plain = _compare_all(plan, item, meaning, truths)
    if plain.verdict in ("yes", "partly") and meaning.missing:
        total = max(len(plain.entries), len(meaning.missing) + 1)
        credit = Fraction(total - len(meaning.missing), total) if item.policy.entries else Fraction(0)
        return wrong(item, INCOMPLETE, f"Entry {', '.join(meaning.missing)} of the result is missing.", credit)
    if plain.verdict == "yes":
        return right(item, plain.note if plain.note != "jacobian.transposed" else "layout.denominator")
    if plain.verdict == "partly":
        return _judge_partly(item, plain)
    if any(same_everywhere(plan, item, meaning.readings, also).verdict == "yes" for also in item.also):
        return right(item, "convention", "Right by a convention that is accepted here.")
    if item.hull and lies_in_hull(item.hull, meaning.readings):
        return right(item, "kink.subdifferential", "Right: at a kink any element of the subdifferential is.")
    follow = _judge_carried(plan, item, meaning, state, truths)
    if follow is not None:
        return follow
    if plain.note == "jacobian.transposed":
        return wrong(item, plain.note, _sentence(plain.message), evidence=witness_evidence(plain))
    known = find_misconception(plan, item, meaning.readings, state.values, state.own, state.off, same_everywhere)
    if known is None and plain.verdict == "unknown":
        return undecided(
            item, plain.note or "unknown", "It could not be decided whether this is right; a person looks."
        )
    credit = _share_of_entries(item, plain)
    if known is not None:
        data = (("note", known.note), ("second", known.second)) if known.second else (("note", known.note),)
        evidence = (Evidence("misconception", known.hint, data=data),)
        return wrong(item, known.note, known.hint, credit, evidence=evidence + witness_evidence(plain))
    message = _sentence(plain.message) or "This is not the right result."
    return wrong(item, plain.note or "wrong", message, credit, evidence=witness_evidence(plain))


def credit_by_policy(item: Item, finding: Finding) -> Finding:
    """What the question says a mistake is worth.  Where a second slip was made besides, nothing is said."""
    worth = dict(item.policy.credit).get(finding.note)
    twice = any(key == "second" for one in finding.evidence for key, _ in one.data)
    if worth is None or twice or finding.verdict is not Verdict.INCORRECT:
        return finding
    return replace(finding, credit=worth)


def lies_in_hull(corners: Sequence[tuple[Fraction, ...]], readings: Readings) -> bool:
    """Is one of the readings a mixture of the corners?  Only for constant answers."""
    for reading in readings:
        if symbols(reading):
            continue
        entries = exact_entries(reading[0])
        if len(entries) == len(corners[0]) and is_mixture(entries, corners):
            return True
    return False


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".") if text else ""


def _judge_partly(item: Item, plain: Sameness) -> Finding:
    message = _sentence(plain.message) or "Right wherever it is defined, but not defined on the whole domain."
    note = plain.note or "domain.partly_undefined"
    if item.policy.partly == 1:
        return right(item, note, message, evidence=(Evidence("remark", message),))
    return wrong(item, note, message, item.policy.partly, evidence=witness_evidence(plain))


def _compare_all(plan: Plan, item: Item, meaning: Meaning, truths: Sequence[Expr]) -> Sameness:
    return same_everywhere(plan, item, meaning.readings, truths)


def same_everywhere(plan: Plan, item: Item, readings: Readings, truths: Sequence[Expr]) -> Sameness:
    """Sameness at every choice of sizes: yes only if every choice says yes for one and the same reading."""
    policy = comparison_policy(item)
    best: Sameness | None = None
    for reading in readings:
        worst: Sameness | None = None
        for truth, expr, value in zip(plan.truths, reading, truths, strict=True):
            found = same(value, expr, truth.domain, policy)
            if worst is None or _rank(found) < _rank(worst):
                worst = found
            if found.verdict == "no":
                break
        assert worst is not None
        if worst.verdict == "yes":
            return worst
        if best is None or _rank(worst) > _rank(best):
            best = worst
    assert best is not None
    return best


def _rank(found: Sameness) -> int:
    return ("no", "unknown", "partly", "yes").index(found.verdict)


def _judge_carried(plan: Plan, item: Item, meaning: Meaning, state: _State, truths: Sequence[Expr]) -> Finding | None:
    """The item marked against the student's own earlier values; None if that does not make it right."""
    if not state.off:
        return None
    followed = []
    for truth, own, value in zip(plan.truths, state.own, truths, strict=True):
        given = {name: own[name] for name in state.off if name in own and name != item.step}
        try:
            result = evaluate(truth.derivation, given=given)[item.step]
        except ShapeError:
            return None
        if result is value:
            return None
        followed.append(result)
    found = _compare_all(plan, item, meaning, followed)
    if found.verdict not in ("yes", "partly"):
        return None
    pairs = zip(plan.truths, followed, truths, strict=True)
    if any(degenerate(result, value, truth.domain) for truth, result, value in pairs):
        message = (
            "Followed from the earlier error this is right, but the error left nothing to be shown; a person looks."
        )
        return undecided(item, "carried.degenerate", message)
    entered = ", ".join(state.off)
    return carried(item, "carried", evidence=(Evidence("entry", f"The error entered at {entered}."),))


def degenerate(followed: Expr, truth: Expr, domain: Domain) -> bool:
    """Did following an error leave nothing to be shown?  Then the value is zero, or what it depended on is gone."""
    if set(symbols([truth])) - set(symbols([followed])):
        return True
    if same(followed, followed, domain).verdict != "yes":
        return True
    zero = followed * 0
    return same(zero, followed, domain).verdict == "yes" and same(zero, truth, domain).verdict != "yes"


def _share_of_entries(item: Item, found: Sameness) -> Fraction:
    if not item.policy.entries or len(found.entries) < 2:
        return Fraction(0)
    return Fraction(sum(found.entries), len(found.entries))


def _remember(item: Item, meaning: Meaning, finding: Finding, state: _State) -> None:
    """Keep the student's own value, so that later steps are marked against it."""
    if not item.step or not meaning.readings:
        return
    for number, (own, expr, values) in enumerate(zip(state.own, meaning.readings[0], state.values, strict=True)):
        state.shapes[item.step, number] = expr.shape
        if finding.verdict is Verdict.CORRECT:
            own[item.step] = values[item.step]
        elif expr.shape == values[item.step].shape:
            own[item.step] = expr
        else:
            aligned = align(values[item.step].shape, expr, comparison_policy(item))
            if aligned.answer is not None:
                own[item.step] = aligned.answer
    if finding.verdict is not Verdict.CORRECT and all(item.step in own for own in state.own):
        state.off.append(item.step)


def _credit_unshown(plan: Plan, state: _State) -> None:
    """A step that was not written down, but whose right use shows in a later right result, is credited."""
    if not plan.truths:
        return
    shown: set[str] = set()
    rests = _what_steps_rest_on(plan)
    for item in plan.items:
        finding = state.findings[item.id]
        if item.step and finding.verdict is Verdict.CORRECT:
            shown |= rests[item.step]
    for item in plan.items:
        finding = state.findings[item.id]
        unshown = finding.verdict is Verdict.BLANK or finding.note == INCOMPLETE
        if unshown and item.step in shown and item.policy.unshown == "implied":
            message = "Not written down, but a later right result shows it."
            state.findings[item.id] = right(item, "implied", message)


def _what_steps_rest_on(plan: Plan) -> dict[str, set[str]]:
    """For every step, all steps before it that its value needs."""
    rests: dict[str, set[str]] = {}
    for step in plan.truths[0].derivation.steps:
        direct = {s.name for s in symbols([step.expr])} & set(rests)
        direct |= set(plan.implies.get(step.name, ()))
        rests[step.name] = direct.union(*(rests[name] for name in direct if name in rests))
    return rests
