"""The shell of every HTML page: templates with everything escaped, one style sheet inlined, no script."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from grader.reporting import lines, mathml
from grader.reporting.verdicts import LOOKS

if TYPE_CHECKING:
    from jinja2 import Environment


def fill(template: str, **values: Any) -> str:
    """A template of `templates/` filled in.  Errors: jinja2.UndefinedError when a value is missing."""
    return _environment().get_template(template).render(**values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    loader = PackageLoader("grader.reporting", "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = loader.get_source(made, "style.css")[0]
    made.globals["style"] = Markup(source)  # noqa: S704 - our own file
    made.globals["looks"] = LOOKS
    made.filters["zip"] = zip
    made.filters["points"] = lines.points
    made.filters["amount"] = lines.amount
    made.filters["prose"] = mathml.prose
    made.filters["formula"] = mathml.formula
    return made
