"""Line by line: does each link of a chain of equalities hold, with what is known by then?

Adjacent members are compared.  Numbers are exact, but a decimal may be its neighbour rounded to the digits shown.  A
name nobody gave a meaning makes a link "unknown", never "no".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from grader.compare.ledger import DERIVATIVE, Ledger, Meaning, Statement
from grader.compare.rounding import is_rounding, misses_its_digits, relative_gap, within_slack
from grader.compare.sameness import same
from grader.notation.syntax import Syntax

Holds = Literal["yes", "no", "unknown"]
MAX_TERMS = 400  # links of one statement


@dataclass(frozen=True, slots=True)
class Link:
    """One equality sign.  `line` counts from 0 within the text; `start`, `end` are both sides' place in it.

    `slip` numbers the slips: two false links around one bad member, the members outside of which agree, are one.
    """

    line: int
    left: str
    right: str
    holds: Holds
    why: str
    start: int
    end: int
    slip: int | None = None


@dataclass(frozen=True, slots=True)
class _Term:
    """A member, or one cell of it."""

    text: str
    start: int
    end: int
    meaning: Meaning
    sign: str = "="  # what stands before it


def check(statement: Statement, ledger: Ledger, text: str) -> tuple[Link, ...]:
    """The links of one statement, in the order they were written; cells of arrays are judged one by one."""
    links: list[Link] = []
    for sequence in _sequences(statement, ledger, text):
        judged = [_judge(a, b, ledger, text) for a, b in pairwise(sequence[:MAX_TERMS])]
        links += _mark_slips(judged, sequence, ledger)
    return tuple(sorted(links, key=lambda link: (link.start, link.end)))


def number_slips(groups: Iterable[Sequence[Link]]) -> tuple[Link, ...]:
    """The links of several statements with their slips numbered through from 1."""
    count = 0
    result: list[Link] = []
    for links in groups:
        renamed: dict[int, int] = {}
        for link in links:
            if link.slip is None:
                result.append(link)
                continue
            if link.slip not in renamed:
                count += 1
                renamed[link.slip] = count
            result.append(replace(link, slip=renamed[link.slip]))
    return tuple(result)


def _sequences(statement: Statement, ledger: Ledger, text: str) -> Iterator[list[_Term]]:
    """Members to be compared in turn: the chain itself, or one chain for every cell where cells hold chains."""
    members = statement.members
    if not any(_has_chains(m) for m in members):
        yield [_term(m, ledger, text, sign) for m, sign in zip(members, statement.signs, strict=True)]
        return
    width = max(len(_cells(m)) for m in members if m.kind in ARRAYS)
    for place in range(width):
        sequence: list[_Term] = []
        for member, sign in zip(members, statement.signs, strict=True):
            sequence += _cell_terms(member, place, width, ledger, text, sign)
        if len(sequence) > 1:
            yield sequence


ARRAYS = ("grid", "tuple", "list")


def _cells(member: Syntax) -> tuple[Syntax, ...]:
    return member.args if member.kind in ARRAYS else ()


def _has_chains(member: Syntax) -> bool:
    return any(cell.kind == "chain" for cell in _cells(member))


def _cell_terms(member: Syntax, place: int, width: int, ledger: Ledger, text: str, sign: str) -> Iterator[_Term]:
    cells = _cells(member)
    if len(cells) == width:
        cell = cells[place]
        parts = cell.args if cell.kind == "chain" else (cell,)
        for number, part in enumerate(parts):
            inner = cell.data[number - 1] if number and len(cell.data) >= number else "="
            yield _term(part, ledger, text, inner if number else sign)
        return
    whole = _term(member, ledger, text, sign)
    yield replace(whole, meaning=whole.meaning.entry(place))


def _term(member: Syntax, ledger: Ledger, text: str, sign: str) -> _Term:
    start, end = whole_brackets(text, member.start, member.end)
    return _Term(text[start:end], start, end, ledger.meaning(member), sign)


NEARLY = 0.1  # relative difference beyond which nothing is "about equal"
SLIGHTLY = 0.01  # … beyond which a number shown with three digits or more is not
OPENING, CLOSING = "([{", ")]}"
CLOSER = re.compile(r"\s*(?:\\(?:right|big[lr]?|Big[lr]?)\s*)?\\?[)\]}]")
OPENER = re.compile(r"(?:\\(?:left|big[lr]?|Big[lr]?)\s*)?\\?[(\[{]\s*$")


def whole_brackets(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch widened to the brackets it cuts through, with `\\left` and `\\right` before them."""
    depth = lowest = 0
    for char in text[start:end]:
        depth += (char in OPENING) - (char in CLOSING)
        lowest = min(lowest, depth)
    missing_right, missing_left = depth - lowest, -lowest
    while missing_right and end < len(text):
        rest = CLOSER.match(text, end)
        if rest is None:
            break
        end, missing_right = rest.end(), missing_right - 1
    while missing_left and start > 0:
        before = OPENER.search(text[max(0, start - 20) : start])
        if before is None:
            break
        start, missing_left = start - len(before.group()), missing_left - 1
    return start, end


