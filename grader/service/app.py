"""The review service: three routes, decisions into the journal.  Needs the extra `service`.

Only this machine may talk to it: it listens on 127.0.0.1, refuses other Host headers (a page elsewhere cannot reach it
by a name that resolves here), and a form counts only with the token of this run in both the form and a cookie.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from grader import class_files
from grader.model import Decision
from grader.reporting import review
from grader.service import pages
from grader.store import Store

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HOST = "127.0.0.1"
COOKIE = "grader_review"
LONGEST_REASON = 2_000
LONGEST_FORM = 64 * 1024  # bytes of a request's body
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def make_app(out: Path) -> Starlette:
    """The service for one class's folder.  Errors: StoreError when there is no journal."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.routing import Route

    Store(out / class_files.JOURNAL, create=False).close()
    desk = Desk(out, secrets.token_urlsafe(32))
    return Starlette(
        routes=[
            Route("/", desk.show_list),
            Route("/item", desk.show_item),
            Route("/decide", desk.decide, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
    )


class Desk:
    """The pages of one class.  Each request opens the journal anew, so that a batch may run beside it."""

    def __init__(self, out: Path, token: str) -> None:
        self._out = out
        self._token = token

    def _open(self) -> Store:
        return Store(self._out / class_files.JOURNAL, create=False)

    def _page(self, text: str, status: int = 200) -> Response:
        from starlette.responses import HTMLResponse

        response = HTMLResponse(text, status, HEADERS)
        response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
        return response

    def show_list(self, request: Request) -> Response:
        with self._open() as store:
            reports, title = class_files.read_reports(store), store.setting("title", "Class")
        return self._page(pages.pending_list(title, reports, "all" in request.query_params))

    def show_item(self, request: Request) -> Response:
        return self._item(request.query_params.get("student", ""), request.query_params.get("item", ""))

    def _item(self, student: str, item: str, error: str = "", status: int = 200) -> Response:
        from starlette.responses import PlainTextResponse

        with self._open() as store:
            reports, title = class_files.read_reports(store), store.setting("title", "Class")
        found = pages.find_line(reports, student, item)
        if found is None:
            return PlainTextResponse("There is no such item.", 404, HEADERS)
        after = pages.upcoming(reports, student, item)
        return self._page(pages.item_page(title, *found, self._token, after, error), status)

    async def decide(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import PlainTextResponse

        words = await _form(request)
        cookie = request.cookies.get(COOKIE, "")
        if not (self._is_ours(words.get("token", "")) and self._is_ours(cookie)):
            return PlainTextResponse("This form was not made by this run of `grader serve`.  Reload it.", 403, HEADERS)
        return await run_in_threadpool(self._take_in, words)

    def _is_ours(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())

    def _take_in(self, words: dict[str, str]) -> Response:
        from starlette.responses import RedirectResponse

        student, item = words.get("student", ""), words.get("item", "")
        with self._open() as store:
            reports = class_files.read_reports(store)
            report = next((r for r in reports if r.student == student), None)
            if words.get("action") == "withdraw":
                store.undecide(student, item)
            else:
                points = review.parse_points(words.get("points", ""))
                if points is None:
                    return self._item(student, item, "Points are a number such as 2, 1.5 or 3/2.", 422)
                reason = words.get("reason", "").strip()[:LONGEST_REASON]
                decision = Decision(student, item, points, reason, words.get("by", "").strip()[:100])
                why = review.admit(decision, report)
                if why:
                    return self._item(student, item, why[:1].upper() + why[1:], 422)
                store.decide([decision])
            class_files.write_class(self._out, store, store.setting("title", "Class"))
            after = pages.upcoming(class_files.read_reports(store), student, item)
        return RedirectResponse(after, 303, HEADERS)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, the first value of each; nothing when it is too large or malformed."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            return {}
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def run(out: Path, port: int) -> None:
    """Serve until stopped."""
    import uvicorn

    uvicorn.run(make_app(out), host=HOST, port=port, log_level="warning", server_header=False)


def missing() -> str:
    """What to install when the extra is not there; empty when it is."""
    from importlib.util import find_spec

    absent = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    return "" if not absent else f"{', '.join(absent)}: not installed.  pip install 'gradient-grader[service]'"
