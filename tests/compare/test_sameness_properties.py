"""Properties of sameness on random expressions."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from grader.compare import Domain, same
from grader.compare.evaluation import Batch
from grader.notation.vocabulary import Declaration
from reference import expression as E
from reference.expression import Expr

x, y = E.symbol("x"), E.symbol("y")
PLANE = Domain({"x": Declaration("positive"), "y": Declaration()})
QUICK = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

numbers = st.fractions(min_value=-9, max_value=9, max_denominator=12).map(E.constant)
leaves = st.one_of(st.sampled_from([x, y]), numbers)


def grow(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(
        st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] - p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] * p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] / (1 + p[1] ** 2)),
        inner.map(E.sin),
        inner.map(E.tanh),
        inner.map(lambda e: E.log(1 + e**2)),
        inner.map(lambda e: E.exp(-(e**2))),
        inner.map(lambda e: e**2),
    )


expressions = st.recursive(leaves, grow, max_leaves=8)
vectors = st.lists(expressions, min_size=2, max_size=4).map(E.stack)


def disguise(expr: Expr) -> Expr:
    """The same value, built another way: sums turned round, squares multiplied out, differences negated."""

    def rule(node: Expr, args: tuple[Expr, ...]) -> Expr:
        if node.op in ("add", "mul"):
            return E.apply(node.op, args[1], args[0])
        if node.op == "sub":
            return -(args[1] - args[0])
        if node.op == "pow" and args[1].op == "constant" and args[1].value == 2:
            base = args[0]
            if base.op == "add":
                a, b = base.args
                return a * a + 2 * a * b + b * b
            return base * base
        if node.op == "tanh":
            return (E.exp(2 * args[0]) - 1) / (E.exp(2 * args[0]) + 1)
        return E.rebuild(node, args)

    return E.rewrite((expr,), rule)[0]


@QUICK
@given(expressions)
def test_every_expression_is_the_same_as_itself(expr: Expr) -> None:
    assert same(expr, expr + 0, PLANE).verdict in ("yes", "unknown")
    assert same(expr, expr, PLANE).same


@QUICK
@given(expressions)
def test_rewriting_never_turns_yes_into_no(expr: Expr) -> None:
    assert same(expr, disguise(expr), PLANE).verdict != "no"


@QUICK
@given(expressions, expressions)
def test_sameness_is_symmetric(first: Expr, second: Expr) -> None:
    assert (same(first, second, PLANE).verdict == "no") == (same(second, first, PLANE).verdict == "no")


@QUICK
@given(expressions, st.fractions(min_value=Fraction(1, 10**9), max_value=5, max_denominator=10**9))
def test_an_added_constant_is_never_the_same(expr: Expr, constant: Fraction) -> None:
    found = same(expr, expr + constant, PLANE)
    assert found.verdict in ("no", "unknown")


@QUICK
@given(expressions, st.sampled_from([2, Fraction(1, 2), -1, Fraction(1000001, 1000000)]))
def test_a_multiple_is_never_the_same(expr: Expr, factor: Fraction) -> None:
    assume(same(expr, expr * 0, PLANE).verdict == "no")
    assert same(expr, expr * factor, PLANE).verdict in ("no", "unknown")


@QUICK
@given(vectors, st.integers(0, 3), expressions)
def test_one_changed_entry_is_found_and_named(vector: Expr, place: int, other: Expr) -> None:
    place %= len(vector)
    assume(same(vector[place], other, PLANE).verdict == "no")
    changed = E.stack([other if i == place else vector[i] for i in range(len(vector))])
    found = same(vector, changed, PLANE)
    assert found.verdict == "no"
    assert found.witness is not None
    assert found.witness.entry == (place + 1,)
    assert found.entries == tuple(i != place for i in range(len(vector)))


@QUICK
@given(expressions, expressions)
def test_a_no_has_a_witness_that_shows_the_difference(first: Expr, second: Expr) -> None:
    found = same(first, second, PLANE)
    assume(found.verdict == "no")
    assert found.witness is not None
    env = {name: [(Fraction(value),)] for name, value in found.witness.point}
    left, right = Batch(env, 1, 4000).of([first, second])
    assert not (left[0] - right[0]).contains(0)
    assert found.witness.answer != found.witness.truth
