"""What is left of a notebook for students."""

from __future__ import annotations

import pytest

from grader.handout.notebook import UnclosedRegion, strip_solutions, student_version


@pytest.mark.parametrize(
    ("source", "stripped"),
    [
        ("x = 1", "x = 1"),
        (
            "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION",
            "def f(x):\n    raise NotImplementedError  # TODO",
        ),
        ("# BEGIN SOLUTION\nsecret = 1\n# END SOLUTION\nshown = 2", "pass  # TODO\nshown = 2"),
        ("    #<solution>\n    secret\n    #</solution>", "    raise NotImplementedError  # TODO"),
        ("y = 3 * x  # SOLUTION", "y = ...  # TODO"),
        ("    return 3 * x  # SOLUTION", "    raise NotImplementedError  # TODO"),
        ("import secret  # SOLUTION NO PROMPT\nx = 1", "x = 1"),
        ("x = 1\n### BEGIN HIDDEN TESTS\nassert secret\n### END HIDDEN TESTS", "x = 1"),
        ("# the solution is short", "# the solution is short"),
        ("a = 1  # SOLUTION\nb == 2", "a = ...  # TODO\nb == 2"),
    ],
)
def test_solution_regions_become_placeholders(source: str, stripped: str) -> None:
    assert strip_solutions(source) == stripped


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nsecret = 1",
        "secret = 1\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
    ],
)
def test_an_unbalanced_region_is_refused_rather_than_handed_out(source: str) -> None:
    with pytest.raises(UnclosedRegion, match="line"):
        strip_solutions(source)


def test_outputs_metadata_and_instructors_cells_do_not_reach_students() -> None:
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3"}, "celltoolbar": "secret"},
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {"tags": ["solution"]}, "source": "the answer"},
            {
                "cell_type": "code",
                "id": "b",
                "metadata": {"points": 3},
                "execution_count": 7,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "the answer"}],
                "source": ["x = 1\n", "y = 2"],
            },
        ],
    }
    handed_out = student_version(notebook)
    assert handed_out["cells"] == [
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": "x = 1\ny = 2",
        }
    ]
    assert handed_out["metadata"] == {"kernelspec": {"name": "python3"}}
    assert notebook["metadata"]["celltoolbar"] == "secret"
