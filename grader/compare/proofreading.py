"""A worked solution checked line by line, with or without the problem it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.compare.chains import Link, check, number_slips
from grader.compare.ledger import Ledger, Statement
from grader.model import Fragment, Place
from grader.notation.reading import Reading, read_all

Key = tuple[int, int, int | None]  # line, column, cell of a formula


@dataclass(frozen=True, slots=True)
class Judged:
    """A link with its place in the document and the formula it stands in."""

    link: Link
    where: Place
    text: str


def proofread(
    fragments: Sequence[Fragment],
    parts: Sequence[int] = (),
    questions: Mapping[Key, str] | None = None,
    ledgers: Mapping[str, tuple[Ledger, ...]] | None = None,
) -> tuple[Judged, ...]:
    """Every link of every chain, in the order of the document.

    `parts` numbers the part of the document each formula stands in.  `questions` says which question a formula belongs
    to, `ledgers` what is known there from the problem (several where a question has several parts).  What the problem
    says never makes a link worse that holds without it.
    """
    numbers = list(parts) or [0] * len(fragments)
    bare = _judge_all(fragments, numbers, Ledger())
    if not questions or not ledgers:
        return _numbered(bare)
    best = list(bare)
    for question in sorted(set(questions.values())):
        places = [n for n, f in enumerate(fragments) if questions.get(key_of(f.where)) == question]
        own, inside = [fragments[n] for n in places], [numbers[n] for n in places]
        for ledger in ledgers.get(question, ()):
            for place, links in zip(places, _judge_all(own, inside, ledger), strict=True):
                best[place] = _better(best[place], links)
    return _numbered(best)


def key_of(where: Place) -> Key:
    return where.line, where.column, where.cell


def _judge_all(fragments: Sequence[Fragment], parts: Sequence[int], ledger: Ledger) -> list[list[Judged]]:
    found: list[list[Judged]] = []
    before = parts[0] if parts else 0
    for fragment, part in zip(fragments, parts, strict=True):
        if part != before:
            ledger, before = ledger.next_part(), part
        links, ledger = _judge_fragment(fragment, ledger)
        found.append([Judged(link, _moved(fragment.where, link), fragment.text) for link in links])
    return found


def _judge_fragment(fragment: Fragment, ledger: Ledger) -> tuple[list[Link], Ledger]:
    links: list[Link] = []
    groups: list[Sequence[Link]] = []
    for reading in read_all(fragment.text, fragment.notation, ledger.names):
        if isinstance(reading, Reading):
            statement = Statement.of(reading, fragment.text)
            inside = ledger.binding(reading)
            groups.append(check(statement, inside, fragment.text))
            ledger = ledger.after(statement, inside)
    links.extend(number_slips(groups))
    return links, ledger


def _moved(where: Place, link: Link) -> Place:
    return replace(where, line=where.line + link.line)


def _better(old: list[Judged], new: list[Judged]) -> list[Judged]:
    """The same links, each with the surer of two verdicts; "yes" before "no" before "unknown"."""
    order = ("yes", "no", "unknown")
    known = {(j.link.start, j.link.end): j for j in new}
    result = [
        min((j, known.pop((j.link.start, j.link.end), j)), key=lambda one: order.index(one.link.holds)) for j in old
    ]
    return sorted([*result, *known.values()], key=lambda j: (j.link.start, j.link.end))


def _numbered(groups: Sequence[Sequence[Judged]]) -> tuple[Judged, ...]:
    """All links, their slips numbered through the document."""
    return tuple(_renumber(groups))


def _renumber(groups: Sequence[Sequence[Judged]]) -> Iterator[Judged]:
    count = 0
    for group in groups:
        local: dict[int, int] = {}
        for judged in group:
            slip = judged.link.slip
            if slip is None:
                yield judged
                continue
            if slip not in local:
                count += 1
                local[slip] = count
            yield replace(judged, link=replace(judged.link, slip=local[slip]))
