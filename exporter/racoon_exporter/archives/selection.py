"""What is asked for: a span of time, peers, gateways, reasons. The same words for every command that reads old logs."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from racoon_exporter.duration import read_duration
from racoon_exporter.gateway_scope import same_name
from racoon_exporter.sa import Knowledge
from racoon_exporter.zone import seconds_of


@dataclass(frozen=True, slots=True)
class Selection:
    """What is shown; empty where everything is."""

    since: float | None = None
    until: float | None = None
    peers: tuple[str, ...] = ()
    """Names, addresses and networks."""
    gateways: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    def spans(self, begin: float | None, end: float | None) -> bool:
        """Whether something that lasted from `begin` to `end` falls into the time that is asked for; None is open."""
        if self.until is not None and begin is not None and begin >= self.until:
            return False
        return self.since is None or end is None or end >= self.since

    def has_gateway(self, gateway: str) -> bool:
        """Whether a gateway is asked for."""
        return not self.gateways or gateway in self.gateways or same_name(gateway) in map(same_name, self.gateways)

    def has_peer(self, address: str | None, knowledge: Knowledge) -> bool:
        """Whether a peer is asked for, by its address, its name, or a network it is in."""
        if not self.peers:
            return True
        if address is None:
            return False
        return address in self.peers or knowledge.name(address) in self.peers or _in_one(address, self.peers)

    def has_reason(self, reason: str | None) -> bool:
        """Whether a reason is asked for; what has none is not where one is."""
        return not self.reasons or reason in self.reasons


def _in_one(address: str, networks: tuple[str, ...]) -> bool:
    try:
        place = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(place in network for network in map(_network, networks) if network is not None)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def read_moment(text: str, zone: tzinfo, now: float, *, end: bool = False) -> float:
    """Read a moment: RFC 3339, a day such as 2026-11-01 (its end for `end`), or how long ago, such as 7d. Raises ValueError."""
    ago = read_duration(text)
    if ago is not None:
        return max(0.0, now - ago)
    try:
        if len(text) == len("2026-11-01"):
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return seconds_of(datetime(day.year, day.month, day.day, tzinfo=zone), zone)
        return seconds_of(datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text!r} is no time; write 2026-11-01, 2026-11-01T12:00:00+01:00, or 7d for seven days ago"
        ) from error
