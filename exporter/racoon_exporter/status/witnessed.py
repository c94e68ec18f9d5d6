"""What witnesses beside the log say, for the API and for the page. Pure.

Names of XAuth users and identities stand here and in no metric.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from racoon_exporter.history import timestamp
from racoon_exporter.status.markup import Child, element
from racoon_exporter.status.page_context import NOTHING, PageContext, table
from racoon_exporter.status.query import Parameters
from racoon_exporter.status.view import Overview, PeerView
from racoon_exporter.status.words import count
from racoon_exporter.witness import Shown
from racoon_exporter.witness.crypto import Crypto
from racoon_exporter.witness.traffic import DIRECTIONS, KINDS, Owner
from racoon_parsers.admin_socket import Phase1

Body = dict[str, Any]

MOST_ROWS: Final = 200
"""Rows of a table on the page."""


# --- API ---


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
                "disagreements": _disagreements(witnessed, status.name),
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


def _disagreements(witnessed: Shown, witness: str) -> dict[str, int]:
    return {kind: number for (name, kind), number in witnessed.disagreements.items() if name == witness}


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


class Spoken(NamedTuple):
    """A way in which a peer is, was or would be spoken to."""

    gateway: str
    peer: str
    crypto: Crypto
    told_by: str
    """`witness`, `log` (the exchange only), or `racoon.conf` (what is proposed)."""
    first: float | None = None
    last: float | None = None


def spoken(shown: Overview) -> list[Spoken]:
    """Give the sunset inventory: who still speaks IKEv1 with us, how, since when, and when last."""
    witnessed = shown.facts.witnessed or Shown()
    found = [Spoken(*key, "witness", seen.first, seen.last) for key, seen in witnessed.inventory.ways.items()]
    found += _logged(shown)
    found += [
        Spoken(gateway, peer, crypto, "racoon.conf")
        for gateway, proposals in witnessed.configured.items()
        for peer, crypto in dict.fromkeys(proposals)
    ]
    return sorted(found, key=lambda one: (one.gateway, one.peer, one.told_by, one.crypto))


def _logged(shown: Overview) -> Iterator[Spoken]:
    """What the log tells of each peer: its exchange, and when a phase 1 was first and last there."""
    times: dict[tuple[str, str, str], list[float]] = {}
    for sa in (*shown.facts.ended_isakmp, *shown.facts.isakmp):
        last = shown.now if sa.ended is None and sa.end is None else sa.ended
        known = [time for time in (sa.established, last) if time is not None]
        times.setdefault((sa.gateway, sa.peer, sa.exchange or ""), []).extend(known)
    for (gateway, peer, exchange), seen in times.items():
        yield Spoken(gateway, peer, Crypto(1, exchange), "log", min(seen, default=None), max(seen, default=None))


def crypto_body(shown: Overview, asked: Parameters, zone: tzinfo) -> Body:
    """Who still speaks IKEv1 with us. `in_use`: by a witness, or an SA that is alive; null for what is only proposed."""
    wanted = [one for one in spoken(shown) if asked.wants(one.gateway, one.peer, shown.name_of(one.gateway, one.peer))]
    return {
        "time": timestamp(shown.now, zone),
        "total": len(wanted),
        "crypto": [_spoken(one, shown, zone) for one in asked.page(wanted)],
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


# --- page ---

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def size(number: int) -> str:
    """Write bytes as people read them: `1.4 GiB`."""
    value, unit = float(number), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{number} B"


def peer_line(context: PageContext, peer: PeerView) -> Child:
    """Write what witnesses add to a peer's card; nothing where none told."""
    witnessed = context.shown.facts.witnessed
    if witnessed is None:
        return None
    key = peer.gateway, peer.address
    totals = [witnessed.traffic.get(Owner(*key, way)) for way in DIRECTIONS]
    parts: list[Child] = []
    if any(totals):
        received, sent = (size((counts or {}).get("bytes", 0)) for counts in totals)
        parts.append(f"{received} in, {sent} out")
    parts += [
        (f"phase {phase} expires ", context.at(when))
        for phase in (1, 2)
        if (when := witnessed.expiry.get((*key, phase))) is not None
    ]
    weak = sorted({word for crypto in witnessed.crypto.get(key, ()) for word in crypto.weaknesses})
    if weak:
        parts.append(f"weak: {', '.join(weak)}")
    counts = witnessed.policies.get(key)
    if counts is not None and counts.without_sa:
        parts.append(f"{counts.without_sa} of {count(counts.policies, 'policy', 'policies')} without an IPsec SA")
    return element("p", [(part, "; ") for part in parts[:-1]], parts[-1], ".", class_="beside") if parts else None


