"""An intermediate that nobody declared: `diag(cos(y)) A` where the truth has diag(cos(A x + b)) A.

A student often writes down an intermediate of the statement that a table of answers does not declare.  What such a name
can stand for is an argument of a function in the truth, never a leaf and never the truth itself: with one of these in
its place the answer is compared as usual.
"""

from __future__ import annotations

from collections.abc import Iterator

from reference.cost import is_input, is_number
from reference.expression import Expr, ordered
from reference.primitives import PRIMITIVES
from reference.printing import plain

MAX_CANDIDATES = 8
# Arithmetic is not a function of its arguments in the sense meant here: `a` in a*b is no intermediate.
ARITHMETIC_NAMES = "add sub mul div neg pow matmul index stack concat transpose reshape broadcast diag"
ARITHMETIC = frozenset(ARITHMETIC_NAMES.split())


def candidates(truth: Expr) -> Iterator[str]:
    """The composite arguments of functions in the truth, as text, inner ones first."""
    seen: set[Expr] = set()
    for node in ordered((truth,)):
        if node.op in ARITHMETIC or not (node.op == "call" or node.op in PRIMITIVES):
            continue
        for argument in node.args:
            if argument in seen or argument is truth or is_input(argument) or is_number(argument) or not argument.args:
                continue
            seen.add(argument)
            yield plain(argument)
            if len(seen) == MAX_CANDIDATES:
                return
