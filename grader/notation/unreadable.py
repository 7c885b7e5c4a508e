"""What could not be read, and where in the student's own text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A text that is not understood.  `0 ≤ start ≤ end ≤ len(text)` are offsets in the text as it was typed.

    `message` and `suggestion` speak to the student; neither ever contains a model answer.
    """

    message: str
    start: int
    end: int
    suggestion: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.message} {self.suggestion}".strip()


class Misread(Exception):
    """Raised inside the reader at the first thing not understood; `read` turns it into an `Unreadable`."""

    def __init__(self, start: int, end: int, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.message = message
        self.suggestion = suggestion

    def as_value(self, length: int) -> Unreadable:
        """The same trouble as a value, its place clamped into a text of `length` characters."""
        start = min(max(self.start, 0), length)
        return Unreadable(self.message, start, min(max(self.end, start), length), self.suggestion)


CARET_WIDTH = 100  # characters of the line shown around the place


def caret(text: str, start: int, end: int) -> str:
    """Two lines: the line of `text` that holds `start`, and carets under `start…end` (at least one)."""
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", start)
    stop = len(text) if stop < 0 else stop
    left = max(begin, start - CARET_WIDTH // 2)
    right = min(stop, left + CARET_WIDTH)
    shown = "".join(c if c.isprintable() else " " for c in text[left:right])
    before = "…" if left > begin else ""
    after = "…" if right < stop else ""
    width = max(1, min(end, right) - start)
    return f"{before}{shown}{after}\n{' ' * (len(before) + start - left)}{'^' * width}"
