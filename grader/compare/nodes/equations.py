"""A whole expression through the student's own engine: its value and each component of its gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.compare.nodes.agreement import agrees, is_single, plain
from grader.compare.nodes.engine import ENGINE_GUARDED, ENGINE_SINGLE, ENGINE_TOLERANCE, EngineVerdict
from grader.compare.nodes.judging import NodeVerdict
from grader.compare.nodes.points import HIGH, LOW, digest, generator
from grader.compare.nodes.programs import Program, follow, lower
from grader.compare.observations import NOTHING, Reply
from grader.execution.probes import Equation, Probe, array_of
from grader.model import Evidence, Verdict
from reference.expression import Expr, symbols
from reference.modes import value_and_gradient

POINTS = 3
MAX_DRAWS = 200
MAX_VALUE = 1e3

Values = NDArray[Any]


@dataclass(frozen=True)
class EquationSpec:
    """One expression.  `inputs` are its symbols in the order in which they are handed over, with their bounds.

    `function` is the student's own function that builds it from nodes; "" builds it from their nodes directly, with
    those in `nodes`.
    """

    name: str
    expr: Expr
    inputs: tuple[tuple[Expr, float, float], ...]
    wrt: tuple[str, ...]
    function: str = ""
    nodes: tuple[str, ...] = ()

    @property
    def symbols(self) -> tuple[Expr, ...]:
        return tuple(one for one, _, _ in self.inputs)

    @property
    def subject(self) -> str:
        """Name under which this expression's probes travel."""
        return f"equation/{self.name}-{digest(show_key(self))}"

    def program(self) -> Program | None:
        """The expression over the nodes; None where they do not suffice."""
        return lower(self.expr, self.symbols, self.nodes)


def show_key(spec: EquationSpec) -> str:
    """What tells two expressions of one name apart."""
    return repr(
        (spec.function, spec.wrt, spec.nodes, [one.name for one in spec.symbols], spec.expr.shape, spec.program())
    )


@dataclass(frozen=True, slots=True)
class EquationPoint:
    """One question: the expression at fresh inputs."""

    probe: Probe
    inputs: tuple[Values, ...]


def equation_points(spec: EquationSpec, seed: bytes) -> tuple[EquationPoint, ...]:
    """Fresh inputs at which expression and gradient are defined and moderate.  Raises ValueError if none are."""
    rng = generator(seed, "equation", spec.name)
    program = _asked_program(spec)
    found: list[EquationPoint] = []
    for _ in range(MAX_DRAWS):
        inputs = tuple(np.asarray(_draw(low, high, rng)) for _, low, high in spec.inputs)
        value, gradient = _exact(spec, inputs)
        if not all(np.isfinite(v) and abs(float(v)) < MAX_VALUE for v in (value, *gradient)):
            continue
        probe = Probe(
            name=f"{spec.subject}/{len(found)}",
            op="engine",
            node=spec.name,
            inputs=tuple(array_of(x) for x in inputs),
            program=program,
        )
        found.append(EquationPoint(probe, inputs))
        if len(found) == POINTS:
            return tuple(found)
    raise ValueError(f"{spec.name} is undefined or very large at almost all inputs that were drawn")


def _asked_program(spec: EquationSpec) -> Program:
    if spec.function:
        return (Equation("function", tuple(range(len(spec.inputs))), (("name", spec.function),)),)
    program = spec.program()
    if program is None:
        raise ValueError(f"{spec.name} needs nodes that the problem does not declare")
    return program


def _draw(low: float, high: float, rng: np.random.Generator) -> float:
    """Inside the bounds, away from zero; without bounds of both signs and moderate."""
    if np.isfinite(low) and np.isfinite(high):
        return float(rng.uniform(low, high))
    if np.isfinite(low):
        return float(low + rng.uniform(LOW, HIGH))
    if np.isfinite(high):
        return float(high - rng.uniform(LOW, HIGH))
    return float(rng.uniform(LOW, HIGH) * (1 if rng.random() < 0.5 else -1))


