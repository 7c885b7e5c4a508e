"""Which part of a question a fragment belongs to: by its label, by the function its formula names, by position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from grader.matching.splitting import split_statements
from grader.model import Answer, Fragment

MAX_HEAD = 60


def split_parts(question: str, parts: Sequence[str], answers: Sequence[Answer]) -> list[list[tuple[str, Fragment]]]:
    """For each part, its fragments with their item hints ("" where none).

    A fragment says its part by its item or label ("A", "f1.gradient"), a line of text by naming it ("Equation A:"), a
    formula by its left side; what says nothing belongs where the fragment before it does.  Where nothing at all says
    anything, displayed formulas are dealt out in order if there are as many as parts.
    """
    everything = [(answer.item, fragment) for answer in answers for fragment in answer.fragments]
    everything.sort(key=lambda one: _reading_order(one[1]))
    if len(parts) > 1:
        everything = [(hint, one) for hint, fragment in everything for one in _by_statement(fragment, parts)]
    if len(parts) == 1:
        return [[(_full(question, hint), fragment) for hint, fragment in everything]]
    found: list[list[tuple[str, Fragment]]] = [[] for _ in parts]
    marks = [_part_of(question, parts, hint, fragment) for hint, fragment in everything]
    if all(mark is None for mark in marks):
        marks = _dealt_out(parts, [fragment for _, fragment in everything])
    current: int | None = None
    waiting: list[tuple[str, Fragment]] = []
    for (hint, fragment), mark in zip(everything, marks, strict=True):
        current = mark if mark is not None else current
        if fragment.kind == "image" and not hint:  # a photograph may show any of the parts
            for pool in found:
                pool.append(("", fragment))
        elif current is None:
            waiting.append((hint, fragment))
        else:
            found[current].append((_full(question, hint), fragment))
    if waiting:  # before anything was named: every part may look at it
        for pool in found:
            pool[:0] = [(_full(question, hint), fragment) for hint, fragment in waiting]
    return found


def _by_statement(fragment: Fragment, parts: Sequence[str]) -> list[Fragment]:
    """A formula that speaks of several parts (`f_1 = …, f_2 = …` in one display), cut into its statements."""
    if fragment.kind != "formula":
        return [fragment]
    pieces = split_statements(fragment.text, fragment.notation == "latex")
    named = {_part_named(piece.text, parts) for piece in pieces} - {None}
    if len(named) < 2:
        return [fragment]
    return [replace(fragment, text=piece.text) for piece in pieces]


def _part_named(text: str, parts: Sequence[str]) -> int | None:
    named = [i for i, part in enumerate(parts) if _mentions(text, part)]
    return named[0] if len(named) == 1 else None


def _reading_order(fragment: Fragment) -> tuple[str, int, int, int]:
    where = fragment.where
    return (where.file, where.cell or 0, where.line, where.column)


def _full(question: str, hint: str) -> str:
    return hint if not hint or hint == question or hint.startswith(question + ".") else f"{question}.{hint}"


def _part_of(question: str, parts: Sequence[str], hint: str, fragment: Fragment) -> int | None:
    if hint:
        rest = _full(question, hint)[len(question) + 1 :].split(".")
        if rest and rest[0] in parts:
            return parts.index(rest[0])
    head = fragment.label.split(".")[0]
    if head in parts:
        return parts.index(head)
    if fragment.kind == "text":
        named = [i for i, part in enumerate(parts) if _names(fragment.text[:MAX_HEAD], part)]
        short = len(fragment.text) <= MAX_HEAD
        return named[0] if len(named) == 1 and short else None
    if fragment.kind in ("formula", "graph"):
        return _part_named(fragment.text, parts)
    return None


def _names(text: str, part: str) -> bool:
    return bool(re.search(rf"(?<![A-Za-z0-9_]){re.escape(part)}(?![A-Za-z0-9_])", text))


def _mentions(text: str, part: str) -> bool:
    r"""Does a formula name the part's function: `f_1`, `f_{1}`, `\partial A`, `digraph A`?"""
    base, digits = re.fullmatch(r"(.*?)(\d*)", part).groups()  # type: ignore[union-attr]
    if digits:
        name = rf"{re.escape(base)}\s*_?\s*\{{?\s*{digits}\s*\}}?"
        return bool(re.search(rf"(?<![A-Za-z\\]){name}(?![0-9])", text))
    return bool(re.search(rf"\\partial\s*\{{?\s*{part}\b|\bd{part}/d|^\s*{part}\s*=|digraph\s+{part}\b|∂{part}", text))


def _dealt_out(parts: Sequence[str], fragments: Sequence[Fragment]) -> list[int | None]:
    """Displayed formulas or graphs in order, one part each, if their number fits."""
    shown = [
        i
        for i, f in enumerate(fragments)
        if f.kind in ("formula", "graph", "image") and (f.display or f.kind != "formula")
    ]
    if len(shown) != len(parts):
        shown = [i for i, f in enumerate(fragments) if f.kind in ("formula", "graph", "image")]
    if len(shown) != len(parts):
        return [0 if i == 0 else None for i in range(len(fragments))]
    return [shown.index(i) if i in shown else None for i in range(len(fragments))]
