"""Items that ask about a result instead of for it: its size, and what is characteristic of its structure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from grader.kinds.dimension import evaluate_dimension, read_dimension, same_dimension
from grader.kinds.plan import Item, ItemPolicy, Seen, Sizes, Task
from grader.kinds.structure import IMPLIED, words_for_structure
from grader.kinds.verdicts import blank, carried, right, undecided, unreadable, wrong
from grader.model import Finding

Shape = tuple[int, ...]
SizedShape = tuple[Sizes, Shape]


def symbolic_shape(shapes: Sequence[SizedShape], task: Task) -> tuple[str, ...]:
    """The shape in names: an entry is a size's name if it follows that size at every choice, else a number."""
    first_sizes, first = shapes[0]
    names = []
    for position, entry in enumerate(first):
        column = [shape[position] for _, shape in shapes]
        following = [n for n in first_sizes if all(shape[position] == sizes[n] for sizes, shape in shapes)]
        if len(set(column)) == 1 and not following:
            names.append(str(entry))
        elif following:
            names.append(following[0])
        else:
            raise task.refuse(f"axis {position + 1} of the result has no size with a name", "symbols")
    return tuple(names)


def show_shape(names: Sequence[str]) -> str:
    return " × ".join(names) if names else "1"


def judge_dimension(shapes: Sequence[SizedShape], policy: ItemPolicy, main: str) -> Callable[[Item, Seen], Finding]:
    """Marks a stated size: right for the truth's shape, carried for the shape of the student's own result."""
    either = "any" in policy.layouts or "denominator" in policy.layouts
    names = tuple(shapes[0][0])

    def judge(item: Item, seen: Seen) -> Finding:
        for text, where in reversed(seen.texts):
            stated = read_dimension(text, names)
            if stated is None:
                continue
            read_as = show_shape(stated)
            values = [(evaluate_dimension(stated, sizes), shape) for sizes, shape in shapes]
            if all(same_dimension(one, shape, either) for one, shape in values):
                return right(item, read_as=read_as, where=where)
            own = [seen.own_shapes.get((main, index)) for index in range(len(shapes))]
            if all(
                shape is not None and same_dimension(one, shape, False)
                for (one, _), shape in zip(values, own, strict=True)
            ):
                return carried(item, "dimension.carried", read_as=read_as, where=where)
            return wrong(item, *_what_is_wrong(values), read_as=read_as, where=where)
        if seen.texts:
            text, where = seen.texts[-1]
            return unreadable(
                item, "No size can be read here; write for example `2 x 3` or `n`.", read_as=text, where=where
            )
        return blank(item)

    return judge


def _what_is_wrong(values: Sequence[tuple[Shape, Shape]]) -> tuple[str, str]:
    if all(same_dimension(stated, shape[::-1], False) for stated, shape in values):
        return "dimension.transposed", "Rows and columns are exchanged."
    return "dimension.wrong", "The result does not have this size: count the entries it has for the given sizes."


def judge_structure(structure: str) -> Callable[[Item, Seen], Finding]:
    """Marks the words that say what is characteristic."""

    def judge(item: Item, seen: Seen) -> Finding:
        doubtful = None
        for text, where in reversed(seen.texts):
            named, denied = words_for_structure(text)
            if not named:
                continue
            if denied:
                doubtful = undecided(item, "words.doubtful", "A person reads this sentence.", read_as=text, where=where)
            elif named == structure:
                return right(item, read_as=named, where=where)
            elif named in IMPLIED.get(structure, ()):
                message = f"That is true, but more can be said than `{named}`."
                return wrong(item, "structure.weaker", message, read_as=named, where=where)
            else:
                return wrong(item, "structure.wrong", "That is not the structure.", read_as=named, where=where)
        if doubtful is not None:
            return doubtful
        if seen.labelled:
            text, where = seen.texts[-1]
            return undecided(item, "words.unknown", "A person reads this sentence.", read_as=text, where=where)
        return blank(item)

    return judge


def share_of(right_ones: int, all_of_them: int) -> Fraction:
    return Fraction(right_ones, all_of_them) if all_of_them else Fraction(0)
