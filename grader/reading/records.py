"""Answers in TOML, JSON or YAML: flat (`"1f.f1.gradient" = …`) or nested (`[answers.1f.f1] gradient = …`)."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from grader.model import Fragment, Place, Remark
from grader.reading.arrays import array_text, is_array
from grader.reading.assembling import assemble
from grader.reading.collecting import Placed
from grader.reading.files import File, decode, shown
from grader.reading.labels import Labels, by_title, named
from grader.reading.markdown import read_markdown
from grader.reading.notebook import printable
from grader.reading.pieces import Document, Line, Source, source
from grader.reading.sublabels import extended, normal
from grader.reading.wording import is_formula, is_graph, notation_of

MAX_DEPTH = 12
MAX_VALUES = 5_000
MAX_VALUE = 100_000  # characters of one value

ENVELOPES = frozenset({"answers", "answer", "antworten", "solutions", "questions"})
ABOUT = frozenset({
    "name", "student", "email", "id", "submitted", "course", "sheet", "problem", "date", "group", "author", "schema",
    "version", "matriculation", "matrikelnummer", "title", "comment", "notes", "semester",
})  # fmt: skip
PROSE = frozenset({"documentation", "dokumentation", "explanation", "remarks", "introduction"})
# What TOML and JSON make of LaTeX in a string with escapes: "\frac" is a form feed and "rac".
_SWALLOWED = {"\f": "\\f", "\b": "\\b", "\t": "\\t", "\r": "\\r", "\v": "\\v", "\a": "\\a"}


@dataclass(frozen=True, slots=True)
class Value:
    """One written value and the keys that lead to it."""

    keys: tuple[str, ...]
    text: str
    where: Place
    listed: bool = False


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as its pairs, so that a key given twice is not lost."""


def read_records(file: File, labels: Labels) -> tuple[tuple[Placed, ...], Document]:
    """The answers of a record file, and its remarks and metadata; never raises."""
    text, remarks = decode(file)
    noted = list(remarks)
    if not text.strip():
        return (), Document((), tuple(noted))
    origin = source(file.name, text)
    data = _parse(file, text, noted)
    metadata: tuple[tuple[str, str], ...] = ()
    if data is None:
        values = _salvaged(origin)
        noted += [] if not values else [_salvage_remark(file, len(values))]
    else:
        values, metadata = _values(data, origin, noted)
    if file.suffix != ".toml" and data is not None and not values and not metadata:
        noted.append(Remark("no_answers", f"{shown(file.name)} holds no answers.", Place(file.name)))
    placed: list[Placed] = []
    seen: dict[tuple[str, ...], Place] = {}
    for value in values:
        if value.keys in seen and not value.listed:
            noted.append(_repeated(value, seen[value.keys]))
        seen.setdefault(value.keys, value.where)
        placed += _placed(value, labels, noted)
    return tuple(placed), Document((), tuple(noted), metadata)


def _repeated(value: Value, first: Place) -> Remark:
    name = ".".join(value.keys)
    message = f"{name} is given twice; the first is in line {first.line}. Both were read, one after the other."
    return Remark("duplicate", message, value.where)


def _parse(file: File, text: str, noted: list[Remark]) -> Any:
    """The file's data with pairs instead of dictionaries, or None with a remark that says what is wrong where."""
    where = Place(file.name)
    try:
        if file.suffix == ".json":
            return json.loads(text, object_pairs_hook=_Pairs)
        if file.suffix == ".toml":
            return tomllib.loads(text)
        return _parse_yaml(text)
    except json.JSONDecodeError as problem:
        where, why = Place(file.name, problem.lineno, problem.colno), problem.msg
    except tomllib.TOMLDecodeError as problem:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(problem))
        where = Place(file.name, int(found.group(1)), int(found.group(2))) if found else where
        why = re.sub(r"\s*\(at .*\)$", "", str(problem))
    except RecursionError:
        why = "it is nested too deeply"
    except _yaml_error() as problem:
        mark = getattr(problem, "problem_mark", None)
        where = Place(file.name, mark.line + 1, mark.column + 1) if mark else where
        why = str(getattr(problem, "problem", None) or problem)[:100]
    except (ValueError, ArithmeticError, TypeError) as problem:
        why = str(problem)[:100]
    hint = " Put LaTeX between single quotes ('…'), where a backslash is a backslash." if "\\" in text else ""
    name = shown(file.name)
    noted.append(Remark("unreadable_record", f"{name} can't be read, line {where.line}: {why}.{hint}", where))
    return None


