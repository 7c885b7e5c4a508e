"""Computation graphs: a decomposition into single operations, the graph drawn in text, local partials per node.

All three are marked on the student's own graph: any names, any order of commuting operands, any decomposition that
computes the same function.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from grader.compare import Condition, Domain
from grader.kinds.decomposition import count_operations, flatten
from grader.kinds.definition import build, build_domain, make_vocabulary
from grader.kinds.graph_drawing import judge_drawing
from grader.kinds.graph_judges import judge_decomposition
from grader.kinds.graph_setting import GraphSetting
from grader.kinds.partials_judge import judge_partials
from grader.kinds.plan import Context, Item, Plan, Task
from grader.notation.vocabulary import canonical
from reference.expression import Expr, symbols

ITEMS = ("graph",)


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    f: the function; ask: what is to be handed in; own: the question in which the student's own decomposition stands
    (drawing and partials follow it); wrt: the inputs whose gradient is wanted (default: all); nary: does a sum of many
    terms count as one operation?  name: what the function is called (default: the part's id).
    """

    f: str
    symbols: dict[str, str]
    ask: Literal["decomposition", "drawing", "partials"] = "decomposition"
    own: str = ""
    wrt: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    nary: bool = False
    name: str = ""
    definitions: dict[str, str] = field(default_factory=dict)


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """One item, of form "assignments", "graph" or "table"."""
    name = spec.name or task.part or "f"
    vocabulary = make_vocabulary(task, context, spec.symbols, spec.definitions)
    f = build(spec.f, vocabulary, {}, task, "f")
    if f.shape != ():
        raise task.refuse("a computation graph is asked of a function with one number as its value", "f")
    domain = build_domain(vocabulary, {}, spec.where, task)
    setting = GraphSetting(
        name=name,
        vocabulary=vocabulary,
        truth=flatten(f),
        minimum=count_operations([flatten(f)]),
        wrt=_wanted(spec, task, flatten(f)),
        domain=_flat_domain(domain, flatten(f)),
        nary=spec.nary,
        own=f"{spec.own}.{task.part}" if spec.own and task.part else spec.own,
    )
    judges = {"decomposition": judge_decomposition, "drawing": judge_drawing, "partials": judge_partials}
    forms: dict[str, Literal["assignments", "graph", "table"]] = {
        "decomposition": "assignments",
        "drawing": "graph",
        "partials": "table",
    }
    asks = {
        "decomposition": f"a decomposition of {name} into single operations with reuse",
        "drawing": f"the computation graph of {name}",
        "partials": f"for each node of the graph of {name}, the products and sums of partial derivatives",
    }
    points = task.share({"graph": 1})
    item = Item(
        id=task.item_id("graph", points),
        form=forms[spec.ask],
        points=points["graph"],
        asks=asks[spec.ask],
        policy=task.policy,
        judge=judges[spec.ask](setting),
        bonus=task.bonus,
        main=True,
        key=setting.model_answer(spec.ask),
    )
    return Plan((item,), vocabulary=vocabulary)


def _wanted(spec: Spec, task: Task, f: Expr) -> tuple[str, ...]:
    inputs = [one.name for one in symbols([f])]
    if not spec.wrt:
        return tuple(inputs)
    wanted = []
    for name in spec.wrt:
        flat = canonical(name).replace("_", "")
        if flat not in inputs:
            raise task.refuse(f"`{name}` is no input of the function", "wrt", f"inputs: {', '.join(inputs)}")
        wanted.append(flat)
    return tuple(wanted)


def _flat_domain(domain: Domain, f: Expr) -> Domain:
    """The domain over the flat inputs: entries of vectors are numbers of their own."""
    flat = {}
    for name, declaration in domain.symbols.items():
        clean = name.replace("_", "")
        if declaration.shape:
            for i in range(int(declaration.shape[0])):
                flat[f"{clean}{i + 1}"] = replace(declaration, shape=())
        else:
            flat[clean] = declaration
    used = {one.name for one in symbols([f])}
    conditions = tuple(Condition(flatten(one.expr), one.relation) for one in domain.where)
    return Domain({k: v for k, v in flat.items() if k in used or conditions}, conditions)
