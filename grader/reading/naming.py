"""Labels inside a question: what the beginning, the middle or the end of a line calls the formula beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from grader.reading.labels import Labels
from grader.reading.pieces import Line, Run
from grader.reading.sublabels import GIVEN, MAX_LENGTH, MAX_WORDS, common, extended, names_only, normal
from grader.reading.wording import is_formula

MAX_SYMBOL = 16  # characters of a formula that serves as a label ("$f_1$:")

_LABEL = re.compile(r"(?P<label>[^:=\n]{1,60}?)[ \t]*:(?!=)[ \t]*")
_COUNTED = re.compile(
    r"[ \t]*(?:\((?P<a>[a-z]|[ivx]{1,4}|\d{1,2})\)|(?P<b>[a-z]|[ivx]{1,4}|\d{1,2})[).])(?=[ \t]|$)[ \t]*", re.I
)
_TAIL = re.compile(r"(?P<label>[^\s,;.:()=]+(?:[ \t]+[^\s,;.:()=]+){0,5})[ \t]*(?P<colon>:)?[ \t]*$")
_INNER = re.compile(r"[\s.;,]*(?P<label>[^:.;,=\n]{1,40}?)[ \t]*(?P<sign>[:=])(?!=)[ \t]*")
_EQUALS = re.compile(r"[ \t]*(?P<label>[A-Za-zÄÖÜäöü][\w ]{2,30}?)[ \t]*=(?!=)[ \t]*")
_ABBREVIATED = re.compile(r"w\.[ \t]?r\.[ \t]?t\.|d\.[ \t]?h\.|bzgl\.|resp\.", re.I)
_SIZE = re.compile(r"\(?\s*\\?(?:mathbb\s*\{?R|[\w\d]{1,3}\s*(?:\\times|×|x|\*|\\cdot)\s*[\w\d]{1,3}\s*\)?$|\d{1,4}$)")
_COPULA = frozenset({"is", "ist", "equals", "becomes", "lautet", "reads", "thus", "then"})
_DIM = re.compile(r"\\?(?:text|mathrm|operatorname)?\s*\{?\s*dim(?:ension)?\b")
_SECONDARY = frozenset({"dimension", "structure", "statement"})


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in a question we are: the path of the item (or group of items), and a label that names no item."""

    question: str
    path: tuple[str, ...] = ()
    label: str = ""


def called(label: str, spot: Spot, labels: Labels) -> Spot:
    """Where a label leads from a spot."""
    head = extended(label, spot.question, spot.path, labels)
    if head is not None:
        return replace(spot, path=head, label="")
    return replace(spot, label=normal(label))


def line_label(line: Line, spot: Spot, labels: Labels) -> tuple[tuple[Run, ...], Spot, Spot]:
    """(the line without its label, where the line is, where the lines after it are).

    A label with nothing behind it holds until the next one; a label with an answer behind it holds for its line; one
    that names a group of items ("f1: …") holds for the group.
    """
    title = _title(line, spot, labels)
    if title is not None:
        return (), title, title
    runs, counted = _counted(line)
    here = called(counted, spot, labels) if counted else spot
    if counted and not runs:
        return (), here, here
    after = replace(spot, path=here.path) if counted else spot
    runs, label = _colon_label(runs)
    if not label and runs and runs[0].kind == "text" and (match := _EQUALS.match(runs[0].text)):
        head = extended(match.group("label"), spot.question, here.path, labels)
        if head and len(head[-1]) > 2 and head[-1].isalpha():
            runs, label = _cut(runs, match.end()), match.group("label")
    if label:
        here = called(label, here, labels)
        return runs, here, _after_label(runs, here, after, labels)
    text = line.text
    if not counted and _is_words(runs) and names_only(text, spot.question, spot.path, labels) and not is_formula(text):
        here = called(text, spot, labels)
        return (), here, here
    if spot.label and runs and runs[-1].kind == "text" and runs[-1].text.endswith(":"):
        here = after = replace(after, label="")  # a sentence that introduces what follows ends the label before it
    return runs, here, after


def _after_label(runs: tuple[Run, ...], here: Spot, after: Spot, labels: Labels) -> Spot:
    if not runs:
        return here
    if here.label and _is_words(runs) and not runs[0].text.rstrip().endswith("."):
        return here  # "Step 1: Compute the state"
    is_group = here.path != after.path and here.path not in labels.paths[here.question]
    kept = "" if after.label in GIVEN else after.label
    return Spot(here.question, here.path if is_group else after.path, "" if is_group else kept)


def _title(line: Line, spot: Spot, labels: Labels) -> Spot | None:
    """The spot that a heading inside the question, or a short line all in bold, opens."""
    text = line.text.rstrip(": ")
    if not text or any(run.kind not in ("text", "formula") for run in line.runs):
        return None
    names = names_only(text, spot.question, spot.path, labels)
    if line.heading:
        formula_behind = ":" in text and line.runs[-1].kind == "formula"
        return None if formula_behind else called(text, spot, labels)
    if line.bold and _is_short(text) and ":" not in text and "=" not in text and (names or not is_formula(text)):
        only_words = all(run.kind == "text" for run in line.runs)
        return called(text, spot, labels) if names or only_words else None
    return None


