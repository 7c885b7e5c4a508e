"""Which statement of a question's section answers which item.

In this order: the record's key or label, what the left side names, the only thing it can be.  The last statement that
fits is the answer; a boxed one wins.  What the statement of the question gives is never an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.kinds.dimension import membership
from grader.kinds.plan import Aim, Item, Plan
from grader.matching.statements import (
    Fit,
    Matched,
    Statement,
    Unread,
    fit,
    own_definitions,
    read_fragment,
    with_definitions,
)
from grader.model import Fragment, Notation, Place
from grader.notation import Reading, Vocabulary

MIN_NUMBERS = 3  # of a text that may hold results in words
MIN_WORDS = 4  # of a text that may be a statement; shorter ones introduce a formula
GIVEN_LABELS = ("given", "gegeben", "recall")
_DIMENSION_WORDS = re.compile(
    r"\bdim|\bentries\b|\bcomponents\b|-by-|∈|\\in\b|\\mathbb|ℝ|\bsize\b|\bshape\b|×|\\times|größe", re.IGNORECASE
)

_SIZE = re.compile(r"[\s{},;:(]*\w\s*(?:\\times|×|x|-?\bby\b-?)\s*\w[\s{}).,;]*")
_OR = re.compile(
    r"\W*(?:either\s+)?(?:or|oder|alternatively)(?:\s+(?:maybe|perhaps|possibly|vielleicht))?\W*", re.IGNORECASE
)

_SAID_IN_FORMULA = re.compile(r"\\text\w*\s*\{[^{}]*dim[^{}]*\}\s*[:=]?\s*(.+)$", re.IGNORECASE | re.DOTALL)

_UNSAID = Aim("", "?")  # `J = …` says neither of what nor by what

Pool = Sequence[tuple[str, Fragment]]  # item hint (full id or "") and fragment, in the order they were written


def match_part(plan: Plan, pool: Pool) -> dict[str, Matched]:
    """Matched answers of one part's items, by item id."""
    usable = [(hint, fragment) for hint, fragment in pool if _last_label(fragment) not in GIVEN_LABELS]
    statements = _read_all(plan, usable)
    picture = next((f.where for _, f in usable if f.kind == "image"), None)
    found: dict[str, Matched] = {}
    everything = tuple(fragment for _, fragment in usable)
    for item in (*plan.items, *plan.unasked):
        if item.form == "expression":
            one = _match_expression(plan, item, statements, usable)
        elif item.form == "dimension":
            one = _match_dimension(item, usable)
        elif item.form == "words":
            one = _match_words(item, usable)
        elif item.form == "prose":
            one = _match_prose(plan, item, usable, statements)
        else:
            one = Matched()
        found[item.id] = replace(one, fragments=everything, picture=picture)
    return with_alternatives(found, statements, usable)


def with_alternatives(
    found: Mapping[str, Matched], statements: Sequence[tuple[str, Statement]], pool: Pool
) -> dict[str, Matched]:
    """`… = 3 or … = 4`: the formula before the "or" stands beside the one behind it."""
    beside: dict[int, Fragment] = {}
    for (_, first), (_, word), (_, second) in zip(pool, pool[1:], pool[2:], strict=False):
        if word.kind == "text" and _OR.fullmatch(word.text.strip()) and first.kind == second.kind == "formula":
            beside[id(second)] = first
    result = dict(found)
    for name, one in found.items():
        if one.final is not None and id(one.final.fragment) in beside:
            offered = beside[id(one.final.fragment)]
            before = [s for _, s in statements if s.fragment is offered and s.aim in (one.final.aim, None)]
            result[name] = replace(one, alternative=before[-1] if before else None)
    return result


def _last_label(fragment: Fragment) -> str:
    return fragment.label.split(".")[-1].strip().lower()


