"""The review service: decisions go in, forged forms and strange hosts stay out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader import class_files
from grader.reporting import json_report
from grader.service import pages
from grader.store import Member, Store, Verdict
from tests.reporting.samples import HOSTILE, REPORT

CLASS = [replace(REPORT, decisions=()), replace(REPORT, decisions=(), student="b&c=d", name=HOSTILE)]


def make_class(out: Path) -> None:
    with Store(out / class_files.JOURNAL) as store:
        for report in CLASS:
            store.finish(Verdict(report.student, json_report.render(report)))
        store.set_members([Member(report.student, report.student) for report in CLASS])
        store.set_setting("title", "Sheet")
        class_files.write_class(out, store, "Sheet")


def test_the_list_names_what_waits_and_links_to_it() -> None:
    text = pages.pending_list("Sheet", CLASS)
    assert text.count("/item?student=") == 4
    assert "student=b%26c%3Dd&amp;item=1c" in text
    assert "<script" not in text


def test_an_items_page_shows_the_evidence_of_the_instructor_and_keeps_student_text_harmless() -> None:
    found = pages.find_line(CLASS, "b&c=d", "1a")
    assert found is not None
    text = pages.item_page("Sheet", *found, "token", "/")
    assert "confirmed by three routes" in text
    assert "<script" not in text
    assert "<img" not in text


def test_after_a_decision_comes_the_same_item_of_the_next_student() -> None:
    assert pages.upcoming(CLASS, "lovelace_ada", "1c") == pages.item_url("b&c=d", "1c")
    assert pages.upcoming([], "x", "1c") == "/"


@pytest.fixture
def client(tmp_path: Path) -> Any:
    pytest.importorskip("starlette")
    pytest.importorskip("httpx")
    from starlette.testclient import TestClient

    from grader.service.app import make_app

    make_class(tmp_path)
    return TestClient(make_app(tmp_path), base_url="http://127.0.0.1", follow_redirects=False)


def form(client: Any, student: str = "lovelace_ada", item: str = "1c", **fields: str) -> dict[str, str]:
    page = client.get(pages.item_url(student, item)).text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    return {"token": token.group(1), "student": student, "item": item, "points": "1", "reason": "ok", **fields}


def test_a_decision_is_kept_and_the_files_follow(client: Any, tmp_path: Path) -> None:
    answer = client.post("/decide", data=form(client, points="3/2", by="kb"))
    assert answer.status_code == 303
    assert "1c" in answer.headers["location"]
    with Store(tmp_path / class_files.JOURNAL) as store:
        assert [str(d.points) for d in store.decisions()] == ["3/2"]
    assert ",3/2,ok,kb" in (tmp_path / "review.csv").read_text()
    assert "Decided by kb" in (tmp_path / "reports" / "lovelace_ada.html").read_text()


def test_a_decision_can_be_taken_back(client: Any, tmp_path: Path) -> None:
    client.post("/decide", data=form(client))
    client.post("/decide", data=form(client, action="withdraw"))
    with Store(tmp_path / class_files.JOURNAL) as store:
        assert store.decisions() == ()


@pytest.mark.parametrize("points", ["", "lots", "-1", "99"])
def test_points_that_cannot_be_are_refused_with_a_reason(client: Any, points: str) -> None:
    answer = client.post("/decide", data=form(client, points=points))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_forged_form_has_no_effect(client: Any, tmp_path: Path) -> None:
    good = form(client)
    assert client.post("/decide", data={**good, "token": "x"}).status_code == 403
    client.cookies.clear()
    assert client.post("/decide", data=good).status_code == 403
    assert client.post("/decide", content=b"x" * 200_000).status_code == 403
    with Store(tmp_path / class_files.JOURNAL) as store:
        assert store.decisions() == ()


def test_another_host_name_is_refused(client: Any) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_an_item_that_is_not_there_is_not_found(client: Any) -> None:
    assert client.get(pages.item_url("lovelace_ada", "9z")).status_code == 404
