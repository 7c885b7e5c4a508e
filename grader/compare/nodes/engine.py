"""The verdict on a student's engine: values and gradients through whole graphs of their own nodes.

Judged on graphs of nodes that are right, so that a wrong node costs only itself.  Where too few nodes are right, the
engine is compared with what a right engine gives over the student's own nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from grader.compare.nodes.agreement import Values, agrees, is_single, plain
from grader.compare.nodes.diagnosis import Diagnosis
from grader.compare.nodes.graphs import LADDER, EngineCase
from grader.compare.nodes.judging import BUDGET, NodeVerdict
from grader.compare.nodes.programs import Adjoints, follow
from grader.compare.nodes.truth import Variant, truth_at
from grader.compare.observations import NOTHING, Reply
from grader.model import Evidence, Verdict
from reference import expression as E
from reference.modes import value_and_gradient

ENGINE_TOLERANCE = 1e-7  # rounding along a graph adds up; a wrong path is far off
ENGINE_SINGLE = 1e-4  # the same in single precision
ENGINE_GUARDED = 1e-3  # small numbers added in a node grow along a graph
ENGINE_EXACT = 1e-12  # honest engines are within this on small graphs; difference quotients are not
ENOUGH = 2  # graphs on which an engine must have been tried
EXPLODED = 50 * LADDER  # calls of one function on a graph of so few nodes


@dataclass(frozen=True, slots=True)
class EnginePolicy:
    """Credit of an engine that is right on small graphs but walks every path by itself (`paths`), or fails on a chain
    of many thousand nodes (`depth`)."""

    paths: Fraction = Fraction(1, 2)
    depth: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class EngineVerdict:
    verdict: Verdict
    note: str = ""
    message: str = ""
    evidence: tuple[Evidence, ...] = ()
    credit: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class _Tried:
    case: EngineCase
    reply: Reply
    truth: Adjoints
    right: bool
    followed: bool  # do the student's own nodes make a difference here?
    loose: bool  # small numbers are added in some nodes, as the problem allows


def judge_engine(
    cases: Sequence[EngineCase],
    replies: Mapping[str, Reply],
    nodes: Mapping[str, NodeVerdict],
    policy: EnginePolicy = EnginePolicy(),
) -> EngineVerdict:
    """Verdict on the backward pass through the graph; `nodes` are the verdicts on the nodes, by operation."""
    known = [(case, replies.get(case.probe.name, NOTHING)) for case in cases]
    small = [(case, reply) for case, reply in known if case.small]
    if not small or all(_unfinished(reply) for _, reply in small):
        return EngineVerdict(Verdict.BLANK, "engine.blank", "The backward pass through the graph is not written yet.")
    if all(reply.status in ("killed", "refused") for _, reply in small):
        return EngineVerdict(Verdict.UNDECIDED, "engine.stopped", "The code was stopped before it could be judged.")
    faults = {name: one.diagnosis for name, one in nodes.items() if not _sound(one)}
    guarded = frozenset(name for name, one in nodes.items() if one.guarded)
    tried = [one for case, reply in small if (one := _try(case, reply, faults, guarded)) is not None]
    on_right_nodes = [one for one in tried if not one.case.nodes & set(faults)]
    judged = on_right_nodes if len(on_right_nodes) >= ENOUGH else tried
    if len(judged) < ENOUGH:
        return _untried(nodes)
    wrong = [one for one in judged if not one.right]
    if wrong:
        return _diagnose(wrong, [one for one in judged if one.right])
    exactness = _as_difference_quotients(judged)
    if exactness is not None:
        return exactness
    if judged is tried and any(one.followed for one in judged):
        message = "Right over your own nodes; their errors are counted with the nodes."
        return EngineVerdict(Verdict.CARRIED, "engine.own_nodes", message)
    large = [(case, reply) for case, reply in known if not case.small and not case.nodes & set(faults)]
    return _on_large_graphs(large, policy)


def matches(reply: Reply, truth: Adjoints, count: int, loose: bool = False) -> bool:
    """Value and all `count` input gradients right?  `loose`: up to small numbers that nodes may add."""
    if not reply.returned or len(reply.gradients) < count:
        return False
    return _close(reply.y, truth.output, loose) and all(
        _close(s, r, loose) for s, r in zip(reply.gradients[:count], truth.adjoints[:count], strict=True)
    )


def _close(answer: Values | None, truth: Values, loose: bool = False) -> bool:
    if agrees(answer, truth, 1.0):
        return True
    numbers = plain(answer)
    if numbers is None or numbers.size != truth.size:
        return False
    single = is_single(answer) and not is_single(truth)
    tolerance = ENGINE_GUARDED if loose else ENGINE_SINGLE if single else ENGINE_TOLERANCE
    return bool(np.all(np.abs(numbers.reshape(truth.shape) - truth) <= tolerance * (np.abs(truth) + 1e-3)))


def _sound(one: NodeVerdict) -> bool:
    return one.forward.verdict is Verdict.CORRECT and one.backward.verdict is Verdict.CORRECT


def _unfinished(reply: Reply) -> bool:
    return reply.unfinished or (reply.returned and all(gradient is None for gradient in reply.gradients))


def _try(
    case: EngineCase, reply: Reply, faults: Mapping[str, Diagnosis | None], guarded: frozenset[str]
) -> _Tried | None:
    """One graph against what a right engine gives over the student's own nodes; None where that is not known."""
    concerned = {name: fault for name, fault in faults.items() if name in case.nodes}
    if any(fault is None for fault in concerned.values()):
        return None
    exact = follow(case.program, case.inputs, {})
    own = follow(case.program, case.inputs, concerned)
    if own is None or exact is None or not all(np.all(np.isfinite(bar)) for bar in own.adjoints):
        return None
    followed = not all(_close(a, b) for a, b in zip(own.adjoints, exact.adjoints, strict=True))
    loose = bool(case.nodes & guarded)
    return _Tried(case, reply, own, matches(reply, own, len(case.inputs), loose), followed, loose)


