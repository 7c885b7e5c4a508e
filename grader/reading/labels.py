"""Which question a line names, the way people write it: "1 (a)", "Aufgabe 1a)", "Problem 2 – b", a bare title."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

MAX_LABEL = 200  # characters looked at for a label

_KEYWORDS = (
    r"exercises?|ex|aufgabe|aufg|task|problem|prob|question|quest|frage|teil|part|teilaufgabe|subtask|subpart|übung|uebung"
    r"|solution|lösung|loesung|answer|antwort|exercice|esercizio|ejercicio|tarea|opgave|oppgave|uppgift|no|nr|q|item|punkt"
    r"|apartado|inciso|parte|partie|punto|quesito|domanda|pregunta|problema|problème|exercício|alínea|questão|onderdeel"
    r"|vraag|deelvraag|ad|zu|réponse|respuesta|risposta|antwoord|solución|soluzione|corrigé|§|№|\#"
)
_LINK = r"(?:to|of|for|zu|von|für|number|no\.?|nr\.?)?"
_KEYWORD = re.compile(
    rf"\s*(?:(?:my|the|your|meine|die)\s+)?(?P<word>{_KEYWORDS})(?![^\W\d_])\s*\.?\s*{_LINK}\s*[:#]?\s*"
    rf"(?:(?:{_KEYWORDS})(?![^\W\d_])\s*\.?\s*[:#]?\s*)?",
    re.I,
)
_SHEET = re.compile(
    r"^\s*(?:\w+\s+)?(?:exercise sheet|problem set|sheet|übungsblatt|uebungsblatt|blatt|assignment|homework"
    r"|hausaufgabe|serie|worksheet|lecture|vorlesung|chapter|week|woche|step|schritt|iteration|case|fall)\b",
    re.I,
)
_PIECE = re.compile(r"\d{1,3}|[A-Za-z](?![A-Za-z0-9äöüß'])|[ivxIVX]{2,4}(?![A-Za-z0-9])")
_GAP = re.compile(r"[ \t]{0,2}[.\-–—_/,)\]]{0,2}[ \t]{0,2}[(\[]?[ \t]?")
_ORNAMENT = re.compile(r"^\s*[^\w\s()\[\]§№#$\\+=<>|-]+(?=\s)")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}


@dataclass(frozen=True)
class Labels:
    """The ids and titles of a problem's questions ("1a"), items ("1f.f1.gradient") and parts ("1": "Derivatives")."""

    questions: Mapping[str, str]
    items: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def tokens(self) -> dict[tuple[str, ...], str]:
        """Question ids by their pieces: ("1", "a") → "1a"."""
        return {pieces(name): name for name in self.questions}

    @cached_property
    def prefixes(self) -> frozenset[tuple[str, ...]]:
        """What begins a question's id and is none itself: the parts, ("1",) of "1a"."""
        found = {key[:n] for key in self.tokens for n in range(1, len(key))} | {pieces(name) for name in self.parts}
        return frozenset(found - set(self.tokens))

    @cached_property
    def by_title(self) -> dict[str, str]:
        """Question ids by their plain titles, those only that no other question has."""
        titles = [plain(title) for title in self.questions.values()]
        return {plain(t): name for name, t in self.questions.items() if plain(t) and titles.count(plain(t)) == 1}

    @cached_property
    def paths(self) -> dict[str, dict[tuple[str, ...], str]]:
        """For every question its items by the pieces behind the question's id: {"1f": {("f1", "gradient"): …}}."""
        found: dict[str, dict[tuple[str, ...], str]] = {name: {} for name in self.questions}
        for item in self.items:
            question = self.question_of(item)
            if question is not None and item != question:
                found[question][tuple(item[len(question) + 1 :].split("."))] = item
        return found

    def question_of(self, item: str) -> str | None:
        """The question an item id belongs to."""
        owners = [name for name in self.questions if item == name or item.startswith(name + ".")]
        return max(owners, key=len) if owners else None

    def suggestion(self, written: str) -> str:
        """' Did you mean "1a"?', or which labels there are."""
        near = difflib.get_close_matches(written.lower(), [*self.questions, *self.items], n=1, cutoff=0.5)
        if near:
            return f' Did you mean "{near[0]}"?'
        names = ", ".join(list(self.questions)[:12])
        return f" The questions are {names}{' …' if len(self.questions) > 12 else ''}."