def _read_all(plan: Plan, pool: Pool) -> list[tuple[str, Statement]]:
    """Every formula of the part as statements; those of a text only where nothing else is there (see `_from_texts`)."""
    if plan.vocabulary is None or not any(item.form == "expression" for item in plan.items):
        return []
    chosen = []
    formulas = {hint for hint, fragment in pool if fragment.kind == "formula"}
    for hint, fragment in pool:
        named = hint not in {"", *formulas} and any(i.id == hint and i.form == "expression" for i in plan.items)
        if fragment.kind == "formula" or (named and fragment.kind in ("text", "code")):
            chosen.append((hint, fragment))
    found = _read_pool(chosen, plan.vocabulary)
    own = own_definitions([one for _, one in found], plan.vocabulary)
    if own:
        found = _read_pool(chosen, with_definitions(plan.vocabulary, own))
    return found


def _read_pool(pool: Pool, vocabulary: Vocabulary) -> list[tuple[str, Statement]]:
    found: list[tuple[str, Statement]] = []
    for hint, fragment in pool:
        found.extend((hint, one) for one in read_fragment(fragment, vocabulary, len(found)))
    return found


def _match_expression(plan: Plan, item: Item, statements: Sequence[tuple[str, Statement]], pool: Pool) -> Matched:
    statements = [(hint, one) for hint, one in statements if not _is_set(one)]
    hinted = [one for hint, one in statements if hint == item.id]
    free = [one for hint, one in statements if not hint or not _is_item(plan, hint)]
    fits = [(fit(one.aim, item.targets, item.main, item.parts), one) for one in (*hinted, *free)]
    entries = [(how, one) for how, one in fits if how is not None and not how.whole]
    aimed = [one for how, one in fits if how is not None and how.whole]
    aimed = [one for one in aimed if one.aim != _UNSAID] or ([] if entries else aimed)
    labelled = [one for one in free if _named_by_label(item, one) and not _names_another(plan, item, one)]
    labelled = [one for one in labelled if one.aim is None or not any(one is other for _, other in entries)]
    if hinted:
        aimed_here = [one for one in hinted if any(one is other for other in aimed)]
        whole = [one for one in hinted if not any(one is other for _, other in entries)]
        return _last_of(aimed_here or whole, entries)
    if labelled and not aimed:
        return _last_of(labelled, entries)
    if aimed or entries:
        return _last_of(aimed, entries)
    if not item.main:
        return _by_own_name(plan, item, free) or _in_words(item, pool)
    bare = [one for one in free if one.aim is None and not _belongs_elsewhere(plan, item, one)]
    stray = [one for one in free if one.aim is not None and _may_stand_for(plan, item, one)]
    if bare or stray:
        readable = [one for one in bare if not isinstance(one.reading, Unread)]
        found = _last_of(readable or bare or stray, ())
        return replace(found, guessed=found.final is not None and len(free) > 1 and _is_lone_name(found.final))
    own = [one for one in free if _is_own_letter(plan, one)]
    if own:
        return replace(_last_of(own, ()), guessed=True)
    return _from_texts(plan, item, pool)


def _is_set(one: Statement) -> bool:
    """`in $\\mathbb{R}^3$` says where the result lies."""
    return bool(re.fullmatch(r"\s*(?:\\in\s*)?(?:\\mathbb\s*\{?\s*R\s*\}?|ℝ)\s*(?:\^.*)?", one.text, re.DOTALL))


def _is_lone_name(one: Statement) -> bool:
    """A name within a sentence, "with $\\mu$ constant", is rarely a result."""
    if one.fragment.display or not isinstance(one.reading, Reading) or len(one.reading.chain) != 1:
        return False
    return one.reading.chain[0].kind in ("name", "index")


def _is_item(plan: Plan, hint: str) -> bool:
    return any(item.id == hint for item in plan.items)


def _named_by_label(item: Item, one: Statement) -> bool:
    label = _last_label(one.fragment)
    return bool(label) and label in item.labels


def _names_another(plan: Plan, item: Item, one: Statement) -> bool:
    """A left side that names another item is stronger than a label."""
    others = [other for other in (*plan.items, *plan.unasked) if other.id != item.id]
    return any(fit(one.aim, other.targets, other.main, other.parts) is not None for other in others)


