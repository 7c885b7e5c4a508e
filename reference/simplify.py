"""Light tidying of derived formulas, so that they read as a person would write them.

Zeros and ones vanish, numbers fold, signs move outwards, like terms add up, and arrays that are built and taken apart
again cancel.  Every rule is an identity wherever both sides are defined; nothing is expanded or factored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from reference import expression as E
from reference.expression import rebuild, rewrite
from reference.factors import Number, coefficient, filled, filling, fitted, scaled
from reference.node import EULER, Expr, constant
from reference.shapes import Shape

__all__ = ["coefficient", "filling", "simplify", "tidy"]

Args = tuple[Expr, ...]
MAX_FOLDED_EXPONENT = 64
MAX_WRITTEN_OUT = 64  # longest vector that is written entry by entry

LINEAR_IN_ALL = frozenset(
    {"neg", "transpose", "diag", "diagonal", "trace", "index", "put", "reshape", "broadcast", "sum"}
)
ZERO_IF_ANY = frozenset({"matmul", "dot", "outer", "kron", "conv", "conv_image", "conv_kernel"})
ZERO_AT_ZERO = frozenset(
    {"sin", "tan", "arcsin", "arctan", "sinh", "tanh", "arcsinh", "arctanh", "sqrt", "cbrt", "erf"}
)
ONE_AT_ZERO = frozenset({"exp", "cos", "cosh", "sec", "sech"})


def _unrepeated(x: Expr, other: Expr, shape: Shape) -> Expr:
    """Leave out a repetition that broadcasting does by itself."""
    if x.op == "broadcast":
        inner = x.args[0]
        if (inner.shape == () and other.shape == shape) or inner.shape == shape:
            return inner
    return x


def _add(node: Expr, a: Expr, b: Expr) -> Expr:
    shape = node.shape
    a, b = _unrepeated(a, b, shape), _unrepeated(b, a, shape)
    if filling(a) == 0:
        return fitted(b, shape)
    if filling(b) == 0:
        return fitted(a, shape)
    (m, p), (n, q) = coefficient(a), coefficient(b)
    if p is q:
        return fitted(scaled(m + n, p), shape)
    if n < 0:
        return E.sub(a, scaled(-n, q))
    return E.sub(b, scaled(-m, p)) if m < 0 else E.add(a, b)


def _sub(node: Expr, a: Expr, b: Expr) -> Expr:
    shape = node.shape
    a, b = _unrepeated(a, b, shape), _unrepeated(b, a, shape)
    if filling(b) == 0:
        return fitted(a, shape)
    if filling(a) == 0:
        return fitted(_neg(b), shape)
    (m, p), (n, q) = coefficient(a), coefficient(b)
    if p is q:
        return fitted(scaled(m - n, p), shape)
    if n < 0:
        return E.sub(scaled(-n, q), scaled(-m, p)) if m < 0 else E.add(a, scaled(-n, q))
    return E.sub(a, b)


def _neg(x: Expr) -> Expr:
    factor, rest = coefficient(x)
    if rest is not None and x.op == "sub":
        return E.sub(x.args[1], x.args[0])
    return scaled(-factor, rest)


def _mul(node: Expr, a: Expr, b: Expr) -> Expr:
    shape = node.shape
    a, b = _unrepeated(a, b, shape), _unrepeated(b, a, shape)
    if filling(a) == 0 or filling(b) == 0:
        return filled(0, shape)
    if filling(a) == 1:
        return fitted(b, shape)
    if filling(b) == 1:
        return fitted(a, shape)
    for repeated, other in ((filling(a), b), (filling(b), a)):
        if repeated is not None and other.shape == shape:
            n, q = coefficient(other)
            return fitted(scaled(repeated * n, q), shape)
    (m, p), (n, q) = coefficient(a), coefficient(b)
    if p is None or q is None:
        return fitted(scaled(m * n, q if p is None else p), shape)
    return scaled(m * n, _product(p, q)) if p.shape == q.shape or m * n != 1 else _product(p, q)


def _product(p: Expr, q: Expr) -> Expr:
    if p is q:
        return E.pow(p, 2)
    for scalar, array in ((p, q), (q, p)):  # scalar factors of an array are kept together, in front
        if not scalar.shape and array.op == "mul" and not array.args[0].shape and array.args[1].shape:
            return E.mul(_mul(scalar, scalar, array.args[0]), array.args[1])
    if p.shape and not q.shape:
        p, q = q, p
    if q.op == "div" and q.args[0].op == "constant":
        return _div_plain(scaled(q.args[0].value, p), q.args[1])
    if p.op == "div" and p.args[0].op == "constant":
        return _div_plain(scaled(p.args[0].value, q), p.args[1])
    for one, other in ((p, q), (q, p)):
        if other.op == "pow" and other.args[0] is one and filling(other.args[1]) is not None:
            exponent = filling(other.args[1])
            if exponent is None or exponent <= 0:
                continue
            return E.pow(one, exponent + 1)
    if q.op == "div" and q.args[0].shape == q.shape and q.args[0].op != "div":
        return _div_plain(_product(p, q.args[0]), q.args[1])
    if p.op == "div" and p.args[0].shape == p.shape and p.args[0].op != "div":
        return _div_plain(_product(p.args[0], q), p.args[1])
    return E.mul(p, q)


def _div(node: Expr, a: Expr, b: Expr) -> Expr:
    shape = node.shape
    a, b = _unrepeated(a, b, shape), _unrepeated(b, a, shape)
    if filling(a) == 0:
        return filled(0, shape)
    if filling(b) == 1:
        return fitted(a, shape)
    (m, p), (n, q) = coefficient(a), coefficient(b)
    if q is None:
        return node if n == 0 else fitted(scaled(Fraction(m) / n, p), shape)
    if n == 0:
        return E.div(a, b)
    if p is None:
        return scaled(Fraction(m) / n, E.div(1, q))
    return scaled(Fraction(m) / n, _div_plain(p, q))


def _div_plain(a: Expr, b: Expr) -> Expr:
    if a.op == "mul" and a.shape and not a.args[0].shape and not b.shape:
        return E.mul(_div(b, a.args[0], b), a.args[1])
    if a.op == "div" and a.shape == a.args[0].shape:
        bottom = E.mul(a.args[1], b) if a.args[1].shape or b.shape else _mul(b, a.args[1], b)
        return E.div(a.args[0], bottom)
    return E.div(a, b)


def _pow(node: Expr, a: Expr, b: Expr) -> Expr:
    n = filling(b)
    if n == 1:
        return fitted(a, node.shape)
    if n == 0:
        return filled(1, node.shape)
    base = filling(a)
    if base == 1:
        return filled(1, node.shape)
    if n is not None and base is not None and isinstance(n, int) and abs(n) <= MAX_FOLDED_EXPONENT and base != 0:
        return filled(Fraction(base) ** n, node.shape)
    if a.op == "pow" and isinstance(n, int) and isinstance(filling(a.args[1]), int) and n > 0:
        inner = filling(a.args[1])
        if isinstance(inner, int) and inner > 0:
            return E.pow(a.args[0], inner * n)
    return E.pow(a, b)


def _matmul(node: Expr, a: Expr, b: Expr) -> Expr:
    if a.op == "diag" and filling(a.args[0]) == 1 and b.shape == node.shape:
        return b
    if b.op == "diag" and filling(b.args[0]) == 1 and a.shape == node.shape:
        return a
    (m, p), (n, q) = coefficient(a), coefficient(b)
    if m * n != 1 and p is not None and q is not None and p.shape == a.shape and q.shape == b.shape:
        return scaled(m * n, E.matmul(p, q))
    if a.shape == (1,) and a.op == "broadcast" and b.shape == node.shape:  # a 1x1 column is a number
        return _mul(node, a.args[0], b)
    if b.shape == (1,) and b.op == "broadcast" and a.shape == node.shape:
        return _mul(node, b.args[0], a)
    return E.matmul(a, b)


def _transpose(node: Expr, x: Expr) -> Expr:
    if not x.shape:
        return x
    if x.op == "transpose" and not node.attr("axes") and not x.attr("axes") and x.args[0].shape == node.shape:
        return x.args[0]
    if node.attr("axes"):
        return rebuild(node, (x,))
    if x.op == "diag":
        return x
    if x.op == "matmul" and all(len(a.shape) == 2 for a in x.args):
        a, b = (_turned(arg) for arg in x.args)
        if a.shape[::-1] == x.args[0].shape and b.shape[::-1] == x.args[1].shape:
            return E.matmul(b, a)
    if x.op == "broadcast" and not x.args[0].shape:
        return E.broadcast(x.args[0], node.shape)
    factor, rest = coefficient(x)
    if rest is not None and rest is not x and rest.shape == x.shape:
        turned = rest.op == "transpose" and not rest.attr("axes") and rest.args[0].shape == node.shape
        return scaled(factor, rest.args[0] if turned else E.transpose(rest))
    return E.transpose(x)


def _turned(x: Expr) -> Expr:
    """A transpose that undoes one that is there already."""
    return x.args[0] if x.op == "transpose" and not x.attr("axes") else E.transpose(x)


def _index(node: Expr, x: Expr) -> Expr:
    key = node.attr("key")
    if x.op == "stack" and x.attr("axis") == 0 and key and isinstance(key[0], int):
        rest = key[1:]
        return _index(E.index(x.args[key[0]], rest), x.args[key[0]]) if rest else x.args[key[0]]
    if x.op == "put" and x.attr("key") == key and x.args[0].shape == node.shape:
        return x.args[0]
    if x.op in ("add", "sub", "mul") and len(x.shape) == 1:
        distributed = _distributed(node, x)
        if distributed is not None:
            return distributed
    if x.op == "put" and all(isinstance(k, int) for k in (*key, *x.attr("key"))) and len(key) == len(x.attr("key")):
        return filled(0, node.shape)
    if x.op == "broadcast" and not x.args[0].shape:
        return fitted(x.args[0], node.shape)
    return E.apply("index", x, key=key)


def _distributed(node: Expr, x: Expr) -> Expr | None:
    """One entry of a sum or product of which a part is written out."""
    key = node.attr("key")[0]
    if not isinstance(key, int) or len(x.shape) != 1 or not any(_written_out(a) for a in x.args):
        return None
    if any(a.shape not in ((), x.shape) for a in x.args):
        return None
    a, b = (_parts(arg, x.shape[0])[key] for arg in x.args)
    return BINARY[x.op](node, a, b)


def _put(node: Expr, x: Expr) -> Expr:
    """A short vector with one entry is written out."""
    key = node.attr("key")
    if len(node.shape) == 1 and node.shape[0] <= MAX_WRITTEN_OUT and not x.shape and isinstance(key[0], int):
        if node.shape == (1,):
            return E.broadcast(x, node.shape)
        return E.stack([x if i == key[0] else constant(0) for i in range(node.shape[0])])
    return E.broadcast(x, node.shape) if all(n == 1 for n in node.shape) and not x.shape else rebuild(node, (x,))


def _written_out(x: Expr) -> bool:
    return x.op == "stack" and len(x.shape) == 1


def _entrywise(rule: Callable[[Expr, Expr, Expr], Expr], node: Expr, a: Expr, b: Expr) -> Expr:
    """A sum, difference or product of vectors of which one is written out with zeros, entry by entry."""
    one = E.symbol("_")  # stands for a scalar result: only its shape is looked at
    pairs = zip(_parts(a, node.shape[0]), _parts(b, node.shape[0]), strict=True)
    return E.stack([rule(one, p, q) for p, q in pairs])


def _parts(x: Expr, n: int) -> list[Expr]:
    if _written_out(x):
        return list(x.args)
    if not x.shape:
        return [x] * n
    return [x.args[0]] * n if x.op == "broadcast" and not x.args[0].shape else [E.index(x, i) for i in range(n)]


def _sparse(x: Expr) -> bool:
    return _written_out(x) and any(filling(a) == 0 for a in x.args)


def _broadcast(node: Expr, x: Expr) -> Expr:
    while x.op == "broadcast" and not x.args[0].shape:
        x = x.args[0]
    return fitted(x, node.shape)


def _reshape(node: Expr, x: Expr) -> Expr:
    if x.op == "reshape":
        x = x.args[0]
    if x.op == "broadcast" and not x.args[0].shape:
        return fitted(x.args[0], node.shape)
    return x if x.shape == node.shape else rebuild(node, (x,))


def _sum(node: Expr, x: Expr) -> Expr:
    if not x.shape:
        return x
    if len(x.shape) == 1 and node.attr("keepdims"):
        return E.broadcast(_sum(E.sum(x), x), node.shape)
    if x.op == "broadcast" and not x.args[0].shape:
        count = 1
        for n in x.shape:
            count *= n
        for n in node.shape:
            count //= n
        return fitted(_mul(E.mul(count, x.args[0]), constant(count), x.args[0]), node.shape)
    factor, rest = coefficient(x)
    if factor != 1 and rest is not None and rest.shape == x.shape:
        return scaled(factor, _dotted(node, rest))
    return _dotted(node, x)


def _dotted(node: Expr, x: Expr) -> Expr:
    """The sum of an entrywise product of two vectors is their dot product."""
    if x.op == "mul" and len(x.shape) == 1 and not node.shape and all(a.shape == x.shape for a in x.args):
        return E.dot(*x.args)
    return rebuild(node, (x,))


def _factored(x: Expr) -> tuple[Number, Expr | None, Expr]:
    """A numeric factor, a scalar factor and the array: 2*s*x -> (2, s, x), x/s -> (1, 1/s, x)."""
    number, rest = coefficient(x)
    if rest is None or not rest.shape:
        return 1, None, x
    if rest.op == "mul" and not rest.args[0].shape and rest.args[1].shape == x.shape:
        return number, rest.args[0], rest.args[1]
    if rest.op == "div" and not rest.args[1].shape and rest.args[0].shape == x.shape:
        return number, E.div(1, rest.args[1]), rest.args[0]
    return number, None, rest


def _bilinear(node: Expr, args: Args) -> Expr:
    """Scalar factors of the two arguments are written in front."""
    (m, s, a), (n, t, b) = _factored(args[0]), _factored(args[1])
    if a.shape != args[0].shape or b.shape != args[1].shape:
        return rebuild(node, args)
    found = rebuild(node, (a, b))
    for scalar in (t, s):
        if scalar is not None:
            found = _mul(found, scalar, found)
    return scaled(m * n, found)


BINARY: dict[str, Callable[[Expr, Expr, Expr], Expr]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "pow": _pow,
    "matmul": _matmul,
}
UNARY: dict[str, Callable[[Expr, Expr], Expr]] = {
    "neg": lambda node, x: _neg(x),
    "transpose": _transpose,
    "index": _index,
    "put": _put,
    "broadcast": _broadcast,
    "reshape": _reshape,
    "sum": _sum,
}


def tidy(node: Expr, args: Args) -> Expr:
    """The node on tidied arguments, tidied itself."""
    op = node.op
    if op in LINEAR_IN_ALL and filling(args[0]) == 0:
        return filled(0, rebuild(node, args).shape)
    if op in ZERO_IF_ANY and any(filling(a) == 0 for a in args):
        return filled(0, node.shape)
    if op in ("add", "sub", "mul") and len(node.shape) == 1 and all(a.shape in ((), node.shape) for a in args):
        both = all(_written_out(a) for a in args)
        if both or (any(_sparse(a) for a in args) and (op == "mul" or args[0].op == args[1].op)):
            return _entrywise(BINARY[op], node, *args)
    if op == "neg" and _sparse(args[0]):
        return E.stack([_neg(a) for a in args[0].args])
    if op in ("outer", "dot"):
        return _bilinear(node, args)
    if op in BINARY:
        return BINARY[op](node, *args)
    if op in UNARY:
        return UNARY[op](node, *args)
    if op in ZERO_AT_ZERO and filling(args[0]) == 0:
        return filled(0, node.shape)
    if op in ONE_AT_ZERO and filling(args[0]) == 0:
        return filled(1, node.shape)
    if op == "log" and args[0] is EULER:
        return constant(1)
    if op == "log" and filling(args[0]) == 1:
        return filled(0, node.shape)
    return rebuild(node, args)


def simplify(outputs: Sequence[Expr], keep: Iterable[Expr] = ()) -> tuple[Expr, ...]:
    """Tidied outputs.  Nodes in `keep`, and what they rest on, stay as they are, so that sharing with them survives."""
    kept = frozenset(keep)

    def rule(node: Expr, args: Args) -> Expr:
        if node in kept or not node.args:
            return node
        found = tidy(node, args)
        # a sum of repeated numbers is tidied to a number: it keeps the shape it had
        return found if found.shape == node.shape else E.broadcast(found, node.shape)

    return rewrite(outputs, rule)
