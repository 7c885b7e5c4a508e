"""`1,638,400`: three entries, or one number whose digits stand in groups of three."""

from __future__ import annotations

from grader.notation.syntax import Syntax


def with_groups(syntax: Syntax) -> Syntax:
    """A bare list of whole numbers written like one number may be that number too."""
    if syntax.kind == "ambiguous" and len(syntax.args) == 2 and syntax.args[0].kind == "tuple":
        grouped = with_groups(syntax.args[0])
        return syntax if grouped is syntax.args[0] else syntax._replace(args=(*syntax.args, grouped.args[1]))
    if syntax.kind != "tuple" or syntax.data or syntax.text != "bare" or len(syntax.args) < 2:
        return syntax
    first, *rest = syntax.args
    if not all(one.kind == "number" and one.text != "decimal" and _is_whole(one) for one in syntax.args):
        return syntax
    touching = all(b.start == a.end + 1 for a, b in zip(syntax.args, rest, strict=False))
    groups = first.value != 0 and first.end - first.start <= 3 and all(one.end - one.start == 3 for one in rest)
    if not (touching and groups):
        return syntax
    total = 0
    for one in syntax.args:
        total = 1000 * total + int(one.value or 0)
    number = Syntax("number", syntax.start, syntax.end, (), "", total)
    return Syntax("ambiguous", syntax.start, syntax.end, (syntax, number), "several entries or one number")


def _is_whole(node: Syntax) -> bool:
    return node.value is not None and node.value == int(node.value)
