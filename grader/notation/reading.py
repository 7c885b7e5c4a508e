"""The reader: text to readings, one per statement."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.model import Notation
from grader.notation import groups
from grader.notation.indicators import decides_values, without_comment
from grader.notation.latex import scan_latex, scan_region
from grader.notation.lexicon import OTHERWISE
from grader.notation.parser import Parser
from grader.notation.plain import scan_plain
from grader.notation.show import show_syntax
from grader.notation.statements import Stretch, cut, regions
from grader.notation.syntax import Syntax, walk
from grader.notation.targets import Target, target_of, uses
from grader.notation.tokens import MAX_TEXT, Token
from grader.notation.unreadable import Misread, Unreadable
from grader.notation.vocabulary import Vocabulary, canonical
from grader.notation.worded import with_worded_cases


@dataclass(frozen=True, slots=True)
class Reading:
    """One statement.  `chain`: members of the chain of equalities without the left-hand side the `target` names.

    The last member is the answer.  `links[k]` stands between members k and k+1 (`=` or `≈`).  `remarks` say how
    ambiguities were resolved.  `start`, `end` are the statement's place in the text as typed.
    """

    chain: tuple[Syntax, ...]
    target: Target | None
    remarks: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    left: Syntax | None = None  # the left-hand side that became the target
    start: int = 0
    end: int = 0

    @property
    def answer(self) -> Syntax:
        return self.chain[-1]

    @property
    def read_as(self) -> str:
        """Plain text of how the answer was understood, grouping visible."""
        return show_syntax(self.chain[-1], "plain")

    @property
    def read_as_latex(self) -> str:
        return show_syntax(self.chain[-1], "latex")


_COMMAND = re.compile(r"\\(?![ (A-Z0-9](?![A-Za-z])|\((?!.*\\\))|$)", re.DOTALL)  # no division from the left
_EMPTY_WORDS = frozenset(("todo", "tbd", "n/a", "na", "idk", "?", "??", "???", "-", "none", "xxx", "..."))


def read(text: str, notation: Notation, vocabulary: Vocabulary) -> Reading | Unreadable:
    """The statement a text makes, the last one where it makes several; an Unreadable with the place if none.

    Never raises on a student's text.
    """
    found = read_all(text, notation, vocabulary)
    return found[-1]


def read_all(text: str, notation: Notation, vocabulary: Vocabulary) -> tuple[Reading | Unreadable, ...]:
    """Every statement of a text, in order; at least one element.  Never raises on a student's text."""
    length = len(text)
    if length > MAX_TEXT:
        return (Unreadable(f"This answer is longer than {MAX_TEXT} characters.", 0, length),)
    stripped = text.strip().lower().strip(".")
    if not stripped or stripped in _EMPTY_WORDS:
        message = "There is no answer here." if not stripped else f"`{text.strip()}` is not an answer yet."
        return (Unreadable(message, 0, length),)
    latex = notation == "latex" or _COMMAND.search(text) is not None
    try:
        stretches = cut(with_worded_cases(scan(text, latex, vocabulary)))
    except Misread as trouble:
        return (trouble.as_value(length),)
    if not stretches:
        return (Unreadable("There is no formula here.", 0, length),)
    return tuple(_read_stretch(stretch, latex, vocabulary, length) for stretch in stretches)


def scan(text: str, latex: bool, vocabulary: Vocabulary) -> list[Token]:
    """Tokens of a text, only of its formulas where it marks them with dollars."""
    if not latex:
        return scan_plain(text.replace("$", " ") if text.count("$") in (1, 2) else text, vocabulary)
    parts = regions(text)
    if parts == [(0, len(text))]:
        return scan_latex(text, vocabulary)
    tokens: list[Token] = []
    for start, end in parts:
        if tokens:
            tokens.append(Token("sep", "math", start, start))
        tokens += scan_region(text, start, end, vocabulary)
    return tokens


def _read_stretch(stretch: Stretch, latex: bool, vocabulary: Vocabulary, length: int) -> Reading | Unreadable:
    tokens = list(stretch.tokens)
    parser = Parser(tokens, vocabulary, latex, tokens[-1].end)
    try:
        members, links = _read_members(parser)
        return _reading(parser, members, links, stretch, vocabulary, length)
    except Misread as trouble:
        return trouble.as_value(length)


