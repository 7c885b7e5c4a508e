"""Atoms of a formula: numbers, names, brackets, bars, groups, fractions, roots, scripts, grids."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from grader.notation import calculus, calls, grids, indicators, slices
from grader.notation.groups import coefficient, one_token, place, read_argument, read_group, read_number, skip_argument
from grader.notation.syntax import Syntax
from grader.notation.tokens import Token

if TYPE_CHECKING:
    from grader.notation.parser import Parser

CLOSERS = {"(": (")", "]"), "[": ("]", ")"), "{": ("}",), "|": ("|",), "||": ("||",), "<": (">",), ".": (")", "]", "|")}


def read_name(p: Parser) -> Syntax:
    token = p.tokens[p.i]
    text = token.text
    if (text == "partial" or (text == "d" and "d" not in p.vocabulary.known)) and p.peek(1) not in ("end", "}"):
        found = calculus.read_differential(p)
        if found is not None:
            return found
    if text == "Sigma" and p.peek(1) == "_" and "Sigma" not in p.vocabulary.known and p.peek(2) in ("{", "name"):
        return calculus.read_big(p, "sum")
    p.i += 1
    node = Syntax("name", token.start, token.end, (), text)
    if text == "delta" and _has_bare_indices(p):
        p.i -= 1
        p.remark("`\\delta{…}` was read with its subscripts")
        return read_subscript(p, node)
    return node


def _has_bare_indices(p: Parser) -> bool:
    """Is this the {ik} of `\\delta{ik}`, written for `\\delta_{ik}`?"""
    if not p.latex or p.token.spaced or "delta" in p.vocabulary.known:
        return False
    return [p.peek(k) for k in range(4)] == ["{", "name", "name", "}"]


def join_mixed_number(factors: list[Syntax], joins: list[str]) -> None:
    """`1\\frac12` is one and a half, or a half: both are kept."""
    if len(factors) < 2 or joins[-1] != "join":
        return
    whole, part = factors[-2], factors[-1]
    proper = (
        part.kind == "fraction"
        and all(arg.kind == "number" and isinstance(arg.value, int) for arg in part.args)
        and int(part.args[0].value or 0) < int(part.args[1].value or 0)
    )
    if not (proper and whole.kind == "number" and isinstance(whole.value, int)) or (len(joins) > 1):
        return
    times = Syntax("product", whole.start, part.end, (whole, part), "", None, ("join",))
    mixed = Syntax("sum", whole.start, part.end, (whole, part), "", None, ("+", "+"))
    factors[-2:] = [Syntax("ambiguous", whole.start, part.end, (times, mixed), "product or mixed number")]
    joins.pop()


def read_accent(p: Parser) -> Syntax:
    accent = p.take()
    p.descend()
    node = read_group(p) if p.peek() == "{" else one_token(p)
    p.depth -= 1
    return _accented(p, node, accent.text, accent.start)


def _accented(p: Parser, node: Syntax, accent: str, start: int) -> Syntax:
    if node.kind == "name":
        return node._replace(text=node.text + accent, start=start)
    if node.kind in ("index", "power", "prime"):
        return node._replace(args=(_accented(p, node.args[0], accent, start), *node.args[1:]), start=start)
    raise p.fail(f"A {accent} over this is not understood.", token=p.tokens[p.i - 1])


def read_bracket(p: Parser) -> Syntax:
    """( ), [ ], { }, | |, < >: grouping, a list, an absolute value, an inner product."""
    opening = p.take()
    if opening.text in ("|", "||"):
        return _read_bars(p, opening.text, opening.start, sided=True)
    if opening.text == ".":
        return _read_open_left(p, opening)
    return calls.read_entries(p, opening)


def _read_open_left(p: Parser, opening: Token) -> Syntax:
    """`\\left. … \\right|_{x=2}`: an evaluation; any other right side is a bracket."""
    bars, p.bars = p.bars, ["."]
    p.descend()
    body = p.sum()
    p.depth -= 1
    p.bars = bars
    if p.peek() not in ("close", "bar"):
        raise p.fail("The `\\left.` that opens here is never closed.", token=opening)
    if p.token.text == "|" and p.peek(1) == "_":
        return indicators.read_evaluation(p, body)
    p.take()
    return body


def read_bars(p: Parser) -> Syntax:
    """Bars that do not say which side they are: one in front of an operand opens."""
    token = p.take()
    if token.kind == "bars":
        found = p.attempt("norm", lambda: _read_bars(p, "||", token.start, sided=False))
        if found is not None:
            return found
        inner = p.attempt("two bars", lambda: _read_double_as_single(p, token.start))
        if inner is not None:
            return inner
    return _read_bars(p, "||" if token.kind == "bars" else "|", token.start, sided=False)


def _read_double_as_single(p: Parser, start: int) -> Syntax:
    """`||x|-1|`: an absolute value inside another."""
    p.bars.append("|")
    factors, joins = [p.postfix(_read_bars(p, "|", start + 1, sided=False))], []
    while p.peek() in ("*", "/") or p.starts_factor():
        joins.append(p.take().text if p.peek() in ("*", "/") else "join")
        factors.append(p.signed_factor())
    first, last = factors[0], factors[-1]
    product = Syntax("product", first.start, last.end, tuple(factors), "", None, tuple(joins)) if joins else first
    signs, terms = ["+"], [product]
    while p.peek() in ("+", "-"):
        signs.append(p.take().kind)
        terms.append(p.product())
    p.bars.pop()
    if p.peek() != "bar":
        raise p.fail("This bar `|` is never closed.")
    end = p.take().end
    body = terms[0]
    if len(terms) > 1:
        body = Syntax("sum", first.start, terms[-1].end, tuple(terms), "", None, tuple(signs))
    return Syntax("abs", start, end, (body,))


def _read_bars(p: Parser, mark: str, start: int, sided: bool) -> Syntax:
    saved, p.row_list = p.row_list, False
    p.bars.append(mark)
    inner = p.sum()
    p.bars.pop()
    p.row_list = saved
    token = p.token
    if token.kind == "bars" and mark == "|" and not sided:  # |x||y|: the first of the two closes
        p.splits.append((p.i, token))
        p.tokens[p.i] = token._replace(kind="bar", text="|", start=token.start + 1, spaced=False)
        p.kinds[p.i] = "bar"
        return Syntax("abs", start, token.start + 1, (inner,))
    closes = token.text == mark and token.kind in (("close", "bar", "bars") if sided else ("bar", "bars", "close"))
    if not closes and mark == "||" and token.text == "|" and p.tokens[p.i + 1].text == "|":
        p.take()
        token, closes = p.token, True
    if not closes:
        raise p.fail(f"The bar `{mark}` that opens here is never closed.", token=place(start, len(mark)))
    p.take()
    return Syntax("abs" if mark == "|" else "norm", start, token.end, (inner,))


def read_superscript(p: Parser, base: Syntax, stacked: bool = False) -> Syntax:
    """Behind `^`: an exponent, a transpose sign, a label; primes there are primes.

    `stacked`: the base ends in an exponent of its own, no bracket around it, so that `x^a^b` is x^(a^b).
    """
    mark = p.take()
    first = p.i
    kind = p.peek()
    if kind == "'" or (kind == "{" and p.peek(1) == "'"):
        return _read_primes(p, base)
    entrywise = kind == "{" and p.peek(1) == "*" and p.tokens[p.i + 1].text in ("odot", "circ") and p.peek(2) != "}"
    if entrywise:
        exponent = _entrywise_exponent(p)
    elif kind == "{":
        exponent = _script_group(p)
    elif kind == "*":
        star = p.take()
        exponent = Syntax("name", star.start, star.end, (), "star")
    elif p.latex:
        sign = p.take() if kind in ("+", "-") else None
        exponent = _one_script(p)
        if sign is not None and sign.kind == "-":
            exponent = Syntax("negative", sign.start, exponent.end, (exponent,))
    else:
        exponent = p.signed_factor()
        if base.text == "e" and exponent.kind in ("number", "negative") and p.peek() == "name" and not p.token.spaced:
            return _glued_exponent(p, base, exponent)
    text = "".join(t.text for t in p.tokens[first : p.i] if t.kind not in ("{", "}", "open", "close"))
    if (
        stacked
        and base.kind == "power"
        and p.latex
        and exponent.kind != "name"
        and base.args[1].text not in ("T", "top", "t")
    ):
        exponent = Syntax("power", base.args[1].start, exponent.end, (base.args[1], exponent), text)
        base = base.args[0]
    data = ("each",) if mark.text == "each" or entrywise else ()
    if p.tokens[first].text == "{" and p.tokens[first + 1].kind == "open":
        data = ("bracketed",)
    return Syntax("power", base.start, p.last_end(), (base, exponent), text, None, data)


def _entrywise_exponent(p: Parser) -> Syntax:
    """The 2 of `g^{\\odot 2}`."""
    p.i += 2
    exponent = p.sum()
    if p.peek() != "}":
        raise p.unexpected()
    p.take()
    return exponent


def _one_script(p: Parser) -> Syntax:
    """In LaTeX a script without braces is one token; a whole number is taken whole, since `x^12` means that."""
    if p.peek() == "num":
        token = p.token
        if len(token.text) > 1:
            p.remark(f"`{token.text}` was read as one number; TeX sets it so only inside braces")
        return read_number(p)
    return one_token(p)


def _glued_exponent(p: Parser, base: Syntax, exponent: Syntax) -> Syntax:
    """Plain `e^2x`, `e^-2x`: e to the 2x, or e² times x."""
    end = exponent.end
    factors = [exponent]
    while p.peek() == "name" and not p.token.spaced:
        factors.append(p.factor())
    joins = ("join",) * (len(factors) - 1)
    whole = Syntax("product", exponent.start, p.last_end(), tuple(factors), "", None, joins)
    if exponent.kind == "negative":
        inner = (exponent.args[0], *factors[1:])
        product = Syntax("product", inner[0].start, p.last_end(), inner, "", None, joins)
        whole = Syntax("negative", exponent.start, p.last_end(), (product,))
    one = Syntax("power", base.start, p.last_end(), (base, whole))
    first = Syntax("power", base.start, end, (base, exponent))
    two = Syntax("product", base.start, p.last_end(), (first, *factors[1:]), "", None, joins)
    return Syntax("ambiguous", base.start, p.last_end(), (one, two), "how far the exponent goes")


def with_prime(node: Syntax, token: Token) -> Syntax:
    """One more prime on a node that may have some."""
    count = int(token.text)
    if node.kind == "prime" and isinstance(node.value, int):
        return node._replace(end=token.end, value=node.value + count)
    return Syntax("prime", node.start, token.end, (node,), "", count)


def _read_primes(p: Parser, base: Syntax) -> Syntax:
    count = 0
    grouped = p.peek() == "{"
    if grouped:
        p.take()
    while p.peek() == "'":
        count += int(p.take().text)
    if grouped:
        if p.peek() != "}":
            raise p.unexpected()
        p.take()
    return Syntax("prime", base.start, p.last_end(), (base,), "", count)


def _script_group(p: Parser) -> Syntax:
    """`{…}` as a script: an expression, a list, or a label with odd signs in it."""
    if p.peek(1) == "*" and p.peek(2) == "}":
        p.take()
        star = p.take()
        p.take()
        return Syntax("name", star.start, star.end, (), "star")
    if p.peek(1) in ("text", "func") and p.peek(2) == "}":
        p.take()
        word = p.take()
        p.take()
        return Syntax("name", word.start, word.end, (), word.text)
    node = read_group(p)
    if node.kind == "nothing":
        raise p.fail("These braces are empty.", token=place(node.start - 1, 2))
    return node


def read_subscript(p: Parser, base: Syntax) -> Syntax:
    """Behind `_`: one or several subscripts, `{ij}` being two where letters stand side by side."""
    p.take()
    first = p.i
    kind = p.peek()
    if kind == "+":
        return indicators.positive_part(base, p.take().end)
    sliced = slices.read_script_slice(p) if kind == "{" else None
    if sliced is not None:
        return Syntax("index", base.start, p.last_end(), (base, *sliced), "")
    if kind == "{":
        if p.peek(1) == "+" and p.peek(2) == "}":
            p.i += 3
            return indicators.positive_part(base, p.last_end())
        node = _script_group(p)
        indicator = indicators.subscript_indicator(base, node)
        if indicator is not None:
            return indicator._replace(end=p.last_end())
    elif kind in ("num", "name", "func", "text"):
        token = p.take()
        number = int(token.text) if token.text.isdigit() else None
        node = Syntax("name" if number is None else "number", token.start, token.end, (), token.text, number)
        if number is not None:
            node = node._replace(text="")
    else:
        node = one_token(p)
    text = ",".join(_script_parts(p.tokens[first : p.i]))
    subs = node.args if node.kind in ("tuple", "list") else (node,)
    flat = tuple(part for sub in subs for part in _letters(sub))
    if base.kind == "index":  # x_1_2
        return base._replace(end=p.last_end(), args=base.args + flat, text=f"{base.text},{text}")
    return Syntax("index", base.start, p.last_end(), (base, *flat), text)


def _script_parts(tokens: list[Token]) -> list[str]:
    """The subscript as typed, split at its commas."""
    out = [""]
    for token in tokens:
        if token.kind in (",", ";", "comma"):
            out.append("")
        elif token.kind not in ("{", "}", "open", "close"):
            out[-1] += "-" if token.kind == "-" else token.text
    return out


def _letters(sub: Syntax) -> tuple[Syntax, ...]:
    """`ij` side by side are two subscripts, `2n` is one."""
    if sub.kind == "product" and set(sub.data) == {"join"} and all(a.kind in ("name", "number") for a in sub.args):
        return sub.args
    if sub.kind == "number" and isinstance(sub.value, int) and 10 <= sub.value <= 99:
        return (sub,)
    return (sub,)


def read_fraction(p: Parser, start: int) -> Syntax:
    found = calculus.read_fraction_derivative(p, start)
    if found is not None:
        return found
    above = read_argument(p)
    below = read_argument(p)
    return Syntax("fraction", start, p.last_end(), (above, below))


def read_root(p: Parser, start: int) -> Syntax:
    """`\\sqrt[3]{x}`, `√x`."""
    degree: Syntax | None = None
    if p.peek() == "open" and p.token.text == "[" and p.latex:
        p.take()
        degree = p.sum()
        if p.peek() != "close":
            raise p.unexpected()
        p.take()
    grouped = p.peek() == "{"
    inner = read_argument(p) if p.latex or grouped else p.factor()
    while p.latex and not grouped and p.peek() == "_":  # \\sqrt t_3
        inner = read_subscript(p, inner)
    args = (inner,) if degree is None else (inner, degree)
    return Syntax("root", start, p.last_end(), args)


def read_command(p: Parser) -> Syntax:
    token = p.take()
    name = token.text
    p.descend()
    node = COMMANDS[name](p, token.start) if name in COMMANDS else None
    p.depth -= 1
    if node is None:
        raise p.fail(f"`\\{name}` cannot stand here.", token=token)
    return node


def _read_binom(p: Parser, start: int) -> Syntax:
    above, below = read_argument(p), read_argument(p)
    column = Syntax("grid", start, p.last_end(), (above, below), "binom", None, ("1",))
    number = coefficient(above, below, start, p.last_end())
    return Syntax("ambiguous", start, p.last_end(), (column, number), "column or binomial coefficient")


def _read_brace(p: Parser, start: int) -> Syntax:
    """`\\underbrace{…}_{…}`: what it embraces."""
    node = read_argument(p)
    while p.peek() in ("_", "^"):
        p.take()
        skip_argument(p)
    return node


def _read_overset(p: Parser, start: int) -> Syntax:
    skip_argument(p)
    return read_argument(p)


def _read_wrapped(kind: str) -> Callable[[Parser, int], Syntax]:
    def read(p: Parser, start: int) -> Syntax:
        inner = read_argument(p)
        return Syntax(kind, start, p.last_end(), (inner,))

    return read


def _read_reals(p: Parser, start: int) -> Syntax:
    return Syntax("name", start, p.last_end(), (), "reals")


COMMANDS: dict[str, Callable[[Parser, int], Syntax]] = {
    "frac": read_fraction,
    "binom": _read_binom,
    "sqrt": read_root,
    "root": lambda p, start: Syntax("root", start, p.last_end(), (p.factor(),)),
    "nabla": calculus.read_nabla,
    "brace": _read_brace,
    "overset": _read_overset,
    "norm": _read_wrapped("norm"),
    "abs": _read_wrapped("abs"),
    "reals": _read_reals,
    "dv": calculus.read_physics_derivative("d"),
    "pdv": calculus.read_physics_derivative("partial"),
}

ATOMS: dict[str, Callable[[Parser], Syntax]] = {
    "num": read_number,
    "name": read_name,
    "func": calls.read_function,
    "cmd": read_command,
    "sum": lambda p: calculus.read_big(p, p.token.text),
    "open": read_bracket,
    "{": read_group,
    "env_open": grids.read_environment,
    "bar": read_bars,
    "bars": read_bars,
    "accent": read_accent,
    "dots": lambda p: Syntax("dots", p.token.start, p.token.end, (), p.take().text),
}
