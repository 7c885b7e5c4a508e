"""Slips on the way to a right result: signs, dropped terms and factors, brackets, exchanged names, constant factors.

They need nothing but the right result itself, which is rewritten at one place at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from grader.malrules.malrule import MalRule, Setting
from reference import expression as E
from reference.expression import Expr, ordered, rebuild, rewrite
from reference.shapes import ShapeError

MAX_PLACES = 24
Change = Callable[[Expr], "Iterator[Expr]"]


def rewrite_once(expr: Expr, change: Change) -> Iterator[Expr]:
    """The expression with `change` applied at one place, for every place and every outcome."""
    places = 0
    for site in reversed(ordered([expr])):
        for new in _tried(change, site):
            places += 1
            if places > MAX_PLACES:
                return
            result = _put(expr, site, new)
            if result is not None:
                yield result


def _tried(change: Change, site: Expr) -> list[Expr]:
    try:
        return list(change(site))
    except ShapeError:
        return []


def _put(expr: Expr, site: Expr, new: Expr) -> Expr | None:
    if new.shape != site.shape and any(site in one.args and one.op in ("index", "reshape") for one in ordered([expr])):
        return None  # a place in an array that is no longer there
    try:
        return E.substitute(expr, {site: new})
    except ShapeError:
        return None


def rewrite_everywhere(expr: Expr, change: Callable[[Expr, tuple[Expr, ...]], Expr | None]) -> Expr | None:
    """The expression with every node for which `change` gives something replaced by it."""

    def rule(node: Expr, args: tuple[Expr, ...]) -> Expr:
        new = change(node, args)
        return rebuild(node, args) if new is None else new

    try:
        return rewrite((expr,), rule)[0]
    except ShapeError:
        return None


def _terms(setting: Setting) -> Iterator[Expr]:
    def drop(node: Expr) -> Iterator[Expr]:
        if node.op in ("add", "sub"):
            a, b = node.args
            if a.shape == node.shape:
                yield a
            if b.shape == node.shape:
                yield b if node.op == "add" else -b
        if node.op == "sum" and not node.shape and node.args[0].ndim == 1 and len(node.args[0]) <= 8:
            yield node.args[0][len(node.args[0]) - 1]
            yield node.args[0][0]

    yield from rewrite_once(setting.truth, drop)
    terms = list(flat_sum(setting.truth))
    if len(terms) > 2:
        yield from terms
        for i in range(len(terms)):
            yield _add(terms[:i] + terms[i + 1 :])


def flat_sum(expr: Expr) -> Iterator[Expr]:
    """The terms of a sum, with their signs, brackets around sums opened."""
    stack = [(expr, False)]
    while stack:
        node, negative = stack.pop()
        if node.op in ("add", "sub") and all(a.shape == node.shape for a in node.args):
            stack.append((node.args[1], negative != (node.op == "sub")))
            stack.append((node.args[0], negative))
        elif node.op == "neg":
            stack.append((node.args[0], not negative))
        else:
            yield -node if negative else node


def _add(terms: list[Expr]) -> Expr:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _signs(setting: Setting) -> Iterator[Expr]:
    yield -setting.truth

    def flip(node: Expr) -> Iterator[Expr]:
        if node.op == "add":
            yield node.args[0] - node.args[1]
            yield node.args[1] - node.args[0]
        elif node.op == "sub":
            yield node.args[0] + node.args[1]
            yield node.args[1] - node.args[0]
        elif node.op == "neg":
            yield node.args[0]
        elif node.op == "stack":
            for i in range(len(node.args)):
                yield E.stack([-p if i == j else p for j, p in enumerate(node.args)], node.attr("axis"))
        elif node.op == "exp":
            yield E.exp(-node.args[0])

    yield from rewrite_once(setting.truth, flip)


def _factors(setting: Setting) -> Iterator[Expr]:
    def drop(node: Expr) -> Iterator[Expr]:
        if node.op == "mul":
            for i in (0, 1):
                if node.args[1 - i].op != "constant" and node.args[i].shape == node.shape:
                    yield node.args[i]
                    if node.args[1 - i].op == "neg":
                        yield -node.args[i]
        elif node.op == "div":
            if node.args[0].shape == node.shape:
                yield node.args[0]
            yield 1 / node.args[1]

    yield from rewrite_once(setting.truth, drop)
    if setting.truth.op == "stack":
        kept = [_first_factor(a) for a in setting.truth.args]
        for choice in (0, 1):
            yield E.stack([pair[choice] for pair in kept], setting.truth.attr("axis"))
        yield E.stack([pair[i % 2] for i, pair in enumerate(kept)], setting.truth.attr("axis"))


def _first_factor(entry: Expr) -> tuple[Expr, Expr]:
    sign = False
    while entry.op == "neg":
        entry, sign = entry.args[0], not sign
    pair = (entry.args[0], entry.args[1]) if entry.op == "mul" else (entry, entry)
    out = []
    for part in pair:
        while part.op == "neg":
            part, sign = part.args[0], not sign
        out.append(part)
    return (-out[0], -out[1]) if sign else (out[0], out[1])


def _brackets(setting: Setting) -> Iterator[Expr]:
    def reread(node: Expr) -> Iterator[Expr]:
        if node.op == "mul":
            for whole, other in (node.args, node.args[::-1]):
                if whole.op in ("add", "sub"):
                    a, b = whole.args
                    yield E.apply(whole.op, a, b * other)
                    yield E.apply(whole.op, a * other, b)
        elif node.op == "div":
            a, b = node.args
            if b.op == "mul":
                yield a / b.args[0] * b.args[1]
            if b.op == "add":
                yield a / b.args[0] + b.args[1]
            if a.op in ("add", "sub"):
                yield E.apply(a.op, a.args[0], a.args[1] / b)
        elif node.op == "pow":
            base, exponent = node.args
            if base.op in ("add", "sub", "mul", "div"):
                yield E.apply(base.op, base.args[0], base.args[1] ** exponent)
            if base.op in ("add", "sub", "mul") and base.args[1].op == "exp":
                inner = base.args[1].args[0]
                yield E.apply(base.op, base.args[0], E.exp(-((-inner) ** exponent)))
                yield E.apply(base.op, base.args[0], E.exp(inner**exponent))
            if len(base.args) == 1:
                yield E.apply(base.op, base.args[0] ** exponent, **dict(base.attrs))
        elif len(node.args) == 1 and node.args[0].op == "pow" and node.op not in ("sum", "neg"):
            base, exponent = node.args[0].args
            yield E.apply(node.op, base, **dict(node.attrs)) ** exponent

    yield from rewrite_once(setting.truth, reread)

    def power_of_function(node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        if len(node.args) == 1 and node.op in FUNCTIONS and args[0].op == "pow":
            return E.apply(node.op, args[0].args[0]) ** args[0].args[1]
        return None

    every = rewrite_everywhere(setting.truth, power_of_function)
    if every is not None:
        yield every
    for kept in FUNCTIONS:

        def only(node: Expr, args: tuple[Expr, ...], kept: str = kept) -> Expr | None:
            return None if node.op == kept else power_of_function(node, args)

        every = rewrite_everywhere(setting.truth, only)
        if every is not None:
            yield every


FUNCTIONS = ("sin", "cos", "tan", "exp", "log", "sqrt", "tanh", "sinh", "cosh")
PARTNERS = {
    "sin": ("cos",),
    "cos": ("sin",),
    "sinh": ("cosh",),
    "cosh": ("sinh",),
    "sign": ("abs",),
    "abs": ("sign",),
    "tanh": ("sigmoid",),
    "sigmoid": ("tanh",),
}


def _partner_functions(setting: Setting) -> Iterator[Expr]:
    def swap(node: Expr) -> Iterator[Expr]:
        for partner in PARTNERS.get(node.op, ()):
            yield E.apply(partner, *node.args)

    for op, partners in PARTNERS.items():
        for partner in partners:

            def all_of(node: Expr, args: tuple[Expr, ...], op: str = op, partner: str = partner) -> Expr | None:
                return E.apply(partner, *args) if node.op == op else None

            every = rewrite_everywhere(setting.truth, all_of)
            if every is not None:
                yield every
    yield from rewrite_once(setting.truth, swap)


def _sign_function(setting: Setting) -> Iterator[Expr]:
    def one(node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        return E.ones(node.shape) if node.op == "sign" else None

    every = rewrite_everywhere(setting.truth, one)
    if every is not None:
        yield every


def _absolute_value(setting: Setting) -> Iterator[Expr]:
    """|u| or root u² for u, which is right for positive u only."""
    for site in E.symbols(setting.truth):
        if not site.shape:
            for node in ordered([setting.truth]):
                if site in node.args and node.op in ("mul", "div", "stack", "add", "sub"):
                    args = [E.abs(site) if a is site else a for a in node.args]
                    result = _put(setting.truth, node, rebuild(node, tuple(args)))
                    if result is not None:
                        yield result
            if setting.truth is site:
                yield E.abs(site)
    yield E.abs(setting.truth)


def _exponents(setting: Setting) -> Iterator[Expr]:
    def shift(node: Expr) -> Iterator[Expr]:
        if node.op == "pow" and node.args[1].op == "constant":
            for by in (1, -1):
                yield node.args[0] ** (node.args[1] + by)
        elif node.op == "exp" and node.args[0].op == "pow":
            yield E.exp(node.args[0].args[0]) ** node.args[0].args[1]
            yield E.exp(node.args[0].args[0])

    yield from rewrite_once(setting.truth, shift)
    for op in ("exp",):

        def outside(node: Expr, args: tuple[Expr, ...], op: str = op) -> Expr | None:
            return E.apply(op, args[0].args[0]) ** args[0].args[1] if node.op == op and args[0].op == "pow" else None

        every = rewrite_everywhere(setting.truth, outside)
        if every is not None:
            yield every


def _extra(setting: Setting) -> Iterator[Expr]:
    for name in E.symbols(setting.truth) + (setting.wrt if setting.wrt else ()):
        if name.shape in ((), setting.truth.shape):
            yield setting.truth * name
            yield setting.truth + name
    if setting.f is not None and setting.f.shape == setting.truth.shape:
        yield setting.truth + setting.f


def _names(setting: Setting) -> Iterator[Expr]:
    names = list(dict.fromkeys((*E.symbols(setting.truth), *setting.wrt, *_of(setting.f))))
    for old in E.symbols(setting.truth):
        for new in names:
            if new is not old and new.shape == old.shape:
                yield E.substitute(setting.truth, {old: new})
    for i, old in enumerate(names):
        for new in names[i + 1 :]:
            if new.shape == old.shape:
                yield E.substitute(setting.truth, {old: new, new: old})


def _of(f: Expr | None) -> tuple[Expr, ...]:
    return () if f is None else E.symbols(f)


SLIPS: tuple[MalRule, ...] = (
    MalRule("sign", "Check the signs.", _signs),
    MalRule(
        "sign.of_absolute_value", "The derivative of $|u|$ is the sign of $u$, which is not always one.", _sign_function
    ),
    MalRule("term.dropped", "A term is missing.", _terms),
    MalRule("factor.dropped", "A factor is missing.", _factors),
    MalRule("brackets", "Check the brackets: what exactly is raised to the power, multiplied, divided?", _brackets),
    MalRule("exponent", "Check the exponents.", _exponents),
    MalRule(
        "function.exchanged",
        "Check which function stands where; one was left undifferentiated or exchanged.",
        _partner_functions,
    ),
    MalRule("absolute_value", "An absolute value changes the result where its argument is negative.", _absolute_value),
    MalRule("extra", "There is a factor or term too many.", _extra),
    MalRule("variable.wrong", "Check which variable stands where.", _names),
)
