"""A report as JSON and back.  Described by docs/report.schema.json; fractions are exact."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from grader.model import (
    Decision,
    Evidence,
    Finding,
    Place,
    Provenance,
    QuestionScore,
    Remark,
    Report,
    Score,
    Verdict,
)

SCHEMA = "gradient-grader/report/1"


def render(report: Report) -> str:
    """The report as JSON text, the same bytes for the same report."""
    return json.dumps(to_data(report), ensure_ascii=False, indent=1) + "\n"


def to_data(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "schema": SCHEMA,
        "problem": report.problem,
        "title": report.title,
        "student": report.student,
        "name": report.name,
        "score": _score(report.score),
        "late_seconds": report.late_seconds,
        "findings": [_finding(finding) for finding in report.findings],
        "decisions": [
            {"student": d.student, "item": d.item, "points": fraction(d.points), "reason": d.reason, "by": d.by}
            for d in report.decisions
        ],
        "remarks": [{"note": r.note, "message": r.message, "where": _place(r.where)} for r in report.remarks],
        "provenance": {
            "grader": report.provenance.grader,
            "problem": report.provenance.problem,
            "submission": report.provenance.submission,
            "seed": report.provenance.seed,
            "isolation": report.provenance.isolation,
            "versions": dict(report.provenance.versions),
            "commit": report.provenance.commit,
        },
    }


def fraction(value: Fraction) -> dict[str, Any]:
    """A fraction as `{"exact": "3/2", "decimal": 1.5}`."""
    return {"exact": str(value), "decimal": float(value)}


def parse(text: str) -> Report:
    """The report that `render` wrote.  Errors: ValueError when the text is no report of this schema."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ValueError(f"This is no report of schema {SCHEMA}.")
    try:
        return _read(data)
    except (KeyError, TypeError, AttributeError) as trouble:
        raise ValueError(f"This report is damaged: {trouble!r}.") from trouble


def _score(score: Score) -> dict[str, Any]:
    return {
        "earned": fraction(score.earned),
        "possible": fraction(score.possible),
        "pending": fraction(score.pending),
        "penalty": fraction(score.penalty),
        "questions": [
            {
                "question": q.question,
                "title": q.title,
                "earned": fraction(q.earned),
                "possible": fraction(q.possible),
                "pending": fraction(q.pending),
            }
            for q in score.questions
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "item": finding.item,
        "asks": finding.asks,
        "verdict": str(finding.verdict),
        "credit": fraction(finding.credit),
        "points": fraction(finding.points),
        "note": finding.note,
        "message": finding.message,
        "read_as": finding.read_as,
        "read_as_latex": finding.read_as_latex,
        "evidence": [
            {"kind": e.kind, "text": e.text, "audience": e.audience, "data": [list(pair) for pair in e.data]}
            for e in finding.evidence
        ],
        "where": _place(finding.where),
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {"file": place.file, "line": place.line, "column": place.column, "cell": place.cell}


def _read(data: dict[str, Any]) -> Report:
    provenance = data["provenance"]
    return Report(
        problem=data["problem"],
        title=data["title"],
        student=data["student"],
        name=data["name"],
        findings=tuple(_read_finding(finding) for finding in data["findings"]),
        score=_read_score(data["score"]),
        decisions=tuple(
            Decision(d["student"], d["item"], _exact(d["points"]), d["reason"], d["by"]) for d in data["decisions"]
        ),
        remarks=tuple(Remark(r["note"], r["message"], _read_place(r["where"])) for r in data["remarks"]),
        provenance=Provenance(
            provenance["grader"],
            provenance["problem"],
            provenance["submission"],
            provenance["seed"],
            provenance["isolation"],
            tuple(provenance["versions"].items()),
            provenance.get("commit", ""),  # reports of earlier runs have none
        ),
        late_seconds=data["late_seconds"],
    )


def _read_score(data: dict[str, Any]) -> Score:
    return Score(
        _exact(data["earned"]),
        _exact(data["possible"]),
        _exact(data["pending"]),
        tuple(
            QuestionScore(q["question"], _exact(q["earned"]), _exact(q["possible"]), _exact(q["pending"]), q["title"])
            for q in data["questions"]
        ),
        _exact(data["penalty"]),
    )


def _read_finding(data: dict[str, Any]) -> Finding:
    return Finding(
        item=data["item"],
        asks=data["asks"],
        verdict=Verdict(data["verdict"]),
        credit=_exact(data["credit"]),
        points=_exact(data["points"]),
        note=data["note"],
        message=data["message"],
        read_as=data["read_as"],
        read_as_latex=data["read_as_latex"],
        evidence=tuple(
            Evidence(e["kind"], e["text"], e["audience"], tuple((k, v) for k, v in e["data"])) for e in data["evidence"]
        ),
        where=_read_place(data["where"]),
    )


def _read_place(data: dict[str, Any] | None) -> Place | None:
    return None if data is None else Place(data["file"], data["line"], data["column"], data["cell"])


def _exact(data: dict[str, Any]) -> Fraction:
    return Fraction(data["exact"])
