"""Derivatives: of a formula, a vector, a matrix expression, through abstract functions.

One derivation step, worked out at every choice of symbolic sizes; optional items ask for the size of the result and for
what is characteristic of its structure, both derived from the result itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.definition import build, build_domain, draw_sizes, make_vocabulary
from grader.kinds.plan import Aim, Context, Item, ItemPolicy, Plan, Sizes, Task, Truth
from grader.kinds.shape_items import judge_dimension, judge_structure, symbolic_shape
from grader.kinds.structure import structure_of
from grader.notation import Vocabulary
from grader.notation.vocabulary import canonical, head_and_parameters
from reference.derivation import Derivation, Step
from reference.expression import Expr, symbol, symbols
from reference.modes import gradient, jacobian

ITEMS = ("derivative", "gradient", "jacobian", "dimension", "structure")
TOPICS = ("calculus", "matrix")

Name = Literal["derivative", "gradient", "jacobian"]


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    symbols: the names and their domains or shapes; f: what is differentiated; name: what it is called (with its
    arguments where they are to be named, `f(z, y)`); wrt: with respect to what (default: the first symbol); where:
    conditions on the domain; definitions: names that may be used in the answer; order: 2 for a second derivative;
    also: the function by other conventions (a mean for a sum), whose derivative is right as well.
    """

    f: str
    symbols: dict[str, str] = field(default_factory=dict)
    name: str = "f"
    wrt: str = ""
    where: tuple[str, ...] = ()
    definitions: dict[str, str] = field(default_factory=dict)
    order: Literal[1, 2] = 1
    also: tuple[str, ...] = ()


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """Items `derivative`, `gradient` or `jacobian` (by the shapes), and where asked `dimension` and `structure`."""
    vocabulary, wrt, called = _name_things(spec, task, context)
    truths = tuple(_work_out(spec, task, vocabulary, wrt, sizes) for sizes in draw_sizes(vocabulary))
    claims = tuple(_claim(truth) for truth in truths)
    confirm(claims, task)
    name = _what_it_is(truths[0])
    points = task.share({name: 1}, (name, "derivative", "dimension", "structure"))
    said = next((key for key in (name, "derivative") if key in points), "")
    if not said:
        raise task.refuse(f"the {name} itself is not among the items", "points", f"add {name} = 1")
    policy = _layouts(task.policy, name, _result(truths[0]).shape)
    also = tuple(_also(replace(spec, f=text), task, vocabulary, wrt, truths) for text in spec.also)
    items = [replace(_main_item(task, name, said, points, wrt, called, policy), also=also)]
    rest = {k: v for k, v in points.items() if k != said}
    if "dimension" in rest:
        shape = symbolic_shape([(t.sizes, _result(t).shape) for t in truths], task)
        items.append(_dimension_item(task, rest["dimension"], points, shape, truths, policy))
    if "structure" in rest:
        items.append(_structure_item(task, rest["structure"], points, truths))
    return Plan(
        items=tuple(items),
        truths=truths,
        vocabulary=vocabulary,
        topics=TOPICS,
        certify=certifier(claims),
    )


def _name_things(spec: Spec, task: Task, context: Context) -> tuple[Vocabulary, str, str]:
    """The vocabulary, the variable, and the name of the function.  The function itself may be used in an answer."""
    called, arguments = head_and_parameters(spec.name)
    declared = [
        canonical(name) for name in spec.symbols if "(" not in name and not spec.symbols[name].startswith("function")
    ]
    wrt = canonical(spec.wrt) if spec.wrt else next(iter(declared), "")
    if not wrt:
        raise task.refuse("nothing is declared to differentiate by", "symbols", "symbols = {x = 'real'}")
    if wrt not in declared:
        raise task.refuse(f"`{spec.wrt}` is not declared", "wrt", f"declared: {', '.join(declared)}")
    if spec.name == "f" and task.part:
        called = canonical(task.part)
    own = f"{called}({', '.join(arguments or (wrt,))})"
    definitions = {**spec.definitions, own: spec.f}
    return make_vocabulary(task, context, spec.symbols, definitions, wrt), wrt, called