def _read_members(p: Parser) -> tuple[list[Syntax], list[str]]:
    members: list[Syntax] = []
    links: list[str] = []
    if p.peek() == "rel":  # "= 2x"
        p.take()
    while True:
        members.append(_read_member(p))
        kind = p.peek()
        if kind == "rel" and p.token.text in ("=", "≈"):
            links.append(p.take().text)
            continue
        if kind == "colon" and _is_double_dot(p, members[-1]):
            p.take()
            right = _read_member(p)
            members[-1] = Syntax("inner", members[-1].start, right.end, (members[-1], right))
            kind = p.peek()
        if kind == "colon":
            links.append("=" if p.take() else "")
            continue
        if kind == "rel" and p.token.text in ("in", "!=", "<", ">", "<=", ">=") and len(members) + 1 > 1:
            if p.token.text != "in" and len(members) == 1:
                raise p.fail(f"An inequality `{p.token.text}` is not an answer here.")
            p.remark("what stands behind the formula (`∈ …`, a condition) was taken as a comment")
            p.i = p.size
        if p.peek() == "end":
            return members, links
        raise p.unexpected()


def _is_double_dot(p: Parser, left: Syntax) -> bool:
    """`A : B`, the inner product of two matrices of the question."""
    after = p.tokens[p.i + 1]
    names = (left.text if left.kind == "name" else "", after.text if after.kind == "name" else "")
    declared = [p.vocabulary.declared.get(name) for name in names]
    return all(one is not None and len(one.shape) == 2 for one in declared)


def _read_member(p: Parser) -> Syntax:
    """One member; an intermediate one that cannot be read does not spoil the chain."""
    first = p.i
    try:
        node = groups.read_over(p, p.sum())
        if p.peek() == "," or p.peek() == ";":
            node = _read_bare_list(p, node)
        if p.peek() not in ("rel", "end", "colon"):
            raise p.unexpected()
        return node
    except Misread as trouble:
        at = _next_equals(p, first)
        if at is None:
            raise
        p.i, p.depth, p.bars, p.row_list = at, 0, [], False
        start = p.tokens[first].start if first < p.size else trouble.start
        end = max(start, p.tokens[at - 1].end)
        place = (f"{trouble.start}", f"{trouble.end}", trouble.suggestion)
        return Syntax("unread", start, end, (), trouble.message, None, place)


def _next_equals(p: Parser, first: int) -> int | None:
    depth = 0
    for at in range(first, p.size):
        token = p.tokens[at]
        if token.kind in ("open", "{", "env_open"):
            depth += 1
        elif token.kind in ("close", "}", "env_close"):
            depth -= 1
        elif depth == 0 and token.kind == "rel" and token.text in ("=", "≈") and at > first:
            return at
    return None


def _read_bare_list(p: Parser, first: Syntax) -> Syntax:
    """`2, 1, 3` or `0,5; 1` without brackets."""
    members = [first]
    opening = p.i
    while p.peek() in (",", ";"):
        p.take()
        if p.peek() in ("end", "rel"):
            break
        members.append(groups.read_over(p, p.sum()))
    grid = _bare_rows(p, opening, members)
    if grid is not None:
        return grid
    whole = Syntax("tuple", first.start, members[-1].end, tuple(members), "bare")
    number = _decimal_comma(p, opening, members)
    if number is None:
        return whole
    return Syntax("ambiguous", whole.start, whole.end, (whole, number), "a list or a decimal comma")


def _bare_rows(p: Parser, opening: int, members: list[Syntax]) -> Syntax | None:
    """`6x, 2y; 2y, 2x` without brackets: rows of one length; None where commas may be decimal."""
    rows = [0]
    depth = 0
    for k in range(opening, p.i):
        depth += {"open": 1, "{": 1, "env_open": 1, "close": -1, "}": -1, "env_close": -1}.get(p.kinds[k], 0)
        if depth == 0 and p.kinds[k] in (",", ";"):
            if p.kinds[k] == "," and groups.is_decimal_comma(p, k):
                return None
            rows += [0] if p.kinds[k] == ";" else []
            rows[-1] += p.kinds[k] == ","
    width = rows[0] + 1
    if len(rows) < 2 or width < 2 or any(row + 1 != width for row in rows) or len(members) != width * len(rows):
        return None
    return Syntax("grid", members[0].start, members[-1].end, tuple(members), "matrix", None, (str(width),))


def _decimal_comma(p: Parser, at: int, members: list[Syntax]) -> Syntax | None:
    """`-4,75`: two whole numbers, a tight comma between them, as one decimal number."""
    if len(members) != 2 or not groups.is_decimal_comma(p, at) or p.tokens[at - 1].start < members[0].start:
        return None
    first, last = members
    whole = first.args[0] if first.kind == "negative" else first
    if whole.kind != "number" or last.kind != "number":
        return None
    number = groups.decimal(p.tokens[at - 1].text + "." + p.tokens[at + 1].text, whole.start, last.end)
    return number if whole is first else Syntax("negative", first.start, last.end, (number,))