def _counted(line: Line) -> tuple[tuple[Run, ...], str]:
    """The line without the "(i)" or "a)" in front, and that."""
    match = _COUNTED.match(line.marker) if line.marker else None
    if match:
        return line.runs, match.group("a") or match.group("b")
    runs = line.runs
    if runs and runs[0].kind == "text" and (match := _COUNTED.match(runs[0].text)):
        return _cut(runs, match.end()), match.group("a") or match.group("b")
    return runs, ""


def _cut(runs: tuple[Run, ...], count: int) -> tuple[Run, ...]:
    """The runs without the first `count` characters of the first."""
    first = runs[0]
    kept = first.text[count:]
    if not kept.strip():
        return runs[1:]
    lead = len(kept) - len(kept.lstrip())
    where = replace(first.where, column=first.where.column + count + lead)
    return (replace(first, text=kept.strip(), where=where), *runs[1:])


def _is_words(runs: tuple[Run, ...]) -> bool:
    return len(runs) == 1 and runs[0].kind == "text" and _is_short(runs[0].text)


def _is_short(text: str) -> bool:
    return 0 < len(text) <= MAX_LENGTH + 12 and len(text.split()) <= MAX_WORDS + 2


def _is_symbol(run: Run) -> bool:
    return run.kind == "formula" and len(run.text) <= MAX_SYMBOL and "=" not in run.text


def _colon_label(runs: tuple[Run, ...]) -> tuple[tuple[Run, ...], str]:
    """The label in front of a colon at the line's start: words, a short formula, or both."""
    if not runs:
        return runs, ""
    first, second = runs[0], runs[1] if len(runs) > 1 else None
    if first.kind == "text":
        match = _LABEL.match(first.text)
        said = _ABBREVIATED.sub("", match.group("label")) if match else ""
        if match and _is_short(match.group("label")) and not re.search(r"[.!?]\s", said):
            return _cut(runs, match.end()), match.group("label")
        if second and _is_symbol(second) and len(runs) > 2 and runs[2].kind == "text" and runs[2].text.startswith(":"):
            return _cut(runs[2:], 1), f"{first.text} {second.text}"  # "Gradient of $f_1$: …"
        return runs, ""
    if _is_symbol(first) and second and second.kind == "text" and second.text.startswith(":"):
        return _cut(runs[1:], 1), first.text
    if _is_symbol(first) and first.text.endswith(":"):
        return runs[1:], first.text.rstrip(":")
    return runs, ""


def inner_label(text: str, spot: Spot, labels: Labels) -> tuple[int, Spot] | None:
    """(offset behind it, where it leads) of a label at the start of a sentence inside a line, if it names an item."""
    match = _INNER.match(text)
    if match is None:
        return None
    label = match.group("label")
    head = extended(label, spot.question, spot.path, labels)
    if match.group("sign") == "=" and not (head and len(head[-1]) > 2 and head[-1].isalpha()):
        return None  # "L = 3" is a formula, "dimension = 3" a label
    if head is not None:
        return match.end(), called(label, spot, labels)
    return (match.end(), replace(spot, label=common(label))) if common(label) else None


def tail_label(text: str, spot: Spot, labels: Labels, followed: bool) -> tuple[str, Spot]:
    """A text's words without the label at its end, and where that leads: "…, dimension:" in front of a formula.

    Without a colon the words must end in "is", or name a dimension: a sentence may mention any item in passing.
    """
    match = _TAIL.search(text[-80:])
    if match is None or not (followed or match.group("colon")):
        return text, spot
    said = match.group("label").split()
    linked = bool(match.group("colon")) or said[-1].lower() in _COPULA
    for count in range(1, len(said) + 1):
        label = " ".join(said[-count:])
        head = extended(label, spot.question, spot.path, labels)
        piece = head[-1] if head else common(label)
        if not piece or not (linked or (piece == "dimension" and count <= 2)):
            continue
        if head is None:
            return text, replace(spot, label=piece)
        end = len(text) - len(text[-80:]) + match.start("label") + len(match.group("label")) - len(label)
        return (text[:end].rstrip() if match.group("colon") else text), replace(spot, path=head, label="")
    return text, spot


def leaf(run: Run, spot: Spot, labels: Labels) -> tuple[str, ...]:
    """The item's path for a formula that stands under a group of items without a name of its own.

    Under "f1" with a gradient and a dimension, a size such as 2 × 1 is the dimension, any other formula the gradient.
    """
    paths = labels.paths[spot.question]
    below = [path for path in paths if len(path) == len(spot.path) + 1 and path[: len(spot.path)] == spot.path]
    if run.kind != "formula" or not spot.path or spot.label or spot.path in paths or len(below) < 2:
        return spot.path
    main = [path for path in below if path[-1] not in _SECONDARY]
    sizes = [path for path in below if path[-1] == "dimension"]
    if sizes and (_SIZE.match(run.text) or _DIM.match(run.text)):
        return sizes[0]
    return main[0] if len(main) == 1 else spot.path
