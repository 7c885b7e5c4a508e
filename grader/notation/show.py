"""How a formula was understood, printed so that its grouping shows."""

from __future__ import annotations

from fractions import Fraction

from grader.model import Notation
from grader.notation.syntax import Syntax
from grader.notation.tokens import GREEK_WORDS

_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_PLAIN_JOINS = {
    "join": "*", "star": "*", "dot": " . ", "times": "*", "odot": " ⊙ ", "otimes": " ⊗ ", "circ": " ∘ ",
    "each": ".*", "over": "/", "each_over": "./", "matmul": " @ ", "left_over": " \\ ",
}  # fmt: skip
_LATEX_JOINS = {
    "join": r"\,", "star": r"\cdot ", "dot": r"\cdot ", "times": r"\times ", "odot": r"\odot ", "otimes": r"\otimes ",
    "circ": r"\circ ", "each": r"\odot ", "over": "/", "each_over": r"\oslash ", "matmul": r"\,",
    "left_over": r"\backslash ",
}  # fmt: skip
_KNOWN = frozenset(
    [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "sinh",
        "cosh",
        "tanh",
        "coth",
        "arcsin",
        "arccos",
        "arctan",
        "exp",
        "log",
        "ln",
        "det",
        "max",
        "min",
    ]
)


def show_syntax(node: Syntax, notation: Notation) -> str:
    """One line in the notation asked for.  A long formula is cut at 2,000 characters."""
    text = _Printer(notation == "latex").show(node, 0)
    return text if len(text) <= 2000 else text[:2000] + " …"


