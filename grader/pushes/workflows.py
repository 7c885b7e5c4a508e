"""The workflow files a class needs, filled in from templates."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

Template = Literal["grade.yml", "classroom.yml", "autograder.py"]
Platform = Literal["actions", "classroom", "classroom50"]
# platform -> template, and where it goes.  Classroom 50 takes a folder that the instructor puts into the class's
# repository; the others stand in the student's own.
PLATFORMS: dict[Platform, tuple[Template, str]] = {
    "actions": ("grade.yml", ".github/workflows/grade.yml"),
    "classroom": ("classroom.yml", ".github/workflows/classroom.yml"),
    "classroom50": ("autograder.py", "autograder/autograder.py"),
}
# An instructor's own copy of the project, pinned by commit: a placeholder that says so is better than a moving branch.
PLACEHOLDER_ACTION = "OWNER/gradient-grader@COMMIT"


def fill(template: Template, problem: str, action: str = PLACEHOLDER_ACTION, source: str = "gradient-grader") -> str:
    """The text of a template.  `action` is `owner/repository@commit`; `source` is what pip installs."""
    text = files("grader.pushes").joinpath("templates").joinpath(template).read_text(encoding="utf-8")
    for name, value in (("@ACTION@", action), ("@PROBLEM@", problem), ("@SOURCE@", source)):
        text = text.replace(name, value)
    return text
