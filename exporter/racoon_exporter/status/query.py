"""The parameters of `/api/v1/…`: read, checked, and what they choose. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar, get_args

from racoon_exporter.status.view import STATES, Kind
from racoon_parsers.reasons import FAILURE_REASONS

MOST_ROWS: Final = 1000
"""The largest `limit`."""
USUAL_ROWS: Final = 100
_LARGEST: Final = 2**63 - 1
KINDS: Final = get_args(Kind)
_PLUS: Final = re.compile(r" (\d\d:\d\d)$")
"""A zone whose plus sign was not written as %2B, and so is a blank."""
Row = TypeVar("Row")


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
    begin: float | None = None
    end: float | None = None
    limit: int | None = None
    offset: int = 0
    text: str | None = None
    """A part of a name."""

    def wants(self, gateway: str, *names: str) -> bool:
        """Whether something of a gateway and of a peer with these names is asked for."""
        return self.gateway in (None, gateway) and (self.peer is None or self.peer in names)

    def is_within(self, time: float | None) -> bool:
        """Whether something of a time is asked for; of what has none it is, unless a time is asked for."""
        if time is None:
            return self.begin is None and self.end is None
        return (self.begin is None or time >= self.begin) and (self.end is None or time < self.end)

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


def _time(name: str, text: str) -> float:
    try:
        time = datetime.fromisoformat(_PLUS.sub(r"+\1", text))
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise BadParameterError(f"parameter {name!r} must be a time with its zone, such as 2026-11-24T04:09:39+00:00 or …Z")
    return time.timestamp()


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
SAS: Final = _PEER
FAILURES: Final = {
    **_PEER,
    "reason": Parameter("reason", _one_of(FAILURE_REASONS)),
    "since": Parameter("begin", _time),
    "until": Parameter("end", _time),
    **_PAGE,
}
EVENTS: Final = {"since": Parameter("cursor", _whole(0, _LARGEST)), "limit": _PAGE["limit"]}
NONE: Final[Mapping[str, Parameter]] = {}


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
    "EVENTS",
    "FAILURES",
    "GATEWAYS",
    "KINDS",
    "MOST_ROWS",
    "NONE",
    "PEERS",
    "SAS",
    "USUAL_ROWS",
    "BadParameterError",
    "Parameter",
    "Parameters",
    "read_parameters",
]
