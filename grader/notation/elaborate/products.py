"""Sums, products, quotients and powers, by the shapes of what they join."""

from __future__ import annotations

from fractions import Fraction

from grader.notation.elaborate.names import TRANSPOSE, drop_label, lookup
from grader.notation.elaborate.scope import MAX_ENTRIES, Scope, trouble, whole_number
from grader.notation.syntax import Syntax
from reference import expression as E
from reference.node import Expr
from reference.shapes import ShapeError, describe

LOOSE = frozenset(("odot", "otimes", "circ", "each_over"))
MAX_MATRIX_POWER = 20


def number_value(node: Syntax, scope: Scope) -> Expr:
    value = node.value
    assert value is not None
    return E.constant(value)


def negative_value(node: Syntax, scope: Scope) -> Expr:
    return E.neg(scope.value(node.args[0]))


# -- sums ------------------------------------------------------------------------------------------------------------


def sum_value(node: Syntax, scope: Scope) -> Expr:
    if any(arg.kind == "dots" for arg in node.args):
        from grader.notation.elaborate.ellipsis import expand_sum

        return expand_sum(node, scope)
    values = _sized(node, scope)
    total = E.neg(values[0]) if node.data[0] == "-" else values[0]
    for sign, value in zip(node.data[1:], values[1:], strict=True):
        total = add(total, value, sign)
    return total


def _sized(node: Syntax, scope: Scope) -> list[Expr]:
    """Values of the terms; an identity or a vector of ones without a size takes it from the other terms."""
    loose = [is_unsized(arg, scope) for arg in node.args]
    if not any(loose):
        return [scope.value(arg) for arg in node.args]
    values = [None if odd else scope.value(arg) for arg, odd in zip(node.args, loose, strict=True)]
    shape = next((v.shape for v in values if v is not None and v.shape), None)
    if shape is None:
        raise trouble(node.args[loose.index(True)], "The size of this is not clear.")
    return [sized(arg, shape, scope) if value is None else value for arg, value in zip(node.args, values, strict=True)]


def is_unsized(node: Syntax, scope: Scope) -> bool:
    """Is this an I, 1 or 0 that takes its size from what stands beside it?"""
    if scope.unit:
        return False
    if node.kind in ("product", "fraction", "negative"):
        return _is_scaled(node, scope)
    if node.kind == "power":
        return node.args[1].text in TRANSPOSE and is_unsized(node.args[0], scope)
    if node.kind == "index" and node.args[0].kind in ("name", "number") and len(node.args) == 2:
        is_one = node.args[0].text == "bold1" or node.args[0].value == 1
        sub = node.args[1]
        return is_one and sub.kind == "name" and whole_number(sub, scope) is None
    if node.kind != "name" or node.text in scope.vocabulary.known or node.text in scope.held:
        return False
    return node.text in ("I", "Id", "bold1", "bold0", "eye")


def _is_scaled(node: Syntax, scope: Scope) -> bool:
    """One unsized factor, the others numbers."""
    if node.kind != "negative" and not set(node.data) <= {"join", "star", "dot", "times", "over"}:
        return False
    loose = [is_unsized(arg, scope) for arg in node.args]
    if sum(loose) != 1 or (node.kind == "fraction" and loose[1]):
        return False
    return all(odd or scope.value(arg).shape == () for arg, odd in zip(node.args, loose, strict=True))


def _scaled(node: Syntax, shape: tuple[int, ...], scope: Scope) -> Expr:
    values = [sized(arg, shape, scope) if is_unsized(arg, scope) else scope.value(arg) for arg in node.args]
    joins = ("over",) if node.kind == "fraction" else node.data
    total = values[0]
    for join, value in zip(joins, values[1:], strict=True):
        total = multiply(total, value, join, node, scope)
    return E.neg(total) if node.kind == "negative" else total


def sized(node: Syntax, shape: tuple[int, ...], scope: Scope) -> Expr:
    """I, 1 or 0 in a given shape."""
    if node.kind in ("product", "fraction", "negative"):
        return _scaled(node, shape, scope)
    if node.kind == "power":
        inner = node.args[0]
        if inner.text in ("I", "Id", "eye"):
            return sized(inner, shape, scope)
        return E.ones(shape) if inner.text == "bold1" else E.zeros(shape)
    if node.text in ("I", "Id", "eye"):
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ShapeError(f"an identity cannot be added to {describe(shape)}")
        return E.eye(shape[0])
    return E.ones(shape) if node.text == "bold1" else E.zeros(shape)


