"""The status page: what a person wants to know at three in the morning, problems first. Pure; text in, HTML out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import blake2b
from itertools import groupby
from typing import Final

from racoon_exporter import __version__
from racoon_exporter.sa import IpsecSa, IsakmpSa
from racoon_exporter.status.drawing import HATCH, axis, timeline
from racoon_exporter.status.facts import DaemonFacts
from racoon_exporter.status.markup import Child, Html, element
from racoon_exporter.status.reasons import ENDINGS, RUNBOOKS, explain, runbook
from racoon_exporter.status.ring import Entry
from racoon_exporter.status.trust import Doubt, doubts
from racoon_exporter.status.view import STATES, Failure, Overview, PeerView, State, expected_expiry, recent_failures, totals
from racoon_exporter.status.words import ago, count, moment
from racoon_parsers.reasons import severity_and_reason

MOST_PEERS: Final = 200
"""Peers on one page; the most urgent ones. The search reaches the others."""
MOST_STRANGERS: Final = 50
MOST_FAILURES: Final = 20
MOST_MESSAGES: Final = 20
MOST_SAS: Final = 50
"""SAs shown of one peer."""

_WORDS: Final[dict[State, tuple[str, str]]] = {
    "down": ("Down", "✕"),
    "failing": ("Failing", "!"),
    "gone": ("No longer up", "↓"),
    "up": ("Up", "✓"),
    "idle": ("Not connected", "○"),
}
"""A state in a word, and a sign beside it; nothing is told by colour alone."""
_KINDS: Final = {
    "permanent": "expected",
    "roaming": "expected, comes and goes",
    "unexpected": "not configured here",
    "stranger": "stranger",
}
_OPEN: Final = frozenset({"down", "failing"})
"""States whose peers show everything at once."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the page needs besides the overview."""

    zone: tzinfo
    telemetry_path: str
    assets: dict[str, str]
    """Address of each asset, by name."""
    query: str = ""
    """What is searched for."""


def page(shown: Overview, newest: Sequence[Entry], setting: Setting) -> str:
    """Write the whole page."""
    writer = _Writer(shown, setting)
    return "<!DOCTYPE html>\n" + element("html", writer.head(), writer.body(newest), lang="en") + "\n"


def matches(peer: PeerView, query: str) -> bool:
    """Whether a search finds a peer: by name, address or gateway."""
    wanted = query.casefold()
    return any(wanted in text.casefold() for text in (peer.name, peer.address, peer.gateway))


