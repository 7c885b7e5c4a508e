"""Names inside a question: "f1:", "Dimension:", "for A", "Gradient of f₂", and the items they stand for."""

from __future__ import annotations

import re
import unicodedata

from grader.reading.labels import Labels

MAX_WORDS = 6
MAX_LENGTH = 48

# What people call a piece of an item's id.
ALIASES: dict[str, frozenset[str]] = {
    "gradient": frozenset({"grad", "gradients", "gradienten", "nabla", "gradientof"}),
    "dimension": frozenset({"dim", "dimensions", "dimensionen", "size", "shape", "grosse", "form"}),
    "jacobian": frozenset({"jacobi", "jacobimatrix", "jacobimatrice", "jacobians", "jacobiematrix"}),
    "derivative": frozenset({"ableitung", "derivatives", "deriv", "differential"}),
    "structure": frozenset({"feature", "characteristic", "merkmal", "struktur", "property", "eigenschaft"}),
    "value": frozenset({"wert", "values"}),
    "tangents": frozenset({"tangent", "tangenten"}),
    "statement": frozenset({"aussage", "discussion", "diskussion", "comparison", "vergleich"}),
    "single": frozenset({"one", "ein", "einzeln"}),
    "forward": frozenset({"vorwarts"}),
    "backward": frozenset({"ruckwarts"}),
}
# Names that mean the same whatever items a question has.
ALWAYS = ("dimension", "gradient", "jacobian", "structure", "derivative")
_FILLER_WORDS = """
for fur equation eq gleichung of the von zu zur der die das with respect to w r t wrt function funktion case
fall part teil and und we get is ist final result ergebnis its expression ausdruck component komponente
state zustand vector vektor
"""
_FILLER = frozenset(_FILLER_WORDS.split())
GIVEN = frozenset({"given", "gegeben", "recall", "aufgabenstellung", "problem statement", "wiederholung", "erinnerung"})
ANSWERS = frozenset({
    "answer", "your answer", "my answer", "solution", "my solution", "antwort", "deine antwort", "losung", "lösung",
    "meine lösung", "your solution",
})  # fmt: skip
_GREEK_WORDS = """
alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega
"""
_GREEK = _GREEK_WORDS.split()


def folded(text: str) -> str:
    """A label's words as compared: no markup, subscripts side by side, Greek letters by name; case is kept."""
    text = re.sub(r"\\(?:mathrm|text|mathbf|operatorname|vec|bar|hat|mathbb|textbf|emph)\s*", "", text[:200])
    text = re.sub(r"\\nabla\b|∇", " gradient ", text)
    text = re.sub(r"\\([A-Za-z]+)", r"\1", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", "".join(_spelled(c) for c in text))
        text = "".join(c for c in text if not unicodedata.combining(c))
    text = re.sub(rf"(?<![^\W_])([A-Za-z]|{'|'.join(_GREEK)})\s?_?\{{?\s?(\d{{1,2}})(?!\d)\}}?", r"\1\2", text)
    return re.sub(r"[${}*_`]", "", text)


def _spelled(c: str) -> str:
    name = unicodedata.name(c, "")
    if name.startswith("GREEK SMALL LETTER ") and name[19:].lower().replace("lamda", "lambda") in _GREEK:
        return name[19:].lower().replace("lamda", "lambda")
    return c


def words(text: str) -> tuple[str, ...]:
    """The words of a label that carry meaning, in order."""
    found = re.findall(r"[^\W_]+", folded(text))
    kept = tuple(word for word in found if word.lower() not in _FILLER)
    return kept or tuple(found)


def normal(text: str) -> str:
    """How a label is kept in `Fragment.label`: lower case, one space between words, no punctuation around."""
    return " ".join(folded(text).split()).strip(" .:;,-–—").lower()[:MAX_LENGTH]


def _says(word: str, piece: str) -> bool:
    """Does a word of a label name a piece of an id?  Single letters with their case, all else without."""
    if len(piece) == 1 or len(word) == 1:
        return word == piece
    low = word.lower()
    return low == piece.lower() or low in ALIASES.get(piece.lower(), frozenset())


def extended(label: str, question: str, path: tuple[str, ...], labels: Labels) -> tuple[str, ...] | None:
    """The path of an item, or of a group of items, that a label names below `path`; None when it names none.

    A label may name a piece further down than the next ("Gradient" below "f1"), several at once ("Dimension of f2"),
    or a sibling of where we are ("f2" after "f1").  A mere symbol names an item only by itself, not within
    a longer name ("adjoint of x1").
    """
    spoken = words(label)
    if not spoken or len(spoken) > MAX_WORDS:
        return None
    best: tuple[int, int, int, tuple[str, ...]] | None = None
    for target in labels.paths.get(question, {}):
        for depth in range(1, len(target) + 1):
            head = target[:depth]
            hits = [[at for at, word in enumerate(spoken) if _says(word, piece)] for piece in head]
            inherited = [at < len(path) and path[at] == piece for at, piece in enumerate(head)]
            if not hits[-1] or not all(n or i for n, i in zip(hits, inherited, strict=True)):
                continue
            covered = len({at for hit in hits for at in hit})
            if (
                covered < len(spoken)
                and (_is_symbol(head[-1]) or 2 * covered < len(spoken))
                and head[-1] not in ALIASES
            ):
                continue
            rank = (covered, -hits[-1][0], -depth, head)
            if best is None or rank[:3] > best[:3]:
                best = rank
    return best[3] if best else None


def _is_symbol(piece: str) -> bool:
    return len(piece) <= 2 or any(c.isdigit() for c in piece)


def names_only(label: str, question: str, path: tuple[str, ...], labels: Labels) -> bool:
    """Do all words of a label name pieces of one of the question's items?  ("for A", "Equation B", "f1")"""
    head = extended(label, question, path, labels)
    return head is not None and all(any(_says(word, piece) for piece in head) for word in words(label))


def common(label: str) -> str:
    """The name every question knows that a label's words contain ("dimension"), or ""."""
    for word in words(label):
        for piece in ALWAYS:
            if _says(word, piece):
                return piece
    return ""
