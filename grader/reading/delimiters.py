"""Where in a text mathematics, code, comments and images begin and end; no delimiter left open swallows the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Syntax = Literal["markdown", "tex"]
SpanKind = Literal["math", "code", "fence", "comment", "image"]

MAX_SPAN = 40_000  # characters in one formula, code block or comment; a longer one is left open
MAX_CODE = 2_000  # characters of a code span inside a line
MAX_TICKS = 40  # backticks in a row that can open code

# Environments that are delimiters themselves; all others stay in the formula's text.
DISPLAY = ("equation", "align", "alignat", "flalign", "gather", "multline", "eqnarray", "displaymath", "math", "dmath")
# Environments that mean mathematics when they stand bare, and are part of the formula.
INNER = (
    "aligned", "alignedat", "gathered", "split", "cases", "array", "matrix", "pmatrix", "bmatrix", "Bmatrix",
    "vmatrix", "Vmatrix", "smallmatrix",
)  # fmt: skip
VERBATIM = ("verbatim", "Verbatim", "lstlisting", "minted", "tikzpicture", "comment", "alltt", "dot2tex")


@dataclass(frozen=True, slots=True)
class Span:
    """text[start:end] is not running text; text[inner:inner_end] is what it encloses."""

    kind: SpanKind
    start: int
    end: int
    inner: int
    inner_end: int
    display: bool = False
    closed: bool = True
    language: str = ""  # of a fence; the environment's name of verbatim text


_ENV = r"\\begin[ \t]*\{(?P<env>[A-Za-z0-9]+\*?)\}"
_TOKENS: dict[Syntax, re.Pattern[str]] = {
    "markdown": re.compile(
        r"(?P<comment><!--)|(?P<note>^\[\^[^\]\n]{1,40}\]:)|(?P<remark>%%|~~(?=[^\s~]))"
        r"|(?P<fence>^[ \t>]*(?:(?:[-*+]|\d{1,2}[.)])[ \t]+)?(?P<ticks>`{3,}|~{3,}))"
        r"|(?P<code>`+)"
        rf"|(?P<tex>\\\\?[(\[])|{_ENV}|\\."
        r"|(?P<dollar>\$\$?)"
        r"|(?P<image>!\[[^\]\n]{0,300}\]\((?P<target>[^()\n]{1,500})\))"
        r"|(?P<html><img\b[^>\n]{0,500}?\bsrc\s*=\s*[\"']?(?P<src>[^\"'>\s]{1,500})[^>\n]{0,500}>)",
        re.M,
    ),
    "tex": re.compile(
        rf"(?P<verb>\\(?:verb|lstinline)\*?(?P<bar>[^A-Za-z\s*{{]))|(?P<tex>\\[(\[])|{_ENV}"
        r"|(?P<image>\\includegraphics\*?\s*(?:\[[^\]]{0,300}\])?\s*\{(?P<target>[^{}\n]{1,500})\})"
        r"|\\.|(?P<dollar>\$\$?)",
        re.S,
    ),
}

_HEADING = r"\n[ \t]*(?:\#{1,6}[ \t]|\\(?:sub)*section\b|\\paragraph\b|\\end\{document\})"
_BLANK = r"\n[ \t]*(?=\n)"
# A line that begins with a label ("- a)", "1b:", "(c)", "\item", "**2a**") begins another answer.
_LABELLED = (
    r"\n[ \t]*(?:[-*+][ \t]+)?(?:\\item\b|\*\*|\\textbf\b"
    r"|\(?\d{1,2}[ \t.]?\(?[a-z]\)?[):.][ \t]|\(?[a-z]\)[ \t]"
    r"|(?:Exercise|Aufgabe|Task|Problem|Question|Part|Teil)\b)"
)
_HARD = re.compile(_HEADING)
_SOFT = re.compile(rf"{_BLANK}|{_HEADING}")
_INLINE = re.compile(rf"{_BLANK}|{_HEADING}|{_LABELLED}")
_PROSE_LINE = re.compile(r"^[ \t]*(?:[A-Za-zäöüÄÖÜß,']+[ \t]+){3,}[A-Za-zäöüß]", re.M)
_DOLLAR = re.compile(r"\\.|\$", re.S)
_DOLLARS = re.compile(r"\\.|\$\$", re.S)


def spans(text: str, syntax: Syntax) -> tuple[Span, ...]:
    """All spans of the text in order, none overlapping another."""
    found: list[Span] = []
    token = _TOKENS[syntax]
    at = 0
    while match := token.search(text, at):
        span = _span(text, match, syntax)
        if span is None:
            at = match.end()
            continue
        found.append(span)
        at = max(span.end, match.start() + 1)
    return tuple(found)


def _span(text: str, match: re.Match[str], syntax: Syntax) -> Span | None:
    groups = match.groupdict()
    if groups.get("dollar"):
        return _dollars(text, match)
    if groups.get("tex"):
        return _bracketed(text, match)
    if groups.get("env"):
        return _environment(text, match, groups["env"])
    if groups.get("comment"):
        return _until(text, match, "-->", "comment")
    if groups.get("note"):  # a footnote is an aside, never the answer
        end = text.find("\n", match.end())
        return Span("comment", match.start(), end if end >= 0 else len(text), match.end(), max(end, match.end()))
    if groups.get("remark"):  # Obsidian's comments, and what was struck out
        return _until(text, match, groups["remark"], "comment")
    if groups.get("fence"):
        return _fence(text, match)
    if groups.get("code"):
        return _code_span(text, match)
    if groups.get("verb"):
        return _until(text, match, groups["bar"], "code")
    for name in ("target", "src"):
        if groups.get(name):
            return Span("image", match.start(), match.end(), match.start(name), match.end(name))
    return None


def _open_end(text: str, start: int, stop: re.Pattern[str]) -> int:
    """Where something left open ends: at the next blank line, heading or label, at most MAX_SPAN on."""
    bound = stop.search(text, start, min(len(text), start + MAX_SPAN))
    return bound.start() if bound else min(len(text), start + MAX_SPAN)


def _unclosed(text: str, start: int, inner: int, display: bool) -> Span:
    """A formula whose end is missing: what follows a displayed one's opening line, the rest of the line else."""
    if display:
        end = _open_end(text, inner, _SOFT)
    else:
        newline = text.find("\n", inner)
        end = min(len(text) if newline < 0 else newline, inner + MAX_SPAN)
    return Span("math", start, end, inner, end, display, closed=False)


