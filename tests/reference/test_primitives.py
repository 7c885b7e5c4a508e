"""Every primitive of the table: values in three fields, both modes, formulas, independent differences."""

from __future__ import annotations

import numpy as np
import pytest

from reference import expression as E
from reference.primitives import PRIMITIVES
from tests.reference.primitive_check import check_primitive, inside, positive

SMOOTH = [
    "exp",
    "sin",
    "cos",
    "tan",
    "sec",
    "csc",
    "cot",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "sech",
    "csch",
    "coth",
    "arcsinh",
    "sigmoid",
    "softplus",
    "silu",
    "gelu",
    "erf",
    "neg",
    "abs",
    "sign",
    "step",
    "relu",
    "cbrt",
    "leaky_relu",
    "elu",
]
REDUCED = ("sum", "mean", "prod", "max", "min", "logsumexp")
PAIRS = [((), ()), ((3,), (3,)), ((3,), ()), ((2, 3), (3,)), ((2, 1), (2, 3)), ((2, 3), (1, 3))]
AXES = [((3,), None, False), ((3,), 0, True), ((2, 3), None, False), ((2, 3), 0, False), ((2, 3), 1, True)]
AXES += [((2, 3, 2), (0, 2), False), ((2, 3), -1, False), ((2, 3), None, True)]


@pytest.fixture(autouse=True)
def _undefined_is_a_value():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_entrywise_functions(name, shape):
    check_primitive(getattr(E, name), shape, exact=shape == ())


@pytest.mark.parametrize("name", ["log", "log2", "log10", "sqrt"])
def test_functions_of_positive_numbers(name):
    check_primitive(getattr(E, name), (3,), draw=positive)


@pytest.mark.parametrize("name", ["arcsin", "arccos", "arctanh"])
def test_functions_inside_the_unit_interval(name):
    check_primitive(getattr(E, name), (3,), draw=inside)


def test_arccosh():
    check_primitive(lambda x: E.arccosh(1 + x), (3,), draw=positive)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum", "minimum"])
@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_combinations_with_broadcasting(name, a, b):
    check_primitive(getattr(E, name), a, b)


@pytest.mark.parametrize(("a", "b"), [((), ()), ((3,), (3,)), ((3,), ())])
def test_powers_in_both_arguments(a, b):
    check_primitive(E.pow, a, b, draw=positive)


@pytest.mark.parametrize("exponent", [3, 2, -2, 1, 0])
def test_whole_powers_of_either_sign(exponent):
    check_primitive(lambda x: x**exponent, (3,))


def test_select():
    check_primitive(E.select, (3,), (3,), (3,))


@pytest.mark.parametrize("name", REDUCED)
@pytest.mark.parametrize(("shape", "axis", "keepdims"), AXES)
def test_reductions(name, shape, axis, keepdims):
    check_primitive(lambda x: getattr(E, name)(x, axis=axis, keepdims=keepdims), shape, exact=len(shape) < 2)


@pytest.mark.parametrize("order", ["1", "2", "inf", "squared"])
@pytest.mark.parametrize(("shape", "axis", "keepdims"), [((3,), None, False), ((2, 3), 1, False), ((2, 3), 0, True)])
def test_norms(order, shape, axis, keepdims):
    check_primitive(lambda x: E.norm(x, order, axis=axis, keepdims=keepdims), shape, exact=False)


def test_the_frobenius_norm():
    check_primitive(lambda x: E.norm(x, "fro"), (2, 3))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(("shape", "axis"), [((3,), -1), ((2, 3), 0), ((2, 3), 1)])
def test_normalising_functions(name, shape, axis):
    check_primitive(lambda x: getattr(E, name)(x, axis=axis), shape, exact=len(shape) < 2)


