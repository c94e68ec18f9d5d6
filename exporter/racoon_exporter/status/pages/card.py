"""One peer on the page: its state in a word, since when, what went wrong and what to do, its day, its SAs."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from racoon_exporter.availability.peer import Availability
from racoon_exporter.sa import IpsecSa, IsakmpSa
from racoon_exporter.sa.current_reason import Trouble
from racoon_exporter.status.overview.availability import WINDOWS
from racoon_exporter.status.overview.view import STATES, PeerView, State, expected_expiry
from racoon_exporter.status.pages.context import PageContext, table
from racoon_exporter.status.pages.drawing import axis, timeline
from racoon_exporter.status.pages.witnesses import peer_line
from racoon_exporter.wording.markup import Child, Html, element
from racoon_exporter.wording.reasons import AFTER_ENDING, ENDINGS, TRYING, explain
from racoon_exporter.wording.words import count, duration, percent
from racoon_parsers.reasons import NEVER_UP

_ALL: Final = 0.99
"""A share of a time that is as good as all of it."""
MOST_SAS: Final = 50
"""SAs of each kind shown of one peer."""

WORDS: Final[dict[State, tuple[str, str]]] = {
    "down": ("Down", "✕"),
    "failing": ("Failing", "!"),
    "unknown": ("Not known", "?"),
    "gone": ("No longer up", "↓"),
    "up": ("Up", "✓"),
    "idle": ("Not connected", "○"),
}
"""A state in words, and a sign beside it; nothing is told by colour alone."""
_KINDS: Final = {
    "permanent": "expected",
    "roaming": "expected, comes and goes",
    "unexpected": "not configured here",
    "stranger": "stranger",
}


def card(context: PageContext, peer: PeerView) -> Html:
    """Write a peer."""
    name = _identifier(peer)
    return element(
        "article",
        element(
            "div",
            _badge(peer.state),
            element("h4", peer.name, id=f"{name}-name"),
            element("span", " · ".join(_which(context, peer, of_kind=True)), class_="muted"),
            class_="who",
        ),
        element("p", _since(context, peer)),
        None if peer.phase2_up else _ending(context, peer),
        _trouble(context, peer),
        _way_back(peer),
        peer_line(context, peer),
        _day(context, peer),
        _sas(context, peer),
        id=name,
        class_=f"peer {peer.state}",
        aria_labelledby=f"{name}-name",
    )


def row(context: PageContext, peer: PeerView) -> Html:
    """Write a peer that is well in a line; the rest of it is folded."""
    name = _identifier(peer)
    return element(
        "li",
        element(
            "details",
            element(
                "summary",
                element("h4", peer.name, id=f"{name}-name"),
                " ",
                element("span", " · ".join((*_which(context, peer), _short(context, peer))), class_="muted"),
            ),
            element("p", _since(context, peer)),
            None if peer.phase2_up else _ending(context, peer),
            peer_line(context, peer),
            _trouble(context, peer),
            _sas(context, peer),
            id=f"{name}-more",
        ),
        _day(context, peer, with_axis=False),
        id=name,
        class_=f"peer {peer.state} row",
    )


def _short(context: PageContext, peer: PeerView) -> str:
    if peer.since is None:
        return "never up"
    return f"{'up' if peer.phase2_up else 'not up'} for {duration(context.shown.now - peer.since)}"


def _identifier(peer: PeerView) -> str:
    """Give an id of harmless characters that stays the same."""
    return "p" + blake2b("\0".join(peer.key).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _badge(state: State) -> Html:
    word, sign = WORDS[state]
    mark = element("span", sign, aria_hidden="true")
    return element("span", mark, word, class_=f"badge {state}", title=STATES[state])


def _which(context: PageContext, peer: PeerView, *, of_kind: bool = False) -> list[str]:
    """Say which peer it is: what its name leaves open, and of what kind where that is asked for or not what one expects."""
    parts = [peer.address] if peer.name != peer.address else []
    parts += [f"on {peer.gateway}"] if len(context.gateways) > 1 and peer.gateway else []
    parts += [_KINDS[peer.kind]] if of_kind or peer.kind != "permanent" else []
    if peer.nat:
        parts.append("behind NAT")
    return parts


def _since(context: PageContext, peer: PeerView) -> Child:
    state = "Up" if peer.phase2_up else "Down" if peer.state == "down" else "Not up"
    if peer.state == "unknown":
        return STATES["unknown"]
    if peer.since is not None:
        when: Child = (f"{state} since ", context.at(peer.since))
    elif context.shown.log_begins is not None:
        when = ("Never up since the log begins, ", context.at(context.shown.log_begins))
    else:
        when = "Never up"
    return (when, f"; {'an ISAKMP SA is alive' if peer.isakmp else 'no ISAKMP SA'}{_half(peer)}.")


def _half(peer: PeerView) -> str:
    """Say when only one direction lives: that is no working phase 2."""
    inbound, outbound = peer.alive("in") > 0, peer.alive("out") > 0
    if inbound == outbound:
        return ""
    return f", an IPsec SA {'inbound' if inbound else 'outbound'} only"


def _ending(context: PageContext, peer: PeerView) -> Child:
    end = peer.last_end
    if end is None:
        return None
    when: Child = None if end.time is None else (", ", context.at(end.time))
    return element("p", f"The last IPsec SA ended: {ENDINGS.get(end.cause, end.cause)}", when, ".")


def _way_back(peer: PeerView) -> Child:
    """Say what to do about a peer that is down and of whose last end no failure tells."""
    if peer.state not in {"down", "gone"} or _is_tried(peer):
        return None
    end, failure = peer.last_end, peer.last_failure
    if failure is not None and (end is None or (failure.time or 0.0) >= (end.time or 0.0)):
        return None  # `_trouble` says it, folded where the peer is not ours to keep up
    advice = NEVER_UP if end is None else AFTER_ENDING.get(end.cause, AFTER_ENDING["expired"])
    return element("p", element("strong", "What to do: "), advice)


def _is_tried(peer: PeerView) -> bool:
    """Whether phase 1 is being negotiated, so that what it lacked before is no news."""
    failure = peer.last_failure
    return peer.trying is not None and not peer.phase2_up and (failure is None or failure.reason == "no_phase1")


def _trial(context: PageContext, peer: PeerView) -> Child:
    since = context.at(peer.trying)
    return element(
        "div",
        element("p", "Phase 1 is being tried since ", since, ", and nothing came back so far that the log shows."),
        element("p", element("strong", "What to do: "), TRYING),
        class_="failure",
    )


def _trouble(context: PageContext, peer: PeerView) -> Child:
    """Say at once what keeps it from being up or fails with it; what failed before it last came up is folded."""
    failure = peer.trouble or peer.last_failure
    if _is_tried(peer):
        return _trial(context, peer)
    if failure is None:
        return None
    told = _failure(context, peer, failure)
    if peer.trouble is not None:
        return element("div", element("h5", "Last failure"), told, class_="failure")
    summary = element("summary", f"Last failure: {failure.reason}", context.ago(failure.time))
    return element("details", summary, told, class_="failure", id=f"{_identifier(peer)}-failure")


def _failure(context: PageContext, peer: PeerView, failure: Trouble) -> Child:
    told = explain(failure.reason, failure.phase, peer.authentication, peer.told_by[failure.phase - 1])
    number = peer.failures[failure.phase].get(failure.reason, 0)
    times = f" ({count(number, 'time')} in all)" if number > 1 else ""
    when: Child = None if failure.time is None else (", ", context.at(failure.time))
    link = element("a", "Runbook", element("span", f" for {failure.reason}", class_="hidden"), href=told.runbook)
    return (
        element("p", f"Phase {failure.phase}: ", element("strong", failure.reason), times, when, ". ", told.gloss),
        element("p", element("strong", "What to do: "), told.advice, " ", link),
    )


def _day(context: PageContext, peer: PeerView, *, with_axis: bool = True) -> Html:
    spans = context.shown.timeline(peer)
    drawn = timeline(spans, context.zone, outage=peer.kind != "roaming")
    return element(
        "div",
        drawn,
        axis(spans[0].begin, spans[-1].end, context.zone) if with_axis else None,
        _how_good(context, peer),
        class_="day",
    )


def _how_good(context: PageContext, peer: PeerView) -> Child:
    """Say how much of the last day, week and month it was up, and of how much that is known where it is not all."""
    if peer.kind == "roaming":
        return None
    parts = [
        f"{name} {percent(counted.share)}{_of_known(counted, WINDOWS[name])}"
        for name, counted in context.shown.kept.windows(peer, context.shown.now).items()
        if counted.share is not None
    ]
    return element("p", f"Availability: {', '.join(parts)}", class_="good") if parts else None


def _of_known(counted: Availability, seconds: float) -> str:
    known = counted.up + counted.down
    return "" if known >= seconds * _ALL else f" (of {duration(known)})"


def _sas(context: PageContext, peer: PeerView) -> Child:
    if not peer.isakmp and not peer.ipsec:
        return None
    numbers = f"{count(len(peer.isakmp), 'ISAKMP SA')}, {count(len(peer.ipsec), 'IPsec SA')}"
    rows = [_isakmp(context, sa) for sa in peer.isakmp[:MOST_SAS]] + [_ipsec(context, sa) for sa in peer.ipsec[:MOST_SAS]]
    left = len(peer.isakmp) + len(peer.ipsec) - len(rows)
    return element(
        "details",
        element("summary", numbers),
        table(f"SAs with {peer.name}", ("SA", "State", "Established", "Expected expiry"), rows),
        element("p", f"{left} more are not shown.") if left else None,
        id=f"{_identifier(peer)}-sas",
    )


def _isakmp(context: PageContext, sa: IsakmpSa) -> list[Child]:
    text = " ".join(word for word in ("ISAKMP", sa.exchange, sa.role) if word)
    return [(f"{text} ", element("code", sa.cookies)), sa.state, context.at(sa.established), context.at(expected_expiry(sa))]


def _ipsec(context: PageContext, sa: IpsecSa) -> list[Child]:
    way = {"in": "inbound", "out": "outbound"}.get(sa.direction or "")
    text = " ".join(word for word in (sa.protocol.upper(), sa.mode, way) if word)
    return [
        (f"{text} ", element("code", f"0x{sa.spi:08x}")),
        sa.state,
        context.at(sa.established),
        context.at(expected_expiry(sa)),
    ]
