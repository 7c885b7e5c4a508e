"""Tokens: what both notations are cut into.  Every token keeps its place in the text as typed."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

MAX_TEXT = 20_000  # characters of one answer
MAX_TOKENS = 8_000
MAX_DEPTH = 48  # nested brackets, fractions, scripts
MAX_SCRIPTS = 24  # subscripts, exponents, primes behind one thing
MAX_STEPS = 12_000  # of the parser, retries included
MAX_DIGITS = 400  # of one number
MAX_EXPONENT = 400  # of one number in scientific notation


class Token(NamedTuple):
    """`kind` decides the grammar, `text` the meaning, `spaced` whether a blank stood before it."""

    kind: str
    text: str
    start: int
    end: int
    spaced: bool = False


# Kinds.  A bracket's text is its shape; `{` and `}` are TeX groups and show nothing.
#   num name func text cmd env_open env_close open close { } bar bars + - * / ^ _ ' rel , ; & row line sep sum stop

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ϑ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi",
    "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "ℓ": "ell",
}  # fmt: skip
GREEK_WORDS = frozenset(GREEK.values())

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵀ", "0123456789+-()niT", strict=True)) | {"ᵗ": "t", "ᵏ": "k", "ˣ": "x"}
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ᵢⱼₖₙₘₜₓ", "0123456789+-ijknmtx", strict=True))

# One character, one meaning, in either notation: (kind, text).
CHARACTERS: dict[str, tuple[str, str]] = {
    "+": ("+", "+"), "-": ("-", "-"), "−": ("-", "-"), "–": ("-", "-"), "﹣": ("-", "-"), "±": ("bad", "±"),
    "*": ("*", "star"), "∗": ("*", "star"), "×": ("*", "times"), "·": ("*", "dot"), "⋅": ("*", "dot"),
    "∙": ("*", "dot"), "•": ("*", "dot"), "⊙": ("*", "odot"), "⊘": ("/", "each_over"), "∘": ("*", "circ"),
    "⊗": ("*", "otimes"),
    "@": ("*", "matmul"), "/": ("/", "over"), "÷": ("/", "over"), "∕": ("/", "over"), "⁄": ("/", "over"),
    "^": ("^", "^"), "_": ("_", "_"), "'": ("'", "1"), "′": ("'", "1"), "’": ("'", "1"), "″": ("'", "2"),
    "=": ("rel", "="), "≡": ("rel", "="), "≔": ("rel", "="), "←": ("rel", "="),
    "≈": ("rel", "≈"), "≃": ("rel", "≈"),
    "<": ("rel", "<"), ">": ("rel", ">"), "≤": ("rel", "<="), "≥": ("rel", ">="), "≠": ("rel", "!="),
    "∈": ("rel", "in"), "(": ("open", "("), ")": ("close", ")"), "[": ("open", "["), "]": ("close", "]"),
    "|": ("bar", "|"), "‖": ("bars", "||"), "∥": ("bars", "||"), "⟨": ("open", "<"), "⟩": ("close", ">"),
    ",": (",", ","), ";": (";", ";"), "!": ("!", "!"), ":": ("colon", ":"), "∂": ("name", "partial"),
    "∇": ("cmd", "nabla"), "√": ("cmd", "root"), "∑": ("sum", "sum"), "Σ": ("name", "Sigma"), "∏": ("sum", "prod"),
    "∞": ("name", "infty"), "→": ("sep", "to"), "⇒": ("sep", "implies"), "⟹": ("sep", "implies"),
    "⇔": ("sep", "implies"), "…": ("dots", "…"), "⋯": ("dots", "…"), "⋮": ("dots", "…"), "⋱": ("dots", "⋱"),
    "?": ("bad", "?"), "½": ("num", "1/2"), "¼": ("num", "1/4"), "¾": ("num", "3/4"), "ℝ": ("cmd", "reals"),
    "ᵀ": ("power", "T"), "⊤": ("name", "top"), "†": ("name", "dagger"), "✓": ("sep", "blank"), "□": ("sep", "blank"),
    "∎": ("sep", "blank"), "■": ("sep", "blank"),
}  # fmt: skip

# Look-alikes of Latin letters: never guessed at, since a Cyrillic а is another name than a Latin a.
LOOK_ALIKES = dict(zip("асеорхуАВСЕНКМОРТХі", "aceopxyABCEHKMOPTXi", strict=True))


# Digits in groups of three: thin spaces, apostrophes, underscores, TeX's spaces and braced commas.  One group behind a
# braced comma may as well be decimals, so two are needed there.
_HEAD = r"(?<![\w.,'])[1-9]\d{0,2}"
_BODY = r"(?:(?:['_\u2009\u202f\u00a0]|\\[,;:! ]|~)\d{3})+|(?:\{,\}\d{3}){2,}"
GROUPED = rf"{_HEAD}(?:{_BODY})(?![\d'])"
SPACED_GROUPS = rf"{_HEAD}(?:[ ]\d{{3}})+(?![\d'.])"


def ungrouped(numeral: str) -> str:
    """The digits of a numeral written in groups."""
    return "".join(c for c in numeral if c.isdigit())


def number_of(text: str) -> Fraction:
    """The exact value of a numeral; the caller has checked its length against MAX_DIGITS and MAX_EXPONENT."""
    return Fraction(text)
