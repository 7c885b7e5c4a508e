"""Misconceptions by topic: what they give, and which of them gives a student's answer."""

from __future__ import annotations

from grader.malrules.diagnosis import candidates_for, diagnose, name_mistake
from grader.malrules.malrule import Candidate, Diagnosis, MalRule, Setting

__all__ = ["Candidate", "Diagnosis", "MalRule", "Setting", "candidates_for", "diagnose", "name_mistake"]
