"""What does the text say: LaTeX and plain mathematics to expressions, or an Unreadable with the place."""

from grader.notation.dimension import read_dimension
from grader.notation.elaborate import Understood, elaborate, understand
from grader.notation.reading import Reading, inner_chains, parse_target, read, read_all, unknown_names
from grader.notation.show import show_syntax
from grader.notation.syntax import Syntax, walk
from grader.notation.targets import Target
from grader.notation.unreadable import Misread, Unreadable, caret
from grader.notation.vocabulary import (
    Declaration,
    Definition,
    FunctionDeclaration,
    Vocabulary,
    build_vocabulary,
    canonical,
    parse_declaration,
)

__all__ = [
    "Declaration",
    "Definition",
    "FunctionDeclaration",
    "Misread",
    "Reading",
    "Syntax",
    "Target",
    "Understood",
    "Unreadable",
    "Vocabulary",
    "build_vocabulary",
    "canonical",
    "caret",
    "elaborate",
    "inner_chains",
    "parse_declaration",
    "parse_target",
    "read",
    "read_all",
    "read_dimension",
    "show_syntax",
    "understand",
    "unknown_names",
    "walk",
]
