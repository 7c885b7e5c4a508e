"""docs/notes.md has every note of the program, with what it means and what a student reads."""

from __future__ import annotations

import re

from grader.malrules import TOPICS, rules_for
from grader.notes import NOTES
from tests.docs.notes_table import PAGE, ROOT, render, used_notes

COMPOSED = re.compile(r"dynamics\.\w+_step")  # made of the method's name


def test_every_note_the_program_uses_has_a_meaning_and_no_other_is_listed() -> None:
    used = set(used_notes())
    listed = set(NOTES)
    assert used - listed == set()
    assert {note for note in listed - used if not COMPOSED.fullmatch(note)} == set()


def test_the_page_is_what_the_program_makes_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "write it again: python -m tests.docs.notes_table"


def test_the_notes_of_every_misconception_are_listed() -> None:
    assert {rule.note for rule in rules_for(TOPICS)} <= set(NOTES)


def test_expected_outcomes_and_cases_use_listed_notes_only() -> None:
    texts = [*ROOT.glob("submissions/*/expected.toml"), *ROOT.glob("problems/*/cases.toml")]
    named = re.compile(r"(?:note = '|INCORRECT |UNDECIDED |CORRECT |CARRIED )([a-z][a-z_]*(?:\.[a-z_0-9]+)?)")
    for path in texts:
        unknown = set(named.findall(path.read_text(encoding="utf-8"))) - set(NOTES)
        assert unknown == set(), path


def test_no_note_tells_an_answer_by_its_name() -> None:
    assert all(re.fullmatch(r"[a-z][a-z_0-9]*(\.[a-z][a-z_0-9]*)?", note) for note in NOTES)
