"""What one statement of a hand-in says: what its left side names, and the members of its chain of equalities."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from grader.kinds.plan import Aim
from grader.matching.splitting import Piece, left_side, split_statements
from grader.model import Fragment, Notation, Observation, Place
from grader.notation import Reading, Target, Unreadable, Vocabulary, read, read_all
from grader.notation.elaborate.labels import declared_name
from grader.notation.syntax import Syntax, walk
from grader.notation.targets import target_of

MAX_OWN = 20  # names a student may introduce in one question
_SPACING = re.compile(r"^(?:\\(?:quad|qquad|,|;|:|!| |enspace|hspace\*?\{[^{}]*\})|~|\s)+")
_LEADING_WORDS = re.compile(
    r"^\s*(?:so|thus|hence|therefore|then|and|also|daher|also|somit|es folgt|we get|it follows|result|final(?: result)?"
    r"|answer|antwort|ergebnis)\b\s*[:,]?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Unread:
    """A statement that could not be read, and where; offsets are in the statement's own text."""

    message: str
    start: int = 0
    end: int = 0
    suggestion: str = ""


@dataclass(frozen=True)
class Statement:
    """One statement: what its left side names (`aim`, None where it names nothing), and what was read."""

    fragment: Fragment
    text: str
    reading: Reading | Unread
    aim: Aim | None = None
    boxed: bool = False
    order: int = 0
    vocabulary: Vocabulary | None = None  # with the student's own definitions

    @property
    def at_point(self) -> bool:
        """Is it about a value at one point, `f'(0) = 3`, and not about the function?"""
        if not isinstance(self.reading, Reading):
            return False
        first = self.reading.left
        if first is None and len(self.reading.chain) > 1:
            first = self.reading.chain[0]
        return first is not None and _is_at_point(first)

    @property
    def read_as(self) -> str:
        return self.reading.read_as if isinstance(self.reading, Reading) else ""

    @property
    def read_as_latex(self) -> str:
        return self.reading.read_as_latex if isinstance(self.reading, Reading) else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(self.reading.remarks) if isinstance(self.reading, Reading) else ()


@dataclass(frozen=True)
class Matched:
    """What of a hand-in answers one item.

    `final` is the statement that counts; `entries` are statements that each give one entry of the result, used where
    there is no statement of the whole.  `texts` are for items that are not formulas.
    """

    final: Statement | None = None
    entries: tuple[tuple[Fit, Statement], ...] = ()
    conflicting: bool = False
    alternative: Statement | None = None  # offered beside `final`, joined by "or"
    guessed: bool = False  # nothing says that `final` is meant, only its place does
    texts: tuple[tuple[str, Place | None], ...] = ()
    labelled: bool = False
    picture: Place | None = None
    fragments: tuple[Fragment, ...] = ()
    observations: dict[str, Observation] = field(default_factory=dict)


def read_fragment(fragment: Fragment, vocabulary: Vocabulary, order: int = 0) -> list[Statement]:
    """The statements of a formula, or of a text taken as plain mathematics."""
    found: list[Statement] = []
    for piece in split_statements(fragment.text, fragment.notation == "latex"):
        found.extend(_read_piece(fragment, piece, vocabulary, order + len(found)))
    return found


def _read_piece(fragment: Fragment, piece: Piece, vocabulary: Vocabulary, order: int) -> list[Statement]:
    text = _LEADING_WORDS.sub("", _SPACING.sub("", piece.text))
    found = []
    for reading in read_all(text, fragment.notation, vocabulary):
        if isinstance(reading, Unreadable):
            unread = Unread(reading.message, reading.start, reading.end, reading.suggestion)
            aim = aim_of(_target_of_left_side(text, fragment.notation, vocabulary))
            found.append(Statement(fragment, text, unread, aim, piece.boxed, order, vocabulary))
        else:
            aim = _aim_of_reading(reading, vocabulary)
            found.append(Statement(fragment, text, reading, aim, piece.boxed, order, vocabulary))
    return found


def _is_at_point(node: Syntax) -> bool:
    if node.kind == "at":
        return True
    if node.kind not in ("call", "product") or node.args[0].kind not in ("name", "index", "prime", "derivative"):
        return False
    if node.args[0].data == ("func",) or (node.kind == "product" and node.args[0].kind != "derivative"):
        return False
    constant = {"number", "product", "sum", "negative", "power", "fraction", "group"}
    return all(part.kind in constant for argument in node.args[1:] for part in walk(argument))