def add(left: Expr, right: Expr, sign: str) -> Expr:
    """Sum of equal shapes; a plain number may be added to every entry of an array (1 - σ(z))."""
    if left.shape != right.shape and not (left.shape == () or right.shape == ()):
        raise ShapeError(f"{describe(left.shape)} cannot be added to {describe(right.shape)}")
    return E.add(left, right) if sign == "+" else E.sub(left, right)


# -- products --------------------------------------------------------------------------------------------------------


def product_value(node: Syntax, scope: Scope) -> Expr:
    """Left to right; ⊙, ⊗ and ∘ bind less than the products beside them."""
    node = _applied_compositions(node, scope)
    if node.kind != "product":
        return scope.value(node)
    if any(arg.kind == "dots" for arg in node.args):
        from grader.notation.elaborate.ellipsis import expand_product

        return expand_product(node, scope)
    args, joins = node.args, node.data
    composed = _composition(node, scope)
    if composed is not None:
        return composed
    if not any(join in LOOSE for join in joins):
        return _tight(args, joins, node, scope)
    groups: list[tuple[list[Syntax], list[str]]] = [([args[0]], [])]
    marks: list[str] = []
    for join, factor in zip(joins, args[1:], strict=True):
        if join in LOOSE:
            marks.append(join)
            groups.append(([factor], []))
        else:
            groups[-1][0].append(factor)
            groups[-1][1].append(join)
    ready = [
        None if any(is_unsized(f, scope) for f in factors) else _tight(tuple(factors), tuple(inner), node, scope)
        for factors, inner in groups
    ]
    hint = next((v.shape for v in ready if v is not None and len(v.shape) == 2), None)
    values = [
        _tight(tuple(factors), tuple(inner), node, scope, hint) if value is None else value
        for value, (factors, inner) in zip(ready, groups, strict=True)
    ]
    total = values[0]
    for mark, value in zip(marks, values[1:], strict=True):
        total = multiply(total, value, mark, node, scope)
    return total


def _tight(
    args: tuple[Syntax, ...], joins: tuple[str, ...], node: Syntax, scope: Scope,
    hint: tuple[int, ...] | None = None,
) -> Expr:  # fmt: skip
    """Factors left to right; `hint` is the shape of what stands beyond a ⊙, for ones without a size."""
    if len(args) == 1:
        return scope.value(args[0])
    loose = [is_unsized(arg, scope) for arg in args]
    total: Expr | None = None
    dropped = False
    for k, arg in enumerate(args):
        join = joins[k - 1] if k else "join"
        if loose[k]:
            value = _unsized_factor(args, k, total, scope, hint)
            if value is None:
                dropped = True
                continue
        else:
            value = scope.value(arg)
        if total is None:
            total = value
        else:
            total = multiply(total, value, join, node, scope)
    if total is None or (dropped and total.shape == ()):
        raise trouble(node, "The size of this is not clear.")
    return total


def _unsized_factor(
    args: tuple[Syntax, ...], k: int, total: Expr | None, scope: Scope, hint: tuple[int, ...] | None
) -> Expr | None:
    """An identity beside a matrix does nothing (None); ones take their length from the neighbour."""
    arg = args[k]
    base = arg.args[0] if arg.kind == "power" else arg
    transposed = arg.kind == "power"
    if base.kind == "index":
        base = Syntax("name", base.start, base.end, (), "bold1")
    if base.text in ("I", "Id", "eye"):
        return None
    following = scope.value(args[k + 1]) if k + 1 < len(args) and not is_unsized(args[k + 1], scope) else None
    if transposed and following is None and hint is not None:  # v 1^T beside ⊙ A
        shape: tuple[int, ...] = (1, hint[1])
    elif transposed:  # 1^T v
        if following is None or not following.shape:
            raise trouble(arg, "The size of this is not clear.")
        shape = (1, following.shape[0])
    else:
        if total is None or not total.shape:
            raise trouble(arg, "The size of this is not clear.")
        shape = (total.shape[-1],)
    return E.ones(shape) if base.text == "bold1" else E.zeros(shape)


