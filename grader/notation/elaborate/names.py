"""Names with their subscripts and labels: which symbol, entry, definition or constant is meant."""

from __future__ import annotations

import re
from dataclasses import replace

from grader.notation.elaborate.scope import MAX_CELLS, MAX_DEFINITION_DEPTH, Scope, trouble, whole_number
from grader.notation.slices import ALL
from grader.notation.syntax import Syntax, walk
from grader.notation.trouble import did_you_mean
from grader.notation.vocabulary import Definition
from reference import expression as E
from reference.node import Expr
from reference.shapes import ShapeError

GREEK_TO_LATIN = {
    "alpha": "a", "beta": "b", "gamma": "g", "delta": "d", "epsilon": "e", "zeta": "z", "eta": "h", "theta": "t",
    "kappa": "k", "lambda": "l", "mu": "m", "nu": "n", "xi": "x", "rho": "r", "sigma": "s", "tau": "t", "phi": "f",
    "omega": "w", "Delta": "D", "Phi": "F", "Sigma": "S", "Theta": "T", "Lambda": "L",
}  # fmt: skip
UNSIZED = frozenset(("I", "Id", "eye", "bold1", "bold0"))
TRANSPOSE = frozenset(("T", "top", "t", "dagger", "tr"))


def name_value(node: Syntax, scope: Scope) -> Expr:
    """Meaning of a bare name."""
    found = lookup(node.text, node, scope)
    if found is not None:
        return found
    raise unknown(node, node.text, scope)


def unknown(node: Syntax, name: str, scope: Scope) -> Exception:
    if name in ("infty", "reals"):
        return trouble(node, "Infinity is not a value that can be compared here." if name == "infty" else
                       "A set is not a value here.")  # fmt: skip
    if name in ("partial", "d") and name not in scope.vocabulary.known:
        return trouble(node, "A derivative is begun here that is not understood.")
    known = {scope.vocabulary.spelled.get(n, n) for n in scope.vocabulary.known}
    return trouble(node, f"`{name}` is not a variable of this question.", did_you_mean(name, known))


def lookup(name: str, node: Syntax, scope: Scope) -> Expr | None:
    """Meaning of a canonical name, None where it has none."""
    vocabulary = scope.vocabulary
    name = vocabulary.other_names.get(name, name)
    if name in scope.bound:  # an index hides a variable of its name
        return E.constant(scope.bound[name])
    held = scope.held.get(name)
    if held is not None:
        return held
    declared = vocabulary.declared.get(name)
    if declared is not None:
        return E.symbol(vocabulary.spelled.get(name, name), scope.shape(declared.shape))
    definition = vocabulary.defined.get(name)
    if definition is not None:
        return _defined(name, definition, node, scope)
    if name in vocabulary.applied:
        return _usual_call(name, node, scope)
    constant = _constant(name, node, scope)
    if constant is not None:
        return constant
    family = family_of(name, scope)
    if family:
        return E.stack(family)
    if scope.unit and name in UNSIZED:
        return _special(name, (Syntax("number", node.start, node.end, (), "", scope.unit),), node, scope)
    return _by_other_letter(name, node, scope)


def _constant(name: str, node: Syntax, scope: Scope) -> Expr | None:
    if name == "e":
        return E.EULER
    if name in ("pi", "varpi"):
        return E.PI
    if name in scope.sizes:
        return E.constant(scope.sizes[name])
    if name.startswith("var") and len(name) > 3:
        return lookup(name[3:], node, scope)
    return None


def _by_other_letter(name: str, node: Syntax, scope: Scope) -> Expr | None:
    """δ where the question has d: the declared Latin letter of the same sound, and no other Greek letter for it."""
    base, _, sub = name.partition("_")
    latin = GREEK_TO_LATIN.get(base)
    if latin is None:
        return None
    other = f"{latin}_{sub}" if sub else latin
    if other in scope.vocabulary.declared and other not in ("e",):
        scope.remark(f"`{base}` was read as `{other}` of the question")
        return lookup(other, node, scope)
    return None


def family_of(name: str, scope: Scope) -> list[Expr]:
    """[x_1, …, x_n] where these and no x are declared as numbers; else []."""
    declared = scope.vocabulary.declared
    if name in scope.vocabulary.known:
        return []
    numbers = sorted(
        int(other.partition("_")[2]) for other in scope.vocabulary.bases.get(name, ()) if re.fullmatch(r".+_\d+", other)
    )
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(numbers))) or numbers[0] > 1:
        return []
    names = [f"{name}_{k}" for k in numbers]
    if any(n not in declared or declared[n].shape != () for n in names):
        return []
    return [E.symbol(scope.vocabulary.spelled[n]) for n in names]


