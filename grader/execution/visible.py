"""What of the real file system student code may see: the interpreter, its libraries, system libraries; read-only.

Our own packages, derivative libraries the problem did not ask for, and package folders of other interpreters are not.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.execution.limits import WATCHED
from grader.execution.namespaces import Tree

OWN = ("grader", "reference")
SYSTEM = (
    *("/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/local/lib", "/usr/local/lib64"),
    *("/usr/share/zoneinfo", "/usr/share/fonts", "/usr/share/fontconfig", "/usr/share/locale"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts"),
)
PARTS_OF_A_PREFIX = ("lib", "lib64", "pyvenv.cfg", "share/fonts", "etc/fonts")
FOREIGN = ("python3*/site-packages", "python3*/dist-packages", "python3/dist-packages")


@dataclass(frozen=True, slots=True)
class View:
    """`trees` with `hidden` covered up (namespaces); the same as `readable` and `listable` allow-lists (Landlock)."""

    trees: tuple[Tree, ...]
    hidden: tuple[str, ...]
    readable: tuple[str, ...]
    listable: tuple[str, ...]
    for_everyone: bool  # whether a user without any rights reaches all trees


def view(imports: Iterable[str], own_roots: Iterable[str]) -> View:
    """The view for a problem that declares `imports`."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    wanted = {f"{prefix}/{part}" for prefix in prefixes for part in PARTS_OF_A_PREFIX}
    on_path = {entry for entry in sys.path if entry and entry not in set(own_roots)}
    wanted |= {entry for entry in on_path if Path(entry).is_dir()}
    wanted |= {os.path.realpath(entry) for entry in wanted} | set(SYSTEM)
    trees = _outermost(path for path in wanted if Path(path).exists())
    hidden = _hidden(frozenset(imports), on_path, trees)
    readable, listable = _without(trees, hidden)
    return View(
        tuple(_tree(path) for path in trees),
        hidden,
        readable,
        listable,
        all(_reachable_by_everyone(tree) for tree in trees),
    )


def _tree(path: str) -> Tree:
    place = Path(path)
    return Tree(path, place.is_dir(), str(place.readlink()) if place.is_symlink() else "")


def _outermost(paths: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path == other or (path.startswith(f"{other}/") and not Path(other).is_symlink()) for other in kept):
            kept.append(path)
    return tuple(kept)


def _hidden(imports: frozenset[str], on_path: set[str], trees: tuple[str, ...]) -> tuple[str, ...]:
    found: set[str] = set()
    names = (*OWN, *(name for name in sorted(WATCHED) if name not in imports))
    for entry in on_path:
        for name in names:
            found |= {f"{entry}/{name}{ending}" for ending in ("", ".py") if Path(f"{entry}/{name}{ending}").exists()}
    ours = {os.path.realpath(entry) for entry in on_path}
    for tree in trees:
        if tree.endswith(("/lib", "/lib64")) and not Path(tree).is_symlink():
            for pattern in FOREIGN:
                found |= {str(p) for p in Path(tree).glob(pattern) if os.path.realpath(p) not in ours}
    return tuple(sorted(found))


def _without(trees: tuple[str, ...], hidden: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The trees as allow-lists that leave out what is hidden: what may be read, what may only be listed."""
    readable: list[str] = []
    listable: list[str] = []
    todo = list(trees)
    covered = frozenset(hidden)
    while todo:
        path = todo.pop()
        if path in covered:
            continue
        if any(other.startswith(f"{path}/") for other in covered):
            listable.append(path)
            todo += [entry.path for entry in os.scandir(path)]
        else:
            readable.append(path)
    return tuple(readable), tuple(listable)


def _reachable_by_everyone(path: str) -> bool:
    real = Path(os.path.realpath(path))
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (*real.parents, real) if parent.is_dir())
