"""Only what defines something: imports, classes, functions, named constants.  Training and plots are left out.

What is left out becomes `pass` on lines of its own, so that line numbers stay those of the file.  The text is read,
never run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

_MAGIC = re.compile(r"^[ \t]*[%!?].*$", re.MULTILINE)
CHEAP_MODULES = frozenset(
    {"np", "numpy", "math", "typing", "functools", "itertools", "collections", "operator", "enum"}
)
CHEAP_CALLS = frozenset({
    "TypeVar", "NewType", "namedtuple", "NamedTuple", "Enum", "partial", "dataclass", "field", "property", "object",
    "dict", "set", "frozenset", "tuple", "list", "float", "int", "bool", "str", "range", "len", "min", "max", "sum",
    "abs", "type", "slice", "Fraction", "Decimal", "setattr", "getattr", "vars", "vectorize", "default_rng",
})  # fmt: skip
READING = re.compile(r"load|from(file|txt|regex)|save|memmap|open|input")
NAMED = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Global | ast.Pass


def only_definitions(text: str) -> str:
    """The text with everything else left out; text that is no Python (magic commands apart) stays as it is."""
    return _filtered(text, lambda statement, own: _is_definition(statement, own))


def without_main(text: str) -> str:
    """A module's text without its part for running it as a script."""
    return _filtered(text, lambda statement, own: not _is_main(statement))


def _filtered(text: str, keep: Callable[[ast.stmt, frozenset[str]], bool]) -> str:
    plain = _MAGIC.sub("", text)
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    own = frozenset(one.name for one in tree.body if isinstance(one, ast.ClassDef))
    dropped = [statement for statement in tree.body if not keep(statement, own)]
    if not dropped:
        return text
    lines = [line.encode() for line in plain.split("\n")]
    for statement in reversed(dropped):
        first, last = statement.lineno - 1, (statement.end_lineno or statement.lineno) - 1
        before, after = lines[first][: statement.col_offset], lines[last][statement.end_col_offset :]
        lines[first : last + 1] = [before + b"pass" + after, *[b""] * (last - first)]
    return b"\n".join(lines).decode()


def _is_definition(statement: ast.stmt, own: frozenset[str]) -> bool:
    if isinstance(statement, NAMED):
        return True
    if isinstance(statement, ast.Assign):
        return all(_is_named(target) for target in statement.targets) and _is_cheap(statement.value, own)
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None or _is_cheap(statement.value, own)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant | ast.Call) and _is_cheap(statement.value, own)
    if isinstance(statement, ast.If):
        inner = [*statement.body, *statement.orelse]
        return not _is_main(statement) and _is_cheap(statement.test, own) and _all(inner, own)
    if isinstance(statement, ast.Try):
        handled = [one for handler in statement.handlers for one in handler.body]
        return _all([*statement.body, *handled, *statement.orelse, *statement.finalbody], own)
    return False


def _all(statements: list[ast.stmt], own: frozenset[str]) -> bool:
    return all(_is_definition(one, own) for one in statements)


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(
        isinstance(one, ast.Name) and one.id == "__name__" for one in ast.walk(statement.test)
    )


def _is_named(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(_is_named(one) for one in target.elts)
    return isinstance(target, ast.Name | ast.Attribute)


def _is_cheap(value: ast.expr, own: frozenset[str]) -> bool:
    """Literals, names, arithmetic, functions without a name, and calls that only build something."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call) and not _is_cheap_call(node, own):
            return False
        if isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.ListComp | ast.GeneratorExp):
            return False
    return True


def _is_cheap_call(call: ast.Call, own: frozenset[str]) -> bool:
    name, root = call.func, call.func
    while isinstance(root, ast.Attribute):
        root = root.value
    if isinstance(name, ast.Name):
        return name.id in CHEAP_CALLS or (name.id in own and not call.args and not call.keywords)
    return (
        isinstance(name, ast.Attribute)
        and isinstance(root, ast.Name)
        and root.id in CHEAP_MODULES
        and not READING.search(name.attr)
    )