def _defined(name: str, definition: Definition, node: Syntax, scope: Scope) -> Expr:
    """Value of a definition; a function named without arguments means its value at its own parameters."""
    if scope.solid and not definition.parameters:
        return E.symbol(f"·{name}", definition_value(name, definition, node, scope).shape)
    if definition.parameters:
        scope.remark(f"`{name}` was read as `{name}({', '.join(definition.parameters)})`")
    return definition_value(name, definition, node, scope)


def definition_value(name: str, definition: Definition, node: Syntax, scope: Scope) -> Expr:
    """The expression a definition stands for, its parameters as symbols.  Worked out once in each elaboration."""
    held = ",".join(sorted(f"{k}:{v.serial}" for k, v in scope.held.items())) if scope.held else ""
    key = f"{name}|{'solid' if scope.solid else ''}|{held}"
    found = scope.account.values.get(key)
    if found is not None:
        return found
    if scope.depth >= MAX_DEFINITION_DEPTH:
        raise trouble(node, f"The definition of `{name}` refers to itself.")
    inner = replace(
        scope, bound={}, held={**scope.held, **parameters_of(definition, scope)}, choices={}, depth=scope.depth + 1
    )
    value = inner.value(definition_syntax(name, definition, node, scope))
    scope.account.values[key] = value
    return value


def definition_syntax(name: str, definition: Definition, node: Syntax, scope: Scope) -> Syntax:
    from grader.notation.reading import read
    from grader.notation.unreadable import Unreadable

    found = read(definition.text, definition.notation, scope.vocabulary)
    if isinstance(found, Unreadable):
        raise trouble(node, f"The definition of `{name}` is not understood: {found.message}")
    return found.answer


def parameters_of(definition: Definition, scope: Scope) -> dict[str, Expr]:
    """Parameters as symbols, with the shapes their names are declared with."""
    out = {}
    for parameter in definition.parameters:
        declared = scope.vocabulary.declared.get(parameter)
        shape = scope.shape(declared.shape) if declared is not None else ()
        spelled = scope.vocabulary.spelled.get(parameter, parameter)
        out[parameter] = E.symbol(spelled, shape)
    return out


def _usual_call(name: str, node: Syntax, scope: Scope) -> Expr:
    """`p` where p(x, z) is meant."""
    from grader.notation.elaborate.functions import abstract_call

    function = scope.vocabulary.applied[name]
    parameters = function.parameters
    if not parameters:
        scalars = [n for n, d in scope.vocabulary.declared.items() if function.elementwise]
        if len(scalars) != 1:
            raise trouble(node, f"`{name}` is a function; its argument is missing.")
        parameters = (scalars[0],)
    args = []
    for parameter in parameters:
        value = lookup(parameter, node, scope)
        if value is None:
            raise unknown(node, parameter, scope)
        args.append(value)
    scope.remark(f"`{name}` was read as `{name}({', '.join(parameters)})`")
    return abstract_call(name, args, node, scope)


# -- subscripts ------------------------------------------------------------------------------------------------------


def index_value(node: Syntax, scope: Scope) -> Expr:
    """Meaning of a subscripted thing: a name of its own, an entry of an array, an identity, a label."""
    base, subs = node.args[0], node.args[1:]
    if base.kind == "name" and base.data != ("func",):
        found = _named(node, base.text, node.text, subs, scope)
        if found is not None:
            return found
    if base.kind == "inner" and len(subs) == 1 and subs[0].text in ("F", "Fro", "2"):
        return scope.value(base)
    if base.kind in ("norm", "abs"):
        from grader.notation.elaborate.library import norm_value

        return norm_value(base, subs, node, scope)
    if base.kind == "name" and base.text in ("bold1", "bold0", "I", "Id", "eye", "E", "e"):
        special = _special(base.text, subs, node, scope)
        if special is not None:
            return special
    if base.kind == "number" and base.value in (0, 1):
        special = _special(f"bold{base.value}", subs, node, scope)
        if special is not None:
            return special
    if base.kind == "name" and base.text == "delta" and len(subs) == 2:
        numbers = [whole_number(sub, scope) for sub in subs]
        if None not in numbers and scope.vocabulary.declared.get("delta") is None:
            return E.constant(int(numbers[0] == numbers[1]))
    array = _array_under(base, subs, node, scope)
    if any(sub.text == ALL for sub in subs):
        return slice_of(array, subs, node, scope)
    return entry(array, subs, node, scope)


