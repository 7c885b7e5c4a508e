"""Departures: the class's grades in the files that learning platforms take in.

A new departure is one module and one line here.
"""

from __future__ import annotations

# name of the departure -> (module, what it writes)
DEPARTURES = {
    "moodle": ("grader.export.moodle", "the offline grading worksheet, filled in"),
    "canvas": ("grader.export.canvas", "the gradebook, filled in"),
    "ilias": ("grader.export.ilias", "the status sheet, filled in"),
    "feedback": ("grader.export.feedback", "a ZIP archive of feedback files for Moodle"),
    "nbgrader": ("grader.export.nbgrader", "a CSV table as nbgrader exports it"),
    "junit": ("grader.export.junit", "JUnit XML"),
    "gradescope": ("grader.export.gradescope", "results.json of an autograder"),
}