def section(context: PageContext) -> Child:
    """Write how witnesses are doing, the files, and who still speaks IKEv1; nothing where there is no witness."""
    witnessed = context.shown.facts.witnessed
    if witnessed is None:
        return None
    return element(
        "section",
        element("h2", "Beside the log"),
        table(
            "Witnesses", ("Witness", "State", "Last answer", "Disagreements with the log"), _witness_rows(context, witnessed)
        ),
        _files_table(context, witnessed),
        _crypto_table(context),
        id="witnesses",
        aria_label="Beside the log",
    )


def _witness_rows(context: PageContext, witnessed: Shown) -> list[list[Child]]:
    rows: list[list[Child]] = []
    for status in witnessed.statuses:
        said = [f"{number:,} {kind}" for kind, number in _disagreements(witnessed, status.name).items() if number]
        state = "answers" if status.up else f"does not answer: {status.trouble}"
        rows.append([status.name, state, context.at(status.last_success), ", ".join(said) or NOTHING])
    return rows


def _files_table(context: PageContext, witnessed: Shown) -> Child:
    rows: list[tuple[float, list[Child]]] = []
    for files in witnessed.certificates.values():
        rows += [(one.not_after, [one.file, one.kind, context.at(one.not_after), NOTHING]) for one in files.certificates]
        rows += [(one.next_update or 0.0, [one.file, "crl", context.at(one.next_update), NOTHING]) for one in files.crls]
        rows += [
            (0.0, [file, "crl", NOTHING, "missing: racoon looks for the CRL here, and lets a revoked certificate in"])
            for file in files.missing_crls
        ]
        rows += [(0.0, [one.file, NOTHING, NOTHING, one.text]) for one in files.faults]
    if not rows:
        return None
    ordered = [row for _, row in sorted(rows, key=lambda item: item[0])]
    heads = ("File", "Kind", "Valid until", "Fault")
    return table("Certificates and CRLs", heads, ordered[:MOST_ROWS])


def _crypto_table(context: PageContext) -> Child:
    """Write the inventory, what is weak first."""
    every = sorted(spoken(context.shown), key=lambda one: not one.crypto.weaknesses)
    if not every:
        return None
    rows = [_crypto_row(context, one) for one in every[:MOST_ROWS]]
    left = len(every) - len(rows)
    heads = ("Peer", "Phase", "How", "Weak", "Told by", "First seen", "Last seen")
    return element(
        "details",
        element("summary", element("h3", "Who still speaks IKEv1 with us")),
        table("Who still speaks IKEv1 with us", heads, rows),
        element("p", f"{left} more are in the API (api/v1/crypto).") if left else None,
        id="crypto",
        class_="fold",
    )


def _crypto_row(context: PageContext, one: Spoken) -> list[Child]:
    crypto = one.crypto
    how = (crypto.exchange, crypto.encryption, crypto.hash, crypto.group and f"group {crypto.group}", crypto.authentication)
    return [
        context.shown.name_of(one.gateway, one.peer),
        str(crypto.phase),
        " ".join(filter(None, how)) or NOTHING,
        ", ".join(crypto.weaknesses) or NOTHING,
        one.told_by,
        context.at(one.first) if one.first is not None else NOTHING,
        context.at(one.last) if one.last is not None else NOTHING,
    ]


__all__ = ["crypto_body", "peer_body", "peer_line", "section", "size", "spoken", "witnesses_body"]