def _named(node: Syntax, base: str, typed: str, subs: tuple[Syntax, ...], scope: Scope) -> Expr | None:
    """A declared name such as x_1, x_{1,2}, theta_max, or p_z for a partial derivative."""
    known = scope.vocabulary.known
    for key in _spellings(base, typed, subs, scope, node):
        if key in known or key in scope.held:
            return lookup(key, node, scope)
    first = f"{base}_{typed.split(',')[0]}"
    if len(subs) > 1 and first in known and "," in typed:  # x_{1,2}: entry 2 of the vector x_1
        whole = lookup(first, node, scope)
        if whole is not None and whole.shape:
            return entry(whole, subs[1:], node, scope)
    if base in scope.vocabulary.applied or base in scope.vocabulary.defined:
        from grader.notation.elaborate.derivatives import subscript_derivative

        return subscript_derivative(base, subs, node, scope)
    return None


def _spellings(base: str, typed: str, subs: tuple[Syntax, ...], scope: Scope, node: Syntax) -> list[str]:
    keys = [f"{base}_{typed}"]
    numbers = [whole_number(sub, scope) for sub in subs]
    whole = [n for n in numbers if n is not None]
    if len(whole) == len(numbers):
        if node.data == ("bracket",) and scope.zero_based:
            whole = [n + _first_index(base, scope) for n in whole]
            keys = []
        keys.append(f"{base}_{','.join(map(str, whole))}")
        keys.append(f"{base}_{''.join(map(str, whole))}")
        if len(whole) == 1 and whole[0] > 9:
            keys.append(f"{base}_{','.join(str(whole[0]))}")
    latin = GREEK_TO_LATIN.get(base)
    if latin and base not in scope.vocabulary.bases:
        keys += [f"{latin}{key[len(base) :]}" for key in keys]
    return keys


def _first_index(base: str, scope: Scope) -> int:
    """What is added to a Python index: 1 where the declared names begin at 1."""
    return 0 if f"{base}_0" in scope.vocabulary.known else 1


def _special(base: str, subs: tuple[Syntax, ...], node: Syntax, scope: Scope) -> Expr | None:
    """1_N, 0_{m×n}, I_n, e_i."""
    sizes = [whole_number(sub, scope) for sub in _sizes(subs)]
    if None in sizes or not 1 <= len(sizes) <= 2:
        return None
    shape = tuple(size for size in sizes if size is not None)
    if any(size < 1 for size in shape) or _cells(shape) > MAX_CELLS:
        raise trouble(node, "An array of this size is not read here.")
    if base in ("I", "Id", "eye", "E"):
        if base == "E" and not (len(shape) == 1 and isinstance(subs[0].text, str) and subs[0].text in scope.sizes):
            return None
        return E.eye(shape[0])
    if base == "e":
        one = len(shape) == 1 and "e" not in scope.vocabulary.bases and shape[0] <= scope.unit
        return E.stack([E.constant(int(k == shape[0])) for k in range(1, scope.unit + 1)]) if one else None
    return E.ones(shape) if base == "bold1" else E.zeros(shape)


def _cells(shape: tuple[int, ...]) -> int:
    out = 1
    for size in shape:
        out *= size
    return out


def _sizes(subs: tuple[Syntax, ...]) -> tuple[Syntax, ...]:
    """`{m \\times n}` as two sizes."""
    if len(subs) == 1 and subs[0].kind == "product" and set(subs[0].data) <= {"times"}:
        return subs[0].args
    return subs


def _array_under(base: Syntax, subs: tuple[Syntax, ...], node: Syntax, scope: Scope) -> Expr:
    if base.kind == "name":
        found = lookup(base.text, base, scope)
        if found is not None:
            return found
        other = _other_case(base.text, scope)
        if other is not None:
            scope.remark(f"`{base.text}` with subscripts was read as an entry of `{other}`")
            again = lookup(other, base, scope)
            if again is not None:
                return again
        if base.text in scope.vocabulary.bases:
            raise unknown(node, f"{base.text}_{node.text}", scope)
        raise unknown(base, base.text, scope)
    return scope.value(base)


def _other_case(name: str, scope: Scope) -> str | None:
    """W for w_{kj}, where W is a declared array and w means nothing."""
    other = name.swapcase()
    declared = scope.vocabulary.declared.get(other)
    return other if declared is not None and declared.shape != () and len(name) == 1 else None


