"""A text a person reads: nothing is marked here, nothing is lost here."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from grader.kinds.plan import Context, Item, Plan, Task

ITEMS = ("text",)


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.  `asks` says in a few words what the text is to answer; `item` names it."""

    asks: str = ""
    item: str = ""


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """One item of form "prose"."""
    points = task.points if isinstance(task.points, Fraction) else sum(task.points.values(), Fraction(0))
    label = f"{task.id}.{spec.item}" if spec.item else task.id
    return Plan(items=(Item(label, "prose", points, spec.asks or task.title, bonus=task.bonus, main=True),))
