"""Messages are checked before anything else sees them; outputs that leave are text and images."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.execution import frames, messages, notebooks, outputs, seccomp
from grader.execution.limits import MAX_CELLS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [
        "status",
        "execute_input",
        "stream",
        "execute_result",
        "display_data",
        "update_display_data",
        "clear_output",
        "error",
        "comm_open",
    ]
)
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n1234").decode()
FIELDS = st.sampled_from(
    [
        "data",
        "metadata",
        "transient",
        "name",
        "text",
        "execution_state",
        "ename",
        "evalue",
        "traceback",
        "wait",
        "status",
    ]
)
FRAME = st.fixed_dictionaries(
    {
        "channel": st.sampled_from(["iopub", "shell", "x"]),
        "type": TYPES | JSON,
        "content": st.dictionaries(FIELDS, JSON),
    }
)


@given(FRAME | st.dictionaries(st.text(max_size=8), JSON))
def test_any_frame_is_a_checked_message_or_a_violation(frame):
    with contextlib.suppress(messages.Violation):
        json.dumps(messages.check(frame), ensure_ascii=False).encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_bad_frame(body):
    with contextlib.suppress(frames.BadFrame):
        assert isinstance(frames.decode(body), dict)


def test_deep_nesting_is_refused_before_it_is_read():
    with pytest.raises(frames.BadFrame, match="deep"):
        frames.decode(b'{"a":' * 5000 + b"1" + b"}" * 5000)
    assert not frames.too_deep(json.dumps({"text": "[" * 5000}).encode())


@given(st.dictionaries(st.sampled_from(["output_type", "name", "text", "data", "traceback", "ename"]), JSON))
def test_any_output_becomes_plain_data(output):
    json.dumps(outputs.sanitise(output)).encode()


@pytest.mark.parametrize(
    "mime", ["text/html", "image/svg+xml", "application/javascript", "text/latex", "text/markdown"]
)
def test_markup_and_scripts_do_not_get_out(mime):
    shown = outputs.sanitise(
        {"output_type": "display_data", "data": {mime: "<script>alert(1)</script>", "text/plain": "t"}}
    )
    assert shown["data"] == {"text/plain": "t"}


def test_what_was_left_out_is_named():
    shown = outputs.sanitise({"output_type": "display_data", "data": {"text/html": "<b>x</b>"}})
    assert shown["data"]["text/plain"] == "[output not shown: text/html]"


def test_an_image_stays_only_if_its_bytes_are_one():
    good = outputs.sanitise({"output_type": "display_data", "data": {"image/png": PNG}})
    fake = base64.b64encode(b"<svg onload=alert(1)>").decode()
    bad = outputs.sanitise({"output_type": "display_data", "data": {"image/png": fake}})
    assert good["data"] == {"image/png": PNG}
    assert "image/png" not in bad["data"]


def test_terminal_colours_are_taken_out():
    assert outputs.plain("\x1b[31mred\x1b[0m\x07") == "red\ufffd"


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_code_or_a_reason(source):
    code = notebooks.read_code(source)
    if isinstance(code, notebooks.NoCode):
        assert code.reason
    else:
        notebooks.imports_of(code, frozenset({"a", "import"}))


@given(
    st.fixed_dictionaries({"cells": st.lists(st.dictionaries(st.sampled_from(["cell_type", "source"]), JSON) | JSON)})
)
def test_any_cells_keep_their_numbers(document):
    code = notebooks.read_code(json.dumps(document).encode())
    assert isinstance(code, notebooks.Code)
    assert len(code.cells) == len(document["cells"])


def test_too_many_cells_are_refused_with_the_number():
    code = notebooks.read_code(json.dumps({"cells": [{}] * (MAX_CELLS + 1)}).encode())
    assert isinstance(code, notebooks.NoCode)
    assert str(MAX_CELLS) in code.reason


IMPORTING = '''
import a.b, c as d
from e.f import g
%matplotlib inline
!pip install x
importlib.import_module('h.i')
__import__('j')
if True: import k
'import m'
# import n
x = """
import o
"""
'''


def test_imports_are_seen_however_they_are_written():
    cells = (notebooks.Cell(True, IMPORTING), notebooks.Cell(True, "import l l\n("), notebooks.Cell(False, "import p"))
    letters = frozenset("abcdefghijklmnopx")
    assert notebooks.imports_of(notebooks.Code(cells), letters) == set("acehjkl")


def test_the_filter_is_a_whole_program_with_jumps_inside_it():
    code = seccomp.program(1)
    assert len(code) % 8 == 0
    count = len(code) // 8
    assert count < 4096
    for number in range(count):
        kind, yes, no = code[8 * number], code[8 * number + 2], code[8 * number + 3]
        if kind & 0x07 == 0x05:
            assert number + 1 + max(yes, no) < count
