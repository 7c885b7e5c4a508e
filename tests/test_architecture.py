"""The house rules: which room may import which, what is never called, and that the docs are complete."""

from __future__ import annotations

import ast
import json
import re
from importlib import import_module
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator

from grader.cli import COMMANDS, cli
from grader.kinds import KINDS
from grader.reporting import EXPORTERS
from grader.reporting.evidence import KINDS as EVIDENCE

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

# Imports point downwards only: a room may import rooms of its own layer and of those above it in this list.
LAYERS = (
    "reference",
    "model decode toml_places notes notation reading",
    "compare malrules matching kinds nodes variants wellposed problems derived soundness execution checking scoring "
    "grading",
    "reporting analytics changes handout pushes export",
    "store workers cluster roster observing job class_files batch service jupyter cli demo __main__ __init__",
)
RANK = {room: rank for rank, layer in enumerate(LAYERS) for room in layer.split()}

FORBIDDEN_CALLS = {"eval", "exec", "sympify", "parse_expr", "parse_latex", "__import__"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "cloudpickle", "joblib"}
# file -> what it may call, and why
EXCEPTIONS: dict[str, tuple[set[str], str]] = {
    "reference/emit.py": ({"exec"}, "compiles our own flat list of equations, made from the table of primitives"),
    "reference/graph.py": ({"sympify"}, "turns numbers of ours, never text, into sympy's"),
}
LONGEST_FILE = 600  # lines; the aim is 400
LONGEST_FUNCTION = 80  # lines; the aim is 50


def modules() -> list[Path]:
    return sorted([*(ROOT / "grader").rglob("*.py"), *(ROOT / "reference").rglob("*.py")])


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(dotted: str) -> str:
    """The room a module belongs to: `grader.reading.tex` → reading, `reference.modes` → reference."""
    parts = dotted.split(".")
    return "reference" if parts[0] == "reference" else (parts[1] if len(parts) > 1 else "__init__")


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= (
                {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "grader" else {node.module}
            )
    return found


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_downwards(path: Path) -> None:
    own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert own in RANK, f"{own} has no layer; name it in LAYERS and docs/architecture.md"
    for name in imports_of(path):
        if name.split(".")[0] in ("grader", "reference"):
            other = room_of(name)
            assert RANK[other] <= RANK[own], f"{own} imports {name}"


def test_ground_truth_knows_nothing_of_grading() -> None:
    for path in (ROOT / "reference").rglob("*.py"):
        assert not {name for name in imports_of(path) if name.split(".")[0] == "grader"}, name_of(path)


def test_every_room_stands_in_the_page_on_architecture() -> None:
    page = (DOCS / "architecture.md").read_text()
    rows = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    missing = [room for room in RANK if not room.startswith("__") and room not in re.findall(r"\w+", rows)]
    assert not missing


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_nothing_evaluates_text_or_loads_pickles(path: Path) -> None:
    allowed, _why = EXCEPTIONS.get(name_of(path), (set(), ""))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in FORBIDDEN_CALLS - allowed, f"line {node.lineno} calls {called}"
    loaded = {name.split(".")[0] for name in imports_of(path)}
    assert not loaded & FORBIDDEN_MODULES


def test_exceptions_are_needed() -> None:
    for name, (calls, _why) in EXCEPTIONS.items():
        text = (ROOT / name).read_text()
        assert all(f"{call}(" in text for call in calls), name


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_files_and_functions_fit_on_a_screen_or_few(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_names_say_what_a_thing_is(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "manager", "base", "misc", "common"}


# Documentation


def section(page: str, heading: str) -> str:
    match = re.search(rf"^## `grader {heading}[` ].*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert match, f"docs/commands.md has no section on `grader {heading}`"
    return match.group()


def command_of(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_its_options_and_exit_codes(name: str) -> None:
    text = section((DOCS / "commands.md").read_text(), name)
    assert "Exit codes" in text
    for parameter in command_of(name).params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            longest = max(parameter.opts, key=len)
            assert f"`{longest}" in text, f"{longest} of grader {name}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(args=[name, "--help"], prog_name="grader")
    assert ended.value.code == 0
    assert f"grader {name}" in capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_documented(kind: str) -> None:
    assert f"`{kind}`" in (DOCS / "problems.md").read_text()


@pytest.mark.parametrize("kind", EVIDENCE)
def test_every_kind_of_evidence_is_documented(kind: str) -> None:
    assert f"`{kind}`" in (DOCS / "reports.md").read_text()


def test_every_key_of_a_report_is_documented() -> None:
    schema = json.loads((DOCS / "report.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema"]["const"] in (ROOT / "grader/reporting/json_report.py").read_text()


def test_every_exporter_is_a_module_with_render() -> None:
    for module in (module for _suffix, module in EXPORTERS.values()):
        assert callable(import_module(module).render)


def test_the_changelog_says_which_scores_may_change() -> None:
    assert "Scores may change" in (ROOT / "CHANGELOG.md").read_text()


def test_exit_codes_are_the_same_in_the_program_and_the_docs() -> None:
    from grader import cli as package

    page = (DOCS / "commands.md").read_text()
    for code in (package.EXIT_OK, package.EXIT_WRONG, package.EXIT_USAGE, package.EXIT_INTERNAL, package.EXIT_NOTHING):
        assert re.search(rf"^\| {code} \|", page, re.MULTILINE)
