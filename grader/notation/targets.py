"""What a left-hand side names: `f'(x)`, `\\frac{\\partial L}{\\partial\\theta_1}`, `\\nabla_\\theta L`, `x_{1,2}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from grader.notation.syntax import Syntax, walk
from grader.notation.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Target:
    """What is being said to be equal to something.

    `kind`: name, function (applied), derivative.  `name` and `wrt` are canonical names; an empty name or `wrt` leaves
    it open (`J`, `\\nabla f`).  `indices` are the free index letters, in order.  `order` counts differentiations.
    """

    kind: Literal["name", "function", "derivative"]
    name: str
    wrt: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()
    order: int = 1

    def matches(self, other: Target) -> bool:
        """Do both name the same thing, what one leaves open left open?"""
        if self.kind != other.kind:
            return {self.kind, other.kind} == {"name", "function"} and self.name == other.name
        if self.kind != "derivative":
            return self.name == other.name
        same_name = self.name == other.name or not self.name or not other.name
        same_wrt = self.wrt == other.wrt or not self.wrt or not other.wrt
        return same_name and same_wrt and self.order == other.order


_UNNAMED = frozenset(("J", "Jac", "jac", "jacobian", "Jacobian", "gradient", "grad", "Grad"))
_JOINED = re.compile(r"d([A-Za-z]+?\d*)_?d([A-Za-z]+(?:_?\d+)?)")


def name_key(node: Syntax) -> tuple[str, tuple[str, ...]] | None:
    """Canonical name of a name with scripts, and its free index letters."""
    sup = ""
    sub = ""
    letters: list[str] = []
    while node.kind in ("power", "index"):
        if node.kind == "power":
            if node.data == ("each",) or (node.args[1].kind == "number" and node.data != ("bracketed",)):
                return None
            if node.args[1].text in ("T", "top", "dagger"):
                return None
            sup = node.text.replace(" ", "")
        else:
            free = [a.text for a in node.args[1:] if a.kind == "name" and len(a.text) == 1 and a.text.isalpha()]
            if len(free) == len(node.args) - 1 and all(letter in "ijklmnpqrst" for letter in free):
                letters = free + letters
            else:
                sub = node.text
        node = node.args[0]
    if node.kind != "name":
        return None
    base = node.text
    return base + (f"_{sub}" if sub else "") + (f"^{sup}" if sup else ""), tuple(letters)


def target_of(node: Syntax, vocabulary: Vocabulary) -> Target | None:
    """The target a left-hand side names, None where it is a formula of its own."""
    if node.kind == "derivative":
        return _derivative_target(node)
    if node.kind == "index" and node.args[0].kind in ("derivative", "call", "prime"):
        inner = target_of(node.args[0], vocabulary)
        letters = tuple(a.text for a in node.args[1:] if a.kind == "name")
        return None if inner is None else Target(inner.kind, inner.name, inner.wrt, letters, inner.order)
    if node.kind == "prime":
        found = name_key(node.args[0])
        order = node.value if isinstance(node.value, int) else 1
        return None if found is None else Target("derivative", found[0], (), found[1], order)
    if node.kind == "call":
        return _call_target(node, vocabulary)
    if node.kind == "product":
        return _product_target(node, vocabulary)
    found = name_key(node)
    if found is None or re.split(r"[_^]", found[0])[0] in {"e", "pi"} - vocabulary.known:
        return None
    return _name_target(node, *found, vocabulary)


def _name_target(node: Syntax, name: str, letters: tuple[str, ...], vocabulary: Vocabulary) -> Target:
    joined = _JOINED.fullmatch(name)
    if joined and name not in vocabulary.known:
        return Target("derivative", _spell(joined[1]), (_spell(joined[2]),))
    operator = re.fullmatch(r"[DJ]([A-Za-z])", name)
    if operator and name not in vocabulary.known:
        return Target("derivative", operator[1])
    if name in _UNNAMED and len(letters) == 1 and letters[0] in vocabulary.known and name not in vocabulary.known:
        return Target("derivative", letters[0])  # `J_t` of the function t
    if name in _UNNAMED and name not in vocabulary.known:
        return Target("derivative", "", (), letters)
    if node.kind == "index" and node.args[0].kind == "name" and name not in vocabulary.known:
        head = node.args[0].text
        if head in ("J", "D", "nabla") and head not in vocabulary.known:
            return Target("derivative", node.text)
        by = node.text
        is_variable = by in vocabulary.declared or by in ("x", "y", "z") or by.startswith(("theta", "x_"))
        if len(node.args) == 2 and is_variable and head not in vocabulary.declared and not letters:
            return Target("derivative", head, (by,))
    return Target("name", name, (), letters)


def _spell(name: str) -> str:
    found = re.fullmatch(r"([A-Za-z]+)_?(\d+)", name)
    return f"{found[1]}_{found[2]}" if found else name


def _derivative_target(node: Syntax) -> Target | None:
    body = node.args[0]
    letters: list[str] = []
    if body.kind == "call":
        body = body.args[0]
    if body.kind == "nothing":
        name = ""
    else:
        found = name_key(body)
        if found is None:
            return None
        name = found[0]
        letters += found[1]
    wrt: list[str] = []
    for variable in node.args[1:]:
        key = name_key(variable)
        if key is None:
            return None
        wrt.append(key[0])
        letters += key[1]
    order = node.value if isinstance(node.value, int) else 1
    if len(wrt) > 1 and len(set(wrt)) == 1:
        wrt = wrt[:1]
    return Target("derivative", name, tuple(wrt), tuple(letters), order)


def _call_target(node: Syntax, vocabulary: Vocabulary) -> Target | None:
    head, arguments = node.args[0], node.args[1:]
    if head.data == ("func",):
        return None
    inner = target_of(head, vocabulary)
    if inner is None:
        return None
    if inner.kind == "derivative":
        if inner.wrt or len(arguments) != 1 or inner.name == "":
            return inner
        key = name_key(arguments[0])
        wrt = (key[0],) if key is not None else ()
        return Target("derivative", inner.name, wrt, inner.indices, inner.order)
    if all(name_key(argument) is not None for argument in arguments):
        return Target("function", inner.name, (), inner.indices)
    return None


def _product_target(node: Syntax, vocabulary: Vocabulary) -> Target | None:
    """`D f(x)`, `J f`: an operator written as a letter."""
    if len(node.args) == 2 and node.data == ("join",):
        first, second = node.args
        if first.kind == "index":
            wrt: tuple[str, ...] = (first.text,)
            first = first.args[0]
        else:
            wrt = ()
        if first.kind == "name" and first.text in ("D", "J") and first.text not in vocabulary.known:
            inner = target_of(second, vocabulary)
            if inner is not None and inner.kind != "derivative":
                return Target("derivative", inner.name, wrt, inner.indices)
    return None


def uses(node: Syntax, letters: tuple[str, ...]) -> bool:
    """Does any of the index letters occur in a subscript of this formula?"""
    wanted = set(letters)
    for part in walk(node):
        if part.kind == "index" and any(sub.text in wanted for sub in part.args[1:]):
            return True
        if part.kind == "relation" and any(arg.text in wanted for arg in part.args):
            return True
    return False
