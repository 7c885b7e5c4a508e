"""Lines that say more than one thing: "a) … b) … c) …", and lists that count questions without naming them."""

from __future__ import annotations

import re
from dataclasses import replace

from grader.reading.labels import Labels, named, pieces, plain
from grader.reading.pieces import Line, Run

_FIRST = re.compile(r"\s*(?P<number>\d{0,2})[ .]?(?P<open>\(?)(?P<letter>[a-z])\)")
_COUNT = re.compile(r"\(?(\d{1,2})[.)]")
_BETWEEN = r"[\s.;,]{0,6}(?:(?:and|und|et|y|e)\s+)?"


def one_label_a_line(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines, those taken apart that hold several labels in a row: "a) $x$ b) $y$" becomes two."""
    return tuple(part for line in lines for part in _taken_apart(line))


def _taken_apart(line: Line) -> list[Line]:
    marker = _FIRST.match(line.marker)
    first = marker or (_FIRST.match(line.runs[0].text) if line.runs and line.runs[0].kind == "text" else None)
    if first is None or line.heading:
        return [line]
    number, letter, enclosed = first.group("number"), first.group("letter"), bool(first.group("open"))
    found: list[list[Run]] = [[]]
    for at, run in enumerate(line.runs):
        skip = first.end() if at == 0 and marker is None else 0
        while run.kind == "text" and (hit := _next(number, letter, enclosed).search(run.text, skip)):
            if not hit.group("lead").strip() and hit.start("lead") == 0 and not found[-1] and at == 0:
                break
            before = run.text[: hit.start()].rstrip()
            if before:
                found[-1].append(replace(run, text=before))
            place = replace(run.where, column=run.where.column + hit.start("label"))
            run = replace(run, text=run.text[hit.start("label") :], where=place)
            found.append([])
            letter, skip = chr(ord(letter) + 1), hit.end("label") - hit.start("label")
        found[-1].append(run)
    if len(found) == 1 or not all(found) or any(len(runs) == 1 and _is_bare(runs[0]) for runs in found):
        return [line]
    rest = [replace(line, runs=tuple(runs), where=runs[0].where, marker="") for runs in found[1:]]
    return [replace(line, runs=tuple(found[0])), *rest]


def _is_bare(run: Run) -> bool:
    """Nothing but a label: "(a) (b)" is an enumeration of names, not of answers."""
    label = _FIRST.match(run.text) if run.kind == "text" else None
    return label is not None and not run.text[label.end() :].strip(" .,;:")


def _next(number: str, letter: str, enclosed: bool) -> re.Pattern[str]:
    """The label that comes after `letter`, written as that one was, at a word's start."""
    opening = r"\(" if enclosed else ""
    behind = chr(ord(letter) + 1) if letter < "z" else "(?!)"
    return re.compile(
        rf"(?:^|(?<=[\s.;,]))(?P<lead>{_BETWEEN})(?P<label>{number}[ .]?{opening}{behind}\)[:.]?)(?=\s|$)"
    )


def counted_questions(lines: tuple[Line, ...], labels: Labels) -> tuple[Line, ...]:
    """The lines, with labels where a part's list or headings count its questions without naming them.

    Only where there are exactly as many as the part has questions, numbered 1, 2, 3 …: with one more or less nobody
    knows which is which.
    """
    found = list(lines)
    for part, (start, end) in _parts(lines, labels).items():
        questions = [name for name in labels.questions if pieces(name)[: len(part)] == part and pieces(name) != part]
        inside = range(start + 1, end)
        if len(questions) < 2 or any(_names_a_question(lines[at], labels, part) for at in inside):
            continue
        for children in (_numbered(lines, inside), _headed(lines, inside, lines[start].heading)):
            if len(children) == len(questions):
                for at, name in zip(children, questions, strict=True):
                    found[at] = _labelled(found[at], name)
                break
    return tuple(found)


def _parts(lines: tuple[Line, ...], labels: Labels) -> dict[tuple[str, ...], tuple[int, int]]:
    """(line that names it, first line behind it) of every part that is named once, by a heading or in bold."""
    titles = {plain(title): pieces(name) for name, title in labels.parts.items() if title}
    opened: list[tuple[tuple[str, ...], int]] = []
    for at, line in enumerate(lines):
        strong = bool(line.heading) or line.bold
        hit = named(line.text, labels, (), strong) if strong else None
        if hit is not None and hit.what == "part":
            opened.append((pieces(hit.name), at))
        elif strong and plain(line.text) in titles:
            opened.append((titles[plain(line.text)], at))
    names = [name for name, _ in opened]
    ends = [at for _, at in opened[1:]] + [len(lines)] * bool(opened)
    return {name: (at, end) for (name, at), end in zip(opened, ends, strict=True) if names.count(name) == 1}


def _names_a_question(line: Line, labels: Labels, part: tuple[str, ...]) -> bool:
    text = f"{line.marker} {line.text}" if line.marker else line.text
    hit = named(text, labels, part, bool(line.heading) or line.bold)
    return hit is not None and (hit.what == "question" or (hit.what == "part" and not hit.bare_number))


def _numbered(lines: tuple[Line, ...], inside: range) -> list[int]:
    """The items of the outermost list that counts 1, 2, 3 …; none where it counts otherwise."""
    items = [at for at in inside if _COUNT.fullmatch(lines[at].marker)]
    depth = min((lines[at].depth for at in items), default=0)
    items = [at for at in items if lines[at].depth == depth]
    counts = [int(match.group(1)) for at in items if (match := _COUNT.fullmatch(lines[at].marker))]
    return items if counts == list(range(1, len(items) + 1)) else []


def _headed(lines: tuple[Line, ...], inside: range, level: int) -> list[int]:
    """The headings just below the part's own."""
    below = [at for at in inside if lines[at].heading > level > 0]
    highest = min((lines[at].heading for at in below), default=0)
    return [at for at in below if lines[at].heading == highest]


def _labelled(line: Line, name: str) -> Line:
    label = Run("text", f"{name}:", line.where, "plain")
    if line.heading:
        return replace(line, runs=(label, *line.runs))
    runs = line.runs
    if runs and runs[0].kind == "text":
        label = replace(label, text=f"{name}: {runs[0].text}", where=runs[0].where)
        runs = runs[1:]
    return replace(line, runs=(label, *runs), marker="")
