"""The workflow files a class needs, filled in from templates."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

Template = Literal["grade.yml", "classroom.yml", "autograder.py"]
TEMPLATES: dict[Template, str] = {
    "grade.yml": ".github/workflows/grade.yml",
    "classroom.yml": ".github/workflows/classroom.yml",
    "autograder.py": "autograder.py",
}
# An instructor's own copy of the project, pinned by commit: a placeholder that says so is better than a moving branch.
PLACEHOLDER_ACTION = "OWNER/gradient-grader@COMMIT"


def fill(template: Template, problem: str, action: str = PLACEHOLDER_ACTION, source: str = "gradient-grader") -> str:
    """The text of a template.  `action` is `owner/repository@commit`; `source` is what pip installs."""
    text = files("grader.pushes").joinpath("templates").joinpath(template).read_text(encoding="utf-8")
    for name, value in (("@ACTION@", action), ("@PROBLEM@", problem), ("@SOURCE@", source)):
        text = text.replace(name, value)
    return text
