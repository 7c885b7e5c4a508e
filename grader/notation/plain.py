"""Plain text to tokens: calculator, Python, MATLAB and sympy habits, Unicode."""

from __future__ import annotations

import re

from grader.notation.lexicon import PREFIXES
from grader.notation.tokens import (
    CHARACTERS,
    GREEK,
    GROUPED,
    MAX_TOKENS,
    SPACED_GROUPS,
    SUBSCRIPTS,
    SUPERSCRIPTS,
    Token,
    ungrouped,
)
from grader.notation.trouble import check_number, odd_character
from grader.notation.unreadable import Misread
from grader.notation.vocabulary import Vocabulary
from grader.notation.words import emit_word, known_pieces

_PREFIX = "|".join(re.escape(prefix) for prefix in PREFIXES)
_SCAN = re.compile(
    rf"""(?P<space>[ \t\r\f\v\u00a0\u2000-\u200a\u202f\u205f\u3000]+)
    |(?P<line>\n)
    |(?P<prefix>(?<![A-Za-z0-9_.])(?:{_PREFIX})(?=[A-Za-z]))
    |(?P<grouped>{GROUPED})
    |(?P<apart>{SPACED_GROUPS})
    |(?P<num>(?:\d+(?:\.(?![*/^'.])\d*)?|\.\d+)(?:[eE][-+]?\d+(?![\dA-Za-z(.^]))?)
    |(?P<ignored>\.(?:astype\([\w.]*\)|(?:float|item|flatten|ravel|copy|numpy|detach)\(\)))
    |(?P<method>\.(?:T\b|transpose\(\)|t\(\)|dot(?=\()|(?:sum|mean|max|min|prod)\(\)))
    |(?P<einsum>einsum\(\s*(?:'[a-zA-Z,]+->[a-zA-Z]*'|"[a-zA-Z,]+->[a-zA-Z]*")\s*,)
    |(?P<word>[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*)
    |(?P<op>\*\*|\.\*\*|\.\*|\./|\.\^|\.'|(?<=\s)<-(?=\s)|:=|==|<=|>=|!=|=>|->|<->|\|\||\.\.\.+)
    |(?P<sup>[{"".join(SUPERSCRIPTS)}]+)
    |(?P<sub>[{"".join(SUBSCRIPTS)}]+)
    |(?P<char>.)""",
    re.VERBOSE | re.DOTALL,
)

_OPERATORS = {
    "**": ("^", "^"), ".**": ("^", "each"), ".*": ("*", "each"), "./": ("/", "each_over"), ".^": ("^", "each"),
    ".'": ("'", "1"), ":=": ("rel", "="), "<-": ("rel", "="), "==": ("rel", "="), "<=": ("rel", "<="),
    ">=": ("rel", ">="), "!=": ("rel", "!="), "=>": ("sep", "implies"), "->": ("sep", "to"), "<->": ("sep", "to"),
    "||": ("bars", "||"),
}  # fmt: skip


def scan_plain(text: str, vocabulary: Vocabulary) -> list[Token]:
    """Tokens of a plain text; raises Misread at a character that means nothing here."""
    tokens: list[Token] = []
    emit = tokens.append
    spaced = False
    for found in _SCAN.finditer(text):
        kind = found.lastgroup
        if kind == "space":
            spaced = True
            continue
        start, end = found.span()
        piece = found.group()
        if len(tokens) > MAX_TOKENS:
            raise Misread(start, end, "This answer is too long to be read.")
        if kind == "ignored":
            continue
        if kind == "einsum":
            emit(Token("func", "einsum", start, start + 6, spaced))
            emit(Token("open", "(", start + 6, start + 7))
            emit(
                Token("name", "".join(c for c in piece[7:] if c.isalpha() or c in ",>").strip(","), start + 7, end - 1)
            )
            emit(Token(",", ",", end - 1, end))
        if kind == "word" and piece == "where" and text[end : end + 1] == "(":
            emit(Token("func", "where", start, end, spaced))
        elif kind == "word" and piece in ("True", "False"):
            emit(Token("name", piece, start, end, spaced))
        elif kind == "word":
            _emit_plain_word(piece, start, spaced, vocabulary, tokens)
        elif kind == "grouped" or (kind == "apart" and not any(token.kind == "open" for token in tokens)):
            emit(Token("num", ungrouped(piece), start, end, spaced))
        elif kind == "apart":  # inside brackets blanks stand between entries
            for one in re.finditer(r"\d+", piece):
                emit(Token("num", one[0], start + one.start(), start + one.end(), True))
        elif kind == "num":
            check_number(piece, start)
            emit(Token("num", piece, start, end, spaced))
        elif kind == "op":
            _emit_operator(piece, start, end, spaced, tokens)
        elif kind == "sup":
            emit_script("^", "".join(SUPERSCRIPTS[c] for c in piece), start, tokens, vocabulary)
        elif kind == "sub":
            emit_script("_", "".join(SUBSCRIPTS[c] for c in piece), start, tokens, vocabulary)
        elif kind == "method":
            tokens += _method(piece, start, end)
        elif kind == "line":
            emit(Token("line", "\n", start, end))
        elif kind == "char":
            emit_character(piece, start, spaced, tokens)
        spaced = False
    return tokens


