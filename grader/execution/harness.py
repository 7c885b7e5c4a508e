"""The part that runs inside, beside the student's code: hands probes to the adapter and encodes what it returns.

An adapter is a small Python source with `nodes()`, `call(node, xs, g, *, prefill=None, same=False, **attrs)` returning
`(y, [gradient per input])`, and `engine(expr, xs)` returning `(y, [gradient per input])`.  It sees the student's names
as its own globals (a copy: what it defines does not touch the student's), and the whole namespace as `student`.
`nodes()` returns names, or a mapping name → present.  It may set `scalar = True`, `accumulates = True`.
Nothing that leaves here is believed outside.
"""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from grader.execution import probes as wire
from grader.model import Array, Json, Observation

ADAPTER_NAME = "adapter"
NOT_STUDENTS = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})


class _AdapterLoader(importlib.abc.InspectLoader):
    """Loads an adapter from its text, so that tracebacks can show its lines."""

    def __init__(self, source: str) -> None:
        self.source = source

    def get_source(self, fullname: str) -> str:
        return self.source


def load_adapter(source: str, student: Mapping[str, Any]) -> ModuleType:
    """The adapter as a module whose globals start as a copy of the student's public names.  Raises what it raises.

    Names of built-in functions keep their meaning there: `sum = 0` in a notebook is no reason to fail.
    """
    loader = _AdapterLoader(source)
    spec = importlib.util.spec_from_loader(ADAPTER_NAME, loader, origin="adapter")
    if spec is None:  # pragma: no cover - spec_from_loader only refuses loaders without exec_module
        raise ImportError("the adapter has no loader")
    module = importlib.util.module_from_spec(spec)
    hidden = NOT_STUDENTS | set(dir(builtins))
    names = {k: v for k, v in student.items() if not k.startswith("_") and k not in hidden}
    vars(module).update(names)
    vars(module)["student"] = student
    loader.exec_module(module)
    return module


def answer(adapter: ModuleType, request: Mapping[str, Any]) -> dict[str, Json]:
    """One reply to one request.  Whatever the student's code raises is part of the reply, exits included."""
    try:
        if request["op"] == "nodes":
            return _list_nodes(adapter)
        if request["op"] == "engine":
            return _run_engine(adapter, request)
        return _call_node(adapter, request)
    except wire.Malformed as error:
        return {"status": "malformed", "detail": str(error)}
    except BaseException as error:  # noqa: BLE001 - student code may raise anything, SystemExit included
        return {"status": "raised", "detail": describe(error)}


def answer_in_process(
    probes: Sequence[wire.Probe], adapter: str, student: Mapping[str, Any]
) -> tuple[Observation, ...]:
    """Observations without any sandbox: for code one wrote oneself (tests, a problem's own model solution)."""
    try:
        module = load_adapter(adapter, student)
    except Exception as error:  # noqa: BLE001 - the adapter runs student code
        return tuple(wire.unanswered(probe, "absent", f"the adapter failed: {describe(error)}") for probe in probes)
    return tuple(
        wire.decode_reply(answer(module, _as_received(probe, number)), probe) for number, probe in enumerate(probes)
    )


def describe(error: BaseException) -> str:
    """Type and message of an exception, even when its own `__str__` fails."""
    name = type(error).__name__
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - a hostile __str__
        text = "(its message cannot be shown)"
    return wire.clean_text(f"{name}: {text}" if text else name)


def _as_received(probe: wire.Probe, number: int) -> Mapping[str, Any]:
    request = wire.encode_probe(probe, number)
    if not isinstance(request, dict):
        raise TypeError("a request is an object")
    return request


def _list_nodes(adapter: ModuleType) -> dict[str, Json]:
    found = adapter.nodes()
    present = found if isinstance(found, Mapping) else dict.fromkeys(found, True)
    flags: list[Json] = [[str(name), bool(there)] for name, there in present.items()]
    flags += [[f"adapter.{flag}", bool(getattr(adapter, flag, False))] for flag in ("scalar", "accumulates")]
    return {"status": "returned", "flags": flags}


def _call_node(adapter: ModuleType, request: Mapping[str, Any]) -> dict[str, Json]:
    xs = [_input(x) for x in request["xs"]]
    g = None if request.get("g") is None else _input(request["g"])
    prefill = [_input(x) for x in request["prefill"]] if request.get("prefill") else None
    before = [x.tobytes() for x in xs]
    upstream = None if g is None else g.tobytes()
    attrs = wire.decode_attrs(request.get("attrs") or {})

    def run() -> Any:
        return adapter.call(request["node"], xs, g, prefill=prefill, same=bool(request.get("same")), **attrs)

    (y, grads), calls = _counted(run) if request.get("count") else (run(), None)
    gradients = _gradients(grads)
    flags: list[Json] = [
        ["inputs_mutated", before != [x.tobytes() for x in xs]],
        ["upstream_mutated", g is not None and upstream != g.tobytes()],
        ["upstream_aliased", g is not None and any(_shares(d, g) for d in gradients)],
        ["gradients_aliased", any(_shares(a, b) for i, a in enumerate(gradients) for b in gradients[:i])],
    ]
    return _reply(y, gradients, calls, flags)


def _run_engine(adapter: ModuleType, request: Mapping[str, Any]) -> dict[str, Json]:
    xs = [_input(x) for x in request["xs"]]
    before = [x.tobytes() for x in xs]
    program = [(op, tuple(args), wire.decode_attrs(attrs)) for op, args, attrs in request["program"]]

    def run() -> Any:
        return adapter.engine(program, xs)

    (y, grads), calls = _counted(run) if request.get("count") else (run(), None)
    return _reply(y, _gradients(grads), calls, [["inputs_mutated", before != [x.tobytes() for x in xs]]])


def _reply(y: Any, gradients: Sequence[Any], calls: int | None, flags: list[Json]) -> dict[str, Json]:
    arrays: list[Json] = [["y", _output(y)], *([f"dx{i}", _output(d)] for i, d in enumerate(gradients))]
    if calls is not None:
        arrays.append(["calls", wire.encode_array(wire.array_of(np.int64(calls)))])
    return {"status": "returned", "arrays": arrays, "flags": flags}


def _gradients(grads: Any) -> list[Any]:
    if grads is None:
        return []
    return list(grads) if isinstance(grads, (list, tuple)) else [grads]


def _input(value: object) -> Any:
    return wire.ndarray_of(wire.decode_array(value))


def _output(value: Any) -> Json:
    return None if value is None else wire.encode_array(_array(value))


def _array(value: Any) -> Array:
    try:
        return wire.array_of(value)
    except wire.Malformed:
        raise
    except Exception as error:
        raise wire.Malformed(f"the result is not an array of numbers ({describe(error)})") from error


def _shares(a: Any, b: Any) -> bool:
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.ndim > 0 and np.may_share_memory(a, b)


def _counted(run: Callable[[], Any]) -> tuple[Any, int]:
    """Result, and how often the most-called Python function ran: a forward pass repeated per parameter shows."""
    counts: dict[CodeType, int] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            counts[frame.f_code] = counts.get(frame.f_code, 0) + 1

    sys.setprofile(note)
    try:
        result = run()
    finally:
        sys.setprofile(None)
    return result, max(counts.values(), default=0)
