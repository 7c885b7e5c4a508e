"""One incumbent on answers from stdin; run by answers.py in an environment where the incumbent is installed.

Trusted input only: sympy's parsers evaluate what they read.
"""

from __future__ import annotations

import ast
import json
import re
import signal
import sys
import time
from typing import Any

SECONDS = 3  # for one answer


class TimeUp(Exception):
    pass


def _alarm(_signal: int, _frame: Any) -> None:
    raise TimeUp


def plain_to_sympy(text: str) -> Any:
    """The plain notation of the truths as a sympy expression."""
    import sympy as sp
    from sympy.parsing.sympy_parser import (
        convert_xor,
        implicit_multiplication_application,
        parse_expr,
        standard_transformations,
    )

    names = {"sign": sp.sign, "E": sp.E, "pi": sp.pi, "sech": sp.sech, "sigma": lambda z: 1 / (1 + sp.exp(-z))}
    found = parse_expr(
        text,
        local_dict=names,
        transformations=(*standard_transformations, convert_xor, implicit_multiplication_application),
    )
    return sp.Matrix(found) if isinstance(found, list | tuple) else found


def latex_to_sympy(text: str) -> Any:
    from sympy.parsing.latex import parse_latex

    return parse_latex(text.strip("$").split("=")[-1])


def equal(a: Any, b: Any) -> bool:
    import sympy as sp

    if isinstance(a, sp.MatrixBase) != isinstance(b, sp.MatrixBase):
        return False
    difference = a - b
    if isinstance(difference, sp.MatrixBase):
        return all(sp.simplify(d) == 0 for d in difference)
    names = {
        s.name: sp.Symbol(s.name.replace("_{", "").replace("}", "").replace("_", "")) for s in difference.free_symbols
    }
    difference = difference.subs({s: names[s.name] for s in difference.free_symbols})
    return bool(sp.simplify(difference) == 0) or difference.equals(0) is True


def by_sympy(row: dict[str, Any], gold: str | None) -> str:
    truth = plain_to_sympy(row["truth"])
    answer = latex_to_sympy(row["answer"]) if row["format"] == "latex" else plain_to_sympy(row["answer"].split("=")[-1])
    return "yes" if equal(truth, answer) else "no"


def by_math_verify(row: dict[str, Any], gold: str | None) -> str:
    from math_verify import parse, verify

    if gold is None:
        import sympy as sp

        gold = sp.latex(plain_to_sympy(row["truth"]))
    answer = row["answer"] if "$" in row["answer"] or "\\[" in row["answer"] else f"${row['answer']}$"
    parsed = parse(answer)
    if not parsed:
        return "unreadable"
    return "yes" if verify(parse(f"${gold.strip('$')}$"), parsed) else "no"


ALLOWED = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Call,
    ast.Name,
    ast.Constant,
    ast.Load,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Pow,
    ast.USub,
    ast.UAdd,
)


def by_whitelist(row: dict[str, Any], gold: str | None) -> str:
    """The approach of PrairieLearn's symbolic input: a checked syntax tree, a whitelist of functions, then sympy."""
    if row["format"] != "plain":
        return "unreadable"
    text = row["answer"].replace("^", "**")
    text = re.sub(r"(\d)\s*(?=[A-Za-z(])", r"\1*", text)
    text = re.sub(r"\)\s*(?=[A-Za-z0-9(])", ")*", text)
    tree = ast.parse(text.strip(), mode="eval")
    if not all(isinstance(node, ALLOWED) for node in ast.walk(tree)):
        return "unreadable"
    return "yes" if equal(plain_to_sympy(row["truth"]), plain_to_sympy(text)) else "no"


METHODS = {"sympy": by_sympy, "math-verify": by_math_verify, "prairielearn-style": by_whitelist}


def main() -> int:
    method = METHODS[sys.argv[1]]
    if sys.argv[1] == "math-verify":
        import math_verify  # noqa: F401
    if sys.argv[1] == "sympy":
        latex_to_sympy("x")
    signal.signal(signal.SIGALRM, _alarm)
    rows = [json.loads(line) for line in sys.stdin if line.strip()]
    gold: dict[str, str] = {}
    for row in rows:
        if row["expected"] == "yes" and row["format"] == "latex":
            gold.setdefault(row["truth"], row["answer"])
    for row in rows:
        begin = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            same = method(row, gold.get(row["truth"]))
        except TimeUp:
            same = "unknown"
        except Exception:  # noqa: BLE001  # whatever an incumbent raises, it has not read the answer
            same = "unreadable"
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps({"id": row["id"], "same": same, "seconds": time.perf_counter() - begin}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
