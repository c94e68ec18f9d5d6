"""The status page: what a person wants to know at three in the morning, problems first. Pure; an overview in, HTML out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from racoon_exporter import __version__
from racoon_exporter.status.overview.event_ring import Entry
from racoon_exporter.status.overview.trust import Doubt, doubts
from racoon_exporter.status.overview.view import Overview, PeerView, State, totals
from racoon_exporter.status.pages import sections, witnesses
from racoon_exporter.status.pages.card import WORDS, card, row
from racoon_exporter.status.pages.context import PageContext
from racoon_exporter.status.pages.drawing import HATCH, legend
from racoon_exporter.wording.markup import Child, Html, element
from racoon_exporter.wording.reasons import RUNBOOKS
from racoon_exporter.wording.words import count

MOST_PEERS: Final = 200
"""Peers on one page; the most urgent ones. The search reaches the others."""
_MOST_GATEWAYS: Final = 3
_MOST_CHOICES: Final = 100
"""Gateways in a list to choose from."""
_URGENT: Final = frozenset({"down", "failing"})
"""States that the window's title tells."""
_CALM: Final = frozenset({"up", "idle"})
"""States of peers that take a line each, below those with more to tell."""


def page(context: PageContext, newest: Sequence[Entry]) -> str:
    """Write the whole page. `newest` are the last records, the newest first."""
    return "<!DOCTYPE html>\n" + element("html", _head(context), _body(context, newest), lang="en") + "\n"


def _head(context: PageContext) -> Html:
    urgent = ", ".join(
        f"{number} {state}" for state, number in totals(context.shown.peers).items() if number and state in _URGENT
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{urgent} · racoon" if urgent else "racoon"),
        element("link", rel="icon", type="image/svg+xml", href=context.assets["icon.svg"]),
        element("link", rel="stylesheet", href=context.assets["status.css"]),
        element("script", src=context.assets["status.js"], defer=True),
    )


def _body(context: PageContext, newest: Sequence[Entry]) -> Html:
    doubted = doubts(context.shown.facts, context.shown.now)
    return element(
        "body",
        element("a", "Skip to the peers", href="#peers", class_="skip"),
        HATCH,
        _header(context, doubted),
        element(
            "main",
            sections.trust(doubted),
            _peers(context),
            sections.unattributed(context),
            sections.strangers(context),
            sections.failures(context),
            sections.messages(context, newest),
            sections.daemons(context),
            sections.sources(context),
            witnesses.section(context),
            id="main",
        ),
        _footer(context),
    )


def _header(context: PageContext, doubted: Sequence[Doubt]) -> Html:
    gateways = context.gateways
    title = "racoon" if not 0 < len(gateways) <= _MOST_GATEWAYS else f"racoon on {', '.join(gateways)}"
    return element(
        "header",
        element("h1", title),
        element(
            "div",
            element("p", "As of ", context.at(context.shown.now, relative=False), id="as-of"),
            element("p", id="connection", role="status"),
            class_="updated",
            id="updated",
        ),
        _summary(context.shown, doubted),
    )


def _summary(shown: Overview, doubted: Sequence[Doubt]) -> Html:
    """Write the counts. What stands here is read out when it changes, so no time does."""
    numbers = totals(shown.peers)
    shown_states = [state for state, number in numbers.items() if number]
    chips = (
        element(
            "li",
            element(
                "a",
                element("span", str(numbers[state]), class_="number"),
                f" {WORDS[state][0].lower()}",
                href=f"./?state={state}",
                class_=f"sum {state}",
            ),
        )
        for state in shown_states
    )
    return element(
        "div",
        element("p", headline(shown, doubted), class_="headline"),
        element("ul", chips, aria_label="Peers by state") if shown_states else None,
        id="summary",
        aria_live="polite",
        aria_atomic="true",
    )


def headline(shown: Overview, doubted: Sequence[Doubt]) -> str:
    """Say how it stands, in a sentence."""
    numbers = totals(shown.peers)
    permanent = sum(1 for peer in shown.peers if peer.kind == "permanent")
    doubt = ", as far as can be told: see the warning below" if any(doubt.serious for doubt in doubted) else ""
    if numbers["down"]:
        verb = "is" if numbers["down"] == 1 else "are"
        return f"{numbers['down']} of {count(permanent, 'expected peer')} {verb} down{doubt}."
    if numbers["unknown"]:
        return f"Of {count(numbers['unknown'], 'peer')} nothing is known: see the warning below."
    if permanent:
        said = "The expected peer is up" if permanent == 1 else f"All {permanent} expected peers are up"
        troubled = f", {numbers['failing']} with failures" if numbers["failing"] else ""
        return f"{said}{troubled}{doubt}."
    up = sum(1 for peer in shown.peers if peer.phase2_up)
    return f"{count(up, 'peer')} {'is' if up == 1 else 'are'} up{doubt}."


