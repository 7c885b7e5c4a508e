"""What is known at a place of a worked solution: names with their values, declared variables, derivatives worked out.

A ledger is never changed; reading a statement gives a new one.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import prod

from grader.compare.answers import UNKNOWN_NAME
from grader.compare.conditions import Condition
from grader.compare.domain import Domain
from grader.compare.rounding import INEXACT_DIGITS, decimals_shown, total_change
from grader.compare.sameness import same
from grader.notation.elaborate import elaborate
from grader.notation.reading import Reading
from grader.notation.syntax import Syntax, walk
from grader.notation.targets import Target, target_of
from grader.notation.unreadable import Misread
from grader.notation.vocabulary import Declaration, Vocabulary, canonical, head_and_parameters
from reference import expression as E
from reference.expression import Expr, symbols
from reference.shapes import ShapeError

DERIVATIVE = " by "  # between the two names of a derivative whose value is remembered
MAX_PAST = 8  # earlier calculations remembered
MAX_FREE = 12  # names without a meaning in one member
MAX_ENTRIES = 64  # entries of an array that get names of their own


@dataclass(frozen=True, slots=True)
class Statement:
    """Members to be compared in turn, with the sign before each, and what the left-hand side names."""

    members: tuple[Syntax, ...]
    signs: tuple[str, ...]
    target: Target | None

    @staticmethod
    def of(reading: Reading, text: str = "") -> Statement:
        """The statement a reading makes; a label before a colon (`1a: f'(x) = …`) is no member of its chain."""
        members, signs, target = reading.chain, ("=", *reading.links), reading.target
        if len(members) > 1 and target is None and ":" in text[members[0].end : members[1].start]:
            members, signs = members[1:], signs[1:]
            found = target_of(members[0], Vocabulary()) if len(members) > 1 else None
            if found is not None:
                members, signs, target = members[1:], signs[1:], found
        return Statement(members, signs, target)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A member as expressions with all known values put in.

    `free`: names nobody gave a meaning; `variables`: declared ones left; `stale`: known ones whose value comes from an
    earlier part; `trouble`: why there is no reading.
    """

    syntax: Syntax
    readings: tuple[Expr, ...] = ()
    free: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    trouble: str = ""
    stale: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)  # what stands for a derivative nothing is known of
    slack: Fraction = Fraction(0)  # how far the value may be off since known values in it are rounded

    @property
    def unknowns(self) -> list[str]:
        """The free names as a reader knows them."""
        return sorted(self.aliases.get(n, n).replace(DERIVATIVE, " by ") for n in self.free)

    def entry(self, place: int) -> Meaning:
        """One entry of an array, counted row by row."""
        picked = tuple(_entry(e, place) for e in self.readings if prod(e.shape) > place)
        return replace(self, readings=picked, trouble=self.trouble or "it is not clear which entry this belongs to")


def _entry(expr: Expr, place: int) -> Expr:
    if not expr.shape:
        return expr
    return E.index(E.reshape(expr, (prod(expr.shape),)), (place,))


@dataclass(frozen=True, slots=True)
class _Named:
    """A member whose derivatives have names: their values, what these names are, and names of unknown ones."""

    syntax: Syntax
    values: dict[str, Expr]
    known: dict[str, str]
    unknown: dict[str, str]


