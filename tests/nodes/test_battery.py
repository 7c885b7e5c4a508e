"""Right implementations are accepted and wrong ones are not.  benchmarks/nodes.py runs the whole battery."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from grader.compare.nodes.operations import OPERATIONS
from grader.model import Verdict
from tests.nodes.battery import MUTANTS, RIGHT_KINDS, mutants, right_implementations
from tests.nodes.local import Implementation, judged
from tests.nodes.rewriting import right_variants, wrong_variants
from tests.nodes.rightly import RIGHT

SAMPLE = ("add", "div", "maximum", "pow", "log", "tanh", "relu", "sum", "max", "matmul", "softmax", "cross_entropy")
ACCEPTED = (Verdict.CORRECT, Verdict.CARRIED)


def test_the_battery_is_as_large_as_it_should_be() -> None:
    assert set(RIGHT) == set(OPERATIONS)
    assert len(OPERATIONS) >= 25
    assert len(RIGHT_KINDS) >= 7
    assert len(MUTANTS) >= 23


EVERY = 3  # one in so many here, all of them in the benchmark


@pytest.mark.parametrize("name", OPERATIONS)
def test_right_implementations_are_accepted(name: str) -> None:
    start = list(OPERATIONS).index(name) % EVERY
    with np.errstate(all="ignore"):
        for one in itertools.islice(right_implementations((name,)), start, None, EVERY):
            verdict = judged(one, b"quick")
            assert verdict.forward.verdict is Verdict.CORRECT, (one.label, verdict.forward)
            assert verdict.backward.verdict is Verdict.CORRECT, (one.label, verdict.backward)


@pytest.mark.parametrize("name", SAMPLE)
def test_wrong_implementations_are_not_accepted(name: str) -> None:
    with np.errstate(all="ignore"):
        for one in itertools.islice(mutants((name,)), SAMPLE.index(name) % EVERY, None, 2 * EVERY):
            verdict = judged(one, b"quick")
            assert verdict.backward.verdict not in ACCEPTED, (one.label, verdict.backward)
            assert verdict.backward.note, one.label
            assert verdict.backward.message, one.label


NOTES = {
    "upstream ignored": "node.upstream_ignored",
    "upstream twice": "node.upstream_twice",
    "factor 2": "node.factor",
    "zero": "node.zero_gradient",
    "overwritten": "node.overwritten",
    "inputs changed": "node.input_mutated",
    "upstream changed": "node.upstream_mutated",
    "off in the eighth digit": "node.numerical_differentiation",
    "second order differences": "node.numerical_differentiation",
    "piles up": "node.state_leaks",
}


def test_mistakes_are_named() -> None:
    found = {one.kind: judged(one).backward.note for one in mutants(("mul",)) if one.kind in NOTES}
    assert found == NOTES


def test_conventions_are_accepted() -> None:
    log = RIGHT["log"]
    guarded = Implementation("log", "guard", lambda x: np.log(x + 1e-8), lambda xs, y, g: (g / (xs[0] + 1e-8),))
    only_backward = Implementation("log", "guard", log[0], lambda xs, y, g: (g / (xs[0] + 1e-7),))
    too_large = Implementation("log", "guard", log[0], lambda xs, y, g: (g / (xs[0] + 1e-3),))
    assert judged(guarded).backward.verdict is Verdict.CORRECT
    assert judged(only_backward).backward.verdict is Verdict.CORRECT
    assert judged(too_large).backward.verdict is Verdict.INCORRECT


def test_a_backward_pass_is_credited_for_its_own_forward_pass_unless_that_does_nothing() -> None:
    other = Implementation("log", "log10", np.log10, lambda xs, y, g: (g / (xs[0] * np.log(10)),))
    nothing = Implementation("log", "identity", lambda x: x, lambda xs, y, g: (g,))
    assert judged(other).forward.verdict is Verdict.INCORRECT
    assert judged(other).backward.verdict is Verdict.CARRIED
    assert judged(nothing).backward.verdict is Verdict.UNDECIDED


def test_variants_made_by_rewriting_are_accepted_and_mutants_are_not() -> None:
    with np.errstate(all="ignore"):
        rights = list(right_variants(rounds=1, seed=1, names=("sigmoid", "matmul", "mean")))
        wrongs = list(wrong_variants(stride=53, names=("tanh", "div", "sum")))
        assert len(rights) >= 20
        assert len(wrongs) >= 2
        assert {one.label for one in rights if judged(one).backward.verdict is not Verdict.CORRECT} == set()
        assert {one.label for one in wrongs if judged(one).backward.verdict in ACCEPTED} == set()


def test_a_backward_pass_is_tried_where_the_forward_pass_is_wrong() -> None:
    bent = Implementation("relu", "bent", np.abs, lambda xs, y, g: (g * (xs[0] != 0),))
    right = Implementation("relu", "bent", np.abs, lambda xs, y, g: (g * np.sign(xs[0]),))
    for changes in ({}, {"scalar": True}):
        assert judged(bent, **changes).backward.verdict is Verdict.INCORRECT
        assert judged(right, **changes).backward.verdict is Verdict.CARRIED


@pytest.mark.parametrize("slope", [0.01, 0.1, 0.2])
def test_leaky_units_may_have_any_usual_slope(slope: float) -> None:
    leaky = Implementation(
        "leaky_relu",
        "slope",
        lambda x: np.where(x > 0, x, slope * x),
        lambda xs, y, g: (g * np.where(xs[0] > 0, 1, slope),),
    )
    mixed = Implementation("leaky_relu", "mixed", leaky.forward, lambda xs, y, g: (g * np.where(xs[0] > 0, 1, 0.5),))
    assert judged(leaky).forward.verdict is judged(leaky).backward.verdict is Verdict.CORRECT
    assert judged(mixed).backward.verdict is Verdict.INCORRECT


def test_warnings_that_are_errors_and_arrays_without_axes_cost_nothing_where_they_are_not_asked() -> None:
    def strict(x: Any) -> Any:
        if np.any(np.abs(x) > 30):
            raise RuntimeWarning("overflow encountered in exp")
        return np.exp(x)

    def arrays(x: Any) -> Any:
        out = np.array(x, float)
        out[:] = np.exp(x)
        return out

    assert judged(Implementation("exp", "strict", strict, RIGHT["exp"][1])).forward.verdict is Verdict.CORRECT
    only = Implementation("exp", "arrays", arrays, RIGHT["exp"][1])
    assert judged(only, numbers=False).forward.verdict is Verdict.CORRECT
    assert judged(only).forward.verdict is Verdict.INCORRECT


def test_the_same_seed_gives_the_same_verdict_and_other_seeds_agree() -> None:
    wrong = next(itertools.islice(mutants(("tanh",)), 3, None))
    assert judged(wrong, b"1") == judged(wrong, b"1")
    assert {judged(wrong, seed).backward.note for seed in (b"1", b"2", b"3")} == {judged(wrong, b"1").backward.note}
