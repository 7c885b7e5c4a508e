"""Expressions whose shapes have named sizes, compared at several choices of the sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from grader.compare.conditions import Condition
from grader.compare.domain import Domain
from grader.compare.draws import seeded
from grader.compare.evidence import Sameness
from grader.compare.policy import EXACT, Policy
from grader.compare.sameness import same
from grader.notation.vocabulary import Declaration
from reference.expression import Expr
from reference.shapes import ShapeError

Sizes = Mapping[str, int]
DRAWS = 2
POOL = (2, 3, 4, 5, 6, 7, 8, 9)  # never 1, where rows, columns and numbers coincide


def named_sizes(declarations: Mapping[str, Declaration]) -> tuple[str, ...]:
    """The names of sizes in the declared shapes, sorted."""
    return tuple(sorted({n for d in declarations.values() for n in d.shape if isinstance(n, str)}))


def draw_sizes(names: Sequence[str], taken: Sequence[int] = (), draws: int = DRAWS) -> tuple[dict[str, int], ...]:
    """Sizes pairwise different, and different from the sizes `taken` that are written as numbers.

    Different sizes turn transposes and exchanged factors into shape errors.
    """
    free = [n for n in POOL if n not in taken] or list(POOL)
    while len(free) < len(names):
        free.append(max(free) + 1)
    chosen: list[dict[str, int]] = []
    for draw in range(draws):
        rng = seeded("sizes", *names, str(draw))
        pool = free[: max(len(names) + 1, 3)]
        rng.shuffle(pool)
        chosen.append(dict(zip(names, pool, strict=False)))
    return tuple(chosen)


def at_sizes(declarations: Mapping[str, Declaration], sizes: Sizes) -> dict[str, Declaration]:
    """The declarations with concrete shapes."""
    return {
        name: replace(d, shape=tuple(sizes[n] if isinstance(n, str) else n for n in d.shape))
        for name, d in declarations.items()
    }


def same_at_sizes(
    build_truth: Callable[[Sizes], Expr],
    build_answer: Callable[[Sizes], Sequence[Expr]],
    declarations: Mapping[str, Declaration],
    policy: Policy = EXACT,
    where: Callable[[Sizes], tuple[Condition, ...]] | None = None,
    draws: int = DRAWS,
) -> Sameness:
    """Compare at several sizes: the same only if the same at each of them.

    The builders give the expressions at given sizes; the answer's may give several readings, of which one that is right
    at every size suffices.  A ShapeError of the answer's builder is a NO.
    """
    names = named_sizes(declarations)
    taken = sorted({n for d in declarations.values() for n in d.shape if isinstance(n, int)})
    alive: dict[int, Sameness] | None = None
    last = Sameness("unknown", "effort")
    for sizes in draw_sizes(names, taken, draws if names else 1):
        domain = Domain(at_sizes(declarations, sizes), where(sizes) if where else ())
        truth = build_truth(sizes)
        try:
            readings = build_answer(sizes)
        except ShapeError as error:
            return Sameness("no", "shape", note="shape.wrong", message=error.message)
        results = {i: same(truth, reading, domain, policy) for i, reading in enumerate(readings)}
        alive = {i: r for i, r in results.items() if alive is None or i in alive}
        good = {i: r for i, r in alive.items() if r.verdict in ("yes", "partly")}
        if not good:
            return next((r for r in alive.values() if r.verdict == "unknown"), None) or next(iter(results.values()))
        alive = good
        last = next((r for r in good.values() if r.verdict == "yes"), next(iter(good.values())))
    return last