def _peers(context: PageContext) -> Html:
    found = [peer for peer in context.found if peer.kind != "stranger"]
    groups = [_group(context, state, list(peers)) for state, peers in groupby(found[:MOST_PEERS], key=lambda peer: peer.state)]
    left = len(found) - MOST_PEERS
    return element(
        "section",
        element("div", element("h2", "Peers"), _search(context), class_="heading"),
        legend(context.shown.now - context.shown.timeline_begins) if groups else None,
        groups or element("p", _nobody(context), class_="empty"),
        element("p", f"{left} more are not shown; search for them by name or address.", class_="more") if left > 0 else None,
        id="peers",
        tabindex=-1,
        aria_label="Peers",
    )


def _nobody(context: PageContext) -> str:
    text, state, gateway = context.wanted
    if state or gateway:
        return "No peer is found so: " + ", ".join(part for part in (f"“{text}”" if text else "", state, gateway) if part) + "."
    if text:
        return f"No peer's name, address or gateway contains “{text}”."
    return "No peer was seen in the log, and none is configured."


def _search(context: PageContext) -> Child:
    if len(context.shown.peers) < 2 and not any(context.wanted):
        return None
    numbers = totals(context.shown.peers)
    states: dict[str, str] = {state: f"{WORDS[state][0]} ({number})" for state, number in numbers.items() if number}
    return element(
        "form",
        element("label", "Find a peer", for_="q"),
        element("input", id="q", name="q", type="search", value=context.wanted.text, autocomplete="off", maxlength=100),
        _choice("state", "State", "All states", states, context.wanted.state)
        if len(states) > 1 or context.wanted.state
        else None,
        _gateway_choice(context),
        element("button", "Find"),
        element("a", "Show all", href="./") if any(context.wanted) else None,
        role="search",
        action="./",
    )


def _gateway_choice(context: PageContext) -> Child:
    """Let a gateway be chosen from a list, or looked for on a page of its own where the list would be too long."""
    gateways = context.gateways
    if len(gateways) > _MOST_CHOICES:
        gateways = []
    elif len(gateways) < 2 and not context.wanted.gateway:
        return None
    every = "All gateways"
    return (
        _choice("gateway", "Gateway", every, {name: name for name in gateways}, context.wanted.gateway)
        if gateways or context.wanted.gateway
        else None,
        element("a", every, href="gateways"),
    )


def _choice(name: str, label: str, every: str, values: Mapping[str, str], chosen: str) -> Child:
    """Write a list to choose from, with what was chosen even where it is no longer one of the values."""
    offered = {"": every, **values}
    offered.setdefault(chosen, chosen)
    options = (element("option", text, value=value, selected=value == chosen) for value, text in offered.items())
    return element("label", label, class_="hidden", for_=name), element("select", options, id=name, name=name)


def _group(context: PageContext, state: State, peers: list[PeerView]) -> Html:
    number = sum(1 for peer in context.found if peer.state == state and peer.kind != "stranger")
    title = f"state-{state}-title"
    return element(
        "section",
        element("h3", f"{WORDS[state][0]} ({number})", id=title),
        element("ul", (row(context, peer) for peer in peers), class_="rows")
        if state in _CALM
        else [card(context, peer) for peer in peers],
        id=f"state-{state}",
        class_="group",
        aria_labelledby=title,
    )


def _footer(context: PageContext) -> Html:
    links = (
        (context.telemetry_path.lstrip("/"), "Metrics"),
        ("gateways", "Gateways"),
        ("api/v1/peers", "Peers as JSON"),
        ("api/v1/openapi.json", "API description"),
        ("-/ready", "Readiness"),
        (RUNBOOKS, "Runbooks"),
    )
    items = (element("li", element("a", text, href=href)) for href, text in links)
    return element(
        "footer",
        element("nav", element("ul", items), aria_label="More of this exporter"),
        element("p", f"racoon-exporter {__version__}. Times are the log's, in its zone."),
    )


__all__ = ["MOST_PEERS", "headline", "page"]
