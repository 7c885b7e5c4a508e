"""Names with their own label, `w_{kj}^{l+1}`, `(W_3)_{ij}`: the label belongs to the name; the rest are indices."""

from __future__ import annotations

import re

from grader.notation.syntax import Syntax
from grader.notation.vocabulary import Vocabulary

_LABELLED = re.compile(r".*(?:\^|_\d)")


def with_labels(syntax: Syntax, vocabulary: Vocabulary) -> Syntax:
    """The same formula with `W^{l+1}` and `W_3` as single names wherever the question declares them so.

    Where a name has both, the superscript is taken first: `a_k^{l-1}` is entry k of `a^{l-1}`.
    """
    if not any(_LABELLED.match(name) for name in vocabulary.known):
        return syntax
    done: dict[int, Syntax] = {}
    stack = [(syntax, False)]
    while stack:  # a loop, so depth does not matter
        node, ready = stack.pop()
        if not node.args:
            done[id(node)] = node
        elif not ready:
            stack.append((node, True))
            stack.extend((one, False) for one in node.args)
        else:
            args = tuple(done[id(one)] for one in node.args)
            same = all(a is b for a, b in zip(args, node.args, strict=True))
            done[id(node)] = _one(node if same else node._replace(args=args), vocabulary)
    return done[id(syntax)]


def _one(node: Syntax, vocabulary: Vocabulary) -> Syntax:
    if node.kind == "power":
        return _superscript(node, vocabulary)
    if node.kind == "index":
        return _subscript(node, vocabulary)
    return node


def _superscript(node: Syntax, vocabulary: Vocabulary) -> Syntax:
    base = node.args[0]
    head = base.args[0] if base.kind == "index" else base
    if head.kind != "name" or head.data == ("func",):
        return node
    label = node.text.replace(" ", "").strip("()")
    if base.kind == "index" and f"{head.text}_{base.text}^{label}" in vocabulary.known:
        return node
    name = declared_name(f"{head.text}^{label}", vocabulary, base.kind == "index")
    if name is None:
        return node
    whole = Syntax("name", head.start, node.end, (), name)
    return whole if base is head else base._replace(args=(whole, *base.args[1:]), end=node.end)


def _subscript(node: Syntax, vocabulary: Vocabulary) -> Syntax:
    """`W_{3,ij}`, where W_3 is a declared array and W is nothing: entry ij of it."""
    base, subs = node.args[0], node.args[1:]
    if base.kind == "name" and "^" in base.text:  # `W^l_t`, where the question knows `W_t^l`
        head, _, label = base.text.partition("^")
        both = f"{head}_{node.text}^{label}"
        return Syntax("name", node.start, node.end, (), both) if both in vocabulary.known else node
    if base.kind != "name" or len(subs) < 2 or subs[0].kind != "number" or base.text in vocabulary.known:
        return node
    if f"{base.text}_{node.text}" in vocabulary.known:
        return node
    name = f"{base.text}_{subs[0].value}"
    declared = vocabulary.declared.get(name)
    if declared is None or len(declared.shape) != len(subs) - 1:
        return node
    whole = Syntax("name", base.start, base.end, (), name)
    return node._replace(args=(whole, *subs[1:]), text=node.text.partition(",")[2])


def declared_name(name: str, vocabulary: Vocabulary, entries: bool = False) -> str | None:
    """The declared name that is meant; with indices `w^l` may mean the array `W^l`.  None if there is none."""
    if name in vocabulary.known:
        return name
    other = name[:1].swapcase() + name[1:]
    declared = vocabulary.declared.get(other)
    plain = entries and len(re.split(r"[_^]", name)[0]) == 1
    return other if plain and declared is not None and declared.shape else None
