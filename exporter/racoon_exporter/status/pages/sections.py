"""The parts of the page below the peers: doubts, strangers, failures, messages, daemons, sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from racoon_exporter.sa import Negotiation
from racoon_exporter.status.overview.event_ring import Entry
from racoon_exporter.status.overview.facts import DaemonFacts
from racoon_exporter.status.overview.trust import Doubt
from racoon_exporter.status.overview.view import PeerView, recent_failures
from racoon_exporter.status.pages.context import NOTHING, PageContext, table
from racoon_exporter.wording.markup import Child, Html, element
from racoon_exporter.wording.reasons import explain, runbook
from racoon_exporter.wording.words import count
from racoon_parsers.reasons import severity_and_reason

MOST_STRANGERS: Final = 50
MOST_DAEMONS: Final = 100
MOST_DOUBTS: Final = 20
MOST_ROWS: Final = 20
"""Rows of the tables of failures and messages."""
_FAILURES_LOOKED_AT: Final = 500
"""Failures that are folded into these rows."""
_WORTH_SHOWING: Final = frozenset({"warning", "error", "critical"})


def trust(doubts: Sequence[Doubt]) -> Html:
    """Write what speaks against believing the page."""
    calm = element("p", "The log is being read and understood.", class_="hidden")
    return element(
        "section",
        element("h2", "Can this be trusted?", class_="hidden"),
        (map(_banner, doubts[:MOST_DOUBTS]), _more_doubts(len(doubts) - MOST_DOUBTS)) if doubts else calm,
        id="trust",
        class_="trust" if doubts else "hidden",
        aria_label="Can this be trusted?",
    )


def _more_doubts(left: int) -> Child:
    if left <= 0:
        return None
    return element("p", f"{count(left, 'more doubt')}: see the ", element("a", "gateways", href="gateways"), ".")


def _banner(doubt: Doubt) -> Html:
    link: Child = (" ", element("a", "Runbook", href=doubt.runbook)) if doubt.runbook else None
    return element(
        "div",
        element("p", element("strong", ("Warning: " if doubt.serious else "Note: ") + doubt.title)),
        element("p", doubt.text, link),
        class_=f"banner {'serious' if doubt.serious else 'note'}",
    )


def unattributed(context: PageContext) -> Child:
    """Say openly which failures no line ties to a peer."""
    rows: list[list[Child]] = [
        [one.peer, one.gateway or NOTHING, str(phase), reason, str(number)]
        for one in context.shown.unattributed
        for phase, reasons in sorted(one.failures.items())
        for reason, number in sorted(reasons.items())
    ]
    if not rows:
        return None
    return _section(
        "unattributed",
        "Failures of no known peer",
        element(
            "p",
            "No line tells whose these were (unattributed), or their peers are beyond the limit (other). "
            "They may belong to a peer above.",
        ),
        table("Failures of no known peer", ("Counted under", "Gateway", "Phase", "Reason", "Failures"), rows),
    )


def strangers(context: PageContext) -> Child:
    """Write the peers that nobody knows, folded."""
    found = [peer for peer in context.found if peer.kind == "stranger"]
    if not found:
        return None
    rows = [_stranger(context, peer) for peer in found[:MOST_STRANGERS]]
    left = len(found) - len(rows)
    return element(
        "details",
        element("summary", element("h2", count(len(found), "stranger"))),
        element("p", "Nobody configured them and they never completed a phase 1: mostly scanners of the internet."),
        table("Strangers", ("Address", "Last seen", "Last failure", "Failures"), rows),
        element("p", f"{left} more are not shown.") if left else None,
        id="strangers",
        class_="fold",
    )


def _stranger(context: PageContext, peer: PeerView) -> list[Child]:
    reason = NOTHING if peer.last_failure is None else peer.last_failure.reason
    number = sum(sum(reasons.values()) for reasons in peer.failures.values())
    return [peer.address, context.at(peer.last_seen), reason, str(number)]


class _Folded(NamedTuple):
    """Failures of one peer in one phase for one reason."""

    newest: Negotiation
    oldest: Negotiation
    number: int


def failures(context: PageContext) -> Html:
    """Write the recent failures, those that repeat in one row."""
    keys = {peer.key for peer in context.found} if any(context.wanted) else None
    every = (one for one in context.shown.facts.negotiations if keys is None or (one.gateway, one.peer) in keys)
    items = [_failure(context, one) for one in _fold(recent_failures(every)[:_FAILURES_LOOKED_AT])[:MOST_ROWS]]
    return _section(
        "failures",
        "Recent failures",
        element("ul", items, class_="failures")
        if items
        else element("p", "No negotiation failed, as far as is remembered.", class_="empty"),
    )


def _fold(newest_first: Iterable[Negotiation]) -> list[_Folded]:
    folded: dict[tuple[str, str, int, str | None, str | None], _Folded] = {}
    for one in newest_first:
        key = one.gateway, one.peer, one.phase, one.reason, one.told_by
        known = folded.get(key)
        folded[key] = _Folded(one, one, 1) if known is None else _Folded(known.newest, one, known.number + 1)
    return list(folded.values())


def _failure(context: PageContext, folded: _Folded) -> Html:
    newest = folded.newest
    reason = newest.reason or "unknown"
    told = explain(reason, newest.phase, told_by=newest.told_by)
    name = context.shown.name_of(newest.gateway, newest.peer)
    where = f" on {newest.gateway}" if len(context.gateways) > 1 and newest.gateway else ""
    often: Child = (
        (f"{folded.number:,} times since ", context.at(folded.oldest.ended), ", last ") if folded.number > 1 else None
    )
    return element(
        "li",
        element(
            "p",
            element("strong", name),
            f"{where}: phase {newest.phase}, ",
            element("a", reason, href=told.runbook),
            class_="what",
        ),
        element("p", often, context.at(newest.ended), class_="muted"),
        element("p", told.gloss),
    )


def messages(context: PageContext, newest: Sequence[Entry]) -> Child:
    """Write racoon's own warnings and errors, those that repeat in one row; folded."""
    folded: dict[tuple[str, str], tuple[Entry, str, int]] = {}
    for entry in newest:
        severity = _severity(entry)
        if severity in _WORTH_SHOWING and entry.record.message is not None:
            key = entry.record.message.template, entry.record.tag
            first, _, number = folded.get(key, (entry, severity, 0))
            folded[key] = first, severity, number + 1
    if not folded:
        return None
    rows = [_message(context, *told) for told in list(folded.values())[:MOST_ROWS]]
    return element(
        "details",
        element("summary", element("h2", "Recent messages of racoon")),
        element("p", "Warnings and errors since this exporter started, in racoon's words. Peers choose parts of these texts."),
        table("Recent messages of racoon", ("Message", "Severity", "Times", "Last", "Meaning"), rows),
        id="messages",
        class_="fold",
    )


