"""One node of an expression: immutable, interned, with a shape.  Two equal expressions are the same object."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NoReturn

from reference.shapes import SHAPES, Shape, ShapeError, axes_of, describe

MAX_NODES = 2_000_000  # live nodes in one process; a student's text is capped much earlier, where it is read
MAX_ENTRIES = 50_000_000  # entries of one array

LEAVES = frozenset({"symbol", "constant", "pi", "e"})

Attributes = tuple[tuple[str, Any], ...]


class TooLarge(ValueError):
    """An expression went beyond MAX_NODES or MAX_ENTRIES."""


class Expr:
    """An operation on earlier expressions.  Fields as in docs/architecture.md; equality and hash are by identity.

    `op` a primitive's name, a leaf or `call`; `args` its arguments; `attrs` sorted (key, value) pairs; `shape` a tuple
    of ints.  Source of the technique: Ershov 1958, hash-consing.
    """

    __slots__ = ("__weakref__", "args", "attrs", "op", "serial", "shape")

    op: str
    args: tuple[Expr, ...]
    attrs: Attributes
    shape: Shape
    serial: int

    def __init__(self) -> None:  # an interned thing is looked up, not made
        raise TypeError("build expressions with symbol, constant and the functions of reference.expression")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"expressions are immutable: {name} cannot be set")

    def __repr__(self) -> str:
        inner = ", ".join([a.op if a.args else a.label for a in self.args] + [f"{k}={v}" for k, v in self.attrs])
        return f"Expr({self.op}: {inner})"

    @property
    def label(self) -> str:
        """What a leaf is called: its name or its value."""
        return str(self.attrs[0][1]) if self.attrs else self.op

    def attr(self, key: str, default: Any = None) -> Any:
        for name, value in self.attrs:
            if name == key:
                return value
        return default

    @property
    def name(self) -> str:
        """Name of a symbol or of a called function."""
        return str(self.attr("name", ""))

    @property
    def value(self) -> int | Fraction:
        """Exact value of a constant."""
        found = self.attr("value")
        if not isinstance(found, int | Fraction):
            raise AttributeError(f"{self.op} has no constant value")
        return found

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def T(self) -> Expr:
        return apply("transpose", self)

    def __add__(self, other: Operand) -> Expr:
        return _operate("add", self, other, other)

    def __radd__(self, other: Operand) -> Expr:
        return _operate("add", other, self, other)

    def __sub__(self, other: Operand) -> Expr:
        return _operate("sub", self, other, other)

    def __rsub__(self, other: Operand) -> Expr:
        return _operate("sub", other, self, other)

    def __mul__(self, other: Operand) -> Expr:
        return _operate("mul", self, other, other)

    def __rmul__(self, other: Operand) -> Expr:
        return _operate("mul", other, self, other)

    def __truediv__(self, other: Operand) -> Expr:
        return _operate("div", self, other, other)

    def __rtruediv__(self, other: Operand) -> Expr:
        return _operate("div", other, self, other)

    def __pow__(self, other: Operand) -> Expr:
        return _operate("pow", self, other, other)

    def __rpow__(self, other: Operand) -> Expr:
        return _operate("pow", other, self, other)

    def __matmul__(self, other: Expr) -> Expr:
        return apply("matmul", self, other)

    def __neg__(self) -> Expr:
        return apply("neg", self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Expr]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: int | slice | tuple[int | slice, ...]) -> Expr:
        return apply("index", self, key=normal_key(key, self.shape))


Operand = Expr | int | Fraction


def _operate(op: str, left: Operand, right: Operand, other: object) -> Expr:
    """An operator's result; an operand of another kind (an array of expressions) is asked to do it instead."""
    return apply(op, left, right) if isinstance(other, Expr | int | Fraction) else NotImplemented


class _Entry(weakref.ref[Expr]):
    """A weak reference that knows its key, so that the table forgets a node when its last user does."""

    __slots__ = ("key",)

    key: tuple[Any, ...]


