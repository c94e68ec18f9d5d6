"""What the engines of several streams know, put together as what one would: for partitions that are read as one from now on.

A gateway whose lines came through one of them is as it was. One whose lines came through several was known in parts: what was
counted adds up, SAs of all parts live, and of what can be said once the part has the word that was heard last. What is over
stays in the history and can be brought back no more. Pure: values of JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from racoon_exporter.sa.checkpoint import detached, key_of, upgraded
from racoon_exporter.sa.gateways import Key
from racoon_exporter.sa.model import HISTORY

_TIMES: Final = (
    *("phase1_last_established", "phase1_last_failure", "phase2_last_established", "phase2_last_failure"),
    *("last_seen", "phase1_since", "since"),
)
"""Of a peer: those of which the latest holds."""
_SPANS: Final = ("inbound", "outbound", "failed")
"""What is known of the past of a peer, each row with its time in front."""


def unite(stream: str, kept: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Put together what `LiveEngine.to_json` gave of several, none of which keeps a record back, for one of a stream.

    Raises KeyError, TypeError, ValueError or AttributeError for what is no such thing.
    """
    every = list(kept)
    engines = [each["engine"] for each in every]
    states = [engine["state"] for engine in engines]
    folded = [state["folded_gateways"] for state in states if "folded_gateways" in state]
    firsts, lasts = (
        [time for engine in engines for time in engine.get(name, {}).values()] for name in ("first_line", "last_line")
    )
    return {
        "engine": {
            "state": {
                "archive": {
                    name: sorted(
                        (row for state in states for row in state["archive"][name]), key=lambda row: row.get("ended") or 0.0
                    )
                    for name in HISTORY
                },
                "racoons": _racoons(states),
                "folded_gateways": {
                    "number": sum(each["number"] for each in folded),
                    "names": sorted({name for each in folded for name in each["names"]}),
                },
            },
            "messages": _sum(row for engine in engines for row in engine["messages"]),
            "unparsed": dict(sum((Counter(engine["unparsed"]) for engine in engines), Counter())),
            "first_line": {stream: min(firsts)} if firsts else {},
            "record_errors": sum(engine.get("record_errors", 0) for engine in engines),
            "past": _past(engine.get("past", {}) for engine in engines),
            "last_line": {stream: max(lasts)} if lasts else {},
            "readers": {},
        },
        "seen": [[*key, *times] for key, times in _seen(row for each in every for row in each["seen"]).items()],
    }


def _sum(rows: Iterable[Any]) -> list[list[Any]]:
    """Add up counters of equal labels."""
    total: Counter[tuple[Any, ...]] = Counter()
    for *key, number in rows:
        total[tuple(key)] += number
    return [[*key, number] for key, number in total.items()]


def _seen(rows: Iterable[Any]) -> dict[Key, list[float]]:
    """Give of each racoon when its newest line was written and read."""
    seen: dict[Key, list[float]] = {}
    for gateway, ident, racoon_stream, time, ago in rows:
        key = gateway, ident, racoon_stream
        seen[key] = max(seen.get(key, [time, ago]), [time, ago])
    return seen