def entry(array: Expr, subs: tuple[Syntax, ...], node: Syntax, scope: Scope) -> Expr:
    """An entry of an array by subscripts that count from 1 (Python brackets from 0 where the text does)."""
    numbers: list[int] = []
    for sub in subs:
        number = whole_number(sub, scope)
        if number is None:
            if array.shape and len(subs) == 1 and _is_label(sub, scope):
                return _without_label(array, node, scope)
            raise trouble(sub, f"The subscript `{sub.text or '…'}` is not understood here.")
        numbers.append(number)
    if len(array.shape) == 2 and 1 in array.shape and len(numbers) == 1:
        numbers = [1, *numbers] if array.shape[0] == 1 else [*numbers, 1]
    elif len(array.shape) == 2 and len(numbers) == 1 and 10 < numbers[0] < 100 and numbers[0] % 10:
        numbers = [numbers[0] // 10, numbers[0] % 10]
    if not array.shape:
        return _without_label(array, node, scope)
    if len(numbers) == 1 and len(array.shape) == 2 and numbers[0] < 100:
        return _row_by_number(array, subs[0], node, scope)
    if len(numbers) != len(array.shape):
        raise trouble(node, f"This has {len(array.shape)} indices, not {len(numbers)}.")
    first = 0 if node.data == ("bracket",) and scope.zero_based else 1
    for number, size in zip(numbers, array.shape, strict=True):
        if not first <= number < size + first:
            raise trouble(node, f"There is no entry {number}: there are {size}.")
    return E.index(array, tuple(number - first for number in numbers))


def _is_label(sub: Syntax, scope: Scope) -> bool:
    """A word, or a sum with a letter that means nothing here: `max`, `t-1`."""
    if sub.kind == "sum":
        names = [part.text for part in walk(sub) if part.kind == "name"]
        return bool(names) and not any(n in scope.bound or n in scope.sizes or n in scope.vocabulary.known
                                       for n in names)  # fmt: skip
    return sub.kind == "name" and len(sub.text) > 1


def slice_of(array: Expr, subs: tuple[Syntax, ...], node: Syntax, scope: Scope) -> Expr:
    """`X_{i,:}` is a row, `X_{:,j}` a vector; in Python brackets both are vectors."""
    if len(array.shape) != 2 or len(subs) != 2 or all(sub.text == ALL for sub in subs):
        raise trouble(node, "Only rows and columns of a matrix are read like this.")
    is_row = subs[1].text == ALL
    sub = subs[0] if is_row else subs[1]
    number = whole_number(sub, scope)
    if number is None:
        raise trouble(sub, f"The subscript `{sub.text or '…'}` is not understood here.")
    place = _offset(number, array.shape[0 if is_row else 1], node, scope)
    if not is_row:
        return E.stack([E.index(array, (k, place)) for k in range(array.shape[0])])
    row = E.stack([E.index(array, (place, k)) for k in range(array.shape[1])])
    scope.account.sliced = True
    return row if node.data == ("bracket",) or scope.slices else E.transpose(row)


def _row_by_number(array: Expr, sub: Syntax, node: Syntax, scope: Scope) -> Expr:
    """`x_i` of a matrix X: its row as a vector (numpy's `X[i]`), or its column; both readings are tried."""
    number = whole_number(sub, scope)
    assert number is not None
    bracket = node.data == ("bracket",)
    axis = 1 if scope.slices and not bracket else 0
    place = _offset(number, array.shape[axis], node, scope)
    scope.account.sliced |= not bracket
    scope.remark(f"one subscript at a matrix was read as its {'column' if axis else 'row'}")
    other = array.shape[1 - axis]
    return E.stack([E.index(array, (place, k) if axis == 0 else (k, place)) for k in range(other)])


def _offset(number: int, size: int, node: Syntax, scope: Scope) -> int:
    first = 0 if node.data == ("bracket",) and scope.zero_based else 1
    if not first <= number < size + first:
        raise trouble(node, f"There is no entry {number}: there are {size}.")
    return number - first


def _without_label(array: Expr, node: Syntax, scope: Scope) -> Expr:
    """A subscript that is no entry is a label; the same base may carry only one."""
    base = node.args[0]
    if base.kind != "name":
        raise trouble(node, "This has no entries.")
    if not array.shape:
        raise unknown(node, f"{base.text}_{node.text}", scope)
    drop_label(base.text, node.text, node, scope)
    return array


def drop_label(base: str, label: str, node: Syntax, scope: Scope) -> None:
    """Note that a layer's label is left out; two different ones of one name cannot both be."""
    seen = scope.account.labels.setdefault(base, label)
    if seen != label:
        raise trouble(
            node, f"`{base}` stands here with the labels `{seen}` and `{label}`, but the question has one `{base}`."
        )
    scope.remark(f"the label `{label}` of `{base}` was left out")


def require_scalar(value: Expr, node: Syntax, what: str) -> Expr:
    if value.shape:
        raise ShapeError(f"{what} must be a number here")
    return value
