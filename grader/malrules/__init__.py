"""Misconceptions by topic: what they give, and which of them gives a student's answer."""

from __future__ import annotations

from collections.abc import Iterable

from grader.malrules.backprop import BACKPROP
from grader.malrules.calculus import CALCULUS
from grader.malrules.diagnosis import candidates_for, diagnose, name_mistake
from grader.malrules.malrule import Candidate, Diagnosis, Layer, MalRule, Network, Setting, Unrolled
from grader.malrules.matrices import MATRICES
from grader.malrules.rollouts import ROLLOUTS
from grader.malrules.slips import SLIPS

# topic of a question -> the misconceptions to look for, the telling ones first
TOPICS: dict[str, tuple[MalRule, ...]] = {
    "derivative": CALCULUS,
    "chain_rule": CALCULUS,
    "product_rule": CALCULUS,
    "jacobian": (*CALCULUS, *MATRICES),
    "matrix": MATRICES,
    "rollout": ROLLOUTS,
    "backprop": (*BACKPROP, *MATRICES),
}


def rules_for(topics: Iterable[str]) -> tuple[MalRule, ...]:
    """The misconceptions of some topics, each once, slips of any kind last.  An unknown topic has none."""
    found = {rule.note: rule for topic in topics for rule in TOPICS.get(topic, ())}
    return (*found.values(), *(rule for rule in SLIPS if rule.note not in found))


__all__ = [
    "BACKPROP",
    "CALCULUS",
    "MATRICES",
    "ROLLOUTS",
    "SLIPS",
    "TOPICS",
    "Candidate",
    "Diagnosis",
    "Layer",
    "MalRule",
    "Network",
    "Setting",
    "Unrolled",
    "candidates_for",
    "diagnose",
    "name_mistake",
    "rules_for",
]
