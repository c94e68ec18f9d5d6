"""The bodies of `/api/v1/…`: plain values with the names of `history`, times in RFC 3339. Pure.

`docs/openapi.yaml` is the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from racoon_exporter.events_output import as_dict
from racoon_exporter.history import COLUMNS, timestamp
from racoon_exporter.sa import IpsecSa, IsakmpSa, Negotiation
from racoon_exporter.sa.current import Trouble
from racoon_exporter.status import witnessed
from racoon_exporter.status.reasons import explain
from racoon_exporter.status.ring import Window
from racoon_exporter.status.view import Overview, PeerView, expected_expiry, recent_failures

Body = dict[str, Any]

MOST_ROWS: Final = 1000
"""The largest `limit`."""
USUAL_ROWS: Final = 100
_LARGEST_CURSOR: Final = 2**63 - 1
_TIMES: Final = frozenset({"established", "dying", "ended", "begun"})


class BadParameterError(ValueError):
    """A query that cannot be answered; the text says which parameter and why."""


class Parameters(NamedTuple):
    """A query, read and checked."""

    peer: str | None = None
    gateway: str | None = None
    since: int | None = None
    limit: int = USUAL_ROWS

    def wants(self, gateway: str, *names: str) -> bool:
        """Whether something of a gateway and of a peer with these names is asked for."""
        return self.gateway in (None, gateway) and (self.peer is None or self.peer in names)


def read_parameters(query: Iterable[tuple[str, str]], allowed: frozenset[str]) -> Parameters:
    """Read a query string. Raises BadParameterError for one that is unknown here, given twice, or of a wrong value."""
    given: dict[str, str] = {}
    for name, value in query:
        if name not in allowed:
            raise BadParameterError(f"unknown parameter {name!r}; known here: {', '.join(sorted(allowed)) or 'none'}")
        if name in given:
            raise BadParameterError(f"parameter {name!r} is given twice")
        given[name] = value
    return Parameters(
        peer=given.get("peer"),
        gateway=given.get("gateway"),
        since=_whole("since", given["since"], 0, _LARGEST_CURSOR) if "since" in given else None,
        limit=_whole("limit", given["limit"], 1, MOST_ROWS) if "limit" in given else USUAL_ROWS,
    )


def _whole(name: str, text: str, least: int, most: int) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(most)) else least - 1
    if not least <= number <= most:
        raise BadParameterError(f"parameter {name!r} must be a whole number from {least} to {most}")
    return number


def peers_body(shown: Overview, asked: Parameters, zone: tzinfo) -> Body:
    """All peers, the most urgent first, and what is counted for none of them."""
    return {
        "time": timestamp(shown.now, zone),
        "log_begins": timestamp(shown.log_begins, zone),
        "known_from": timestamp(shown.known_from, zone),
        "peers": [
            {**_peer(peer, zone), **witnessed.peer_body(shown.facts.witnessed, peer, zone)}
            for peer in shown.peers
            if asked.wants(peer.gateway, peer.address, peer.name)
        ],
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
            "up": peer.phase2_up,
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


def _explained(reason: str, phase: int) -> Body:
    """Say what a reason means; the runbook's address is relative to that of the answer."""
    told = explain(reason, phase)
    return {**told._asdict(), "runbook": f"../../{told.runbook}"}


def _asks(asked: Parameters, one: IsakmpSa | IpsecSa | Negotiation, shown: Overview) -> bool:
    return asked.wants(one.gateway, one.peer, shown.name_of(one.gateway, one.peer))


def sas_body(shown: Overview, asked: Parameters, zone: tzinfo) -> Body:
    """The SAs that are alive, with their expected expiry."""

    def rows(name: str, sas: Iterable[IsakmpSa | IpsecSa]) -> list[Body]:
        return [
            _sa(name, sa, shown, zone) for sa in sas if asked.wants(sa.gateway, sa.peer, shown.name_of(sa.gateway, sa.peer))
        ]

    return {
        "time": timestamp(shown.now, zone),
        "phase1": rows("phase1", shown.facts.isakmp),
        "ipsec": rows("ipsec", shown.facts.ipsec),
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
    """The newest failed negotiations, with what they mean; newest first."""
    wanted = (
        one for one in shown.facts.negotiations if asked.wants(one.gateway, one.peer, shown.name_of(one.gateway, one.peer))
    )
    return {
        "time": timestamp(shown.now, zone),
        "failures": [
            {
                **_columns("negotiations", one, zone),
                "name": shown.name_of(one.gateway, one.peer),
                **_explained(one.reason or "unknown", one.phase),
            }
            for one in recent_failures(wanted, asked.limit)
        ],
    }


def events_body(window: Window, now: float, zone: tzinfo) -> Body:
    """Records behind a cursor, oldest first, as `events` writes them."""
    return {
        "time": timestamp(now, zone),
        "cursor": window.cursor,
        "missed": window.missed,
        "events": [{"cursor": entry.cursor, **as_dict(entry.record, entry.source, zone)} for entry in window.entries],
    }


OVERVIEW_BODIES: Final[Mapping[str, tuple[Callable[[Overview, Parameters, tzinfo], Body], frozenset[str]]]] = {
    "peers": (peers_body, frozenset({"peer", "gateway"})),
    "sas": (sas_body, frozenset({"peer", "gateway"})),
    "failures": (failures_body, frozenset({"peer", "gateway", "limit"})),
    "witnesses": (lambda shown, _asked, zone: witnessed.witnesses_body(shown, zone), frozenset()),
    "crypto": (lambda shown, _asked, zone: witnessed.crypto_body(shown, zone), frozenset()),
}
"""Resources that are made of an overview, with the parameters they take."""
EVENT_PARAMETERS: Final = frozenset({"since", "limit"})
