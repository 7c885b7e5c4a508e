"""Lines → answers: which fragments belong to which question and item, and what they are called there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from grader.model import Fragment, Place, Remark
from grader.reading.apart import counted_questions, one_label_a_line
from grader.reading.collecting import Placed, without_given
from grader.reading.labels import Labels, Named, by_title, named, pieces, plain
from grader.reading.naming import Spot, inner_label, leaf, line_label, tail_label
from grader.reading.pieces import Line, Run
from grader.reading.sublabels import GIVEN, extended, names_only
from grader.reading.wording import is_formula, notation_of, split_formula

MAX_SHOWN = 300  # characters of stray text that a remark repeats
MAX_FRAGMENTS = 20_000
ANSWERING = ("formula", "graph")  # kinds of fragments that make a second label a second answer
MIN_PROSE = 5  # words below a part's heading that are worth a remark

_SENTENCE = re.compile(r"[.;,](?=[ \t]+[A-Za-zÄÖÜäöü][^:.;,=\n]{0,40}[:=])")
_GOES_ON = re.compile(r"\s*(?:&\s*)?(?:=|\\Rightarrow|\\approx|⇒|≈)")
_NOISE = re.compile(r"[\s.,;:!()\[\]{}|–—\\-]*")


@dataclass(slots=True)
class _Reader:
    """Where in the document we are."""

    labels: Labels
    numbers: int  # how strongly numbers are set where they are labels
    strength: int  # how strongly any label is
    part: tuple[str, ...] = ()
    question: str = ""
    level: int = 0  # of the heading that opened the question; 0: it was opened by a line
    full: bool = True
    depth: int = 0  # of the line that opened the question
    path: tuple[str, ...] = ()
    label: str = ""
    stray: bool = False  # below a label nobody knows
    placed: list[Placed] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    opened: dict[str, Place] = field(default_factory=dict)
    again: list[tuple[str, Place, int]] = field(default_factory=list)  # labelled once more, from which fragment on
    unknown: list[tuple[Named, Place]] = field(default_factory=list)
    strays: dict[tuple[str, int], list[Run]] = field(default_factory=dict)


def assemble(
    lines: tuple[Line, ...], labels: Labels, start: str = "", labelled: bool = True
) -> tuple[tuple[Placed, ...], tuple[Remark, ...]]:
    """Every fragment of the document with its question and item, in order, and what was noticed.

    `start` is the question that holds until a label says otherwise (from the file's name, say); where lines are not
    `labelled` it holds throughout.
    """
    if labelled:
        lines = counted_questions(one_label_a_line(lines), labels)
    reader = _Reader(labels, _strength(lines, labels, True), _strength(lines, labels, False), question=start)
    for line in lines:
        if labelled:
            _read_line(reader, line)
        else:
            _read_content(reader, line)
    return tuple(without_given(reader.placed)), (*reader.remarks, *_duplicates(reader), *_stray_remarks(reader))


def _strength(lines: tuple[Line, ...], labels: Labels, numbers: bool) -> int:
    """How strongly the document labels its questions (`numbers`: those whose label is a mere number).

    2: by headings or words ("Exercise 2"); 1: in bold; 0: neither.  Where headings do it, "2." counts a list.
    """
    best = 0
    for line in lines:
        hit = named(line.text, labels, (), bool(line.heading) or line.bold)
        if hit and hit.what in ("question", "part") and (hit.bare_number or not numbers):
            best = max(best, 2 if hit.keyword or line.heading else 1 if line.bold else 0)
    return best


def _read_line(reader: _Reader, line: Line) -> None:
    if len(reader.placed) > MAX_FRAGMENTS:
        return
    text = _leading_text(line)
    hit = _question(reader, line, text)
    if hit is not None:
        runs = _after(line, hit.rest)
        runs = _open(reader, line, hit, runs)
        if hit.what != "question" or not runs:
            reader.label = "" if reader.label == "given" else reader.label
            return
        _read_content(reader, replace(line, runs=runs, heading=0, bold=False, marker=""))
        reader.label = "" if reader.label == "given" else reader.label
        return
    if _by_title(reader, line) or (line.heading and _SHEETS.match(text)):
        return
    _read_content(reader, line)


_SHEETS = re.compile(r"\s*(?:exercise sheet|sheet|übungsblatt|assignment|homework)\b", re.I)


def _leading_text(line: Line) -> str:
    """The list's marker and the words (in a heading the formulas too) up to the first formula."""
    marker = line.marker + " " if line.marker and line.marker not in "-*+•" else ""
    if line.runs and line.runs[0].kind == "text":
        return marker + line.runs[0].text
    if line.runs and (line.heading or line.bold):
        return marker + line.text
    if line.runs and line.runs[0].kind == "formula" and re.fullmatch(r"\(?\d{0,2}\(?[a-z]?\)", line.runs[0].text):
        return marker + line.runs[0].text  # "$(a)$", "$1a)$"
    return marker


def _after(line: Line, rest: int) -> tuple[Run, ...]:
    """The line's runs behind the first `rest` characters of its leading text."""
    marker = len(line.marker) + 1 if line.marker and line.marker not in "-*+•" else 0
    skip = rest - marker
    if not line.runs or skip <= 0:
        return line.runs
    first = line.runs[0]
    kept = first.text[skip:]
    return ((_moved(first, skip, kept),) if kept.strip() else ()) + line.runs[1:]


def _moved(run: Run, skip: int, text: str) -> Run:
    lead = len(text) - len(text.lstrip())
    return replace(run, text=text.strip(), where=replace(run.where, column=run.where.column + skip + lead))


def _question(reader: _Reader, line: Line, text: str) -> Named | None:
    """The question or part this line opens, unless where we are makes it a label inside a question."""
    strong = bool(line.heading) or line.bold
    hit = named(text, reader.labels, reader.part, strong)
    if hit is None:
        return None
    if hit.what == "sheet":
        return None
    if hit.keyword and not strong and not _stands_as_label(text, hit, reader.labels, line):
        return None
    if hit.bare_number and not hit.keyword and not line.heading:
        stronger = reader.numbers if hit.what == "question" else reader.strength
        if hit.what == "unknown" or stronger > int(line.bold):
            return None
        if hit.what == "part" and len(line.runs) > 1:
            return None
    inside = bool(reader.question) and reader.full
    deeper = line.heading > reader.level > 0 if line.heading else True
    only_letter = bool(reader.question) and not hit.full and not hit.keyword
    if only_letter and inside and _goes_on(reader, line, hit):
        return hit
    if only_letter and ((inside and deeper) or (not line.heading and _counts_parts(reader, line, hit))):
        return None  # "(a)" below "1f" counts its parts
    if inside and hit.bare_number and not hit.keyword and line.heading and line.heading > reader.level > 0:
        return None
    if inside and not hit.full and hit.keyword and hit.name in reader.opened and deeper:
        return None
    if hit.what == "unknown" and hit.bare_number and not hit.keyword and not _unknown_matters(reader, line):
        return None
    return hit


def _counts_parts(reader: _Reader, line: Line, hit: Named) -> bool:
    """Does a letter count the parts of the question we are in, rather than the questions?"""
    return hit.name in reader.opened or line.depth > reader.depth


def _goes_on(reader: _Reader, line: Line, hit: Named) -> bool:
    """Is "b)" the question after "1) a)", whose number was written once?"""
    names = list(reader.labels.questions)
    follows = names.index(hit.name) == names.index(reader.question) + 1
    return follows and reader.level == 0 and not line.heading and reader.strength == 0 and not reader.label


def _unknown_matters(reader: _Reader, line: Line) -> bool:
    return bool(line.heading) and not reader.question


def _stands_as_label(text: str, hit: Named, labels: Labels, line: Line) -> bool:
    """Is "Exercise 1 …" at a line's start a label, or does a sentence begin so?"""
    before = text[: hit.rest].rstrip()
    rest = text[hit.rest :].strip()
    if not rest or before[-1:] in ":.)]–—-":
        return True
    if hit.what == "question" and plain(rest) == plain(labels.questions[hit.name]):
        return True
    return is_formula(rest) or (len(rest.split()) <= 4 and rest[:1].isupper() and len(line.runs) == 1)


def _open(reader: _Reader, line: Line, hit: Named, runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """Enter the question or part; what of the line's runs is content of it."""
    reader.path, reader.label, reader.stray = (), "", False
    if hit.what == "part":
        reader.part = pieces(hit.name)
        reader.question, reader.level = "", 0
        words = " ".join(run.text for run in runs)
        own = plain(words) == plain(reader.labels.parts.get(hit.name, ""))
        title = None if own else by_title(words, reader.labels)
        if title and pieces(title)[: len(reader.part)] == reader.part:
            _enter(reader, title, line, full=True)
        return ()
    if hit.what == "unknown":
        _open_unknown(reader, line, hit)
        return ()
    _enter(reader, hit.name, line, hit.full)
    for piece in hit.sub:
        head = extended(piece, hit.name, reader.path, reader.labels)
        if head is None:
            reader.label = ".".join(part for part in (reader.label, piece.lower()) if part)
        else:
            reader.path = head
    return _without_title(reader, line, runs)


def _enter(reader: _Reader, name: str, line: Line, full: bool) -> None:
    if name in reader.opened:
        reader.again.append((name, line.where, len(reader.placed)))
    reader.opened.setdefault(name, line.where)
    reader.question, reader.level, reader.full, reader.depth = name, line.heading, full, line.depth
    reader.part = pieces(name)[:-1] or pieces(name)
    reader.path, reader.label = (), ""


def _duplicates(reader: _Reader) -> list[Remark]:
    """Remarks for questions that are answered, not merely labelled, in more than one place."""
    found: list[Remark] = []
    for name, where, start in reader.again:
        answers = [at for at, p in enumerate(reader.placed) if p.question == name and p.fragment.kind in ANSWERING]
        if any(at < start for at in answers) and any(at >= start for at in answers):
            at = reader.opened[name]
            message = f"Question {name} is answered in several places, first at {at.file}:{at.line}; all were read."
            found.append(Remark("duplicate", message, where))
    return found


def _open_unknown(reader: _Reader, line: Line, hit: Named) -> None:
    first = not reader.opened and not reader.placed
    reader.question, reader.level, reader.stray = "", 0, True
    reader.part = ()
    if first and line.where.line <= 3 and not reader.unknown:
        reader.stray = False  # a sheet's own title: "Exercise 5: Manual differentiation"
        reader.unknown.append((hit, line.where))
        return
    reader.unknown.append((hit, line.where))
    hint = reader.labels.suggestion(hit.name)
    message = f'There is no question "{hit.name}" here; what stands below it was not marked.{hint}'
    reader.remarks.append(Remark("unknown_label", message, line.where))


def _without_title(reader: _Reader, line: Line, runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """In a heading, words behind the label are its title; they may name an item ("1f: gradient of f1")."""
    words = " ".join(run.text for run in runs if run.kind in ("text", "formula"))
    if not words.strip():
        return runs if any(run.kind not in ("text", "formula") for run in runs) else ()
    title = reader.labels.questions[reader.question]
    if plain(words) and plain(words) == plain(title):
        return ()
    bold = line.bold and len(runs) == 1 and runs[0].kind == "text" and not is_formula(words)
    if line.heading or (bold and not words.rstrip().endswith((".", "!"))):  # "**7)** Because it is exact." is no title
        if names_only(words, reader.question, (), reader.labels):
            reader.path = extended(words, reader.question, (), reader.labels) or ()
            return ()
        # A formula in a title is the question's as a rule, and the answer where there is no other.
        reader.label = "given"
        return tuple(run for run in runs if run.kind != "text" and (run.kind != "formula" or "=" in run.text))
    if len(runs) == 1 and runs[0].kind == "text" and re.match(r"^[^.]*$", words) and _similar(words, title):
        return ()
    return runs


def _similar(words: str, title: str) -> bool:
    mine, its = set(plain(words).split()), set(plain(title).split())
    return bool(its) and len(mine & its) * 3 >= len(mine | its) * 2


def _by_title(reader: _Reader, line: Line) -> bool:
    """A heading, a bold line or a line by itself may name a question by its title alone."""
    if len(line.runs) != 1 or line.runs[0].kind != "text" or not line.runs[0].text.strip():
        return False
    text = line.runs[0].text.strip().rstrip(":")
    name = by_title(text, reader.labels)
    part = next((key for key, title in reader.labels.parts.items() if title and plain(title) == plain(text)), None)
    exact = plain(text) in reader.labels.by_title
    if part is not None and not exact and (line.heading or line.bold):
        reader.part, reader.question, reader.level, reader.stray = pieces(part), "", 0, False
        return True
    if name is None or name == reader.question:
        return name is not None and bool(line.heading or line.bold)
    if not (line.heading or line.bold) and plain(text) != plain(reader.labels.questions[name]):
        return False
    if not (line.heading or line.bold) and len(plain(text).split()) < 2:
        return False
    _enter(reader, name, line, full=True)
    return True


def _read_content(reader: _Reader, line: Line) -> None:
    if 0 < line.heading <= reader.level:
        reader.path, reader.label = (), ""  # a heading beside the question's own: its items end here
    spot = Spot(reader.question, reader.path, reader.label)
    runs, here, after = line_label(line, spot, reader.labels) if reader.question else (line.runs, spot, spot)
    if runs and all(run.kind == "text" for run in runs) and spot.label in GIVEN and here == spot:
        here = after = replace(after, label="")  # a sentence of the student's own ends what was given
    reader.path, reader.label = after.path, after.label
    pending = [piece for run in runs for piece in _split(run, here, reader.labels)]
    alone = sum(not (run.kind == "text" and _NOISE.fullmatch(run.text)) for run in pending) == 1
    while pending:
        run = pending.pop(0)
        before = here
        if run.kind == "text" and reader.question:
            named_inside = inner_label(run.text, here, reader.labels)
            if named_inside is not None:
                offset, here = named_inside
                rest = _moved(run, offset, run.text[offset:])
                pending = (_split_formula(rest) if rest.text else []) + pending
                continue
            words, here = tail_label(run.text, here, reader.labels, bool(pending))
            run = replace(run, text=words)
        if run.kind == "text" and _NOISE.fullmatch(run.text):
            continue
        display = run.kind != "text" and (alone or (run.kind == "formula" and "\n" in run.text))
        _place(reader, run, before if run.kind == "text" else here, spot, display, line.quoted)


def _split(run: Run, spot: Spot, labels: Labels) -> list[Run]:
    """A text run taken apart: sentences that carry a label of their own, a formula typed without delimiters."""
    if run.kind != "text":
        return [run]
    found: list[Run] = []
    at = 0
    for match in _SENTENCE.finditer(run.text) if spot.question else ():
        if inner_label(run.text[match.end() :], spot, labels) is not None:
            found += _split_formula(_moved(run, at, run.text[at : match.end()]))
            at = match.end()
    return found + (_split_formula(_moved(run, at, run.text[at:])) if run.text[at:].strip() else [])


def _split_formula(run: Run) -> list[Run]:
    if is_formula(run.text):
        return [replace(run, kind="formula", notation=notation_of(run.text), text=run.text.rstrip(" .,;"))]
    apart = split_formula(run.text)
    if apart is None:
        return [run]
    before, formula, after = apart
    found = [_moved(run, 0, before)] if before.strip() else []
    inner = replace(_moved(run, len(before), formula), kind="formula", notation=notation_of(formula))
    found.append(inner)
    return found + ([_moved(run, len(before) + len(formula), after)] if after.strip() else [])


def _place(reader: _Reader, run: Run, here: Spot, line: Spot, display: bool, quoted: bool) -> None:
    if not reader.question:
        _keep_stray(reader, run)
        return
    before = reader.placed[-1] if reader.placed else None
    goes_on = run.kind == "formula" and _GOES_ON.match(run.text)
    if goes_on and before and before.question == reader.question and here == line and not here.label:
        item, label = before.item, before.fragment.label
    else:
        path = leaf(run, here, reader.labels)
        item = reader.labels.paths[reader.question].get(path, "")
        label = ".".join(part for part in (*path, here.label) if part)
    fragment = Fragment(run.kind, run.text, run.notation, run.where, label, display)
    reader.placed.append(Placed(reader.question, item, fragment, quoted))


def _keep_stray(reader: _Reader, run: Run) -> None:
    """Nothing is lost: what belongs to no question is repeated in a remark, one for each place it begins at."""
    prose = not reader.stray and run.kind == "text"
    if prose and (not reader.part or len(run.text.split()) < MIN_PROSE):
        return
    where = ("prose" if prose else "unlabelled", len(reader.unknown) if reader.stray else -1)
    reader.strays.setdefault(where, []).append(run)


def _stray_remarks(reader: _Reader) -> list[Remark]:
    found: list[Remark] = []
    for (note, _), runs in reader.strays.items():
        words = " … ".join(run.text for run in runs)
        words = words if len(words) <= MAX_SHOWN else words[: MAX_SHOWN - 1] + "…"
        said = "This text belongs to no question" if note == "prose" else "This belongs to no question"
        found.append(Remark(note, f"{said}: {words}", runs[0].where))
    return found