def _yaml_error() -> type[Exception]:
    import yaml

    return yaml.YAMLError


def _parse_yaml(text: str) -> Any:
    """YAML with every plain value as the text it is (`no`, `1e-6` and dates stay text), without aliases."""
    import yaml

    if re.search(r"^[^'\"#\n]*[:\-]\s+[&*]\w", text, re.M):
        raise ValueError("anchors and aliases (&name, *name) are not read")
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader builds strings, lists and dicts only


_LINE = re.compile(
    r"^[ \t]*(?:\"(?P<quoted>[^\"\n]{1,80})\"|'(?P<single>[^'\n]{1,80})'|(?P<bare>[\w.\-]{1,80}))"
    r"[ \t]*[=:][ \t]*(?P<value>\S.*?)[ \t]*,?[ \t]*$",
    re.M,
)
_HEADER = re.compile(r"^[ \t]*\[+[ \t]*(?P<keys>[\w.\"'\- ]{1,100})[ \t]*\]+[ \t]*$", re.M)


def _salvaged(origin: Source) -> tuple[Value, ...]:
    """What a broken record still says line by line: `key = value`, taken literally."""
    found: list[Value] = []
    header: tuple[str, ...] = ()
    for match in re.finditer(rf"{_HEADER.pattern}|{_LINE.pattern}", origin.text, re.M):
        if match.group("keys"):
            header = _keys(match.group("keys").replace('"', "").replace("'", ""))
            continue
        key = match.group("quoted") or match.group("single") or match.group("bare")
        value, at = match.group("value"), match.start("value")
        quote = re.match(r"('''|\"\"\"|'|\")", value)
        if quote:
            value, at = value[quote.end() :], at + quote.end()
            value = value[: -quote.end()] if value.endswith(quote.group()) else value
        if re.fullmatch(r"[\[{]*", value):
            continue
        keys = header + _keys(key)
        if keys and keys[0].lower() not in ABOUT and len(found) < MAX_VALUES:
            found.append(Value(_inner(keys), value, origin.place(at)))
    return tuple(found)


def _salvage_remark(file: File, count: int) -> Remark:
    message = f"{count} lines of {shown(file.name)} could be read all the same, each as it stands there."
    return Remark("salvaged", message, Place(file.name))


def _keys(key: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in key.split(".") if part.strip())


def _inner(keys: tuple[str, ...]) -> tuple[str, ...]:
    return keys[1:] if len(keys) > 1 and keys[0].lower() in ENVELOPES else keys


def _values(data: Any, origin: Source, noted: list[Remark]) -> tuple[tuple[Value, ...], tuple[tuple[str, str], ...]]:
    values: list[Value] = []
    metadata: list[tuple[str, str]] = []
    at = 0
    for keys, raw, listed in _walk(data, (), noted):
        text, repaired = _as_text(raw)
        if text is None:
            continue
        if len(values) >= MAX_VALUES:
            noted.append(Remark("too_large", f"Only the first {MAX_VALUES} values were read.", Place(origin.file)))
            break
        inner = _inner(keys)
        if len(keys) == 1 and keys[0].lower() in ABOUT:
            metadata.append((keys[0].lower(), text[:200]))
            continue
        at, where = _find(origin, at, keys[-1], text, raw)
        if repaired:
            message = f"{'.'.join(inner)}: a backslash within \"…\" is an escape; it was read as LaTeX. Use '…'."
            noted.append(Remark("escapes", message, where))
        if len(text) > MAX_VALUE:
            noted.append(
                Remark("too_large", f"{'.'.join(inner)}: only the first {MAX_VALUE} characters were read.", where)
            )
            text = text[:MAX_VALUE]
        values.append(Value(inner, text, where, listed))
    return tuple(values), tuple(metadata)


