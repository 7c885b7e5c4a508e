"""Values at all points in one step are the values point by point."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from grader.compare.evaluation import Batch
from reference import expression as E
from reference.graph import balls, build, run

BITS = 128
Shape = tuple[int, ...]

PRODUCTS = [
    ((2, 3), (3,)),
    ((1, 3), (3,)),
    ((3,), (1, 2)),
    ((2, 3), (3, 2)),
    ((1, 3), (3, 2)),
    ((2, 1), (1, 3)),
    ((3, 3), (3, 3)),
]
CASES: list[tuple[Callable[..., E.Expr], tuple[Shape, ...]]] = [
    *((lambda a, b: a @ b, shapes) for shapes in PRODUCTS),
    *((E.transpose, (shape,)) for shape in ((3,), (1, 3), (3, 1), (2, 3), (3, 3))),
    (lambda x: E.transpose(x, (1, 2, 0)), ((2, 3, 2),)),
    *((E.dot, shapes) for shapes in (((3,), (3,)), ((1, 3), (3,)), ((3,), (1, 3)))),
    *((E.outer, shapes) for shapes in (((2,), (3,)), ((1, 3), (2,)), ((1,), (3,)), ((3,), (1,)), ((3,), (1, 2)))),
    *((lambda a, b: a + b, shapes) for shapes in (((3,), ()), ((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 3), (1, 3)))),
    *((lambda a, b: a * b, shapes) for shapes in (((), (2, 3)), ((3,), (3,)), ((2, 3), (2, 1)))),
    (lambda x: E.stack([x, 2 * x]), ((3,),)),
    (lambda x: E.stack([x, x], axis=1), ((3,),)),
    (lambda x: x[1], ((3,),)),
    (lambda x: x[1], ((2, 3),)),
    (lambda x: x[0, 2], ((2, 3),)),
    (lambda x: E.index(x, (slice(None), 1)), ((2, 3),)),
    (lambda x: E.reshape(x, (3, 2)), ((2, 3),)),
    (E.diag, ((3,),)),
    (E.trace, ((3, 3),)),
    (E.inv, ((2, 2),)),
    (lambda x: E.sum(x, axis=0), ((2, 3),)),
    (E.softmax, ((3,),)),
    (lambda x: x**2, ((2, 3),)),
    (lambda x: E.constant(2) ** x, ((3,),)),
    (lambda x: E.norm(x, "squared"), ((3,),)),
]


@pytest.mark.parametrize(("make", "shapes"), CASES)
def test_all_points_in_one_step(make: Callable[..., E.Expr], shapes: tuple[Shape, ...]) -> None:
    names = [E.symbol(f"v{k}", shape) for k, shape in enumerate(shapes)]
    expr = make(*names)
    count = 4
    draw = np.random.default_rng(7)
    env = {
        name.name: [
            tuple(Fraction(int(n), 7) for n in draw.integers(1, 40, int(np.prod(name.shape, dtype=int))))
            for _ in range(count)
        ]
        for name in names
    }
    together = Batch(env, count, BITS).of([expr])[0]
    assert together.shape == (count, *expr.shape)
    field = balls(BITS)
    for point in range(count):
        values = {name.name: np.array(env[name.name][point], dtype=object).reshape(name.shape)[()] for name in names}
        alone = np.asarray(run(build(expr), values, field)[0], dtype=object)
        assert alone.shape == expr.shape
        for one, other in zip(
            together[point].reshape(-1) if expr.shape else [together[point]], alone.reshape(-1), strict=True
        ):
            assert one.overlaps(other)
