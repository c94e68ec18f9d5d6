"""What is known of the past as JSON and back, for the state file."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, TypedDict

from msgspec import Meta

from racoon_exporter.availability.log import Failed, GatewayLog, Lived, PeerLog
from racoon_exporter.availability.past import Past
from racoon_exporter.sa.counts import MOST
from racoon_exporter.sa.model import DaemonRun, Natural, Time, from_json, to_json

Life = tuple[Time, Time, str | None]
Bits = Annotated[int, Meta(ge=0, le=64)]
"""Of the seconds of a pause: those of all that the calendar has take 39."""
FailedRow = tuple[Time, Time, str, str | None, Natural]


class PeerShape(TypedDict):
    """What is known of a peer."""

    inbound: list[Life]
    outbound: list[Life]
    failed: list[FailedRow]
    first: Time | None
    exchange: str | None
    established: Time | None
    kept_from: Time | None


class GatewayShape(TypedDict):
    """What is known of a gateway."""

    first: Time | None
    last: Time | None
    newest: Time | None
    informed: bool
    kept_from: Time | None
    rhythm: list[tuple[Bits, Natural]]
    silences: list[tuple[Time, Time]]
    lapsed: list[Time]
    runs: list[DaemonRun]
    peers: dict[str, PeerShape]


def past_to_json(past: Past) -> dict[str, Any]:
    """Give all that is known; `restore_past` turns it back."""
    return {gateway: _gateway_to_json(log) for gateway, log in past.gateways.items()}


def restore_past(past: Past, given: dict[str, Any]) -> None:
    """Go on from what `past_to_json` gave."""
    past.gateways = {str(gateway): _gateway(log) for gateway, log in given.items()}


def _gateway_to_json(log: GatewayLog) -> dict[str, Any]:
    return {
        "first": log.first,
        "last": log.last,
        "newest": log.newest,
        "informed": log.informed,
        "kept_from": log.kept_from,
        "rhythm": [(bits, min(number, MOST)) for bits, number in log.rhythm.items()],
        "silences": log.silences.copy(),
        "lapsed": log.lapsed.copy(),
        "runs": [to_json(run) for run in log.runs],
        "peers": {address: _peer_to_json(peer) for address, peer in log.peers.items()},
    }


def _peer_to_json(peer: PeerLog) -> dict[str, Any]:
    return {
        "inbound": [life[:3] for life in peer.lived.get("in", ())],
        "outbound": [life[:3] for life in peer.lived.get("out", ())],
        "failed": [[one.first, one.last, one.reason, one.told_by, min(one.count, MOST)] for one in peer.failed],
        "first": peer.first,
        "exchange": peer.exchange,
        "established": peer.established,
        "kept_from": peer.kept_from,
    }


def _gateway(given: dict[str, Any]) -> GatewayLog:
    return GatewayLog(
        first=_time(given["first"]),
        last=_time(given["last"]),
        newest=_time(given["newest"]),
        informed=bool(given["informed"]),
        kept_from=_time(given["kept_from"]),
        rhythm=Counter({int(bits): int(number) for bits, number in given["rhythm"]}),
        silences=[(float(begin), float(end)) for begin, end in given["silences"]],
        lapsed=[float(time) for time in given["lapsed"]],
        runs=[from_json(DaemonRun, run) for run in given["runs"]],
        peers={str(address): _peer(peer) for address, peer in given["peers"].items()},
    )


def _peer(given: dict[str, Any]) -> PeerLog:
    lived = {"in": given["inbound"], "out": given["outbound"]}
    return PeerLog(
        lived={direction: [_life(*life) for life in lives] for direction, lives in lived.items() if lives},
        failed=[Failed(float(first), float(last), *rest) for first, last, *rest in given["failed"]],
        first=_time(given["first"]),
        exchange=given["exchange"],
        established=_time(given["established"]),
        kept_from=_time(given["kept_from"]),
    )


def _life(begin: float, end: float, cause: str | None) -> Lived:
    return Lived(float(begin), float(end), cause, None)


def _time(given: float | None) -> float | None:
    return None if given is None else float(given)


__all__ = ["GatewayShape", "past_to_json", "restore_past"]