@dataclass(frozen=True)
class Ledger:
    """Names known so far.  `vocabulary` is the question's own; `values` are numbers found or given."""

    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    values: Mapping[str, Expr] = field(default_factory=dict)
    bound: frozenset[str] = frozenset()  # variables of this statement: x in f'(x) = …
    where: tuple[Condition, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    past: tuple[Mapping[str, Expr], ...] = ()  # values of earlier calculations with the same names, latest first
    rounded: Mapping[str, Fraction] = field(
        default_factory=dict
    )  # names of worked-out decimals: unit of the last digit
    stale: frozenset[str] = frozenset()  # names whose values come from an earlier part of the document

    @cached_property
    def names(self) -> Vocabulary:
        """The vocabulary with everything known declared."""
        known = {n: Declaration(shape=v.shape) for n, v in self.values.items() if DERIVATIVE not in n}
        variables = {name: Declaration() for name in self.bound}
        own = {
            n: d
            for n, d in self.vocabulary.symbols.items()
            if canonical(n) not in known and all(isinstance(size, int) for size in d.shape)
        }
        definitions = {
            n: d for n, d in self.vocabulary.definitions.items() if head_and_parameters(n)[0] not in known or "(" in n
        }
        return replace(self.vocabulary, symbols={**variables, **own, **known}, definitions=definitions)

    def binding(self, reading: Reading) -> Ledger:
        """The ledger inside a statement about f(x) or its derivative: x is a variable there, whatever it was before."""
        names = set(reading.target.wrt) if reading.target is not None and reading.target.kind == "derivative" else set()
        left = reading.left
        if left is not None and left.kind == "call" and reading.target is not None:
            names |= {a.text for a in left.args[1:] if a.kind == "name"}
        elif left is not None and left.kind == "derivative":
            names = {n for n in names if n not in self.values}  # ∂L/∂θ at the values known
        elif left is None and reading.chain:
            names |= {n for n in _differentiated_by(reading.chain[0]) if n not in self.values}
        fresh = frozenset(n for n in names if n and n not in self.vocabulary.known)
        values = {n: v for n, v in self.values.items() if n not in fresh}
        return replace(self, bound=fresh, values=values)

    def next_part(self) -> Ledger:
        """The ledger at the beginning of another part: what is known may no longer be meant."""
        past = (dict(self.values), *self.past)[:MAX_PAST] if self.values else self.past
        return replace(self, stale=frozenset(self.values), past=past)

    def earlier(self) -> tuple[Ledger, ...]:
        """Ledgers with the values of earlier calculations, latest first."""
        return tuple(replace(self, values=values, stale=frozenset(), past=()) for values in self.past)

    def meaning(self, member: Syntax) -> Meaning:
        """What a member says.  Names without a meaning become free variables, which never make a link false."""
        if member.kind == "unread":
            return Meaning(member, trouble=f"this could not be read: {member.text}")
        named = self._with_derivatives(member)
        extra = named.values
        free = {alias: Declaration() for alias in named.unknown}
        families = self._families()
        free |= {name: Declaration() for name in bare_names(named.syntax) & families}
        hidden = {name: Declaration() for name in families - free.keys()}
        for _ in range(MAX_FREE):
            vocabulary = self.names
            declared = {
                **hidden,
                **vocabulary.symbols,
                **{n: Declaration(shape=v.shape) for n, v in extra.items()},
                **free,
            }
            try:
                readings = elaborate(named.syntax, replace(vocabulary, symbols=declared), self.sizes)
            except Misread as trouble:
                name = unknown_name(trouble)
                if name is None or name in free:
                    return Meaning(member, trouble=trouble.message)
                free[name] = Declaration()
                continue
            except ShapeError as trouble:
                return Meaning(member, trouble=trouble.message)
            values = {**self.values, **extra}
            found = tuple(_put_in(e, values) for e in readings)
            left = {s.name for e in found for s in symbols(e)}
            used = {s.name for e in readings for s in symbols(e)} | set(named.known.values())
            unknown = frozenset(free)  # also where they cancel: their shapes are not known either
            return Meaning(
                member, found, unknown, frozenset(left - unknown), stale=self.stale & used, aliases=named.unknown,
                slack=self._slack(readings[0], values),
            )  # fmt: skip
        return Meaning(member, trouble="too many names without a meaning")

    def _slack(self, reading: Expr, values: Mapping[str, Expr]) -> Fraction:
        """How much the rounded values in a number may change it, each moved by its last digit."""
        names = [s.name for s in symbols(reading) if s.name in self.rounded]
        if not names or reading.shape or any(s.name not in values for s in symbols(reading)):
            return Fraction(0)
        moved = [_put_in(reading, {**values, n: E.add(values[n], self.rounded[n])}) for n in names]
        return total_change(_put_in(reading, values), moved)

    def _families(self) -> set[str]:
        """Letters of which only single entries are known: `w` after `w_1 = 2`.  What the whole is, is not known."""
        bases = {n.partition("_")[0] for n in self.values if "_" in n and DERIVATIVE not in n}
        return bases - self.values.keys() - self.names.known

    def _with_derivatives(self, member: Syntax) -> _Named:
        """The member with derivatives of mere names, as ∂L/∂x, under names of their own: known values, or unknowns."""
        found = _Named(member, {}, {}, {})
        if not any(n.kind == "derivative" for n in walk(member)):
            return found

        def replaced(node: Syntax) -> Syntax:
            if node.kind == "derivative":
                target = target_of(node, self.vocabulary)
                name = derivative_name(target)
                if name and (name in self.values or not self._is_defined(target)):
                    alias = f"derivative_{zlib.crc32(name.encode())}"  # the same in every member
                    if name in self.values:
                        found.values[alias] = self.values[name]
                        found.known[alias] = name
                    else:
                        found.unknown[alias] = name
                    return Syntax("name", node.start, node.end, (), alias)
            if not node.args:
                return node
            args = tuple(replaced(a) for a in node.args)
            return node if args == node.args else node._replace(args=args)

        return replace(found, syntax=replaced(member))

    def _is_defined(self, target: Target | None) -> bool:
        """Is it a function of the question, so that the derivative can be worked out?"""
        return target is not None and (target.name in self.vocabulary.defined or target.name in self.vocabulary.applied)

    def domain(self, *meanings: Meaning) -> Domain:
        """Where the variables of some members may lie."""
        names: set[str] = set().union(*(m.free | m.variables for m in meanings))
        declared = self.vocabulary.symbols
        inside = {n: declared.get(n, Declaration()) for n in names}
        shapes = {s.name: s.shape for m in meanings for e in m.readings for s in symbols(e)}
        own = {n: replace(d, shape=shapes.get(n, ())) for n, d in inside.items()}
        conditions = tuple(c for c in self.where if {s.name for s in symbols(c.expr)} <= names)
        return Domain(own, conditions)

    def after(self, statement: Statement, inside: Ledger) -> Ledger:
        """The ledger after a statement, which was judged with the ledger `inside`."""
        learnt = inside.learn(statement)
        for member in statement.members[:-1]:
            learnt = learnt.define(member, statement.members[-1])
        shadowed = {n: v for n, v in self.values.items() if n in inside.bound}
        return replace(
            self, values={**shadowed, **learnt.values}, past=learnt.past, stale=learnt.stale, rounded=learnt.rounded
        )

    def learn(self, statement: Statement) -> Ledger:
        """The ledger after a statement: what its left-hand side names has the value of its last member."""
        target = statement.target
        if target is None or target.indices:
            return replace(self, bound=frozenset())
        name = derivative_name(target) if target.kind == "derivative" else target.name if target.kind == "name" else ""
        plain = replace(self, bound=frozenset())
        if not name:
            return plain
        meaning = self.meaning(last_of(statement.members[-1]))
        if not meaning.readings or meaning.free or meaning.variables:
            stale = {n: v for n, v in self.values.items() if n != name and not n.startswith(f"{name}_")}
            return replace(plain, values=stale) if name in self.values else plain
        value = _column(meaning.readings[0], statement.members[-1])
        fresh = {name: value, **entries_of(name, value)}
        units = _units_of(name, value, statement)
        self = replace(self, rounded={**{n: u for n, u in self.rounded.items() if n not in fresh}, **units})
        plain = replace(self, bound=frozenset())
        if self._contradicts(name, value):  # a new calculation begins, and what the old one gave is out of date
            past = (dict(self.values), *self.past)[:MAX_PAST]
            kept = {n: v for n, v in self.values.items() if n not in self.stale} if name in self.stale else {}
            return replace(plain, values={**kept, **fresh}, past=past, stale=frozenset())
        values = {**self.values, **fresh}
        for old in self.past:  # … or an old one is taken up again
            if _agree(old, values):
                values = {**old, **values}
        return replace(plain, values=values, stale=self.stale - set(fresh))

    def define(self, member: Syntax, value: Syntax) -> Ledger:
        """The ledger after `… = ∂L/∂x = value`: a derivative in the middle of a chain is a definition too."""
        target = target_of(member, self.vocabulary) if member.kind == "derivative" else None
        name = derivative_name(target)
        meaning = self.meaning(last_of(value))
        if not name or name in self.values or not meaning.readings or meaning.free or meaning.variables:
            return self
        return replace(self, values={**self.values, name: meaning.readings[0]})

    def _contradicts(self, name: str, value: Expr) -> bool:
        known = self.values.get(name)
        return known is not None and not _equal(known, value)


def _differentiated_by(member: Syntax) -> set[str]:
    """The x of `\\frac{d}{dx}(sin x / x)`: where the derivative of a formula is taken, x is a variable."""
    return {
        variable.text
        for node in walk(member)
        if node.kind == "derivative" and node.args[0].kind not in ("name", "nothing", "index")
        for variable in node.args[1:]
        if variable.kind == "name"
    }


def _equal(a: Expr, b: Expr) -> bool:
    return a.shape == b.shape and same(a, b).verdict == "yes"


def _agree(old: Mapping[str, Expr], new: Mapping[str, Expr]) -> bool:
    """Do two calculations begin with the same numbers: at least two names in common, and all of these equal?"""
    common = [n for n in new if n in old]
    whole = [n for n in common if n.rpartition(",")[0] not in common and n.rpartition("_")[0] not in common]
    return len(whole) > 1 and all(_equal(old[n], new[n]) for n in common)


def _column(value: Expr, member: Syntax) -> Expr:
    """`(1, 2)^T` is how a column is written in a line."""
    written = member.args[0].kind if member.kind == "power" else ""
    if len(value.shape) == 2 and value.shape[0] == 1 and written in ("tuple", "list"):
        return E.reshape(value, (value.shape[1],))
    return value


def bare_names(syntax: Syntax) -> set[str]:
    """Names that stand without a subscript."""
    indexed = {id(n.args[0]) for n in walk(syntax) if n.kind == "index"}
    return {n.text for n in walk(syntax) if n.kind == "name" and id(n) not in indexed}


def last_of(member: Syntax) -> Syntax:
    """An array with its cells' chains cut down to their last members."""
    if member.kind not in ("grid", "tuple", "list"):
        return member
    cells = tuple(c.args[-1] if c.kind == "chain" else c for c in member.args)
    return member._replace(args=cells)


def entries_of(name: str, value: Expr) -> dict[str, Expr]:
    """Names of the entries of a vector: x_1 -> x_1,1 x_1,2 …; theta -> theta_1 …"""
    size = prod(value.shape)
    if not value.shape or size == 1 or size > MAX_ENTRIES or (len(value.shape) == 2 and 1 not in value.shape):
        return {}
    flat = E.reshape(value, (size,))
    joint = "," if "_" in name else "_"
    return {f"{name}{joint}{k + 1}": E.index(flat, (k,)) for k in range(size)}


def _units_of(name: str, value: Expr, statement: Statement) -> dict[str, Fraction]:
    """Units of the last digits of what was worked out to decimals; what was simply given is exact."""
    if len(statement.members) < 2:
        return {}
    last = last_of(statement.members[-1])
    if not value.shape:
        shown = decimals_shown(last)
        return {name: Fraction(1, 10**shown)} if shown >= INEXACT_DIGITS else {}
    places = [decimals_shown(cell) for cell in last.args]
    names = list(entries_of(name, value))
    if len(places) != len(names):
        return {}
    return {n: Fraction(1, 10**p) for n, p in zip(names, places, strict=True) if p >= INEXACT_DIGITS}


def derivative_name(target: Target | None) -> str:
    """A name for a derivative, under which its value is remembered."""
    if target is None or target.kind != "derivative" or target.order != 1 or len(target.wrt) != 1 or not target.name:
        return ""
    return f"{target.name}{DERIVATIVE}{target.wrt[0]}"


def _put_in(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    used = {s.name: values[s.name] for s in symbols(expr) if s.name in values}
    return E.substitute(expr, used) if used else expr


def unknown_name(trouble: Misread) -> str | None:
    """The name a reader did not know, where that was the trouble."""
    found = UNKNOWN_NAME.match(trouble.message)
    return found[1] if found else None
