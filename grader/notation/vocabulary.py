"""What the names of a question mean: domains, shapes, functions, definitions.  Written by authors, so errors raise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Literal

from grader.notation.lexicon import CONSTANTS, FUNCTIONS
from grader.notation.tokens import GREEK, GREEK_WORDS

Size = int | str
Shape = tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """Domain and shape of a symbol.  `domain`: real, positive, nonzero, interval, integer; lo and hi where bounded.

    `shape` is () for a scalar, (n,) for a vector, (m, n) for a matrix; a size is a number or a name.
    """

    domain: str = "real"
    shape: Shape = ()
    lo: Fraction | None = None
    hi: Fraction | None = None


@dataclass(frozen=True, slots=True)
class FunctionDeclaration:
    """An abstract differentiable function.

    Elementwise functions map a scalar and act on every entry of an array.  Others take arguments of the shapes
    `arguments` to a result of shape `result`.  `parameters` are the arguments meant where none are written.
    """

    elementwise: bool = True
    arguments: tuple[Shape, ...] = ((),)
    result: Shape = ()
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """`name(parameters) = text`, text in `notation`; a value when there are no parameters."""

    name: str
    text: str
    parameters: tuple[str, ...] = ()
    notation: Literal["plain", "latex"] = "plain"


_NUMBER = r"[-+−]?\d+(?:\.\d*)?(?:/\d+)?(?:e[-+]?\d{1,3})?|[-+]?(?:oo|inf|infinity|∞)"
_INTERVAL = re.compile(rf"[\[(]\s*({_NUMBER})\s*,\s*({_NUMBER})\s*[\])]")
_SHAPE = re.compile(
    r"\b(?:(row|column)\s+)?(vector|matrix)\b\s*(?:of\s+)?"
    r"\(?\s*([A-Za-z]\w*|\d+)?\s*(?:(?:x|×|X|\*|,|by)\s*([A-Za-z]\w*|\d+))?\s*\)?"
)
_COMPACT = re.compile(r"matrix\s+([A-Za-z]|\d+)x([A-Za-z]\w*|\d+)")
_DOMAINS = {"real": "real", "positive": "positive", "nonzero": "nonzero", "non-zero": "nonzero", "integer": "integer"}


def _size(text: str) -> Size:
    return int(text) if text.isdigit() else text


def _bound(text: str) -> Fraction | None:
    return None if text.lstrip("+-−") in ("oo", "inf", "infinity", "∞") else Fraction(text.replace("−", "-"))


def parse_declaration(text: str) -> Declaration | FunctionDeclaration:
    """Read `real`, `[lo, hi]`, `integer [0, 9]`, `positive vector n`, `matrix 2x3`, `function (D, E) -> 1`, …

    Raises ValueError with a sentence for the author.
    """
    stripped = " ".join(text.split())
    if stripped.startswith("function"):
        return _parse_function(stripped)
    shape: Shape = ()
    rest = stripped
    found = _COMPACT.search(stripped) or _SHAPE.search(stripped)
    if found:
        shape = _found_shape(found, stripped)
        rest = stripped[: found.start()] + stripped[found.end() :]
    interval = _INTERVAL.search(rest)
    lo = hi = None
    if interval:
        lo, hi = _bound(interval[1]), _bound(interval[2])
        if lo is not None and hi is not None and lo > hi:
            raise ValueError(f"the interval in {text!r} is empty: its lower end is above its upper end")
        rest = rest[: interval.start()] + rest[interval.end() :]
    words = rest.replace(",", " ").split()
    unknown = [word for word in words if word not in _DOMAINS and word not in ("scalar", "of", "in")]
    if unknown:
        raise ValueError(
            f"{text!r} is not a domain or shape; use real, positive, nonzero, [lo, hi], integer [lo, hi], "
            "vector n, matrix MxN or function"
        )
    domain = next((_DOMAINS[word] for word in words if word in _DOMAINS), "interval" if interval else "real")
    if interval and domain == "real":
        domain = "interval"
    return Declaration(domain, shape, lo, hi)


def _found_shape(found: re.Match[str], text: str) -> Shape:
    if found.re is _COMPACT:
        return (_size(found[1]), _size(found[2]))
    row, kind, first, second = found.groups()
    if first is None or (kind == "matrix" and second is None):
        raise ValueError(f"{text!r} gives no sizes; write for example 'vector 3' or 'matrix 2x3'")
    if kind == "vector":
        if second is not None:
            raise ValueError(f"{text!r}: a vector has one size")
        return (1, _size(first)) if row == "row" else (_size(first),)
    return (_size(first), _size(second))


_SIGNATURE = re.compile(r"^function\s*(elementwise)?\s*(?:of\s*)?(?:\((.*)\))?\s*(?:(?:->|→)\s*(.+))?$")


def _parse_function(text: str) -> FunctionDeclaration:
    found = _SIGNATURE.match(text)
    if not found:
        raise ValueError(f"{text!r} is no function; write 'function', 'function elementwise' or 'function (D, E) -> 1'")
    elementwise, arguments, result = found.groups()
    if elementwise or (arguments is None and result is None):
        return FunctionDeclaration()
    shapes = tuple(_argument_shape(part) for part in (arguments or "1").split(","))
    return FunctionDeclaration(False, shapes, _argument_shape(result or "1"))


def _argument_shape(text: str) -> Shape:
    part = text.strip().removeprefix("vector").removeprefix("matrix").removeprefix("real").removeprefix("scalar")
    sizes = [size.strip() for size in re.split(r"[x×]", part.strip()) if size.strip()]
    if not all(re.fullmatch(r"\d+|[A-Za-z]\w*", size) for size in sizes) or len(sizes) > 2:
        raise ValueError(f"{text!r} is not the shape of an argument; write 1, n or MxN")
    return () if sizes in ([], ["1"]) else tuple(_size(size) for size in sizes)


_ACCENTS = r"hat|bar|tilde|dot|ddot|widehat|widetilde|overline"
_NAME = re.compile(r"([A-Za-z]+|\d*)(\d*)(.*)", re.DOTALL)


@lru_cache(maxsize=4096)  # a few names, asked for again and again
def canonical(text: str) -> str:
    """One spelling for `x1`, `x_1`, `x_{1}`, `x[1]`, `\\mathbf{x}_1`: `x_1`; for `W^{(l)}`, `W^l`: `W^l`."""
    out = "".join(GREEK.get(c, c) for c in text.strip().strip("$"))
    out = re.sub(rf"\\?\b({_ACCENTS})\b\s*\{{?\\?([A-Za-z]+)\}}?", _accented, out)
    out = re.sub(r"\\(?:mathbf|boldsymbol|bm|vec|mathrm|mathcal|text|operatorname|underline|mathit)\b", "", out)
    out = re.sub(r"\\var(?=epsilon|phi|theta|sigma|rho)", "", out)
    out = out.replace("\\", "").replace("{", "").replace("}", "").replace(" ", "")
    out = re.sub(r"\[([^\]]*)\]", r"_\1", out).replace("(", "").replace(")", "")
    base, _, sup = out.partition("^")
    base, extra, sub = base.partition("_")
    if "_" in sup:
        sup, _, late = sup.partition("_")
        extra, sub = "_", (sub + "," + late if sub else late)
    letters, digits, _rest = _NAME.match(base).groups()  # type: ignore[union-attr]
    if letters and digits and letters + digits == base:
        sub = f"{digits},{sub}" if extra and sub else digits
        base, extra = letters, "_"
    sub = sub.replace("_", ",")
    return base + ("_" + sub if sub else "") + ("^" + sup if sup else "")


def _accented(found: re.Match[str]) -> str:
    accent = {"widehat": "hat", "widetilde": "tilde", "overline": "bar"}.get(found[1], found[1])
    return found[2] + accent


@lru_cache(maxsize=4096)
def head_and_parameters(key: str) -> tuple[str, tuple[str, ...]]:
    """`sigma(x)` → ("sigma", ("x",));  `y` → ("y", ())."""
    found = re.fullmatch(r"\s*([^(]+?)\s*\(\s*([^()]*)\)\s*", key)
    if found and "^" not in found[1]:
        return canonical(found[1]), tuple(canonical(part) for part in found[2].split(","))
    return canonical(key), ()


@dataclass(frozen=True)
class Vocabulary:
    """The names of a question and its conventions.  Keys in any spelling (`x1`, `x_1`, `\\theta`, `p(x, z)`).

    `log`: what `\\log` without a base means.  `layout`: derivative of a scalar by a vector, "numerator" a row,
    "denominator" a column, "any" whichever conforms.  `aliases`: another spelling → the declared name.
    `variable`: what a bare prime differentiates by, "" where the symbols leave no doubt.
    """

    symbols: Mapping[str, Declaration] = field(default_factory=dict)
    functions: Mapping[str, FunctionDeclaration] = field(default_factory=dict)
    definitions: Mapping[str, Definition | str] = field(default_factory=dict)
    log: Literal["natural", "decimal"] = "natural"
    decimal_comma: bool = False
    layout: Literal["any", "numerator", "denominator"] = "any"
    aliases: Mapping[str, str] = field(default_factory=dict)
    variable: str = ""

    @cached_property
    def declared(self) -> dict[str, Declaration]:
        """Canonical name → declaration of a symbol."""
        return {head_and_parameters(key)[0]: value for key, value in self.symbols.items()}

    @cached_property
    def applied(self) -> dict[str, FunctionDeclaration]:
        """Canonical name → declaration of an abstract function, its usual arguments included."""
        out = {}
        for key, value in self.functions.items():
            name, parameters = head_and_parameters(key)
            out[name] = self._with_shapes(_with_parameters(value, parameters))
        return out

    def _with_shapes(self, function: FunctionDeclaration) -> FunctionDeclaration:
        """`p(x, z)` declared as a bare `function` takes the shapes of x and z from their own declarations."""
        if not function.elementwise or len(function.parameters) < 2:
            return function
        shapes = tuple(self.declared[p].shape if p in self.declared else () for p in function.parameters)
        return FunctionDeclaration(False, shapes, function.result, function.parameters)

    @cached_property
    def defined(self) -> dict[str, Definition]:
        """Canonical name → definition."""
        out = {}
        for key, value in self.definitions.items():
            name, parameters = head_and_parameters(key)
            if isinstance(value, str):
                value = Definition(name, value, parameters, "latex" if "\\" in value else "plain")
            out[name] = value
        return out

    @cached_property
    def other_names(self) -> dict[str, str]:
        return {canonical(key): canonical(value) for key, value in self.aliases.items()}

    @cached_property
    def spelled(self) -> dict[str, str]:
        """Canonical name → the author's own spelling, which names the symbol in expressions."""
        out = {}
        for key in (*self.symbols, *self.functions):
            name, parameters = head_and_parameters(key)
            out[name] = key.split("(")[0].strip() if parameters else key
        return out

    @cached_property
    def known(self) -> frozenset[str]:
        """Every canonical name with a meaning."""
        return frozenset(self.declared) | set(self.applied) | set(self.defined) | set(self.other_names)

    @cached_property
    def spellings(self) -> dict[str, tuple[str, str]]:
        """Words of running text that are one name: spelling → (kind, canonical name)."""
        table = dict(_common_spellings())
        for name in self.known:
            for spelling in _spellings(name):
                table[spelling] = ("name", name)
        return table

    @cached_property
    def size_names(self) -> frozenset[str]:
        """Names of sizes in the shapes of symbols."""
        return frozenset(size for d in self.declared.values() for size in d.shape if isinstance(size, str))

    @cached_property
    def longest(self) -> int:
        return max((len(word) for word in self.spellings), default=1)

    @cached_property
    def bases(self) -> dict[str, list[str]]:
        """Base letter → the names that begin with it: `x` → [`x_1`, `x_2`]."""
        table: dict[str, list[str]] = {}
        for name in sorted(self.known):
            table.setdefault(re.split(r"[_^]", name)[0], []).append(name)
        return table

    def is_function(self, name: str) -> bool:
        """Does `name(…)` apply something, rather than multiply?"""
        name = self.other_names.get(name, name)
        if name in self.applied:
            return True
        definition = self.defined.get(name)
        return definition is not None and bool(definition.parameters)


