"""The bodies of `/api/v1/…`: plain values with the names of `history`, times in RFC 3339. Pure.

`docs/openapi.yaml` is the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, Final

from racoon_exporter.availability.peer import Availability, Outage
from racoon_exporter.events_output import as_dict
from racoon_exporter.history import COLUMNS, outage_row, timestamp
from racoon_exporter.sa import IpsecSa, IsakmpSa, Negotiation
from racoon_exporter.sa.current_reason import Trouble
from racoon_exporter.status.api import query, witnesses
from racoon_exporter.status.api.query import Parameters
from racoon_exporter.status.overview.event_ring import Window
from racoon_exporter.status.overview.view import Overview, PeerView, expected_expiry, recent_failures
from racoon_exporter.wording.reasons import explain

Body = dict[str, Any]
"""Of rows that may be many an iterator gives one after the other, so that they need not all be in memory."""

_TIMES: Final = frozenset({"established", "dying", "ended", "begun"})


def peers_body(shown: Overview, asked: Parameters, zone: tzinfo) -> Body:
    """The peers that are asked for, the most urgent first, and what is counted for none of them."""
    wanted = [
        peer
        for peer in shown.peers
        if asked.wants(peer.gateway, peer.address, peer.name)
        and asked.state in (None, peer.state)
        and asked.kind in (None, peer.kind)
    ]
    return {
        "time": timestamp(shown.now, zone),
        "log_begins": timestamp(shown.log_begins, zone),
        "known_from": timestamp(shown.known_from, zone),
        "peers": (
            {**_peer(peer, zone), **witnesses.peer_body(shown.facts.witnessed, peer, zone)} for peer in asked.page(wanted)
        ),
        "total": len(wanted),
        "unattributed": [
            {
                "gateway": one.gateway,
                "peer": one.peer,
                "phase1_failures": dict(one.failures[1]),
                "phase2_failures": dict(one.failures[2]),
            }
            for one in shown.unattributed
            if asked.wants(one.gateway, one.peer)
        ],
    }


def _peer(peer: PeerView, zone: tzinfo) -> Body:
    end = peer.last_end
    return {
        "gateway": peer.gateway,
        "peer": peer.address,
        "name": peer.name,
        "address": peer.address,
        "kind": peer.kind,
        "state": peer.state,
        "since": timestamp(peer.since, zone),
        "reason": None if peer.trouble is None else peer.trouble.reason,
        "phase1": {
            "up": bool(peer.isakmp),
            "sas": len(peer.isakmp),
            "last_established": timestamp(peer.phase1_last_established, zone),
            "failures": dict(peer.failures[1]),
        },
        "phase2": {
            "up": None if peer.state == "unknown" else peer.phase2_up,
            "inbound_sas": peer.alive("in"),
            "outbound_sas": peer.alive("out"),
            "last_established": timestamp(peer.phase2_last_established, zone),
            "failures": dict(peer.failures[2]),
            "flaps": peer.flaps,
        },
        "nat": peer.nat,
        "last_seen": timestamp(peer.last_seen, zone),
        "last_failure": _failure(peer.last_failure, zone),
        "last_end": None if end is None else {"time": timestamp(end.time, zone), "cause": end.cause},
    }


def _failure(failure: Trouble | None, zone: tzinfo) -> Body | None:
    if failure is None:
        return None
    return {
        "time": timestamp(failure.time, zone),
        "phase": failure.phase,
        "reason": failure.reason,
        **_explained(failure.reason, failure.phase),
    }


def _explained(reason: str, phase: int, told_by: str | None = None) -> Body:
    """Say what a reason means; the runbook's address is relative to that of the answer."""
    told = explain(reason, phase, told_by=told_by)
    return {**told._asdict(), "runbook": f"../../{told.runbook}"}


def _asks(asked: Parameters, one: IsakmpSa | IpsecSa | Negotiation, shown: Overview) -> bool:
    return asked.wants(one.gateway, one.peer, shown.name_of(one.gateway, one.peer))


def sas_body(shown: Overview, asked: Parameters, zone: tzinfo) -> Body:
    """The SAs that are alive, with their expected expiry."""
    isakmp = [sa for sa in shown.facts.isakmp if _asks(asked, sa, shown)]
    ipsec = [sa for sa in shown.facts.ipsec if _asks(asked, sa, shown)]
    return {
        "time": timestamp(shown.now, zone),
        "total": {"phase1": len(isakmp), "ipsec": len(ipsec)},
        "phase1": (_sa("phase1", sa, shown, zone) for sa in asked.page(isakmp)),
        "ipsec": (_sa("ipsec", sa, shown, zone) for sa in asked.page(ipsec)),
    }


def _sa(table: str, sa: IsakmpSa | IpsecSa, shown: Overview, zone: tzinfo) -> Body:
    return {
        **_columns(table, sa, zone),
        "name": shown.name_of(sa.gateway, sa.peer),
        "state": sa.state,
        "lifetime": sa.lifetime,
        "expires": timestamp(expected_expiry(sa), zone),
    }


def _columns(table: str, record: IsakmpSa | IpsecSa | Negotiation, zone: tzinfo) -> Body:
    """Give a record with the keys of a table of `history`."""
    values = {key: getattr(record, key) for key in COLUMNS[table]}
    return {key: timestamp(value, zone) if key in _TIMES else value for key, value in values.items()}