def multiply(left: Expr, right: Expr, join: str, node: Syntax, scope: Scope) -> Expr:
    """The product the sign between two values means for their shapes.

    A vector of a single entry counts as a number where it would not conform otherwise.  Raises ShapeError where the
    product means nothing.
    """
    try:
        return _product(left, right, join, node, scope)
    except ShapeError:
        if is_single(left):
            return multiply(E.reshape(left, ()), right, join, node, scope)
        if is_single(right):
            return multiply(left, E.reshape(right, ()), join, node, scope)
        raise


def is_single(value: Expr) -> bool:
    """Is this an array of one entry?"""
    return bool(value.shape) and set(value.shape) == {1}


def _product(left: Expr, right: Expr, join: str, node: Syntax, scope: Scope) -> Expr:
    a, b = left.shape, right.shape
    if join in ("over", "each_over"):
        return divide(left, right, join, scope)
    if join == "left_over":
        return multiply(_inverse(left), right, "matmul", node, scope)
    if a == () or b == ():
        return E.mul(left, right)
    if join in ("odot", "each", "circ"):
        return _hadamard(left, right, scope)
    if join == "otimes":
        return _tensor(left, right)
    if join == "star" and scope.elementwise and a == b:
        return E.mul(left, right)
    if join == "star" and scope.elementwise and len(a) + len(b) == 3 and a[-1] == b[-1]:  # numpy repeats the vector
        wide = [E.reshape(v, (1, v.shape[0])) if len(v.shape) == 1 else v for v in (left, right)]
        return E.mul(wide[0], wide[1])
    _check_size(a, b, node)
    if join == "matmul" and len(a) == 1 and len(b) == 2 and a[0] == b[0]:  # numpy's `d @ W`
        return E.matmul(E.transpose(right), left)
    if len(a) == 1 and len(b) == 1:
        return _two_vectors(left, right, join, node, scope)
    if len(a) == 2 and a[0] == 1 and len(b) == 1:
        return _row_times_column(left, right)
    if len(a) == 1 and len(b) == 2 and b[0] == 1:
        return E.outer(left, right.args[0]) if _is_transposed(right) else E.matmul(left, right)
    if join == "star" and a == b and a[0] != a[1]:
        scope.remark("`*` between arrays of one shape was read entry by entry")
        return E.mul(left, right)
    return E.matmul(left, right)


def _is_transposed(value: Expr) -> bool:
    return value.op == "transpose" and len(value.args[0].shape) == 1


def _check_size(a: tuple[int, ...], b: tuple[int, ...], node: Syntax) -> None:
    if a[0] * b[-1] > MAX_ENTRIES:
        raise trouble(node, "The arrays of this formula are too big to be worked out.")


def _row_times_column(left: Expr, right: Expr) -> Expr:
    if left.shape[1] != right.shape[0]:
        raise ShapeError(f"{describe(left.shape)} cannot be multiplied by {describe(right.shape)}")
    flat = left.args[0] if _is_transposed(left) else E.reshape(left, (left.shape[1],))
    return E.dot(flat, right)


def _two_vectors(left: Expr, right: Expr, join: str, node: Syntax, scope: Scope) -> Expr:
    if join == "dot" and left.shape == right.shape:
        scope.remark("`·` between vectors was read as the inner product")
        return E.dot(left, right)
    if join == "star" and left.shape == right.shape:
        scope.remark("`*` between vectors was read entry by entry")
        return E.mul(left, right)
    if join == "matmul" and left.shape == right.shape:
        return E.dot(left, right)
    if join == "times":
        return cross(left, right, node)
    raise ShapeError(f"{describe(left.shape)} cannot be multiplied by {describe(right.shape)}")


def cross(left: Expr, right: Expr, node: Syntax) -> Expr:
    """The cross product of two vectors of length 3."""
    if left.shape != (3,) or right.shape != (3,):
        raise trouble(node, "A cross product needs two vectors of length 3.", "For the inner product write `x^T y`.")
    a, b = ([E.index(v, (k,)) for k in range(3)] for v in (left, right))
    return E.stack([E.sub(E.mul(a[i], b[j]), E.mul(a[j], b[i])) for i, j in ((1, 2), (2, 0), (0, 1))])


