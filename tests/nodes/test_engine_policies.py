"""What an engine that is right, but fails on long chains or walks every path, is worth: as the problem says."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from grader.model import Finding, Verdict
from grader.problems import ProblemError
from tests.nodes.handins import PROBLEMS, findings

RECURSIVE = """
    def backward(self):
        order, seen = [], set()
        def visit(v):
            if v not in seen:
                seen.add(v)
                for parent in v._prev:
                    visit(parent)
                order.append(v)
        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            value._backward()
"""
EVERY_PATH = """
    def backward(self):
        def walk(v, g):
            held, v.grad = v.grad, g
            before = [parent.grad for parent in v._prev]
            for parent in v._prev:
                parent.grad = 0.0
            v._backward()
            sent = [parent.grad for parent in v._prev]
            for parent, old in zip(v._prev, before):
                parent.grad = old
            v.grad = held + g
            done = []
            for parent, d in zip(v._prev, sent):
                if parent not in done:
                    done.append(parent)
                    walk(parent, d)
        walk(self, 1.0)
"""


def engine(folder: Path, backward: str, **keys: str) -> Finding:
    """The finding on the engine of a scalar `Value` with this `backward`, under these keys of the question."""
    text = (PROBLEMS / "autograd-value" / "problem.toml").read_text("utf-8")
    first, rest = text.split("engine = true", 1)
    added = "".join(f"\n{key} = {value}" for key, value in keys.items())
    (folder / "problem.toml").write_text(f"{first}engine = true{added}{rest}", "utf-8")
    (folder / "statement.md").write_text("# Engine\n", "utf-8")
    source = (PROBLEMS / "autograd-value" / "program.py").read_text("utf-8")
    return findings(str(folder), [source[: source.index("    def backward(self):")] + backward])["1.engine"]


@pytest.mark.parametrize(("depth", "credit"), [(None, 1), ("'3/4'", Fraction(3, 4)), ("0", 0)])
def test_a_recursive_order_costs_what_the_problem_says(tmp_path: Path, depth: str | None, credit: Fraction) -> None:
    found = engine(tmp_path, RECURSIVE, **({} if depth is None else {"depth": depth}))
    assert (found.note, found.credit) == ("engine.recursion_depth", credit)
    assert (found.verdict is Verdict.CORRECT) == (credit == 1)


@pytest.mark.parametrize(("paths", "credit"), [(None, Fraction(1, 2)), ("1", 1), ("0", 0)])
def test_walking_every_path_costs_what_the_problem_says(tmp_path: Path, paths: str | None, credit: Fraction) -> None:
    found = engine(tmp_path, EVERY_PATH, **({} if paths is None else {"paths": paths}))
    assert (found.note, found.credit) == ("engine.path_enumeration", credit)


def test_a_share_is_between_nothing_and_all(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="share of the points"):
        engine(tmp_path, RECURSIVE, depth="2")
