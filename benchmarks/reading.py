"""Reads the LaTeX test suites of other readers and compares meaning at a point, not form.

    python benchmarks/reading.py [--latex2sympy DIR] [--math-verify DIR] [--all]

sympy's suite is taken from the installed package; the other two from checkouts of their repositories, which are not
part of this project.  The filter below says which cases are not mathematics of this field; every case left out and
every case failed is listed with the reason.  `expected` comes from the suite's own sympy expression.
"""

from __future__ import annotations

import argparse
import ast
import functools
import importlib
import re
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy
import sympy

from grader.notation import Misread, Unreadable, Vocabulary, build_vocabulary, elaborate, read
from reference import expression as E
from reference.graph import FLOAT, build, run
from reference.shapes import ShapeError

# What is not mathematics of this field: (reason, pattern in the text).
_END = r"(?![A-Za-z])"
FILTER: tuple[tuple[str, str], ...] = (
    ("integral", rf"\\i*int{_END}|\\oint"),
    ("limit", rf"\\lim{_END}"),
    ("sets, intervals, logic", rf"\\(cup|cap|in|emptyset|varnothing|subset|set|mathbb|bigcup|setminus|lor|land|notin"
     rf"|lbrace|forall|exists|neg){_END}|\\\{{|\\times\\infty"),
    ("inequality, not a value", rf"\\(le|leq|lt|ge|geq|gt|ne|neq|leqslant|geqslant|equiv|approx){_END}|<|>"),
    ("rounding, divisibility", r"\\lfloor|\\lceil|floor|ceil|gcd|lcm|mod(?![A-Za-z])"),
    ("bra-ket", r"\\langle|\\rangle|\\ket|\\bra(?![A-Za-z])"),
    ("conjugate or repeating decimal", r"\\overline|\\bar(?![A-Za-z])|\\dagger|\\ast|\\star"),
    ("placeholder or command of the other reader", r"\\variable|\\placeholder|\\hash|rref|\\adjugate|\\degree"),
    ("percent, money, units", r"%|\\text|\\\$|\\circ|°|\\mathrm|\\mbox|\\units"),
    ("infinity", r"\\infty|\\infin"),
    ("complex numbers", r"(?<![A-Za-z])[iI](?![A-Za-z_])|\\imaginary"),
    ("plus-minus, several values", r"\\pm|\\mp"),
    ("grouped digits", r"\d\s\d{3}|\d\\[,!; ]\s?\d|\d\{,\}\d{3}"),
    ("bounds without a number", r"\\(sum|prod).*=\s*b"),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    suite: str
    text: str
    expected: Any  # a sympy object


@dataclass(frozen=True)
class Outcome:
    case: Case
    status: str  # same, different, unreadable, excluded
    reason: str
    seconds: float


def sympy_cases() -> Iterator[Case]:
    """Pairs of the installed package's own parser tests."""
    for name in ("test_latex", "test_latex_lark"):
        module = importlib.import_module(f"sympy.parsing.tests.{name}")
        for key, pairs in vars(module).items():
            if re.fullmatch(r"(GOOD|.*EXPRESSION)_PAIRS", key):
                for text, expected in pairs:
                    yield Case(f"sympy {name}", text, sympy.sympify(expected))


def nonsense_cases() -> Iterator[Case]:
    """Texts the suites say must be refused; `expected` is None."""
    for name in ("test_latex", "test_latex_lark"):
        module = importlib.import_module(f"sympy.parsing.tests.{name}")
        for text in getattr(module, "BAD_STRINGS", []):
            yield Case(f"sympy {name}", text, None)


def checkout_cases(folder: Path, suite: str) -> Iterator[Case]:
    """Pairs (text, sympy expression) in parametrised tests and in `assert_equal(text, expression)` calls."""
    for file in sorted((folder / "tests").glob("*test*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = _namespace(tree)
        for node in ast.walk(tree):
            yield from _pairs(node, names, f"{suite} {file.stem}")


def _namespace(tree: ast.Module) -> dict[str, Any]:
    """The suite's own shorthand (x = Symbol('x'), _Add = …), what cannot be imported left out."""
    names: dict[str, Any] = {}
    exec("from sympy import *", names)
    for name in ("Add", "Mul", "Pow"):
        names[f"_{name}"] = functools.partial(getattr(sympy, name), evaluate=False)
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom | ast.Import | ast.Assign | ast.FunctionDef):
            try:
                exec(compile(ast.Module([statement], []), "suite", "exec"), names)
            except Exception as error:  # noqa: BLE001  # a statement that needs the other library
                names.setdefault("skipped", []).append(str(error))
    return names


def _pairs(node: ast.AST, names: dict[str, Any], suite: str) -> Iterator[Case]:
    candidates: list[tuple[ast.expr, ast.expr]] = []
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("assert_equal", "compare"):
        if len(node.args) >= 2 and not any(k.arg == "variables" for k in node.keywords):
            candidates.append((node.args[0], node.args[1]))
    elif isinstance(node, ast.Tuple | ast.List) and len(node.elts) in (2, 3):
        candidates.append((node.elts[0], node.elts[1]))
    for text, expected in candidates:
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
            continue
        if isinstance(expected, ast.Constant) and isinstance(expected.value, str):
            continue
        try:
            value = eval(compile(ast.Expression(expected), "suite", "eval"), names)
        except Exception:  # noqa: BLE001  # needs the other library
            continue
        if isinstance(value, sympy.Basic | sympy.MatrixBase | int | float) and not isinstance(value, bool):
            yield Case(suite, text.value, sympy.sympify(value))


def verify_cases(folder: Path) -> Iterator[Case]:
    """(gold, prediction, 1) rows: both are read here and must agree; gold stands as `expected` text."""
    for file in sorted((folder / "tests").glob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Tuple) and len(node.elts) == 3):
                continue
            values = [e.value if isinstance(e, ast.Constant) else None for e in node.elts]
            gold, prediction, equal = values
            if isinstance(gold, str) and isinstance(prediction, str) and equal in (1, True):
                yield Case(f"math-verify {file.stem}", prediction, gold)


def excluded(case: Case) -> str:
    """Why a case is left out, or nothing."""
    texts = [case.text] + ([case.expected] if isinstance(case.expected, str) else [])
    for text in texts:
        for reason, pattern in FILTER:
            if re.search(pattern, text):
                return reason
        if isinstance(case.expected, str) and re.search(r"\d,\d|[\[(]\d+,\s*\d+[)\]]", text):
            return "decimal comma, interval or list"
        if isinstance(case.expected, str) and re.search(
            r"[A-Za-z]{3,}(?<!frac)(?<!sqrt)(?<!cdot)(?<!left)(?<!right)"
            r"(?<!boxed)(?<!begin)(?<!matrix)(?<!end)",
            text.replace("\\", " "),
        ):
            return "prose around the formula"  # fmt: skip
    if isinstance(case.expected, str) or case.expected is None:
        return ""
    if case.expected.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo):
        return "complex numbers"
    if isinstance(case.expected, sympy.Eq):
        return ""
    if isinstance(case.expected, sympy.core.relational.Relational | sympy.Set | sympy.logic.boolalg.Boolean):
        return "inequality or set, not a value"
    return ""