_table: dict[tuple[Any, ...], _Entry] = {}
_serials = itertools.count(1)


def _forget(entry: weakref.ref[Expr]) -> None:
    key = entry.key  # type: ignore[attr-defined]  # every entry of the table is an _Entry
    if _table.get(key) is entry:
        del _table[key]


def intern(op: str, args: tuple[Expr, ...], attrs: Attributes, shape: Shape) -> Expr:
    """The one node with these fields.  The key holds serial numbers, so the table keeps no argument alive."""
    key = (op, shape, attrs, *[a.serial for a in args])
    entry = _table.get(key)
    if entry is not None:
        found = entry()
        if found is not None:
            return found
    if len(_table) >= MAX_NODES:
        raise TooLarge(f"more than {MAX_NODES} nodes")
    node: Expr = object.__new__(Expr)
    put = object.__setattr__
    put(node, "op", op)
    put(node, "args", args)
    put(node, "attrs", attrs)
    put(node, "shape", shape)
    put(node, "serial", next(_serials))
    entry = _Entry(node, _forget)
    entry.key = key
    _table[key] = entry
    return node


def live_nodes() -> int:
    """How many nodes the table knows."""
    return len(_table)


def apply(op: str, *args: Operand, **attrs: Any) -> Expr:
    """The primitive `op` applied to arguments.  Raises ShapeError when shapes do not conform, TypeError for floats."""
    operands = tuple([a if isinstance(a, Expr) else constant(a) for a in args])
    given: Attributes = tuple(sorted(attrs.items())) if attrs else ()
    if op in _PLAIN and all(a.shape == () for a in operands):
        return intern(op, operands, given, ())
    shape = SHAPES[op](attrs, *[a.shape for a in operands])
    entries = 1
    for n in shape:
        entries *= n
    if entries > MAX_ENTRIES:
        raise TooLarge(f"{describe(shape)} has more than {MAX_ENTRIES} entries")
    return intern(op, operands, given, shape)


_PLAIN = frozenset(("add", "sub", "mul", "div", "pow", "neg"))  # scalars in, scalar out: the shape rule can be skipped


def symbol(name: str, shape: Iterable[int] = ()) -> Expr:
    """A named unknown of the given shape."""
    size = tuple(int(n) for n in shape)
    if any(n < 1 for n in size):
        raise ShapeError(f"{name} would have no entries")
    return intern("symbol", (), (("name", name),), size)


def constant(value: Operand) -> Expr:
    """An exact number: an int or a Fraction.  Raises TypeError for a float, whose meaning would be a guess."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise TypeError(f"constants are int or Fraction, not {type(value).__name__}")
    exact = int(value) if value.denominator == 1 else value
    return intern("constant", (), (("value", exact),), ())


PI = intern("pi", (), (), ())
EULER = intern("e", (), (), ())


def normal_key(key: Any, shape: Shape) -> tuple[int | tuple[int, int, int], ...]:
    """An index with non-negative ints and (start, stop, step) triples.  Raises ShapeError outside the array."""
    parts = key if isinstance(key, tuple) else (key,)
    if len(parts) > len(shape):
        raise ShapeError(f"{describe(shape)} cannot take {len(parts)} indices")
    normal: list[int | tuple[int, int, int]] = []
    for part, n in zip(parts, shape, strict=False):
        if isinstance(part, slice):
            triple = part.indices(n)
            if len(range(*triple)) == 0:
                raise ShapeError(f"an empty part of {describe(shape)} was taken")
            normal.append(triple)
        elif isinstance(part, tuple):
            normal.append(part)
        elif -n <= part < n:
            normal.append(part % n)
        else:
            raise ShapeError(f"there is no entry {part + 1} along an axis of length {n}")
    return tuple(normal)


def normal_axis(axis: int | tuple[int, ...] | None, shape: Shape) -> tuple[int, ...] | None:
    """Axes as a sorted tuple of non-negative ints; None (all axes) stays None."""
    return None if axis is None else axes_of(axis, len(shape))