def _method(piece: str, start: int, end: int) -> list[Token]:
    """`.T`, `.dot`, `.sum()` behind a value."""
    name = piece.strip(".()")
    if name == "dot":
        return [Token("*", "matmul", start, end)]
    if name in ("sum", "mean", "max", "min", "prod"):
        return [Token("method", name, start, end)]
    return [Token("^", "^", start, end), Token("name", "T", start, end)]


def _emit_operator(piece: str, start: int, end: int, spaced: bool, tokens: list[Token]) -> None:
    if piece.startswith("..."):
        tokens.append(Token("dots", "…", start, end, spaced))
        return
    kind, text = _OPERATORS[piece]
    tokens.append(Token(kind, text, start, end, spaced))


def _emit_plain_word(word: str, start: int, spaced: bool, vocabulary: Vocabulary, tokens: list[Token]) -> None:
    """A word with its underscores: one name where it is declared, else a base with subscripts."""
    if "_" not in word or word in vocabulary.spellings:
        emit_word(word, start, spaced, vocabulary, False, tokens.append)
        return
    if re.fullmatch(r"d[A-Za-z0-9]*_d[A-Za-z0-9_]*", word):  # dL_dtheta, a name for a derivative
        tokens.append(Token("name", word, start, start + len(word), spaced))
        return
    pieces = known_pieces(word, vocabulary)
    if pieces is not None:
        for kind, text, first, last in pieces:
            tokens.append(Token(kind, text, start + first, start + last, spaced and first == 0))
        return
    base, *subs = word.split("_")
    emit_word(base, start, spaced, vocabulary, False, tokens.append)
    at = start + len(base)
    for sub in subs:
        tokens.append(Token("_", "_", at, at + 1))
        kind = "num" if sub.isdigit() else "name"
        tokens.append(Token(kind, sub, at + 1, at + 1 + len(sub)))
        at += 1 + len(sub)


def emit_script(mark: str, inner: str, start: int, tokens: list[Token], vocabulary: Vocabulary) -> None:
    """Unicode `x⁻²` as if `x^{-2}` had been typed; places stay on the characters typed."""
    end = start + len(inner)
    tokens.append(Token(mark, mark, start, end))
    tokens.append(Token("{", "{", start, end))
    for found in re.finditer(r"\d+|[A-Za-z]|.", inner):
        piece = found.group()
        first, last = start + found.start(), start + found.end()
        if piece.isdigit():
            check_number(piece, first)
            tokens.append(Token("num", piece, first, last))
        elif piece.isalpha():
            tokens.append(Token("name", piece, first, last))
        else:
            tokens.append(Token(*CHARACTERS[piece], first, last))
    tokens.append(Token("}", "}", end, end))


def emit_character(character: str, start: int, spaced: bool, tokens: list[Token]) -> None:
    """Any other single character, in either notation."""
    if character in GREEK:
        tokens.append(Token("name", GREEK[character], start, start + 1, spaced))
        return
    if character in "{}":
        tokens.append(Token("open" if character == "{" else "close", character, start, start + 1, spaced))
        return
    found = CHARACTERS.get(character)
    if found is None:
        if character == "\\":  # MATLAB's A \\ b
            tokens.append(Token("*", "left_over", start, start + 1, spaced))
            return
        if character in '.\u200b\u2060\ufeff\u00ad$`"' or character.isspace():
            tokens.append(Token("stop", character, start, start + 1, spaced))
            return
        raise odd_character(character, start)
    tokens.append(Token(*found, start, start + 1, spaced))
