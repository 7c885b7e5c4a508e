"""Right variants and wrong mutants made from the source of right implementations, after the scheme was fixed.

A rewriting keeps the meaning: operands exchanged, operators as function calls, values named before they are used,
products by einsum, work in place on one's own arrays.  A mutation changes one thing.  Whether a variant is right is
decided by dense comparison, apart from the judge.
"""

from __future__ import annotations

import ast
import copy
import inspect
import random
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from tests.nodes import rightly
from tests.nodes.battery import differs
from tests.nodes.local import Implementation

NEEDED = """
def plus_in_place(a, b):
    out = np.array(np.broadcast_to(np.asarray(a, float), np.broadcast_shapes(np.shape(a), np.shape(b))))
    out += b
    return out[()]
def times_in_place(a, b):
    out = np.array(np.broadcast_to(np.asarray(a, float), np.broadcast_shapes(np.shape(a), np.shape(b))))
    np.multiply(out, b, out=out)
    return out[()]
def product(a, b):
    if np.ndim(a) < 2 or np.ndim(b) < 2:
        return np.matmul(a, b)
    return np.einsum("...ij,...jk->...ik", a, b)
def number(v):
    return float(v) if isinstance(v, np.ndarray) and v.ndim == 0 and v.dtype.kind == "f" else v
"""
FUNCTIONS = {ast.Add: "np.add", ast.Sub: "np.subtract", ast.Mult: "np.multiply", ast.Div: "np.true_divide"}
Change = Callable[[ast.AST], ast.AST | None]  # the changed node, None where there is nothing to change


def _call(name: str, *args: ast.expr) -> ast.expr:
    made = ast.parse(f"{name}(0)", mode="eval").body
    assert isinstance(made, ast.Call)
    made.args = list(args)
    return made


def _binary(node: ast.AST, *kinds: type[ast.operator]) -> ast.BinOp | None:
    return node if isinstance(node, ast.BinOp) and isinstance(node.op, kinds) else None


def exchanged(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.Add, ast.Mult)
    return None if found is None else ast.BinOp(found.right, found.op, found.left)


def as_functions(node: ast.AST) -> ast.AST | None:
    found = _binary(node, *FUNCTIONS)
    return None if found is None else _call(FUNCTIONS[type(found.op)], found.left, found.right)


def in_place(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.Add, ast.Mult)
    if found is None:
        return None
    return _call("plus_in_place" if isinstance(found.op, ast.Add) else "times_in_place", found.left, found.right)


def difference_as_sum(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.Sub)
    return None if found is None else ast.BinOp(found.left, ast.Add(), ast.UnaryOp(ast.USub(), found.right))


def quotient_as_product(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.Div)
    if found is None:
        return None
    return ast.BinOp(found.left, ast.Mult(), ast.BinOp(ast.Constant(1.0), ast.Div(), found.right))


def by_einsum(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.MatMult)
    return None if found is None else _call("product", found.left, found.right)


def distributed(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.Mult)
    inner = None if found is None else _binary(found.right, ast.Add, ast.Sub)
    if found is None or inner is None:
        return None
    sides = [ast.BinOp(copy.deepcopy(found.left), ast.Mult(), side) for side in (inner.left, inner.right)]
    return ast.BinOp(sides[0], inner.op, sides[1])


def squares_as_products(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.Pow)
    if found is None or not isinstance(found.right, ast.Constant) or found.right.value != 2:
        return None
    return ast.BinOp(found.left, ast.Mult(), copy.deepcopy(found.left))


def transposed_by_function(node: ast.AST) -> ast.AST | None:
    return _call("np.transpose", node.value) if isinstance(node, ast.Attribute) and node.attr == "T" else None


def turned_comparisons(node: ast.AST) -> ast.AST | None:
    turned = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE}
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or type(node.ops[0]) not in turned:
        return None
    return ast.Compare(node.comparators[0], [turned[type(node.ops[0])]()], [node.left])


def named_first(node: ast.AST) -> ast.AST | None:
    """`lambda …: value` names its value before it is given back."""
    if not isinstance(node, ast.Lambda) or isinstance(node.body, ast.NamedExpr):
        return None
    node.body = ast.NamedExpr(ast.Name("result", ast.Store()), node.body)
    return node


def plain_numbers(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.Mult, ast.Add, ast.Sub)
    return None if found is None else _call("number", found)


