"""`/runbooks/…`: what to do about each alert and reason, from the exporter itself, also for a gateway without the internet.

The pages are made of docs/runbooks when the package is (tests/docs/runbook_pages.py) and lie in `runbooks` as parts of HTML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from racoon_exporter.status.responses import endpoint, page_response
from racoon_exporter.wording.markup import Child, Html, element
from racoon_exporter.wording.reasons import GENERAL, explain
from racoon_parsers.reasons import REASONS

_SUFFIX = ".html"
_ASKED_AGAIN: Final = {"Cache-Control": "no-cache"}


@cache
def names() -> tuple[str, ...]:
    """Name every runbook, in the order of the alphabet."""
    found = files(__package__ or "").joinpath("runbooks").iterdir()
    return tuple(sorted(page.name.removesuffix(_SUFFIX) for page in found if page.name.endswith(_SUFFIX)))


@cache
def content(name: str) -> Html:
    """Give the content of a runbook, which is markup of our own making."""
    return Html(files(__package__ or "").joinpath("runbooks", name + _SUFFIX).read_text(encoding="utf-8"))


def runbook_routes(assets: Mapping[str, str]) -> list[Route]:
    """Give the routes of the runbooks."""

    def listed(request: Request) -> Response:
        return page_response(request, _page("Runbooks", _list(), assets), _ASKED_AGAIN)

    def one(request: Request) -> Response:
        name = str(request.path_params["name"])
        if name not in names():
            return PlainTextResponse("There is no such runbook; see /runbooks/\n", 404)
        return page_response(request, _page(name, content(name), assets), _ASKED_AGAIN)

    def of_reason(request: Request) -> Response:
        phase, reason = request.path_params["phase"], request.path_params["reason"]
        if reason not in REASONS or phase not in GENERAL:
            return PlainTextResponse("There is no such reason; see /runbooks/\n", 404)
        return RedirectResponse(f"../../{explain(reason, phase).runbook}", 302)

    return [
        Route("/runbooks/", endpoint(listed), methods=["GET"]),
        Route("/runbooks/{phase:int}/{reason}", endpoint(of_reason), methods=["GET"]),
        Route("/runbooks/{name}", endpoint(one), methods=["GET"]),
    ]


def _page(title: str, body: Child, assets: Mapping[str, str]) -> bytes:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · racoon"),
        element("link", rel="icon", type="image/svg+xml", href=f"../{assets['icon.svg']}"),
        element("link", rel="stylesheet", href=f"../{assets['status.css']}"),
    )
    links = (("../", "Status of the peers"), ("./", "All runbooks"))
    nav = element("nav", element("ul", (element("li", element("a", text, href=href)) for href, text in links)), aria_label="Up")
    whole = element("html", head, element("body", element("header", nav), element("main", body, class_="runbook")), lang="en")
    return f"<!DOCTYPE html>\n{whole}\n".encode()


def _list() -> Html:
    """List the runbooks, each with the first sentence of what it is about."""
    items = (element("li", element("a", name, href=name), ": ", _first_sentence(content(name))) for name in names())
    return element("article", element("h1", "Runbooks"), element("ul", items))


def _first_sentence(page: Html) -> Html:
    found = re.search(r"<p>(.*?[.:])(?:\s|</)", page, re.DOTALL)
    sentence = re.sub(r"</?(?:strong|em)>", "", found[1]) if found else ""
    return Html(sentence)


__all__ = ["content", "names", "runbook_routes"]