def failures_body(shown: Overview, asked: Parameters, zone: tzinfo) -> Body:
    """The failed negotiations that are asked for, with what they mean; newest first."""
    wanted = (
        one
        for one in shown.facts.negotiations
        if _asks(asked, one, shown) and asked.is_within(one.ended) and asked.reason in (None, one.reason or "unknown")
    )
    failed = recent_failures(wanted)
    return {
        "time": timestamp(shown.now, zone),
        "total": len(failed),
        "failures": [
            {
                **_columns("negotiations", one, zone),
                "name": shown.name_of(one.gateway, one.peer),
                **_explained(one.reason or "unknown", one.phase, one.told_by),
            }
            for one in asked.page(failed, usual=query.USUAL_ROWS)
        ],
    }


def availability_body(shown: Overview, asked: Parameters, zone: tzinfo) -> Body:
    """How good the peers that are asked for were within a time, the worst first; the numbers of `report`."""
    until = shown.now if asked.end is None else min(asked.end, shown.now)
    found = sorted(
        (
            (counted, peer)
            for peer in _peers_asked(shown, asked)
            if (counted := shown.kept.availability(peer, asked.begin, until)) is not None
        ),
        key=lambda pair: (pair[0].share is None, pair[0].share or 0.0, pair[1].gateway, pair[1].address),
    )
    return {
        "time": timestamp(shown.now, zone),
        "known_from": timestamp(shown.known_from, zone),
        "since": timestamp(asked.begin if asked.begin is not None else shown.known_from, zone),
        "until": timestamp(until, zone),
        "total": len(found),
        "peers": [_availability(peer, counted, zone) for counted, peer in asked.page(found, usual=query.USUAL_ROWS)],
    }


def _peers_asked(shown: Overview, asked: Parameters) -> list[PeerView]:
    return [
        peer
        for peer in shown.peers
        if peer.kind != "stranger" and asked.wants(peer.gateway, peer.address, peer.name) and asked.kind in (None, peer.kind)
    ]


def _availability(peer: PeerView, counted: Availability, zone: tzinfo) -> Body:
    return {
        "gateway": peer.gateway,
        "peer": peer.address,
        "name": peer.name,
        "kind": peer.kind,
        "since": timestamp(counted.first, zone),
        "availability": counted.share,
        "known_seconds": counted.known,
        "up_seconds": counted.up,
        "down_seconds": counted.down,
        "unknown_seconds": counted.unknown,
        "planned_seconds": counted.planned,
        "outages": len(counted.outages),
        "longest_seconds": counted.longest,
        "mttr_seconds": counted.repaired_in,
        "mtbf_seconds": counted.between,
        "flaps": counted.flaps,
        "failures": counted.failures,
    }


def outages_body(shown: Overview, asked: Parameters, zone: tzinfo) -> Body:
    """The outages of the peers that are asked for, the newest first."""
    found = sorted(
        (
            (outage, peer)
            for peer in _peers_asked(shown, asked)
            for outage in shown.kept.outages(peer, shown.now)
            if asked.overlaps(outage.begin, outage.end) and asked.reason in (None, outage.last_reason)
        ),
        key=lambda pair: (-pair[0].begin, pair[1].key),
    )
    return {
        "time": timestamp(shown.now, zone),
        "known_from": timestamp(shown.known_from, zone),
        "total": len(found),
        "outages": [_outage(peer, outage, zone) for outage, peer in asked.page(found, usual=query.USUAL_ROWS)],
    }


def _outage(peer: PeerView, outage: Outage, zone: tzinfo) -> Body:
    return {
        "gateway": peer.gateway,
        "peer": peer.address,
        "name": peer.name,
        **outage_row(outage, zone),
    }


def events_body(window: Window, asked: Parameters, now: float, zone: tzinfo) -> Body:
    """Records behind a cursor that are asked for, oldest first, as `events` writes them."""
    most = query.USUAL_ROWS if asked.limit is None else asked.limit
    found: list[Body] = []
    cursor = window.cursor
    for entry in window.entries:
        told = as_dict(entry.record, entry.source, zone)
        if _tells(asked, told):
            if len(found) == most:
                break
            found.append({"cursor": entry.cursor, **told})
        cursor = entry.cursor
    return {"time": timestamp(now, zone), "cursor": cursor, "missed": window.missed, "events": found}


def _tells(asked: Parameters, told: Body) -> bool:
    return asked.wants(told.get("gateway", ""), told.get("peer", "")) and asked.reason in (None, told.get("reason"))


OVERVIEW_BODIES: Final[Mapping[str, tuple[Callable[[Overview, Parameters, tzinfo], Body], Mapping[str, query.Parameter]]]] = {
    "peers": (peers_body, query.PEERS),
    "sas": (sas_body, query.SAS),
    "failures": (failures_body, query.FAILURES),
    "outages": (outages_body, query.OUTAGES),
    "availability": (availability_body, query.AVAILABILITY),
    "witnesses": (lambda shown, _asked, zone: witnesses.witnesses_body(shown, zone), query.NONE),
    "crypto": (witnesses.crypto_body, query.CRYPTO),
}
"""Resources that are made of an overview, with the parameters they take."""