def _judge(left: _Term, right: _Term, ledger: Ledger, text: str) -> Link:
    holds, why = _verdict(left, right, ledger)
    line = text.count("\n", 0, right.start)
    start, end = min(left.start, right.start), max(left.end, right.end)
    return Link(line, left.text, right.text, holds, why, start, end)


def _verdict(left: _Term, right: _Term, ledger: Ledger) -> tuple[Holds, str]:
    for term in (left, right):
        if not term.meaning.readings:
            return "unknown", term.meaning.trouble or "this could not be read"
    rounded = False
    unsure = ""
    found = None
    for a in left.meaning.readings:
        for b in right.meaning.readings:
            found = same(a, b, ledger.domain(left.meaning, right.meaning))
            if found.verdict in ("yes", "partly"):
                return "yes", "exactly equal" if found.verdict == "yes" else "equal wherever both are defined"
            turned = same(b, a, ledger.domain(left.meaning, right.meaning)) if found.verdict == "unknown" else found
            if turned.verdict in ("yes", "partly"):
                return "yes", "equal wherever both are defined"
            if is_rounding(a, b, left.meaning.syntax, right.meaning.syntax, right.sign):
                rounded = True
            if found.verdict == "unknown" or found.how in ("shape", "layout"):
                unsure = found.message or "this could not be decided"
    if rounded:
        return "yes", "equal to the digits shown"
    free = sorted({*left.meaning.unknowns, *right.meaning.unknowns})
    if free:
        return "unknown", f"nothing is known of {', '.join(free)}"
    if unsure or found is None:
        return "unknown", unsure or "this could not be decided"
    if left.meaning.stale or right.meaning.stale:
        return _verdict_with_earlier_values(left, right, ledger)
    slack = left.meaning.slack + right.meaning.slack
    if slack and within_slack(left.meaning.readings[0], right.meaning.readings[0], slack, right.meaning.syntax):
        return "yes", "equal to the digits of the rounded values in it"
    if _sets_to_a_number(left.meaning, right.meaning):
        return "unknown", "an equation to be solved, not an identity"
    if right.sign == "≈" and not _far_apart(left.meaning, right.meaning):
        return "unknown", "only nearly equal"
    if found.witness is not None:
        values = f"the left side is {found.witness.truth}, the right side {found.witness.answer}"
        if found.witness.entry:
            values = f"in entry {', '.join(map(str, found.witness.entry))} {values}"
        if found.witness.point:
            values += " at " + ", ".join(f"{n} = {v}" for n, v in found.witness.point)
        return "no", values
    return "no", found.message or "the two sides differ"


def _verdict_with_earlier_values(left: _Term, right: _Term, ledger: Ledger) -> tuple[Holds, str]:
    """A name from an earlier part may mean what it meant in any of them; it never makes a link false."""
    for earlier in ledger.earlier():
        terms = [replace(t, meaning=earlier.meaning(t.meaning.syntax)) for t in (left, right)]
        if all(t.meaning.readings for t in terms) and _verdict(terms[0], terms[1], earlier)[0] == "yes":
            return "yes", "equal with the values of an earlier part"
    names = ", ".join(sorted(n.replace(DERIVATIVE, " by ") for n in left.meaning.stale | right.meaning.stale))
    return "unknown", f"in this part nothing is said of {names}"


def _sets_to_a_number(left: Meaning, right: Meaning) -> bool:
    """`2x - 4 = 0`: one side has variables, the other is a number."""
    return bool(left.variables) != bool(right.variables)


def _far_apart(left: Meaning, right: Meaning) -> bool:
    gap = relative_gap(left.readings[0], right.readings[0])
    if gap is None:
        return False
    return gap > NEARLY or (gap > SLIGHTLY and misses_its_digits(left.readings[0], right.readings[0], right.syntax))


def _mark_slips(links: Sequence[Link], terms: Sequence[_Term], ledger: Ledger) -> Iterator[Link]:
    """Give false links their slip: neighbours around one bad member share it where the members outside agree."""
    slip = 0
    number = 0
    while number < len(links):
        link = links[number]
        if link.holds != "no":
            yield link
            number += 1
            continue
        slip += 1
        yield replace(link, slip=slip)
        number += 1
        if number < len(links) and links[number].holds == "no":
            outer, _ = _verdict(terms[number - 1], terms[number + 1], ledger)
            if outer == "yes":
                yield replace(links[number], slip=slip)
                number += 1
