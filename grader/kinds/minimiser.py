"""The minimiser of a quadratic function by its normal equation, derived: θ* = −H⁻¹ ∇f(0)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from grader.compare import same
from grader.decode import ProblemError
from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.definition import build, build_domain, make_vocabulary, size_names
from grader.kinds.plan import Aim, Context, Item, Plan, Sizes, Task, Truth
from grader.notation import Vocabulary
from grader.notation.vocabulary import canonical
from reference import expression as E
from reference.derivation import Derivation, Step
from reference.modes import gradient, jacobian
from reference.simplify import simplify

ITEMS = ("minimiser",)
SIZES = (2, 3, 4, 5)
WANTED = 2  # choices of sizes


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    f: a number, quadratic in `wrt`; symbols, definitions, where: as for a derivative.
    """

    f: str
    symbols: dict[str, str]
    wrt: str
    definitions: dict[str, str] = field(default_factory=dict)
    where: tuple[str, ...] = ()


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """One item.  Sizes are chosen such that there is one minimiser."""
    vocabulary = make_vocabulary(task, context, spec.symbols, spec.definitions)
    wrt = canonical(spec.wrt)
    if wrt not in vocabulary.declared:
        raise task.refuse(f"`{spec.wrt}` is not declared", "wrt")
    worked = _at_good_sizes(spec, task, vocabulary, wrt)
    claims = tuple(claim for _, claim in worked)
    confirm(claims, task)
    points = task.share({"minimiser": 1})
    item = Item(
        id=task.item_id("minimiser", points),
        form="expression",
        points=points["minimiser"],
        asks=f"the minimiser {spec.wrt}",
        step="minimiser",
        targets=(Aim(wrt), Aim(f"{wrt}^*"), Aim(f"{wrt}hat")),
        labels=("minimiser", "minimizer", "solution"),
        policy=task.policy,
        bonus=task.bonus,
        main=True,
    )
    return Plan((item,), tuple(truth for truth, _ in worked), vocabulary, ("matrix",), certify=certifier(claims))


def _at_good_sizes(spec: Spec, task: Task, vocabulary: Vocabulary, wrt: str) -> list[tuple[Truth, Claim]]:
    names = size_names(vocabulary)
    found: list[tuple[Truth, Claim]] = []
    reason = "the function has no unique minimiser, or is not quadratic"
    for draw in itertools.permutations(SIZES, len(names)):
        sizes = dict(zip(names, draw, strict=True))
        try:
            worked = _work_out(spec, task, vocabulary, wrt, sizes)
        except ProblemError as trouble:
            raise trouble from None
        if worked is not None:
            found.append(worked)
        if len(found) == WANTED or not names:
            break
    if not found:
        raise task.refuse(reason, "f", "is it quadratic in the variable, with more data than unknowns?")
    return found


def _work_out(spec: Spec, task: Task, vocabulary: Vocabulary, wrt: str, sizes: Sizes) -> tuple[Truth, Claim] | None:
    """The minimiser at these sizes; None where it is not unique."""
    f = build(spec.f, vocabulary, sizes, task, "f")
    shape = tuple(sizes[s] if isinstance(s, str) else s for s in vocabulary.declared[wrt].shape)
    theta = E.symbol(vocabulary.spelled[wrt], shape)
    if f.shape != () or len(shape) != 1:
        raise task.refuse("f is to be a number and the variable a vector", "f")
    slope = gradient(f, theta)
    zero = {theta: E.zeros(shape)}
    hessian, at_zero = simplify((E.substitute(jacobian(slope, theta), zero), E.substitute(slope, zero)))
    solution = E.inv(hessian) @ (-at_zero)
    domain = build_domain(vocabulary, sizes, spec.where, task)
    remaining = E.substitute(slope, {theta: solution})
    if same(E.zeros(shape), remaining, domain).verdict != "yes":
        return None
    claim: Claim = ("the gradient", f, theta, slope, domain)
    return Truth(sizes, Derivation((Step("minimiser", solution),)), domain), claim
