"""The parameters of `/api/v1/…`: read, checked, and what they choose. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar, get_args

from racoon_exporter.duration import read_duration
from racoon_exporter.status.overview.view import STATES, Kind
from racoon_exporter.zone import seconds_of
from racoon_parsers.reasons import FAILURE_REASONS

MOST_ROWS: Final = 1000
"""The largest `limit`."""
USUAL_ROWS: Final = 100
_LARGEST: Final = 2**63 - 1
KINDS: Final = get_args(Kind)
_PLUS: Final = re.compile(r" (\d\d:\d\d)$")
"""A zone whose plus sign was not written as %2B, and so is a blank."""
Row = TypeVar("Row")


class Ago(float):
    """A moment that is so many seconds before that of the answer."""


Moment = float | Ago


class BadParameterError(ValueError):
    """A query that cannot be answered; the text says which parameter and why."""


class Parameters(NamedTuple):
    """A query, read and checked."""

    peer: str | None = None
    gateway: str | None = None
    state: str | None = None
    kind: str | None = None
    reason: str | None = None
    cursor: int | None = None
    begin: Moment | None = None
    end: Moment | None = None
    limit: int | None = None
    offset: int = 0
    text: str | None = None
    """A part of a name."""

    def at(self, now: float) -> Parameters:
        """Give the same with moments that were said as how long ago, seen from now."""
        begin, end = (max(0.0, now - given) if isinstance(given, Ago) else given for given in (self.begin, self.end))
        return self._replace(begin=begin, end=end)

    def wants(self, gateway: str, *names: str) -> bool:
        """Whether something of a gateway and of a peer with these names is asked for."""
        return self.gateway in (None, gateway) and (self.peer is None or self.peer in names)

    def is_within(self, time: float | None) -> bool:
        """Whether something of a time is asked for; of what has none it is, unless a time is asked for."""
        if time is None:
            return self.begin is None and self.end is None
        return (self.begin is None or time >= self.begin) and (self.end is None or time < self.end)

    def overlaps(self, begin: float, end: float | None) -> bool:
        """Whether something that lasted for a time is asked for; without an end it lasts still."""
        return (self.end is None or begin < self.end) and (self.begin is None or end is None or end >= self.begin)

    def page(self, rows: Sequence[Row], usual: int | None = None) -> Sequence[Row]:
        """Give the rows that are asked for of all that there are; without a limit the usual number, or all."""
        most = len(rows) if usual is None else usual
        return rows[self.offset : self.offset + (most if self.limit is None else self.limit)]


class Parameter(NamedTuple):
    """A parameter: the field it sets, and how its value is read."""

    field: str
    read: Callable[[str, str], Any]


def _text(name: str, text: str) -> str:
    del name
    return text


def _whole(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(most)) else least - 1
        if not least <= number <= most:
            raise BadParameterError(f"parameter {name!r} must be a whole number from {least} to {most}")
        return number

    return read


def _one_of(values: Iterable[str]) -> Callable[[str, str], str]:
    known = tuple(values)

    def read(name: str, text: str) -> str:
        if text not in known:
            raise BadParameterError(f"parameter {name!r} must be one of {', '.join(known)}")
        return text

    return read


def _time(name: str, text: str) -> Moment:
    ago = read_duration(text)
    if ago is not None:
        return Ago(ago)
    try:
        return seconds_of(datetime.fromisoformat(_PLUS.sub(r"+\1", text)))
    except ValueError as error:
        raise BadParameterError(
            f"parameter {name!r} must be a time with its zone, such as 2026-11-24T04:09:39+00:00 or …Z, or 7d"
        ) from error


_PEER: Final = {"peer": Parameter("peer", _text), "gateway": Parameter("gateway", _text)}
_PAGE: Final = {"limit": Parameter("limit", _whole(1, MOST_ROWS)), "offset": Parameter("offset", _whole(0, _LARGEST))}

PEERS: Final = {
    **_PEER,
    "state": Parameter("state", _one_of(STATES)),
    "kind": Parameter("kind", _one_of(KINDS)),
    **_PAGE,
}
GATEWAYS: Final = {
    "q": Parameter("text", _text),
    "gateway": _PEER["gateway"],
    "state": Parameter("state", _one_of(STATES)),
    **_PAGE,
}
_TIME: Final = {"since": Parameter("begin", _time), "until": Parameter("end", _time)}
_REASON: Final = {"reason": Parameter("reason", _one_of(FAILURE_REASONS))}

SAS: Final = {**_PEER, **_PAGE}
FAILURES: Final = {**_PEER, **_REASON, **_TIME, **_PAGE}
OUTAGES: Final = FAILURES
AVAILABILITY: Final = {**_PEER, "kind": PEERS["kind"], **_TIME, **_PAGE}
CRYPTO: Final = {**_PEER, **_PAGE}
NONE: Final[Mapping[str, Parameter]] = {}
EVENTS: Final = {**_PEER, **_REASON, "since": Parameter("cursor", _whole(0, _LARGEST)), "limit": _PAGE["limit"]}


def read_parameters(query: Iterable[tuple[str, str]], known: Mapping[str, Parameter]) -> Parameters:
    """Read a query string. Raises BadParameterError for one that is unknown here, given twice, or of a wrong value."""
    given: dict[str, Any] = {}
    for name, value in query:
        if name not in known:
            raise BadParameterError(f"unknown parameter {name!r}; known here: {', '.join(sorted(known)) or 'none'}")
        field, read = known[name]
        if field in given:
            raise BadParameterError(f"parameter {name!r} is given twice")
        given[field] = read(name, value)
    return Parameters(**given)


__all__ = [
    "AVAILABILITY",
    "CRYPTO",
    "EVENTS",
    "FAILURES",
    "GATEWAYS",
    "KINDS",
    "MOST_ROWS",
    "NONE",
    "OUTAGES",
    "PEERS",
    "SAS",
    "USUAL_ROWS",
    "Ago",
    "BadParameterError",
    "Parameter",
    "Parameters",
    "read_parameters",
]
