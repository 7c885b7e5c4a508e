"""Marks of a decomposition into single operations, on the student's own names."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from grader.kinds.decomposition import Decomposition, Trouble
from grader.kinds.graph_setting import GraphSetting
from grader.kinds.plan import Item, Seen
from grader.kinds.verdicts import blank, right, undecided, unreadable, wrong
from grader.model import Evidence, Finding
from reference import printing

Judge = Callable[[Item, Seen], Finding]


def judge_decomposition(setting: GraphSetting) -> Judge:
    """Same function, one operation per assignment, reuse counted against the minimum."""

    def judge(item: Item, seen: Seen) -> Finding:
        found = setting.read(seen.fragments)
        if found is None:
            return nothing_found(item, seen)
        where = next((one.where for one in found.assignments), None)
        more: dict[str, Any] = {"read_as": listing(found), "where": where, "evidence": drawing_of(found)}
        bad = [trouble for trouble in found.troubles if trouble.unreadable]
        if bad:
            return unreadable(item, f"{bad[0].message} ({bad[0].text})", **{**more, "where": bad[0].where})
        trouble = first_trouble(setting, found)
        if trouble is not None:
            return wrong(item, trouble.note, trouble.message, **more)
        value = found.expand()
        sameness = "no" if value is None else setting.computes_the_function(value)
        if sameness == "unknown":
            return undecided(item, "unknown", "It could not be decided whether this computes the function.", **more)
        if sameness == "no":
            return wrong(item, "graph.different_function", which_function(setting, found), **more)
        return _judge_operations(item, setting, found, more)

    return judge


def _judge_operations(item: Item, setting: GraphSetting, found: Decomposition, more: dict[str, Any]) -> Finding:
    """Credit by the share of single operations, times minimum over operations where something is computed twice."""
    counts = {one.name: setting.operations(one.value) for one in found.assignments}
    many = [name for name, count in counts.items() if count > 1]
    used = _reachable(found)
    idle = [name for name, count in counts.items() if name not in used or count == 0]
    total = sum(counts[name] for name in counts if name in used)
    share = Fraction(len(counts) - len(many), len(counts))
    if many:
        message = f"More than one operation in {', '.join(many)}: each assignment is to have exactly one."
        return wrong(item, "graph.several_operations", message, share, **more)
    if total > setting.minimum:
        message = (
            f"This takes {total} operations; {setting.minimum} are enough when every intermediate is used again "
            "wherever it can be."
        )
        return wrong(item, "graph.reuse_missing", message, Fraction(setting.minimum, total), **more)
    if idle:
        return right(item, "graph.idle", f"Right; {', '.join(idle)} is not needed.", **more)
    return right(item, **more)


def _reachable(found: Decomposition) -> set[str]:
    """Names the result rests on, the result among them."""
    wanted = {found.result}
    for one in reversed(found.assignments):
        if one.name in wanted:
            wanted.update(one.uses)
    return wanted


def first_trouble(setting: GraphSetting, found: Decomposition) -> Trouble | None:
    for trouble in found.troubles:
        if trouble.note != "graph.assigned_twice":
            return trouble
    known = set(found.by_name) | set(setting.domain.symbols)
    for one in found.assignments:
        strange = [use for use in one.uses if use not in known]
        if strange:
            message = f"{one.name} uses {strange[0]}, which is neither an input nor assigned."
            return Trouble("graph.undefined", message, one.text, one.where)
    return None


def which_function(setting: GraphSetting, found: Decomposition) -> str:
    return f"Put together, the assignments do not compute {setting.name} (their result is {found.result})."


_ELSEWHERE = re.compile(
    r"\b(?:see|siehe|attached|appendix|paper|scan|photo|picture|sketch|drawing|drawn|above|below|oben|unten|anhang)\b",
    re.IGNORECASE,
)


def listing(found: Decomposition) -> str:
    return "; ".join(f"{one.name} = {printing.plain(one.value)}" for one in found.assignments)


def drawing_of(found: Decomposition) -> tuple[Evidence, ...]:
    """The graph as the reports draw it."""
    nodes = [("node", name) for name in sorted({u for one in found.assignments for u in one.uses} - set(found.by_name))]
    nodes += [("node", f"{one.name} = {printing.plain(one.value)}") for one in found.assignments]
    edges = [("edge", f"{use} -> {one.name}") for one in found.assignments for use in one.uses]
    return (Evidence("graph", "The graph as it was understood.", data=tuple(nodes + edges)),)


def nothing_found(item: Item, seen: Seen) -> Finding:
    """No assignment was found: a picture or a text goes to a person, nothing at all is blank."""
    pictures = [f for f in seen.fragments if f.kind == "image"]
    if pictures:
        return undecided(item, "picture", "There is a picture here; a person reads it.", where=pictures[0].where)
    written = [f for f in seen.fragments if f.kind != "text" or len(f.text.split()) > 3 or _ELSEWHERE.search(f.text)]
    if written:
        message = "No assignments such as `t1 = c^2` can be read here."
        return unreadable(item, message, read_as=written[0].text[:500], where=written[0].where)
    return blank(item)