class _Writer:
    """Writes the parts of one page."""

    def __init__(self, shown: Overview, setting: Setting) -> None:
        self._shown = shown
        self._setting = setting
        self._zone = setting.zone
        self._several = len({peer.gateway for peer in shown.peers}) > 1
        self._found = [peer for peer in shown.peers if matches(peer, setting.query)]
        self._totals = totals(shown.peers)
        self._doubts = doubts(shown.facts, shown.now)

    # frame

    def head(self) -> Html:
        down, failing = self._totals["down"], self._totals["failing"]
        urgent = [text for number, text in ((down, f"{down} down"), (failing, f"{failing} failing")) if number]
        assets = self._setting.assets
        return element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("title", f"{', '.join(urgent)} · racoon" if urgent else "racoon"),
            element("link", rel="icon", type="image/svg+xml", href=assets["icon.svg"]),
            element("link", rel="stylesheet", href=assets["status.css"]),
            element("script", src=assets["status.js"], defer=True),
        )

    def body(self, newest: Sequence[Entry]) -> Html:
        return element(
            "body",
            element("a", "Skip to the peers", href="#peers", class_="skip"),
            HATCH,
            self._header(),
            element(
                "main",
                self._banners(),
                self._peers(),
                self._unattributed(),
                self._strangers(),
                self._failures(),
                self._messages(newest),
                self._daemons(),
                self._sources(),
                id="main",
            ),
            self._footer(),
        )

    def _header(self) -> Html:
        shown = self._shown
        return element(
            "header",
            element("div", element("h1", "racoon"), self._summary(), class_="title"),
            element(
                "div",
                element("p", "As of ", self._at(shown.now, relative=False), id="as-of"),
                element("p", id="connection", role="status"),
                class_="updated",
                id="updated",
            ),
        )

    def _summary(self) -> Html:
        parts = [
            element("li", element("span", str(number), class_="number"), f" {_WORDS[state][0].lower()}", class_=f"sum {state}")
            for state, number in self._totals.items()
            if number or state in {"down", "up"}
        ]
        return element("ul", parts, id="summary", aria_live="polite", aria_atomic="true", aria_label="Peers by state")

    def _footer(self) -> Html:
        links = (
            (self._setting.telemetry_path.lstrip("/"), "Metrics"),
            ("api/v1/peers", "Peers as JSON"),
            ("api/v1/openapi.json", "API description"),
            ("-/ready", "Readiness"),
            (RUNBOOKS, "Runbooks"),
        )
        return element(
            "footer",
            element(
                "nav",
                element("ul", (element("li", element("a", text, href=href)) for href, text in links)),
                aria_label="More of this exporter",
            ),
            element("p", f"racoon-exporter {__version__}. Times are the log's, in its zone."),
        )

    # what to believe

    def _banners(self) -> Html:
        return element(
            "section",
            element("h2", "Can this be trusted?", class_="hidden"),
            map(_banner, self._doubts) if self._doubts else element("p", "The log is being written, read and understood."),
            id="trust",
            class_="trust" if self._doubts else "trust calm hidden",
        )

    # peers

    def _peers(self) -> Html:
        found = [peer for peer in self._found if peer.kind != "stranger"]
        first = found[:MOST_PEERS]
        groups = [self._group(state, list(peers)) for state, peers in groupby(first, key=lambda peer: peer.state)]
        return element(
            "section",
            element("div", element("h2", "Peers"), self._search(), class_="heading"),
            groups or element("p", self._nobody(), class_="empty"),
            element("p", f"{len(found) - MOST_PEERS} more are not shown; search for them by name or address.", class_="more")
            if len(found) > MOST_PEERS
            else None,
            id="peers",
            tabindex=-1,
            aria_label="Peers",
        )

    def _nobody(self) -> str:
        if self._setting.query:
            return f"No peer's name, address or gateway contains “{self._setting.query}”."
        return "No peer was seen in the log, and none is configured."

    def _search(self) -> Child:
        if len(self._shown.peers) < 2 and not self._setting.query:  # noqa: PLR2004  one peer needs no search
            return None
        return element(
            "form",
            element("label", "Find a peer", for_="q"),
            element("input", id="q", name="q", type="search", value=self._setting.query, autocomplete="off", maxlength=100),
            element("button", "Find"),
            element("a", "Show all", href="./") if self._setting.query else None,
            role="search",
            action="./",
        )

    def _group(self, state: State, peers: list[PeerView]) -> Html:
        word, _ = _WORDS[state]
        name = f"state-{state}"
        return element(
            "section",
            element("h3", word, element("span", f" ({self._totals[state]})", class_="muted"), id=f"{name}-title"),
            map(self._peer, peers),
            id=name,
            class_="group",
            aria_labelledby=f"{name}-title",
        )

    def _peer(self, peer: PeerView) -> Html:
        name = _identifier(peer)
        return element(
            "article",
            element(
                "div",
                _badge(peer.state),
                element("h4", peer.name, id=f"{name}-name"),
                element("span", self._which(peer), class_="muted"),
                class_="who",
            ),
            element("p", self._since(peer), class_="since"),
            self._ending(peer) if not peer.phase2_up else None,
            self._trouble(peer),
            self._timeline(peer),
            self._sas(peer),
            id=name,
            class_=f"peer {peer.state}",
            aria_labelledby=f"{name}-name",
        )

    def _which(self, peer: PeerView) -> str:
        parts = [peer.address] if peer.name != peer.address else []
        parts += [f"on {peer.gateway}"] if self._several and peer.gateway else []
        parts.append(_KINDS[peer.kind])
        if peer.nat:
            parts.append("behind NAT")
        return " · ".join(parts)

    def _since(self, peer: PeerView) -> Child:
        up = "up" if peer.phase2_up else "down" if peer.state == "down" else "not up"
        phase1 = "an ISAKMP SA is alive" if peer.isakmp else "no ISAKMP SA"
        half = "" if peer.phase2_up else _half(peer)
        if peer.since is not None:
            when: Child = (f"{up.capitalize()} since ", self._at(peer.since))
        elif self._shown.facts.known_from is not None:
            when = ("Never up since the log begins, ", self._at(self._shown.facts.known_from))
        else:
            when = "Never up"
        return (when, f"; {phase1}{half}.")

    def _ending(self, peer: PeerView) -> Child:
        end = peer.last_end
        if end is None:
            return None
        when: Child = None if end.time is None else (", ", self._at(end.time))
        return element("p", f"The last IPsec SA ended: {ENDINGS.get(end.cause, end.cause)}", when, ".")

    def _trouble(self, peer: PeerView) -> Child:
        failure = peer.last_failure
        if failure is None:
            return None
        told = self._failure(failure, peer)
        if peer.state in _OPEN:
            return element("div", element("h5", "Last failure"), told, class_="failure")
        return element(
            "details",
            element("summary", f"Last failure: {failure.reason}", self._ago(failure.time)),
            told,
            class_="failure",
            id=f"{_identifier(peer)}-failure",
        )

    def _failure(self, failure: Failure, peer: PeerView) -> Child:
        told = failure.explanation
        number = peer.failures[failure.phase].get(failure.reason, 0)
        times = f" ({count(number, 'time')} in all)" if number > 1 else ""
        when: Child = None if failure.time is None else (", ", self._at(failure.time))
        return (
            element("p", f"Phase {failure.phase}: ", element("strong", failure.reason), f"{times}", when, ". ", told.gloss),
            element(
                "p",
                element("strong", "What to do: "),
                told.advice,
                " ",
                element("a", "Runbook", element("span", f" for {failure.reason}", class_="hidden"), href=told.runbook),
            ),
        )

    def _timeline(self, peer: PeerView) -> Html:
        spans = self._shown.timeline(peer)
        return element(
            "div",
            timeline(spans, self._zone, outage=peer.kind in {"permanent", "unexpected"}),
            axis(spans[0].begin, spans[-1].end, self._zone),
            class_="day",
        )

    def _sas(self, peer: PeerView) -> Child:
        if not peer.isakmp and not peer.ipsec:
            return None
        numbers = f"{count(len(peer.isakmp), 'ISAKMP SA')}, {count(len(peer.ipsec), 'IPsec SA')}"
        rows = [*map(self._isakmp, peer.isakmp[:MOST_SAS]), *map(self._ipsec, peer.ipsec[:MOST_SAS])]
        left = len(peer.isakmp) + len(peer.ipsec) - len(rows)
        return element(
            "details",
            element("summary", numbers),
            _table(f"SAs with {peer.name}", ("SA", "State", "Established", "Expected expiry"), rows),
            element("p", f"{left} more are not shown.") if left else None,
            id=f"{_identifier(peer)}-sas",
        )

    def _isakmp(self, sa: IsakmpSa) -> list[Child]:
        text = " ".join(word for word in ("ISAKMP", sa.role or "", sa.exchange or "") if word)
        return [(text, element("code", sa.cookies)), sa.state, self._at(sa.established), self._at(expected_expiry(sa))]

    def _ipsec(self, sa: IpsecSa) -> list[Child]:
        way = {"in": " inbound", "out": " outbound"}.get(sa.direction or "", "")
        text = f"{sa.protocol}{f' {sa.mode}' if sa.mode else ''}{way}"
        return [(text, element("code", f"0x{sa.spi:08x}")), sa.state, self._at(sa.established), self._at(expected_expiry(sa))]

    # what no expected peer explains

    def _unattributed(self) -> Child:
        rows: list[list[Child]] = [
            [one.gateway or "-", one.peer, f"{phase}", reason, str(number)]
            for one in self._shown.unattributed
            for phase, reasons in sorted(one.failures.items())
            for reason, number in sorted(reasons.items())
        ]
        if not rows:
            return None
        return element(
            "section",
            element("h2", "Failures of no known peer"),
            element(
                "p",
                "No line tells whose these were (unattributed), or their peers are beyond the limit (other). "
                "They may belong to a peer above.",
            ),
            _table("Failures of no known peer", ("Gateway", "Counted under", "Phase", "Reason", "Failures"), rows),
            id="unattributed",
            aria_label="Failures of no known peer",
        )

    def _strangers(self) -> Child:
        strangers = [peer for peer in self._found if peer.kind == "stranger"]
        if not strangers:
            return None
        rows = [self._stranger(peer) for peer in strangers[:MOST_STRANGERS]]
        return element(
            "details",
            element("summary", element("h2", count(len(strangers), "stranger"))),
            element("p", "Nobody configured them and they never completed a phase 1: mostly scanners of the internet."),
            _table("Strangers", ("Address", "Last seen", "Last failure", "Failures"), rows),
            element("p", f"{len(strangers) - MOST_STRANGERS} more are not shown.") if len(strangers) > MOST_STRANGERS else None,
            id="strangers",
            class_="fold",
        )

    def _stranger(self, peer: PeerView) -> list[Child]:
        reason = "-" if peer.last_failure is None else peer.last_failure.reason
        number = sum(sum(reasons.values()) for reasons in peer.failures.values())
        return [peer.address, self._at(peer.last_seen), reason, str(number)]

    def _failures(self) -> Child:
        names = {peer.address for peer in self._found} if self._setting.query else None
        every = self._shown.facts.negotiations
        recent = recent_failures((one for one in every if names is None or one.peer in names), MOST_FAILURES)
        rows: list[list[Child]] = [
            [
                self._at(one.ended),
                self._shown.name_of(one.peer),
                f"{one.phase}",
                one.role or "-",
                element("a", one.reason or "unknown", href=explain(one.reason or "unknown", one.phase).runbook),
                explain(one.reason or "unknown", one.phase).gloss,
            ]
            for one in recent
        ]
        return element(
            "section",
            element("h2", "Recent failures"),
            _table("Recent failures", ("Ended", "Peer", "Phase", "Role", "Reason", "Meaning"), rows)
            if rows
            else element("p", "No negotiation failed, as far as is remembered.", class_="empty"),
            id="failures",
            aria_label="Recent failures",
        )

    def _messages(self, newest: Sequence[Entry]) -> Child:
        rows = [row for entry in newest if (row := self._message(entry)) is not None][:MOST_MESSAGES]
        if not rows:
            return None
        return element(
            "details",
            element("summary", element("h2", "Recent messages of racoon")),
            element(
                "p", "Warnings and errors since this exporter started, as racoon wrote them. Peers choose parts of the text."
            ),
            _table("Recent messages of racoon", ("Time", "Severity", "Message", "Meaning"), rows),
            id="messages",
            class_="fold",
        )

    def _message(self, entry: Entry) -> list[Child] | None:
        record = entry.record
        if record.message is None:
            return None
        severity, _ = severity_and_reason(record.message, record.event)
        if severity in {"info", "notice"}:
            return None
        return [self._at(record.time), severity, element("code", record.text), record.message.gloss]

    # what it comes from

    def _daemons(self) -> Child:
        rows = [self._daemon(daemon) for daemon in self._shown.facts.daemons]
        if not rows:
            return None
        return element(
            "section",
            element("h2", "racoon"),
            _table("Daemons", ("Daemon", "State", "Started", "Version", "Last line"), rows),
            id="daemons",
            aria_label="racoon",
        )

    def _daemon(self, daemon: DaemonFacts) -> list[Child]:
        run = daemon.run
        state = "running" if run is not None else "not running" if daemon.stopped else "running, started before the log begins"
        started = None if run is None else run.started
        return [daemon.name, state, self._at(started), (run.version if run is not None else None) or "-", self._at(daemon.now)]

    def _sources(self) -> Html:
        facts = self._shown.facts
        rows: list[list[Child]] = [
            [
                status.name,
                "readable" if status.up else f"not readable: {status.error or 'not there'}",
                self._at(facts.last_line.get(status.name)),
                f"{status.lines:,}",
                f"{status.lag_bytes:,}",
                f"{status.lost_bytes:,}",
                str(status.rotations),
            ]
            for status in facts.sources
        ]
        unknown = f"{count(facts.unknown_messages, 'message')} of racoon not understood."
        more: Child = (" ", element("a", "Runbook", href=runbook("RacoonUnknownMessages"))) if facts.unknown_messages else None
        heads = ("Source", "State", "Newest line", "Lines", "Bytes to read", "Bytes lost", "Rotations")
        return element(
            "section",
            element("h2", "Where this comes from"),
            _table("Sources", heads, rows) if rows else element("p", "No source."),
            element("p", unknown, more),
            id="sources",
            aria_label="Where this comes from",
        )

    # times

    def _at(self, time: float | None, *, relative: bool = True) -> Child:
        if time is None:
            return "not known"
        text = moment(time, self._zone)
        stamp = element("time", text, datetime=text.replace(" ", "T", 1).replace(" ", ""))
        return (stamp, self._ago(time)) if relative else stamp

    def _ago(self, time: float | None) -> Child:
        return None if time is None else (" ", element("span", f"({ago(time, self._shown.now)})", class_="ago"))


