"""All that is known of one peer, in lines under titles, worked out from the API's answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from racoon_exporter.top.answers import NOTHING, list_of, number_of, part, seconds_between, text_of
from racoon_exporter.top.model import Row, length, row_of
from racoon_exporter.wording.words import count, duration, percent


@dataclass(frozen=True, slots=True)
class Section:
    """A part of what is told of a peer: lines under a title."""

    title: str
    lines: tuple[str, ...]


def sections(peer: Mapping[str, Any], now: object, more: Mapping[str, Any]) -> list[Section]:
    """Write all that is known of a peer; `more` holds answers by resource, None where the exporter has no such one."""
    row = row_of(peer, now)
    told = [
        Section("State", _state(peer, row, now)),
        Section("What to do", _advice(peer)),
        Section("Availability", _availability(more)),
        Section("SAs", _sas(more.get("sas"), now)),
        Section("Failures, the newest first", _failures(more.get("failures"))),
        Section("Outages, the newest first", _outages(more.get("outages"))),
    ]
    return [section for section in told if section.lines]


def _state(peer: Mapping[str, Any], row: Row, now: object) -> tuple[str, ...]:
    which = " · ".join(part for part in (row.address, f"on {row.gateway}" if row.gateway else "", row.kind) if part)
    since = f"for {duration(row.seconds)}, since {text_of(peer.get('since'))}" if row.seconds is not None else "never up so far"
    end = peer.get("last_end")
    return (
        which,
        f"{row.word}, {since if row.state != 'unknown' else 'the log does not tell'}",
        f"ISAKMP SAs {number_of(part(peer, 'phase1', 'sas'))}; IPsec SAs {row.inbound} in, {row.outbound} out",
        f"Went down {count(row.flaps, 'time')}",
        *((f"Reason: {row.reason}",) if row.reason != NOTHING else ()),
        *(
            (f"The last IPsec SA ended {text_of(part(end, 'time'))}: {text_of(part(end, 'cause'))}",)
            if isinstance(end, Mapping)
            else ()
        ),
        f"Last heard of {length(seconds_between(peer.get('last_seen'), now))} ago"
        if row.seen is not None
        else "Never heard of",
    )


def _advice(peer: Mapping[str, Any]) -> tuple[str, ...]:
    failure = peer.get("last_failure")
    if not isinstance(failure, Mapping):
        return ()
    lines = [
        f"Phase {text_of(failure.get('phase'))} failed {text_of(failure.get('time'))}: {text_of(failure.get('reason'))}",
        *(text_of(failure[key]) for key in ("gloss", "advice") if failure.get(key)),
    ]
    runbook = failure.get("runbook")
    return (*lines, f"Runbook: /{text_of(runbook).removeprefix('../../')}") if runbook else tuple(lines)


def _availability(more: Mapping[str, Any]) -> tuple[str, ...]:
    told: list[str] = []
    reached = 0
    for window in ("day", "week", "month"):
        for peer in list_of(more.get(window), "peers")[:1]:
            share = peer.get("availability")
            if not isinstance(share, int | float) or not 0 <= share <= 1:
                continue
            known = number_of(peer.get("up_seconds")) + number_of(peer.get("down_seconds"))
            if known == reached:
                continue  # no more is known than of the one before
            reached = known
            told.append(f"{window} {percent(share)} of {duration(known)}, {count(number_of(peer.get('outages')), 'outage')}")
    return tuple(told)


def _sas(body: Any, now: object) -> tuple[str, ...]:
    return (
        *(
            f"ISAKMP {text_of(sa.get('exchange'))} {text_of(sa.get('role'))}, {text_of(sa.get('state'))}, {_age(sa, now)},"
            f" {text_of(sa.get('cookies'))}"
            for sa in list_of(body, "phase1")
        ),
        *(
            f"{text_of(sa.get('protocol'))} {text_of(sa.get('mode'))} {text_of(sa.get('direction'))},"
            f" {text_of(sa.get('state'))}, {_age(sa, now)}, spi 0x{number_of(sa.get('spi')):08x}"
            for sa in list_of(body, "ipsec")
        ),
    )


def _age(sa: Mapping[str, Any], now: object) -> str:
    age = f"{length(seconds_between(sa.get('established'), now))} old"
    left = seconds_between(now, sa.get("expires"))
    return age if left is None else f"{age}, expires in {duration(left)}"


def _failures(body: Any) -> tuple[str, ...]:
    return tuple(
        f"{text_of(one.get('ended'))} phase {text_of(one.get('phase'))} {text_of(one.get('reason'))}"
        + (f" (told by {text_of(one['told_by'])})" if one.get("told_by") else "")
        for one in list_of(body, "failures")
    )


def _outages(body: Any) -> tuple[str, ...]:
    return tuple(
        f"{text_of(one.get('begin'))} "
        + (f"for {duration(number_of(one.get('seconds')))}" if one.get("end") else "still down")
        + f": {text_of(one.get('cause'))}, {text_of(one.get('last_reason'))}"
        for one in list_of(body, "outages")
    )


__all__ = ["Section", "sections"]
