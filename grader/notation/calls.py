"""Brackets with their entries, calls, functions without brackets, and the ambiguities these bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.notation import slices
from grader.notation.groups import is_decimal_comma, place, read_group, read_links, read_over
from grader.notation.indicators import is_condition
from grader.notation.lexicon import BARE
from grader.notation.syntax import Syntax
from grader.notation.tokens import Token

if TYPE_CHECKING:
    from grader.notation.parser import Parser

_PARTNER = {"(": ")", "[": "]", "{": "}", "<": ">"}
_GATHERING = frozenset(("sum", "prod", "max", "min", "mean"))


def read_entries(p: Parser, opening: Token) -> Syntax:
    """What stands between brackets: one formula, a list, rows of a matrix.  The opening bracket is taken."""
    first = p.i
    saved, bars = p.row_list, p.bars
    p.bars = []
    p.descend()
    p.row_list = opening.text == "[" and not p.latex and _is_row_list(p)
    rows, marks = _read_rows(p, opening)
    if ";" in marks and "," in marks and _mark_decimal_commas(p, first, opening, rows):
        p.i = first
        rows, marks = _read_rows(p, opening)
    p.depth -= 1
    p.row_list, p.bars = saved, bars
    return _entries(p, opening, rows, marks)


def _read_rows(p: Parser, opening: Token) -> tuple[list[list[Syntax]], list[str]]:
    """Entries row by row, and the separators met; the closing bracket is taken."""
    rows: list[list[Syntax]] = [[]]
    marks: list[str] = []
    partner = _PARTNER.get(opening.text, ")")
    while True:
        kind = p.peek()
        if kind == "close" and p.token.text == partner and (rows != [[]] or opening.text == "["):
            break
        entry = read_over(p, p.sum())
        if p.peek() == "rel":
            entry = read_links(p, entry)
        if p.peek() == "text" and p.token.text == "for":
            entry = _read_generator(p, entry)
        rows[-1].append(entry)
        kind = p.peek()
        if kind == "sep" and p.token.text == "quad" and opening.text in "([":
            p.kinds[p.i] = kind = ","
        if kind == "bar" and opening.text == "(":  # p(x | z)
            p.kinds[p.i] = kind = ","
        if kind in (",", ";", "row", "line"):
            marks.append(";" if kind in (";", "row", "line") else ",")
            p.take()
            while p.peek() in ("line", "sep"):
                p.take()
            if marks[-1] == ";":
                rows.append([])
            continue
        if kind == "close" and p.token.text == partner:
            break
        if p.row_list and kind not in ("end", "close"):
            marks.append(" ")
            continue
        raise _unclosed(p, opening)
    p.take()
    if rows[-1] == [] and len(rows) > 1:
        rows.pop()
    return rows, marks


def _unclosed(p: Parser, opening: Token) -> Exception:
    if p.peek() == "close":
        return p.fail(f"This `{p.token.text}` closes a bracket that was opened with `{opening.text}`.")
    if p.peek() in ("end", "row", "&", "}", "env_close", "dollar", "line", "sep"):
        return p.fail(
            f"The bracket `{opening.text}` that opens here is never closed.",
            f"Add a `{_PARTNER.get(opening.text, ')')}`.",
            place(opening.start, opening.end - opening.start),
        )
    return p.unexpected()


def _is_row_list(p: Parser) -> bool:
    """`[2 1 3]`: at its own level no comma, and a blank between two operands."""
    depth, at, blanks = 0, p.i, False
    ends = frozenset(("num", "name", "close", "}"))
    starts = frozenset(("num", "name", "func", "open"))
    while at < p.size:
        token = p.tokens[at]
        if token.kind in ("open", "{"):
            depth += 1
        elif token.kind in ("close", "}"):
            if depth == 0:
                return blanks
            depth -= 1
        elif (depth == 0 and token.kind == "text") or (depth == 0 and token.kind == ","):
            return False
        if depth == (1 if token.kind == "open" else 0) and token.spaced and at > p.i:
            before = p.tokens[at - 1].kind
            signed = token.kind in ("-", "+") and not p.tokens[at + 1].spaced
            blanks |= before in ends and (token.kind in starts or signed)
        at += 1
    return False


def _mark_decimal_commas(p: Parser, first: int, opening: Token, rows: list[list[Syntax]]) -> bool:
    """In `(0,5; 4)` the commas are decimal where no matrix could be meant.  Marks them; True where it did."""
    ragged = len({len(row) for row in rows}) > 1
    if not (ragged or opening.text == "(" or p.vocabulary.decimal_comma):
        return False
    commas = [at for at in range(first, p.i) if p.kinds[at] == ","]
    if not all(is_decimal_comma(p, at) for at in commas):
        return False
    for at in commas:
        p.kinds[at] = "comma"
    p.remark("commas between digits were read as decimal commas")
    return True


def _entries(p: Parser, opening: Token, rows: list[list[Syntax]], marks: list[str]) -> Syntax:
    start, end = opening.start, p.last_end()
    flat = tuple(entry for row in rows for entry in row)
    if not flat:
        raise p.fail("These brackets are empty.", token=place(start, end - start))
    if opening.text == "<":
        if len(flat) != 2:
            raise p.fail("An inner product has two parts, separated by a comma.", token=place(start, end - start))
        return Syntax("inner", start, end, flat)
    if not marks:
        return flat[0]
    if ";" in marks and len(rows) > 1 and any(len(row) > 1 for row in rows):
        width = max(len(row) for row in rows)
        if opening.text == "{" and all(len(row) == 2 and is_condition(row[1]) for row in rows):
            return Syntax("cases", start, end, flat)
        if any(len(row) != width for row in rows):
            raise p.fail("The rows of this matrix have different lengths.", token=place(start, end - start))
        return Syntax("grid", start, end, flat, "matrix", None, (str(width),))
    if opening.text == "[" and " " in marks and len(rows) == 1 and not _are_numbers(flat):
        one = Syntax("product", flat[0].start, flat[-1].end, flat, "", None, ("join",) * (len(flat) - 1))
        many = Syntax("list", start, end, flat, "row")
        return Syntax("ambiguous", start, end, (many, one), "blanks between entries or factors")
    text = "column" if ";" in marks else "row" if " " in marks else ""
    return Syntax("list" if opening.text in "[{" else "tuple", start, end, flat, text)


def _are_numbers(entries: tuple[Syntax, ...]) -> bool:
    return all(e.kind in ("number", "negative", "fraction") or (e.kind == "product" and "over" in e.data)
               for e in entries)  # fmt: skip


def _read_generator(p: Parser, body: Syntax) -> Syntax:
    """Python's `… for i in range(3)` behind its body."""
    start = p.take().start
    if p.peek() != "name":
        raise p.unexpected()
    name = p.take()
    index = Syntax("name", name.start, name.end, (), name.text)
    if not (p.peek() == "text" and p.token.text == "in"):
        raise p.fail("Only `for i in range(…)` is read here.", token=place(start, 3))
    p.take()
    if not (p.peek() == "name" and p.token.text == "range" and p.peek(1) == "open"):
        raise p.fail("Only `for i in range(…)` is read here.", token=place(start, 3))
    p.take()
    bounds = read_entries(p, p.take())
    pair = bounds.args if bounds.kind == "tuple" else (bounds,)
    zero = Syntax("number", name.start, name.end, (), "", 0)
    one = Syntax("number", name.start, name.end, (), "", 1)
    low, high = (pair[0], pair[1]) if len(pair) > 1 else (zero, pair[0])
    last = Syntax("sum", high.start, high.end, (high, one), "", None, ("+", "-"))
    lower = Syntax("chain", name.start, low.end, (index, low), "", None, ("=",))
    return Syntax("big", body.start, p.last_end(), (body, lower, last), "list", None, ("python",))


