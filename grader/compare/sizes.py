"""Expressions whose shapes have named sizes, compared at several choices of the sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class Case:
    """A question at one choice of its sizes."""

    sizes: Sizes
    truth: Expr
    domain: Domain


def make_cases(
    build_truth: Callable[[Sizes], Expr],
    declarations: Mapping[str, Declaration],
    where: Callable[[Sizes], tuple[Condition, ...]] | None = None,
    draws: int = DRAWS,
) -> tuple[Case, ...]:
    """The question at several choices of its named sizes; a single case where all sizes are numbers."""
    names = named_sizes(declarations)
    taken = sorted({n for d in declarations.values() for n in d.shape if isinstance(n, int)})
    cases: list[Case] = []
    for sizes in draw_sizes(names, taken, draws if names else 1):
        domain = Domain(at_sizes(declarations, sizes), where(sizes) if where else ())
        cases.append(Case(sizes, build_truth(sizes), domain))
    return tuple(cases)


def same_in_cases(
    cases: Sequence[Case], build_answer: Callable[[Sizes], Sequence[Expr]], policy: Policy = EXACT
) -> tuple[Sameness, int]:
    """Same at every choice of sizes?  Also which reading of the answer the verdict is about.

    The builder may give several readings, of which one that is right in every case suffices.  A ShapeError of the
    builder is a NO.
    """
    alive: dict[int, Sameness] | None = None
    for case in cases:
        try:
            readings = build_answer(case.sizes)
        except ShapeError as error:
            return Sameness("no", "shape", note="shape.conform", message=error.message), 0
        results = {
            i: same(case.truth, e, case.domain, policy) for i, e in enumerate(readings) if alive is None or i in alive
        }
        good = {i: r for i, r in results.items() if r.verdict in ("yes", "partly")}
        if not good:
            best = min(results, key=lambda i: (results[i].verdict != "unknown", i))
            return results[best], best
        alive = good
    assert alive
    best = min(alive, key=lambda i: (alive[i].verdict != "yes", i))
    return alive[best], best


def same_at_sizes(
    build_truth: Callable[[Sizes], Expr],
    build_answer: Callable[[Sizes], Sequence[Expr]],
    declarations: Mapping[str, Declaration],
    policy: Policy = EXACT,
    where: Callable[[Sizes], tuple[Condition, ...]] | None = None,
    draws: int = DRAWS,
) -> Sameness:
    """Compare at several sizes: the same only if the same at each of them."""
    return same_in_cases(make_cases(build_truth, declarations, where, draws), build_answer, policy)[0]
