"""The verdict on one node: forward and backward pass, each with a note, a sentence for the learner, and evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from grader.compare.nodes.agreement import EXACT
from grader.compare.nodes.comparison import Outcome, computes_in_single, outcome_of
from grader.compare.nodes.diagnosis import Diagnosis, diagnose_backward, place_of
from grader.compare.nodes.operations import GUARDED, OPERATIONS, REDUCTIONS, SLOPES
from grader.compare.nodes.own_forward import is_trivial, right_for_own_forward
from grader.compare.nodes.points import NodeSpec
from grader.compare.nodes.probing import Point
from grader.compare.nodes.truth import Variant
from grader.compare.observations import NOTHING, Reply
from grader.model import Evidence, Verdict

GUARDS = tuple(Fraction(1, 10**k) for k in range(15, 4, -1))
NEARLY = 1e-4  # errors below this, where honest ones are below EXACT, are the mark of difference quotients
BUDGET = 50  # forward passes that a backward pass may cost


@dataclass(frozen=True, slots=True)
class Conventions:
    """What this problem accepts besides the textbook definition.

    reduction: whether a loss is a mean or a sum over its samples.  guard: the largest small number that may be added
    inside a logarithm, a root or a denominator.  aliasing: is sharing memory with the upstream gradient an error by
    itself (it always is where it changes a result)?  stable: must large inputs be survived that overflow the direct
    formula?
    """

    reduction: Literal["either", "mean", "sum"] = "either"
    guard: Fraction = Fraction(1, 10**6)
    aliasing: Literal["remark", "error"] = "remark"
    stable: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """One half of a node: what the learner is told, and why."""

    verdict: Verdict
    note: str = ""
    message: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeVerdict:
    """Both passes of a node.  `factor` and `note` of a wrong backward pass let later results be followed through."""

    node: str
    forward: Judgement
    backward: Judgement
    diagnosis: Diagnosis | None = field(default=None)
    remarks: tuple[Evidence, ...] = ()
    guarded: bool = False  # a small number is added somewhere, as the problem allows


def judge(
    spec: NodeSpec,
    points: Sequence[Point],
    replies: Mapping[str, Reply],
    conventions: Conventions | None = None,
    accumulates: bool = False,
) -> NodeVerdict:
    """Verdict on the forward and the backward pass of one node.

    `points` are those of `probing.points_of`, `replies` what came back by probe name; a missing reply counts as none.
    Accepted conventions are tried until one fits all points; forward and backward may be guarded differently, but a
    mean must be a mean in both.
    """
    accepted = conventions or Conventions()
    forward_reading, outcomes = _best_reading(spec, points, replies, accepted, accumulates)
    outcomes = [one for one in outcomes if not _excused(one, accepted)]
    forward = _judge_forward(outcomes)
    backward, diagnosis = _judge_backward(outcomes, points, replies, forward, forward_reading[1], accepted)
    guarded = any(one.guard for one in forward_reading)
    return NodeVerdict(spec.name, forward, backward, diagnosis, _remarks(outcomes, accumulates), guarded)


Reading = tuple[Variant, Variant]


def _best_reading(
    spec: NodeSpec,
    points: Sequence[Point],
    replies: Mapping[str, Reply],
    accepted: Conventions,
    accumulates: bool,
) -> tuple[Reading, list[Outcome]]:
    """Outcomes under the accepted convention with the fewest faults; the plain definition where none is better.

    Guards are tried only on what is nearly right: they are small.
    """
    name = spec.stands_for
    reductions = [""]
    if name in REDUCTIONS:
        reductions = ["mean", "sum"] if accepted.reduction == "either" else [accepted.reduction]
    plain = [(Variant(name, r), Variant(name, r)) for r in reductions]
    if name == "leaky_relu":
        plain = [(Variant(name, slope=s), Variant(name, slope=s)) for s in SLOPES]
    tried = [(reading, _outcomes(reading, points, replies, accumulates)) for reading in plain]
    best = min(tried, key=lambda one: _faults(one[1]))
    if name not in GUARDED or _faults(best[1]) == 0 or not any(_nearly(one) for one in best[1]):
        return best
    for reading in _guarded(best[0][0], accepted.guard):
        outcomes = _outcomes(reading, points, replies, accumulates)
        if _faults(outcomes) < _faults(best[1]):
            best = reading, outcomes
    return best


def _outcomes(
    reading: Reading, points: Sequence[Point], replies: Mapping[str, Reply], accumulates: bool
) -> list[Outcome]:
    """Every judged point under one reading.  The steps of a sweep are only used together, elsewhere."""
    outcomes: list[Outcome] = []
    low = False
    for point in points:
        if point.role == "sweep" and point.upstream is None:
            continue
        reply = replies.get(point.name, NOTHING)
        outcomes.append(outcome_of(point, reply, reading[0], reading[1], accumulates, low))
        if len(outcomes) == 1:
            low = outcomes[0].backward is True and computes_in_single(reply, outcomes[0].truth)
    return outcomes


def _faults(outcomes: Sequence[Outcome]) -> int:
    return sum((one.forward is False) + (one.backward is False) for one in outcomes)


def _nearly(one: Outcome) -> bool:
    """Wrong, but by no more than a guard could explain."""
    return (one.forward is False and one.forward_error < NEARLY) or (one.backward is False and one.error < NEARLY)


def _guarded(plain: Variant, largest: Fraction) -> list[Reading]:
    """Readings with a small number added, in both passes or in one of them."""
    found = []
    for guard in (guard for guard in GUARDS if guard <= largest):
        guarded = replace(plain, guard=guard)
        found += [(guarded, guarded), (plain, guarded), (guarded, plain)]
    return found


def _excused(one: Outcome, accepted: Conventions) -> bool:
    """Overflow of the direct formula at an extreme input, where the problem does not ask for a stable one."""
    if accepted.stable or one.point.case.draw != "extreme":
        return False
    if not one.reply.returned:
        return "overflow" in one.reply.detail.lower() or "FloatingPoint" in one.reply.detail
    given = [v for v in (one.reply.y, *one.reply.gradients) if v is not None and v.dtype.kind == "f"]
    return any(not np.all(np.isfinite(v)) for v in given)


def _judge_forward(outcomes: Sequence[Outcome]) -> Judgement:
    known = [one for one in outcomes if one.forward is not None]
    replies = [one.reply for one in outcomes]
    if all(reply.status == "raised" and reply.detail.startswith("KeyError: '") for reply in replies):
        return Judgement(Verdict.INCORRECT, "node.not_found", f"This node was not found: {replies[0].detail[10:]}.")
    if all(reply.unfinished for reply in replies) or (known and all(one.reply.unfinished for one in known)):
        return Judgement(Verdict.BLANK, "node.blank", "The forward pass is not written yet.")
    if not known or all(reply.ours for reply in replies):
        return _stopped(replies)
    wrong = [one for one in known if one.forward is False]
    if any(one.reply.flags.get("inputs_mutated") for one in known if one.point.upstream is None):
        return Judgement(Verdict.INCORRECT, "node.input_mutated", "The forward pass changes its inputs in place.")
    if not wrong:
        stopped = [one for one in outcomes if one.point.upstream is None and one.reply.status in ("killed", "refused")]
        return _stopped([one.reply for one in stopped]) if stopped else Judgement(Verdict.CORRECT)
    return _wrong_forward(wrong, known)


def _wrong_forward(wrong: Sequence[Outcome], known: Sequence[Outcome]) -> Judgement:
    first = next((one for one in wrong if one.reply.returned and one.reply.y is not None), wrong[0])
    evidence = (Evidence("probe", f"The result is wrong {place_of(first)}."),)
    if not first.reply.returned:
        message = f"The forward pass raised an error {place_of(first)}: {first.reply.detail}"
        if first.reply.status == "timeout":
            return Judgement(
                Verdict.INCORRECT, "node.timeout", "The forward pass did not come back within its time limit."
            )
        return Judgement(Verdict.INCORRECT, "node.raised", message)
    groups = {one.group for one in wrong}
    if (
        first.reply.y is not None
        and first.reply.y.shape != first.truth.y.shape
        and first.reply.y.size != first.truth.y.size
    ):
        return Judgement(
            Verdict.INCORRECT, "node.forward_shape", f"The result has a wrong shape {place_of(first)}.", evidence
        )
    if groups == {"repeated"}:
        return Judgement(
            Verdict.INCORRECT, "node.state_leaks", "The same call gives another result the second time.", evidence
        )
    where = "" if len(groups) > 1 or len(wrong) == len(known) else " It is right elsewhere."
    return Judgement(
        Verdict.INCORRECT, "node.forward", f"The forward pass is wrong {place_of(first)}.{where}", evidence
    )


def _judge_backward(
    outcomes: Sequence[Outcome],
    points: Sequence[Point],
    replies: Mapping[str, Reply],
    forward: Judgement,
    reading: Variant,
    accepted: Conventions,
) -> tuple[Judgement, Diagnosis | None]:
    asked = [one for one in outcomes if one.point.upstream is not None]
    if forward.note == "node.not_found":
        return forward, None
    if forward.verdict is Verdict.BLANK or all(_not_written(one.reply) for one in asked):
        return Judgement(Verdict.BLANK, "node.blank", "The backward pass is not written yet."), None
    if any(one.reply.flags.get("upstream_mutated") for one in asked):
        message = "The backward pass changes the gradient it was given; other nodes still need it."
        return Judgement(Verdict.INCORRECT, "node.upstream_mutated", message), Diagnosis(
            "node.upstream_mutated", message
        )
    if any(one.reply.flags.get("inputs_mutated") for one in asked) and forward.note != "node.input_mutated":
        message = "The backward pass changes the inputs of the node in place."
        return Judgement(Verdict.INCORRECT, "node.input_mutated", message), Diagnosis("node.input_mutated", message)
    if accepted.aliasing == "error" and any(one.reply.flags.get("upstream_aliased") for one in asked):
        message = "A gradient shares its memory with the gradient from above: changing one changes the other. Copy it."
        return Judgement(Verdict.INCORRECT, "node.aliased", message), Diagnosis("node.aliased", message)
    generic = [one for one in asked if one.point.role == "point" and one.group in ("generic", "number")]
    if all(one.forward is False for one in generic) and any(one.reply.returned for one in asked):
        return _for_own_forward(outcomes, points, replies, reading)
    judged = [one for one in asked if one.forward is not False or not one.reply.returned]
    strayed = [one for one in generic if one.forward is False and one.backward is False]
    own = right_for_own_forward(points, replies) if strayed else None
    if strayed and own is not True:  # wrong by both: by the operation, and by the forward pass that stands there
        judged = asked
    wrong = [one for one in judged if one.backward is False]
    evidence = _numerical(judged)
    if evidence:
        return Judgement(
            Verdict.UNDECIDED,
            "node.numerical_differentiation",
            "The gradients are only as exact as difference quotients; a person looks at how they are computed.",
            evidence,
        ), None
    if wrong:
        diagnosis = diagnose_backward(judged, reading)
        example = Evidence(
            "probe", f"First wrong {place_of(wrong[0])}; {len(wrong)} of {len(judged)} probes are wrong."
        )
        return Judgement(Verdict.INCORRECT, diagnosis.note, diagnosis.message, (example,)), diagnosis
    stopped = [one.reply for one in asked if one.reply.ours]
    if stopped:
        return _stopped(stopped), None
    budget = _over_budget(outcomes)
    if budget is not None:
        return budget, None
    return _OWN if own else Judgement(Verdict.CORRECT), None


_OWN = Judgement(
    Verdict.CARRIED,
    "node.own_forward",
    "The backward pass is right for your own forward pass.",
    (Evidence("route", "Central differences of the student's own forward pass confirm its gradients.", "instructor"),),
)


def _not_written(reply: Reply) -> bool:
    """Nothing came back for any input, or the code says that it is not finished."""
    return reply.unfinished or (reply.returned and all(gradient is None for gradient in reply.gradients))


def _for_own_forward(
    outcomes: Sequence[Outcome], points: Sequence[Point], replies: Mapping[str, Reply], reading: Variant
) -> tuple[Judgement, Diagnosis | None]:
    right = right_for_own_forward(points, replies)
    if right and is_trivial([one for one in outcomes if one.point.upstream is not None], OPERATIONS[reading.operation]):
        return Judgement(
            Verdict.UNDECIDED,
            "node.trivial_forward",
            "The backward pass fits your forward pass, but that does almost nothing; a person looks at it.",
        ), None
    if right:
        return _OWN, None
    asked = [one for one in outcomes if one.point.upstream is not None]
    wrong = [one for one in asked if one.backward is False]
    if not wrong:  # right for the operation, though not for the forward pass that stands there
        return Judgement(Verdict.CORRECT), None
    diagnosis = diagnose_backward(asked, reading)
    return Judgement(Verdict.INCORRECT, diagnosis.note, diagnosis.message), diagnosis


def _numerical(judged: Sequence[Outcome]) -> tuple[Evidence, ...]:
    """Evidence that gradients are difference quotients: values exact, gradients all slightly off."""
    probed = [
        one
        for one in judged
        if one.reply.returned
        and one.point.role == "point"
        and one.point.case.draw in ("generic", "negative", "positive")
    ]
    errors = [one.error for one in probed]
    if len(errors) < 2 or any(one.forward_error > EXACT for one in probed):
        return ()
    off = [error for error in errors if error > EXACT]
    if 2 * len(off) < len(errors) or max(errors) > NEARLY or _single(probed):
        return ()
    return (
        Evidence(
            "probe",
            f"Values are exact, but gradients are off by {min(off):.1e} to {max(off):.1e} at {len(off)} of "
            f"{len(errors)} points; honest implementations are within 1e-14.",
            "instructor",
        ),
    )


def _single(probed: Sequence[Outcome]) -> bool:
    return all(s is not None and s.dtype.itemsize <= 4 for one in probed for s in one.reply.gradients)


def _over_budget(outcomes: Sequence[Outcome]) -> Judgement | None:
    calls = {one.point.role: one.reply.calls for one in outcomes if one.reply.calls is not None}
    alone, both = calls.get("budget_forward"), calls.get("budget")
    if alone is None or both is None or both <= BUDGET * max(alone, 1):
        return None
    return Judgement(
        Verdict.UNDECIDED,
        "node.many_forward_calls",
        "The backward pass runs a function very many times; a person looks at how the gradient is computed.",
        (Evidence("probe", f"{both} calls with the backward pass against {alone} without.", "instructor"),),
    )


def _stopped(replies: Sequence[Reply]) -> Judgement:
    stopped = next((reply for reply in replies if reply.ours), NOTHING)
    if stopped.status == "malformed":
        return Judgement(
            Verdict.INCORRECT, "node.not_numbers", f"The result is not an array of numbers: {stopped.detail}"
        )
    if stopped.status == "timeout":
        return Judgement(Verdict.INCORRECT, "node.timeout", "The call did not come back within its time limit.")
    return Judgement(
        Verdict.UNDECIDED, "node.stopped", f"The code was stopped before it could be judged. {stopped.detail}".strip()
    )


def _remarks(outcomes: Sequence[Outcome], accumulates: bool) -> tuple[Evidence, ...]:
    found = []
    if accumulates and any(one.reply.flags.get("upstream_aliased") for one in outcomes):
        found.append(Evidence("probe", "A gradient shares its memory with the gradient from above.", "instructor"))
    return tuple(found)
