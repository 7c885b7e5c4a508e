"""Fragments that found their question → answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.model import Answer, Fragment
from grader.reading.labels import Labels
from grader.reading.sublabels import ANSWERS, GIVEN


@dataclass(frozen=True, slots=True)
class Placed:
    """A fragment with the question and item it was found under ("" where none)."""

    question: str
    item: str
    fragment: Fragment
    quoted: bool = False


def without_given(placed: list[Placed]) -> list[Placed]:
    """Where a question's text says "Answer:", what stands before it is the question; so are quotations and "Given:".

    Where that would leave nothing of an answer, nothing is taken away from it.
    """
    answered = {p.question for p in placed if _last(p.fragment.label) in ANSWERS}
    own = {p.question for p in placed if not _is_given(p) and p.fragment.kind != "text"}
    seen: set[str] = set()
    found: list[Placed] = []
    for p in placed:
        last = _last(p.fragment.label)
        shorter = p.fragment.label[: len(p.fragment.label) - len(last)].rstrip(".")
        if last in ANSWERS:
            seen.add(p.question)
            found.append(replace(p, fragment=replace(p.fragment, label=shorter)))
        elif (p.question in answered and p.question not in seen) or (_is_given(p) and p.question in own):
            found.append(replace(p, item="", fragment=replace(p.fragment, label="given")))
        elif last in GIVEN:
            found.append(replace(p, fragment=replace(p.fragment, label=shorter)))
        else:
            found.append(p)
    return found


def _is_given(p: Placed) -> bool:
    return p.quoted or _last(p.fragment.label) in GIVEN


def _last(label: str) -> str:
    return label.rsplit(".", 1)[-1]


def answers(placed: tuple[Placed, ...], labels: Labels) -> tuple[Answer, ...]:
    """One answer per question and item that has fragments, in the order of the labels."""
    groups: dict[tuple[str, str], list[Fragment]] = {}
    for p in placed:
        groups.setdefault((p.question, p.item), []).append(p.fragment)
    order = {name: at for at, name in enumerate(labels.questions)}
    items = {name: at for at, name in enumerate(labels.items)}
    keys = sorted(groups, key=lambda key: (order.get(key[0], len(order)), items.get(key[1], -1)))
    return tuple(Answer(q, i, tuple(groups[q, i]), as_text(groups[q, i]), groups[q, i][0].where) for q, i in keys)


def as_text(fragments: list[Fragment]) -> str:
    """What was written, as one text: the same for every format it was written in."""
    shown: list[str] = []
    label = ""
    for fragment in fragments:
        if fragment.label and fragment.label != label:
            shown.append(f"{fragment.label}:")
        label = fragment.label
        if fragment.kind == "formula" and fragment.notation == "latex":
            shown.append(f"$${fragment.text}$$" if fragment.display else f"${fragment.text}$")
        else:
            shown.append(fragment.text)
    return "\n".join(shown)