def _hadamard(left: Expr, right: Expr, scope: Scope) -> Expr:
    a, b = left.shape, right.shape
    if a == b:
        return E.mul(left, right)
    if len(a) == 1 and len(b) == 2 and a[0] == b[0] and b[1] > 1:
        scope.remark("a column was multiplied into every column of the matrix")
        return E.mul(E.reshape(left, (a[0], 1)), right)
    if len(b) == 1 and len(a) == 2 and b[0] == a[0] and a[1] > 1:
        return _hadamard(right, left, scope)
    if len(a) == 2 == len(b) and ((a[1] == b[1] and 1 in (a[0], b[0])) or (a[0] == b[0] and 1 in (a[1], b[1]))):
        return E.mul(left, right)
    raise ShapeError(f"{describe(a)} cannot be multiplied entry by entry with {describe(b)}")


def _tensor(left: Expr, right: Expr) -> Expr:
    a, b = left.shape, right.shape
    if len(a) == 1 and len(b) == 1:
        return E.outer(left, right)
    if len(a) == 1 and len(b) == 2 and b[0] == 1:
        return E.matmul(left, right)
    return E.kron(left, right)


def divide(left: Expr, right: Expr, join: str, scope: Scope) -> Expr:
    """Quotient; by an array only entry by entry: of the same shape, or a number over it."""
    if right.shape == ():
        return E.div(left, right)
    if left.shape == right.shape or (left.shape == () and (join == "each_over" or len(right.shape) == 1)):
        if join != "each_over":
            scope.remark("a quotient of arrays was read entry by entry")
        return E.div(left, right)
    raise ShapeError(f"{describe(left.shape)} cannot be divided by {describe(right.shape)}")


def fraction_value(node: Syntax, scope: Scope) -> Expr:
    above, below = scope.value(node.args[0]), scope.value(node.args[1])
    return divide(above, below, "over", scope)


def _applied_compositions(node: Syntax, scope: Scope) -> Syntax:
    """`(f' ∘ g)(x)` as f'(g(x)), wherever it stands among the factors."""
    for k, (left, right) in enumerate(zip(node.args, node.args[1:], strict=False)):
        is_pair = left.kind == "product" and set(left.data) == {"circ"} and node.data[k] == "join"
        if not is_pair or not all(_is_function(part, scope) for part in left.args):
            continue
        call = right
        for head in reversed(left.args):
            call = Syntax("call", left.start, right.end, (head, call))
        rest = (*node.args[:k], call, *node.args[k + 2 :])
        if len(rest) == 1:
            return call
        return node._replace(args=rest, data=node.data[:k] + node.data[k + 1 :])
    return node


def _is_function(node: Syntax, scope: Scope) -> bool:
    while node.kind in ("prime", "index"):
        node = node.args[0]
    return node.kind == "name" and (node.data == ("func",) or scope.vocabulary.is_function(node.text))


def _composition(node: Syntax, scope: Scope) -> Expr | None:
    """`f ∘ g` of two functions without arguments is not a number; say so rather than multiply."""
    if "circ" not in node.data:
        return None
    for arg in node.args:
        if arg.kind == "name" and scope.vocabulary.is_function(arg.text):
            raise trouble(node, "A composition of functions needs its argument.", "Write f(g(x)).")
    return None


# -- powers ----------------------------------------------------------------------------------------------------------


def power_value(node: Syntax, scope: Scope) -> Expr:
    base, exponent = node.args
    named = _labelled(node, base, exponent, scope)
    if named is not None:
        return named
    if _is_transpose(exponent, scope):
        return transposed(scope.value(base), node)
    if exponent.kind == "negative" and _is_transpose(exponent.args[0], scope):
        return transposed(_inverse(scope.value(base)), node)
    if base.kind == "name" and base.text == "e" and "e" not in scope.vocabulary.known:
        return E.exp(scope.value(exponent))
    value = scope.value(base)
    if value.shape and node.data != ("each",):
        return _array_power(value, exponent, node, scope)
    return _number_power(value, exact(scope.value(exponent)))


def _number_power(value: Expr, exponent: Expr) -> Expr:
    if exponent.op == "constant" and exponent.value == Fraction(1, 2):
        return E.sqrt(value)
    return E.pow(value, exponent)


def _is_transpose(exponent: Syntax, scope: Scope) -> bool:
    if exponent.kind != "name" or exponent.text not in TRANSPOSE:
        return False
    return exponent.text in ("top", "dagger") or exponent.text not in scope.vocabulary.known


