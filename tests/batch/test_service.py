"""The review service: decisions go in, forged forms and strange hosts stay out."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

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


@dataclass(frozen=True)
class Answer:
    status_code: int
    headers: dict[str, str]
    text: str


@dataclass
class Client:
    """Talks to the service without a server or a network; keeps the cookie."""

    app: Any
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return self._ask("GET", path, b"", headers or {})

    def post(self, path: str, data: dict[str, str] | None = None, content: bytes = b"") -> Answer:
        body = urlencode(data).encode() if data else content
        return self._ask("POST", path, body, {"content-type": "application/x-www-form-urlencoded"})

    def _ask(self, method: str, address: str, body: bytes, headers: dict[str, str]) -> Answer:
        path, _, query = address.partition("?")
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"host": "127.0.0.1", "cookie": cookie, **headers}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "scheme": "http",
            "server": ("127.0.0.1", 80),
        }
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        asyncio.run(self.app(scope, receive, send))
        got = {name.decode().lower(): value.decode() for name, value in said[0]["headers"]}
        if "set-cookie" in got:
            name, value = got["set-cookie"].split(";")[0].split("=", 1)
            self.cookies[name] = value
        text = b"".join(message.get("body", b"") for message in said[1:]).decode()
        return Answer(said[0]["status"], got, text)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    pytest.importorskip("starlette")
    from grader.service.app import make_app

    make_class(tmp_path)
    return Client(make_app(tmp_path))


def form(client: Client, student: str = "lovelace_ada", item: str = "1c", **fields: str) -> dict[str, str]:
    page = client.get(pages.item_url(student, item)).text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    return {"token": token.group(1), "student": student, "item": item, "points": "1", "reason": "ok", **fields}


def test_a_decision_is_kept_and_the_files_follow(client: Client, tmp_path: Path) -> None:
    answer = client.post("/decide", data=form(client, points="3/2", by="kb"))
    assert answer.status_code == 303
    assert "1c" in answer.headers["location"]
    with Store(tmp_path / class_files.JOURNAL) as store:
        assert [str(d.points) for d in store.decisions()] == ["3/2"]
    assert ",3/2,ok,kb" in (tmp_path / "review.csv").read_text()
    assert "Decided by kb" in (tmp_path / "reports" / "lovelace_ada.html").read_text()


def test_a_decision_can_be_taken_back(client: Client, tmp_path: Path) -> None:
    client.post("/decide", data=form(client))
    client.post("/decide", data=form(client, action="withdraw"))
    with Store(tmp_path / class_files.JOURNAL) as store:
        assert store.decisions() == ()


@pytest.mark.parametrize("points", ["", "lots", "-1", "99"])
def test_points_that_cannot_be_are_refused_with_a_reason(client: Client, points: str) -> None:
    answer = client.post("/decide", data=form(client, points=points))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_forged_form_has_no_effect(client: Client, tmp_path: Path) -> None:
    good = form(client)
    assert client.post("/decide", data={**good, "token": "x"}).status_code == 403
    client.cookies.clear()
    assert client.post("/decide", data=good).status_code == 403
    assert client.post("/decide", content=b"x" * 200_000).status_code == 403
    with Store(tmp_path / class_files.JOURNAL) as store:
        assert store.decisions() == ()


def test_another_host_name_is_refused(client: Client) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_an_item_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get(pages.item_url("lovelace_ada", "9z")).status_code == 404
