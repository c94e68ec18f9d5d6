"""The tables of Linux as iproute2 prints them: `ip -s xfrm state` and `ip xfrm policy` (ipxfrm.c).

Pure; never raises on any text. Keys (`enc`, `auth-trunc`, `aead`) are dropped here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final

from racoon_parsers.kernel.dump import MOST_SAS, SaLines, head_time, mode_name, number, protocol_name
from racoon_parsers.kernel.model import KernelSa, Sad
from racoon_parsers.setkey import IpsecRequest, Policies, Policy, Selector

_ENDS: Final = re.compile(r"src (?P<source>[^\s/]{1,60}) dst (?P<destination>[^\s/]{1,60})\s*$")
_ASSOCIATION: Final = re.compile(r"proto (?P<protocol>\S{1,16}) spi 0x(?P<spi>[0-9a-f]{1,8})\b(?P<decimal>\(\d)?")
_MODE: Final = re.compile(r"\bmode (?P<mode>\w{1,16})")
_ALGORITHM: Final = re.compile(
    r"(?P<kind>enc|auth|auth-trunc|aead|comp) (?P<name>[^\s]{1,80})(?: 0x[0-9a-f]*| [^\s]+)?(?: \((?P<bits>\d{1,5}) bits\))?"
)
_EXPIRY: Final = re.compile(r"expire add: soft (?P<soft>\d{1,20})\(sec\), hard (?P<hard>\d{1,20})\(sec\)")
_CURRENT: Final = re.compile(r"(?P<bytes>\d{1,20})\(bytes\), (?P<packets>\d{1,20})\(packets\)")
_ADDED: Final = re.compile(r"add (?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ")
_STATS: Final = re.compile(
    r"replay-window (?P<replay_window>\d{1,20}) replay (?P<replay>\d{1,20}) failed (?P<integrity>\d{1,20})"
)


def parse_ip_state(text: str, *, taken: float | None = None, zone: tzinfo = UTC) -> Sad:
    """Read the output of `ip -s xfrm state`, taken at a time; its own times are of the host's `zone`.

    Of several dumps, each behind a line `=== TIME …`, the last counts. Without `-s` there are no counts and no times.
    """
    dump = _Dump(taken, zone)
    for line in text.splitlines():
        dump.read(line)
    return dump.finish()


class _Dump:
    """One dump of the SAD while its lines are read."""

    def __init__(self, taken: float | None, zone: tzinfo) -> None:
        self._taken = taken
        self._zone = zone
        self._entry: SaLines | None = None
        self._sas: list[KernelSa] = []
        self._detailed = False
        """Whether it is of `ip -s`, which gives SPIs in decimal as well: each SA then ends with its statistics, or was cut."""
        self._cut = False

    def read(self, line: str) -> None:
        if line.startswith("==="):
            self._taken = head_time(line) or self._taken
            self._entry, self._detailed, self._cut = None, False, False
            self._sas.clear()
        elif line[:1] in {"\t", " "}:
            if self._entry is not None:
                self._detail(self._entry, line.strip())
        elif (match := _ENDS.match(line)) is not None:
            self._finish_entry()
            if len(self._sas) < MOST_SAS:
                self._entry = SaLines(match["source"], match["destination"])
            else:
                self._cut = True

    def finish(self) -> Sad:
        self._finish_entry()
        return Sad(tuple(self._sas), (), self._cut, self._taken)

    def _detail(self, entry: SaLines, line: str) -> None:
        if not entry.protocol and (match := _ASSOCIATION.match(line)) is not None:
            entry.protocol = protocol_name(match["protocol"]) or ""
            entry.spi = int(match["spi"], 16)
            self._detailed = self._detailed or bool(match["decimal"])
            mode = _MODE.search(line)
            entry.mode = mode_name(mode["mode"]) if mode else ""
        elif (match := _ALGORITHM.match(line)) is not None:
            _take_algorithm(entry, match)
        elif (match := _EXPIRY.match(line)) is not None:
            entry.soft, entry.hard = number(match["soft"]), number(match["hard"])
        elif (match := _CURRENT.match(line)) is not None:
            entry.bytes, entry.packets = number(match["bytes"]), number(match["packets"])
        elif (match := _ADDED.match(line)) is not None:
            entry.added = self._time(match["time"])
        elif (match := _STATS.match(line)) is not None:
            entry.replay, entry.integrity = number(match["replay"]), number(match["integrity"])
            entry.replay_window = number(match["replay_window"])
            entry.complete = True

    def _time(self, text: str) -> float | None:
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self._zone).timestamp()
        except (ValueError, OverflowError):
            return None

    def _finish_entry(self) -> None:
        entry, self._entry = self._entry, None
        if entry is None:
            return
        if entry.spi is None or (self._detailed and not entry.complete):
            self._cut = True
        elif (sa := entry.sa(self._taken)) is not None:
            self._sas.append(sa)


def _take_algorithm(entry: SaLines, match: re.Match[str]) -> None:
    kind, name, bits = match["kind"], match["name"], number(match["bits"] or "")
    if kind in {"auth", "auth-trunc"}:
        entry.authentication = name
    elif kind in {"enc", "aead"}:
        entry.encryption, entry.key_bits = name, bits


# --- policies ---

_SELECTOR: Final = re.compile(r"src (?P<source>[^\s]{1,60}) dst (?P<destination>[^\s]{1,60})(?P<rest>.*)")
_UPPER: Final = re.compile(r"\bproto (?P<protocol>\S{1,16})")
_DIRECTION: Final = re.compile(r"dir (?P<direction>in|out|fwd)\b")
_BLOCKED: Final = re.compile(r"\baction block\b")
_TEMPLATE: Final = re.compile(r"tmpl src (?P<source>[^\s]{1,60}) dst (?P<destination>[^\s]{1,60})")
_LEVEL: Final = re.compile(r"\blevel (?P<level>\w{1,10})")
_REQID: Final = re.compile(r"\breqid (?P<reqid>\d{1,10})")


@dataclass(slots=True)
class _PolicyLines:
    """A policy while its lines are read. A socket's own (`socket in …`) never gets a direction, and so is none."""

    line: int
    source: str
    destination: str
    protocol: str = "any"
    direction: str = ""
    action: str = "ipsec"
    template: tuple[str, str] | None = None
    requests: list[IpsecRequest] = field(default_factory=list)
    lifetime: int = 0

    def policy(self, path: str) -> Policy | None:
        if not self.direction:
            return None
        action = self.action if self.requests or self.action != "ipsec" else "none"
        ends = Selector(self.source), Selector(self.destination)
        return Policy(path, self.line, self.direction, *ends, self.protocol, action, tuple(self.requests), self.lifetime)

    def detail(self, line: str) -> None:
        if (match := _TEMPLATE.match(line)) is not None:
            self.template = match["source"], match["destination"]
        elif self.template is not None and line.startswith("proto "):
            self._request(line)
        elif not self.direction and (match := _DIRECTION.match(line)) is not None:
            self.direction = match["direction"]
            self.action = "discard" if _BLOCKED.search(line) else "ipsec"
        elif (match := _EXPIRY.match(line)) is not None:
            self.lifetime = number(match["hard"])

    def _request(self, line: str) -> None:
        protocol, mode = _UPPER.match(line), _MODE.search(line)
        level, reqid = _LEVEL.search(line), _REQID.search(line)
        name = protocol_name(protocol["protocol"]) if protocol else None
        if name is not None and self.template is not None:
            source, destination = (None if _is_any(end) else end for end in self.template)
            level_name = level["level"] if level else "require"
            level_name = {"required": "require"}.get(level_name, level_name)
            mode_text = mode["mode"] if mode else "any"
            number_ = (number(reqid["reqid"]) if reqid else 0) or None
            self.requests.append(IpsecRequest(name, mode_text, source, destination, level_name, number_))
        self.template = None


def _is_any(address: str) -> bool:
    return address in {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to


def parse_ip_policy(text: str, *, path: str = "policy.txt") -> Policies:
    """Read the output of `ip xfrm policy`. Of several dumps, each behind a line `=== TIME …`, the last counts."""
    policies: list[Policy] = []
    entry: _PolicyLines | None = None
    for line_number, line in enumerate(text.splitlines(), 1):
        if line[:1] in {"\t", " "}:
            if entry is not None:
                entry.detail(line.strip())
            continue
        if entry is not None and (policy := entry.policy(path)) is not None:
            policies.append(policy)
        entry = None
        if line.startswith("==="):
            policies.clear()
        elif (match := _SELECTOR.match(line)) is not None and len(policies) < MOST_SAS:
            upper = _UPPER.search(match["rest"])
            entry = _PolicyLines(line_number, match["source"], match["destination"], upper["protocol"] if upper else "any")
    if entry is not None and (policy := entry.policy(path)) is not None:
        policies.append(policy)
    return Policies(path, tuple(policies))


__all__ = ["parse_ip_policy", "parse_ip_state"]