def transposed(value: Expr, node: Syntax) -> Expr:
    """Transpose; a vector becomes a row, a row a vector, a number stays."""
    if value.shape == ():
        return value
    if value.op == "transpose":
        return value.args[0]
    if len(value.shape) == 2 and value.shape[0] == 1 and value.shape[1] >= 1:
        return E.reshape(value, (value.shape[1],))
    return E.transpose(value)


def _inverse(value: Expr) -> Expr:
    if len(value.shape) != 2 or value.shape[0] != value.shape[1]:
        raise ShapeError(f"{describe(value.shape)} has no inverse")
    return E.inv(value)


def _array_power(value: Expr, exponent: Syntax, node: Syntax, scope: Scope) -> Expr:
    number = whole_number(exponent, scope)
    shape = value.shape
    if len(shape) == 2 and shape[0] == shape[1] and number is not None:
        if number == -1:
            return _inverse(value)
        if 1 <= number <= MAX_MATRIX_POWER:
            out = value
            for _ in range(number - 1):
                out = E.matmul(out, value)
            return out
    if number == -1 and len(shape) == 2:
        return _inverse(value)
    if len(shape) == 2 and 1 not in shape:
        raise ShapeError(f"{describe(shape)} has no such power")
    scope.remark("a power of a vector was read entry by entry")
    return E.pow(value, exact(scope.value(exponent)))


def _labelled(node: Syntax, base: Syntax, exponent: Syntax, scope: Scope) -> Expr | None:
    """W^{(l)}, δ^{l+1}, θ^*: a name of its own, or a label of a declared array."""
    head = base.args[0] if base.kind == "index" else base
    if head.kind != "name" or head.data == ("func",):
        return None
    label = node.text.replace(" ", "")
    known = scope.vocabulary.known
    sub = f"_{base.text}" if base.kind == "index" else ""
    for key in (f"{head.text}{sub}^{label}", f"{head.text}^{label}"):
        if key in known:
            named = lookup(key, node, scope)
            if named is None or key == f"{head.text}{sub}^{label}" or not sub:
                return named
            from grader.notation.elaborate.names import entry

            return entry(named, base.args[1:], base, scope)
    if not _is_label(node, exponent, scope) or head.text in ("e", "pi"):
        return None
    declared = scope.vocabulary.declared.get(head.text)
    array = scope.value(base) if declared is None or declared.shape or sub else None
    if array is None:
        return None
    drop_label(head.text, label, node, scope)
    return array


def _is_label(node: Syntax, exponent: Syntax, scope: Scope) -> bool:
    """Letters that mean nothing in this question, `(l)`, `l+1`, `*`, are a label, never an exponent."""
    if exponent.kind == "name":
        text = exponent.text
        unknown = text not in scope.vocabulary.known and text not in scope.bound and text not in scope.held
        return unknown and text not in ("e", "pi", "infty", *TRANSPOSE) and text not in scope.sizes
    if exponent.kind == "sum":
        return any(_is_label(node, arg, scope) for arg in exponent.args)
    return False


def exact(value: Expr) -> Expr:
    """A quotient or negative of numbers as one number, so that exponents such as 1/3 and -1/2 are exact."""
    if value.op == "neg":
        inner = exact(value.args[0])
        return E.constant(-inner.value) if inner.op == "constant" else value
    if value.op in ("div", "mul", "add", "sub"):
        left, right = exact(value.args[0]), exact(value.args[1])
        if left.op == "constant" == right.op and _small(left) and _small(right):
            a, b = Fraction(left.value), Fraction(right.value)
            if value.op != "div" or b != 0:
                return E.constant(_ARITHMETIC[value.op](a, b))
    return value


def _small(value: Expr) -> bool:
    number = Fraction(value.value)
    return number.numerator.bit_length() < 200 and number.denominator.bit_length() < 200


_ARITHMETIC = {
    "div": lambda a, b: a / b,
    "mul": lambda a, b: a * b,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
}


def root_value(node: Syntax, scope: Scope) -> Expr:
    value = scope.value(node.args[0])
    if len(node.args) == 1:
        return E.sqrt(value)
    degree = whole_number(node.args[1], scope)
    if degree == 2:
        return E.sqrt(value)
    if degree == 3:
        return E.cbrt(value)
    if degree is not None and degree != 0:
        return E.pow(value, Fraction(1, degree))
    return E.pow(value, E.div(1, scope.value(node.args[1])))
