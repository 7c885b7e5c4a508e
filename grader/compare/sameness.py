"""Same or not: two expressions compared at exact points in ball arithmetic.

A difference that excludes zero at a point proves NO.  YES needs both sides to agree to at least 30 digits, with a
bounded error, at every point that can be decided.
Source: Johansson 2017 (ball arithmetic); Schwartz 1980 (identity by evaluation).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from grader.compare.domain import Domain
from grader.compare.evaluation import TooMuch
from grader.compare.evidence import Sameness
from grader.compare.layouts import align
from grader.compare.pointwise import compare
from grader.compare.policy import EXACT, Policy
from reference.expression import Expr, calls, ordered, transpose
from reference.shapes import describe

CACHED = 512


def same(truth: Expr, answer: Expr, domain: Domain | None = None, policy: Policy = EXACT) -> Sameness:
    """Is the answer the truth, everywhere in the domain?  Deterministic; never raises for anything a student wrote."""
    domain = domain or Domain()
    aligned = align(truth.shape, answer, policy)
    if aligned.answer is None:
        return Sameness("no", "shape", note=aligned.note, message=aligned.message)
    nodes = ordered([aligned.answer])
    strangers = {n.name for n in nodes if n.op == "symbol"} - domain.symbols.keys()
    if strangers:
        names = ", ".join(sorted(strangers))
        return Sameness("unknown", "names", note="names.unknown", message=f"it is not said what {names} is")
    try:
        if any(n.op == "call" for n in nodes) or _has_calls(truth):
            from grader.compare.functions import same_with_functions

            found = same_with_functions(truth, aligned.answer, domain, policy)
        else:
            found = compare(truth, aligned.answer, domain, policy, nodes)
    except (TooMuch, OverflowError, MemoryError) as trouble:
        return Sameness("unknown", "effort", note="effort", message=f"too large to be compared: {trouble}")
    return _judge_layout(found, truth, aligned.answer, aligned.note, aligned.message, domain, policy)


def _judge_layout(
    found: Sameness, truth: Expr, answer: Expr, note: str, message: str, domain: Domain, policy: Policy
) -> Sameness:
    """What a right value in another layout is worth, and whether a wrong square matrix is the transpose."""
    if note == "jacobian.transposed":
        if found.verdict not in ("yes", "partly"):
            shape = describe(truth.shape[::-1])
            return Sameness(
                "no",
                "shape",
                note="shape.wrong",
                message=f"the answer is {shape}, but {describe(truth.shape)} is asked",
            )
        if policy.transposed:
            return replace(found, how="layout", note=note, message=message)
        return Sameness("no", "layout", note=note, message=message)
    if note and found.verdict in ("yes", "partly"):
        return Sameness("no", "layout", note=note, message=message)
    square = len(truth.shape) == 2 and truth.shape[0] == truth.shape[1] > 1
    if found.verdict == "no" and square and not calls([truth, answer]):
        turned = compare(truth, transpose(answer), domain, policy)
        if turned.verdict == "yes":
            message = "the answer is the transpose of what is asked"
            if policy.transposed:
                return replace(turned, how="layout", note="jacobian.transposed", message=message)
            return replace(found, note="jacobian.transposed", message=message)
    return found


@lru_cache(maxsize=CACHED)
def _has_calls(truth: Expr) -> bool:
    return bool(calls(truth))