def _belongs_elsewhere(plan: Plan, item: Item, one: Statement) -> bool:
    label = _last_label(one.fragment)
    return bool(label) and any(label in other.labels for other in plan.items if other.id != item.id)


def _may_stand_for(plan: Plan, item: Item, one: Statement) -> bool:
    """May a left side with a name of its own ("J = …", "y' = …") announce the only result asked for?"""
    if one.aim is None or one.aim in plan.given:
        return False
    alone = sum(other.form == "expression" for other in plan.items) == 1 and not plan.unasked
    if not alone or _names_another(plan, item, one):
        return False
    wanted = {aim.wrt for aim in item.targets}
    return one.aim.wrt in {*wanted, "?"} or (not one.aim.wrt and one.aim.name not in _known_names(plan))


def _by_own_name(plan: Plan, item: Item, free: Sequence[Statement]) -> Matched | None:
    """`p_2 = …` for λ_2, where one letter of the student's own carries the numbers: only its place says so."""
    numbered = [aim.name for aim in item.targets if not aim.wrt and re.fullmatch(r".*_\d+", aim.name)]
    if not numbered or len(item.targets) < 2:  # a name besides which it has a derivative's
        return None
    own = [one for one in free if one.aim is not None and not one.aim.wrt and _is_own_number(plan, one.aim.name)]
    letters = {one.aim.name.rpartition("_")[0] for one in own if one.aim is not None}
    here = [
        one for one in own if one.aim is not None and one.aim.name.rpartition("_")[2] == numbered[0].rpartition("_")[2]
    ]
    if len(letters) != 1 or not here:
        return None
    return replace(_last_of(here, ()), guessed=True)


def _is_own_number(plan: Plan, name: str) -> bool:
    head, mark, number = name.rpartition("_")
    known = {one.rpartition("_")[0] for one in _known_names(plan)} | _known_names(plan)
    return bool(mark) and number.isdigit() and bool(re.fullmatch(r"[A-Za-z]+", head)) and head not in known


def _is_own_letter(plan: Plan, one: Statement) -> bool:
    """`g = …`, a name that neither the question nor an item has and that says nothing of itself."""
    if one.aim is None or one.aim.wrt or one.aim in plan.given:
        return False
    return bool(re.fullmatch(r"[A-Za-z]+", one.aim.name)) and one.aim.name not in _known_names(plan)


def _in_words(item: Item, pool: Pool) -> Matched:
    """Where nothing but a text with numbers answers the question, a person reads what it says about this item."""
    texts = [f for _, f in pool if f.text.strip()]
    if any(f.kind != "text" for f in texts):
        return Matched()
    numbers = [f for f in texts if len(re.findall(r"(?<![\w.])-?\d+(?:[./]\d+)?(?!\w)", f.text)) >= MIN_NUMBERS]
    if not numbers:
        return Matched()
    unread = Unread("A person reads this text.", 0, len(numbers[0].text))
    return Matched(Statement(numbers[0], numbers[0].text, unread))


def _known_names(plan: Plan) -> frozenset[str]:
    return plan.vocabulary.known if plan.vocabulary is not None else frozenset()


def _last_of(candidates: Sequence[Statement], entries: Sequence[tuple[Fit, Statement]]) -> Matched:
    boxed = [one for one in candidates if one.boxed]
    candidates = [one for one in candidates if not one.at_point] or candidates  # `f'(0) = 1/4` tries a formula out
    chosen = (boxed or list(candidates))[-1] if candidates else None
    readings = {one.read_as for one in candidates if one.read_as}
    return Matched(chosen, tuple(entries), conflicting=len(readings) > 1 and not boxed)