def _walk(data: Any, keys: tuple[str, ...], noted: list[Remark]) -> Iterator[tuple[tuple[str, ...], Any, bool]]:
    """(keys, value, came from a list) of every leaf; a list of texts is one leaf."""
    if len(keys) > MAX_DEPTH:
        noted.append(Remark("too_deep", f"{'.'.join(keys[:3])} … is nested deeper than {MAX_DEPTH} levels; left out."))
        return
    if isinstance(data, _Pairs | dict):
        for key, value in data if isinstance(data, _Pairs) else data.items():
            yield from _walk(value, keys + _keys(printable(str(key))), noted)
    elif isinstance(data, list) and keys:
        if is_array(data):
            yield keys, array_text(data), False
        elif data and all(isinstance(one, str | int | float) for one in data):
            yield keys, data, True
        elif data and all(isinstance(one, _Pairs | dict) for one in data):
            for one in data:
                yield from _walk_entry(dict(one), keys, noted)
        elif data:
            yield keys, [json.dumps(_plain(one, 0), ensure_ascii=False) for one in data], True
    elif isinstance(data, list):
        for one in data:
            if isinstance(one, _Pairs | dict):
                yield from _walk_entry(dict(one), keys, noted)
    elif keys:
        yield keys, data, False


def _walk_entry(
    entry: dict[str, Any], keys: tuple[str, ...], noted: list[Remark]
) -> Iterator[tuple[tuple[str, ...], Any, bool]]:
    """[{"id": "1a", "answer": "…"}, …] says the same as {"1a": "…"}."""
    name = next(
        (entry[key] for key in ("id", "question", "item", "label", "key") if isinstance(entry.get(key), str)), None
    )
    answer = next((entry[key] for key in ("answer", "value", "text", "solution", "latex") if key in entry), None)
    if name is not None and answer is not None:
        yield from _walk(answer, keys + _keys(name), noted)
    else:
        yield from _walk(entry, keys, noted)


