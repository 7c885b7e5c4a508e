"""One formula or line into its statements: `x_1 = (1, 2), \\quad L = 3` says two things, `a \\\\ &= b` one."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_PIECES = 400
MAX_TEXT = 60_000

_ALIGNMENTS = r"(?:align|aligned|alignat|alignedat|gather|gathered|split|eqnarray|equation|multline|flalign)\*?"
_TOKEN = re.compile(
    rf"""(?P<outer>\\(?:begin|end)\{{{_ALIGNMENTS}\}}(?:\{{\d*\}}|\[\w?\])?)
    | (?P<begin>\\begin\{{[a-zA-Z*]+\}}) | (?P<end>\\end\{{[a-zA-Z*]+\}})
    | (?P<arrow>\\(?:Rightarrow|implies|Longrightarrow|Leftrightarrow|iff|rightsquigarrow|leadsto|therefore)\b|⇒|⟹|=>)
    | (?P<wide>\\(?:quad|qquad|land|wedge(?=\s*\\?[A-Za-z]+\s*=))\b|\\text\s*\{{\s*(?:and|und|,)\s*\}})
    | (?P<row>\\\\(?:\[[^\]]*\])?|\\newline\b|\\cr\b)
    | (?P<text>\\(?:text|textrm|mbox|textbf|textit)\s*\{{[^{{}}]*\}})
    | (?P<escaped>\\[{{}}|,;:!\s&%$\#]|\\[A-Za-z]+|\\.)
    | (?P<open>[{{(\[]) | (?P<close>[}})\]]) | (?P<amp>&) | (?P<comma>,) | (?P<semi>;) | (?P<line>\n)
    | (?P<relation>:=|≔|←|<-|≈|(?<![<>!=])=(?!=)) | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_GOES_ON = re.compile(r"\s*(?:=|\\approx|≈|\\equiv|\\Leftrightarrow|\+|-(?!>)|\\cdot|\\times|\\pm)")
_BOXED = re.compile(r"\\(?:boxed|fbox|framebox)\s*\{")


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement of a fragment.  `text` is the student's own text but for alignment marks and line breaks."""

    text: str
    boxed: bool = False


def split_statements(text: str, latex: bool = True) -> tuple[Piece, ...]:
    """The statements of a formula, in order.  A text that is too long, or does not split, is one piece."""
    if len(text) > MAX_TEXT:
        return (Piece(text),)
    boxed = bool(_BOXED.search(text))
    rows = _rows(_unboxed(text), latex)
    pieces: list[str] = []
    for cells in rows:
        for number, cell in enumerate(cells):
            if pieces and number == 0 and _GOES_ON.match(cell) and not _GOES_ON.match(pieces[-1]):
                pieces[-1] = f"{pieces[-1].rstrip()} {cell.strip()}"
            else:
                pieces.append(cell)
    found = tuple(Piece(one.strip(" \t\n.,;"), boxed) for one in pieces if one.strip(" \t\n.,;"))
    return found[:MAX_PIECES] or (Piece(text.strip(), boxed),)


def _unboxed(text: str) -> str:
    r"""`\boxed{…}` without the box: what is inside stays."""
    found = _BOXED.search(text)
    while found:
        depth, position = 1, found.end()
        while position < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            position += 1
        inside = text[found.end() : position - 1 if not depth else position]
        text = f"{text[: found.start()]}{inside}{text[position:]}"
        found = _BOXED.search(text)
    return text


def _rows(text: str, latex: bool) -> list[list[str]]:
    """Rows of an alignment, each a list of statements."""
    rows: list[list[str]] = [[""]]
    depth = 0
    marks = 0
    related = False  # has the statement under way a relation at depth 0?
    for token in _TOKEN.finditer(text):
        kind, value = str(token.lastgroup), token[0]
        if kind == "begin" or (kind == "open"):
            depth += 1
        elif kind == "end" or kind == "close":
            depth = max(0, depth - 1)
        if depth or kind in ("begin", "end", "open", "close", "escaped", "other", "text"):
            rows[-1][-1] += value
            continue
        if kind == "relation":
            related = True
            rows[-1][-1] += value
        elif kind == "outer" or (kind == "row") or (kind == "line" and not latex):
            rows.append([""])
            marks, related = 0, False
        elif kind == "line":
            rows[-1][-1] += " "
        elif kind == "amp":
            marks += 1
            if marks > 1 and marks % 2 == 0:
                rows[-1].append("")
                related = False
            else:
                rows[-1][-1] += " "
        elif (kind in ("arrow", "wide", "semi") and (related or kind == "arrow")) or (
            kind == "comma" and related and _another_statement(text, token.end())
        ):
            rows[-1].append("")
            related = False
        else:
            rows[-1][-1] += "," if kind == "wide" and "text" in value else value
    return [[cell for cell in row if cell.strip()] for row in rows if any(cell.strip() for cell in row)]


def _another_statement(text: str, start: int) -> bool:
    """Does a new statement, with a relation of its own, follow a comma?"""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        kind = str(token.lastgroup)
        if kind in ("begin", "open"):
            depth += 1
        elif kind in ("end", "close"):
            depth -= 1
            if depth < 0:
                return False
        elif depth == 0 and kind == "relation":
            return True
        elif depth == 0 and kind in ("row", "arrow", "semi", "outer", "comma"):
            return False  # `x = 1, y, z = 2` lists names
        elif depth == 0 and kind == "wide" and text[start : token.start()].strip():
            return False  # `x = 1, \quad y = 2` has only blanks before its second statement
    return False


def left_side(text: str) -> str:
    """What stands before the first relation of a statement; "" if there is none."""
    depth = 0
    for token in _TOKEN.finditer(text):
        kind = str(token.lastgroup)
        if kind in ("begin", "open"):
            depth += 1
        elif kind in ("end", "close"):
            depth = max(0, depth - 1)
        elif depth == 0 and kind == "relation":
            return text[: token.start()].strip(" &")
    return ""
