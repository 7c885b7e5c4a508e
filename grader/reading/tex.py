"""LaTeX → lines: sections, items with their counters, bold labels, formulas, verbatim blocks, images."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from grader.model import Remark
from grader.reading.delimiters import Span, spans
from grader.reading.labels import plain
from grader.reading.macros import Macro, definitions, expand
from grader.reading.markdown import add_block, unclosed
from grader.reading.numbering import COUNTERS, DEFAULT_MARKERS, counted, markers, template
from grader.reading.pieces import Document, Line, Run, Source, source
from grader.reading.wording import notation_of

LEVELS = {"part": 1, "chapter": 1, "section": 1, "subsection": 2, "subsubsection": 3, "paragraph": 4, "subparagraph": 5}
BOLD = frozenset({"textbf", "bf", "bfseries", "underline", "textsc", "emph", "textit", "Large", "large", "textsf"})
# Commands whose argument is no running text.
_SILENT_WORDS = """
label ref eqref cite usepackage documentclass vspace hspace setlength pagestyle thispagestyle input include
bibliography bibliographystyle setcounter addtocounter geometry hypersetup color textcolor definecolor
newcommand renewcommand title date maketitle lstset caption footnotesize href pdfobj pdfnames
"""
SILENT = frozenset(_SILENT_WORDS.split())
EXERCISES = frozenset({"exercise", "problem", "question", "task", "aufgabe", "uebung", "ex", "prob"})
EXERCISES |= {"homeworkproblem", "exercice", "ejercicio", "esercizio", "opgave"}
SOLUTIONS = frozenset({"solution", "answer", "loesung", "antwort", "sol"})
LISTS = frozenset({"enumerate", "itemize", "description", "parts", "subparts", "questions", "compactenum"})
ACCENTS = {'"': "̈", "'": "́", "`": "̀", "^": "̂", "~": "̃", "c": "̧"}


MAX_GROUPS = 2_000  # open braces

_THEOREM = re.compile(r"\\newtheorem\*?\s*\{(\w{1,40})\}\s*(?:\[\w*\])?\s*\{([^{}\n]{1,60})\}")
_THE = re.compile(r"\\renewcommand\*?\s*\{?\\the((?:sub)?section)\}?\s*\{((?:[^{}\n]|\{[^{}\n]*\}){1,80})\}")
_SYMBOL = re.compile(r"\\[A-Za-z@]+\*?|\\.|[{}\n~&]|[^\\{}\n~&]+", re.S)
_OPTION = re.compile(r"[ \t]*\[([^\]\n]{0,200})\]")
_ARGUMENT = re.compile(r"[ \t]*\{([^{}\n]{0,300})\}")


@dataclass(slots=True)
class _List:
    template: str
    count: int = 0
    ordered: bool = True
    implicit: bool = False  # an exercise's own `\part`s


@dataclass(slots=True)
class _Page:
    """Lines under construction."""

    source: Source
    macros: dict[str, Macro]
    lines: list[Line] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    heading: int = 0
    bold: bool = False
    marker: str = ""
    words: str = ""
    words_at: int = -1
    exercises: int = 0
    opened: int = -1  # where the section that has no line yet begins
    sections: dict[str, int] = field(default_factory=dict)
    printed: dict[str, str] = field(default_factory=dict)  # how the document numbers its sections, where it says so
    named: dict[str, str] = field(default_factory=dict)  # the student's own theorem environments and their titles
    markers: list[str] = field(default_factory=lambda: list(DEFAULT_MARKERS))
    remarks: list[Remark] = field(default_factory=list)


def read_tex(file: str, text: str) -> Document:
    """The lines of a LaTeX document; never raises.  `\\input` is not followed; a remark says so."""
    origin = source(file, text)
    whole = body = without_comments(text)
    macros, places = definitions(body)
    for start, end in places:
        body = body[:start] + _blanked(body[start:end]) + body[end:]
    begin = body.find("\\begin{document}")
    preamble = body[: max(begin, 0)]
    end = body.find("\\end{document}", max(begin, 0))
    start = begin + len("\\begin{document}") if begin >= 0 else 0
    body = _blanked(body[:start]) + (body[start:end] if end >= 0 else body[start:])
    page = _Page(
        origin, macros, named=dict(_THEOREM.findall(whole)), printed=dict(_THE.findall(whole)), markers=markers(whole)
    )
    at = start
    for span in spans(body, "tex"):
        _add_text(page, body, at, span.start)
        _add_span(page, body, span)
        at = span.end
    _add_text(page, body, at, len(body))
    _end_line(page)
    return Document(tuple(page.lines), tuple(page.remarks), _metadata(preamble))


def _blanked(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _metadata(preamble: str) -> tuple[tuple[str, str], ...]:
    author = re.search(r"\\author\{([^{}\\\n]{1,100})", preamble)
    return (("name", author.group(1).strip()),) if author and author.group(1).strip() else ()


def without_comments(text: str) -> str:
    """The text with every comment turned into blanks, so that all places stay what they were."""
    kept: list[str] = []
    verbatim = False
    for line in text.split("\n"):
        if re.search(r"\\begin\{(?:verbatim|lstlisting|minted)\}", line):
            verbatim = True
        if not verbatim:
            line = re.sub(
                r"(?<!\\)((?:\\\\)*)%.*$", lambda m: m.group(1) + " " * (len(m.group()) - len(m.group(1))), line
            )
        if re.search(r"\\end\{(?:verbatim|lstlisting|minted)\}", line):
            verbatim = False
        kept.append(line)
    return "\n".join(kept)


def _add_span(page: _Page, text: str, span: Span) -> None:
    _end_words(page)
    inner = text[span.inner : span.inner_end]
    lead = len(inner) - len(inner.lstrip())
    where = page.source.place(span.inner + lead)
    body = inner.strip()
    if span.kind == "image":
        page.runs.append(Run("image", body, where))
    elif span.kind == "code" and body:
        page.runs.append(Run("formula", body, where, "plain"))
    elif span.kind == "fence":
        language = span.language.lower()
        option = re.match(r"(?:\[([^\]\n]*)\])?(?:\{([A-Za-z]+)\})?", inner)
        named = re.search(r"[Ll]anguage\s*=\s*\{?(\w+)", option.group(1) or "") if option else None
        skip = option.end() if option and language != "tikzpicture" else 0
        if language in ("lstlisting", "minted"):
            language = (named.group(1) if named else (option.group(2) if option else "") or "").lower()
        add_block(page.runs, inner[skip:], language, page.source.place(span.inner + skip))
    elif span.kind == "math":
        if not span.closed:
            page.remarks.append(unclosed(where, text[span.start : span.start + 2]))
        if body:
            page.runs.append(Run("formula", expand(body, page.macros), where))


def _add_text(page: _Page, text: str, start: int, end: int) -> None:
    at = start
    while at < end:
        match = _SYMBOL.match(text, at, end)
        if match is None:
            return
        at = match.end()
        symbol = match.group()
        if symbol[0] == "\\" and len(symbol) > 1 and (symbol[1].isalpha() or symbol[1] == "@"):
            at = _command(page, text, symbol.rstrip("*")[1:], match.start(), at, end)
        else:
            at = _character(page, text, symbol, match.start(), at, end)


def _say(page: _Page, words: str, offset: int) -> None:
    if not page.words.strip() and words.strip():
        page.words, page.words_at = "", offset + len(words) - len(words.lstrip())
    page.words += words


def _character(page: _Page, text: str, symbol: str, start: int, at: int, end: int) -> int:
    if symbol == "\n":
        _end_line(page) if "heading" not in page.groups else _say(page, " ", start)
    elif symbol == "{":
        if len(page.groups) < MAX_GROUPS:
            page.groups.append("group")
    elif symbol == "}":
        closed = page.groups.pop() if page.groups else ""
        if closed == "heading":
            _end_line(page)
    elif symbol in ("~", "&", "\\,", "\\ ", "\\;", "\\quad"):
        _say(page, " ", start)
    elif symbol == "\\\\":
        _end_line(page)
        option = _OPTION.match(text, at, end)
        return option.end() if option else at
    elif (
        symbol[0] == "\\"
        and symbol[1:] in ACCENTS
        and (letter := re.compile(r"\{?\\?([A-Za-z])\}?").match(text, at, end))
    ):
        _say(page, _composed(letter.group(1), symbol[1]), start)
        return letter.end()
    elif symbol[0] == "\\":
        _say(page, symbol[1:] if symbol[1:] in "&%_#${}" else "", start)
    else:
        _say(page, symbol.replace("---", "–").replace("--", "–").replace("``", '"').replace("''", '"'), start)
    return at


def _composed(letter: str, accent: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", letter + ACCENTS[accent])


def _command(page: _Page, text: str, name: str, start: int, at: int, end: int) -> int:
    if name in LEVELS and not (name == "part" and page.lists):
        _end_line(page)
        page.heading = LEVELS[name]
        page.opened = start
        if text[at - 1] != "*":
            _count_section(page, name, start)
        option = _OPTION.match(text, at, end)
        at = option.end() if option else at
        brace = re.compile(r"\s*\{").match(text, at, end)
        if brace:
            page.groups.append("heading")
            return brace.end()
        return at
    if name == "item" or (name in ("part", "subpart") and page.lists):
        points = _OPTION.match(text, at, end) if name != "item" else None
        return _item(page, text, points.end() if points else at, end)
    if name in ("question", "titledquestion") and page.lists:
        _exercise(page, "", start)
        for pattern in (_ARGUMENT if name == "titledquestion" else _OPTION, _OPTION):
            skipped = pattern.match(text, at, end)
            at = skipped.end() if skipped else at
        return at
    if name in ("begin", "end"):
        return _environment(page, text, name, start, at, end)
    if name in ("par", "newline", "linebreak", "newpage", "clearpage", "bigskip", "medskip", "smallskip"):
        _end_line(page)
        return at
    if name in ("input", "include", "subfile"):
        argument = _ARGUMENT.match(text, at, end)
        message = f"\\{name}{{{argument.group(1) if argument else ''}}} was not followed; hand in each file by itself."
        page.remarks.append(Remark("input_ignored", message, page.source.place(start)))
    if name in BOLD and not page.runs and not page.words.strip():
        page.bold = True
    if name == "setcounter" and (match := re.compile(r"\{(enum\w+)\}\{(\d{1,3})\}").match(text, at, end)):
        level = COUNTERS.index(match.group(1)) if match.group(1) in COUNTERS else -1
        lists = [one for one in page.lists if not one.implicit]
        if 0 <= level < len(lists):
            lists[level].count = int(match.group(2))
        return match.end()
    if name in SILENT:
        while argument := _OPTION.match(text, at, end) or _ARGUMENT.match(text, at, end):
            at = argument.end()
    elif name == "ss":
        _say(page, "ß", start)
    elif name in ("quad", "qquad", "hfill", "space"):
        _say(page, " ", start)
    elif name in ("Rightarrow", "to", "rightarrow"):
        _say(page, " → ", start)
    return at


def _environment(page: _Page, text: str, which: str, start: int, at: int, end: int) -> int:
    argument = _ARGUMENT.match(text, at, end)
    if argument is None:
        return at
    name, at = argument.group(1).rstrip("*"), argument.end()
    _end_line(page)
    title = plain(page.named.get(name, ""))
    exercise = name.lower() in EXERCISES or title in EXERCISES or title == "ubung"
    if which == "end":
        if (name in LISTS or exercise) and page.lists:
            page.lists.pop()
        return at
    option = _OPTION.match(text, at, end)
    extra = option.group(1) if option else ""
    at = option.end() if option else at
    if name in LISTS:
        depth = sum(one.ordered and not one.implicit for one in page.lists)
        default = r"(\alph)" if name == "parts" else page.markers[min(depth, 3)]
        found = _List(template(extra) or default, ordered=name not in ("itemize", "description"))
        if first := re.search(r"start\s*=\s*(\d{1,3})", extra):
            found.count = int(first.group(1)) - 1
        page.lists.append(found)
    elif exercise:
        _exercise(page, extra, start)
        page.lists.append(_List(r"(\alph)", implicit=True))
    elif boxed := re.search(r"\btitle\s*=\s*\{?([^{},\n]{1,100})", extra):
        page.heading = 1
        _say(page, boxed.group(1), start)
        _end_line(page)
    elif name.lower() in SOLUTIONS or title in SOLUTIONS or title == "losung":
        _say(page, "Solution:", start)
        _end_line(page)
    elif name in ("tabular", "array", "minipage", "figure", "table", "multicols"):
        while more := _ARGUMENT.match(text, at, end):
            at = more.end()
    return at


def _count_section(page: _Page, name: str, start: int) -> None:
    """Count a section; where the document prescribes its number's form ("1a"), the title begins with it as in print."""
    page.sections[name] = page.sections.get(name, 0) + 1
    if name == "section":
        page.sections["subsection"] = 0
    if name not in page.printed:
        return
    text = page.printed[name].replace(r"\thesection", page.printed.get("section", r"\arabic{section}"))
    text = re.sub(
        r"\\(alph|Alph|arabic|roman|Roman)\s*\{(\w+)\}",
        lambda m: counted(m.group(1), page.sections.get(m.group(2), 0)),
        text,
    )
    _say(page, re.sub(r"\\[A-Za-z]+|[{}]", " ", text) + " ", start)


