"""Words and formulas: does a line without delimiters say something, or is it mathematics?"""

from __future__ import annotations

import re

from grader.model import Notation

MAX_TYPED = 2_000  # characters of a formula typed without delimiters; a longer line is words

# Names of more than two letters that occur in formulas typed without a backslash.
_MATHEMATICAL_WORDS = """
sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan asin acos atan exp log ln sqrt abs sign sgn max min
sum mean prod diag trace det inv dot outer softmax relu sigmoid softplus norm transpose hadamard kron grad nabla
alpha beta gamma delta epsilon eps zeta eta theta iota kappa lambda lam mu nu xi pi rho sigma tau phi chi psi
omega partial infty inf log2 log10 argmax argmin lim for all otherwise if where matrix vec
"""
MATHEMATICAL = frozenset(_MATHEMATICAL_WORDS.split())
_SHORT_WORDS_WORDS = """
is of we so if to by as at it an or on do be no in der die das und ist mit von zu es wir so im am er
"""
_SHORT_WORDS = frozenset(_SHORT_WORDS_WORDS.split())
_WORD = re.compile(r"[A-Za-zÄÖÜäöüß]{2,}")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_NAMED = re.compile(r"(?:\\(?:text|mathrm|operatorname|mathbf|textrm|mathit)\*?)\s*\{[^{}]{0,80}\}")
_RELATION = re.compile(r"[=≈≤≥<>∈]")
_OPERATOR = re.compile(
    r"[=+*/^<>≈∂∇√·×−⋅ᵀ⊙]|\d|\\[A-Za-z]|[A-Za-z]'|\w\(|[A-Za-z]_|-\s*\w|\b\w{1,3}\s+x\s+\w{1,3}\b|[\[(][^\n]{0,200}?,[^\n]{0,200}?[\])]"
)


def prose_words(text: str) -> list[re.Match[str]]:
    """The words of a text that no formula contains."""
    masked = _NAMED.sub(lambda m: " " * len(m.group()), text)
    masked = _COMMAND.sub(lambda m: " " * len(m.group()), masked)
    found = []
    for match in _WORD.finditer(masked):
        word = match.group().lower()
        before = masked[match.start() - 1] if match.start() else ""
        if before == "_" or word in MATHEMATICAL or word.removeprefix("d") in MATHEMATICAL:
            continue
        if word[:3] in MATHEMATICAL and len(word) == 4:
            continue  # sinx, expx
        if (len(word) >= 3 and not _looks_like_product(match.group())) or word in _SHORT_WORDS:
            found.append(match)
    return found


def _looks_like_product(word: str) -> bool:
    """`dfdx`, `abc` are letters side by side; words of a language have a vowel between consonants and are longer."""
    return len(word) <= 4 and (not re.search(r"[aeiouäöüy]", word.lower()) or word in ("abc", "dfdx", "xyz"))


def is_formula(text: str) -> bool:
    """Is the whole text mathematics typed without delimiters?"""
    stripped = text[: MAX_TYPED + 1].strip().rstrip(".,;")
    if not stripped or len(text) > MAX_TYPED or prose_words(stripped):
        return False
    return bool(_OPERATOR.search(stripped)) or bool(re.fullmatch(r"[A-Za-zα-ωΑ-Ω]|\(?[A-Za-z]\)?", stripped))


def split_formula(text: str) -> tuple[str, str, str] | None:
    """(words before, formula, words after) of a line that has one formula with a relation among words, else None."""
    words = prose_words(text) if len(text) <= MAX_TYPED else []
    if not words:
        return None
    edges = [0] + [edge for word in words for edge in word.span()] + [len(text)]
    regions = [(edges[i], edges[i + 1]) for i in range(0, len(edges), 2)]
    wanted = [(start, end) for start, end in regions if _RELATION.search(text, start, end)]
    if len(wanted) != 1:
        return None
    start, end = wanted[0]
    if end < len(text):  # the words after it begin at a bracket, comma or dash, not in the middle of the formula
        cut = re.search(r"[\s(,;:–—-]+$", text[start:end])
        end = start + cut.start() if cut else end
    if start > 0:
        lead = re.match(r"[\s),;:–—]*", text[start:end])
        start += lead.end() if lead else 0
    formula = text[start:end].strip()
    left, _, right = formula.partition("=")
    if "=" in formula and not (left.strip() and right.strip()):
        return None
    if not is_formula(formula):
        return None
    begin = text.index(formula, start)
    return text[:begin], formula, text[begin + len(formula) :]


def notation_of(text: str) -> Notation:
    """LaTeX when a backslash command or braces after _ or ^ say so; plain notation else."""
    return "latex" if re.search(r"\\[A-Za-z{|,;!]|[_^]\s*\{", text) else "plain"


_ASSIGNMENT = re.compile(r"^\s*(?:\w+\s*[.):]\s+)?[A-Za-zα-ω]\w*(?:_\{?\w+\}?)?\s*(?:=|:=|<-|←)\s*\S", re.M)
_GRAPH = re.compile(
    r"\b(?:strict\s+)?(?:di)?graph\b[^\n{]*\{|^\s*(?:graph|flowchart)\s+(?:TD|TB|LR|RL|BT)\b|->|-->", re.M
)
GRAPH_LANGUAGES = frozenset({"dot", "graphviz", "gv", "mermaid", "graph", "digraph", "assignments", "dot2tex"})
TEXT_LANGUAGES = frozenset(
    {"", "text", "txt", "plain", "plaintext", "none", "verbatim", "pseudo", "pseudocode", "alltt"}
)


def is_graph(text: str, language: str) -> bool:
    """Is a block of code a graph: DOT, Mermaid, edges, or a list of assignments?"""
    if language in GRAPH_LANGUAGES:
        return True
    if language not in TEXT_LANGUAGES:
        return False
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return False
    if _GRAPH.search(text):
        return True
    return sum(bool(_ASSIGNMENT.match(line)) for line in lines) * 2 > len(lines)