def _dollars(text: str, match: re.Match[str]) -> Span:
    start, inner = match.span()
    if inner - start == 2:
        return _double_dollars(text, start, inner)
    for hit in _DOLLAR.finditer(text, inner, inner + MAX_SPAN):
        if hit.group() == "$":
            # Only up to the next dollar is looked at: a text of nothing but dollars is read in one pass.
            if _INLINE.search(text, inner, hit.start()):
                break
            return _without_ticks(text, Span("math", start, hit.end(), inner, hit.start()))
    return _unclosed(text, start, inner, display=False)


def _without_ticks(text: str, span: Span) -> Span:
    """GitHub writes $`…`$ to keep Markdown out of mathematics."""
    if span.inner_end - span.inner >= 2 and text[span.inner] == "`" == text[span.inner_end - 1]:
        return Span("math", span.start, span.end, span.inner + 1, span.inner_end - 1)
    return span


def _double_dollars(text: str, start: int, inner: int) -> Span:
    for hit in _DOLLARS.finditer(text, inner, inner + MAX_SPAN):
        if hit.group() != "$$":
            continue
        body = text[inner : hit.start()]
        # With words after a blank line it is the next formula's opening, not this one's end.
        if _HARD.search(body) or (_SOFT.search(body) and _PROSE_LINE.search(body)):
            break
        return Span("math", start, hit.end(), inner, hit.start(), display=True)
    return _unclosed(text, start, inner, display=True)


def _bracketed(text: str, match: re.Match[str]) -> Span:
    opening = match.group("tex")
    start, inner = match.span()
    display = opening.endswith("[")
    closing = opening[:-1] + ("]" if display else ")")
    at = text.find(closing, inner, inner + MAX_SPAN)
    # "\\\\]" inside \\[ … \\] is a line break followed by a bracket.
    while at > 0 and len(closing) == 2 and text[at - 1] == "\\" and text[at - 2] != "\\":
        at = text.find(closing, at + 1, inner + MAX_SPAN)
    if at < 0 or (_SOFT if display else _INLINE).search(text, inner, at):
        return _unclosed(text, start, inner, display)
    return Span("math", start, at + len(closing), inner, at, display)


def _environment(text: str, match: re.Match[str], name: str) -> Span | None:
    plain = name.rstrip("*")
    start, inner = match.span()
    if plain not in DISPLAY and plain not in INNER and plain not in VERBATIM:
        return None
    closing = f"\\end{{{name}}}"
    limit = min(len(text), inner + MAX_SPAN)
    at = text.find(closing, inner, limit)
    again = text.find(match.group(), inner, at if at >= 0 else limit)
    if plain in VERBATIM:
        end = at if at >= 0 else _open_end(text, inner, _HARD)
        return Span("fence", start, end + (len(closing) if at >= 0 else 0), inner, end, at >= 0, at >= 0, plain)
    heading = _HARD.search(text, inner, at if at >= 0 else limit)
    if at < 0 or again >= 0 or heading:
        return _unclosed(text, start, inner if plain in DISPLAY else start, display=True)
    if plain in INNER:
        return Span("math", start, at + len(closing), start, at + len(closing), display=True)
    if plain == "alignat":
        argument = re.compile(r"\s*\{\d+\}").match(text, inner, at)
        inner = argument.end() if argument else inner
    return Span("math", start, at + len(closing), inner, at, display=plain != "math")


def _until(text: str, match: re.Match[str], closing: str, kind: SpanKind) -> Span:
    start, inner = match.span()
    at = text.find(closing, inner, inner + MAX_SPAN)
    if at < 0:
        newline = text.find("\n", inner)
        end = len(text) if newline < 0 else newline
        return Span(kind, start, end, inner, end, closed=False)
    return Span(kind, start, at + len(closing), inner, at)


def _code_span(text: str, match: re.Match[str]) -> Span | None:
    start, inner = match.span()
    ticks = match.group("code")
    if len(ticks) > MAX_TICKS:
        return None
    closing = re.compile(rf"(?<!`){ticks}(?!`)").search(text, inner, inner + MAX_CODE)
    if closing is None or _SOFT.search(text, inner, closing.start()):
        return None
    return Span("code", start, closing.end(), inner, closing.start())


def _fence(text: str, match: re.Match[str]) -> Span:
    ticks = match.group("ticks")
    start = match.start("ticks")
    newline = text.find("\n", match.end())
    newline = len(text) if newline < 0 else newline
    words = text[match.end() : min(newline, match.end() + 60)].strip().strip("{}.").split()
    language = words[0].lower() if words else ""
    inner = min(newline + 1, len(text))
    closing = re.compile(rf"^[ \t>]*{ticks[0]}{{{min(len(ticks), MAX_TICKS)},}}[ \t]*$", re.M).search(
        text, inner, inner + MAX_SPAN
    )
    if closing is None:
        end = _open_end(text, inner, _HARD)
        return Span("fence", start, end, inner, end, True, False, language)
    return Span("fence", start, closing.end(), inner, max(inner, closing.start() - 1), True, True, language)