def _untried(nodes: Mapping[str, NodeVerdict]) -> EngineVerdict:
    if all(one.forward.verdict is Verdict.BLANK for one in nodes.values()):
        return EngineVerdict(Verdict.BLANK, "engine.blank", "Without nodes the backward pass cannot be tried.")
    return EngineVerdict(
        Verdict.UNDECIDED,
        "engine.rests_on_wrong_nodes",
        "The nodes it needs are wrong, so the backward pass through the graph cannot be judged by itself.",
    )


def _as_difference_quotients(judged: Sequence[_Tried]) -> EngineVerdict | None:
    """Right only to the accuracy of numerical differentiation, in most graphs?"""
    errors = [_error(one) for one in judged if not one.loose and not _single(one.reply)]
    off = [error for error in errors if error > ENGINE_EXACT]
    if 2 * len(off) <= len(errors):
        return None
    return EngineVerdict(
        Verdict.UNDECIDED,
        "engine.numerical_differentiation",
        "The gradients are only as exact as difference quotients; a person looks at how they are computed.",
        (Evidence("probe", f"Gradients are off by {min(off):.1e} to {max(off):.1e}.", "instructor"),),
    )


def _error(one: _Tried) -> float:
    count = len(one.case.inputs)
    size = max(float(np.max(np.abs(r))) for r in one.truth.adjoints[:count]) + 1e-3
    pairs = zip(one.reply.gradients[:count], one.truth.adjoints[:count], strict=True)
    return max(float(np.max(np.abs(np.asarray(s, float).reshape(r.shape) - r))) for s, r in pairs) / size


def _single(reply: Reply) -> bool:
    return any(is_single(s) for s in (reply.y, *reply.gradients) if s is not None and np.any(s))


