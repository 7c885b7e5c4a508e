"""What the judges of a graph question know of its definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.compare import Domain, same
from grader.kinds.decomposition import (
    Assignment,
    Decomposition,
    count_operations,
    read_decomposition,
    written_assignments,
)
from grader.kinds.partials import model_partials
from grader.model import Fragment
from grader.notation import Vocabulary
from reference import printing
from reference.derivation import decompose
from reference.expression import Expr, ordered, symbols


@dataclass(frozen=True)
class GraphSetting:
    """The function over flat inputs, how few operations it needs, and what may differ.

    `minimum` counts each distinct operation of the definition once.  `own` is the task in which the student's own
    decomposition stands, "" for the question itself.
    """

    name: str
    vocabulary: Vocabulary
    truth: Expr
    minimum: int
    wrt: tuple[str, ...]
    domain: Domain
    nary: bool = False
    own: str = ""

    def read(self, fragments: Sequence[Fragment]) -> Decomposition | None:
        """The decomposition written in some fragments; None if there is no assignment in them."""
        written = written_assignments(fragments)
        found = read_decomposition(written, self.vocabulary, (self.name,)) if written else None
        return _without_the_definition(found, self.name) if found is not None else None

    def computes_the_function(self, value: Expr) -> str:
        """Sameness of a value with the function: yes, no, partly or unknown."""
        strangers = {one.name for one in symbols([value])} - set(self.domain.symbols)
        return "no" if strangers else same(self.truth, value, self.domain).verdict

    def operations(self, value: Expr) -> int:
        """Operations of one right side; a sum of many plain terms counts once where the question says so."""
        count = count_operations([value])
        if self.nary and count > 1 and all(n.op == "add" for n in ordered([value]) if n.args):
            return 1
        return count

    def model(self) -> Decomposition:
        """The definition itself as a decomposition t1, t2, …, each distinct operation once."""
        steps = decompose(self.truth).steps
        done = tuple(Assignment(step.name, step.expr) for step in steps)
        return Decomposition(done, tuple(self.domain.symbols), done[-1].name if done else "")

    def model_answer(self, ask: str) -> str:
        """A model answer as text, for instructors."""
        model = self.model()
        if ask == "partials":
            return "; ".join(model_partials(model, self.name, self.wrt))
        return "; ".join(f"{one.name} = {printing.plain(one.value)}" for one in model.assignments)


def _without_the_definition(found: Decomposition, name: str) -> Decomposition:
    """The equation copied from the statement is no assignment of the student's."""
    copied = [
        one
        for one in found.assignments
        if one.name == name and one.operations > 2 and not set(one.uses) & set(found.by_name)
    ]
    if not copied or len(found.assignments) == 1:
        return found
    rest = tuple(one for one in found.assignments if one not in copied)
    used = {use for one in rest for use in one.uses}
    sinks = [one.name for one in rest if one.name not in used]
    return replace(found, assignments=rest, result=sinks[-1] if sinks else rest[-1].name)
