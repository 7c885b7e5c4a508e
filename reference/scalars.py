"""Array expressions written out entry by entry: every entry of every output as an expression of scalars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from reference import expression as E
from reference.arithmetic import ARITHMETIC
from reference.arrays import ARRAYS
from reference.entrywise import ENTRYWISE
from reference.expression import ordered
from reference.linear import LINEAR
from reference.node import Expr, apply
from reference.primitive import mapped
from reference.primitives import PRIMITIVES
from reference.reductions import fold, norm_from

Value = Any

MAX_ENTRIES = 4_000  # entries of all intermediates together; what is larger stays an array


class NotWritable(ValueError):
    """An operation is better left to arrays, or there are too many entries."""


def _entry_by_entry(op: str) -> Callable[..., Value]:
    def evaluate(attrs: Mapping[str, Any], *values: Value) -> Value:
        return mapped(lambda *entries: apply(op, *entries, **attrs), len(values))(attrs, *values)

    return evaluate


_largest, _smallest = np.frompyfunc(E.maximum, 2, 1), np.frompyfunc(E.minimum, 2, 1)

_RULES: dict[str, Callable[..., Value]] = {
    **{p.name: _entry_by_entry(p.name) for p in (*ARITHMETIC, *ENTRYWISE)},
    **{p.name: p.forward for p in (*LINEAR, *ARRAYS) if p.forward is p.ball},
    **{name: PRIMITIVES[name].ball for name in ("sum", "mean", "prod")},
    "max": lambda attrs, x: fold(_largest, x, attrs),
    "min": lambda attrs, x: fold(_smallest, x, attrs),
    "norm": norm_from(mapped(E.abs), mapped(E.sqrt), lambda attrs, x: fold(_largest, x, attrs)),
}


def entry_symbols(node: Expr) -> Value:
    """A scalar symbol, or an array of one scalar symbol per entry, named so that they clash with nothing typed."""
    if not node.shape:
        return node
    array = np.empty(node.shape, dtype=object)
    for key in np.ndindex(*node.shape):
        array[key] = E.symbol(f"{node.name}[{','.join(str(k) for k in key)}]")
    return array


def scalarise(outputs: Sequence[Expr], largest: int = MAX_ENTRIES) -> list[Value]:
    """Each output as an expression (scalars) or an object array of expressions over `entry_symbols`.

    Raises NotWritable for softmax, inverses and the like, beyond MAX_ENTRIES, and for an array of more than `largest`.
    """
    written: dict[Expr, Value] = {}
    entries = 0
    for node in ordered(outputs):
        size = int(np.prod(node.shape))
        entries += size
        if size > largest:
            raise NotWritable(f"an array of {size} entries")
        if entries > MAX_ENTRIES:
            raise NotWritable(f"more than {MAX_ENTRIES} entries")
        if node.op == "symbol":
            written[node] = entry_symbols(node)
        elif not node.args:
            written[node] = node
        elif node.op not in _RULES:
            raise NotWritable(node.op)
        else:
            found = _RULES[node.op](dict(node.attrs), *[written[a] for a in node.args])
            written[node] = found[()] if isinstance(found, np.ndarray) and not found.shape else found
    return [written[out] for out in outputs]


def flat(value: Value) -> list[Expr]:
    """The entries in C order."""
    return list(value.reshape(-1)) if isinstance(value, np.ndarray) else [value]