# -- calls -----------------------------------------------------------------------------------------------------------


def base_name(node: Syntax) -> Syntax | None:
    """The name under the scripts of a head: f of f'_1^2."""
    while node.kind in ("index", "power", "prime"):
        node = node.args[0]
    return node if node.kind == "name" else None


def read_call(p: Parser, node: Syntax) -> Syntax | None:
    """A bracket behind `node` as arguments or as a Python index; None where it is a factor."""
    opening = p.token
    if opening.text == "[" and _takes_index(p, node):
        p.take()
        sliced = slices.read_bracket_slice(p)
        if sliced is not None:
            return Syntax("index", node.start, p.last_end(), (node, *sliced), "", None, ("bracket",))
        inner = read_entries(p, opening)
        subs = inner.args if inner.kind in ("tuple", "list") else (inner,)
        if any(sub.kind == "tuple" for sub in subs):
            raise p.fail("This index is not understood.", token=opening)
        typed = ",".join(t.text for t in p.tokens[p.i - 2 : p.i - 1]) if len(subs) == 1 else ""
        if node.kind == "index":
            return node._replace(end=p.last_end(), args=node.args + subs, text=f"{node.text},{typed}")
        return Syntax("index", node.start, p.last_end(), (node, *subs), typed, None, ("bracket",))
    if opening.text not in ("(", "["):
        return None
    if node.kind == "derivative":
        return _read_evaluated(p, node)
    if opening.text == "[" and p.latex is False and opening.spaced:
        return None
    head = base_name(node)
    if node.kind == "prime" and head is None and p.kinds[p.i + 1] == "name" and p.kinds[p.i + 2] == "close":
        p.take()  # (fg)'(x)
        return Syntax("call", node.start, p.last_end(), (node, read_entries(p, opening)))
    if head is None or not _is_callable(p, node, head):
        return None
    p.take()
    inner = read_entries(p, opening)
    args = inner.args if inner.kind == "tuple" else (inner,)
    return Syntax("call", node.start, p.last_end(), (node, *args))


