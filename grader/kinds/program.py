"""Programs: the nodes of an autograd notebook, the engine over them, and expressions computed with both.

A question of this kind carries an `Inquiry`: which probes to ask of the hand-in, drawn from a secret.  Probe names hold
the seed they were drawn from, so that judging needs nothing but the observations; they never reach the student's code.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

from grader.compare.nodes.engine import EnginePolicy, EngineVerdict, judge_engine
from grader.compare.nodes.equations import EquationPoint, EquationSpec, equation_points, judge_component, judge_value
from grader.compare.nodes.graphs import engine_cases, engine_subject
from grader.compare.nodes.judging import Conventions, Judgement, NodeVerdict, judge
from grader.compare.nodes.operations import OPERATIONS
from grader.compare.nodes.points import NodeSpec
from grader.compare.nodes.probing import points_of
from grader.compare.nodes.suspicion import foreign_help
from grader.compare.observations import Reply, reply_of
from grader.decode import did_you_mean
from grader.execution.probes import Probe
from grader.execution.sources import Run
from grader.kinds.definition import build, make_vocabulary
from grader.kinds.plan import Context, Item, Plan, Seen, Task
from grader.kinds.verdicts import ZERO, blank, carried, right, undecided, wrong
from grader.model import Evidence, Finding, Observation, Verdict
from grader.notation import Vocabulary
from reference.expression import symbol

ITEMS = ("forward", "backward", "engine", "value")
ADAPTERS = Path(__file__).resolve().parent.parent / "execution" / "adapters"
SEED_BYTES = 16

WEIGHTS: Mapping[str, int] = {"forward": 1, "backward": 2, "engine": 3, "value": 2, "gradient": 3}


@dataclass(frozen=True)
class NodeKeys:
    """One node.  `operation` is what it stands for (default: its own name); the rest narrows where it is looked at.

    attributes: those it takes (axis, keepdims, exponent, …).  broadcast, batched, integers, vectors, numbers: must it
    work for inputs of different shapes, for more than two axes, for whole numbers, for vectors in a product, for arrays
    without axes?
    """

    operation: str = ""
    attributes: tuple[str, ...] = ()
    broadcast: bool = True
    batched: bool = True
    integers: bool = True
    vectors: bool = False
    numbers: bool = True


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    adapter: how the hand-in's nodes are reached: a design that comes with the program, or a file of the problem's
    folder (`adapter.py`).  ask: `nodes` (forward and backward pass of each, and with `engine` the pass through whole
    graphs) or `equation` (value and gradient of `f` with respect to `wrt` through the student's own engine).  nodes:
    names, or a table of names with keys of their own.  function: the student's function that builds f from nodes, its
    arguments in the order of `symbols`; without it f is built from the declared nodes.  imports: libraries loaded for
    the notebook.  run: all of the hand-in's code, or its definitions alone.  modules: the files of a package that are
    asked for.  reduction, guard, aliasing, stable: accepted conventions.  paths, depth: the share of the points of an
    engine that is right but walks every path by itself, or fails on a chain of many thousand nodes.
    """

    adapter: str
    ask: Literal["nodes", "equation"] = "nodes"
    nodes: tuple[str, ...] | dict[str, NodeKeys] = ()
    engine: bool = False
    f: str = ""
    symbols: dict[str, str] = field(default_factory=dict)
    wrt: tuple[str, ...] = ()
    function: str = ""
    imports: tuple[str, ...] = ("numpy",)
    reduction: Literal["either", "mean", "sum"] = "either"
    guard: Fraction = Fraction(1, 10**6)
    aliasing: Literal["remark", "error"] = "remark"
    stable: bool = False
    run: Run = "all"
    modules: tuple[str, ...] = ()
    paths: Fraction = Fraction(1, 2)
    depth: Fraction = Fraction(1)


@dataclass(frozen=True)
class Inquiry:
    """What to ask of a hand-in's code: the adapter's text, the libraries to load, and the probes for a secret."""

    adapter: str
    imports: tuple[str, ...]
    setup: _Setup
    run: Run = "all"
    modules: tuple[str, ...] = ()

    def probes(self, secret: bytes) -> tuple[Probe, ...]:
        """Fresh probes.  `secret` is drawn per submission; the same secret gives the same probes."""
        seed = hashlib.sha256(b"program" + secret).digest()[:SEED_BYTES]
        return tuple(replace(one, name=f"{seed.hex()}/{one.name}") for one in self.setup.probes(seed))


