"""What witnesses beside the log say, for `/api/v1/…`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

from racoon_exporter.history import timestamp
from racoon_exporter.status.api.query import Parameters
from racoon_exporter.status.overview.view import Overview, PeerView
from racoon_exporter.status.overview.witnessed import Spoken, disagreements, spoken
from racoon_exporter.witness import Shown
from racoon_exporter.witness.crypto import Crypto
from racoon_exporter.witness.traffic import DIRECTIONS, KINDS, Owner
from racoon_parsers.admin_socket import Phase1

Body = dict[str, Any]


def peer_body(witnessed: Shown | None, peer: PeerView, zone: tzinfo) -> Body:
    """What witnesses add to a peer: `traffic`, `expires`, `crypto`; null where none told."""
    if witnessed is None:
        return {"traffic": None, "expires": None, "crypto": None}
    key = peer.gateway, peer.address
    return {
        "traffic": _traffic(witnessed, *key),
        "expires": {f"phase{phase}": timestamp(witnessed.expiry.get((*key, phase)), zone) for phase in (1, 2)},
        "crypto": [_crypto(crypto) for crypto in sorted(witnessed.crypto.get(key, ()))],
    }


def _traffic(witnessed: Shown, gateway: str, address: str) -> Body | None:
    found = {way: witnessed.traffic.get(Owner(gateway, address, way)) for way in DIRECTIONS}
    if not any(found.values()):
        return None
    return {way: _counts(counts or {}) for way, counts in found.items()}


def _counts(counts: dict[str, int]) -> Body:
    errors = {kind: counts.get(kind, 0) for kind in KINDS}
    return {"bytes": counts.get("bytes", 0), "packets": counts.get("packets", 0), "errors": errors}


def _crypto(crypto: Crypto) -> Body:
    words = ("exchange", "encryption", "hash", "group", "authentication")
    return {"phase": crypto.phase} | {word: getattr(crypto, word) or None for word in words} | {"weak": list(crypto.weaknesses)}


def witnesses_body(shown: Overview, zone: tzinfo) -> Body:
    """Every witness with its freshness, what it disagrees about, what racoon itself says, and the files."""
    witnessed = shown.facts.witnessed or Shown()
    return {
        "time": timestamp(shown.now, zone),
        "witnesses": [
            {
                "witness": status.name,
                "gateway": status.gateway,
                "up": status.up,
                "last_success": timestamp(status.last_success, zone),
                "trouble": status.trouble or None,
                "disagreements": disagreements(witnessed, status.name),
            }
            for status in witnessed.statuses
        ],
        "isakmp": [_isakmp(gateway, sa, zone) for gateway, sas in witnessed.phase1.items() for sa in sas],
        "events": [
            {
                "gateway": gateway,
                "event": event.name,
                "time": timestamp(event.time, zone),
                "peer": event.remote.address if event.remote else None,
            }
            for gateway, event in witnessed.events
        ],
        "files": [file for gateway, files in _files(witnessed, zone) for file in files],
    }


def _isakmp(gateway: str, sa: Phase1, zone: tzinfo) -> Body:
    return {
        "gateway": gateway,
        "peer": sa.remote.address if sa.remote else None,
        "cookies": sa.cookies,
        "state": sa.state,
        "role": sa.role or None,
        "exchange": sa.exchange or None,
        "established": timestamp(sa.created, zone),
        "expires": timestamp(sa.expires, zone),
        "local_id": sa.local_id or None,
        "remote_id": sa.remote_id or None,
        "user": sa.user or None,
        "dpd_failures": sa.dpd_failures,
        "nat": sa.nat,
    }


def _files(witnessed: Shown, zone: tzinfo) -> Iterable[tuple[str, list[Body]]]:
    for gateway, files in witnessed.certificates.items():
        rows: list[Body] = [
            {"gateway": gateway, "file": one.file, "kind": one.kind, "ends": timestamp(one.not_after, zone), "fault": None}
            for one in files.certificates
        ]
        rows += [
            {"gateway": gateway, "file": one.file, "kind": "crl", "ends": timestamp(one.next_update, zone), "fault": None}
            for one in files.crls
        ]
        rows += [
            {"gateway": gateway, "file": file, "kind": "crl", "ends": None, "fault": "missing: racoon looks for it here"}
            for file in files.missing_crls
        ]
        rows += [{"gateway": gateway, "file": one.file, "kind": None, "ends": None, "fault": one.text} for one in files.faults]
        yield gateway, rows


def crypto_body(shown: Overview, asked: Parameters, zone: tzinfo) -> Body:
    """Who still speaks IKEv1 with us. `in_use`: by a witness, or an SA that is alive; null for what is only proposed."""
    wanted = [one for one in spoken(shown) if asked.wants(one.gateway, one.peer, shown.name_of(one.gateway, one.peer))]
    return {
        "time": timestamp(shown.now, zone),
        "total": len(wanted),
        "crypto": (_spoken(one, shown, zone) for one in asked.page(wanted)),
    }


def _spoken(one: Spoken, shown: Overview, zone: tzinfo) -> Body:
    witnessed = shown.facts.witnessed or Shown()
    used: dict[str, bool | None] = {
        "witness": one.crypto in witnessed.crypto.get((one.gateway, one.peer), ()),
        "log": one.last == shown.now,
        "racoon.conf": None,
    }
    return {
        "gateway": one.gateway,
        "peer": one.peer,
        "name": shown.name_of(one.gateway, one.peer),
        **_crypto(one.crypto),
        "told_by": one.told_by,
        "first_seen": timestamp(one.first, zone),
        "last_seen": timestamp(one.last, zone),
        "in_use": used[one.told_by],
    }


__all__ = ["crypto_body", "peer_body", "witnesses_body"]
