"""Misconceptions of matrix calculus: transposes, order of factors, diagonal matrices, the factor two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grader.malrules.derivations import work_out
from grader.malrules.malrule import MalRule, Setting
from grader.malrules.slips import rewrite_everywhere, rewrite_once
from reference import expression as E
from reference.algebra import Algebra
from reference.expression import Expr
from reference.modes import Rules
from reference.shapes import ShapeError

Attrs = Mapping[str, Any]


def _transpose_missing(setting: Setting) -> Iterator[Expr]:
    def drop(node: Expr) -> Iterator[Expr]:
        if node.op == "transpose" and not node.attr("axes"):
            yield node.args[0]

    yield from rewrite_once(setting.truth, drop)
    every = rewrite_everywhere(setting.truth, lambda n, args: args[0] if n.op == "transpose" else None)
    if every is not None:
        yield every

    def backwards(o: Algebra, attrs: Attrs, xs: tuple[Any, ...], y: Any, g: Any) -> tuple[Any, ...]:
        return o.outer(g, xs[1]) if len(o.shape(xs[1])) == 1 else g @ xs[1], xs[0] @ g

    found = work_out(setting, Rules(vjp={"matmul": backwards}))
    if found is not None:
        yield found


def _transpose_added(setting: Setting) -> Iterator[Expr]:
    def add(node: Expr) -> Iterator[Expr]:
        if node.op == "matmul" and len(node.args[0].shape) == 2:
            yield E.matmul(E.transpose(node.args[0]), node.args[1])

    yield from rewrite_once(setting.truth, add)


def _transposed(setting: Setting) -> Iterator[Expr]:
    if len(setting.truth.shape) == 2:
        yield E.transpose(setting.truth)


def _factors_exchanged(setting: Setting) -> Iterator[Expr]:
    def swap(node: Expr) -> Iterator[Expr]:
        if node.op == "matmul":
            yield E.matmul(node.args[1], node.args[0])
        elif node.op == "outer":
            yield E.outer(node.args[1], node.args[0])

    yield from rewrite_once(setting.truth, swap)


def _symmetric(setting: Setting) -> Iterator[Expr]:
    """(A + Aᵀ)x taken as 2Ax, as if A were symmetric."""

    def double(node: Expr) -> Iterator[Expr]:
        if node.op != "add":
            return
        a, b = node.args
        if a.op == "transpose" and a.args[0] is b:
            yield 2 * b
        elif b.op == "transpose" and b.args[0] is a:
            yield 2 * a
        elif a.op == b.op == "matmul":
            yield 2 * a
            yield 2 * b

    yield from rewrite_once(setting.truth, double)


def _diag_missing(setting: Setting) -> Iterator[Expr]:
    def flat(node: Expr) -> Iterator[Expr]:
        if node.op == "matmul" and node.args[0].op == "diag":
            vector, other = node.args[0].args[0], node.args[1]
            yield E.matmul(E.transpose(vector), other)
            yield E.mul(E.transpose(vector), other)
            yield E.mul(E.reshape(vector, (vector.shape[0], 1)), other)
            yield vector
        elif node.op == "diag":
            yield node.args[0]

    yield from rewrite_once(setting.truth, flat)


def _diag_side(setting: Setting) -> Iterator[Expr]:
    def move(node: Expr) -> Iterator[Expr]:
        if node.op == "matmul" and node.args[0].op == "diag":
            yield E.matmul(node.args[1], node.args[0])
        if node.op == "matmul" and node.args[1].op == "diag":
            yield E.matmul(node.args[1], node.args[0])

    yield from rewrite_once(setting.truth, move)


def _shape_confused(setting: Setting) -> Iterator[Expr]:
    """Entries added up, put on a diagonal, or a matrix of outer products where an inner one is meant, and back."""
    truth = setting.truth
    if len(truth.shape) == 1:
        yield E.sum(truth)
        yield E.diag(truth)
        yield E.prod(truth)
        yield E.stack([truth[len(truth) - 1 - i] for i in range(len(truth))])
    elif len(truth.shape) == 2:
        yield E.sum(truth, axis=0)
        yield E.sum(truth, axis=1)
        if truth.shape[0] == truth.shape[1]:
            yield E.diagonal(truth)
    for a, b in _pairs(truth):
        yield E.dot(a, b)
        yield E.outer(a, b)
        yield E.mul(a, b)


def _pairs(truth: Expr) -> Iterator[tuple[Expr, Expr]]:
    if truth.op in ("outer", "dot", "mul") and all(len(a.shape) == 1 for a in truth.args):
        a, b = truth.args
        if truth.op == "outer" or a.shape == b.shape:
            yield a, b


def _elementwise_product(setting: Setting) -> Iterator[Expr]:
    """A matrix product instead of an entrywise one, and the other way round."""

    def change(node: Expr) -> Iterator[Expr]:
        if node.op == "mul" and all(n.shape for n in node.args):
            yield E.matmul(node.args[0], node.args[1])
            yield E.dot(node.args[0], node.args[1])
        elif node.op == "matmul" and node.args[0].shape == node.args[1].shape:
            yield E.mul(node.args[0], node.args[1])

    yield from rewrite_once(setting.truth, change)


def _factor_two(setting: Setting) -> Iterator[Expr]:
    yield setting.truth / 2
    yield setting.truth * 2


def _inner_missing(setting: Setting) -> Iterator[Expr]:
    """The matrix of an affine inner function is missing: 2(Ax - b) for 2Aᵀ(Ax - b)."""

    def drop(node: Expr) -> Iterator[Expr]:
        if node.op == "matmul":
            yield node.args[1]
            yield node.args[0]

    yield from rewrite_once(setting.truth, drop)


def _safely(rule: MalRule) -> MalRule:
    """The rule with shapes that do not conform skipped: they are no results."""

    def derive(setting: Setting) -> Iterator[Expr]:
        found = iter(rule.derive(setting))
        while True:
            try:
                yield next(found)
            except StopIteration:
                return
            except ShapeError:
                return

    return MalRule(rule.note, rule.hint, derive)


MATRICES: tuple[MalRule, ...] = tuple(
    _safely(rule)
    for rule in (
        MalRule(
            "matrix.transpose_missing",
            "Check the shapes of the factors: one of them has to be transposed.",
            _transpose_missing,
        ),
        MalRule(
            "jacobian.transposed", "The result is transposed: rows belong to outputs, columns to inputs.", _transposed
        ),
        MalRule(
            "matrix.factors_exchanged",
            "Matrix products do not commute: check the order of the factors.",
            _factors_exchanged,
        ),
        MalRule(
            "matrix.diag_side",
            "Scaling rows and scaling columns are different: on which side does the diagonal matrix stand?",
            _diag_side,
        ),
        MalRule(
            "matrix.diag_missing",
            "An elementwise function has a diagonal Jacobian: the derivatives stand on the diagonal of a matrix.",
            _diag_missing,
        ),
        MalRule("matrix.assumed_symmetric", "Nothing says that the matrix is symmetric.", _symmetric),
        MalRule(
            "matrix.inner_derivative_missing",
            "Chain rule: the matrix inside has to come out as a factor.",
            _inner_missing,
        ),
        MalRule(
            "factor.two", "Check the factor two that comes from the square (or is cancelled by one half).", _factor_two
        ),
        MalRule(
            "matrix.product_kind",
            "Entrywise and matrix products are different things; check which is meant.",
            _elementwise_product,
        ),
        MalRule("matrix.transpose_added", "There is a transpose too many.", _transpose_added),
        MalRule("shape.confused", "Check what shape the result has to have.", _shape_confused),
    )
)