def _aim_of_reading(reading: Reading, vocabulary: Vocabulary) -> Aim | None:
    """What the left side names; of `g = dL/dθ = (2, 1, 3)`, where g is a name of the student's own, the derivative."""
    aim = aim_of(reading.target)
    if aim is not None and reading.target is not None and reading.target.indices:  # `w_{jk}` is an entry of W
        aim = Aim(*(declared_name(name, vocabulary, entries=True) or name for name in (aim.name, aim.wrt)))
    if aim is not None and not aim.wrt and aim.name not in vocabulary.known:
        for member in reading.chain[:-1]:
            target = target_of(member, vocabulary)
            if target is not None and target.kind == "derivative":
                return aim_of(target)
    return aim


def own_definitions(statements: Sequence[Statement], vocabulary: Vocabulary) -> dict[str, str]:
    """Names a student introduces on the way ("with r = …"), and what they stand for."""
    found: dict[str, str] = {}
    for one in statements:
        reading, aim = one.reading, one.aim
        if aim is None or aim.wrt or not isinstance(reading, Reading) or reading.target is None:
            continue
        if aim.name in vocabulary.known or reading.target.kind != "name" or reading.target.indices:
            continue
        if re.fullmatch(r"[A-Za-z]+(?:_\w+)?", aim.name) and len(found) < MAX_OWN:
            found[aim.name] = one.text[reading.chain[-1].start : reading.chain[-1].end]
    return found


def with_definitions(vocabulary: Vocabulary, own: Mapping[str, str]) -> Vocabulary:
    """The vocabulary with a student's own names; those of the question come first."""
    return replace(vocabulary, definitions={**own, **vocabulary.definitions})


def aim_of(target: Target | None) -> Aim | None:
    """The quantity a left side names.  A derivative of something unsaid has the empty name, `J = …` an empty `wrt`."""
    if target is None:
        return None
    if target.kind != "derivative":
        return Aim(target.name)
    return Aim(target.name, target.wrt[0] if target.wrt else "?")


def _target_of_left_side(text: str, notation: Notation, vocabulary: Vocabulary) -> Target | None:
    """What an unreadable statement is about: its left side read alone."""
    left = left_side(text)
    if not left:
        return None
    found = read(f"{left} = 0", notation, vocabulary)
    return found.target if isinstance(found, Reading) else None


@dataclass(frozen=True, slots=True)
class Fit:
    """How a left side names an item's result: the whole (`entry` ()), one entry, or the column `column` of a matrix."""

    entry: tuple[int, ...] = ()
    column: int = 0

    @property
    def whole(self) -> bool:
        return not self.entry and not self.column


def fit(
    aim: Aim | None, targets: tuple[Aim, ...], main: bool, parts: Mapping[Aim, tuple[int, ...]] | None = None
) -> Fit | None:
    """Does a left side name one of an item's targets, and which part of it?  None if it does not.

    What is left open (`∇L`, `J`) fits the main item only.  `parts` are entries with a name of their own.
    """
    if aim is None:
        return None
    if parts and aim in parts:
        return Fit(parts[aim])
    for target in targets:
        if target.wrt and not aim.wrt and aim.name == adjoint_of(target.wrt):
            return Fit()
        row = _part(aim.name, target.name)
        if aim.name == "" and main and target.wrt:
            row = 0
        if row is None or bool(aim.wrt) != bool(target.wrt):
            continue
        column = _part(aim.wrt, target.wrt) if target.wrt else 0
        if aim.wrt == "?" and main:
            column = 0
        if column is None:
            continue
        if row and column:
            return Fit((row, column))
        if row:
            return Fit((row,))
        return Fit((), column)
    return None


def adjoint_of(name: str) -> str:
    """The name of reverse mode for a derivative by `name`: `xbar_2` for x_2, written with a bar above."""
    head, mark, index = name.partition("_")
    return f"{head}bar{mark}{index}"


def _part(name: str, whole: str) -> int | None:
    """0 if the names are the same, k if `name` is entry k of `whole` (`x_1,2` of `x_1`, `theta_2` of `theta`)."""
    if name == whole:
        return 0
    for separator in (",", "_"):
        head, _, last = name.rpartition(separator)
        if head == whole and last.isdigit():
            return int(last)
    return None