def _work_out(spec: Spec, task: Task, vocabulary: Vocabulary, wrt: str, sizes: Sizes, key: str = "f") -> Truth:
    f = build(spec.f, vocabulary, sizes, task, key)
    shape = tuple(sizes[s] if isinstance(s, str) else s for s in vocabulary.declared[wrt].shape)
    x = symbol(vocabulary.spelled[wrt], shape)
    if x not in symbols([f]):
        known = ", ".join(sorted(one.name for one in symbols([f]))) or "nothing"
        message = f"{key} does not depend on {wrt}: its derivative is zero"
        raise task.refuse(message, "wrt", f"it depends on {known}")
    if spec.order == 2:
        f = _derive(f, x)
    domain = build_domain(vocabulary, sizes, spec.where, task)
    steps = Derivation((Step("derivative", _derive(f, x)),))
    return Truth(sizes, steps, domain, {"derivative": (f, (x,))})


def _also(spec: Spec, task: Task, vocabulary: Vocabulary, wrt: str, truths: tuple[Truth, ...]) -> tuple[Expr, ...]:
    """The result by another convention, confirmed as the main one is; its shape must be the same."""
    others = tuple(_work_out(spec, task, vocabulary, wrt, truth.sizes, "also") for truth in truths)
    confirm(tuple(_claim(other) for other in others), task)
    if any(_result(a).shape != _result(b).shape for a, b in zip(others, truths, strict=True)):
        raise task.refuse(f"`{spec.f}` gives a result of another shape than f", "also")
    return tuple(_result(other) for other in others)


def _claim(truth: Truth) -> Claim:
    f, (x,) = truth.sources["derivative"]
    return ("the derivative", f, x, _result(truth), truth.domain)


def _derive(f: Expr, x: Expr) -> Expr:
    """A scalar's gradient has the shape of x; anything else has a Jacobian in numerator layout."""
    return gradient(f, x) if f.shape == () else jacobian(f, x)


def _result(truth: Truth) -> Expr:
    return truth.derivation.steps[-1].expr


def _what_it_is(truth: Truth) -> Name:
    result = _result(truth)
    _, (x,) = truth.sources["derivative"]
    if result.shape == () and x.shape == ():
        return "derivative"
    if result.shape == x.shape:
        return "gradient"
    return "jacobian" if len(result.shape) == 2 else "derivative"


def _layouts(policy: ItemPolicy, name: Name, shape: tuple[int, ...]) -> ItemPolicy:
    """A gradient by a vector may be a row or a column; one by a matrix has the matrix's own shape."""
    if policy.layouts:
        return policy
    vector = len(shape) < 2 or 1 in shape
    return replace(policy, layouts=("any",) if name == "gradient" and vector else ("numerator",))


def _main_item(
    task: Task, name: Name, said: str, points: Mapping[str, Fraction], wrt: str, called: str, policy: ItemPolicy
) -> Item:
    words = {"derivative": ("derivative", "ableitung"), "gradient": ("gradient",), "jacobian": ("jacobian", "jacobi")}
    return Item(
        id=task.item_id(said, points),
        form="expression",
        points=points[said],
        asks=f"the {name} of {called} with respect to {wrt}",
        step="derivative",
        targets=(Aim(called, wrt), Aim("f", wrt)),
        labels=(name, *words[name]),
        policy=policy,
        bonus=task.bonus,
        main=True,
    )


def _dimension_item(
    task: Task,
    worth: Fraction,
    points: Mapping[str, Fraction],
    shape: tuple[str, ...],
    truths: tuple[Truth, ...],
    policy: ItemPolicy,
) -> Item:
    shapes = [(truth.sizes, _result(truth).shape) for truth in truths]
    return Item(
        id=task.item_id("dimension", points),
        form="dimension",
        points=worth,
        asks="its dimension",
        labels=("dimension", "dim", "size", "shape", "dimensions", "größe"),
        policy=policy,
        judge=judge_dimension(shapes, policy, "derivative"),
        bonus=task.bonus,
        key=" × ".join(shape) or "1",
    )


def _structure_item(task: Task, worth: Fraction, points: Mapping[str, Fraction], truths: tuple[Truth, ...]) -> Item:
    found = structure_of(truths)
    if not found:
        raise task.refuse("the result has no structure that could be asked for", "points", "leave `structure` out")
    return Item(
        id=task.item_id("structure", points),
        form="words",
        points=worth,
        asks="what is characteristic of its structure",
        labels=("structure", "feature", "characteristic", "struktur", "property", "merkmal"),
        judge=judge_structure(found),
        bonus=task.bonus,
        key=found,
    )
