"""How LaTeX counts: the labels in front of a list's items, and numbers in the styles of its counters."""

from __future__ import annotations

import re

COUNTERS = ("enumi", "enumii", "enumiii", "enumiv")
DEFAULT_MARKERS = (r"\arabic.", r"(\alph)", r"\roman.", r"\Alph.")

_ENUM_LABEL = re.compile(r"\\renewcommand\*?\s*\{?\\label(enumi{1,3}v?)\}?\s*\{((?:[^{}\n]|\{[^{}\n]*\}){1,80})\}")
_SETLIST = re.compile(r"\\setlist\s*\[\s*enumerate\s*(?:,\s*([1-4]))?\s*\]\s*\{((?:[^{}\n]|\{[^{}\n]*\}){1,200})\}")


def markers(text: str) -> list[str]:
    """What the document puts in front of its lists' items, by depth."""
    found = list(DEFAULT_MARKERS)
    for depth, options in _SETLIST.findall(text):
        for at in [int(depth) - 1] if depth else range(4):
            found[at] = template(options) or found[at]
    for counter, label in _ENUM_LABEL.findall(text):
        if counter in COUNTERS:
            found[COUNTERS.index(counter)] = template(label) or found[COUNTERS.index(counter)]
    return found


def template(option: str) -> str:
    """What `\\begin{enumerate}[label=(\\alph*)]` or `[(a)]` puts in front of its items; "" when it says nothing."""
    label = re.search(r"label\s*=\s*\{?\s*(.{1,60}?)\s*\}?\s*(?:,\s*\w+\s*=|$)", option)
    text = label.group(1) if label else option
    text = re.sub(
        r"(?<=alph|Alph)\s*\{\s*enum\w+\s*\}|(?<=arabic)\s*\{\s*enum\w+\s*\}|(?<=oman)\s*\{\s*enum\w+\s*\}", "", text
    )
    text = re.sub(r"\\(?:textbf|bfseries|textit|emph)\s*\{?|[{}*]", "", text)
    if re.search(r"\\(alph|Alph|arabic|roman|Roman)", text):
        return text
    if label or "=" in text:
        return ""
    return re.sub(
        r"(?<![A-Za-z\\])(a|A|1|i|I)(?![A-Za-z])",
        lambda m: {"a": r"\\alph", "A": r"\\Alph", "1": r"\\arabic", "i": r"\\roman", "I": r"\\Roman"}[
            m.group()
        ].replace("\\\\", "\\"),
        text,
        count=1,
    )


def counted(style: str, count: int) -> str:
    if style == "arabic":
        return str(count)
    if style.lower() == "alph":
        letter = chr(ord("a") + (count - 1) % 26)
    else:
        letter = ("?", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")[count if count <= 10 else 0]
    return letter.upper() if style[0].isupper() else letter