def through_logarithms(node: ast.AST) -> ast.AST | None:
    """exp(x) as e to the power of x."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.exp" and len(node.args) == 1:
        return _call("np.power", ast.Attribute(ast.Name("np", ast.Load()), "e", ast.Load()), node.args[0])
    return None


REWRITINGS: Mapping[str, Change] = {
    one.__name__: one
    for one in (
        *(exchanged, as_functions, in_place, difference_as_sum, quotient_as_product, by_einsum, distributed),
        *(squares_as_products, transposed_by_function, turned_comparisons, named_first, plain_numbers),
        through_logarithms,
    )
}


def operand_dropped(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.Add, ast.Sub, ast.Mult, ast.Div)
    return None if found is None else found.left


def other_operand_dropped(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.Add, ast.Sub, ast.Mult)
    return None if found is None else found.right


def factors_exchanged(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.MatMult, ast.Sub, ast.Div)
    return None if found is None else ast.BinOp(found.right, found.op, found.left)


def comparison_changed(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Compare):
        return None
    changed = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE, ast.Eq: ast.NotEq}
    kind = changed.get(type(node.ops[0]))
    return None if kind is None else ast.Compare(node.left, [kind()], node.comparators)


def call_left_out(node: ast.AST) -> ast.AST | None:
    return node.args[0] if isinstance(node, ast.Call) and node.args else None


def choice_exchanged(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.where" and len(node.args) == 3:
        return _call("np.where", node.args[0], node.args[2], node.args[1])
    return None


def keyword_left_out(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Call) or not node.keywords:
        return None
    node.keywords = node.keywords[1:]
    return node


def sign_lost(node: ast.AST) -> ast.AST | None:
    return node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else None


def twice(node: ast.AST) -> ast.AST | None:
    found = _binary(node, ast.Mult, ast.Add, ast.Sub, ast.Div, ast.MatMult)
    return None if found is None else ast.BinOp(ast.Constant(1.5), ast.Mult(), found)


MUTATIONS: Mapping[str, Change] = {
    one.__name__: one
    for one in (
        *(operand_dropped, other_operand_dropped, factors_exchanged, comparison_changed, call_left_out),
        *(choice_exchanged, keyword_left_out, sign_lost, twice),
    )
}


class _At(ast.NodeTransformer):
    """Applies a change where `chosen` says so, by the number of the place."""

    def __init__(self, change: Change, chosen: Callable[[int], bool]) -> None:
        self.change, self.chosen, self.count = change, chosen, 0

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if self.change(copy.deepcopy(node)) is None:
            return node
        self.count += 1
        changed = self.change(node) if self.chosen(self.count - 1) else None
        return changed or node


def _body() -> ast.Module:
    return ast.parse(inspect.getsource(rightly))


def _table(tree: ast.Module) -> dict[str, object] | None:
    module: dict[str, object] = {"__name__": "rewritten"}
    kept = [one for one in tree.body if not (isinstance(one, ast.ImportFrom) and one.module == "__future__")]
    whole = ast.Module([*ast.parse("import numpy as np" + NEEDED).body, *kept[1:]], [])
    try:
        exec(compile(ast.fix_missing_locations(whole), "<rewritten>", "exec"), module)
    except Exception:  # noqa: BLE001  a change may break the module
        return None
    table = module["RIGHT"]
    return table if isinstance(table, dict) else None


def _applied(changes: list[Change], chosen: Callable[[int], bool]) -> tuple[ast.Module, int]:
    """The module with its functions changed; the annotations at its top are left alone."""
    tree, count = _body(), 0
    for change in changes:
        visitor = _At(change, chosen)
        tree.body = [
            visitor.visit(one) if isinstance(one, ast.FunctionDef | ast.AnnAssign) else one for one in tree.body
        ]
        count += visitor.count
    return tree, count


def right_variants(rounds: int = 6, seed: int = 0, names: tuple[str, ...] = ()) -> Iterator[Implementation]:
    """Every rewriting at all places, then random ones together at random places; those that stay right."""
    draw = random.Random(seed)
    plans: list[tuple[str, list[Change], Callable[[int], bool]]] = [
        (name, [change], lambda place: True) for name, change in REWRITINGS.items()
    ]
    for number in range(rounds):
        chosen = draw.sample(sorted(REWRITINGS), 3)
        kept = {place for place in range(2000) if draw.random() < 0.5}
        plans.append((f"{number}: {' '.join(chosen)}", [REWRITINGS[one] for one in chosen], kept.__contains__))
    for label, changes, where in plans:
        table = _table(_applied(changes, where)[0])
        for name in (names or tuple(rightly.RIGHT)) if table is not None else ():
            assert table is not None
            pair = table[name]
            assert isinstance(pair, tuple)
            variant = Implementation(name, label, *pair)
            if not _is_wrong(variant):
                yield variant


def wrong_variants(stride: int = 1, names: tuple[str, ...] = (), offset: int = 0) -> Iterator[Implementation]:
    """One mutation at every stride-th place; those that are wrong, each for the operations it changes."""
    for label, change in MUTATIONS.items():
        for place in range(offset, _applied([change], lambda place: False)[1], stride):
            table = _table(_applied([change], place.__eq__)[0])
            for name in (names or tuple(rightly.RIGHT)) if table is not None else ():
                assert table is not None
                pair = table[name]
                assert isinstance(pair, tuple)
                mutant = Implementation(name, f"{label} at {place}", rightly.RIGHT[name][0], pair[1])
                if _is_wrong(mutant, draws=1):
                    yield mutant


def _is_wrong(one: Implementation, draws: int = 2) -> bool:
    try:
        with np.errstate(all="ignore"):
            return differs(one, rightly.RIGHT[one.operation], draws=draws) or _forward_differs(one)
    except Exception:  # noqa: BLE001  a variant that raises is wrong
        return True


def _forward_differs(one: Implementation) -> bool:
    return False if one.forward is rightly.RIGHT[one.operation][0] else _values_differ(one)


def _values_differ(one: Implementation) -> bool:
    from grader.compare.nodes.operations import OPERATIONS
    from grader.compare.nodes.points import cases_of, draw_inputs, generator
    from tests.nodes.local import spec_of

    operation = OPERATIONS[one.operation]
    for number, case in enumerate(cases_of(spec_of(one.operation), operation)):
        xs = draw_inputs(case, operation, generator(b"values", one.operation, str(number)))
        a, b = (np.asarray(f(*xs, **dict(case.attrs))) for f in (one.forward, rightly.RIGHT[one.operation][0]))
        if a.shape != b.shape or not np.allclose(a, b, rtol=1e-12, atol=1e-13, equal_nan=True):
            return True
    return False
