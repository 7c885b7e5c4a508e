"""Runs of letters and digits cut into names: `xe` is x·e, `theta1` one name, `dL` a differential."""

from __future__ import annotations

import re
from collections.abc import Callable

from grader.notation.lexicon import PROSE
from grader.notation.tokens import Token
from grader.notation.vocabulary import Vocabulary

LONGEST_RUN = 64  # letters; a longer run is one unknown name
KEEP_WHOLE = frozenset(["sin", "cos", "tan", "exp", "log", "ln", "sqrt", "max", "min", "diag"])
Piece = tuple[str, str, int, int]  # kind, text, start and end within the run
_SIZED = re.compile(r"([A-Za-z]+?)([A-Za-z])")
_INDEXED = re.compile(r"([A-Za-z]+?)(\d+)")


def cut(run: str, vocabulary: Vocabulary, letters: bool) -> list[Piece]:
    """Pieces of a run.  `letters`: an unknown run falls apart into single letters (TeX), else it stays whole."""
    found = vocabulary.spellings.get(run)
    if found and not (letters and _is_product(run, vocabulary)):
        return [(*found, 0, len(run))]
    if len(run) == 1:
        return [("num" if run.isdigit() else "name", run, 0, 1)]
    if run.lower() in PROSE and not _is_product(run, vocabulary):
        return [("text", run, 0, len(run))]
    indexed = _indexed(run, vocabulary, letters)
    if indexed:
        return indexed
    sized = _sized(run, vocabulary)
    if sized:
        return sized
    if len(run) > LONGEST_RUN:
        return [("name", run, 0, len(run))]
    return _segment(run, vocabulary, letters)


def _is_product(run: str, vocabulary: Vocabulary) -> bool:
    """Is a short word made of declared letters only (`th` with t and h declared)?"""
    if run in vocabulary.known or run in KEEP_WHOLE or len(run) < 2:
        return False
    return all(letter in vocabulary.known for letter in run)


def _indexed(run: str, vocabulary: Vocabulary, letters: bool) -> list[Piece] | None:
    """`x1` where x is an array, or the x of `x_1`, is x with subscript 1."""
    found = _INDEXED.fullmatch(run)
    if not found:
        return None
    base, digits = found.groups()
    kind, name = vocabulary.spellings.get(base, ("", base))
    declared = vocabulary.declared.get(name)
    is_array = declared is not None and declared.shape != ()
    family = name in vocabulary.bases and name not in vocabulary.known
    is_new = not letters and name not in vocabulary.known and not (kind == "" and _differential(run, vocabulary))
    if kind in ("func", "cmd") or not (is_array or family or is_new):
        return None
    return [
        ("name", name, 0, len(base)),
        ("_", "_", len(base), len(base)),
        ("num", digits, len(base), len(run)),
    ]


def _sized(run: str, vocabulary: Vocabulary) -> list[Piece] | None:
    """Plain `xn`, the last entry of x with n entries."""
    found = _SIZED.fullmatch(run)
    if not found or found[2] not in vocabulary.size_names or found[2] in vocabulary.known:
        return None
    base = found[1]
    if base not in vocabulary.bases:
        return None
    return [
        ("name", base, 0, len(base)),
        ("_", "_", len(base), len(base)),
        ("name", found[2], len(base), len(run)),
    ]


def _segment(run: str, vocabulary: Vocabulary, letters: bool) -> list[Piece]:
    """Cheapest cut: known pieces cost 2, declared ones 1, digits 1, unknown letters much."""
    table, known = vocabulary.spellings, vocabulary.known
    size = len(run)
    best: list[tuple[int, int, Piece | None]] = [(0, 0, None), *[(10**9, 0, None)] * size]
    for start in range(size):
        cost = best[start][0]
        for stop in range(start + 1, min(size, start + vocabulary.longest) + 1):
            word = run[start:stop]
            entry = table.get(word)
            if entry:
                price = 2 if entry[1] in known or len(word) == 1 else 3
                piece: Piece = (*entry, start, stop)
            elif word.isdigit():
                price, piece = 2, ("num", word, start, stop)
            elif stop == start + 1:
                price, piece = 50, ("name", word, start, stop)
            else:
                continue
            if cost + price < best[stop][0]:
                best[stop] = (cost + price, start, piece)
    pieces: list[Piece] = []
    at = size
    while at > 0:
        piece_found = best[at][2]
        assert piece_found is not None
        pieces.append(piece_found)
        at = best[at][1]
    pieces.reverse()
    if letters or best[size][0] < 50:
        return pieces
    return _differential(run, vocabulary) or [("name", run, 0, size)]


def known_pieces(run: str, vocabulary: Vocabulary) -> list[Piece] | None:
    """`x_1x_2` as declared names and nothing else; None where that leaves something over."""
    if len(run) > LONGEST_RUN:
        return None
    pieces = _segment(run, vocabulary, True)
    known = all(kind == "num" or text in vocabulary.known for kind, text, _, _ in pieces)
    return pieces if known and len(pieces) > 1 else None


def _differential(run: str, vocabulary: Vocabulary) -> list[Piece] | None:
    """Plain `dL`, `dx1`, `dtheta` with an unknown whole: a d and a name."""
    if run[0] != "d" or not re.fullmatch(r"d[A-Za-z]\d*|d(?:[A-Za-z]+)", run):
        return None
    rest = run[1:]
    if rest in vocabulary.spellings:
        return [("name", "d", 0, 1), (*vocabulary.spellings[rest], 1, len(run))]
    if re.fullmatch(r"[A-Za-z]\d*", rest):
        out: list[Piece] = [("name", "d", 0, 1), ("name", rest[0], 1, 2)]
        if rest[1:]:
            out += [("_", "_", 2, 2), ("num", rest[1:], 2, len(run))]
        return out
    return None


def emit_word(
    run: str, start: int, spaced: bool, vocabulary: Vocabulary, letters: bool, emit: Callable[[Token], None]
) -> None:
    """Emit the tokens of one run that begins at offset `start`."""
    for kind, text, first, last in cut(run, vocabulary, letters):
        emit(Token(kind, text, start + first, start + last, spaced and first == 0))