@dataclass(frozen=True, slots=True)
class Named:
    """What a line's beginning names.  `rest` is the offset behind it; `sub` what follows a question's own id."""

    what: Literal["question", "part", "unknown", "sheet"]
    name: str  # question id, part id, or the label as written
    rest: int
    sub: tuple[str, ...] = ()
    keyword: bool = False
    full: bool = True  # the whole id was written, not only its letter below a part
    bare_number: bool = False  # nothing but a number: a list's numbering looks the same


def pieces(name: str) -> tuple[str, ...]:
    """The pieces of an id in lower case: "1a" → ("1", "a"), "2.b" → ("2", "b")."""
    return tuple(piece.lower() for piece in re.findall(r"\d+|[^\W\d_]+", name))


def plain(title: str) -> str:
    """A title without case, accents, punctuation and markup, for comparing."""
    text = unicodedata.normalize("NFKD", title[:MAX_LABEL].lower())
    text = "".join(c for c in text if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", text))


def named(text: str, labels: Labels, part: tuple[str, ...], strong: bool) -> Named | None:
    """What the beginning of a line names; `strong` where the line is a heading or set in bold.

    In running text a label must show itself as one: by a word ("Task 2b"), by punctuation ("1a)", "(c)"), or by digit
    and letter side by side at the line's start.
    """
    text = text[:MAX_LABEL]
    if strong:  # "✏️ 1a", "→ Task 2"; as many blanks, for offsets stay what they are
        text = _ORNAMENT.sub(lambda found: " " * len(found.group()), text)
    keyword = _KEYWORD.match(text)
    if keyword is None and _SHEET.match(text):
        return Named("sheet", text.strip(), 0) if strong else None
    start = keyword.end() if keyword else len(text) - len(text.lstrip())
    found = _longest(text, start, labels, part, strong, keyword is not None)
    if found is None and keyword is None:
        return None
    if found is not None and found.what == "unknown" and keyword is None and not strong:
        return found if _is_plainly_a_label(text) else None
    return found


def by_title(text: str, labels: Labels) -> str | None:
    """The question whose title a line is, allowing for case, punctuation and a slip of the pen."""
    words = plain(text)
    if not words:
        return None
    if words in labels.by_title:
        return labels.by_title[words]
    near = difflib.get_close_matches(words, list(labels.by_title), n=1, cutoff=0.88)
    return labels.by_title[near[0]] if near else None


def _is_plainly_a_label(text: str) -> bool:
    return bool(re.match(r"\s*[(\[]?\d{1,2}[.\s]?\(?[a-z]\)[:.]?(?:\s|$)", text))


def _longest(text: str, start: int, labels: Labels, part: tuple[str, ...], strong: bool, keyword: bool) -> Named | None:
    """The longest run of pieces from `start` that names something."""
    read: list[str] = []
    ends: list[int] = []
    at = start
    opening = re.compile(r"[(\[]?[ \t]?").match(text, at)
    at = opening.end() if opening else at
    while len(read) < 5 and (piece := _PIECE.match(text, at)):
        gap = text[ends[-1] : at] if ends else ""
        if gap and not (strong or keyword or gap.strip(" ") or text[piece.end() : piece.end() + 1] == ")"):
            break  # "1 a" in running text is no label, "1 a)" is one
        if "," in gap and not (strong or keyword):
            break  # "(2, 1, 3)" is an answer
        if (
            ends
            and re.fullmatch(r"[ \t]*[,–—-]?[ \t]+", gap)
            and piece.group().isupper()
            and len(piece.group()) == 1
            and not keyword
        ):
            break  # "1 – A first step"
        read.append(piece.group())
        ends.append(piece.end())
        following = _GAP.match(text, piece.end())
        at = following.end() if following else piece.end()
    for count in range(len(read), 0, -1):
        end = _label_end(text, start, ends[count - 1], strong or keyword, read[:count])
        if end is None:
            continue
        hit = _resolve(read[:count], labels, part, end, keyword)
        if hit is not None:
            return hit
    if read and read[0].isdigit() and (keyword or len(read) > 1 or strong):
        count = min(len(read), 2)
        end = _label_end(text, start, ends[count - 1], strong or keyword, read[:count])
        if end is not None:
            return Named("unknown", "".join(read[:count]).lower(), end, (), keyword, True, len(read) == 1)
    return None


def _label_end(text: str, start: int, end: int, sure: bool, read: list[str]) -> int | None:
    """The offset behind the label's punctuation, or None when what follows shows that it is none."""
    after = re.compile(r"[ \t]*[)\]]*[ \t]*(?:[.:]|[–—·|-](?=[ \t]|$))*[ \t]*").match(text, end)
    behind = after.end() if after else end
    punctuation = text[end:behind].strip()
    following = text[behind : behind + 1]
    if not punctuation and text[end : end + 1] and not text[end].isspace():
        return None  # "1ab", "2^2", "a'(x)"
    if following and following in "=^_'+*/<>≤≥·" and not (punctuation and (")" in punctuation or ":" in punctuation)):
        return None
    if sure:
        return behind
    enclosed = text[start : start + 1] in "(["
    if enclosed and not re.search(r"[)\]]", punctuation):
        return None
    if punctuation in ("-", "–", "—", "·", "|"):
        compact = re.fullmatch(r"\d{1,2}[a-z]", text[start:end]) is not None
        return behind if compact and re.match(r"[A-Za-zÄÖÜäöü]{3,}", text[behind:]) else None
    if punctuation:
        letter = re.fullmatch(r"\s*[a-z]\.[ \t]+", text[:behind]) is not None  # a list's "b. "
        return behind if enclosed or letter or ")" in punctuation or len(read) > 1 or read[0].isdigit() else None
    side_by_side = re.fullmatch(r"\d{1,2}\.?[a-z]", text[start:end]) is not None
    if side_by_side and not re.match(r"[-+*/=<>^·×]", following):
        return behind
    return None


def _resolve(read: list[str], labels: Labels, part: tuple[str, ...], end: int, keyword: bool) -> Named | None:
    lower = tuple(one.lower() for one in read)
    for key in dict.fromkeys((lower, _without_roman(lower))):
        for count in range(len(key), 0, -1):
            if key[:count] in labels.tokens:
                sub = tuple(read[count:])
                number = len(key) == 1 and key[0].isdigit()
                return Named("question", labels.tokens[key[:count]], end, sub, keyword, True, number)
        if key in labels.prefixes and (key[0].isdigit() or keyword):
            return Named("part", key[0] if len(key) == 1 else "".join(key), end, (), keyword, True, len(key) == 1)
        if part and not key[0].isdigit() and part + key[:1] in labels.tokens:
            return Named("question", labels.tokens[part + key[:1]], end, tuple(read[1:]), keyword, False)
        if len(key) == 3 and key[0].isdigit() and key[1].isdigit() and key[1:] in labels.tokens:
            return Named("question", labels.tokens[key[1:]], end, (), keyword, True)  # "3.1 (a)": sheet 3
    return None


def _without_roman(read: tuple[str, ...]) -> tuple[str, ...]:
    """Roman numerals turned into digits: ("ii", "a") → ("2", "a")."""
    return (str(_ROMAN[read[0]]), *read[1:]) if read[0] in _ROMAN else read