def _plain(data: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return "…"
    if isinstance(data, _Pairs | dict):
        return {
            str(key): _plain(value, depth + 1) for key, value in (data if isinstance(data, _Pairs) else data.items())
        }
    if isinstance(data, list):
        return [_plain(one, depth + 1) for one in data]
    return data if isinstance(data, str | int | float | bool) or data is None else str(data)


def _as_text(raw: Any) -> tuple[str | None, bool]:
    """The value as text, and whether swallowed backslashes were put back.  None for no value at all."""
    if raw is None or isinstance(raw, bool):
        return (None if raw is None else str(raw).lower()), False
    if isinstance(raw, float) and not math.isfinite(raw):
        return str(raw), False
    if isinstance(raw, list):
        parts = [_as_text(one) for one in raw]
        return "\n".join(text or "" for text, _ in parts), any(repaired for _, repaired in parts)
    if isinstance(raw, dt.datetime | dt.date):
        return raw.isoformat(), False
    if not isinstance(raw, str):
        return str(raw), False
    text = printable(raw)
    restored = re.sub(r"[\f\b\v\a]|[\t\r](?=[a-z]{2,})", lambda m: _SWALLOWED[m.group()], text)
    restored = (
        re.sub(r"\n(?=abla\b|u\b|eq\b|ot\b|eg\b)", r"\\n", restored) if restored != text or "\\" in text else restored
    )
    return restored.replace("\r\n", "\n").replace("\r", "\n"), restored != text


def _find(origin: Source, at: int, key: str, text: str, raw: Any) -> tuple[int, Place]:
    """(where to go on, the value's place): its first line's text behind its key, in the order of the file."""
    last = key.rsplit(".", 1)[-1]
    for start in (at, 0):
        hit = origin.text.find(last, start) if last else start
        if hit < 0:
            continue
        first = raw[0] if isinstance(raw, list) and raw else text
        line = str(first).strip().split("\n", 1)[0]
        for written in (line, line.replace("\\", "\\\\").replace('"', '\\"')):
            found = origin.text.find(written, hit + len(last)) if written else -1
            if found >= 0:
                return found + len(written), origin.place(found)
        return hit + len(last), origin.place(hit)
    return at, origin.place(at)


def _placed(value: Value, labels: Labels, noted: list[Remark]) -> list[Placed]:
    target = _target(value.keys, labels)
    if target is None:
        name = ".".join(value.keys)
        if not value.text.strip():
            return []
        shown_text = value.text if len(value.text) < 160 else value.text[:159] + "…"
        if name.lower() in PROSE:
            noted.append(Remark("prose", f"This text belongs to no question: {shown_text}", value.where))
            return []
        message = f'There is no question "{name}" here; it was not marked: {shown_text}{labels.suggestion(name)}'
        noted.append(Remark("unknown_label", message, value.where))
        return []
    question, path, label = target
    if not value.text.strip():
        return []
    item = labels.paths[question].get(path, "")
    name = ".".join(part for part in (*path, label) if part)
    if (
        value.listed
        or (is_graph(value.text, "plain") and value.text.count("\n") > 0 and "```" not in value.text)
        or value.text.lstrip().startswith(("digraph", "graph "))
    ):
        return [Placed(question, item, Fragment("graph", value.text.strip(), "plain", value.where, name, True))]
    if is_latex_alone(value.text) or (is_formula(value.text) and not re.search(r"[\n$:`]", value.text.strip())):
        text = value.text.strip()
        return [Placed(question, item, Fragment("formula", text, notation_of(text), value.where, name, True))]
    document = read_markdown("", value.text)
    placed, remarks = assemble(_unlabelled(document.lines), labels, question, labelled=False)
    noted += [replace(remark, where=value.where) for remark in (*document.remarks, *remarks)]
    return [_under(one, item, path, name, value.where) for one in placed]


def _unlabelled(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The value's lines as mere content: its key says whose it is."""
    return tuple(replace(line, heading=0) for line in lines)


def is_latex_alone(text: str) -> bool:
    """LaTeX without any delimiters: the value is the formula."""
    from grader.reading.wording import prose_words

    return (
        "$" not in text
        and not re.search(r"\\[(\[]|\\begin\{(?:align|equation|gather|eqnarray)", text)
        and not prose_words(text)
        and bool(re.search(r"\\[A-Za-z]", text))
    )


def _under(one: Placed, item: str, path: tuple[str, ...], name: str, where: Place) -> Placed:
    column = one.fragment.where.column + (where.column - 1 if one.fragment.where.line == 1 else 0)
    place = replace(where, line=where.line + one.fragment.where.line - 1, column=column)
    label = one.fragment.label
    if name:
        label = name if not label or label == name else label if label.startswith(name) else f"{name}.{label}"
    return replace(one, item=item or one.item, fragment=replace(one.fragment, where=place, label=label))


def _target(keys: tuple[str, ...], labels: Labels) -> tuple[str, tuple[str, ...], str] | None:
    """(question, path, further label) that the keys name."""
    joined = ".".join(keys)
    if joined in labels.items:
        question = labels.question_of(joined)
        if question is not None:
            return question, tuple(joined[len(question) + 1 :].split(".")) if joined != question else (), ""
    for count in range(len(keys), 0, -1):
        head = ".".join(keys[:count])
        question = _question(head, labels)
        if question is not None:
            return _below(question, keys[count:], labels)
    hit = named(joined, labels, (), strong=True)
    if hit is not None and hit.what == "question" and hit.rest >= len(joined.rstrip()):
        return _below(hit.name, hit.sub, labels)
    return None


def _question(head: str, labels: Labels) -> str | None:
    lowered = {name.lower(): name for name in labels.questions}
    if head.lower() in lowered:
        return lowered[head.lower()]
    hit = named(head.replace("_", " "), labels, (), strong=True)
    if hit is not None and hit.what == "question" and not hit.sub and hit.rest >= len(head.rstrip()):
        return hit.name
    return by_title(head.replace("_", " "), labels)


def _below(question: str, keys: tuple[str, ...], labels: Labels) -> tuple[str, tuple[str, ...], str]:
    path: tuple[str, ...] = ()
    label: list[str] = []
    for key in keys:
        head = extended(key, question, path, labels)
        if head is not None:
            path = head
        else:
            label.append(normal(key))
    return question, path, ".".join(label)
