"""Sameness of expressions, built directly."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import pytest

from grader.compare import Condition, Domain, Policy, same
from grader.notation.vocabulary import Declaration, parse_declaration
from reference import expression as E

x, y = E.symbol("x"), E.symbol("y")


def domain(**symbols: str) -> Domain:
    declared: dict[str, Declaration] = {}
    for name, text in symbols.items():
        found = parse_declaration(text)
        assert isinstance(found, Declaration)
        declared[name] = found
    return Domain(declared)


REAL = domain(x="real")
LOOKALIKES = [
    ("|x| for x", x, E.abs(x), "real", "no"),
    ("root of a square", x, E.sqrt(x**2), "real", "no"),
    ("square of a root", x, E.sqrt(x) ** 2, "real", "partly"),
    ("4 ln x for ln x^4", E.log(x**4), 4 * E.log(x), "nonzero", "partly"),
    ("4 ln x for ln x^4 where x is positive", E.log(x**4), 4 * E.log(x), "positive", "yes"),
    ("4 ln|x| for ln x^4", E.log(x**4), 4 * E.log(E.abs(x)), "nonzero", "yes"),
    ("exp of log", x, E.exp(E.log(x)), "[-7, 7]", "partly"),
    ("log of exp", x, E.log(E.exp(x)), "[-7, 7]", "yes"),
    ("arctan of tan", x, E.arctan(E.tan(x)), "[-7, 7]", "no"),
    ("arctan of tan on its own branch", x, E.arctan(E.tan(x)), "[-3/2, 3/2]", "yes"),
    ("arcsin of sin, differing near the ends only", x, E.arcsin(E.sin(x)), "[-16/10, 16/10]", "no"),
    ("x/|x| for sign", E.sign(x), x / E.abs(x), "real", "yes"),
    ("x^2/x for x", x, x**2 / x, "real", "yes"),
    ("added 1e-12", x, x + Fraction(1, 10**12), "real", "no"),
    ("added 1e-300", x, x + E.constant(10) ** -300, "real", "no"),
    ("added a written 1e-300", x, x + Fraction(1, 10**300), "real", "no"),
    ("off in the fortieth digit", x, x * (1 + Fraction(1, 10**40)), "real", "no"),
    ("softplus written stably", E.softplus(x), E.maximum(x, 0) + E.log(1 + E.exp(-E.abs(x))), "real", "yes"),
    ("logistic by tanh", E.sigmoid(x), (1 + E.tanh(x / 2)) / 2, "real", "yes"),
    ("exp of large arguments", E.exp(x) / (1 + E.exp(x)), 1 / (1 + E.exp(-x)), "[-800, 800]", "yes"),
    ("a parity", E.cos(E.PI * x), E.constant(-1) ** x, "integer [0, 20]", "yes"),
    ("truth undefined for negative x", E.log(x), E.log(E.abs(x)), "real", "yes"),
    ("power tower", x, E.constant(9) ** (E.constant(9) ** (E.constant(9) ** E.constant(9))), "real", "unknown"),
]


@pytest.mark.parametrize(("why", "truth", "answer", "declared", "verdict"), LOOKALIKES, ids=[r[0] for r in LOOKALIKES])
def test_lookalikes_are_told_apart(why: str, truth: E.Expr, answer: E.Expr, declared: str, verdict: str) -> None:
    found = same(truth, answer, domain(x=declared))
    assert found.verdict == verdict, found
    assert (found.witness is not None) == (verdict == "no")


def test_points_respect_the_conditions_of_the_domain() -> None:
    x1, x2 = E.symbol("x_1"), E.symbol("x_2")
    narrow = Domain({"x_1": Declaration(), "x_2": Declaration()}, (Condition(x1**2 - x2, ">"),))
    points = narrow.points()
    assert len(points) >= 20
    for point in points:
        values = dict(point.values)
        assert values["x_1"][0] ** 2 > values["x_2"][0]


def test_a_thin_domain_is_found_by_the_directed_search() -> None:
    names = [f"x_{i}" for i in range(1, 5)]
    a, b, c, d = (E.symbol(n) for n in names)
    chain = tuple(Condition(left - right, ">") for left, right in ((a, b), (b, c), (c, d), (d, E.constant(3))))
    narrow = Domain(dict.fromkeys(names, Declaration()), (*chain, Condition(4 - a, ">")))
    assert len(narrow.points()) >= 10


def test_an_empty_domain_is_reported_and_decides_nothing() -> None:
    empty = Domain({"x": Declaration()}, (Condition(-(x**2) - 1, ">"),))
    found = same(x, x + 1, empty)
    assert (found.verdict, found.note) == ("unknown", "domain.empty")


def test_a_point_of_measure_zero_decides_nothing() -> None:
    assert same(E.step(x - Fraction(1, 2)), (1 + E.sign(2 * x - 1)) / 2, REAL).same


def test_an_answer_undefined_wherever_the_truth_is_defined_is_wrong() -> None:
    found = same(E.sqrt(x), E.sqrt(-x), domain(x="real"))
    assert (found.verdict, found.how, found.note) == ("no", "undefined", "domain.undefined_everywhere")
    assert found.witness is not None
    assert found.witness.answer == "undefined"


def test_an_answer_too_big_to_hold_is_not_wrong() -> None:
    tower = E.pow(9, E.pow(9, E.pow(9, x)))
    assert same(x, tower - tower + x, domain(x="[400, 500]")).verdict == "unknown"


def test_an_unknown_name_is_never_wrong() -> None:
    assert same(x, y, REAL).verdict == "unknown"


v = E.stack([x**2, E.sin(x)])


def test_a_gradient_may_be_a_row_unless_the_question_says_otherwise() -> None:
    row = E.reshape(v, (1, 2))
    assert same(v, row, REAL).same
    found = same(v, row, REAL, Policy(layouts=("column",)))
    assert (found.verdict, found.note) == ("no", "layout.row")


def test_a_transposed_jacobian_is_named_and_accepted_only_by_policy() -> None:
    truth = E.matrix([[x, x**2, 1], [2, E.exp(x), x]])
    found = same(truth, E.transpose(truth), REAL)
    assert (found.verdict, found.note) == ("no", "jacobian.transposed")
    assert same(truth, E.transpose(truth), REAL, Policy(transposed=True)).same


def test_a_transposed_square_matrix_is_named() -> None:
    truth = E.matrix([[x, x**2], [2, E.exp(x)]])
    found = same(truth, E.transpose(truth), REAL)
    assert (found.verdict, found.note) == ("no", "jacobian.transposed")
    assert found.witness is not None
    assert found.witness.entry == (1, 2)
    assert same(truth, E.transpose(truth), REAL, Policy(transposed=True)).same


def test_a_wrong_shape_is_said_in_words() -> None:
    found = same(v, E.sum(v), REAL)
    assert (found.verdict, found.how) == ("no", "shape")
    assert found.message == "the answer is a number, but a vector of length 2 is asked"


def test_a_scalar_and_a_one_by_one_matrix_are_the_same() -> None:
    assert same(x, E.reshape(x, (1, 1)), REAL).same
    assert same(E.reshape(x, (1,)), x, REAL).same


def test_each_entry_is_judged_on_its_own() -> None:
    found = same(E.stack([x, x**2, x**3]), E.stack([x, 2 * x, x**3]), REAL)
    assert found.verdict == "no"
    assert found.entries == (True, False, True)
    assert found.witness is not None
    assert found.witness.entry == (2,)


third = E.constant(Fraction(1, 3))


@pytest.mark.parametrize(
    ("answer", "policy", "verdict"),
    [
        (Fraction(3333, 10000), Policy(), "no"),
        (Fraction(3333, 10000), Policy(decimals=4), "yes"),
        (Fraction(333, 1000), Policy(decimals=4), "no"),
        (Fraction(33334, 100000), Policy(decimals=4), "yes"),
        (Fraction(3334, 10000), Policy(decimals=4, rounding="nearest"), "no"),
        (Fraction(34, 100), Policy(tolerance=Fraction(1, 20)), "yes"),
        (Fraction(36, 100), Policy(tolerance=Fraction(1, 20)), "no"),
        (Fraction(1, 3), Policy(decimals=4), "yes"),
    ],
)
def test_decimals_are_accepted_only_by_policy(answer: Fraction, policy: Policy, verdict: str) -> None:
    assert same(third, E.constant(answer), Domain(), policy).verdict == verdict


def test_a_half_is_one_half() -> None:
    assert same(E.constant(1) / 2, E.constant(Fraction("0.5"))).same


W, u = E.symbol("W", (2, 3)), E.symbol("u", (3,))


def test_matrix_products_do_not_commute() -> None:
    square = domain(A="matrix 3x3", B="matrix 3x3")
    a, b = E.symbol("A", (3, 3)), E.symbol("B", (3, 3))
    assert same(a @ b, b @ a, square).verdict == "no"
    assert same((a @ b).T, b.T @ a.T, square).same
    assert same(E.trace(a @ b), E.trace(b @ a), square).same


def test_an_abstract_function_is_told_from_its_derivative() -> None:
    f = E.call("f", [x])
    slope = E.call("f", [x], (1,))
    product = 2 * x * f + x**2 * slope
    assert same(product, x * (2 * f + x * slope), REAL).same
    assert same(product, 2 * x * f + x**2 * f, REAL).verdict == "no"
    assert same(E.log(f), E.log(f), REAL).same


def test_the_absolute_value_of_an_abstract_function_is_another_function() -> None:
    f = E.call("f", [x])
    assert same(f, E.abs(f), REAL).verdict == "no"


PROGRAM = """
from grader.compare import Domain, same
from grader.notation.vocabulary import parse_declaration
from reference import expression as E
x = E.symbol("x")
print(same(x, E.arcsin(E.sin(x)), Domain({"x": parse_declaration("[-7, 7]")})))
f = E.call("f", [x])
print(same(f, f + x / 1000, Domain({"x": parse_declaration("real")})))
"""


def test_two_processes_find_the_same_witness() -> None:
    runs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert "witness" in runs.pop()