def _exact(spec: EquationSpec, inputs: Sequence[Values]) -> tuple[Values, tuple[Values, ...]]:
    env = {one.name: x for one, x in zip(spec.symbols, inputs, strict=True)}
    used = set(symbols(spec.expr))
    value, gradient = value_and_gradient(spec.expr, spec.symbols, env)
    exact = (np.asarray(g) if one in used else np.zeros(()) for one, g in zip(spec.symbols, gradient, strict=True))
    return np.asarray(value), tuple(exact)


def judge_value(
    spec: EquationSpec, points: Sequence[EquationPoint], replies: Mapping[str, Reply], loose: bool = False
) -> EngineVerdict:
    """Is the value right at every point?  Values are judged on the truth, whatever the nodes are like.

    `loose`: up to the small numbers that the nodes may add.
    """
    known = [(point, replies.get(point.probe.name, NOTHING)) for point in points]
    early = _before_numbers(spec, [reply for _, reply in known])
    if early is not None:
        return early
    for point, reply in known:
        if not reply.returned or not _close(reply.y, _exact(spec, point.inputs)[0], loose):
            place = _place(spec, point)
            return EngineVerdict(Verdict.INCORRECT, "equation.value", f"The value of {spec.name} is wrong.", (place,))
    return EngineVerdict(Verdict.CORRECT)


def judge_component(
    spec: EquationSpec,
    wrt: str,
    points: Sequence[EquationPoint],
    replies: Mapping[str, Reply],
    nodes: Mapping[str, NodeVerdict],
    engine: EngineVerdict | None,
) -> EngineVerdict:
    """Is this component of the gradient right at every point; if not, is it right over the student's own nodes?"""
    known = [(point, replies.get(point.probe.name, NOTHING)) for point in points]
    early = _before_numbers(spec, [reply for _, reply in known])
    if early is not None:
        return early
    if all(all(gradient is None for gradient in reply.gradients) for _, reply in known):
        return EngineVerdict(Verdict.BLANK, "engine.blank", "No gradient came back.")
    position = [one.name for one in spec.symbols].index(wrt)
    loose = any(one.guarded for one in nodes.values())
    off = [
        point
        for point, reply in known
        if not _component_close(reply, position, _exact(spec, point.inputs)[1][position], loose)
    ]
    if not off:
        return EngineVerdict(Verdict.CORRECT)
    place = _place(spec, off[0])
    wrong = _wrong_nodes(spec, nodes)
    if wrong and (engine is None or engine.verdict in (Verdict.CORRECT, Verdict.CARRIED)):
        return _over_own_nodes(spec, position, known, nodes, wrong, place)
    return EngineVerdict(
        Verdict.INCORRECT,
        "equation.gradient",
        f"The derivative of {spec.name} with respect to {wrt} is wrong.",
        (place,),
    )


def _before_numbers(spec: EquationSpec, replies: Sequence[Reply]) -> EngineVerdict | None:
    """What can be said without looking at numbers: not written, not found, stopped, raised."""
    if all(reply.unfinished for reply in replies):
        return EngineVerdict(Verdict.BLANK, "equation.blank", f"{spec.name} is not built yet.")
    if all(reply.status in ("killed", "refused") for reply in replies):
        return EngineVerdict(Verdict.UNDECIDED, "engine.stopped", "The code was stopped before it could be judged.")
    if any(reply.returned for reply in replies):
        return None
    detail = replies[0].detail
    if spec.function and detail.startswith("KeyError") and spec.function in detail:
        return EngineVerdict(
            Verdict.UNDECIDED,
            "equation.function_missing",
            f"The function `{spec.function}` was not found in your notebook.",
        )
    if replies[0].status == "timeout":
        return EngineVerdict(
            Verdict.INCORRECT, "engine.timeout", f"{spec.name} did not come back within its time limit."
        )
    return EngineVerdict(Verdict.INCORRECT, "engine.raised", f"Computing {spec.name} raised an error: {detail}")


