"""Groups of tests/cases/notation_arrays.toml: spellings of one array agree at random arrays of the declared sizes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy
import pytest

from grader.notation import Unreadable, Vocabulary, build_vocabulary, elaborate, read
from reference import expression as E
from reference.graph import FLOAT, build, run
from reference.node import Expr
from reference.shapes import ShapeError

GROUPS = tomllib.loads((Path(__file__).parent.parent / "cases" / "notation_arrays.toml").read_text())["group"]
SIZES = {"M": 2, "N": 3, "n": 4, "D": 2, "E": 3, "F": 4}


def _vocabulary(group: dict[str, Any]) -> Vocabulary:
    return build_vocabulary(group["symbols"], group.get("definitions"), aliases=group.get("aliases"))


def _expressions(typed: str, words: Vocabulary) -> tuple[Expr, ...]:
    found = read(typed, "latex" if "\\" in typed else "plain", words)
    assert not isinstance(found, Unreadable), found
    return elaborate(found.answer, words, SIZES)


def _concrete(expr: Expr, words: Vocabulary) -> Expr:
    """Abstract functions replaced by smooth ones that mix their arguments."""
    functions = {}
    for call in E.calls(expr):
        name, declared = call.name, words.functions[next(k for k in words.functions if k.split("(")[0] == call.name)]
        if declared.elementwise:
            t = E.symbol("t")
            functions[name] = E.Function((t,), E.add(E.sin(t), E.mul(t, t)))
            continue
        params = tuple(E.symbol(f"arg{k}", a.shape) for k, a in enumerate(call.args))
        total = sum((E.sum(E.sin(E.mul(k + 1, p))) for k, p in enumerate(params)), E.constant(4))
        if declared.result:
            total = E.stack([E.mul(k + 1, E.sin(E.mul(total, k + 1))) for k in range(SIZES[str(declared.result[0])])])
        functions[name] = E.Function(params, total)
    return E.instantiate(expr, functions)


def _value(expr: Expr, words: Vocabulary) -> numpy.ndarray:
    rng = numpy.random.default_rng(7)
    env = {
        name: rng.uniform(0.3, 1.7, tuple(SIZES.get(str(s), s) for s in declared.shape))
        for name, declared in words.symbols.items()
    }
    return numpy.squeeze(numpy.asarray(run(build((_concrete(expr, words),)), env, FLOAT)[0]))


SAME = [(k, typed) for k, group in enumerate(GROUPS) for typed in group["same"]]
REFUSED = [(k, typed) for k, group in enumerate(GROUPS) for typed in group.get("refused", ())]


@pytest.mark.parametrize(("k", "typed"), SAME, ids=[typed for _, typed in SAME])
def test_spellings_of_one_array_agree(k: int, typed: str) -> None:
    words = _vocabulary(GROUPS[k])
    wanted = _value(_expressions(GROUPS[k]["same"][0], words)[0], words)
    found = [_value(e, words) for e in _expressions(typed, words)]
    assert any(v.shape == wanted.shape and numpy.allclose(v, wanted, rtol=1e-10) for v in found)


@pytest.mark.parametrize(("k", "typed"), REFUSED, ids=[typed for _, typed in REFUSED])
def test_what_does_not_conform_is_a_shape_error_not_unreadable(k: int, typed: str) -> None:
    with pytest.raises(ShapeError):
        _expressions(typed, _vocabulary(GROUPS[k]))