def _racoons(states: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: dict[Key, list[dict[str, Any]]] = {}
    for state in states:
        for racoon in map(upgraded, state["racoons"]):
            found.setdefault(key_of(racoon), []).append(detached(racoon, state["archive"]["negotiations"]))
    return [_of_parts(sorted(parts, key=lambda part: part["now"] or 0.0)) for parts in found.values()]


def _of_parts(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Give a racoon of its parts, of which the last was heard last."""
    if len(parts) == 1:
        return parts[0]
    last = parts[-1]
    isakmp, ipsec = (
        [*_distinct(row for part in reversed(parts) for row in part[name]["alive"])] for name in ("isakmp", "ipsec")
    )
    peers = [part["peers"] for part in parts]
    return last | {
        "counters": _sum(row for part in parts for row in part["counters"]),
        "durations": _durations(part["durations"] for part in parts),
        "heard_in": [],
        "isakmp": last["isakmp"] | {"alive": isakmp},
        "ipsec": last["ipsec"] | {"alive": ipsec},
        "negotiations": [*_distinct(row for part in reversed(parts) for row in part["negotiations"])],
        "failures": [row for part in parts for row in part.get("failures", [])],
        "peers": {
            "peers": _peers([peer for part in peers for peer in part["peers"]], isakmp, ipsec),
            "locals": sorted({address for part in peers for address in part["locals"]}),
            "peer_of_cookies": [[*row] for row in {row[0]: row for part in peers for row in part["peer_of_cookies"]}.values()],
            "folded": sorted({address for part in peers for address in part["folded"]}),
        },
    }


def _distinct(rows: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Give rows once, the first ones at their places."""
    return {repr(sorted(row.items(), key=lambda item: item[0])): row for row in rows}.values()


def _durations(parts: Iterable[Mapping[str, list[float]]]) -> dict[str, list[float]]:
    total: dict[str, list[float]] = {}
    for part in parts:
        for role, counts in part.items():
            total[role] = [one + other for one, other in zip(total.get(role, [0.0] * len(counts)), counts, strict=True)]
    return total


def _peers(every: list[dict[str, Any]], isakmp: list[dict[str, Any]], ipsec: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_address: dict[str, list[dict[str, Any]]] = {}
    for peer in every:
        by_address.setdefault(peer["address"], []).append(peer)
    return [
        _peer(
            parts,
            phase1_up=any(sa["peer"] == address for sa in isakmp),
            phase2_up=len({sa["direction"] for sa in ipsec if sa["peer"] == address}) > 1,
        )
        for address, parts in by_address.items()
    ]


def _peer(parts: list[dict[str, Any]], *, phase1_up: bool, phase2_up: bool) -> dict[str, Any]:
    """Give a peer of its parts."""
    if len(parts) == 1:
        return parts[0]
    parts = sorted(parts, key=lambda part: part.get("last_seen") or 0.0)
    united = {name: value for part in parts for name, value in part.items() if value is not None}
    for name in _TIMES:
        times = [part[name] for part in parts if part.get(name) is not None]
        if times:
            united[name] = max(times)
    return united | {
        "counters": _sum(row for part in parts for row in part.get("counters", [])),
        "stranger": all(part.get("stranger", True) for part in parts),
        "phase1_up": phase1_up,
        "phase2_up": phase2_up,
    }


def _past(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Give what is known of the past, by gateway."""
    logs: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        for gateway, log in part.items():
            logs.setdefault(gateway, []).append(log)
    return {gateway: of_gateway[0] if len(of_gateway) == 1 else _log(of_gateway) for gateway, of_gateway in logs.items()}


def _log(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Give what is known of the past of a gateway. What was a silence in one part was none for all that is known."""
    parts = sorted(parts, key=lambda part: part["last"] or 0.0)
    addresses = dict.fromkeys(address for part in parts for address in part["peers"])
    return parts[-1] | {
        "first": _pick(min, parts, "first"),
        "last": _pick(max, parts, "last"),
        "newest": _pick(max, parts, "newest"),
        "informed": any(part["informed"] for part in parts),
        "kept_from": _pick(max, parts, "kept_from"),
        "silences": [],
        "lapsed": [],
        "runs": [*_distinct(run for part in parts for run in part["runs"])],
        "peers": {
            address: _past_of_peer([part["peers"][address] for part in parts if address in part["peers"]])
            for address in addresses
        },
    }


def _past_of_peer(parts: list[dict[str, Any]]) -> dict[str, Any]:
    last = max(parts, key=lambda part: part["established"] or 0.0)
    return last | {
        **{name: sorted((row for part in parts for row in part[name]), key=lambda row: row[0]) for name in _SPANS},
        "first": _pick(min, parts, "first"),
        "kept_from": _pick(max, parts, "kept_from"),
    }


def _pick(choose: Callable[[list[float]], float], parts: Iterable[Mapping[str, Any]], name: str) -> float | None:
    """Give the least or greatest of what some of the parts know."""
    known = [part[name] for part in parts if part[name] is not None]
    return choose(known) if known else None


__all__ = ["unite"]