def vocabulary_of(case: Case) -> Vocabulary:
    """The names of the suite's own expression, and single letters typed, as declared numbers and functions."""
    functions = {f.func.__name__: "function" for f in case.expected.atoms(sympy.core.function.AppliedUndef)}
    symbols = {str(s.name): "real" for s in case.expected.atoms(sympy.Symbol)}
    for letter in re.findall(r"(?<![A-Za-z\\])([a-df-zA-DF-SU-Z])(?![A-Za-z])", case.text):
        if letter not in functions:
            symbols.setdefault(letter, "real")
    log: Literal["natural", "decimal"] = "decimal" if case.suite.startswith("latex2sympy2") else "natural"
    return build_vocabulary(symbols | functions, log=log)


VALUES = (0.731, 1.317, 0.613, 1.729, 0.877, 1.113, 0.541, 1.931, 0.457, 1.237)


def expected_value(expected: Any) -> numpy.ndarray:
    """The suite's expression at the point, abstract functions replaced by a sum of sines."""
    value = expected.doit() if hasattr(expected, "doit") else expected
    for call in value.atoms(sympy.core.function.AppliedUndef):
        value = value.replace(call.func, lambda *a: sum(sympy.sin((k + 1) * x) for k, x in enumerate(a)))
    value = value.doit()
    point = {s: VALUES[k % 10] for k, s in enumerate(sorted(value.free_symbols, key=str))}
    found = value.subs(point).evalf(20)
    if isinstance(found, sympy.MatrixBase):
        return numpy.array(found.tolist(), dtype=float)
    if hasattr(found, "as_explicit"):
        return numpy.array(found.as_explicit().tolist(), dtype=float)
    return numpy.asarray(float(found))