def _reading(
    p: Parser, members: list[Syntax], links: list[str], stretch: Stretch, vocabulary: Vocabulary, length: int
) -> Reading | Unreadable:
    target = left = None
    if len(members) > 1:
        if members[0].kind != "unread":
            target = target_of(members[0], vocabulary)
        if target is None and len(members) == 2 and members[1].kind != "unread":
            last = target_of(members[1], vocabulary)
            if last is not None and last.kind == "derivative" and members[0].kind not in ("unread", "name"):
                members.reverse()
                target = last
                p.remark("the equation was read from right to left")
        if target is not None or members[0].kind == "unread":
            left, members, links = members[0], members[1:], links[1:]
    members = [_without_condition(p, member) for member in members]
    last_member = members[-1]
    if last_member.kind == "unread":
        start, end, suggestion = int(last_member.data[0]), int(last_member.data[1]), last_member.data[2]
        raise Misread(start, end, last_member.text, suggestion)
    if target is not None and target.indices:
        members = [_indexed(member, target.indices) for member in members]
    for node in walk(last_member):
        if node.kind == "ambiguous":
            p.remark(f"ambiguous {node.text}: every reading is tried")
    for word in stretch.words:
        if word.strip(" ,.;:").lower().split(" ")[0] in OTHERWISE:
            start = stretch.tokens[0].start
            raise Misread(start, length, "Cases in words are not read.", "Write \\begin{cases} … \\end{cases}.")
    if stretch.words:
        p.remark("words beside the formula were left out")
    start = stretch.tokens[0].start
    return Reading(tuple(members), target, tuple(p.remarks), tuple(links), left, start, stretch.tokens[-1].end)


def _indexed(member: Syntax, indices: tuple[str, ...]) -> Syntax:
    if not uses(member, indices):
        return member
    return Syntax("indexed", member.start, member.end, (member,), "", None, indices)


def _without_condition(p: Parser, member: Syntax) -> Syntax:
    """`4/x \\quad (x \\neq 0)`: a relation in brackets behind the formula is a comment."""
    found = without_comment(member)
    if found is None:
        return member
    p.remark("the condition behind the formula was taken as a comment")
    if not decides_values(member.args[-1]):
        return found[0]
    return Syntax("ambiguous", member.start, member.end, found, "whether the condition is a comment")


def parse_target(text: str, vocabulary: Vocabulary | None = None) -> Target:
    """The target an author writes down: `dL/dtheta`, `x1`, `\\nabla_\\theta L`.  Raises ValueError if there is none."""
    words = vocabulary or Vocabulary()
    try:
        latex = "\\" in text or "{" in text
        tokens = scan(text, latex, words)
        parser = Parser(tokens, words, latex, len(text))
        node = parser.sum()
        found = target_of(node, words) if parser.peek() == "end" else None
    except Misread as trouble:
        raise ValueError(f"{text!r} is no left-hand side: {trouble.message}") from None
    if found is None:
        raise ValueError(f"{text!r} is no left-hand side")
    if found.kind == "name" and vocabulary is None:
        return Target("name", canonical(found.name), found.wrt, found.indices)
    return found


def inner_chains(syntax: Syntax) -> tuple[Syntax, ...]:
    """Chains of equalities inside a formula, such as in the cells of a matrix.  Each is a node of kind `chain`."""
    return tuple(node for node in walk(syntax) if node.kind == "chain")


def unknown_names(syntax: Syntax, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Names in a formula that the question does not have, in order; index letters and constants left out."""
    found: dict[str, None] = {}
    letters = {part.text for node in walk(syntax) if node.kind == "big" for part in walk(node.args[1])}
    subscripts = {id(sub) for node in walk(syntax) if node.kind == "index" for sub in node.args[1:]}
    for node in walk(syntax):
        if node.kind != "name" or node.data == ("func",) or id(node) in subscripts or node.text in letters:
            continue
        if node.text in vocabulary.known or node.text in vocabulary.bases or node.text in _EVERYWHERE:
            continue
        found[node.text] = None
    return tuple(found)


_EVERYWHERE = frozenset(("e", "pi", "T", "top", "I", "bold1", "bold0", "infty", "d", "partial", "reals", "star"))
