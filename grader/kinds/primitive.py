"""Vector–Jacobian and Jacobian–vector products of a primitive, as formulas or at a point, kinks included.

At a kink any element of the subdifferential is right: every mixture of what the sides of the kink give.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from grader.compare import Domain
from grader.kinds.certify import Claim, certifier, confirm
from grader.kinds.definition import build, build_domain, draw_sizes, make_vocabulary
from grader.kinds.numbers import Number, exact_numbers
from grader.kinds.plan import Aim, Context, Item, Plan, Sizes, Task, Truth
from grader.kinds.point import exact_entries, points_at
from grader.notation import Vocabulary
from grader.notation.vocabulary import canonical
from reference import expression as E
from reference.derivation import Derivation, Step, evaluate
from reference.expression import Expr, ShapeError
from reference.modes import gradient, jvp, vjp

ITEMS = ("vjp", "jvp")
NEARBY = Fraction(1, 10**6)  # how far beside a kink its two sides are looked at
MAX_KINKS = 8
Numbers = tuple[Number, ...]
Corners = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class Spec:
    """Keys of a question of this kind.

    f: the primitive; symbols: declarations; wrt: the argument in question (default: the first symbol); upstream,
    tangent: names of the incoming gradient and of the tangent; at: values of the argument, of the incoming gradient and
    of the tangent, `{x = [2, -1, 0], g = [3, 5, 7], v = [3, 5, 7]}`, where numbers are asked for.
    """

    f: str
    symbols: dict[str, str]
    wrt: str = ""
    upstream: str = "g"
    tangent: str = "v"
    at: dict[str, Numbers] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    where: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """The products at one choice of sizes."""

    sizes: Sizes
    f: Expr
    x: Expr
    g: Expr
    v: Expr
    products: Mapping[str, Expr]


def plan(spec: Spec, task: Task, context: Context) -> Plan:
    """Items `vjp` and `jvp`."""
    base = make_vocabulary(task, context, spec.symbols, spec.definitions)
    wrt = canonical(spec.wrt or next(iter(spec.symbols)))
    if wrt not in base.declared:
        raise task.refuse(f"`{spec.wrt}` is not declared", "wrt")
    rules = [_work_out(spec, task, base, wrt, sizes) for sizes in draw_sizes(base)]
    vocabulary = make_vocabulary(
        task, context, {**spec.symbols, **_products_symbols(spec, base, rules)}, spec.definitions
    )
    points = task.share({"vjp": 1, "jvp": 1}, ITEMS)
    truths, claims, accepts = _truths(spec, task, context, vocabulary, rules, points)
    confirm(claims, task)
    return Plan(
        items=tuple(_item(spec, task, name, points, accepts.get(name, ())) for name in ITEMS if name in points),
        truths=truths,
        vocabulary=vocabulary,
        topics=("matrix", "calculus"),
        certify=certifier(claims),
    )


def _work_out(spec: Spec, task: Task, vocabulary: Vocabulary, wrt: str, sizes: Sizes) -> Rule:
    f = build(spec.f, vocabulary, sizes, task, "f")
    shape = tuple(sizes[s] if isinstance(s, str) else s for s in vocabulary.declared[wrt].shape)
    x = E.symbol(vocabulary.spelled[wrt], shape)
    g, v = E.symbol(spec.upstream, f.shape), E.symbol(spec.tangent, x.shape)
    try:
        products = {"vjp": vjp(f, x, g), "jvp": jvp(f, x, v)}
    except ShapeError as trouble:
        raise task.refuse(str(trouble), "f") from None
    return Rule(sizes, f, x, g, v, products)


def _products_symbols(spec: Spec, base: Vocabulary, rules: list[Rule]) -> dict[str, str]:
    """Declarations of the incoming gradient and the tangent; sizes by name where they follow one."""

    def declared(shapes: list[tuple[int, ...]]) -> str:
        names = []
        for position in range(len(shapes[0])):
            column = [shape[position] for shape in shapes]
            named = [n for n in rules[0].sizes if all(r.sizes[n] == c for r, c in zip(rules, column, strict=True))]
            names.append(named[0] if named else str(column[0]))
        return {0: "real", 1: "vector " + "".join(names[:1]), 2: "matrix " + "x".join(names)}[len(names)]

    return {
        spec.upstream: declared([rule.g.shape for rule in rules]),
        spec.tangent: declared([rule.v.shape for rule in rules]),
    }


def _truths(
    spec: Spec, task: Task, context: Context, vocabulary: Vocabulary, rules: list[Rule], points: Mapping[str, Fraction]
) -> tuple[tuple[Truth, ...], list[Claim], dict[str, Corners]]:
    if spec.at:
        return _at_a_point(spec, task, context, rules[0], points)
    truths, claims = [], []
    for rule in rules:
        domain = build_domain(vocabulary, rule.sizes, spec.where, task)
        steps = Derivation(tuple(Step(name, value) for name, value in rule.products.items()))
        truths.append(Truth(rule.sizes, steps, domain))
        weighted = E.sum(rule.f * rule.g) if rule.f.shape else rule.f * rule.g
        claims.append(("the vector–Jacobian product", weighted, rule.x, rule.products["vjp"], domain))
    return tuple(truths), claims, {}


def _at_a_point(
    spec: Spec, task: Task, context: Context, rule: Rule, points: Mapping[str, Fraction]
) -> tuple[tuple[Truth, ...], list[Claim], dict[str, Corners]]:
    values: dict[Expr, Expr] = {}
    for one in (rule.x, rule.g, rule.v):
        if one.name not in spec.at:
            continue
        numbers = exact_numbers(spec.at[one.name], task, context, f"at.{one.name}")
        if one.shape not in ((len(numbers),), ()) or (one.shape == () and len(numbers) != 1):
            raise task.refuse(f"`{one.name}` has another size than its values", f"at.{one.name}")
        constants = [E.constant(value) for value in numbers]
        values[one] = E.stack(constants) if one.shape else constants[0]
    if rule.x not in values:
        raise task.refuse(f"`at` gives no values for {rule.x.name}", "at")
    found = {name: E.substitute(value, values) for name, value in rule.products.items()}
    for name in points:
        open_names = [one.name for one in E.symbols([found[name]])]
        if open_names:
            raise task.refuse(f"`at` gives no values for {', '.join(open_names)}, on which the {name} rests", "at")
    unknown = [name for name in spec.at if name not in (rule.x.name, rule.g.name, rule.v.name)]
    if unknown:
        raise task.refuse(f"`{unknown[0]}` is neither the argument, nor the incoming gradient, nor the tangent", "at")
    steps = Derivation(tuple(Step(name, value) for name, value in found.items() if not E.symbols([value])))
    corners = {name: _corners(rule, name, values) for name in steps.names}
    kinked = any(len(found) > 1 for found in corners.values())
    claims: list[Claim] = []
    if not kinked and rule.g in values:
        weighted = E.substitute(E.sum(rule.f * rule.g) if rule.f.shape else rule.f * rule.g, {rule.g: values[rule.g]})
        claims.append(
            ("the product", weighted, rule.x, gradient(weighted, rule.x), points_at({rule.x: values[rule.x]}))
        )
    return (Truth({}, steps, Domain({})),), claims, corners


def _corners(rule: Rule, name: str, values: Mapping[Expr, Expr]) -> Corners:
    """What a product is on every side of the kinks; a single one where there is none.

    Away from kinks all sides agree up to the width of the look; such an entry keeps its exact value.
    """
    here = exact_entries(evaluate(Derivation((Step(name, E.substitute(rule.products[name], values)),)))[name])
    start = exact_entries(values[rule.x])
    found: dict[tuple[Fraction, ...], None] = {}
    for signs in itertools.product((-1, 1), repeat=min(len(start), MAX_KINKS)):
        moved = [value + sign * NEARBY for value, sign in zip(start, signs, strict=False)] + list(start[len(signs) :])
        constants = [E.constant(value) for value in moved]
        at = {**values, rule.x: E.stack(constants) if rule.x.shape else constants[0]}
        side = exact_entries(E.substitute(rule.products[name], at))
        found[tuple(_settled(value, exact) for value, exact in zip(side, here, strict=True))] = None
    return tuple(found)


def _settled(value: Fraction, exact: Fraction) -> Fraction:
    """The exact value where a side differs only by the width of the look."""
    if abs(value - exact) <= 1000 * NEARBY * (1 + abs(exact)):
        return exact
    return Fraction(round(float(value), 4)).limit_denominator(10**6)


def _item(
    spec: Spec,
    task: Task,
    name: str,
    points: Mapping[str, Fraction],
    corners: Corners,
) -> Item:
    words = {"vjp": "the vector–Jacobian product", "jvp": "the Jacobian–vector product"}
    return Item(
        id=task.item_id(name, points),
        form="expression",
        points=points[name],
        asks=words[name],
        step=name,
        targets=(Aim(name),),
        labels=(name, words[name].removeprefix("the ").lower()),
        policy=task.policy,
        bonus=task.bonus,
        main=len(points) == 1,
        hull=corners if len(corners) > 1 else (),
    )
