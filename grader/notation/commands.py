"""What each LaTeX command means: a table, so that a new command is one line."""

from __future__ import annotations

from grader.notation.lexicon import FUNCTIONS
from grader.notation.tokens import GREEK_WORDS

# Nothing to see: spacing, sizes, numbering.
SILENT = frozenset(
    [
        ",",
        ";",
        "!",
        ":",
        ">",
        "displaystyle",
        "textstyle",
        "scriptstyle",
        "scriptscriptstyle",
        "limits",
        "nolimits",
        "nonumber",
        "notag",
        "hfill",
        "centering",
        "bf",
        "rm",
        "it",
        "mathstrut",
        "strut",
        "noindent",
        "relax",
        "allowbreak",
        "nobreak",
        "newline",
        "break",
        "par",
        "smallskip",
        "medskip",
        "bigskip",
        "left.",
        "boldmath",
        "unboldmath",
        "normalsize",
        "footnotesize",
        "small",
        "large",
        "Large",
        "tiny",
        "enspace",
        "thinspace",
        "negthinspace",
        "medspace",
        "negmedspace",
        "negthickspace",
        "thickspace",
        "/",
        "null",
        "protect",
        "ensuremath",
        "mathrel",
        "mathbin",
        "mathord",
        "mathop",
        "mathopen",
        "mathclose",
        "mathpunct",
        "mathinner",
        "xspace",
    ]
) | {" ", "\n", "\t"}

# Commands whose braces are dropped with what they hold.
DROPPED = frozenset(
    [
        "label",
        "tag",
        "hspace",
        "vspace",
        "phantom",
        "hphantom",
        "vphantom",
        "ref",
        "eqref",
        "cite",
        "footnote",
        "intertext",
    ]
)

# Transparent: the group that follows is read as if the command were not there.
FONTS = frozenset(
    [
        "mathbf",
        "boldsymbol",
        "bm",
        "pmb",
        "mathit",
        "mathnormal",
        "mathcal",
        "mathscr",
        "mathfrak",
        "vec",
        "overrightarrow",
        "underline",
        "underbar",
        "boxed",
        "fbox",
        "mathsf",
        "mathtt",
        "emph",
        "cancel",
        "bcancel",
        "xcancel",
        "mbf",
        "mathbfit",
        "symbf",
        "symbfit",
        "fcolorbox",
        "colorbox",
        "smash",
        "mathds",
        "bold",
    ]
)
# Words inside are one word, not a product of letters.
UPRIGHT = frozenset(
    [
        "mathrm",
        "operatorname",
        "text",
        "textrm",
        "textbf",
        "textit",
        "textsf",
        "mbox",
        "mathop",
        "textnormal",
        "rm",
        "textup",
    ]
)
BLACKBOARD = frozenset(["mathbb", "mathds", "Bbb"])
COLOURS = frozenset(["color", "textcolor", "colorbox", "definecolor"])
ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde",
    "dot": "dot", "ddot": "ddot", "check": "check", "breve": "breve", "mathring": "ring",
}  # fmt: skip

SIZES = frozenset(f"{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")) | {
    "left",
    "right",
    "middle",
}