def read_method(p: Parser, node: Syntax) -> Syntax:
    """`z.sum()`: numpy's spelling of sum(z)."""
    token = p.take()
    head = Syntax("name", token.start, token.end, (), token.text, None, ("func",))
    return Syntax("call", node.start, token.end, (head, node))


def _takes_index(p: Parser, node: Syntax) -> bool:
    """Is `x[…]` an entry of x?  In plain text behind a name without a blank; in LaTeX of a declared array only."""
    if p.token.spaced or node.kind not in ("name", "index"):
        return False
    head = base_name(node)
    if head is None or head.text in ("e", "pi"):
        return False
    declared = p.vocabulary.declared.get(head.text)
    is_array = declared is not None and declared.shape != ()
    is_family = any(other.startswith(f"{head.text}_") for other in p.vocabulary.bases.get(head.text, ()))
    is_entry = not p.latex and p.peek(1) in ("num", "name") and p.peek(2) == "close"  # x[1], x[i]: never x times 1
    return (
        is_array
        or (is_family and (is_entry or head.text not in p.vocabulary.known))
        or is_entry
        or (not p.latex and head.text not in p.vocabulary.known)
    )


def _is_callable(p: Parser, node: Syntax, head: Syntax) -> bool:
    vocabulary = p.vocabulary
    name = head.text
    if vocabulary.is_function(name) or (node.kind == "index" and vocabulary.is_function(key_of(node))):
        return True
    symbol = vocabulary.declared.get(name)
    while node.kind in ("index", "power"):
        node = node.args[0]
    if node.kind == "prime":
        return symbol is None or symbol.shape == ()
    if name in vocabulary.defined or name in vocabulary.other_names:
        return p.tokens[p.i + 1].kind == "name" and p.tokens[p.i + 2].kind in ("close", ",")
    other = vocabulary.declared.get(name.swapcase())
    if len(name) == 1 and other is not None and other.shape:  # x_i of a matrix X
        return False
    if symbol is not None or name in ("e", "pi", "T", "top", "bold1", "bold0", "I", "infty", "partial", "d"):
        return False
    return name not in vocabulary.bases


