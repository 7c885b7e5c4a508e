"""Which problem is meant: `--problem`, what a hand-in says about itself, or the folders around it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

HANDED_OUT = ".grader"  # where a handout keeps what a self-check needs
MAX_HEAD = 20_000
MAX_UP = 8
_FRONT_MATTER = re.compile(
    r"^(?:<!--\s*|---\s*\n(?:.*\n)*?|%\s*|#\s*)?problem\s*[:=]\s*['\"]?([\w.-]+)['\"]?", re.MULTILINE
)


def find_problem(given: str | None, files: tuple[Path, ...]) -> Path:
    """The folder of the problem.  Raises ClickException saying how to name it."""
    if given:
        return named_problem(given, files[0] if files else Path.cwd())
    for file in files:
        named = stated_problem(file)
        if named:
            return named_problem(named, file)
    for file in files:
        found = _around(file)
        if found is not None:
            return found
    raise click.ClickException(
        "Which problem is this?  Say `--problem DIR`, or write `problem: dl-sheet01` at the top of the file.\n"
        f"Known here: {', '.join(sorted(known_problems())) or 'none'}."
    )


def named_problem(name: str, near: Path) -> Path:
    """A folder, or the name of a known problem."""
    path = Path(name)
    for folder in (path, path.parent if path.name == "problem.toml" else path):
        if (folder / "problem.toml").is_file():
            return folder
    for up in _parents(near):
        for folder in (up / HANDED_OUT / name, up / "problems" / name, up / name):
            if (folder / "problem.toml").is_file():
                return folder
    known = known_problems()
    if name in known:
        return known[name]
    if path.is_dir():
        raise click.ClickException(f"{path} is no problem: it has no file problem.toml.  `grader new ID` starts one.")
    if path.is_file():
        raise click.ClickException(f"{path} is no problem: name the folder that its problem.toml stands in.")
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    hint = f"  Did you mean `{close[0]}`?" if close else f"  Known: {', '.join(sorted(known)) or 'none'}."
    raise click.ClickException(f"There is no problem `{name}`.{hint}")


def known_problems() -> dict[str, Path]:
    """Problems that came with the program, and those in `problems/` here or above."""
    import grader

    here = Path(grader.__file__).parent
    roots = [here / "data" / "problems", here.parent / "problems", *(up / "problems" for up in _parents(Path.cwd()))]
    found: dict[str, Path] = {}
    for root in roots:
        if root.is_dir():
            for path in sorted(root.glob("*/problem.toml")):
                found.setdefault(path.parent.name, path.parent)
    return found


def stated_problem(file: Path) -> str:
    """What a hand-in says in its front matter, its record or its notebook's metadata; "" if nothing."""
    if file.is_dir():
        for one in sorted(file.iterdir())[:50]:
            named = stated_problem(one) if one.is_file() else ""
            if named:
                return named
        return ""
    try:
        with file.open("rb") as stream:
            head = stream.read(MAX_HEAD).decode("utf-8", "replace")
    except OSError:
        return ""
    if file.suffix == ".ipynb":
        return _stated_in_notebook(file)
    found = _FRONT_MATTER.search("\n".join(head.splitlines()[:30]))
    return found[1] if found else ""


def _stated_in_notebook(file: Path) -> str:
    try:
        metadata = json.loads(file.read_text(encoding="utf-8", errors="replace")).get("metadata", {})
        name = metadata.get("grader", {}).get("problem") or metadata.get("problem") or ""
    except (ValueError, AttributeError, OSError, RecursionError):
        return ""
    return name if isinstance(name, str) else ""


def _around(file: Path) -> Path | None:
    """A folder on the way up that is a problem, has one, or is called like a known one."""
    known = known_problems()
    for up in _parents(file):
        if (up / "problem.toml").is_file():
            return up
        handed_out = sorted((up / HANDED_OUT).glob("*/problem.toml"))
        if len(handed_out) == 1:
            return handed_out[0].parent
        if up.name in known:
            return known[up.name]
    local = [path for up in _parents(file)[:3] for path in (up / "problems").glob("*/problem.toml")]
    return local[0].parent if len(local) == 1 else None


def _parents(path: Path) -> list[Path]:
    whole = path.resolve()
    return [whole, *whole.parents][:MAX_UP]
