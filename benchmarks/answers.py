"""Reading and deciding answers: ours against the incumbents, on the same answers in one run.

    python benchmarks/answers.py [FILE.jsonl] [--incumbents PYTHON]

FILE holds lines with id, answer, format, truth, symbols, definitions and `correct`; without it the project's own case
table is used.  PYTHON is an interpreter of another environment in which math-verify and sympy with its LaTeX parser are
installed; an incumbent that is missing there is skipped with a line that says so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cases" / "compare.toml"
WORKER = Path(__file__).with_name("answers_incumbents.py")
INCUMBENTS = ("math-verify", "sympy", "prairielearn-style")
Row = dict[str, Any]


def load_rows(path: Path | None) -> list[Row]:
    """Rows with an expected verdict: right, wrong, or `partly` where it is a matter of convention."""
    if path is not None:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [_with_expectation(r) for r in rows if "truth" in r]
    rows = []
    for question in tomllib.loads(CASES.read_text(encoding="utf-8"))["question"]:
        for notation in ("latex", "plain"):
            for number, case in enumerate(question.get(notation, ())):
                if len(case) == 3:  # known weaknesses are left out
                    rows.append(
                        {
                            "id": f"{question['id']}-{notation}-{number}",
                            "answer": case[0],
                            "format": notation,
                            "expected": case[1],
                            **{k: question[k] for k in ("truth", "symbols", "definitions", "where") if k in question},
                        }
                    )
    return rows


def _with_expectation(row: Row) -> Row:
    expected = "partly" if row.get("policy") else "yes" if row["correct"] else "no"
    return {**row, "expected": expected}


def run_ours(rows: list[Row]) -> list[Row]:
    """Every row twice; the second time is measured, which is warm: the truth's values are known, the answer is new."""
    from grader.cli.compare import with_fuse
    from grader.compare.answers import answer_same
    from grader.compare.table import _task, parse_row

    parsed = [parse_row(json.dumps(row)) for row in rows]
    results: list[Row] = []
    for measured in (False, True):
        results = []
        for row in parsed:
            task = _task(row.truth, row.symbols, row.definitions, row.where)
            begin = time.perf_counter()
            outcome = with_fuse(lambda row=row, task=task: answer_same(row.answer, row.format, task))  # type: ignore[misc]
            results.append({"id": row.id, "same": outcome.same, "seconds": time.perf_counter() - begin})
        assert measured or results
    return results


def run_incumbent(name: str, python: str, rows: list[Row]) -> list[Row] | str:
    """The incumbent's verdicts, or why there are none."""
    done = subprocess.run(
        [python, str(WORKER), name],
        input="\n".join(json.dumps(row) for row in rows),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it did not run"])[-1]
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def summarise(rows: list[Row], results: list[Row]) -> dict[str, Any]:
    """Accuracy and time.  A right answer counts as rejected when it is called wrong, unreadable or undecided apart."""
    by_id = {r["id"]: r for r in results}
    counts: Counter[str] = Counter()
    for row in rows:
        counts[f"{row['expected']}>{by_id[row['id']]['same']}"] += 1
    right = sum(r["expected"] == "yes" for r in rows)
    wrong = sum(r["expected"] == "no" for r in rows)
    seconds = sorted(r["seconds"] for r in results)
    return {
        "rows": len(rows),
        "right called wrong": counts["yes>no"],
        "right not read or undecided": counts["yes>unreadable"] + counts["yes>unknown"],
        "of right": right,
        "wrong accepted": counts["no>yes"] + counts["no>partly"],
        "of wrong": wrong,
        "unreadable": sum(r["same"] == "unreadable" for r in results),
        "median ms": round(seconds[len(seconds) // 2] * 1e3, 3),
        "p99 ms": round(seconds[min(int(len(seconds) * 0.99), len(seconds) - 1)] * 1e3, 3),
        "max ms": round(seconds[-1] * 1e3, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--incumbents", metavar="PYTHON", default=sys.executable)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = load_rows(options.file)
    table = {"ours": summarise(rows, run_ours(rows))}
    skipped: dict[str, str] = {}
    for name in INCUMBENTS:
        results = run_incumbent(name, options.incumbents, rows)
        if isinstance(results, str):
            skipped[name] = results
        else:
            table[name] = summarise(rows, results)
    if options.json:
        print(json.dumps({"table": table, "skipped": skipped}))
        return 0
    columns = list(table["ours"])
    print(" | ".join(["", *columns]))
    for name, line in table.items():
        print(" | ".join([name, *(str(line[c]) for c in columns)]))
    for name, reason in skipped.items():
        print(f"skipped {name}: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
