"""docs/notes.md, made from the notes the program uses: `python -m tests.docs.notes_table` writes it again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from grader.notes import GROUPS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "notes.md"
DOTTED = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_0-9]*")
PLAIN = re.compile(r"[a-z][a-z_]*")
# where the note stands among a call's arguments, and the text that a student reads with it
CALLS = {
    "right": 1, "wrong": 1, "carried": 1, "undecided": 1, "unreadable": 2, "Remark": 0, "MalRule": 0,
    "Misconception": 0, "Known": 0, "Diagnosis": 0, "Finding": 4,
}  # fmt: skip
# dotted words that are files, modules or attributes
NOT_NOTES = re.compile(
    r"(grader|reference|ipykernel|linalg|pyvenv|os|np|numpy|style|badge|junit|setup|environment|report|results|problem)\."
    r".*|.*\.(toml|md|ipynb|json|html|csv|tex|py|txt|yml|yaml|zip|sqlite|pdf|j2|log|png|svg|css|sh|cfg|xml|gz|tar)"
)
# functions of cli, jupyter and export have messages of their own, but no notes
WITHOUT = ("cli", "jupyter", "export", "handout", "service", "notes.py", "soundness.py", "notation")

INTRODUCTION = """\
# Notes

Every finding and every remark carries a note, a stable tag: the same for all variants of a question, for class
statistics, for [expected outcomes](reports.md#expected-outcomes) and for a question's table
[`credit`](problems.md#credit-by-policy). What a student reads beside it follows in *italics* where it is always one
sentence; `…` stands for a name, a number or a place. No text of a note ever holds a model answer.
"""


def used_notes() -> dict[str, str]:
    """Every note in the program's text with the sentence beside it, "" where there is none or it is put together."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "grader").rglob("*.py")):
        if path.relative_to(ROOT / "grader").parts[0] in WITHOUT:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = _constants(tree)
        for note, message in _notes_in(tree, names):
            found[note] = found.get(note) or message
    return found


def _notes_in(tree: ast.AST, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and DOTTED.fullmatch(node.value):
            if not NOT_NOTES.fullmatch(node.value):
                yield node.value, ""
        elif isinstance(node, ast.Tuple) and len(node.elts) >= 2:
            for note, message in zip(node.elts, node.elts[1:], strict=False):
                if isinstance(note, ast.Constant) and DOTTED.fullmatch(str(note.value)) and _sentence(message, names):
                    yield str(note.value), _sentence(message, names)
        elif isinstance(node, ast.Call):
            yield from _notes_of_call(node, names)


def _notes_of_call(node: ast.Call, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    place = CALLS.get(called)
    said = {word.arg: word.value for word in node.keywords}
    note = said.get("note") or (node.args[place] if place is not None and len(node.args) > place else None)
    if note is None:
        return
    after = 1 if called == "unreadable" else (place or 0) + 1
    message = said.get("message") or said.get("hint") or (node.args[after] if len(node.args) > after else None)
    for word in _words(note, names):
        yield word, _sentence(message, names)


def _words(node: ast.expr, names: dict[str, str]) -> Iterator[str]:
    """Notes a piece of program may stand for: constants, named constants, either side of `or` and `if`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if (DOTTED.fullmatch(node.value) and not NOT_NOTES.fullmatch(node.value)) or PLAIN.fullmatch(node.value):
            yield node.value
    elif isinstance(node, ast.Name) and node.id in names and PLAIN.fullmatch(names[node.id]):
        yield names[node.id]
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _words(value, names)
    elif isinstance(node, ast.IfExp):
        yield from _words(node.body, names)
        yield from _words(node.orelse, names)


def _sentence(node: ast.expr | None, names: dict[str, str]) -> str:
    """The text of a message, `…` for what is filled in; "" if it is no literal sentence."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "") if " " in names.get(node.id, "") else ""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value if " " in node.value else ""
    if isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values]
        return "".join(parts) if any(" " in part for part in parts) else ""
    return ""


def _constants(tree: ast.AST) -> dict[str, str]:
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = node.value.value if isinstance(node.value, ast.Constant) else None
            if isinstance(text, str):
                found[node.targets[0].id] = text
    return found


def render() -> str:
    """The whole page."""
    said = used_notes()
    lines = [INTRODUCTION]
    for title, group in GROUPS.items():
        lines += [f"## {title}", "", "| note | means | a student reads |", "|---|---|---|"]
        for note, meaning in group.items():
            sentence = " ".join(said.get(note, "").split()).replace("|", "\\|")
            shown = f"*{sentence}*" if sentence else ""
            lines.append(f"| `{note}` | {meaning} | {shown} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
