"""Sentences for what often goes wrong, in the student's terms."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

from grader.notation.tokens import LOOK_ALIKES, MAX_DIGITS, MAX_EXPONENT
from grader.notation.unreadable import Misread


def odd_character(character: str, start: int) -> Misread:
    """A character no notation uses; look-alikes of Latin letters are named."""
    if character in LOOK_ALIKES:
        return Misread(
            start,
            start + 1,
            f"`{character}` is a Cyrillic letter that only looks like `{LOOK_ALIKES[character]}`.",
            "Type it with the Latin letter.",
        )
    if "\ud800" <= character <= "\udfff":
        return Misread(start, start + 1, "There is a broken character here.", "Type it again.")
    if not character.isprintable():
        return Misread(start, start + 1, f"There is a control character (U+{ord(character):04X}) here.", "Delete it.")
    name = unicodedata.name(character, "").lower()
    described = f" ({name})" if name else ""
    return Misread(start, start + 1, f"`{character}`{described} is not understood here.")


def check_number(text: str, start: int) -> None:
    """Refuse numerals whose exact value would be too big to hold."""
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > MAX_DIGITS:
        raise Misread(start, start + len(text), f"This number has more than {MAX_DIGITS} digits.")
    if exponent and (len(exponent) > 5 or abs(int(exponent)) > MAX_EXPONENT):
        raise Misread(start, start + len(text), f"The exponent of this number is beyond {MAX_EXPONENT}.")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean x?` or the list of what there is, or nothing."""
    names = sorted(known)
    folded = {other.lower(): other for other in names}
    if name.lower() in folded:
        return f"Did you mean `{shown(folded[name.lower()])}`?"
    close = difflib.get_close_matches(name[:40], names, 1, 0.6)
    if close:
        return f"Did you mean `{shown(close[0])}`?"
    if len(names) == 1:
        return f"Did you mean `{shown(names[0])}`?"
    if names and len(names) <= 8:
        return "The question has " + ", ".join(f"`{shown(n)}`" for n in names) + "."
    return ""


def shown(name: str) -> str:
    """A canonical name as a student would type it."""
    return name