def our_values(text: str, vocabulary: Vocabulary, order: list[str]) -> tuple[list[numpy.ndarray], float]:
    begin = time.perf_counter()
    found = read(text, "latex", vocabulary)
    if isinstance(found, Unreadable):
        raise Misread(found.start, found.end, found.message, found.suggestion)
    expressions = elaborate(found.answer, vocabulary, {})
    seconds = time.perf_counter() - begin
    point = {name: numpy.asarray(0.9) for name in vocabulary.symbols}
    point |= {name: numpy.asarray(VALUES[k % 10]) for k, name in enumerate(order)}
    out = []
    for expression in expressions:
        functions = {}
        for call in E.calls(expression):
            params = tuple(E.symbol(f"arg{k}") for k in range(len(call.args)))
            body = E.sin(params[0])
            for k, param in enumerate(params[1:], start=2):
                body = E.add(body, E.sin(E.mul(k, param)))
            functions[call.name] = E.Function(params, body)
        whole = E.instantiate(expression, functions) if functions else expression
        out.append(numpy.asarray(run(build((whole,)), point, FLOAT)[0], dtype=float))
    return out, seconds


def judge(case: Case) -> Outcome:
    reason = excluded(case)
    if reason:
        return Outcome(case, "excluded", reason, 0.0)
    if case.expected is None:
        return _judge_nonsense(case)
    try:
        if isinstance(case.expected, str):
            words = build_vocabulary(dict.fromkeys("xyzabckntmr", "real"))
            names = sorted(words.symbols)
            wanted = our_values(case.expected, words, names)[0]
        else:
            words = vocabulary_of(case)
            expected = case.expected.rhs if isinstance(case.expected, sympy.Eq) else case.expected
            value = expected.doit() if hasattr(expected, "doit") else expected
            names = [str(s) for s in sorted(value.free_symbols, key=str)]
            wanted = [expected_value(expected)]
    except Misread as trouble:
        return Outcome(case, "unreadable", f"gold: {trouble.message}", 0.0)
    except Exception as error:  # noqa: BLE001  # the suite's own expression has no number
        return Outcome(case, "excluded", f"no number to compare with ({type(error).__name__})", 0.0)
    try:
        found, seconds = our_values(case.text, words, names)
    except Misread as trouble:
        return Outcome(case, "unreadable", trouble.message, 0.0)
    except (ShapeError, ValueError, KeyError) as error:
        return Outcome(case, "different", f"{type(error).__name__}: {error}", 0.0)
    same = any(_close(a, b) for a in found for b in wanted)
    return Outcome(case, "same" if same else "different", "" if same else f"{found} against {wanted}", seconds)


def _judge_nonsense(case: Case) -> Outcome:
    words = build_vocabulary(dict.fromkeys("xyzabcfgnt", "real"))
    try:
        our_values(case.text, words, [])
    except (Misread, ShapeError):
        return Outcome(case, "same", "", 0.0)
    return Outcome(case, "different", "read, though the suite says it must be refused", 0.0)


def _close(a: numpy.ndarray, b: numpy.ndarray) -> bool:
    a, b = numpy.squeeze(a), numpy.squeeze(b)
    return a.shape == b.shape and bool(numpy.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latex2sympy", type=Path, help="checkout of latex2sympy2_extended")
    parser.add_argument("--math-verify", type=Path, help="checkout of Math-Verify")
    parser.add_argument("--all", action="store_true", help="list the excluded cases too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    cases = [*sympy_cases(), *nonsense_cases()]
    if options.latex2sympy:
        cases += checkout_cases(options.latex2sympy, "latex2sympy2")
    if options.math_verify:
        cases += verify_cases(options.math_verify)
    unique = list({(c.text, str(c.expected)): c for c in cases}.values())
    outcomes = [judge(case) for case in unique]
    for outcome in outcomes:
        if outcome.status in ("different", "unreadable") or (options.all and outcome.status == "excluded"):
            print(f"{outcome.status:10} {outcome.case.suite:28} {outcome.case.text!r}: {outcome.reason[:160]}")
    report(outcomes)


def report(outcomes: list[Outcome]) -> None:
    suites = sorted({o.case.suite.split(" ")[0] for o in outcomes})
    print(f"\n{'suite':14} {'cases':>6} {'excluded':>9} {'same':>6} {'different':>10} {'unreadable':>11} {'read':>8}")
    for suite in [*suites, "all"]:
        count = Counter(o.status for o in outcomes if suite in ("all", o.case.suite.split(" ")[0]))
        total = sum(count.values())
        left = total - count["excluded"]
        share = f"{100 * count['same'] / left:.1f} %" if left else "-"
        print(f"{suite:14} {total:6} {count['excluded']:9} {count['same']:6} {count['different']:10} "
              f"{count['unreadable']:11} {share:>8}")  # fmt: skip
    times = numpy.array([o.seconds for o in outcomes if o.seconds]) * 1e3
    if len(times):
        median, high = numpy.median(times), numpy.quantile(times, 0.99)
        print(f"time to read and give meaning: median {median:.3f} ms, p99 {high:.3f} ms")
    print("excluded:", dict(Counter(o.reason for o in outcomes if o.status == "excluded")))


if __name__ == "__main__":
    main()
