"""LaTeX to tokens.  Groups become `{` and `}`; everything that only decorates is dropped; places stay exact."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from grader.notation.commands import (
    BLACKBOARD,
    CASES,
    COLOURS,
    DISPLAYS,
    DROPPED,
    FONTS,
    GRIDS,
    MEANINGS,
    SILENT,
    SIZES,
    UPRIGHT,
)
from grader.notation.macros import Macros, collect_macros
from grader.notation.plain import emit_character, emit_script
from grader.notation.tokens import GROUPED, MAX_TOKENS, SPACED_GROUPS, SUBSCRIPTS, SUPERSCRIPTS, Token, ungrouped
from grader.notation.trouble import check_number, did_you_mean
from grader.notation.unreadable import Misread
from grader.notation.vocabulary import Vocabulary
from grader.notation.words import emit_word

_SCAN = re.compile(
    rf"""(?P<space>[\s~\u00a0]+|(?<!\\)%[^\n]*)
    |(?P<command>\\(?:[A-Za-z]+|.))
    |(?P<comma>(?<=\d)\{{,\}}(?=\d))
    |(?P<grouped>{GROUPED}|{SPACED_GROUPS})
    |(?P<num>(?:\d+(?:\.(?![*/^'.])\d*)?|\.\d+)(?:[eE][-+]?\d+(?![\dA-Za-z(.^_]))?)
    |(?P<word>[A-Za-z][A-Za-z0-9]*)
    |(?P<brace>[{{}}])
    |(?P<op>(?<=\s)<-(?=\s)|:=|==|<=|>=|!=|=>|->|\|\||\.\.\.+|\*\*|''+)
    |(?P<sup>[{"".join(SUPERSCRIPTS)}]+)
    |(?P<sub>[{"".join(SUBSCRIPTS)}]+)
    |(?P<amp>&)
    |(?P<dollar>\${{1,2}})
    |(?P<char>.)""",
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = {
    ":=": ("rel", "="), "<-": ("rel", "="), "==": ("rel", "="), "<=": ("rel", "<="), ">=": ("rel", ">="),
    "!=": ("rel", "!="),
    "=>": ("sep", "implies"), "->": ("sep", "to"), "||": ("bars", "||"), "**": ("^", "^"),
}  # fmt: skip
_GROUP = re.compile(r"\s*\{([^{}]*)\}")
_ONE = re.compile(r"\s*(?:\{\s*([01])\s*\}|([01])(?!\d))")
_ENVIRONMENT = re.compile(r"\s*\{\s*([A-Za-z]+\*?)\s*\}")
_COLUMNS = re.compile(r"\s*(?:\[[^\]]*\]\s*)?\{[lcr|@{}.\s\d!p]*\}")
_BOXED_DISPLAY = re.compile(r"\s*\{(?=\s*\\begin\s*\{(?:aligned|align|gathered|split)\*?\})")
_OPTION = re.compile(r"\s*\[[^\[\]]*\]")
_DELIMITER = re.compile(r"\s*(\\(?:[A-Za-z]+|.)|.)", re.DOTALL)


@dataclass
class _Scanner:
    """Where the scan stands.  Lives for one text."""

    text: str
    vocabulary: Vocabulary
    macros: Macros
    tokens: list[Token] = field(default_factory=list)
    spaced: bool = False

    def emit(self, kind: str, text: str, start: int, end: int) -> None:
        self.tokens.append(Token(kind, text, start, end, self.spaced))


def scan_latex(text: str, vocabulary: Vocabulary) -> list[Token]:
    """Tokens of a LaTeX text; raises Misread at what means nothing here."""
    macros = collect_macros(text) if "\\newcommand" in text or "\\def" in text or "\\Declare" in text else Macros()
    scanner = _Scanner(text, vocabulary, macros)
    _scan_range(scanner, macros.body_start, len(text))
    return scanner.tokens


def _scan_range(scanner: _Scanner, start: int, end: int) -> None:
    text, tokens, vocabulary = scanner.text, scanner.tokens, scanner.vocabulary
    match = _SCAN.match
    at = start
    while at < end:
        found = match(text, at, end)
        assert found is not None  # the last alternative takes any character
        kind, piece, stop = found.lastgroup, found.group(), found.end()
        if len(tokens) > MAX_TOKENS:
            raise Misread(at, stop, "This answer is too long to be read.")
        if kind == "space":
            scanner.spaced = True
            at = stop
            continue
        if kind == "command":
            at = _scan_command(scanner, piece[1:], at, stop)
            continue
        if kind == "word":
            stop = _scan_word(scanner, piece, at)
        elif kind == "grouped" and not _after_script(scanner):
            scanner.emit("num", ungrouped(piece), at, stop)
        elif kind in ("num", "grouped"):
            stop = _scan_number(scanner, piece, at)
        elif kind == "brace":
            tokens.append(Token(piece, piece, at, stop, scanner.spaced))
        elif kind == "char":
            emit_character(piece, at, scanner.spaced, tokens)
        elif kind == "amp":
            tokens.append(Token("&", "&", at, stop, scanner.spaced))
        elif kind == "comma":
            tokens.append(Token("comma", ",", at, stop))
        elif kind == "sup":
            emit_script("^", "".join(SUPERSCRIPTS[c] for c in piece), at, tokens, vocabulary)
        elif kind == "sub":
            emit_script("_", "".join(SUBSCRIPTS[c] for c in piece), at, tokens, vocabulary)
        elif kind == "dollar":
            tokens.append(Token("dollar", piece, at, stop, scanner.spaced))
        elif piece[0] == "'":
            tokens.append(Token("'", str(len(piece)), at, stop))
        elif piece[0] == ".":
            tokens.append(Token("dots", "…", at, stop, scanner.spaced))
        else:
            tokens.append(Token(*_OPERATORS[piece], at, stop, scanner.spaced))
        scanner.spaced = False
        at = stop


def _after_script(scanner: _Scanner) -> bool:
    return bool(scanner.tokens) and scanner.tokens[-1].kind in ("^", "_")


def _scan_word(scanner: _Scanner, word: str, at: int) -> int:
    """A run of letters; after ^ or _ without braces TeX takes only the first letter."""
    if _after_script(scanner) and len(word) > 1:
        scanner.emit("name", word[0], at, at + 1)
        return at + 1
    emit_word(word, at, scanner.spaced, scanner.vocabulary, True, scanner.tokens.append)
    return at + len(word)


def _scan_number(scanner: _Scanner, number: str, at: int) -> int:
    if _after_script(scanner):
        number = re.match(r"\d*", number).group() or number  # type: ignore[union-attr]
    if "e" in number:
        raise Misread(
            at, at + len(number), f"`{number}` may mean a power of ten or the number e.", "Write 10^{…} or put blanks."
        )
    check_number(number, at)
    scanner.emit("num", number, at, at + len(number))
    return at + len(number)


def _scan_command(scanner: _Scanner, name: str, at: int, stop: int) -> int:
    """Emit what `\\name` means; returns where to go on."""
    text = scanner.text
    if name in scanner.macros.table:
        return _expand(scanner, name, at, stop)
    meaning = MEANINGS.get(name)
    if meaning is not None:
        if meaning == ("cmd", "reals") and name == "R" and "R" in scanner.vocabulary.known:
            meaning = ("name", "R")
        scanner.emit(*meaning, at, stop)
        scanner.spaced = False
        return stop
    if name in SILENT:
        wide = re.compile(r"(?:\s*\\[;: ])+").match(text, stop) if name in (";", ":", " ") else None
        if wide and scanner.tokens:  # two blanks side by side separate like a \quad
            scanner.emit("sep", "quad", at, wide.end())
            stop = wide.end()
        scanner.spaced = True
        return stop
    if name == "\\":
        option = _OPTION.match(text, stop) if text[stop : stop + 1] == "[" else None
        scanner.emit("row", "\\\\", at, stop)
        scanner.spaced = False
        return option.end() if option and re.search(r"(pt|ex|em|mm|cm)\s*\]", option.group()) else stop
    if name in ("boxed", "fbox"):
        display = _BOXED_DISPLAY.match(text, stop)
        if display:  # its braces are no group: lines end inside
            end = _skip_group(text, stop)
            _scan_range(scanner, display.end(), end - 1)
            return end
    if name in FONTS or name in BLACKBOARD:
        return _scan_font(scanner, name, at, stop)
    if name in UPRIGHT:
        return _scan_upright(scanner, name, at, stop)
    if name in SIZES:
        return _scan_delimiter(scanner, name, at, stop)
    if name in ("begin", "end"):
        return _scan_environment(scanner, name, at, stop)
    if name in DROPPED:
        return _skip_group(text, stop)
    if name in COLOURS:
        group = _GROUP.match(text, stop)
        return group.end() if group else stop
    if name in ("[", "]", "(", ")"):
        scanner.emit("dollar", name, at, stop)
        return stop
    return _scan_rest(scanner, name, at, stop)


def _scan_rest(scanner: _Scanner, name: str, at: int, stop: int) -> int:
    from grader.notation.commands import ACCENTS

    if name in ACCENTS:
        scanner.emit("accent", ACCENTS[name], at, stop)
        return stop
    found = scanner.vocabulary.spellings.get(name)
    if found:
        scanner.emit(*found, at, stop)
        return stop
    if len(name) == 1 and not name.isalpha():
        raise Misread(at, stop, f"`\\{name}` is not understood here.")
    raise Misread(at, stop, f"`\\{name}` is not a known command.", did_you_mean(name, MEANINGS).replace("`", "`\\", 1))


def _scan_font(scanner: _Scanner, name: str, at: int, stop: int) -> int:
    one = _ONE.match(scanner.text, stop)
    if one and name not in ("boxed", "fbox", "cancel", "underline", "emph"):
        digit = one[1] or one[2]
        scanner.emit("name", f"bold{digit}", at, one.end())
        return one.end()
    if name in BLACKBOARD:
        group = re.compile(r"\s*\{?\s*([A-Za-z])\s*\}?").match(scanner.text, stop)
        if group and group[1] == "R":
            scanner.emit("cmd", "reals", at, group.end())
            return group.end()
    if name in ("mathbf", "bm", "boldsymbol", "vec"):
        letter = re.compile(r"\s*\{([A-Za-z])\}").match(scanner.text, stop)
        if letter:  # one letter: not worth a group of its own
            scanner.emit("name", letter[1], letter.start(1), letter.end(1))
            scanner.spaced = False
            return letter.end()
    return stop


def _scan_upright(scanner: _Scanner, name: str, at: int, stop: int) -> int:
    """`\\mathrm{diag}`, `\\text{for } x`, `\\operatorname*{tr}`: the group is one word or a stretch of prose."""
    text = scanner.text
    if text[stop : stop + 1] == "*":
        stop += 1
    group = _GROUP.match(text, stop)
    if not group:
        return stop
    word = group[1].strip()
    start = group.start(1) + len(group[1]) - len(group[1].lstrip())
    vocabulary = scanner.vocabulary
    if re.fullmatch(r"[A-Za-z]+\d*", word):
        found = vocabulary.spellings.get(word)
        if found:
            scanner.emit(*found, at, group.end())
        elif len(word) == 1:
            scanner.emit("name", word, start, start + 1)
        elif name.startswith("text") or name == "mbox":
            scanner.emit("text", word, at, group.end())
        else:
            emit_word(word, start, scanner.spaced, vocabulary, False, scanner.tokens.append)
        scanner.spaced = False
        return group.end()
    if not word:
        return group.end()
    if name.startswith("text") or name == "mbox":
        if re.fullmatch(r"[.,;:!?\s]*", word):
            return group.end()
        scanner.emit("text", word, at, group.end())
        return group.end()
    return stop


def _scan_delimiter(scanner: _Scanner, name: str, at: int, stop: int) -> int:
    """`\\left(`, `\\bigr|`: the bracket itself; a bar after left/right knows which side it is."""
    found = _DELIMITER.match(scanner.text, stop)
    if not found:
        raise Misread(at, stop, f"`\\{name}` stands without a bracket after it.")
    mark = found[1]
    if mark == ".":
        scanner.emit("open" if name == "left" else "nil", ".", at, found.end())
        return found.end()
    kind, text = MEANINGS.get(mark[1:], ("", "")) if mark[0] == "\\" else ("", "")
    if not kind:
        tokens: list[Token] = []
        emit_character(mark[-1], found.start(1), False, tokens)
        kind, text = tokens[0].kind, tokens[0].text
    if text in ("<", ">") and kind == "rel":
        kind = "open" if text == "<" else "close"
    if kind in ("bar", "bars"):
        side = name[-1] if name not in ("left", "right", "middle") else {"left": "l", "right": "r"}.get(name, "m")
        kind = {"l": "open", "r": "close"}.get(side, kind)
    scanner.emit(kind, text, at, found.end())
    scanner.spaced = False
    return found.end()


def _scan_environment(scanner: _Scanner, name: str, at: int, stop: int) -> int:
    found = _ENVIRONMENT.match(scanner.text, stop)
    if not found:
        raise Misread(at, stop, f"`\\{name}` needs the name of an environment in braces.")
    environment = found[1]
    end = found.end()
    if environment in DISPLAYS:
        if name == "begin" and environment.rstrip("*") in ("alignat", "alignedat", "IEEEeqnarray"):
            end = _skip_group(scanner.text, end)
        scanner.emit("row", environment, at, end)
        return end
    if environment not in GRIDS and environment not in CASES:
        raise Misread(at, end, f"The environment `{environment}` is not known.", did_you_mean(environment, GRIDS))
    if name == "begin" and environment.rstrip("*") in ("array",):
        columns = _COLUMNS.match(scanner.text, end)
        end = columns.end() if columns else end
    elif name == "begin" and environment.endswith("*"):
        option = _OPTION.match(scanner.text, end)
        end = option.end() if option else end
    scanner.emit("env_open" if name == "begin" else "env_close", environment, at, end)
    scanner.spaced = False
    return end


def _skip_group(text: str, at: int) -> int:
    """Past `*{…}` or `[…]`, nested braces counted."""
    found = re.compile(r"\*?\s*\{").match(text, at)
    if not found:
        return at
    depth = 0
    for position in range(found.end() - 1, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
    return len(text)


def _expand(scanner: _Scanner, name: str, at: int, stop: int) -> int:
    """Tokens of a user's macro; every one of them stands where the macro was called."""
    expansion, end = scanner.macros.expand(scanner.text, name, at, stop)
    inner = _Scanner(expansion, scanner.vocabulary, scanner.macros, [], scanner.spaced)
    inner.macros.enter(at, stop)
    _scan_range(inner, 0, len(expansion))
    inner.macros.leave()
    scanner.tokens += [Token(t.kind, t.text, at, end, t.spaced) for t in inner.tokens]
    if len(scanner.tokens) > MAX_TOKENS:
        raise Misread(at, end, "The macros of this answer expand to too much to be read.")
    return end


def scan_region(text: str, start: int, end: int, vocabulary: Vocabulary) -> list[Token]:
    """Tokens of `text[start:end]`, their places counted in the whole text."""
    scanner = _Scanner(text, vocabulary, Macros())
    _scan_range(scanner, start, end)
    return scanner.tokens