def merge(inquiries: Iterable[Inquiry], secret: bytes) -> tuple[str, tuple[str, ...], tuple[Probe, ...]]:
    """Adapter, imports and probes of all program questions of a problem; questions about the same nodes share probes.

    Raises ValueError if the questions use different adapters: one hand-in is asked through one.
    """
    asked = tuple(inquiries)
    if len({one.adapter for one in asked}) > 1:
        raise ValueError("all program questions of a problem use one adapter")
    probes: dict[str, Probe] = {}
    for one in asked:
        probes |= {probe.name: probe for probe in one.probes(secret)}
    imports = dict.fromkeys(name for one in asked for name in one.imports)
    return (asked[0].adapter if asked else "", tuple(imports), tuple(probes.values()))


def manner(inquiries: Iterable[Inquiry]) -> tuple[Run, tuple[str, ...]]:
    """How a hand-in's code is run for these questions: all of it as soon as one asks for all; and which modules."""
    asked = tuple(inquiries)
    run: Run = "definitions" if asked and all(one.run == "definitions" for one in asked) else "all"
    return run, tuple(dict.fromkeys(name for one in asked for name in one.modules))


@dataclass(frozen=True)
class _Setup:
    """Everything that probes and verdicts of a question rest on."""

    nodes: tuple[NodeSpec, ...]
    conventions: Conventions
    accumulates: bool
    engine: bool
    equation: EquationSpec | None = None
    policy: EnginePolicy = field(default_factory=EnginePolicy)

    @property
    def numbers(self) -> bool:
        """Is the engine asked with numbers?  With arrays of one entry where a node is asked for arrays only."""
        return all(node.scalar or node.numbers for node in self.nodes)

    @property
    def operations(self) -> tuple[str, ...]:
        return tuple(node.stands_for for node in self.nodes if node.name == node.stands_for)

    def probes(self, seed: bytes) -> list[Probe]:
        found = [point.probe for node in self.nodes for point in points_of(node, seed)]
        if self.engine:
            found += [case.probe for case in engine_cases(self.operations, seed, self.numbers)]
        if self.equation is not None:
            found += [point.probe for point in equation_points(self.equation, seed)]
        return found


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """Items `<node>.forward`, `<node>.backward`, `engine`; or `value` and one for each component of the gradient."""
    source = _adapter_source(spec, task, context)
    flags = _flags(source)
    nodes = _nodes(spec, task, "scalar" in flags)
    conventions = Conventions(spec.reduction, spec.guard, spec.aliasing, spec.stable)
    for key in ("paths", "depth"):
        if not 0 <= getattr(spec, key) <= 1:
            raise task.refuse(f"`{key}` is a share of the points, from 0 to 1", key)
    policy = EnginePolicy(spec.paths, spec.depth)
    if spec.ask == "nodes":
        if not nodes:
            raise task.refuse("no nodes are declared", "nodes", "nodes = ['add', 'mul']")
        setup = _Setup(nodes, conventions, "accumulates" in flags, spec.engine, policy=policy)
        items, vocabulary = _node_items(setup, task), None
    else:
        equation, vocabulary = _equation(spec, task, context, nodes)
        setup = _Setup(nodes, conventions, "accumulates" in flags, bool(nodes), equation, policy)
        items = _equation_items(setup, equation, task)
    return Plan(
        items=items, vocabulary=vocabulary, probes=(Inquiry(source, spec.imports, setup, spec.run, spec.modules),)
    )


def _adapter_source(spec: Spec, task: Task, context: Context) -> str:
    own = context.folder / spec.adapter if context.folder is not None and spec.adapter.endswith(".py") else None
    path = own or ADAPTERS / f"{spec.adapter}.py"
    if not path.is_file():
        known = sorted(one.stem for one in ADAPTERS.glob("*.py") if not one.stem.startswith("_"))
        raise task.refuse(f"there is no adapter `{spec.adapter}`", "adapter", did_you_mean(spec.adapter, known))
    return path.read_text("utf-8")


def _flags(source: str) -> frozenset[str]:
    """Flags that an adapter sets to True at its top level (`scalar = accumulates = True`)."""
    found: set[str] = set()
    for statement in ast.parse(source).body:
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.Constant)
            and statement.value.value is True
        ):
            found |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return frozenset(found)


def _nodes(spec: Spec, task: Task, scalar: bool) -> tuple[NodeSpec, ...]:
    declared = spec.nodes if isinstance(spec.nodes, dict) else {name: NodeKeys() for name in spec.nodes}
    found = []
    for name, keys in declared.items():
        operation = keys.operation or name
        if operation not in OPERATIONS:
            raise task.refuse(f"there is no operation `{operation}`", "nodes", did_you_mean(operation, OPERATIONS))
        known = [attribute for attribute, _ in OPERATIONS[operation].attributes]
        for attribute in keys.attributes:
            if attribute not in known:
                raise task.refuse(
                    f"`{operation}` has no attribute `{attribute}`", "nodes", did_you_mean(attribute, known)
                )
        found.append(
            NodeSpec(
                name,
                operation,
                keys.attributes,
                scalar,
                keys.broadcast,
                keys.batched,
                keys.integers,
                keys.vectors,
                keys.numbers,
            )
        )
    return tuple(found)


