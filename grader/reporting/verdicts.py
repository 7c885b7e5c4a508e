"""How a verdict is shown: a sign, a word, a colour's name, one sentence.  Never by colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from grader.model import Verdict


@dataclass(frozen=True, slots=True)
class Look:
    sign: str
    word: str
    tone: str  # class name in style.css
    sentence: str


LOOKS = {
    Verdict.CORRECT: Look("✓", "Right", "good", "The answer is right."),
    Verdict.CARRIED: Look("↪", "Carried", "carried", "Right, worked out from your own earlier value."),
    Verdict.INCORRECT: Look("✗", "Not right", "bad", "The answer is not right."),
    Verdict.BLANK: Look("○", "No answer", "blank", "There is no answer to this."),
    Verdict.UNREADABLE: Look("?", "Not readable", "pending", "This could not be read.  Unreadable is not wrong."),
    Verdict.UNDECIDED: Look("…", "Waits for a person", "pending", "A person looks at this."),
}
