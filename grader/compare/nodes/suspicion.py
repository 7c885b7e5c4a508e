"""Signs that derivatives come from elsewhere: libraries that differentiate, difference quotients, complex steps.

Such a sign never costs a point; it sends what would have been right to a person, with the evidence.  Only code that a
backward pass can come to run is looked at: a cell that checks gradients by differences is good practice.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from grader.compare.nodes.code_graph import Code, Part, family, functions_of, own_nodes, reached, read_cells
from grader.compare.nodes.quotients import difference_quotients
from grader.model import Evidence, Observation

LOOK = "look"  # the probe name under which signs travel with the observations
SHOWN = 100  # characters of a line of code that evidence repeats
NUMERICAL = frozenset(
    {
        "approx_fprime",
        "check_grad",
        "derivative",
        "approx_derivative",
        "jacobian",
        "hessian",
        "grad",
        "nd",
        "Derivative",
    }
)
COMPLEX = frozenset({"imag", "complex", "complex128", "complex64", "complex256", "clongdouble", "cdouble"})
OF_FUNCTIONS = ("grad", "deriv", "jacob", "vjp", "jvp", "backprop")  # f ↦ its derivative, called at once
FROM_TEXT = frozenset({"exec", "eval", "compile", "run_cell", "run_code"})
OVERLOADS = frozenset(
    f"__{side}{name}__" for name in ("add", "sub", "mul", "truediv", "pow", "matmul") for side in ("", "r")
)
INTERCEPTS = frozenset({"__array_ufunc__", "__array_function__"})
REACHING = frozenset({
    *("_getframe", "currentframe", "get_objects", "get_referrers", "get_referents", "settrace", "setprofile"),
    *("meta_path", "path_hooks", "__subclasses__", "f_locals", "f_back", "f_globals", "pythonapi"),
    *("tb_frame", "gi_frame", "gi_code", "cr_frame"),
})  # fmt: skip
INSIDE = frozenset({"ctypes", "_ctypes", "forbiddenfruit"})  # modules that reach into the interpreter
FEW = 2  # operators that make a class one to compute with


def signs_in(cells: str | Sequence[str], adapter: str = "") -> tuple[str, ...]:
    """What a look at the code shows, each kind once, with its cell and line."""
    code = read_cells([cells] if isinstance(cells, str) else cells)
    own = family(code, adapter) if adapter else None
    found: dict[str, str] = {}
    for part in reached(code, adapter):
        for what, node in _signs_of(part, code, own):
            line = f"cell {part.cell}, line {getattr(node, 'lineno', 1)}"
            found.setdefault(what, f"{what} ({line}: {_shown(node)})")
    return tuple(found.values())


def reaching_in(cells: str | Sequence[str]) -> tuple[str, ...]:
    """Tools of the interpreter that look at or change whoever calls: frames, traces, all objects, memory by address."""
    code = read_cells([cells] if isinstance(cells, str) else cells)
    found: dict[str, None] = {}
    for part in code.parts:
        for node in ast.walk(part.statement):
            what = _reaching(node)
            if what:
                found.setdefault(f"{what} (cell {part.cell}, line {getattr(node, 'lineno', 1)})")
    return tuple(found)


def look(source: str | Sequence[str], imports: Iterable[str] = (), adapter: str = "") -> Observation:
    """An observation that carries the signs of a hand-in's code and the watched libraries it imported or tried to.

    `source` is the text of a module or those of all cells, `adapter` the text of the adapter that asks it.
    """
    signs = signs_in(source, adapter)
    flags = [(f"library {name}", True) for name in imports] + [(f"code {sign}", True) for sign in signs]
    flags += [(f"reach {tool}", True) for tool in reaching_in(source)]
    return Observation(probe=LOOK, status="returned", flags=tuple(flags))


def foreign_help(observations: Iterable[Observation], derivative: bool = True) -> tuple[Evidence, ...]:
    """Evidence for a person, out of the observations.  Where no derivative is asked, only what reaches into ours."""
    found = []
    for one in observations:
        if one.probe != LOOK:
            continue
        for name, _ in one.flags:
            kind, _, what = name.partition(" ")
            if not derivative and kind != "reach":
                continue
            verb = {"library": "imports", "reach": "uses"}.get(kind, "has")
            text = f"The code {verb} {what}."
            found.append(Evidence("look", text, "instructor"))
    return tuple(found)


def _signs_of(part: Part, code: Code, own: set[str] | None) -> Iterator[tuple[str, ast.AST]]:
    statement = part.statement
    if isinstance(statement, ast.ClassDef) and own is not None and statement.name not in own:
        methods = {one.name for one in statement.body if isinstance(one, ast.FunctionDef)}
        if len(methods & OVERLOADS) >= FEW or methods & INTERCEPTS:
            yield "another class to compute with, which the nodes rest on", statement
    for scope in functions_of(statement):
        for quotient in difference_quotients(scope):
            yield "a difference quotient", quotient
        for node in own_nodes(scope):
            what = _sign(node, code)
            if what:
                yield what, node


def _reaching(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute) and node.attr in REACHING:
        return f"`{node.attr}`"
    if isinstance(node, ast.Attribute) and node.attr == "__code__" and isinstance(node.ctx, ast.Store):
        return "`__code__` of another function"
    if isinstance(node, ast.Import):
        return next((f"`{one.name}`" for one in node.names if one.name.partition(".")[0] in INSIDE), "")
    if isinstance(node, ast.ImportFrom):
        top = (node.module or "").partition(".")[0]
        named = [one.name for one in node.names if one.name in REACHING]
        return f"`{top}`" if top in INSIDE else f"`{named[0]}`" if named else ""
    if isinstance(node, ast.Call) and _called(node) in ("__import__", "import_module") and node.args:
        first = node.args[0]
        said = first.value if isinstance(first, ast.Constant) else ""
        return f"`{said}`" if isinstance(said, str) and said.partition(".")[0] in INSIDE else ""
    return ""


def _sign(node: ast.AST, code: Code) -> str:
    if isinstance(node, ast.Constant):
        return "a complex number" if isinstance(node.value, complex) else ""
    if isinstance(node, ast.Attribute):
        if node.attr in COMPLEX:
            return "complex numbers"
        outside = isinstance(node.value, ast.Name) and node.value.id in code.imported and node.attr not in code.defined
        return "a function that differentiates" if outside and node.attr in NUMERICAL else ""
    if isinstance(node, ast.Name):
        if node.id in COMPLEX and (node.id == "complex" or node.id in code.imported):
            return "complex numbers"
        return "a function that differentiates" if node.id in NUMERICAL & code.imported else ""
    return _sign_of_call(node) if isinstance(node, ast.Call) else ""


def _sign_of_call(call: ast.Call) -> str:
    if isinstance(call.func, ast.Call) and any(word in _called(call.func).lower() for word in OF_FUNCTIONS):
        return "a derivative taken of a function"
    if _called(call) in FROM_TEXT and not (isinstance(call.func, ast.Attribute) and _called(call) == "compile"):
        return "code that is run from a text"
    named = [word.value for word in call.keywords if word.arg == "dtype"]
    named += call.args[:1] if _called(call) == "astype" else []
    said = [one.value for one in named if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return "complex numbers" if any(text.startswith(("complex", "c8", "c16")) for text in said) else ""


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _shown(node: ast.AST) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    try:
        text = " ".join(ast.unparse(node).split())
    except (RecursionError, ValueError):
        return type(node).__name__
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