def _diagnose(wrong: Sequence[_Tried], right: Sequence[_Tried]) -> EngineVerdict:
    raised = [one for one in wrong if not one.reply.returned]
    if len(raised) == len(wrong) and raised:
        reply = raised[0].reply
        if reply.status == "timeout":
            return _incorrect("engine.timeout", "The backward pass through a small graph did not end in time.")
        return _incorrect(
            "engine.raised", f"The backward pass through a graph raised an error{_with(wrong, right)}: {reply.detail}"
        )
    returned = [one for one in wrong if one.reply.returned]
    missing = [one for one in returned if any(s is None for s in one.reply.gradients[: len(one.case.inputs)])]
    if missing and len(missing) == len(returned):
        return _incorrect("engine.gradient_missing", "Some inputs of a graph got no gradient.", _place(missing[0]))
    if not all(_close(one.reply.y, one.truth.output, one.loose) for one in returned):
        return _incorrect("engine.value", "The value of a graph is wrong although its nodes are right.")
    if all(_keeps_one_contribution(one) for one in returned):
        return _incorrect(
            "engine.overwritten",
            "A node that is used more than once must add up the gradients of all its uses; here one of them "
            "replaces the others (`=` for `+=`).",
            _place(returned[0]),
        )
    if all(_scaled(one) for one in returned):
        message = "All gradients are off by one factor: the gradient of the output with respect to itself is 1."
        return _incorrect("engine.seed", message)
    named = next((one for one in returned if _first_wrong(one)), returned[0])
    return _incorrect(
        "engine.order",
        "The gradients of some graphs are wrong although all nodes are right. A node may send its gradient on only "
        "after it has received the gradients of all its uses." + _first_wrong(named),
        _place(named),
    )


def _with(wrong: Sequence[_Tried], right: Sequence[_Tried]) -> str:
    """Names a node that stands in every graph that fails and in none that works."""
    common = frozenset.intersection(*[one.case.nodes for one in wrong]) - frozenset().union(
        *[one.case.nodes for one in right]
    )
    return f" where `{sorted(common)[0]}` is used" if len(common) == 1 and right else ""


def _incorrect(note: str, message: str, *evidence: Evidence) -> EngineVerdict:
    return EngineVerdict(Verdict.INCORRECT, note, message, tuple(evidence), Fraction(0))


def _keeps_one_contribution(one: _Tried) -> bool:
    """Is every gradient that of a single use, given those of the nodes that use it?  Needs all of them reported."""
    program, count = one.case.program, len(one.case.inputs)
    bars = [plain(s) for s in one.reply.gradients]
    if len(bars) != count + len(program):
        return False
    sent: list[list[Values]] = [[] for _ in bars]
    for k, step in enumerate(program):
        g = bars[count + k]
        if g is None:
            return False
        xs = tuple(one.truth.values[i] for i in step.args)
        parts = truth_at(Variant(step.op), xs, dict(step.attrs), g.reshape(one.truth.values[count + k].shape)).gradients
        for i, part in zip(step.args, parts, strict=True):
            sent[i].append(part)
    return all(
        not parts or any(_close(bar, part) for part in parts) for bar, parts in zip(bars, sent, strict=True)
    ) and any(len(parts) > 1 for parts in sent)


def _scaled(one: _Tried) -> bool:
    ratios = []
    for s, r in zip(one.reply.gradients, one.truth.adjoints[: len(one.case.inputs)], strict=False):
        numbers = plain(s)
        if numbers is None or numbers.size != 1 or r.size != 1 or float(r.reshape(())) == 0:
            return False
        ratios.append(float(numbers.reshape(())) / float(r.reshape(())))
    return bool(ratios) and max(ratios) - min(ratios) <= 1e-9 * (abs(ratios[0]) + 1e-12)


def _first_wrong(one: _Tried) -> str:
    """In reverse order the first node whose adjoint is wrong although those of all nodes that use it are right."""
    count = len(one.case.inputs)
    reported = one.reply.gradients
    if len(reported) != count + len(one.case.program):
        return ""
    fine = [_close(s, r) for s, r in zip(reported, one.truth.adjoints, strict=True)]
    for position in range(len(fine) - 1, -1, -1):
        users = [count + k for k, step in enumerate(one.case.program) if position in step.args]
        if not fine[position] and all(fine[user] for user in users):
            times = f"{len(users)} other nodes" if len(users) != 1 else "one other node"
            return f" The first gradient to go wrong is that of {_name(one, position)}, which {times} use."
    return ""


