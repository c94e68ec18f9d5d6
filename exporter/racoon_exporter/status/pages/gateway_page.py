"""The page of gateways: searched, the worst first, a page at a time. Pure; a list of gateways in, HTML out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final, NamedTuple
from urllib.parse import urlencode

from racoon_exporter.status.overview.gateway_list import GatewayList, GatewayView
from racoon_exporter.status.overview.view import STATES, State
from racoon_exporter.status.pages.card import WORDS
from racoon_exporter.status.pages.context import NOTHING, table
from racoon_exporter.wording.markup import Child, Html, element
from racoon_exporter.wording.reasons import explain
from racoon_exporter.wording.words import ago, count, moment

ROWS: Final = 100
"""Gateways on one page."""
_DAEMONS: Final = {"running": "running", "stopped": "not running", "unheard": "not heard of"}
_HEADS: Final = ("Gateway", "State", "Peers", "Worst peer", "racoon", "Last line")


class WantedGateways(NamedTuple):
    """Which gateways are asked for."""

    text: str = ""
    state: str = ""
    offset: int = 0


def gateway_page(shown: GatewayList, wanted: WantedGateways, zone: tzinfo, assets: Mapping[str, str]) -> str:
    """Write the whole page."""
    found = shown.found(wanted.text, wanted.state)
    rows = [_row(shown, one, zone) for one in found[wanted.offset : wanted.offset + ROWS]]
    body = element(
        "body",
        element("a", "Skip to the gateways", href="#gateways", class_="skip"),
        element("header", element("h1", "Gateways"), _summary(shown)),
        element(
            "main",
            element(
                "section",
                _search(shown, wanted),
                element("p", _said(len(found), len(rows), wanted.offset), class_="more"),
                table("Gateways, the worst first", _HEADS, rows) if rows else None,
                _pages(len(found), wanted),
                id="gateways",
                tabindex=-1,
                aria_label="Gateways",
            ),
            id="main",
        ),
        element("footer", element("nav", element("a", "All peers", href="./"), aria_label="More of this exporter")),
    )
    return "<!DOCTYPE html>\n" + element("html", _head(assets), body, lang="en") + "\n"


def _head(assets: Mapping[str, str]) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", "Gateways · racoon"),
        element("link", rel="icon", type="image/svg+xml", href=assets["icon.svg"]),
        element("link", rel="stylesheet", href=assets["status.css"]),
    )


def _summary(shown: GatewayList) -> Html:
    totals = {state: number for state, number in shown.totals().items() if number}
    chips = (
        element(
            "li",
            element(
                "a",
                element("span", f"{number:,}", class_="number"),
                f" {WORDS[state][0].lower()}",
                href=_address(WantedGateways(state=state)),
                class_=f"sum {state}",
            ),
        )
        for state, number in totals.items()
    )
    return element(
        "div",
        element("p", headline(shown), class_="headline"),
        element("ul", chips, aria_label="Gateways by state") if totals else None,
        id="summary",
    )


def headline(shown: GatewayList) -> str:
    """Say how it stands, in a sentence."""
    number, troubled = len(shown.gateways), shown.totals()
    if not number:
        return "No gateway was heard of, and none is configured."
    if troubled["down"]:
        return f"{count(troubled['down'], 'gateway')} of {number:,} {_has(troubled['down'])} an expected peer that is down."
    if troubled["unknown"]:
        return f"Of {count(troubled['unknown'], 'gateway')} of {number:,} nothing is known."
    return f"No expected peer is down at {'the gateway' if number == 1 else f'any of {number:,} gateways'}."


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def _search(shown: GatewayList, wanted: WantedGateways) -> Html:
    states: dict[str, str] = {"": "All states"}
    states |= {state: f"{WORDS[state][0]} ({number:,})" for state, number in shown.totals().items() if number}
    options = (element("option", text, value=value, selected=value == wanted.state) for value, text in states.items())
    return element(
        "form",
        element("label", "Find a gateway", for_="q"),
        element("input", id="q", name="q", type="search", value=wanted.text, autocomplete="off", maxlength=100),
        element("label", "State", class_="hidden", for_="state"),
        element("select", options, id="state", name="state"),
        element("button", "Find"),
        element("a", "Show all", href="./gateways") if wanted.text or wanted.state else None,
        role="search",
        action="./gateways",
    )


def _said(found: int, rows: int, offset: int) -> str:
    if not rows:
        return "No gateway is found so."
    if rows == found:
        return f"{count(found, 'gateway')}, the worst first."
    return f"{offset + 1:,} to {offset + rows:,} of {count(found, 'gateway')}, the worst first."


def _row(shown: GatewayList, one: GatewayView, zone: tzinfo) -> list[Child]:
    word, sign = WORDS[one.state]
    mark = element("span", sign, aria_hidden="true")
    badge = element("span", mark, word, class_=f"badge {one.state}", title=STATES[one.state])
    return [
        element("a", one.name or NOTHING, href=f"./?{urlencode({'gateway': one.name})}"),
        badge,
        _peers(one),
        _worst(one),
        f"{_DAEMONS[one.daemon]}{', logs too little' if one.quiet and one.daemon != 'unheard' else ''}",
        NOTHING if one.last_line is None else f"{moment(one.last_line, zone)} ({ago(one.last_line, shown.now)})",
    ]


def _peers(one: GatewayView) -> str:
    parts = [f"{number} {_word(state)}" for state, number in one.peers.items()]
    if one.strangers:
        parts.append(count(one.strangers, "stranger"))
    return ", ".join(parts) or NOTHING


def _word(state: State) -> str:
    return WORDS[state][0].lower()


def _worst(one: GatewayView) -> Child:
    worst = one.worst
    if worst is None or worst.state == "up":
        return NOTHING
    if worst.trouble is None:
        return worst.name
    told = explain(worst.trouble.reason, worst.trouble.phase)
    return (worst.name, ": ", element("a", worst.trouble.reason, href=told.runbook, title=told.gloss))


def _pages(found: int, wanted: WantedGateways) -> Child:
    before, after = wanted.offset - ROWS, wanted.offset + ROWS
    links: list[Child] = []
    if wanted.offset:
        links.append(element("a", "Those before", href=_address(wanted._replace(offset=max(0, before))), rel="prev"))
    if after < found:
        links += [" ", element("a", "Those after", href=_address(wanted._replace(offset=after)), rel="next")]
    return element("nav", links, aria_label="Pages") if links else None


def _address(wanted: WantedGateways) -> str:
    asked = {"q": wanted.text, "state": wanted.state, "offset": str(wanted.offset or "")}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"./gateways?{query}" if query else "./gateways"


__all__ = ["ROWS", "WantedGateways", "gateway_page", "headline"]
