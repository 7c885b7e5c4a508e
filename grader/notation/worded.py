"""Cases told in words, `x if x > 0 else 0`, `1 for x > 0, 0 otherwise`, rewritten as a `cases` environment.

Only a text whose every branch has its value and its condition is rewritten; any other stays as it is.
"""

from __future__ import annotations

from grader.notation.lexicon import OTHERWISE
from grader.notation.tokens import Token

IF = frozenset(("if", "for", "when", "falls", "wenn", "für", "fuer", "where", "provided"))
THEN = frozenset(("then", "dann"))
BETWEEN = frozenset(("and", "und", "or", "oder", "elif"))
_OPENING = frozenset(("open", "{", "env_open"))
_CLOSING = frozenset(("close", "}", "env_close"))
Branch = tuple[list[Token], list[Token] | None]  # the value, and its condition or None for the rest


def with_worded_cases(tokens: list[Token]) -> list[Token]:
    """The same tokens, cases in words as an environment."""
    words = [_role(token) for token in tokens if token.kind == "text"]
    if "if" not in words or (words.count("if") < 2 and "else" not in words):
        return tokens
    head, body = _without_left_side(tokens)
    pieces = _pieces(body)
    branches = _condition_first(pieces) if pieces and pieces[0][0] == "if" else _value_first(pieces)
    if branches is None or len(branches) < 2 or not all(_is_sound(branch) for branch in branches):
        return tokens
    return head + _environment(branches)


def _role(token: Token) -> str:
    words = token.text.strip(" ,.;:").lower().split()
    if not words:
        return ""
    first, last = words[0], words[-1]
    if first in OTHERWISE or last in OTHERWISE:
        return "else if" if last in IF else "else"
    if first in BETWEEN and len(words) > 1 and words[1] in IF:
        return "if"
    if len(words) > 2:
        return ""
    return "if" if first in IF or first == "elif" else "then" if first in THEN else "and" if first in BETWEEN else ""


def _depth_changes(token: Token) -> int:
    return (token.kind in _OPENING) - (token.kind in _CLOSING)


def _without_left_side(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """What stands up to the last `=` before the first word, and the rest."""
    depth, cut = 0, 0
    for k, token in enumerate(tokens):
        depth += _depth_changes(token)
        if token.kind == "text" and depth == 0:
            break
        if token.kind == "rel" and token.text == "=" and depth == 0:
            cut = k + 1
    return tokens[:cut], tokens[cut:]


def _pieces(tokens: list[Token]) -> list[tuple[str, list[Token]]]:
    """Stretches of formula, each with the word or sign before it: "", if, then, else, and, `,`."""
    out: list[tuple[str, list[Token]]] = [("", [])]
    depth = 0
    for token in tokens:
        depth += _depth_changes(token)
        mark = None
        if depth == 0 and token.kind == "text":
            mark = _role(token) or None
        elif depth == 0 and token.kind in (",", ";", "row", "line", "sep", "colon"):
            mark = ":" if token.kind == "colon" else ","
        if mark is None:
            out[-1][1].append(token)
        elif not out[-1][1] and (out[-1][0] in ("", ",", "and") or mark in (",", ":")):
            out[-1] = (mark if mark not in (",", ":") else out[-1][0], [])
        else:
            out.append((mark, []))
    while len(out) > 1 and not out[-1][1] and out[-1][0] != "else":
        out.pop()
    return out


def _value_first(pieces: list[tuple[str, list[Token]]]) -> list[Branch] | None:
    """`V if C, V if C, V otherwise`, `V if C else V`."""
    branches: list[Branch] = []
    value: list[Token] | None = None
    for mark, tokens in pieces:
        if mark in ("", ",", "and") and value is None:
            value = tokens
        elif mark == "if" and value is not None:
            branches.append((value, tokens))
            value = None
        elif mark in ("and", ",") and branches and value is not None:
            return None
        elif mark == "else" and value is not None and not tokens:  # "V otherwise"
            branches.append((value, None))
            value = None
        elif mark == "else" and value is None and tokens:  # "else V", which may go on with "if C"
            value = tokens
        else:
            return None
    if value is not None:
        branches.append((value, None))
    return branches


def _condition_first(pieces: list[tuple[str, list[Token]]]) -> list[Branch] | None:
    """`if C: V, else: V`, `if C then V else V`."""
    branches: list[Branch] = []
    condition: list[Token] | None = None
    rest = False
    for mark, tokens in pieces:
        if mark in ("if", "else if") and condition is None and not rest:
            condition = tokens
        elif mark in ("then", ":", ",") and condition is not None and not rest:
            branches.append((tokens, condition))
            condition = None
        elif mark == "else" and condition is None:
            rest = True
            if tokens:
                branches.append((tokens, None))
        elif mark in (":", ",") and rest and branches and branches[-1][1] is not None:
            branches.append((tokens, None))
        else:
            return None
    return branches


def _is_sound(branch: Branch) -> bool:
    value, condition = branch
    relations = [t for t in value if t.kind == "rel"]
    if not value or relations:
        return False
    return condition is None or any(t.kind == "rel" for t in condition)


def _environment(branches: list[Branch]) -> list[Token]:
    start, end = branches[0][0][0].start, (branches[-1][1] or branches[-1][0])[-1].end
    out = [Token("env_open", "cases", start, start)]
    for k, (value, condition) in enumerate(branches):
        place = value[-1].end
        if k:
            out.append(Token("row", "\\\\", value[0].start, value[0].start))
        out += [*value, Token("&", "&", place, place)]
        out += condition if condition is not None else [Token("text", "otherwise", place, place)]
    return [*out, Token("env_close", "cases", end, end)]