def _severity(entry: Entry) -> str:
    message = entry.record.message
    return "info" if message is None else severity_and_reason(message, entry.record.event)[0]


def _message(context: PageContext, entry: Entry, severity: str, number: int) -> list[Child]:
    record = entry.record
    gloss = "" if record.message is None else record.message.gloss
    tag = f"[{record.tag}] " if record.tag else ""
    return [element("code", f"{tag}{record.text}"), severity, str(number), context.at(record.time), gloss]


def daemons(context: PageContext) -> Child:
    """Write every racoon that was heard."""
    wanted = [daemon for daemon in context.shown.facts.daemons if context.wanted.gateway in ("", daemon.gateway)]
    rows = [_daemon(context, daemon) for daemon in wanted[:MOST_DAEMONS]]
    if not rows:
        return None
    left = len(wanted) - len(rows)
    return _section(
        "daemons",
        "Daemons",
        table("Daemons", ("racoon of", "State", "Started", "Version", "Last line"), rows),
        element("p", f"{left:,} more are among the ", element("a", "gateways", href="gateways"), ".") if left else None,
    )


def _daemon(context: PageContext, daemon: DaemonFacts) -> list[Child]:
    run = daemon.run
    if run is None:
        state = "not running" if daemon.stopped else "running, started before the log begins"
        return [daemon.name, state, context.at(None), NOTHING, context.at(daemon.now)]
    return [daemon.name, "running", context.at(run.started), run.version or NOTHING, context.at(daemon.now)]


def sources(context: PageContext) -> Html:
    """Write how reading the logs goes."""
    facts = context.shown.facts
    rows: list[list[Child]] = [
        [
            status.name,
            "readable" if status.up else f"not readable: {status.error or 'not there'}",
            context.at(facts.last_line.get(status.name)),
            f"{status.counts.lines:,}",
            f"{status.lag_bytes:,}",
            f"{status.counts.lost_bytes:,}",
            f"{status.counts.rotations:,}",
        ]
        for status in facts.sources
    ]
    link: Child = (" ", element("a", "Runbook", href=runbook("RacoonUnknownMessages"))) if facts.unknown_messages else None
    heads = ("Source", "State", "Newest line", "Lines", "Bytes to read", "Bytes lost", "Rotations")
    return _section(
        "sources",
        "Where this comes from",
        table("Sources", heads, rows) if rows else element("p", "No source."),
        element("p", f"{count(facts.unknown_messages, 'message')} of racoon not understood.", link, class_="more"),
    )


def _section(name: str, title: str, *children: Child) -> Html:
    return element("section", element("h2", title), children, id=name, aria_label=title)