def _equation(spec: Spec, task: Task, context: Context, nodes: tuple[NodeSpec, ...]) -> tuple[EquationSpec, Vocabulary]:
    if not spec.f or not spec.symbols:
        raise task.refuse("an equation needs `f` and `symbols`", "f" if not spec.f else "symbols")
    vocabulary = make_vocabulary(task, context, spec.symbols, {})
    expr = build(spec.f, vocabulary, {}, task, "f")
    wrt = spec.wrt or tuple(vocabulary.symbols)
    for name in wrt:
        if name not in vocabulary.symbols:
            raise task.refuse(f"`{name}` is not declared", "wrt", did_you_mean(name, vocabulary.symbols))
    inputs = []
    for name, one in vocabulary.symbols.items():
        if one.shape:
            raise task.refuse(f"`{name}` must be a number: an engine is asked for numbers", "symbols")
        low = 0.0 if one.domain == "positive" else float("-inf") if one.lo is None else float(one.lo)
        inputs.append((symbol(name), low, float("inf") if one.hi is None else float(one.hi)))
    label = task.part or task.id
    equation = EquationSpec(label, expr, tuple(inputs), wrt, spec.function, tuple(node.stands_for for node in nodes))
    try:
        equation_points(equation, b"")
    except ValueError as trouble:
        raise task.refuse(str(trouble), "f") from None
    return equation, vocabulary


def _node_items(setup: _Setup, task: Task) -> tuple[Item, ...]:
    weights: dict[str, int | Fraction] = {
        f"{node.name}.{side}": WEIGHTS[side] for node in setup.nodes for side in ("forward", "backward")
    }
    if setup.engine:
        weights["engine"] = WEIGHTS["engine"]
    items = []
    for name, points in task.share(weights).items():
        node, _, side = name.rpartition(".")
        if name == "engine":
            asks = "the backward pass through the graph"
            judged: Callable[[Item, Seen], Finding] = partial(_judge_engine_item, setup)
        else:
            asks = f"the {side} pass of the node {node}"
            judged = partial(_judge_node_item, setup, node, side)
        items.append(Item(f"{task.id}.{name}", "observation", points, asks, judge=judged, bonus=task.bonus))
    return tuple(items)


def _equation_items(setup: _Setup, equation: EquationSpec, task: Task) -> tuple[Item, ...]:
    weights: dict[str, int | Fraction] = {"value": WEIGHTS["value"]}
    weights |= {name: Fraction(WEIGHTS["gradient"], len(equation.wrt)) for name in equation.wrt}
    items = []
    for name, points in task.share(weights).items():
        asks = f"the value of {equation.name}" if name == "value" else f"d{equation.name}/d{name}"
        judged = partial(_judge_equation_item, setup, name)
        items.append(Item(f"{task.id}.{name}", "observation", points, asks, judge=judged, bonus=task.bonus))
    return tuple(items)


# Judging ------------------------------------------------------------------------------------------------------------


class _Bundle:
    """The observations of one hand-in as a key: the same objects are the same hand-in, without looking into them."""

    __slots__ = ("_key", "observations")

    def __init__(self, observations: Mapping[str, Observation]) -> None:
        self.observations = tuple(observations.values())
        self._key = tuple(map(id, self.observations))  # they live as long as this does

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bundle) and self._key == other._key


@dataclass(frozen=True)
class _Asked:
    """The seed the probes were drawn from, and the replies by probe name, sorted by what was asked."""

    seed: bytes
    replies: Mapping[str, Mapping[str, Reply]]

    def about(self, subject: str) -> Mapping[str, Reply]:
        return self.replies.get(subject, {})


@lru_cache(maxsize=4)
def _sort(bundle: _Bundle) -> _Asked:
    """Replies by subject."""
    seed = b""
    found: dict[str, dict[str, Reply]] = {}
    for one in bundle.observations:
        prefix, _, rest = one.probe.partition("/")
        if len(prefix) != 2 * SEED_BYTES or not rest:
            continue
        seed = bytes.fromhex(prefix)
        found.setdefault(rest.rpartition("/")[0], {})[rest] = reply_of(one)
    return _Asked(seed, found)


def _judge_node_item(setup: _Setup, node: str, side: str, item: Item, seen: Seen) -> Finding:
    if not seen.observations:
        return blank(item)
    verdict = _nodes_judged(setup, _Bundle(seen.observations))[node]
    judgement = verdict.forward if side == "forward" else verdict.backward
    return _finding(item, judgement, Fraction(1), seen, side == "backward")


