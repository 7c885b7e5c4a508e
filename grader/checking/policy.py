"""What an item accepts, as the comparison wants to hear it."""

from __future__ import annotations

from functools import lru_cache

from grader.compare import Policy
from grader.kinds.plan import Item, ItemPolicy


def comparison_policy(item: Item) -> Policy:
    """Layouts, decimals and worth of partial agreement.  A Jacobian's transpose is accepted in denominator layout."""
    return _translate(item.policy)


@lru_cache(maxsize=64)
def _translate(policy: ItemPolicy) -> Policy:
    layouts = policy.layouts
    either = not layouts or "any" in layouts or len(layouts) > 1
    return Policy(
        layouts=("column", "row") if either or layouts == ("numerator",) else ("column",),
        transposed="any" in layouts or "denominator" in layouts,
        decimals=policy.decimals,
        places=policy.places,
    )
