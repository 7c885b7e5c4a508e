"""A hand-in's code as definitions that mention one another: what can a call from the adapter come to run?

Read, never run.  A cell that tests gradients by differences is not reached from a backward pass; a helper that the
backward pass calls is.  Names that a function binds itself do not count as mentions of what has that name elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

MAX_SOURCE = 2_000_000  # characters of all cells together
MAX_NODES = 200_000

_MAGIC = re.compile(r"^[ \t]*[%!?].*$", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
PATCHING = frozenset({"setattr", "globals", "exec", "eval", "get_ipython"})
BACKWARD = ("backward", "gradient", "vjp", "backprop")


@dataclass(frozen=True, slots=True)
class Part:
    """One top-level statement: where it stands and what it is."""

    cell: int
    statement: ast.stmt


@dataclass(slots=True)
class Code:
    """All cells.  `defined`: the statements that give a name its meaning; `imported`: names of or from modules."""

    parts: list[Part] = field(default_factory=list)
    defined: dict[str, list[Part]] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    unread: bool = False

    def classes(self) -> Iterator[ast.ClassDef]:
        return (part.statement for part in self.parts if isinstance(part.statement, ast.ClassDef))


def read_cells(cells: Sequence[str]) -> Code:
    """The definitions of all cells.  What cannot be parsed is left out and noted in `unread`."""
    code = Code()
    if sum(map(len, cells)) > MAX_SOURCE:
        code.unread = True
        return code
    for number, cell in enumerate(cells):
        tree = _parsed(cell)
        if tree is None:
            code.unread = code.unread or bool(cell.strip())
            continue
        for statement in _flat(tree.body):
            part = Part(number, statement)
            code.parts.append(part)
            for name in _names_given(statement):
                code.defined.setdefault(name, []).append(part)
            if isinstance(statement, ast.Import | ast.ImportFrom):
                code.imported |= {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    return code


def reached(code: Code, adapter: str) -> list[Part]:
    """Statements that can run when the adapter asks, in the order of the hand-in.

    `adapter` is its text: every word of it may name something of the hand-in.  Without one, all classes and functions
    about backward passes are asked.
    """
    words = set(_WORD.findall(adapter))
    found = [part for part in code.parts if _is_asked(part, words, code)]
    seen = {id(part) for part in found}
    waiting = list(found)
    while waiting:
        for name in mentioned(waiting.pop().statement, code.imported):
            for part in code.defined.get(name, ()):
                if id(part) not in seen:
                    seen.add(id(part))
                    waiting.append(part)
    return [part for part in code.parts if id(part) in seen]


def family(code: Code, adapter: str) -> set[str]:
    """Classes that the adapter names, what they derive from and what derives from them: the exercise's own."""
    words = set(_WORD.findall(adapter))
    bases = {one.name: {base.id for base in one.bases if isinstance(base, ast.Name)} for one in code.classes()}
    found = {name for name in bases if name in words}
    while more := {
        name for name, above in bases.items() if name not in found and (above & found or _is_above(name, found, bases))
    }:
        found |= more
    return found


def mentioned(node: ast.AST, imported: Iterable[str] = ()) -> set[str]:
    """Free names of a statement, and attributes of imported modules (which may be files of the hand-in)."""
    found: set[str] = set()
    modules = set(imported)
    for function, bound in _scopes(node):
        for one in _own_nodes(function):
            if isinstance(one, ast.Name) and one.id not in bound:
                found.add(one.id)
            elif isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id in modules:
                found.add(one.attr)
    return found


def functions_of(node: ast.AST) -> Iterator[ast.AST]:
    """The statement itself and all functions inside, each to be looked at by itself."""
    return (function for function, _ in _scopes(node))


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a function without those of functions inside it."""
    return _own_nodes(function)


def _is_above(name: str, found: set[str], bases: dict[str, set[str]]) -> bool:
    return any(name in bases[one] for one in found if one in bases)


def _is_asked(part: Part, words: set[str], code: Code) -> bool:
    statement = part.statement
    if isinstance(statement, ast.ClassDef):
        return statement.name in words or not words
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        name = statement.name.lower()
        return (
            statement.name in words
            or any(word in name for word in ("_forward", "_backward"))
            or (not words and any(word in name for word in BACKWARD))
        )
    return _patches(statement, code)


def _patches(statement: ast.stmt, code: Code) -> bool:
    """Does a statement outside definitions change a class or the namespace?"""
    classes = {one.name for one in code.classes()}
    named = {one.id for one in ast.walk(statement) if isinstance(one, ast.Name)}
    for one in ast.walk(statement):
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store) and isinstance(one.value, ast.Name):
            if one.value.id in classes or (isinstance(statement, ast.For) and named & classes):
                return True
        elif isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in PATCHING:
            return True
    return False


def _parsed(cell: str) -> ast.Module | None:
    for text in (cell, _MAGIC.sub("", cell)):
        tree = _parse(text)
        if tree is not None:
            return tree
    return _parse(_without_magic(cell))


def _parse(text: str) -> ast.Module | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    count = sum(1 for _ in ast.walk(tree))
    return tree if count <= MAX_NODES else None


def _without_magic(cell: str) -> str:
    """Python as the notebook's own reader makes it out of magic commands; only where nothing else helps."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return str(TransformerManager().transform_cell(cell))
    except Exception:  # noqa: BLE001  any text at all may stand in a cell
        return "("


def _flat(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Definitions inside `if`, `try` and `with` of the top level count as top level."""
    for statement in statements:
        if isinstance(statement, ast.If | ast.Try | ast.With):
            inner = [*statement.body, *getattr(statement, "orelse", []), *getattr(statement, "finalbody", [])]
            inner += [one for handler in getattr(statement, "handlers", []) for one in handler.body]
            yield from _flat(inner)
        else:
            yield statement


def _names_given(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    return {one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


def _scopes(node: ast.AST, outer: frozenset[str] = frozenset()) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """The node and every function inside, with the names bound in it or around it."""
    waiting = [(node, outer)]
    while waiting:
        scope, bound = waiting.pop()
        if isinstance(scope, Function):
            bound = bound | _bound_in(scope)
        yield scope, bound
        waiting += [(inner, bound) for inner in _inner_functions(scope)]


def _bound_in(function: Function) -> frozenset[str]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    names = {one.arg for one in every if one is not None}
    freed: set[str] = set()
    for one in _own_nodes(function):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            names.add(one.id)
        elif isinstance(one, ast.Global | ast.Nonlocal):
            freed |= set(one.names)
    return frozenset(names - freed)


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function):
            waiting += ast.iter_child_nodes(node)
        elif not isinstance(node, ast.Lambda):
            waiting += [*node.decorator_list, *node.args.defaults]


def _inner_functions(scope: ast.AST) -> Iterator[ast.AST]:
    return (one for one in _own_nodes(scope) if isinstance(one, Function))