def _exercise(page: _Page, title: str, start: int) -> None:
    """A heading for the next exercise; LaTeX counts it, whatever else its title says."""
    _end_line(page)
    page.exercises += 1
    page.heading = 1
    numbered = re.match(r"(?:[A-Za-zÄÖÜäöü]{2,}\.?\s*)?\d|[A-Za-z]{3,}\s+\(?[\dIVXa-z]{1,3}\b", title)
    _say(
        page,
        (title if title[:1].isalpha() else f"Exercise {title}") if numbered else f"Exercise {page.exercises}",
        start,
    )
    _end_line(page)


def _item(page: _Page, text: str, at: int, end: int) -> int:
    _end_line(page)
    option = _OPTION.match(text, at, end)
    if option:
        page.marker = re.sub(r"\\(?:textbf|bfseries|emph|textit)\s*|[{}]", "", option.group(1)).strip()
        return option.end()
    if not page.lists or not page.lists[-1].ordered:
        page.marker = "-"
        return at
    current = page.lists[-1]
    current.count += 1
    page.marker = re.sub(
        r"\\(alph|Alph|arabic|roman|Roman)", lambda m: counted(m.group(1), current.count), current.template
    )
    return at


def _end_words(page: _Page) -> None:
    words = re.sub(r"[ \t]+", " ", page.words).strip()
    if words:
        page.runs.append(Run("text", words, page.source.place(page.words_at), notation_of(words)))
    page.words, page.words_at = "", -1


def _end_line(page: _Page) -> None:
    _end_words(page)
    untitled = page.heading and "heading" not in page.groups and page.opened >= 0
    if page.runs or page.marker or untitled:
        where = page.runs[0].where if page.runs else page.source.place(max(page.opened, 0))
        depth = len(page.lists)
        page.lines.append(Line(tuple(page.runs), where, page.heading, page.bold, page.marker, depth=depth))
        page.marker, page.heading, page.opened = "", 0, -1
    page.runs, page.bold = [], False
    if "heading" not in page.groups:
        page.heading = 0