def key_of(node: Syntax) -> str:
    """Canonical name of a name with a subscript: `W_1`."""
    head = base_name(node)
    return f"{head.text if head else ''}_{node.text}"


def _read_evaluated(p: Parser, node: Syntax) -> Syntax | None:
    """`\\frac{df}{dx}(x)`: names in brackets behind a derivative say where it is taken."""
    at = p.i + 1
    depth = 0
    while p.kinds[at] in ("name", ",", "{", "}", "_", "num", "accent"):
        depth += 1
        at += 1
    body = node.args[0]
    if not depth or p.kinds[at] != "close" or base_name(body) is None or p.kinds[p.i + 1] == "num":
        return None
    opening = p.take()
    inner = read_entries(p, opening)
    args = inner.args if inner.kind == "tuple" else (inner,)
    return Syntax("call", node.start, p.last_end(), (node, *args))


def read_function(p: Parser) -> Syntax:
    """A known function with its scripts and its argument, bracketed or bare."""
    from grader.notation import atoms, calculus

    token = p.tokens[p.i]
    name = token.text
    if name in _GATHERING and p.peek(1) in ("_", "^") and p.peek(1) == "_":
        return calculus.read_big(p, name)
    p.i += 1
    if name == "grad" and p.peek() != "open":
        return calculus.read_nabla(p, token.start)
    head = Syntax("name", token.start, token.end, (), name, None, ("func",))
    while p.peek() in ("^", "_", "'"):
        if p.peek() == "'":
            head = atoms.with_prime(head, p.take())
        elif p.peek() == "^":
            if not p.latex and p.peek(1) not in ("num", "{", "-", "open"):
                break
            head = _plain_power(p, head) if not p.latex else atoms.read_superscript(p, head)
        else:
            head = atoms.read_subscript(p, head)
    kind = p.peek()
    if kind == "open" and p.token.text in ("(", "[", "{"):
        inner = read_entries(p, p.take())
        if inner.kind == "big" and inner.text == "list" and name in _GATHERING:
            return inner._replace(start=head.start, end=p.last_end(), text=name)
        args = inner.args if inner.kind == "tuple" else (inner,)
        if name in ("sum", "Sum", "prod") and len(args) == 2 and args[1].kind == "tuple" and len(args[1].args) == 3:
            index, low, high = args[1].args  # Sum(f, (i, 1, 3))
            lower = Syntax("chain", index.start, low.end, (index, low), "", None, ("=",))
            return Syntax("big", head.start, p.last_end(), (args[0], lower, high), name.lower())
        return Syntax("call", head.start, p.last_end(), (head, *args))
    if kind == "{" and p.latex:
        return _read_braced_argument(p, head)
    if name not in BARE:
        raise p.fail(f"`{token.text}` needs its argument in brackets.", token=token)
    return _read_bare(p, head, token)


def _plain_power(p: Parser, head: Syntax) -> Syntax:
    """Plain `sin^2(x)`, `sin^-1(x)`: the exponent is one number or one bracket."""
    from grader.notation.groups import one_token

    p.take()
    sign = p.take() if p.peek() == "-" else None
    exponent = one_token(p)
    if sign is not None:
        exponent = Syntax("negative", sign.start, exponent.end, (exponent,))
    return Syntax("power", head.start, exponent.end, (head, exponent))


def _read_braced_argument(p: Parser, head: Syntax) -> Syntax:
    """`\\sin{2x}`; behind `\\sin{x}^2` the power may belong to either."""
    from grader.notation import atoms

    argument = read_group(p)
    args = argument.args if argument.kind == "tuple" else (argument,)
    call = Syntax("call", head.start, p.last_end(), (head, *args))
    if p.peek() != "^" or len(args) > 1:
        return call
    outside = atoms.read_superscript(p, call)
    inside = Syntax("power", argument.start, outside.end, (argument, outside.args[1]), outside.text)
    within = Syntax("call", head.start, outside.end, (head, inside))
    return Syntax("ambiguous", head.start, outside.end, (within, outside), "what the power belongs to")