def _name(one: _Tried, position: int) -> str:
    count = len(one.case.inputs)
    if position < count:
        return f"input x{position}"
    return f"t{position - count + 1} = {_shown(one.case, position - count)}"


def _shown(case: EngineCase, position: int) -> str:
    count, step = len(case.inputs), case.program[position]
    return f"{step.op}({', '.join(f'x{i}' if i < count else f't{i - count + 1}' for i in step.args)})"


def _place(one: _Tried) -> Evidence:
    lines = "; ".join(f"t{k + 1} = {_shown(one.case, k)}" for k in range(len(one.case.program)))
    return Evidence("probe", f"For example on the graph {lines}.")


def _on_large_graphs(large: Sequence[tuple[EngineCase, Reply]], policy: EnginePolicy) -> EngineVerdict:
    exploded, deep = False, None
    for case, reply in large:
        if case.kind == "explosive" and (reply.status in ("timeout", "killed") or (reply.calls or 0) > EXPLODED):
            exploded = True
        if case.kind == "budget" and (reply.calls or 0) > BUDGET * len(case.program):
            return _many_passes(case, reply)
        if case.kind == "deep" and not matches(reply, _deep_truth(case), len(case.inputs)):
            deep = _about_depth(reply, policy)
    if exploded:
        message = (
            "The gradients are right, but every path through the graph is walked by itself: with shared nodes their "
            "number grows exponentially. Visit every node once, after all nodes that use it."
        )
        return _lessened("engine.path_enumeration", message, policy.paths)
    if deep is not None:
        message = "Right; on a chain of many thousand nodes it fails, see below."
        return _lessened("engine.recursion_depth", message, policy.depth, deep)
    return EngineVerdict(Verdict.CORRECT)


def _lessened(note: str, message: str, credit: Fraction, *evidence: Evidence) -> EngineVerdict:
    """Right with a remark where nothing is lost, else a share of the points."""
    return EngineVerdict(Verdict.CORRECT if credit == 1 else Verdict.INCORRECT, note, message, evidence, credit)


def _many_passes(case: EngineCase, reply: Reply) -> EngineVerdict:
    said = f"{reply.calls} calls of one function for {len(case.program)} nodes."
    return EngineVerdict(
        Verdict.UNDECIDED,
        "engine.many_forward_passes",
        "The backward pass runs a function very many times; a person looks at how the gradient is computed.",
        (Evidence("probe", said, "instructor"),),
    )


def _deep_truth(case: EngineCase) -> Adjoints:
    """Adding or subtracting the second input again and again, in closed form: ten thousand equations say the same."""
    x, step = E.symbol("x"), E.symbol("step")
    many = E.mul(len(case.program), step)
    expr = E.add(x, many) if case.program[0].op == "add" else E.sub(x, many)
    env = {name: x.reshape(()) for name, x in zip(("x", "step"), case.inputs, strict=True)}
    value, gradient = value_and_gradient(expr, (x, step), env)
    return Adjoints((np.asarray(value),), tuple(np.asarray(g, float) for g in gradient))


def _about_depth(reply: Reply, policy: EnginePolicy) -> Evidence:
    if "RecursionError" in reply.detail or reply.status == "killed":
        why = "recursion is limited to about a thousand calls; a loop with a list of nodes has no such limit"
    elif reply.status == "timeout":
        why = "it did not end in time: it takes longer than in proportion to the number of nodes"
    else:
        why = reply.detail or "its gradients are wrong"
    cost = " This costs nothing here." if policy.depth == 1 else ""
    return Evidence("probe", f"On a chain of 10,000 nodes the backward pass fails: {why}.{cost}")
