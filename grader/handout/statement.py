"""The statement for one variant: Markdown, and one self-contained page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from html import escape

from grader.decode import Mistake, ProblemError, did_you_mean

STATEMENT_FILE = "statement.md"
PLACEHOLDER = re.compile(r"\{\{\s*(?P<question>[\w.-]+?)\.(?P<name>[A-Za-z_]\w*)\s*\}\}")

Values = Mapping[str, Mapping[str, Fraction]]  # question id -> parameter -> value


def fill_in(text: str, values: Values, file: str = STATEMENT_FILE) -> str:
    """The statement with `{{1a.k}}` replaced by this variant's value of parameter `k` of question `1a`, as LaTeX.

    Raises ProblemError with every placeholder that names no parameter.
    """
    mistakes: list[Mistake] = []

    def value_of(match: re.Match[str]) -> str:
        found = values.get(match["question"], {}).get(match["name"])
        if found is None:
            known = [f"{question}.{name}" for question, drawn in values.items() for name in drawn]
            line = text.count("\n", 0, match.start()) + 1
            near = did_you_mean(f"{match['question']}.{match['name']}", known)
            mistakes.append(Mistake(f"`{match[0]}` names no parameter", "statement", file, line, near))
            return match[0]
        return latex(found)

    filled = PLACEHOLDER.sub(value_of, text)
    if mistakes:
        raise ProblemError(mistakes)
    return filled


def latex(value: Fraction) -> str:
    """A number as LaTeX: `3`, `-\\frac{1}{2}`."""
    if value.denominator == 1:
        return str(value.numerator)
    sign = "-" if value < 0 else ""
    return f"{sign}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def page(markdown: str, title: str) -> str:
    """The statement as HTML: offline, without script, mathematics as MathML, any HTML in it shown as text."""
    from grader.reporting import page as shell

    return shell.fill("statement.html.j2", title=title, content=render(markdown))


def render(markdown: str) -> object:
    """The body of the page, safe to put into a template."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    from grader.reporting import mathml

    def typeset(content: str, options: Mapping[str, bool]) -> str:
        return str(mathml.formula(content.strip(), bool(options.get("display_mode"))))

    renderer: Callable[..., str] = typeset
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.use(dollarmath_plugin, renderer=renderer, double_inline=True)
    return Markup(parser.render(markdown))  # noqa: S704 - HTML in the text is off, formulas are escaped by mathml


def heading(text: str) -> str:
    """A line of Markdown text that stays text."""
    return escape(" ".join(text.split()), quote=False)