# command → (kind, text) of the one token it stands for.
MEANINGS: dict[str, tuple[str, str]] = {
    "cdot": ("*", "dot"), "times": ("*", "times"), "ast": ("*", "star"), "bullet": ("*", "dot"),
    "odot": ("*", "odot"), "oslash": ("/", "each_over"), "otimes": ("*", "otimes"), "circ": ("*", "circ"),
    "div": ("/", "over"),
    "star": ("*", "star"), "cdotp": ("*", "dot"), "centerdot": ("*", "dot"), "bigodot": ("*", "odot"),
    "pm": ("bad", "±"), "mp": ("bad", "∓"), "oplus": ("bad", "⊕"), "slash": ("/", "over"),
    "eq": ("rel", "="), "equiv": ("rel", "="), "coloneqq": ("rel", "="), "coloneq": ("rel", "="),
    "colonequals": ("rel", "="), "triangleq": ("rel", "="), "eqcolon": ("rel", "="), "doteq": ("rel", "="),
    "leftarrow": ("rel", "="), "longleftarrow": ("rel", "="), "gets": ("rel", "="), "mapsfrom": ("rel", "="),
    "approx": ("rel", "≈"), "simeq": ("rel", "≈"), "sim": ("rel", "~"), "cong": ("rel", "≈"), "approxeq": ("rel", "≈"),
    "le": ("rel", "<="), "leq": ("rel", "<="), "leqslant": ("rel", "<="), "ge": ("rel", ">="), "geq": ("rel", ">="),
    "geqslant": ("rel", ">="), "lt": ("rel", "<"), "gt": ("rel", ">"), "ne": ("rel", "!="), "neq": ("rel", "!="),
    "in": ("rel", "in"), "propto": ("bad", "∝"), "mid": ("bar", "|"), "vert": ("bar", "|"), "Vert": ("bars", "||"),
    "|": ("bars", "||"), "lvert": ("open", "|"), "rvert": ("close", "|"), "lVert": ("open", "||"),
    "rVert": ("close", "||"), "lbrace": ("open", "{"), "rbrace": ("close", "}"), "lbrack": ("open", "["),
    "rbrack": ("close", "]"), "{": ("open", "{"), "}": ("close", "}"), "langle": ("open", "<"),
    "rangle": ("close", ">"), "lparen": ("open", "("), "rparen": ("close", ")"), "lfloor": ("bad", "⌊"),
    "lceil": ("bad", "⌈"), "partial": ("name", "partial"), "nabla": ("cmd", "nabla"), "sum": ("sum", "sum"),
    "prod": ("sum", "prod"), "infty": ("name", "infty"), "int": ("bad", "∫"), "oint": ("bad", "∫"),
    "lim": ("bad", "lim"), "prime": ("'", "1"), "dprime": ("'", "2"), "top": ("name", "top"),
    "intercal": ("name", "top"), "dagger": ("name", "dagger"), "ell": ("name", "ell"), "hbar": ("name", "hbar"),
    "dots": ("dots", "…"), "ldots": ("dots", "…"), "cdots": ("dots", "…"), "vdots": ("dots", "…"),
    "ddots": ("dots", "⋱"), "iddots": ("dots", "…"), "dotsc": ("dots", "…"), "dotsb": ("dots", "…"),
    "dotsm": ("dots", "…"), "hdots": ("dots", "…"), "dotso": ("dots", "…"), "hdotsfor": ("dots", "…"),
    "quad": ("sep", "quad"), "qquad": ("sep", "quad"), "Rightarrow": ("sep", "implies"), "implies": ("sep", "implies"),
    "Longrightarrow": ("sep", "implies"), "iff": ("sep", "implies"), "Leftrightarrow": ("sep", "implies"),
    "Longleftrightarrow": ("sep", "implies"), "therefore": ("sep", "implies"), "to": ("sep", "to"),
    "rightarrow": ("sep", "to"), "longrightarrow": ("sep", "to"), "leadsto": ("sep", "implies"),
    "checkmark": ("sep", "blank"), "square": ("sep", "blank"), "Box": ("sep", "blank"), "blacksquare": ("sep", "blank"),
    "qed": ("sep", "blank"), "mapsto": ("sep", "to"), "land": ("sep", "implies"), "wedge": ("sep", "implies"),
    "because": ("sep", "implies"), "over": ("over", "over"), "frac": ("cmd", "frac"), "dfrac": ("cmd", "frac"),
    "tfrac": ("cmd", "frac"), "cfrac": ("cmd", "frac"), "nicefrac": ("cmd", "frac"), "sfrac": ("cmd", "frac"),
    "flatfrac": ("cmd", "frac"), "binom": ("cmd", "binom"), "dbinom": ("cmd", "binom"), "tbinom": ("cmd", "binom"),
    "choose": ("over", "choose"),
    "exponentialE": ("name", "e"), "differentialD": ("name", "d"), "sqrt": ("cmd", "sqrt"),
    "underbrace": ("cmd", "brace"),
    "overbrace": ("cmd", "brace"), "overset": ("cmd", "overset"), "underset": ("cmd", "overset"),
    "substack": ("cmd", "substack"),
    "stackrel": ("cmd", "overset"), "norm": ("cmd", "norm"), "abs": ("cmd", "abs"),
    "dv": ("cmd", "dv"), "pdv": ("cmd", "pdv"), "dd": ("name", "d"), "diff": ("name", "d"), "forall": ("text", "for"),
    "infin": ("name", "infty"), "setminus": ("text", "without"), "colon": ("colon", ":"), "lbrackk": ("open", "["),
    "lgroup": ("open", "("), "rgroup": ("close", ")"), "R": ("cmd", "reals"), "reals": ("cmd", "reals"),
    "Re": ("bad", "Re"), "Im": ("bad", "Im"), "i": ("name", "i"), "mathbbm": ("name", "I"), "imath": ("name", "i"),
    "jmath": ("name", "j"), "tp": ("name", "top"), "transp": ("name", "top"), "T": ("name", "top"),
    "mathbbR": ("cmd", "reals"), "And": ("&", "&"), "%": ("bad", "%"), "#": ("bad", "#"), "$": ("stop", "$"),
    "&": ("bad", "&"), "_": ("stop", "_"), "argmax": ("bad", "argmax"), "argmin": ("bad", "argmin"),
    "wp": ("name", "wp"), "degree": ("bad", "°"), "exists": ("bad", "∃"), "cup": ("bad", "∪"), "cap": ("bad", "∩"),
    "subset": ("bad", "⊂"), "mod": ("bad", "mod"), "bmod": ("bad", "mod"), "pmod": ("bad", "mod"),
}  # fmt: skip
MEANINGS |= {word: ("name", word) for word in GREEK_WORDS}
MEANINGS |= {f"var{word}": ("name", word) for word in ("epsilon", "theta", "phi", "sigma", "rho", "pi", "kappa")}
MEANINGS |= {
    word: ("func", FUNCTIONS[word])
    for word in [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "sinh",
        "cosh",
        "tanh",
        "coth",
        "arcsin",
        "arccos",
        "arctan",
        "exp",
        "ln",
        "log",
        "lg",
        "det",
        "max",
        "min",
        "tr",
        "Tr",
        "diag",
        "sgn",
        "sign",
        "relu",
        "ReLU",
        "softmax",
        "arsinh",
        "arcosh",
        "artanh",
        "sech",
        "csch",
        "arccot",
        "arctg",
        "tg",
        "ctg",
        "sh",
        "ch",
        "th",
        "sigmoid",
        "trace",
        "Det",
    ]
    if word in FUNCTIONS
}
GRIDS = frozenset(
    f"{kind}{star}" for star in ("", "*")
    for kind in ("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix", "array",
                 "psmallmatrix", "bsmallmatrix")
)  # fmt: skip
CASES = frozenset(("cases", "dcases", "rcases", "cases*", "dcases*"))
DISPLAYS = frozenset(
    f"{kind}{star}" for star in ("", "*")
    for kind in ("align", "aligned", "alignat", "alignedat", "equation", "gather", "gathered", "multline", "split",
                 "eqnarray", "displaymath", "math", "flalign", "IEEEeqnarray", "dmath", "center", "document", "itemize",
                 "enumerate", "multlined")
)  # fmt: skip
