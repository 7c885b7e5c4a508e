"""Names a truth uses although nobody declared them: taken as real numbers, for comparisons typed at a prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping

from grader.compare.answers import AuthorError
from grader.notation.elaborate import elaborate
from grader.notation.reading import read
from grader.notation.unreadable import Misread, Unreadable
from grader.notation.vocabulary import Vocabulary, build_vocabulary
from reference.shapes import ShapeError

MAX_NAMES = 30
NAME = re.compile(r"\\?[A-Za-z]+(?:_?\w+|_\{[^{}]*\})?")


def declare_free_names(truth: str, symbols: Mapping[str, str], definitions: Mapping[str, str]) -> dict[str, str]:
    """The symbols with every undeclared name of the truth added as `real`.

    Raises AuthorError where the truth cannot be read for another reason, or a declaration is not understood.
    """
    declared = dict(symbols)
    for _ in range(MAX_NAMES):
        try:
            vocabulary = build_vocabulary(declared, dict(definitions))
        except ValueError as error:
            raise AuthorError(str(error)) from None
        trouble = _first_trouble(truth, vocabulary)
        if trouble is None:
            return declared
        name = truth[trouble.start : trouble.end]
        if not NAME.fullmatch(name) or name in declared:
            return declared  # make_task says what is wrong
        declared[name] = "real"
    return declared


def _first_trouble(truth: str, vocabulary: Vocabulary) -> Unreadable | None:
    reading = read(truth, "latex" if "\\" in truth else "plain", vocabulary)
    if isinstance(reading, Unreadable):
        return reading
    try:
        elaborate(reading.answer, vocabulary, {})
    except Misread as trouble:
        return trouble.as_value(len(truth))
    except ShapeError:
        return None
    return None
