"""The whole battery of right and wrong nodes, and variants made by changing the source: `python -m benchmarks.nodes
[seed [stride]]`; every attack and mishap in every tier: `python -m benchmarks.nodes attacks`.

Prints false accepts, false rejects and the time a verdict takes.  A generated mutant changes one operator, constant or
function in a right implementation; which of them are wrong is decided by dense comparison, apart from the judge.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from grader.execution.handin import Execution
from grader.model import Verdict
from tests.nodes import rightly, test_attacks
from tests.nodes.battery import differs, mutants, right_implementations
from tests.nodes.local import Implementation, judged
from tests.nodes.rewriting import right_variants, wrong_variants

ACCEPTED = (Verdict.CORRECT, Verdict.CARRIED)
SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.USub: ast.UAdd}
CALLS = {"cos": "sin", "sin": "cos", "exp": "expm1", "sinh": "cosh", "cosh": "sinh", "sign": "abs", "sum": "mean"}


class _Change(ast.NodeTransformer):
    """Changes the n-th place that can be changed."""

    def __init__(self, place: int) -> None:
        self.place, self.seen = place, -1

    def _here(self) -> bool:
        self.seen += 1
        return self.seen == self.place

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if type(node.op) in SWAPS and self._here():
            node.op = SWAPS[type(node.op)]()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if type(node.op) in SWAPS and self._here():
            node.op = SWAPS[type(node.op)]()
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if type(node.value) in (int, float) and self._here():
            node.value = node.value + 1
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr in CALLS and self._here():
            node.attr = CALLS[node.attr]
        return node


def generated(stride: int) -> Iterator[Implementation]:
    """Backward passes with one thing changed in the source of the right ones; every stride-th change."""
    source = inspect.getsource(rightly)
    tree = ast.parse(source)
    for place in range(0, 1000, stride):
        changed = copy.deepcopy(tree)
        change = _Change(place)
        change.visit(changed)
        if change.seen < place:
            return
        module: dict[str, object] = {"__name__": "changed"}
        try:
            exec(compile(ast.fix_missing_locations(changed), "<changed>", "exec"), module)
        except Exception:  # noqa: BLE001  a change may break the module
            continue
        table = module["RIGHT"]
        assert isinstance(table, dict)
        before, after = _lines(tree), _lines(changed)
        for name in rightly.RIGHT:
            if before.get(name) != after.get(name) or _helper_changed(tree, changed):
                yield Implementation(name, f"change {place}", rightly.RIGHT[name][0], table[name][1])


def _lines(tree: ast.Module) -> dict[str, str]:
    """The source of every entry of the table."""
    for statement in tree.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Dict):
            pairs = zip(statement.value.keys, statement.value.values, strict=True)
            return {str(key.value): ast.dump(value) for key, value in pairs if isinstance(key, ast.Constant)}
    return {}


def _helper_changed(before: ast.Module, after: ast.Module) -> bool:
    return any(
        isinstance(a, ast.FunctionDef) and ast.dump(a) != ast.dump(b)
        for a, b in zip(before.body, after.body, strict=True)
    )


def run(implementations: Iterator[Implementation], accept: bool, seed: bytes) -> tuple[int, list[str], float]:
    """How many were judged, which wrongly, and seconds for each."""
    count, bad, seconds = 0, [], 0.0
    for one in implementations:
        begin = time.perf_counter()
        verdict = judged(one, seed)
        seconds += time.perf_counter() - begin
        count += 1
        fine = verdict.backward.verdict is Verdict.CORRECT and verdict.forward.verdict is Verdict.CORRECT
        if (accept and not fine) or (not accept and verdict.backward.verdict in ACCEPTED):
            bad.append(f"{one.label}: {verdict.backward.verdict} {verdict.backward.note}")
    return count, bad, seconds / max(count, 1)


def attacked() -> int:
    """Every case of `points.toml` in both isolated tiers: points an attack earned, points a mishap lost."""
    failures = 0
    for tier in test_attacks.TIERS:
        begin = time.perf_counter()
        runs = test_attacks.run_all(test_attacks.CASES, tier)
        bad = {case["name"]: found for case in test_attacks.CASES if (found := _points(case, runs))}
        print(f"{tier}: {len(runs)} cases, {len(bad)} with wrong points, {time.perf_counter() - begin:.0f} s")
        print("".join(f"  {name}: {found}\n" for name, found in bad.items()), end="")
        failures += len(bad)
    return 1 if failures else 0


def _points(case: dict[str, Any], runs: dict[str, Execution]) -> dict[str, str]:
    return test_attacks.undeserved(case, runs[case["name"]])


def main() -> int:
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["attacks"]:
        return attacked()
    seed = (sys.argv[1] if len(sys.argv) > 1 else "benchmark").encode()
    stride = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    wrong = (one for one in generated(stride) if _is_wrong(one))
    failures = 0
    with np.errstate(all="ignore"):
        for title, implementations, accept in (
            ("right implementations", right_implementations(), True),
            ("mutants", mutants(), False),
            ("generated mutants", wrong, False),
            ("rewritten right implementations", right_variants(seed=stride), True),
            ("mutants of the source, one change each", wrong_variants(stride, offset=stride // 2), False),
        ):
            count, bad, seconds = run(implementations, accept, seed)
            kind = "rejected" if accept else "accepted"
            print(f"{title}: {count}, wrongly {kind}: {len(bad)}, {1e3 * seconds:.1f} ms a node")
            print("".join(f"  {line}\n" for line in bad), end="")
            failures += len(bad)
    return 1 if failures else 0


def _is_wrong(one: Implementation) -> bool:
    try:
        return differs(one, rightly.RIGHT[one.operation], draws=2)
    except Exception:  # noqa: BLE001  a mutant that raises is wrong
        return True


if __name__ == "__main__":
    sys.exit(main())