@lru_cache(maxsize=1)
def _common_spellings() -> Mapping[str, tuple[str, str]]:
    """The words that mean the same in every vocabulary."""
    table: dict[str, tuple[str, str]] = {word: ("func", function) for word, function in FUNCTIONS.items()}
    table |= {word: ("name", constant) for word, constant in CONSTANTS.items()}
    for word in (*GREEK_WORDS, "partial"):
        table.setdefault(word, ("name", word))
    return table | {"nabla": ("cmd", "nabla"), "oo": ("name", "infty"), "infinity": ("name", "infty")}


def _spellings(name: str) -> set[str]:
    """Spellings in running text of the canonical `x_1`: `x_1`, `x1`."""
    out = {name}
    base, _, sub = name.partition("_")
    if sub and "^" not in name:
        if sub.isdigit():
            out.add(base + sub)
        out.add(f"{base}_{sub.replace(',', '_')}")
    return out


def build_vocabulary(
    symbols: Mapping[str, str | Declaration | FunctionDeclaration] | None = None,
    definitions: Mapping[str, str] | None = None,
    *,
    log: Literal["natural", "decimal"] = "natural",
    decimal_comma: bool = False,
    layout: Literal["any", "numerator", "denominator"] = "any",
    aliases: Mapping[str, str] | None = None,
    variable: str = "",
) -> Vocabulary:
    """A vocabulary from plain tables as problem files have them.  Keys in any spelling; `p(x, z)` names arguments.

    Raises ValueError naming the key that is not understood.
    """
    plain: dict[str, Declaration] = {}
    functions: dict[str, FunctionDeclaration] = {}
    for key, text in (symbols or {}).items():
        try:
            declaration = parse_declaration(text) if isinstance(text, str) else text
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
        if isinstance(declaration, Declaration):
            plain[key] = declaration
        else:
            functions[key] = declaration
    return Vocabulary(
        plain,
        functions,
        dict(definitions or {}),
        log,
        decimal_comma,
        layout,
        dict(aliases or {}),
        canonical(variable) if variable else "",
    )


def _with_parameters(function: FunctionDeclaration, parameters: tuple[str, ...]) -> FunctionDeclaration:
    if not parameters:
        return function
    return FunctionDeclaration(function.elementwise, function.arguments, function.result, parameters)