def _read_bare(p: Parser, head: Syntax, token: Token) -> Syntax:
    """A function without brackets: how far it reaches may be ambiguous, then all readings are kept."""
    start = p.token.start
    negative = p.peek() == "-"
    if p.peek() in ("+", "-"):
        p.take()
    if not p.starts_factor() and p.peek() not in ("bar", "bars"):
        raise p.fail(f"`{token.text}` needs its argument.", token=token)
    bracketed = p.peek() in ("bar", "bars", "open")
    factors = [p.factor()]
    while p.peek() != "func" and p.starts_factor() and p.peek() != "dots":
        if p.peek() == "num":
            raise p.fail("Two things stand side by side that cannot be multiplied like this.", "Put a sign between.")
        factors.append(p.factor())
    if negative:
        factors[0] = Syntax("negative", start, factors[0].end, (factors[0],))
    reaches = [1] if bracketed else _reaches(factors)
    over = None
    if p.peek() == "/" and not p.token.spaced and not p.tokens[p.i + 1].spaced and not bracketed:
        join = p.take().text
        over = (join, p.signed_factor())
    readings = [_reading(head, factors, reach, over) for reach in reaches]
    if over is not None:
        whole = _joined([*factors, over[1]], ["join"] * (len(factors) - 1) + [over[0]])
        readings.append(Syntax("call", head.start, whole.end, (head, whole)))
    if len(readings) == 1:
        return readings[0]
    return Syntax("ambiguous", head.start, readings[0].end, tuple(readings), f"how far `{token.text}` reaches")


def _reaches(factors: list[Syntax]) -> list[int]:
    """Numbers of factors a bare function may take, likeliest first."""
    simple = 0
    while simple < len(factors) and _is_simple(factors[simple]):
        simple += 1
    least = 0
    while least < len(factors) - 1 and _is_coefficient(factors[least]):
        least += 1
    out = [max(simple, least + 1)]
    for reach in (least + 1, len(factors)):
        if reach not in out:
            out.append(reach)
    return out


def _is_coefficient(node: Syntax) -> bool:
    if node.kind == "fraction":
        return all(_is_coefficient(part) for part in node.args)
    return node.kind == "number" or (node.kind == "name" and node.text == "pi")


def _is_simple(node: Syntax) -> bool:
    if node.kind in ("index", "power", "prime"):
        return _is_simple(node.args[0]) and node.args[0].text not in ("e", "")
    return node.kind in ("number", "name", "fraction")


def _reading(head: Syntax, factors: list[Syntax], reach: int, over: tuple[str, Syntax] | None) -> Syntax:
    argument = _joined(factors[:reach], ["join"] * (reach - 1))
    call = Syntax("call", head.start, argument.end, (head, argument), "", None, ("bare",))
    rest = [call, *factors[reach:]]
    joins = ["join"] * (len(rest) - 1)
    if over is not None:
        rest.append(over[1])
        joins.append(over[0])
    return _joined(rest, joins)


def _joined(factors: list[Syntax], joins: list[str]) -> Syntax:
    if len(factors) == 1:
        return factors[0]
    return Syntax("product", factors[0].start, factors[-1].end, tuple(factors), "", None, tuple(joins))


def slash_readings(factors: list[Syntax], joins: list[str]) -> Syntax:
    """`1/2x`: x beside the fraction, or below its bar."""
    flat = _joined(factors, ["join" if j == "glued" else j for j in joins])
    below: list[Syntax] = [factors[0]]
    kept: list[str] = []
    for join, factor in zip(joins, factors[1:], strict=True):
        if join == "glued":
            last = below[-1]
            inner = [*last.args, factor] if last.kind == "product" and last.text == "below" else [last, factor]
            below[-1] = _joined(inner, ["join"] * (len(inner) - 1))._replace(text="below")
        else:
            below.append(factor)
            kept.append(join)
    grouped = _joined(below, kept)
    return Syntax("ambiguous", flat.start, flat.end, (flat, grouped), "what stands below the slash")
