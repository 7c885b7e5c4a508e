"""`grader truth`: the derived model answers, with the cross-check of every route."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from grader.cli import EXIT_OK, EXIT_WRONG
from grader.cli.finding import find_problem


@click.command("truth")
@click.argument("problem", type=str)
@click.option("--question", default="", help="One question only.")
@click.option("--seed", default="", help="The variant of a student.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(problem: str, question: str, seed: str, as_json: bool) -> int:
    """Show the derived model answers and how every independent route to them came out.

    For instructors: nothing of this is ever shown to a student.
    """
    from grader.decode import ProblemError, did_you_mean
    from grader.problems import load_problem

    folder = find_problem(problem, (Path.cwd(),))
    try:
        loaded = load_problem(folder).variant(seed)
    except ProblemError as trouble:
        raise click.ClickException(f"The problem's definition is wrong:\n{trouble}") from None
    if loaded.sealed:
        raise click.ClickException(f"{folder} is a student's copy: it checks answers and shows none.")
    ids = [one.id for one in loaded.questions]
    if question and question not in ids:
        raise click.ClickException(f"There is no question {question}; {did_you_mean(question, ids)}")
    rows = [row for one in loaded.questions if question in ("", one.id) for row in question_rows(loaded, one)]
    if as_json:
        click.echo(json.dumps({"problem": loaded.id, "seed": seed, "questions": rows}, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(show_rows(loaded, rows)))
    agreed = all(sound_row(row) for row in rows)
    return EXIT_OK if agreed else EXIT_WRONG


def question_rows(problem: Any, question: Any) -> list[dict[str, Any]]:
    """One row per part of a question: its items with their answers, and the routes."""
    rows = []
    parameters = {name: str(value) for name, value in problem.parameters(question).items()}
    for plan in problem.plans(question):
        items = [item_row(plan, item) for item in plan.items]
        steps = step_rows(plan)
        routes = [
            {"of": name, "routes": [{"name": r.name, "status": r.status, "detail": r.detail} for r in found]}
            for name, found in (plan.certify() if plan.certify else ())
        ]
        rows.append(
            {"question": question.id, "title": question.title, "parameters": parameters, "items": items,
             "steps": steps, "checks": routes}
        )  # fmt: skip
    return rows


def item_row(plan: Any, item: Any) -> dict[str, Any]:
    """An item with its derived answer in both notations."""
    row = {"item": item.id, "points": str(item.points), "asks": item.asks, "form": item.form}
    if item.step and plan.truths:
        value = plan.truths[0].value(item.step)
        row |= {"answer": written(value, "plain"), "latex": written(value, "latex")}
        if plan.truths[0].sizes:
            row["sizes"] = ", ".join(f"{name} = {n}" for name, n in plan.truths[0].sizes.items())
    elif item.key:
        row["answer"] = item.key
    return row


def step_rows(plan: Any) -> list[dict[str, str]]:
    """Every step of the derivation where there is more than one."""
    if not plan.truths or len(plan.truths[0].derivation.steps) < 2:
        return []
    truth = plan.truths[0]
    return [{"step": one.name, "value": written(truth.value(one.name), "plain")} for one in truth.derivation.steps]


def written(value: Any, notation: str) -> str:
    """A value as text: exact if it is a number of reasonable length, decimals if not, a formula otherwise."""
    from reference import printing
    from reference.closed import decimals, exact, is_closed

    number = exact(value)
    if number is None and is_closed(value):
        return decimals(value)
    shown = value if number is None else number
    return printing.latex(shown) if notation == "latex" else printing.plain(shown)


def sound_row(row: dict[str, Any]) -> bool:
    """Do two routes agree and none disagree, wherever routes were run?"""
    for check in row["checks"]:
        statuses = [route["status"] for route in check["routes"]]
        if statuses.count("agrees") < 2 or "disagrees" in statuses:
            return False
    return True


def show_rows(problem: Any, rows: list[dict[str, Any]]) -> list[str]:
    """The rows for people."""
    lines = [f"{problem.title} ({problem.id})"]
    for row in rows:
        lines += ["", f"{row['question']}  {row['title']}"]
        if row["parameters"]:
            lines.append("  parameters  " + ", ".join(f"{k} = {v}" for k, v in row["parameters"].items()))
        for item in row["items"]:
            sizes = f"   [{item['sizes']}]" if "sizes" in item else ""
            answer = item.get("answer", "a person reads this" if item["form"] == "prose" else "judged by running it")
            lines.append(f"  {item['item']} ({item['points']} points): {answer}{sizes}")
        asked = {item["item"].rpartition(".")[2] for item in row["items"]}
        for step in row["steps"]:
            if step["step"].replace("_", "") not in asked:
                lines.append(f"    step {step['step']} = {step['value']}")
        for check in row["checks"]:
            agreeing = [route["name"] for route in check["routes"] if route["status"] == "agrees"]
            others = [route for route in check["routes"] if route["status"] != "agrees"]
            lines.append(f"  {check['of']}: {', '.join(agreeing) or 'no route'} agree")
            lines += [f"    {route['name']} {route['status']}: {route['detail']}" for route in others]
    return lines
