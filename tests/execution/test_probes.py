"""The probe protocol: what arrives is what was sent, and nothing that comes back can surprise."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.execution import harness
from grader.execution.probes import (
    DTYPES,
    STATUSES,
    Equation,
    Malformed,
    Probe,
    array_of,
    clean_text,
    decode_array,
    decode_attrs,
    decode_reply,
    encode_array,
    encode_probe,
    ndarray_of,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["status", "arrays", "flags", "detail", "dtype", "shape", "data"])
ADAPTER = """
import numpy as np
scalar = False
accumulates = True
def nodes():
    return {"mul": True, "div": False}
def call(node, xs, g, *, prefill=None, same=False, **attrs):
    return globals()[node](xs, g, **attrs)
def mul(xs, g, **attrs): return xs[0] * xs[1], [g * xs[1], g * xs[0]]
def bad(xs, g): raise Strange()
def leave(xs, g): raise SystemExit(3)
def alias(xs, g): return xs[0], [g, g]
def spoil(xs, g):
    xs[0] += 1
    return xs[0], None
def again(xs, g): return sum(helper(x) for x in range(40)), [None]
def helper(x): return x
def engine(expr, xs): return np.array(len(expr)), list(xs)
"""


class Strange(Exception):
    def __str__(self):
        raise RuntimeError("no text either")


def ask(probe):
    return harness.answer_in_process([probe], ADAPTER, {"Strange": Strange})[0]


def call(node, **how):
    x = array_of([1.0, 2.0])
    return ask(Probe("p", node=node, inputs=(x, array_of([3.0, 4.0])), upstream=x, **how))


@given(hnp.arrays(st.sampled_from([np.dtype(name) for name in DTYPES]), hnp.array_shapes(min_dims=0, max_dims=4)))
def test_an_array_survives_the_trip(value):
    back = ndarray_of(decode_array(json.loads(json.dumps(encode_array(array_of(value))))))
    assert back.dtype == value.dtype
    assert back.shape == value.shape
    assert back.tobytes() == value.tobytes()


@given(JSON)
def test_any_json_is_an_array_or_malformed(value):
    with contextlib.suppress(Malformed):
        assert decode_array(value).dtype in DTYPES


@given(st.one_of(JSON, st.dictionaries(KEYS, JSON)))
def test_any_json_is_an_observation(value):
    observation = decode_reply(value, Probe("p"))
    assert observation.status in STATUSES
    observation.detail.encode()


@pytest.mark.parametrize(
    "value",
    [
        {"dtype": "object", "shape": [], "data": ""},
        {"dtype": "float64", "shape": [-1], "data": ""},
        {"dtype": "float64", "shape": [2**40], "data": ""},
        {"dtype": "float64", "shape": [True], "data": "AAAAAAAAAAA="},
        {"dtype": "float64", "shape": [1], "data": "AAAA"},
        {"dtype": "float64", "shape": [1], "data": "!" * 12},
        {"dtype": ["float64"], "shape": [1] * 9, "data": ""},
    ],
)
def test_an_array_that_breaks_a_rule_is_malformed(value):
    with pytest.raises(Malformed):
        decode_array(value)


def test_a_request_says_neither_its_name_nor_what_is_expected():
    probe = Probe("secret name", node="mul", inputs=(array_of(1.0),), attrs=(("axis", (0, 1)),), same=True)
    sent = json.dumps(encode_probe(probe, 3))
    assert "secret" not in sent
    assert decode_attrs(json.loads(sent)["attrs"]) == {"axis": (0, 1)}


def test_a_node_answers_with_value_and_gradients():
    observation = call("mul", count=True)
    arrays = {name: ndarray_of(array).tolist() for name, array in observation.arrays}
    assert observation.status == "returned"
    assert arrays == {"y": [3.0, 8.0], "dx0": [3.0, 8.0], "dx1": [1.0, 4.0], "calls": 1}
    assert not any(flag for _, flag in observation.flags)


def test_repeated_evaluation_shows_in_the_count():
    counted = dict(call("again", count=True).arrays)["calls"]
    assert ndarray_of(counted) >= 40


def test_mutation_and_aliasing_are_flagged():
    assert dict(call("spoil").flags)["inputs_mutated"]
    flags = dict(call("alias").flags)
    assert flags["upstream_aliased"]
    assert flags["gradients_aliased"]


def test_whatever_a_node_raises_is_part_of_the_answer():
    assert call("bad").status == "raised"
    assert "Strange" in call("bad").detail
    assert call("leave").detail == "SystemExit: 3"


def test_the_nodes_are_flags():
    observation = ask(Probe("n", op="nodes"))
    assert dict(observation.flags) == {"mul": True, "div": False, "adapter.scalar": False, "adapter.accumulates": True}


def test_a_program_reaches_the_engine_as_equations():
    program = (Equation("mul", (0, 1)), Equation("sum", (2,), (("axis", None),)))
    observation = ask(Probe("e", op="engine", inputs=(array_of(2.0), array_of(3.0)), program=program))
    assert [name for name, _ in observation.arrays] == ["y", "dx0", "dx1"]


def test_an_adapter_that_fails_leaves_every_probe_absent():
    seen = harness.answer_in_process([Probe("p"), Probe("q")], "1 / 0", {})
    assert [(one.status, one.probe) for one in seen] == [("absent", "p"), ("absent", "q")]


@given(st.text(), st.integers(1, 50))
def test_cleaned_text_can_be_stored_and_is_bounded(text, limit):
    cleaned = clean_text(text, limit)
    cleaned.encode()
    assert len(cleaned) <= limit + 1
    assert "\0" not in cleaned