PRODUCTS = [
    *[((2, 3), (3,)), ((2, 3), (3, 4)), ((1, 3), (3,)), ((3,), (1, 4)), ((3,), (1,)), ((1, 3), (3, 4)), ((2, 1), (1,))],
    *[((2, 1), (1, 3)), ((2, 2, 3), (3, 2)), ((2, 2, 3), (2, 3, 2)), ((2, 2, 3), (3,)), ((2, 1, 2, 3), (2, 3, 2))],
    *[((1, 1), (1,)), ((1,), (1,))],
]


@pytest.mark.parametrize(("a", "b"), PRODUCTS)
def test_matrix_products_with_vectors_as_columns(a, b):
    check_primitive(E.matmul, a, b)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (2, 3), (3, 1), (2, 2, 3)])
def test_transposes(shape):
    check_primitive(E.transpose, shape)


def test_permuted_axes():
    check_primitive(lambda x: E.transpose(x, (2, 0, 1)), (2, 3, 4))


@pytest.mark.parametrize(("a", "b"), [((3,), (3,)), ((1, 3), (3,)), ((3,), (1, 3))])
def test_dot_products(a, b):
    check_primitive(E.dot, a, b)


@pytest.mark.parametrize(("a", "b"), [((3,), (2,)), ((1, 3), (2,)), ((1,), (3,)), ((3,), (1,)), ((3,), (1, 2))])
def test_outer_products(a, b):
    check_primitive(E.outer, a, b)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *[("diag", (3,)), ("diag", (1, 3)), ("diagonal", (3, 3)), ("trace", (3, 3))],
        *[(name, (n, n)) for name in ("inv", "det") for n in (1, 2, 3)],
    ],
)
def test_square_matrices(name, shape):
    check_primitive(getattr(E, name), shape)


def test_logdet():
    check_primitive(lambda x: E.logdet(x @ x.T), (3, 3), exact=False)


@pytest.mark.parametrize(("a", "b"), [((2,), (3,)), ((2, 3), (3, 2)), ((2,), (3, 2))])
def test_kronecker_products(a, b):
    check_primitive(E.kron, a, b)


MOVES = [
    (lambda a, b: E.stack([a, b], axis=0), (2, 3), (2, 3)),
    (lambda a, b: E.stack([a, b], axis=-1), (2, 3), (2, 3)),
    (lambda a, b: E.stack([a, b]), (), ()),
    (lambda a, b: E.concat([a, b], axis=0), (2, 3), (1, 3)),
    (lambda a, b: E.concat([a, b], axis=1), (2, 3), (2, 1)),
    (lambda a: a[1], (3,)),
    (lambda a: a[0:2, 1], (3, 2)),
    (lambda a: a[::-1], (3,)),
    (lambda a: a[1, ::2], (2, 3)),
    (lambda a: E.put(a, (3,), 1), ()),
    (lambda a: E.put(a, (3, 3), 1), (3,)),
    (lambda a: E.reshape(a, (3, 2)), (2, 3)),
    (lambda a: E.broadcast(a, (2, 3)), (3,)),
    (lambda a: E.broadcast(a, (2, 3)), ()),
    (lambda a: E.broadcast(a, (2, 3)), (2, 1)),
]


@pytest.mark.parametrize("row", MOVES)
def test_moving_entries_about(row):
    make, *shapes = row
    check_primitive(make, *shapes)


CONVOLUTIONS = [
    *[((4, 5), (2, 3), 1, 0), ((4, 5), (2, 2), 2, 1), ((2, 4, 4), (3, 2, 2, 2), 1, 0), ((2, 4, 4), (3, 2, 3, 3), 2, 1)],
    ((2, 2, 4, 4), (3, 2, 2, 2), 1, 1),
]


@pytest.mark.parametrize(("image", "kernel", "stride", "padding"), CONVOLUTIONS)
def test_convolutions(image, kernel, stride, padding):
    check_primitive(lambda a, b: E.conv(a, b, stride=stride, padding=padding), image, kernel, exact=False)


def test_every_primitive_says_what_it_costs_and_how_it_prints():
    for primitive in PRIMITIVES.values():
        assert primitive.latex
        assert primitive.domain
        assert callable(primitive.cost)
