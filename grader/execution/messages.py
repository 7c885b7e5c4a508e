"""What a kernel may say: each message is rebuilt from checked fields; anything else is a violation that ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grader.model import Json

MAX_TEXT = 24 * 1024 * 1024
MAX_MIME_TYPES = 32
MAX_LINES = 4000  # of a traceback
MAX_IDENTIFIER = 200


class Violation(ValueError):
    """The kernel sent what no kernel of ours sends."""


def check(frame: dict[str, Any]) -> dict[str, Any] | None:
    """The Jupyter message a frame from the kernel amounts to, or None for one that is legal but of no use here.

    Raises Violation.  The result has the fields nbclient reads, and no object of the sender's beyond plain JSON.
    """
    kind = frame.get("type")
    rule = _RULES.get((frame.get("channel"), kind)) if isinstance(kind, str) else None  # type: ignore[arg-type]
    if rule is None:
        raise Violation(f"unknown message {_name(kind)}")
    content = frame.get("content")
    if not isinstance(content, dict):
        raise Violation(f"{kind} without content")
    parent = frame.get("parent")
    checked = rule(content)
    if checked is None:
        return None
    return message(str(kind), checked, _identifier(parent) if parent else "")


def message(kind: str, content: dict[str, Any], parent: str) -> dict[str, Any]:
    return {
        "header": {"msg_type": kind, "msg_id": ""},
        "msg_type": kind,
        "msg_id": "",
        "parent_header": {"msg_id": parent},
        "content": content,
        "metadata": {},
        "buffers": [],
    }


def text(value: object, limit: int = MAX_TEXT) -> str:
    """Text without lone surrogates and NUL.  Raises Violation for anything else or too much of it."""
    if not isinstance(value, str) or len(value) > limit:
        raise Violation("text is missing or too long")
    if value.isascii():
        return value.replace("\0", "\ufffd")
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def _status(content: dict[str, Any]) -> dict[str, Any]:
    state = content.get("execution_state")
    if state not in ("busy", "idle", "starting"):
        raise Violation("unknown execution state")
    return {"execution_state": state}


def _input(content: dict[str, Any]) -> dict[str, Any]:
    return {"execution_count": _count(content.get("execution_count"))}


def _stream(content: dict[str, Any]) -> dict[str, Any]:
    if content.get("name") not in ("stdout", "stderr"):
        raise Violation("unknown stream")
    return {"name": content["name"], "text": text(content.get("text"))}


def _result(content: dict[str, Any]) -> dict[str, Any]:
    return {**_bundle(content), "execution_count": _count(content.get("execution_count"))}


def _display(content: dict[str, Any]) -> dict[str, Any]:
    transient = content.get("transient") or {}
    if not isinstance(transient, dict):
        raise Violation("transient is not an object")
    name = transient.get("display_id")
    return {**_bundle(content), "transient": {"display_id": _identifier(name)} if name else {}}


def _bundle(content: dict[str, Any]) -> dict[str, Any]:
    data = content.get("data")
    if not isinstance(data, dict) or len(data) > MAX_MIME_TYPES:
        raise Violation("a display without data")
    return {"data": {text(mime, MAX_IDENTIFIER): _mime_value(value) for mime, value in data.items()}, "metadata": {}}


def _mime_value(value: Json) -> Json:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(text(line) for line in value)
    return _plain(value)


def _plain(value: Json) -> Json:
    """Any JSON with its text cleaned; depth was bounded when it was read."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {text(name): _plain(part) for name, part in value.items()}
    return value


def _clear(content: dict[str, Any]) -> dict[str, Any]:
    return {"wait": content.get("wait") is True}


def _error(content: dict[str, Any]) -> dict[str, Any]:
    lines = content.get("traceback")
    if not isinstance(lines, list) or len(lines) > MAX_LINES:
        raise Violation("traceback is not a list of lines")
    return {
        "ename": text(content.get("ename"), MAX_IDENTIFIER),
        "evalue": text(content.get("evalue")),
        "traceback": [text(line) for line in lines],
    }


def _reply(content: dict[str, Any]) -> dict[str, Any]:
    status = content.get("status")
    if status not in ("ok", "error", "aborted"):
        raise Violation("unknown reply status")
    checked: dict[str, Any] = {"status": status}
    if status == "error":
        checked |= _error(content)
    return checked


def _ignored(_: dict[str, Any]) -> None:
    return None


def _count(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 10**9:
        raise Violation("execution count is not a number")
    return value


def _identifier(value: object) -> str:
    return text(value, MAX_IDENTIFIER)


def _name(value: object) -> str:
    return value[:40].encode("ascii", "replace").decode("ascii") if isinstance(value, str) else "without a type"


_RULES: dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    ("iopub", "status"): _status,
    ("iopub", "execute_input"): _input,
    ("iopub", "stream"): _stream,
    ("iopub", "execute_result"): _result,
    ("iopub", "display_data"): _display,
    ("iopub", "update_display_data"): _display,
    ("iopub", "clear_output"): _clear,
    ("iopub", "error"): _error,
    ("iopub", "comm_open"): _ignored,  # widgets have no front end here
    ("iopub", "comm_msg"): _ignored,
    ("iopub", "comm_close"): _ignored,
    ("shell", "execute_reply"): _reply,
}
