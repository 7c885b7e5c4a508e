"""What student code is asked and what it may answer: plain data over a pipe, no pickle, no names, no expected values.

A probe travels as one JSON object and is answered by one JSON object.  Arrays are `{"dtype", "shape", "data"}` with
base64 of the C-order little-endian bytes.  Everything decoded here is bounded and checked; what breaks a bound is a
`Malformed` value for the caller to catch, never a surprise.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from grader.model import Array, Json, Observation

DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
MAX_RANK = 8
MAX_ARRAY_BYTES = 16 * 1024 * 1024
MAX_REPLY_ARRAYS = 256
MAX_REPLY_BYTES = 48 * 1024 * 1024  # of one reply's arrays together
MAX_FLAGS = 256
MAX_NAME = 80
MAX_DETAIL = 2000

Attribute = None | bool | int | float | str | tuple["Attribute", ...]
Status = Literal["returned", "raised", "malformed", "timeout", "killed", "absent", "refused"]
STATUSES: tuple[Status, ...] = ("returned", "raised", "malformed", "timeout", "killed", "absent", "refused")
SAID_INSIDE: tuple[Status, ...] = ("returned", "raised", "malformed", "absent")  # the rest only we say


class Malformed(ValueError):
    """What came back from student code is not a bounded array of an allowed type, or not the agreed shape of reply."""


@dataclass(frozen=True, slots=True)
class Equation:
    """One step of an engine program: `op` applied to values number `args`; inputs count from 0, then the equations."""

    op: str
    args: tuple[int, ...]
    attrs: tuple[tuple[str, Attribute], ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to the student's code.  `name` stays with the grader; the process only sees a number.

    op "nodes": which nodes are there; flags `(node, present)`, and `adapter.scalar`, `adapter.accumulates`.
    op "call": `node` forward on `inputs`, backward with `upstream` (None: forward only); arrays `y`, `dx0`, `dx1`, …
    op "engine": `program` over `inputs` through the student's own graph; the last equation is the output; arrays `y`,
    `dx0`, ….  `prefill` are gradients the inputs already hold, one per input; `same` passes one node for all inputs
    (then there is one input and the adapter decides how often the operation uses it); `count` asks for the array
    `calls`, how often the most-called function of the hand-in ran.
    """

    name: str
    op: Literal["nodes", "call", "engine"] = "call"
    node: str = ""
    inputs: tuple[Array, ...] = ()
    upstream: Array | None = None
    attrs: tuple[tuple[str, Attribute], ...] = ()
    prefill: tuple[Array, ...] = ()
    same: bool = False
    program: tuple[Equation, ...] = ()
    count: bool = False


def array_of(value: object) -> Array:
    """Array holding `value` (anything `numpy.asarray` takes).  Raises Malformed for types or sizes not allowed."""
    array = np.asarray(value)
    name = array.dtype.name
    if name not in DTYPES:
        raise Malformed(f"an array of type {name} is not a number array")
    if array.ndim > MAX_RANK:
        raise Malformed(f"an array with {array.ndim} axes; at most {MAX_RANK} are allowed")
    if array.nbytes > MAX_ARRAY_BYTES:
        raise Malformed(f"an array of {array.nbytes} bytes; at most {MAX_ARRAY_BYTES} are allowed")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return Array(dtype=name, shape=tuple(int(n) for n in array.shape), data=little.tobytes())


def ndarray_of(array: Array) -> NDArray[Any]:
    """The numpy array, writable and its own owner."""
    dtype = np.dtype(array.dtype).newbyteorder("<")
    return np.frombuffer(array.data, dtype=dtype).astype(np.dtype(array.dtype)).reshape(array.shape)


def encode_array(array: Array) -> Json:
    return {"dtype": array.dtype, "shape": list(array.shape), "data": base64.b64encode(array.data).decode("ascii")}