class _Printer:
    """Prints with as few brackets as make the grouping plain."""

    def __init__(self, latex: bool) -> None:
        self.latex = latex

    def show(self, node: Syntax, level: int) -> str:
        text, own = self._parts(node)
        if own >= level:
            return text
        return rf"\left({text}\right)" if self.latex else f"({text})"

    def _parts(self, node: Syntax) -> tuple[str, int]:
        method = getattr(self, f"_{node.kind}", None)
        if method is None:
            return node.text or node.kind, _ATOM
        found: tuple[str, int] = method(node)
        return found

    def _number(self, node: Syntax) -> tuple[str, int]:
        value = node.value
        if isinstance(value, Fraction) and node.text == "decimal":
            return _decimal(value), _ATOM
        if isinstance(value, Fraction) and value.denominator != 1:
            return f"{value.numerator}/{value.denominator}", _PRODUCT
        return str(value), _ATOM

    def _name(self, node: Syntax) -> tuple[str, int]:
        return self._spell(node.text), _ATOM

    def _spell(self, name: str) -> str:
        if not self.latex:
            return {"bold1": "1", "bold0": "0", "top": "T", "infty": "oo"}.get(name, name)
        special = {"bold1": r"\mathbf{1}", "bold0": r"\mathbf{0}", "top": r"\top", "infty": r"\infty", "star": "*"}
        if name in special:
            return special[name]
        base, _, sub = name.partition("_")
        for accent in ("hat", "bar", "tilde", "dot"):
            if base.endswith(accent) and len(base) > len(accent):
                return rf"\{accent}{{{self._spell(base[: -len(accent)])}}}" + (f"_{{{sub}}}" if sub else "")
        if base in GREEK_WORDS or base == "partial":
            base = f"\\{base}"
        elif len(base) > 1:
            base = rf"\mathrm{{{base}}}"
        return base + (f"_{{{sub}}}" if sub else "")

    def _sum(self, node: Syntax) -> tuple[str, int]:
        out = ""
        for sign, term in zip(node.data, node.args, strict=True):
            shown = self.show(term, _PRODUCT)
            if term.kind == "negative":
                shown = self.show(term, _ATOM)
            out += (f" {sign} " if out else ("-" if sign == "-" else "")) + shown
        return out, _SUM

    def _negative(self, node: Syntax) -> tuple[str, int]:
        return "-" + self.show(node.args[0], _PRODUCT), _SUM

    def _product(self, node: Syntax) -> tuple[str, int]:
        joins = _LATEX_JOINS if self.latex else _PLAIN_JOINS
        out = self.show(node.args[0], _PRODUCT)
        for join, factor in zip(node.data, node.args[1:], strict=True):
            level = _POWER if factor.kind in ("product", "negative", "number", "sum") else _PRODUCT
            if factor.kind == "fraction" and not self.latex:
                level = _POWER
            mark = joins.get(join, "*")
            if mark == r"\," and factor.kind == "number":
                mark = r"\cdot "
            out += mark + self.show(factor, level)
        return out, _PRODUCT

    def _fraction(self, node: Syntax) -> tuple[str, int]:
        above, below = node.args
        if self.latex:
            return rf"\frac{{{self.show(above, 0)}}}{{{self.show(below, 0)}}}", _POWER
        return f"{self.show(above, _PRODUCT)}/{self.show(below, _POWER)}", _PRODUCT

    def _power(self, node: Syntax) -> tuple[str, int]:
        base, exponent = node.args
        shown = self.show(base, _ATOM)
        if self.latex:
            return f"{shown}^{{{self.show(exponent, 0)}}}", _POWER
        mark = ".^" if node.data == ("each",) else "^"
        return f"{shown}{mark}{self.show(exponent, _ATOM)}", _POWER

    def _index(self, node: Syntax) -> tuple[str, int]:
        subs = ",".join(self.show(sub, 0) for sub in node.args[1:])
        base = self.show(node.args[0], _ATOM)
        if self.latex:
            return f"{base}_{{{subs}}}", _ATOM
        return (f"{base}_{subs}" if subs.isalnum() else f"{base}_{{{subs}}}"), _ATOM

    def _prime(self, node: Syntax) -> tuple[str, int]:
        count = node.value if isinstance(node.value, int) else 1
        return self.show(node.args[0], _ATOM) + "'" * count, _ATOM

    def _factorial(self, node: Syntax) -> tuple[str, int]:
        return self.show(node.args[0], _ATOM) + "!", _ATOM

    def _call(self, node: Syntax) -> tuple[str, int]:
        head, inner = node.args[0], ", ".join(self.show(arg, 0) for arg in node.args[1:])
        name = self._head(head)
        return (rf"{name}\left({inner}\right)" if self.latex else f"{name}({inner})"), _ATOM

    def _head(self, head: Syntax) -> str:
        if head.kind == "name" and head.data == ("func",) and self.latex:
            return f"\\{head.text}" if head.text in _KNOWN else rf"\operatorname{{{head.text}}}"
        if head.kind in ("power", "index", "prime") and head.args[0].data == ("func",):
            inner = self._head(head.args[0])
            text, _ = self._parts(head)
            plain = self.show(head.args[0], _ATOM)
            return inner + text[len(plain) :]
        return self.show(head, _ATOM)

    def _ambiguous(self, node: Syntax) -> tuple[str, int]:
        return self._parts(node.args[0])

    def _root(self, node: Syntax) -> tuple[str, int]:
        inner = self.show(node.args[0], 0)
        if len(node.args) == 1:
            return (rf"\sqrt{{{inner}}}" if self.latex else f"sqrt({inner})"), _ATOM
        degree = self.show(node.args[1], 0)
        if self.latex:
            return rf"\sqrt[{degree}]{{{inner}}}", _ATOM
        return f"({inner})^(1/{self.show(node.args[1], _ATOM)})", _POWER

    def _abs(self, node: Syntax) -> tuple[str, int]:
        inner = self.show(node.args[0], 0)
        return (rf"\left|{inner}\right|" if self.latex else f"|{inner}|"), _ATOM

    def _norm(self, node: Syntax) -> tuple[str, int]:
        inner = self.show(node.args[0], 0)
        return (rf"\left\|{inner}\right\|" if self.latex else f"||{inner}||"), _ATOM

    def _inner(self, node: Syntax) -> tuple[str, int]:
        inner = ", ".join(self.show(arg, 0) for arg in node.args)
        return (rf"\left\langle {inner}\right\rangle" if self.latex else f"dot({inner})"), _ATOM

    def _tuple(self, node: Syntax) -> tuple[str, int]:
        inner = ", ".join(self.show(arg, 0) for arg in node.args)
        return (rf"\left({inner}\right)" if self.latex else f"({inner})"), _ATOM

    def _list(self, node: Syntax) -> tuple[str, int]:
        inner = ("; " if node.text == "column" else ", ").join(self.show(arg, 0) for arg in node.args)
        return (rf"\left[{inner}\right]" if self.latex else f"[{inner}]"), _ATOM

    def _grid(self, node: Syntax) -> tuple[str, int]:
        width = int(node.data[0])
        rows = [node.args[k : k + width] for k in range(0, len(node.args), width)]
        if self.latex:
            body = r" \\ ".join(" & ".join(self._cell(cell) for cell in row) for row in rows)
            return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}", _ATOM
        return "[" + "; ".join(", ".join(self._cell(cell) or "0" for cell in row) for row in rows) + "]", _ATOM

    def _cell(self, cell: Syntax) -> str:
        return "" if cell.kind == "nothing" else self.show(cell, 0)

    def _chain(self, node: Syntax) -> tuple[str, int]:
        return self.show(node.args[-1], 0), 0

    def _relation(self, node: Syntax) -> tuple[str, int]:
        return f" {node.text} ".join(self.show(arg, 1) for arg in node.args), 0

    def _cases(self, node: Syntax) -> tuple[str, int]:
        pairs = [(self.show(node.args[k], 0), node.args[k + 1]) for k in range(0, len(node.args), 2)]
        if self.latex:
            rows = r" \\ ".join(f"{value} & {self._condition(condition)}" for value, condition in pairs)
            return rf"\begin{{cases}} {rows} \end{{cases}}", _ATOM
        return "{" + "; ".join(f"{value} if {self._condition(condition)}" for value, condition in pairs) + "}", _ATOM

    def _condition(self, node: Syntax) -> str:
        if node.kind == "otherwise":
            return r"\text{otherwise}" if self.latex else "otherwise"
        if node.kind == "chain":
            return " = ".join(self.show(arg, 0) for arg in node.args)
        return self.show(node, 0)

    def _big(self, node: Syntax) -> tuple[str, int]:
        body, lower, upper = node.args
        low = self._condition(lower) if lower.kind != "nothing" else ""
        high = self.show(upper, 0) if upper.kind != "nothing" else ""
        if self.latex:
            head = f"\\{node.text}" + (f"_{{{low}}}" if low else "") + (f"^{{{high}}}" if high else "")
            return f"{head} {self.show(body, _PRODUCT)}", _PRODUCT
        head = node.text + (f"_{{{low}}}" if low else "") + (f"^{{{high}}}" if high else "")
        return f"{head} {self.show(body, _PRODUCT)}", _PRODUCT

    def _derivative(self, node: Syntax) -> tuple[str, int]:
        body = node.args[0]
        by = [self.show(v, _ATOM) for v in node.args[1:]]
        shown = "" if body.kind == "nothing" else self.show(body, _ATOM)
        if node.text == "nabla":
            sub = ",".join(by)
            mark = r"\nabla" if self.latex else "∇"
            return mark + (f"_{{{sub}}}" if sub else "") + f" {shown}", _PRODUCT
        d = (r"\partial " if self.latex else "∂") if node.text == "partial" else "d"
        order = f"^{len(by)}" if len(by) > 1 else ""
        below = " ".join(f"{d}{v}" for v in by)
        if self.latex:
            return rf"\frac{{{d}{order} {shown}}}{{{below}}}", _POWER
        return f"{d}{order}{shown}/{below}", _PRODUCT

    def _indexed(self, node: Syntax) -> tuple[str, int]:
        return self._parts(node.args[0])

    def _dots(self, node: Syntax) -> tuple[str, int]:
        return (r"\dots" if self.latex else "..."), _ATOM

    def _nothing(self, node: Syntax) -> tuple[str, int]:
        return "", _ATOM


def _decimal(value: Fraction) -> str:
    """A decimal number as it was meant: 0.5, not 1/2."""
    digits, denominator = 0, value.denominator
    while denominator % 10 == 0 or denominator % 2 == 0 or denominator % 5 == 0:
        step = 10 if denominator % 10 == 0 else 2 if denominator % 2 == 0 else 5
        denominator //= step
        digits += 1
    if digits > 30:
        return str(value)
    scaled = str(abs(value.numerator) * 10**digits // value.denominator).rjust(digits + 1, "0")
    text = f"{scaled[:-digits]}.{scaled[-digits:]}" if digits else scaled
    sign = "-" if value < 0 else ""
    return sign + (text.rstrip("0").rstrip(".") if "." in text else text)