def _judge_engine_item(setup: _Setup, item: Item, seen: Seen) -> Finding:
    if not seen.observations:
        return blank(item)
    found = _engine_judged(setup, _Bundle(seen.observations))
    return _finding(item, Judgement(found.verdict, found.note, found.message, found.evidence), found.credit, seen, True)


def _judge_equation_item(setup: _Setup, name: str, item: Item, seen: Seen) -> Finding:
    if not seen.observations or setup.equation is None:
        return blank(item)
    bundle = _Bundle(seen.observations)
    asked = _sort(bundle)
    replies = asked.about(setup.equation.subject)
    points = _points_of_equation(setup.equation, asked.seed)
    if name == "value":
        loose = any(one.guarded for one in _nodes_judged(setup, bundle).values())
        found = judge_value(setup.equation, points, replies, loose)
    else:
        engine = _engine_judged(setup, bundle) if setup.engine else None
        found = judge_component(setup.equation, name, points, replies, _nodes_judged(setup, bundle), engine)
    if found.note == "equation.function_missing" and _mostly_missing(setup, bundle):
        return blank(item)
    judgement = Judgement(found.verdict, found.note, found.message, found.evidence)
    return _finding(item, judgement, found.credit, seen, name != "value")


def _mostly_missing(setup: _Setup, bundle: _Bundle) -> bool:
    """Where the nodes are missing as well, a missing function is no doubt."""
    verdicts = list(_nodes_judged(setup, bundle).values())
    fine = [one for one in verdicts if one.forward.verdict is Verdict.CORRECT]
    return 2 * len(fine) < len(verdicts)


@lru_cache(maxsize=16)
def _points_of_equation(equation: EquationSpec, seed: bytes) -> tuple[EquationPoint, ...]:
    return equation_points(equation, seed)


def _nodes_judged(setup: _Setup, bundle: _Bundle) -> Mapping[str, NodeVerdict]:
    return _judge_nodes(setup.nodes, setup.conventions, setup.accumulates, bundle)


@lru_cache(maxsize=4)
def _judge_nodes(
    nodes: tuple[NodeSpec, ...], conventions: Conventions, accumulates: bool, bundle: _Bundle
) -> Mapping[str, NodeVerdict]:
    """Every node once; all items that rest on it ask here."""
    asked = _sort(bundle)
    return {
        node.name: judge(node, points_of(node, asked.seed), asked.about(node.subject), conventions, accumulates)
        for node in nodes
    }


def _engine_judged(setup: _Setup, bundle: _Bundle) -> EngineVerdict:
    return _judge_engine(setup.nodes, setup.operations, setup.conventions, setup.accumulates, setup.policy, bundle)


@lru_cache(maxsize=4)
def _judge_engine(
    nodes: tuple[NodeSpec, ...],
    operations: tuple[str, ...],
    conventions: Conventions,
    accumulates: bool,
    policy: EnginePolicy,
    bundle: _Bundle,
) -> EngineVerdict:
    verdicts = _judge_nodes(nodes, conventions, accumulates, bundle)
    asked = _sort(bundle)
    by_operation = {node.stands_for: verdicts[node.name] for node in nodes}
    numbers = all(node.scalar or node.numbers for node in nodes)
    replies = asked.about(engine_subject(operations, numbers))
    return judge_engine(engine_cases(operations, asked.seed, numbers), replies, by_operation, policy)


def _finding(item: Item, judgement: Judgement, credit: Fraction, seen: Seen, derivative: bool) -> Finding:
    """The finding a judgement amounts to.  What is right by foreign help goes to a person."""
    more = {"evidence": judgement.evidence}
    if judgement.verdict is Verdict.BLANK:
        return replace(blank(item), note=judgement.note, message=judgement.message)
    if judgement.verdict is Verdict.UNDECIDED:
        return undecided(item, judgement.note, judgement.message, **more)
    if judgement.verdict is Verdict.INCORRECT:
        partial_credit = credit if 0 < credit < 1 else ZERO
        return wrong(item, judgement.note, judgement.message, partial_credit, **more)
    help_seen: tuple[Evidence, ...] = foreign_help(seen.observations.values(), derivative)
    if help_seen:
        message = "The code does something that is not asked for here (see the evidence); a person looks at it."
        return undecided(item, "program.foreign_help", message, evidence=(*judgement.evidence, *help_seen))
    if judgement.verdict is Verdict.CARRIED:
        return carried(item, judgement.note, judgement.message, **more)
    return right(item, judgement.note, judgement.message, **more)
