"""The derived model answers as data and as text, with the cross-check of every route.  For instructors only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grader.kinds.plan import Item, Plan
from grader.notation.vocabulary import head_and_parameters
from grader.problems import Problem, Question
from reference import printing
from reference.closed import decimals, exact, is_closed
from reference.expression import Expr

MAX_ANSWER = 300  # characters of an answer shown to people


def question_rows(problem: Problem, question: Question, certified: bool = True) -> list[dict[str, Any]]:
    """One row per part of a question: its items with their answers, and the routes (slow; none if not `certified`)."""
    rows = []
    parameters = {name: str(value) for name, value in problem.parameters(question).items()}
    for plan in problem.plans(question):
        items = [item_row(plan, item) for item in plan.items]
        routes = [
            {"of": name, "routes": [{"name": r.name, "status": r.status, "detail": r.detail} for r in found]}
            for name, found in (plan.certify() if plan.certify and certified else ())
        ]
        rows.append(
            {"question": question.id, "title": question.title, "parameters": parameters, "items": items,
             "steps": step_rows(plan), "checks": routes}
        )  # fmt: skip
    return rows


def item_row(plan: Plan, item: Item) -> dict[str, Any]:
    """An item with its derived answer in both notations."""
    row = {"item": item.id, "points": str(item.points), "asks": item.asks, "form": item.form}
    if item.step and plan.truths:
        value, names = plan.truths[0].value(item.step), arguments_of(plan)
        row |= {"answer": written(value, "plain", names), "latex": written(value, "latex", names)}
        if plan.truths[0].sizes:
            row["sizes"] = ", ".join(f"{name} = {n}" for name, n in plan.truths[0].sizes.items())
    elif item.key:
        row["answer"] = item.key
    return row


def step_rows(plan: Plan) -> list[dict[str, str]]:
    """Every step of the derivation where there is more than one."""
    if not plan.truths or len(plan.truths[0].derivation.steps) < 2:
        return []
    truth, names = plan.truths[0], arguments_of(plan)
    return [
        {"step": one.name, "value": written(truth.value(one.name), "plain", names)} for one in truth.derivation.steps
    ]


def arguments_of(plan: Plan) -> Mapping[str, Sequence[str]]:
    """Names of the arguments of the question's abstract functions, so that partial derivatives can be read back."""
    if plan.vocabulary is None:
        return {}
    return dict(head_and_parameters(declared) for declared in plan.vocabulary.functions)


def written(value: Expr, notation: str, arguments: Mapping[str, Sequence[str]] | None = None) -> str:
    """A value as text: exact if it is a number of reasonable length, decimals if not, a formula otherwise."""
    number = exact(value)
    if number is None and is_closed(value):
        return decimals(value)
    shown = value if number is None else number
    return (printing.latex if notation == "latex" else printing.plain)(shown, arguments or {})


def sound_row(row: Mapping[str, Any]) -> bool:
    """Do two routes agree and none disagree, wherever routes were run?"""
    return all(sound_check(check) for check in row["checks"])


def sound_check(check: Mapping[str, Any]) -> bool:
    statuses = [route["status"] for route in check["routes"]]
    return statuses.count("agrees") >= 2 and "disagrees" not in statuses


def show_rows(rows: Sequence[Mapping[str, Any]], steps: bool = True) -> list[str]:
    """The rows for people."""
    lines = []
    for row in rows:
        lines += ["", f"{row['question']}  {row['title']}".rstrip()]
        if row["parameters"]:
            lines.append("  parameters  " + ", ".join(f"{k} = {v}" for k, v in row["parameters"].items()))
        for item in row["items"]:
            sizes = f"   [{item['sizes']}]" if "sizes" in item else ""
            answer = item.get("answer", "a person reads this" if item["form"] == "prose" else "judged by running it")
            points = f"{item['points']} point{'' if item['points'] == '1' else 's'}"
            lines.append(f"  {item['item']} ({points}): {answer if steps else _shortened(answer)}{sizes}")
        asked = {item["item"].rpartition(".")[2] for item in row["items"]}
        for step in row["steps"] if steps else ():
            if step["step"].replace("_", "") not in asked:
                lines.append(f"    step {step['step']} = {step['value']}")
        for check, times in _counted(row["checks"]):
            agreeing = [route["name"] for route in check["routes"] if route["status"] == "agrees"]
            others = [route for route in check["routes"] if route["status"] != "agrees"]
            sizes = f" (at {times} choices of sizes)" if times > 1 else ""
            lines.append(f"  {check['of']}{sizes}: {', '.join(agreeing) or 'no route'} agree")
            lines += [f"    {route['name']} {route['status']}: {route['detail']}" for route in others]
    return lines


def _counted(checks: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], int]]:
    """Checks that came out alike, as those of one result at several sizes do, told once with their number."""
    found: list[tuple[Mapping[str, Any], int]] = []
    for check in checks:
        alike = [(route["name"], route["status"]) for route in check["routes"]]
        if found:
            last, times = found[-1]
            if last["of"] == check["of"] and [(r["name"], r["status"]) for r in last["routes"]] == alike:
                found[-1] = (last, times + 1)
                continue
        found.append((check, 1))
    return found


def _shortened(text: str) -> str:
    one_line = " ; ".join(text.splitlines())
    return one_line if len(one_line) <= MAX_ANSWER else f"{one_line[: MAX_ANSWER - 1]}…"
