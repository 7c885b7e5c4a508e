"""Tokens to syntax: precedence climbing, one pass, bounded in depth and steps.

Sums hold products, products hold factors, a factor is an atom with its scripts; see `atoms`, `calls`, `calculus`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from grader.notation import atoms, calls, indicators
from grader.notation.syntax import Syntax
from grader.notation.tokens import MAX_DEPTH, MAX_SCRIPTS, MAX_STEPS, Token
from grader.notation.unreadable import Misread
from grader.notation.vocabulary import Vocabulary

END = "end"
_STARTS = frozenset(
    ["num", "name", "func", "text", "cmd", "sum", "open", "{", "env_open", "bar", "bars", "accent", "dots", "nil"]
) - {"text", "nil"}
_CLOSING = frozenset(("close", "}", "env_close"))


class Parser:
    """A cursor over the tokens of one text.  Fails by raising Misread at the first token not understood."""

    __slots__ = (
        "bars", "depth", "failed", "i", "kinds", "latex", "remarks", "row_list", "size", "splits", "steps", "tokens",
        "vocabulary",
    )  # fmt: skip

    def __init__(self, tokens: list[Token], vocabulary: Vocabulary, latex: bool, length: int) -> None:
        self.size = len(tokens)
        self.tokens = [*tokens, Token(END, "", length, length)]
        self.kinds = [t.kind for t in self.tokens]
        self.vocabulary = vocabulary
        self.latex = latex
        self.i = 0
        self.depth = 0
        self.steps = 0
        self.bars: list[str] = []  # bars open around here, innermost last
        self.row_list = False  # inside [2 1 3], where blanks separate
        self.remarks: list[str] = []
        self.splits: list[tuple[int, Token]] = []  # `||` taken apart, so that a failed attempt can undo it
        self.failed: set[tuple[str, int, int]] = set()  # attempts that came to nothing, so that none is made twice

    # -- moving ------------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self.tokens[self.i]

    def peek(self, ahead: int = 0) -> str:
        at = self.i + ahead
        return self.kinds[at] if at < self.size else END

    def take(self) -> Token:
        token = self.tokens[self.i]
        if self.i < self.size:  # the end stays where it is
            self.i += 1
        return token

    def last_end(self) -> int:
        return self.tokens[self.i - 1].end if self.i else 0

    def remark(self, text: str) -> None:
        if text not in self.remarks and len(self.remarks) < 8:
            self.remarks.append(text)

    def fail(self, message: str, suggestion: str = "", token: Token | None = None) -> Misread:
        where = token or self.token
        return Misread(where.start, where.end, message, suggestion)

    def descend(self) -> None:
        """One level deeper; the caller goes up again with `self.depth -= 1`."""
        self.depth += 1
        self.steps += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"This is nested more than {MAX_DEPTH} levels deep.")
        if self.steps > MAX_STEPS:
            raise self.fail("This answer is too involved to be read.")

    def attempt(self, what: str, parse: Callable[[], Syntax]) -> Syntax | None:
        """The result of `parse`, or None with the cursor back where it was; `what` tells attempts apart."""
        key = (what, self.i, len(self.bars))
        if key in self.failed:
            return None
        splits = len(self.splits)
        saved = (self.i, self.depth, list(self.bars), self.row_list, list(self.remarks))
        try:
            return parse()
        except Misread:
            self.i, self.depth, self.bars, self.row_list, self.remarks = saved
            while len(self.splits) > splits:
                at, token = self.splits.pop()
                self.tokens[at], self.kinds[at] = token, token.kind
            if self.steps > MAX_STEPS:
                raise
            self.failed.add(key)
            return None

    def unexpected(self) -> Misread:
        """What to say about a token that cannot stand here."""
        token = self.token
        if token.kind == END:
            if self.i and self.tokens[self.i - 1].kind in "+-*/^_=rel":
                before = self.tokens[self.i - 1]
                return self.fail("The formula stops after this sign.", "Something is missing behind it.", before)
            return self.fail("There is nothing to read here.")
        if token.kind == "bad":
            return self.fail(_BAD.get(token.text, f"`{token.text}` is not understood here."))
        if token.kind in _CLOSING:
            return self.fail(f"This closing `{token.text}` has no opening partner or nothing before it.")
        if token.kind == "text":
            return self.fail(f"The word `{token.text}` is not understood here.")
        return self.fail(f"`{token.text}` cannot stand here.")

    # -- expressions -------------------------------------------------------------------------------------------

    def sum(self) -> Syntax:
        start = self.token.start
        signs: list[str] = []
        terms: list[Syntax] = []
        sign = self.sign()
        while True:
            term = self.product()
            signs.append(sign)
            terms.append(term)
            kind = self.peek()
            if kind not in ("+", "-") or (self.row_list and self._starts_cell()):
                break
            sign = self.take().kind
            if self.peek() in ("+", "-"):  # a + -b
                sign = "-" if (sign == "-") != (self.sign() == "-") else "+"
        if len(terms) == 1:
            if signs[0] == "+":
                return terms[0]
            return Syntax("negative", start, terms[0].end, (terms[0],))
        whole = Syntax("sum", start, terms[-1].end, tuple(terms), "", None, tuple(signs))
        return indicators.whole_sum_at(whole) or whole

    def sign(self) -> str:
        """Leading signs, any number of them, as one."""
        negative = False
        while self.peek() in ("+", "-"):
            negative ^= self.take().kind == "-"
        return "-" if negative else "+"

    def _starts_cell(self) -> bool:
        """In `[1 -2]` the minus opens a new entry: blank before, none behind."""
        return self.token.spaced and not self.tokens[self.i + 1].spaced

    def starts_factor(self) -> bool:
        """Could a factor follow by juxtaposition?"""
        kind = self.peek()
        if kind in ("bar", "bars") and (self.bars or self.peek(1) == "_"):
            return False
        if kind not in _STARTS or (kind == "bar" and not self._is_paired()):
            return False
        return not (self.row_list and self.token.spaced)

    def _is_paired(self) -> bool:
        """Is there another bar behind this one, before the bracket around it closes?"""
        depth = 0
        for at in range(self.i + 1, self.size):
            kind = self.kinds[at]
            depth += (kind in ("open", "{", "env_open")) - (kind in _CLOSING)
            if depth < 0:
                return False
            if depth == 0 and kind in ("bar", "bars"):
                return True
        return False

    def product(self) -> Syntax:
        first = self.factor()
        kind = self.peek()
        if kind not in ("*", "/") and kind not in _STARTS:
            return indicators.read_evaluation(self, first) if indicators.at_bar(self) else first
        factors, joins, glued = [first], [], []
        while True:
            kind = self.peek()
            if kind in ("*", "/"):
                if self.row_list and self.token.spaced and not self.tokens[self.i + 1].spaced and kind == "*":
                    break
                joins.append(self.take().text)
                factors.append(self.signed_factor())
            elif self.starts_factor():
                spaced = self.token.spaced
                if mixed_number(self, factors[-1], spaced):
                    factors[-1] = read_mixed(self, factors[-1])
                    continue
                _refuse_number_after_number(self, factors[-1])
                joins.append("join")
                if not spaced and len(joins) > 1 and joins[-2] in ("over", "glued"):
                    joins[-1] = "glued"
                    glued.append(len(factors))
                factors.append(self.factor())
                indicator = indicators.joined_indicator(self, factors[-2], factors[-1])
                if indicator is not None:
                    factors[-2:] = [indicator]
                    joins.pop()
                    if glued and glued[-1] == len(factors):
                        glued.pop()
                    continue
                if not spaced or self.latex:
                    atoms.join_mixed_number(factors, joins)
            else:
                break
        if not joins:
            whole = factors[0]
        elif glued:
            whole = calls.slash_readings(factors, joins)
        else:
            whole = Syntax("product", first.start, factors[-1].end, tuple(factors), "", None, tuple(joins))
        return indicators.read_evaluation(self, whole) if indicators.at_bar(self) else whole

    def signed_factor(self) -> Syntax:
        """A factor that may carry a sign, as in `2 \\cdot -x`."""
        start = self.token.start
        if self.peek() in ("+", "-"):
            sign = self.sign()
            factor = self.factor()
            return factor if sign == "+" else Syntax("negative", start, factor.end, (factor,))
        return self.factor()

    def atom(self) -> Syntax:
        read = atoms.ATOMS.get(self.kinds[self.i])
        if read is None:
            raise self.unexpected()
        return read(self)

    def factor(self) -> Syntax:
        self.descend()
        node = self.atom()
        kind = self.kinds[self.i]
        if kind in _POSTFIX:
            node = self.postfix(node)
        self.depth -= 1
        return node

    def postfix(self, node: Syntax) -> Syntax:
        """Scripts, primes, factorials, calls and Python indices behind an atom."""
        raised = False  # has an exponent been read here, without a bracket around it?
        for _ in range(MAX_SCRIPTS):
            kind = self.kinds[self.i]
            if kind == "^":
                node = atoms.read_superscript(self, node, raised)
                raised = True
            elif kind == "_":
                node = atoms.read_subscript(self, node)
            elif kind == "'":
                node = atoms.with_prime(node, self.take())
            elif kind == "!":
                token = self.take()
                node = Syntax("factorial", node.start, token.end, (node,))
            elif kind == "method":
                node = calls.read_method(self, node)
            elif kind == "open":
                called = calls.read_call(self, node)
                if called is None:
                    return node
                node = called
            else:
                return node
        raise self.fail("There are too many scripts and primes here.")


_POSTFIX = frozenset(("^", "_", "'", "!", "open", "method"))
_BAD = {
    "?": "A question mark is not an answer yet.",
    "∫": "Integrals are not read here.",
    "lim": "Limits are not read here.",
    "±": "`±` stands for two answers.",
    "∓": "`∓` stands for two answers.",
    "argmax": "`argmax` is not read here.",
    "argmin": "`argmin` is not read here.",
}


def mixed_number(parser: Parser, before: Syntax, spaced: bool) -> bool:
    """Plain `4 3/4`: a whole number, a blank, a proper fraction of two numerals."""
    if parser.latex or not spaced or [parser.peek(k) for k in range(3)] != ["num", "/", "num"]:
        return False
    above, below = parser.tokens[parser.i].text, parser.tokens[parser.i + 2].text
    whole = before.kind == "number" and isinstance(before.value, int)
    return whole and above.isdigit() and below.isdigit() and int(above) < int(below)


def read_mixed(parser: Parser, before: Syntax) -> Syntax:
    above, _, below = (parser.take() for _ in range(3))
    part = Fraction(int(above.text), int(below.text))
    assert isinstance(before.value, int)
    parser.remark("a number with a fraction behind it was read as a mixed number")
    return Syntax("number", before.start, below.end, (), "", before.value + part)


def _refuse_number_after_number(parser: Parser, before: Syntax) -> None:
    """`2 3` is no product anybody means; `x^2 3` lacks braces or a sign."""
    token = parser.token
    if token.kind != "num":
        return
    if before.kind == "number" or (before.kind == "power" and before.args[1].kind == "number" and parser.latex):
        raise parser.fail(
            "Two numbers stand side by side without a sign between them.",
            "Put a `\\cdot`, a comma or braces." if parser.latex else "Put a `*` or a comma.",
        )