def _from_texts(plan: Plan, item: Item, pool: Pool) -> Matched:
    """Where there is no formula at all, a line of text is read as plain mathematics."""
    assert plan.vocabulary is not None
    texts = [f for _, f in pool if f.kind in ("text", "code") and f.text.strip()]
    if any(f.kind in ("formula", "graph") for _, f in pool):
        return Matched()
    read = [one for f in texts for one in read_fragment(replace(f, notation=_guess(f)), plan.vocabulary)]
    good = [one for one in read if not isinstance(one.reading, Unread)]
    if good:
        return _last_of(good, ())
    # words alone may be an answer in words: a person reads them
    return _last_of(read[-1:], ())


def _guess(fragment: Fragment) -> Notation:
    return "latex" if "\\" in fragment.text else "plain"


def _match_dimension(item: Item, pool: Pool) -> Matched:
    """Where a size may stand: after ∈, in a text that speaks of one, below a label."""
    loose: list[tuple[str, Place | None]] = []
    labelled: list[tuple[str, Place | None]] = []
    for hint, fragment in pool:
        if hint == item.id or (not hint and _last_label(fragment) in item.labels):
            labelled.append((fragment.text, fragment.where))
        elif hint and hint != item.id and _last_label(fragment) not in item.labels and fragment.kind == "formula":
            if membership(fragment.text):
                loose.append((fragment.text, fragment.where))
        elif fragment.kind == "formula":
            said = _SAID_IN_FORMULA.search(fragment.text)
            if said:
                loose.append((said[1], fragment.where))
            elif membership(fragment.text) or _SIZE.fullmatch(fragment.text):
                loose.append((fragment.text, fragment.where))
        elif fragment.kind == "text" and _DIMENSION_WORDS.search(fragment.text) and _is_beside(item, hint):
            loose.append((fragment.text, fragment.where))
    return Matched(texts=tuple(loose + labelled), labelled=bool(labelled))


def _is_beside(item: Item, hint: str) -> bool:
    """May a text filed under `hint` say something about the item?  Not if it is filed under a sibling part's item."""
    return not hint or hint.rpartition(".")[0] == item.id.rpartition(".")[0]


def _match_words(item: Item, pool: Pool) -> Matched:
    labelled = [
        (f.text, f.where) for hint, f in pool if hint == item.id or (not hint and _last_label(f) in item.labels)
    ]
    others = [
        (f.text, f.where)
        for hint, f in pool
        if f.kind == "text" and _is_beside(item, hint) and (f.text, f.where) not in labelled
    ]
    return Matched(texts=(*others, *labelled), labelled=bool(labelled))


def _match_prose(plan: Plan, item: Item, pool: Pool, statements: Sequence[tuple[str, Statement]]) -> Matched:
    """The text below the item's label, else what is written after the last formula, else nothing."""
    hinted = [(f.text, f.where) for hint, f in pool if hint == item.id]
    if hinted:
        return Matched(texts=tuple(hinted), labelled=True)
    names = [label.lower() for label in item.labels]
    labelled = [(f.text, f.where) for hint, f in pool if not hint and _last_label(f) in names]
    if labelled:
        return Matched(texts=tuple(labelled), labelled=True)
    last = max((i for i, (_, f) in enumerate(pool) if f.kind in ("formula", "graph") and f.display), default=-1)
    rest = [(_with_label(f), f.where) for hint, f in pool[last + 1 :] if not hint and f.kind == "text"]
    if item.main and len(plan.items) == 1:  # nothing else is asked here: whatever stands below the label is the text
        return Matched(texts=tuple((_with_label(f), f.where) for _, f in pool if f.kind != "image" and f.text.strip()))
    rest = [(text, where) for text, where in rest if len(text.split()) >= MIN_WORDS]
    return Matched(texts=tuple(rest))


def _with_label(fragment: Fragment) -> str:
    """A text with the words before its colon, which the reader took for a label."""
    return f"{fragment.label}: {fragment.text}" if fragment.label else fragment.text


def answers_of(matched: Mapping[str, Matched]) -> tuple[str, ...]:
    """Items that something was found for."""
    return tuple(name for name, one in matched.items() if one.final or one.entries or one.texts)