def _wrong_nodes(spec: EquationSpec, nodes: Mapping[str, NodeVerdict]) -> tuple[str, ...]:
    """Nodes that stand in the expression and are wrong; all wrong ones where it needs others than there are."""
    program = spec.program()
    concerned = {step.op for step in program} if program is not None else set(nodes)
    if "square" in concerned:
        concerned.add("mul")  # a square may be built as a product
    fine = (Verdict.CORRECT, Verdict.CARRIED)
    return tuple(
        name
        for name, one in nodes.items()
        if name in concerned and not (one.forward.verdict in fine and one.backward.verdict in fine)
    )


def _over_own_nodes(
    spec: EquationSpec,
    position: int,
    known: Sequence[tuple[EquationPoint, Reply]],
    nodes: Mapping[str, NodeVerdict],
    wrong: Sequence[str],
    place: Evidence,
) -> EngineVerdict:
    faults = {name: nodes[name].diagnosis for name in wrong}
    named = " and ".join(f"`{name}`" for name in wrong)
    if all(_same_as_own(spec, position, point, reply, faults) for point, reply in known):
        message = f"Right over your own nodes; the error in {named} is counted there."
        return EngineVerdict(Verdict.CARRIED, "equation.own_nodes", message, (place,))
    if any(nodes[name].forward.verdict is not Verdict.CORRECT for name in wrong):
        message = f"The gradient passes through {named}, which does not work yet."
        return EngineVerdict(Verdict.INCORRECT, "equation.gradient", message, (place,))
    if all(reply.returned for _, reply in known):
        return EngineVerdict(
            Verdict.UNDECIDED,
            "equation.rests_on_wrong_nodes",
            f"The gradient passes through {named}, which is wrong; a person looks whether it is right otherwise.",
            (place,),
        )
    return EngineVerdict(
        Verdict.INCORRECT, "equation.gradient", f"The gradient could not be computed at all points: {named}."
    )


def _same_as_own(
    spec: EquationSpec, position: int, point: EquationPoint, reply: Reply, faults: Mapping[str, Any]
) -> bool:
    """Does a right engine over the student's nodes give this?  Tried with the nodes there are, and with fewer."""
    if any(fault is None for fault in faults.values()):
        return False
    for nodes in (spec.nodes, tuple(name for name in spec.nodes if name != "square")):
        program = lower(spec.expr, spec.symbols, nodes)
        own = None if program is None else follow(program, point.inputs, faults)
        if own is not None and _component_close(reply, position, own.adjoints[position]):
            return True
    return False


def _component_close(reply: Reply, position: int, truth: Values, loose: bool = False) -> bool:
    if not reply.returned or len(reply.gradients) <= position:
        return False
    answer = reply.gradients[position]
    return _close(np.zeros(()) if answer is None and not np.any(truth) else answer, truth, loose)


def _close(answer: Values | None, truth: Values, loose: bool = False) -> bool:
    if agrees(answer, truth, 1.0):
        return True
    numbers = plain(answer)
    if numbers is None or numbers.size != truth.size:
        return False
    single = is_single(answer) and not is_single(truth)
    tolerance = ENGINE_GUARDED if loose else ENGINE_SINGLE if single else ENGINE_TOLERANCE
    return bool(np.all(np.abs(numbers.reshape(truth.shape) - truth) <= tolerance * (np.abs(truth) + 1e-3)))


def _place(spec: EquationSpec, point: EquationPoint) -> Evidence:
    """Where it is wrong: the inputs, never what was expected."""
    where = ", ".join(f"{one.name} = {float(x):.6g}" for one, x in zip(spec.symbols, point.inputs, strict=True))
    return Evidence("probe", f"For example at {where}.")
