"""The report's numbers, from what each gateway gave: the document that `report --format json` writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final

from racoon_exporter.history import timestamp

METHOD: Final = {
    "up": "an IPsec SA is alive in each direction; a rekey is up, since the old SA carries traffic until the new one does",
    "down": "known time that is neither up nor planned",
    "unknown": "no log: before its first and after its last line, a level that names no SA, or a silence in which lines must "
    "be missing, because an SA ended in it that no line tells of, or because SAs lived and it was ten times as long as usual",
    "planned": "given maintenance, and from an orderly stop of racoon to its next start; left out of availability",
    "availability": "up / (up + down), from 0 to 1; null where nothing is known",
    "begin": "a peer counts from its first SA or failure on, within the time of the report",
    "roaming": "of a peer that comes and goes no time is down",
    "mttr": "mean seconds of outages that are over",
    "mtbf": "seconds up for each outage",
}
"""The way of counting, in words."""
_SILENT: Final = 7 * 86400.0
"""Seconds before the end of the log after which a peer that was never up again fell silent for good."""


def document(fragments: Sequence[dict[str, Any]], zone: tzinfo) -> dict[str, Any]:
    """Put the gateways together."""
    peers = [_peer(fragment["gateway"], peer, zone) for fragment in fragments for peer in fragment["peers"]]
    peers.sort(key=lambda peer: (peer["availability"] is None, peer["availability"] or 0.0, peer["gateway"], peer["peer"]))
    begins = [fragment["window"][0] for fragment in fragments]
    ends = [fragment["window"][1] for fragment in fragments]
    return {
        "method": METHOD,
        "since": timestamp(min(begins, default=None), zone),
        "until": timestamp(max(ends, default=None), zone),
        "peers": peers,
        "fleet": _fleet(fragments, peers),
        "reasons": _reasons(peers),
        "daemons": [_daemon(fragment["gateway"], run, zone) for fragment in fragments for run in fragment["daemons"]],
        "certificates": _certificates(peers),
        "crypto": [_crypto(fragment, peer, zone) for fragment in fragments for peer in fragment["peers"]],
        "gateways": [_gateway(fragment, zone) for fragment in fragments],
    }


def _peer(gateway: str, peer: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    return {
        "gateway": gateway,
        "peer": peer["name"],
        "address": peer["address"],
        "kind": peer["kind"],
        "since": timestamp(peer["first"], zone),
        "availability": peer["share"],
        "known_seconds": peer["known"],
        "up_seconds": peer["up"],
        "down_seconds": peer["down"],
        "unknown_seconds": peer["unknown"],
        "planned_seconds": peer["planned"],
        "outages": [_outage(outage, zone) for outage in peer["outages"]],
        "longest_seconds": peer["longest"],
        "mttr_seconds": peer["mttr"],
        "mtbf_seconds": peer["mtbf"],
        "flaps": peer["flaps"],
        "failures": peer["failures"],
    }


def _outage(outage: Sequence[Any], zone: tzinfo) -> dict[str, Any]:
    begin, end, seconds, cause, reason, told_by, file, line = outage
    return {
        "begin": timestamp(begin, zone),
        "end": timestamp(end, zone),
        "seconds": seconds,
        "end_cause": cause,
        "reason": reason,
        "told_by": told_by,
        "file": file,
        "line": line,
    }


def _fleet(fragments: Sequence[dict[str, Any]], peers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    up, down = sum(peer["up_seconds"] for peer in peers), sum(peer["down_seconds"] for peer in peers)
    return {
        "gateways": len(fragments),
        "peers": len(peers),
        "availability": up / (up + down) if up + down else None,
        "outages": sum(len(peer["outages"]) for peer in peers),
        "down_seconds": down,
        "unknown_seconds": sum(peer["unknown_seconds"] for peer in peers),
        "planned_seconds": sum(peer["planned_seconds"] for peer in peers),
        "without_outage": sum(1 for peer in peers if not peer["outages"] and peer["availability"] is not None),
        "strangers": sum(fragment["strangers"] for fragment in fragments),
        "unattributed_failures": sum(fragment["unattributed"] for fragment in fragments),
    }


def _reasons(peers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    for peer in peers:
        counts.update(peer["failures"])
    touched = {reason: sum(1 for peer in peers if reason in peer["failures"]) for reason in counts}
    return [{"reason": reason, "failures": count, "peers": touched[reason]} for reason, count in counts.most_common()]


def _daemon(gateway: str, run: Sequence[Any], zone: tzinfo) -> dict[str, Any]:
    started, stopped, version, end = run
    return {
        "gateway": gateway,
        "started": timestamp(started, zone),
        "stopped": timestamp(stopped, zone),
        "version": version,
        "end": end,
    }


def _certificates(peers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"gateway": peer["gateway"], "peer": peer["peer"], "address": peer["address"], "reason": reason, "failures": count}
        for peer in peers
        for reason, count in peer["failures"].items()
        if reason.startswith(("certificate_", "crl_"))
    ]


def _crypto(fragment: dict[str, Any], peer: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    last_up = peer["up_spans"][-1][1] if peer["up_spans"] else None
    silent = last_up is not None and last_up < fragment["window"][1] - _SILENT
    return {
        "gateway": fragment["gateway"],
        "peer": peer["name"],
        "address": peer["address"],
        "exchange": peer["exchange"],
        "last_phase1": timestamp(peer["established"], zone),
        "last_up": timestamp(last_up, zone),
        "silent_since": timestamp(last_up, zone) if silent else None,
    }


def _gateway(fragment: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    return {
        "gateway": fragment["gateway"],
        "known": [[timestamp(bound, zone) for bound in span] for span in fragment["known"]],
        "planned": [[timestamp(bound, zone) for bound in span] for span in fragment["planned"]],
    }
