"""`grader export FORMAT OUT`: the grades of a graded class in the files that learning platforms take in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import EXIT_NOTHING, EXIT_OK

if TYPE_CHECKING:
    from grader.export.grades import Filled, Warned
    from grader.model import Report

SHEETS = ("moodle", "canvas", "ilias")  # fill in a file that the instructor downloaded
NAMES = {"feedback": "feedback.zip", "nbgrader": "grades.csv", "junit": "junit.xml", "gradescope": "gradescope"}
FORMATS = (*SHEETS, *NAMES)


@click.command("export")
@click.argument("form", metavar="FORMAT", type=click.Choice(FORMATS))
@click.argument("folder", metavar="OUT", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--file",
    "sheet",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The worksheet or gradebook you downloaded.",
)
@click.option("--to", type=click.Path(path_type=Path), help="Where to write; by default into OUT/export.")
@click.option("--column", default="", help="Which column takes the grade, by its title or number.")
@click.option("--json", "as_json", is_flag=True, help="Say on stdout, as JSON, what was written and what to know.")
def command(form: str, folder: Path, sheet: Path | None, to: Path | None, column: str, as_json: bool) -> int:
    """Write the grades of a class that `grader batch --out OUT` graded.

    FORMAT is moodle, canvas or ilias (fill in the file given with --file), feedback, nbgrader, junit or gradescope.
    A student with items that still wait for a person gets no grade; every row that the platform would skip without
    a word is warned about.
    """
    from grader.export.grades import WrongSheet

    reports = load_reports(folder)
    if not reports:
        click.echo(f"There are no reports in {folder / 'reports'}; run `grader batch` first.", err=True)
        return EXIT_NOTHING
    if form in SHEETS and sheet is None:
        raise click.UsageError(f"`grader export {form}` fills in the file you downloaded: name it with --file.")
    target = to or folder / "export" / (sheet.name if form in SHEETS and sheet else NAMES[form])
    try:
        written = _write(form, folder, reports, sheet, target, column)
    except WrongSheet as problem:
        raise click.ClickException(f"{sheet}: {problem}") from None
    _tell(target, written, as_json)
    return EXIT_OK


def load_reports(folder: Path) -> dict[str, Report]:
    """The class's reports by the names of their files; a file that is no report is named and left out."""
    from grader.reporting import json_report

    found: dict[str, Report] = {}
    for path in sorted((folder / "reports").glob("*.json")):
        try:
            found[path.stem] = json_report.parse(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError) as problem:
            click.echo(f"{path} is not a report and was left out ({type(problem).__name__}).", err=True)
    return found


def _write(
    form: str, folder: Path, reports: dict[str, Report], sheet: Path | None, target: Path, column: str
) -> Filled:
    everyone = list(reports.values())
    if form == "gradescope":
        return _write_results(everyone, target)
    filled = _fill(form, everyone, sheet, column) if form in SHEETS else _make(form, folder, reports, sheet)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(filled.data)
    return filled


def _fill(form: str, reports: list[Report], sheet: Path | None, column: str) -> Filled:
    from grader.export import canvas, ilias, moodle

    assert sheet is not None
    data = sheet.read_bytes()
    if form == "moodle":
        return moodle.fill(data, reports, column)
    return canvas.fill(data, reports, column) if form == "canvas" else ilias.fill(data, reports, column)


def _make(form: str, folder: Path, reports: dict[str, Report], sheet: Path | None) -> Filled:
    from grader.export import feedback, junit, nbgrader

    everyone = list(reports.values())
    if form == "feedback":
        pages = {
            report.student: page.read_bytes()
            for stem, report in reports.items()
            if (page := folder / "reports" / f"{stem}.html").is_file()
        }
        return feedback.pack(everyone, pages, sheet.read_bytes() if sheet else None)
    return nbgrader.table(everyone) if form == "nbgrader" else junit.document(everyone)


def _write_results(reports: list[Report], target: Path) -> Filled:
    """One results.json per student, each in a folder of its own."""
    from grader.class_files import file_names
    from grader.export import gradescope
    from grader.export.grades import Filled

    names = file_names(report.student for report in reports)
    warnings: list[Warned] = []
    for report in reports:
        made = gradescope.results(report)
        path = target / names[report.student] / "results.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.data)
        warnings += made.warnings
    return Filled(b"", len(reports), tuple(warnings))


def _tell(target: Path, written: Filled, as_json: bool) -> None:
    for warned in written.warnings:
        click.echo(f"{warned.student}: {warned.message} [{warned.note}]", err=True)
    if as_json:
        rows = [{"note": w.note, "student": w.student, "message": w.message} for w in written.warnings]
        click.echo(json.dumps({"file": str(target), "grades": written.grades, "warnings": rows}, ensure_ascii=False))
    else:
        click.echo(f"{target}: {written.grades} grades, {len(written.warnings)} things to know.")
