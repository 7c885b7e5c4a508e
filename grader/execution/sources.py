"""What of a hand-in is run, and what stands beside it: notebooks, modules, packages, stand-ins for plotting.

A notebook runs with the Python files below its folder beside it.  Without a notebook, one Python file runs by itself;
several are imported one after the other, so that an error in one costs only that one.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from grader.execution.definitions import only_definitions, without_main
from grader.execution.notebooks import Code, read_code

Run = Literal["all", "definitions"]
MOST_MODULES = 60
PLOTTING = (
    *("matplotlib", "pylab", "seaborn", "plotly", "bokeh", "altair", "graphviz", "pydot", "pygraphviz", "torchviz"),
    *("streamlit", "ipywidgets", "chalk", "tqdm"),
)
NOT_ANSWERS = re.compile(
    r"(^|/)(tests?|docs?|examples?|project|build)/|(^|/)(test_[^/]*|[^/]*_test|conftest|setup)\.py$"
)
_IMPORTED = re.compile(r"^[ \t]*(?:import|from)[ \t]+(.+)$", re.MULTILINE)
_LOAD = (
    "from importlib import import_module as _import\n"
    "globals().update({{k: v for k, v in vars(_import({0!r})).items() if not k.startswith('__')}})"
)
STAND_IN = '''"""Stands in for a library that is not loaded here: every name is there, every call does nothing."""
import importlib.abc
import importlib.machinery
import sys


class Nothing:
    def __call__(self, *args, **kwargs):
        return args[0] if args and PASSES_ON else self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self):
        return iter((self, self))

    def __getitem__(self, key):
        return self

    def __setitem__(self, key, value):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        return None


class Parts(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        inside = name.startswith(__name__ + ".")
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if inside else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__getattr__ = __getattr__


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Nothing()


sys.meta_path.insert(0, Parts())
'''


@dataclass(frozen=True, slots=True)
class Source:
    """One program: its file's name, a notebook's bytes or a module's text, and the files to stand beside it."""

    name: str
    code: bytes | str
    files: tuple[tuple[str, str], ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """All code of it, the cells first: to be looked at, not run."""
        read = read_code(self.code)
        cells = [cell.text if cell.code else "" for cell in read.cells] if isinstance(read, Code) else []
        return (
            *cells,
            *(text for name, text in self.files if name.endswith(".py") and not text.startswith(STAND_IN[:60])),
        )


def sources_of(
    files: Mapping[str, bytes],
    notebooks: Sequence[str],
    run: Run = "all",
    modules: Sequence[str] = (),
    imports: Iterable[str] = (),
) -> tuple[Source, ...]:
    """The programs of a hand-in.  `files`: its Python files and notebooks by name.

    `run` "definitions" leaves training and plots out.  `modules`: endings of file names; of a package only those are
    asked for.  `imports`: libraries that are there, for which nothing stands in.
    """
    python = {name: data.decode("utf-8", "replace") for name, data in files.items() if name.endswith(".py")}
    if run == "definitions":
        python = {name: only_definitions(text) for name, text in python.items()}
    found = []
    for name in notebooks:
        if name in files:
            folder = PurePosixPath(name).parent
            beside = {_below(other, folder): text for other, text in python.items() if _is_below(other, folder)}
            code = _definitions_of_notebook(files[name]) if run == "definitions" else files[name]
            found.append(Source(name, code, tuple(sorted(beside.items()))))
    if not found and python:
        found = [_package(python, modules)]
    return tuple(_with_stand_ins(one, run, frozenset(imports)) for one in found)


def _package(python: Mapping[str, str], modules: Sequence[str]) -> Source:
    """All modules of a hand-in as one program."""
    root = _root(python)
    placed = {_below(name, root): text for name, text in python.items()}
    chosen = [name for name in placed if any(name.endswith(one) for one in modules)]
    chosen = chosen or [name for name in placed if not NOT_ANSWERS.search(name)] or list(placed)
    if len(placed) == 1:
        ((name, text),) = python.items()
        return Source(name, without_main(text))
    order = sorted(chosen, key=lambda name: (name.count("/"), name))[:MOST_MODULES]
    cells = [
        {"cell_type": "code", "source": _LOAD.format(_module_name(name)), "metadata": {}, "outputs": []}
        for name in order
        if _module_name(name)
    ]
    code = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    return Source(str(root), code, tuple(sorted(placed.items())))


def _root(python: Mapping[str, str]) -> PurePosixPath:
    """The folder that all files have in common and that is itself no package."""
    parents = [PurePosixPath(name).parent for name in python]
    root = parents[0]
    while not all(root == one or root in one.parents for one in parents):
        root = root.parent
    while f"{root}/__init__.py" in python or (str(root) == "." and "__init__.py" in python):
        if root == root.parent:
            break
        root = root.parent
    return root


def _module_name(path: str) -> str:
    parts = PurePosixPath(path).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


def _is_below(name: str, folder: PurePosixPath) -> bool:
    return str(folder) == "." or folder in PurePosixPath(name).parents


def _below(name: str, folder: PurePosixPath) -> str:
    return name if str(folder) == "." else str(PurePosixPath(name).relative_to(folder))


def _definitions_of_notebook(source: bytes) -> bytes:
    code = read_code(source)
    if not isinstance(code, Code):
        return source
    cells = [
        {"cell_type": "code" if cell.code else "markdown", "source": only_definitions(cell.text) if cell.code else ""}
        for cell in code.cells
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def _with_stand_ins(one: Source, run: Run, imports: frozenset[str]) -> Source:
    """Plotting libraries that the code imports and that are not loaded here (or, for definitions alone, not needed)."""
    text = "\n".join(one.texts)
    wanted = {word for line in _IMPORTED.findall(text) for word in re.findall(r"\w+", line)}
    there = {name.partition(".")[0] for name in imports}
    own = {name.partition("/")[0].removesuffix(".py") for name, _ in one.files}
    names = [name for name in PLOTTING if name in wanted and name not in there | own]
    if run == "all":
        names = [name for name in names if importlib.util.find_spec(name) is None]
    added = [(f"{name}/__init__.py", STAND_IN.replace("PASSES_ON", str(name == "tqdm"))) for name in names]
    return Source(one.name, one.code, (*one.files, *added)) if added else one