def decode_array(value: object) -> Array:
    """Checked array.  Raises Malformed unless type, shape and number of bytes agree and are within the limits."""
    if not isinstance(value, dict):
        raise Malformed("an array is an object with dtype, shape and data")
    dtype, shape, data = value.get("dtype"), value.get("shape"), value.get("data")
    if dtype not in DTYPES:
        raise Malformed(f"array type {_short(dtype)} is not allowed")
    if not isinstance(shape, list) or len(shape) > MAX_RANK:
        raise Malformed("array shape is not a list of sizes")
    if not all(type(n) is int and 0 <= n <= MAX_ARRAY_BYTES for n in shape):
        raise Malformed("array sizes must be whole numbers within the limit")
    wanted = math.prod(shape) * np.dtype(dtype).itemsize
    if wanted > MAX_ARRAY_BYTES or not isinstance(data, str) or len(data) > 4 * (wanted // 3 + 1):
        raise Malformed("array is larger than allowed or larger than its shape says")
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("array data is not base64") from error
    if len(raw) != wanted:
        raise Malformed(f"array has {len(raw)} bytes where its shape needs {wanted}")
    return Array(dtype=dtype, shape=tuple(shape), data=raw)


def encode_probe(probe: Probe, number: int) -> Json:
    """The request as sent: no name, nothing about what is expected."""
    request: dict[str, Json] = {"id": number, "op": probe.op, "xs": [encode_array(x) for x in probe.inputs]}
    if probe.node:
        request["node"] = probe.node
    if probe.upstream is not None:
        request["g"] = encode_array(probe.upstream)
    if probe.attrs:
        request["attrs"] = _encode_attrs(probe.attrs)
    if probe.prefill:
        request["prefill"] = [encode_array(x) for x in probe.prefill]
    if probe.same:
        request["same"] = True
    if probe.count:
        request["count"] = True
    if probe.program:
        request["program"] = [[step.op, list(step.args), _encode_attrs(step.attrs)] for step in probe.program]
    return request


def decode_reply(reply: object, probe: Probe, seconds: float = 0.0) -> Observation:
    """The observation a reply amounts to.  Never raises on any JSON value: what breaks a rule is `malformed`."""
    try:
        return _decode_reply(reply, probe, seconds)
    except Malformed as error:
        return Observation(probe=probe.name, status="malformed", detail=str(error), seconds=seconds)


def unanswered(probe: Probe, status: Status, detail: str, seconds: float = 0.0) -> Observation:
    return Observation(probe=probe.name, status=status, detail=clean_text(detail, MAX_DETAIL), seconds=seconds)


def clean_text(text: str, limit: int = MAX_DETAIL) -> str:
    """Text that can be stored and shown anywhere: no control characters but newline and tab, no surrogates, bounded."""
    kept = text[: limit + 1]
    shown = "".join(c if c in "\n\t" or (c.isprintable() and not "\ud800" <= c <= "\udfff") else "\ufffd" for c in kept)
    return shown[:limit] + "…" if len(shown) > limit else shown


def _decode_reply(reply: object, probe: Probe, seconds: float) -> Observation:
    if not isinstance(reply, dict):
        raise Malformed("the reply is not an object")
    status = next((s for s in SAID_INSIDE if s == reply.get("status")), None)
    if status is None:
        raise Malformed(f"reply status {_short(reply.get('status'))} is unknown")
    detail = reply.get("detail", "")
    if not isinstance(detail, str):
        raise Malformed("reply detail is not text")
    return Observation(
        probe=probe.name,
        status=status,
        arrays=_decode_arrays(reply.get("arrays", [])),
        flags=_decode_flags(reply.get("flags", [])),
        detail=clean_text(detail),
        seconds=seconds,
    )


def _decode_arrays(value: object) -> tuple[tuple[str, Array | None], ...]:
    if not isinstance(value, list) or len(value) > MAX_REPLY_ARRAYS:
        raise Malformed("reply arrays are not a bounded list")
    arrays: list[tuple[str, Array | None]] = []
    total = 0
    for entry in value:
        name, raw = _pair(entry)
        array = None if raw is None else decode_array(raw)
        total += 0 if array is None else len(array.data)
        if total > MAX_REPLY_BYTES:
            raise Malformed(f"reply arrays hold more than {MAX_REPLY_BYTES} bytes")
        arrays.append((name, array))
    if len({name for name, _ in arrays}) != len(arrays):
        raise Malformed("reply names one array twice")
    return tuple(arrays)


def _decode_flags(value: object) -> tuple[tuple[str, bool], ...]:
    if not isinstance(value, list) or len(value) > MAX_FLAGS:
        raise Malformed("reply flags are not a bounded list")
    flags = []
    for entry in value:
        name, flag = _pair(entry)
        if not isinstance(flag, bool):
            raise Malformed("a reply flag is neither true nor false")
        flags.append((name, flag))
    return tuple(flags)


def _pair(entry: object) -> tuple[str, object]:
    if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], str) or len(entry[0]) > MAX_NAME:
        raise Malformed("reply entries are [name, value] with a short name")
    return clean_text(entry[0], MAX_NAME), entry[1]


def _encode_attrs(attrs: Sequence[tuple[str, Attribute]]) -> dict[str, Json]:
    return {name: _encode_attribute(value) for name, value in attrs}


def _encode_attribute(value: Attribute) -> Json:
    return [_encode_attribute(part) for part in value] if isinstance(value, tuple) else value


def decode_attrs(value: Mapping[str, Json]) -> dict[str, Attribute]:
    """Attributes as the adapter gets them: lists arrive as tuples."""
    return {name: _decode_attribute(part) for name, part in value.items()}


def _decode_attribute(value: Json) -> Attribute:
    if isinstance(value, list):
        return tuple(_decode_attribute(part) for part in value)
    if isinstance(value, dict):
        raise Malformed("an attribute is a number, text or a list of them")
    return value


def _short(value: object) -> str:
    return clean_text(repr(value) if not isinstance(value, str) else value, 40)
