"""Evidence arranged for showing: what each kind's pairs say (docs/reports.md, *Evidence*)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.model import Evidence, Finding

KINDS = {
    "caret": "Where reading stopped",
    "chain": "Line by line",
    "witness": "Try this point",
    "misconception": "What may have happened",
    "entry": "Entry by entry",
    "graph": "Your graph",
    "probe": "What your code did",
    "route": "How the truth was checked",
    "resolution": "How it was read",
    "picture": "The picture",
}
SIGNS = {"yes": "=", "no": "≠", "unknown": "≟"}
LONGEST_LINE = 160  # characters of a student's line shown around a caret


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a chain of equalities."""

    left: str
    right: str
    holds: str
    line: str
    why: str

    @property
    def sign(self) -> str:
        return SIGNS.get(self.holds, "≟")


@dataclass(frozen=True, slots=True)
class Caret:
    """A student's line with the place that is meant between `before` and `after`."""

    before: str
    meant: str
    after: str

    @property
    def pointer(self) -> str:
        """The line under the line: blanks, then one `^` per character meant."""
        blanks = "".join("\t" if character == "\t" else " " for character in self.before)
        return blanks + "^" * max(1, len(self.meant))


def shown(finding: Finding) -> tuple[Evidence, ...]:
    """The evidence that says more than the finding's own message and note; links of one chain put together."""
    found: list[Evidence] = []
    for evidence in finding.evidence:
        last = found[-1] if found else None
        if last and evidence.kind == last.kind == "chain" and evidence.audience == last.audience:
            text = last.text if evidence.text in ("", last.text) else f"{last.text}\n{evidence.text}"
            found[-1] = replace(last, text=text, data=last.data + evidence.data)
        elif not _repeats(evidence, finding):
            found.append(evidence)
    return tuple(found)


def _repeats(evidence: Evidence, finding: Finding) -> bool:
    said = evidence.text.strip() in ("", finding.message.strip())
    return said and all(key == "note" and value == finding.note for key, value in evidence.data)


def rows(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """The pairs to show as a table: none where the text says them already."""
    return () if evidence.kind == "witness" and evidence.text else evidence.data


def title(evidence: Evidence) -> str:
    return KINDS.get(evidence.kind, evidence.kind.replace("_", " ").capitalize())


def links(evidence: Evidence) -> tuple[Link, ...]:
    """The links of evidence of kind `chain`, in order; a new link begins at each pair called `left`."""
    found: list[dict[str, str]] = []
    for key, value in evidence.data:
        if key == "left" or not found:
            found.append({})
        found[-1][key] = value
    return tuple(
        Link(*(link.get(key, "") for key in ("left", "right", "holds", "line", "why")))
        for link in found
        if "left" in link
    )


def caret(evidence: Evidence) -> Caret | None:
    """The place that evidence of kind `caret` points to; None when its pairs do not say."""
    data = dict(evidence.data)
    source = data.get("source", "")
    try:
        start, end = int(data.get("start", "")), int(data.get("end", ""))
    except ValueError:
        return None
    if not source or not 0 <= start <= len(source):
        return None
    end = min(max(start, end), len(source))
    first = source.rfind("\n", 0, start) + 1
    last = source.find("\n", start)
    last = len(source) if last < 0 else last
    end = min(end, last)
    first_cut, last_cut = max(first, start - LONGEST_LINE), min(last, end + LONGEST_LINE)
    return Caret(
        ("…" if first_cut > first else "") + source[first_cut:start],
        source[start:end],
        source[end:last_cut] + ("…" if last_cut < last else ""),
    )