def _identifier(peer: PeerView) -> str:
    """Give an id of harmless characters that stays the same."""
    return "p" + blake2b("\0".join(peer.key).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _badge(state: State) -> Html:
    word, sign = _WORDS[state]
    return element(
        "span", element("span", sign, aria_hidden="true", class_="sign"), word, class_=f"badge {state}", title=STATES[state]
    )


def _half(peer: PeerView) -> str:
    """Say when one direction lives: that is no working phase 2."""
    if peer.alive("in") and not peer.alive("out"):
        return ", an IPsec SA only inbound"
    return ", an IPsec SA only outbound" if peer.alive("out") and not peer.alive("in") else ""


def _banner(doubt: Doubt) -> Html:
    return element(
        "div",
        element("p", element("strong", ("Warning: " if doubt.serious else "Note: ") + doubt.title)),
        element("p", doubt.text, (" ", element("a", "Runbook", href=doubt.runbook)) if doubt.runbook else None),
        class_=f"banner {'serious' if doubt.serious else 'note'}",
    )


def _table(caption: str, heads: Iterable[str], rows: Iterable[Sequence[Child]]) -> Html:
    """Write a table that scrolls by itself where the page is narrow, by keyboard, too."""
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", (element("th", head, scope="col") for head in heads))),
            element("tbody", map(_row, rows)),
        ),
        class_="scroll",
        role="region",
        aria_label=f"Table: {caption}",
        tabindex=0,
    )


def _row(cells: Sequence[Child]) -> Html:
    return element("tr", element("th", cells[0], scope="row"), (element("td", cell) for cell in cells[1:]))
