"""What the text forms of a kernel's tables share: how names and numbers are read, and how an SA is put together."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from racoon_parsers.kernel.model import KernelSa, State
from racoon_parsers.setkey import FOR_EVER

MOST_DIGITS: Final = 20
"""Digits of the largest number a kernel keeps (64 bits); a longer one is no number of its."""
MOST_SAS: Final = 100_000
"""SAs of one dump; beyond it the dump is cut, and says so."""
_HEAD: Final = re.compile(r"===\s+(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)")
"""A line that whoever collects dumps puts before each, with its time; the command behind it is not read."""
_PROTOCOLS: Final = {"esp": "esp", "esp-udp": "esp", "ah": "ah", "ipcomp": "ipcomp", "comp": "ipcomp", "50": "esp", "51": "ah"}
_MODES: Final = {"transport": "Transport", "tunnel": "Tunnel"}


def number(text: str) -> int:
    """Read a decimal number; one no kernel prints is 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0


def protocol_name(text: str) -> str | None:
    """Spell an IPsec protocol as SA state does; None for another one, such as a routing header of Mobile IPv6."""
    return _PROTOCOLS.get(text)


def mode_name(text: str) -> str:
    """Spell a mode as racoon's log does; "" for any, and for modes that racoon does not negotiate."""
    return _MODES.get(text, "")


def head_time(line: str) -> float | None:
    """Read the time of a dump's head. One without a zone is UTC, as a collector of several hosts writes it."""
    match = _HEAD.match(line)
    if match is None:
        return None
    text = match["time"]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else datetime.fromisoformat(text + "+00:00")).timestamp()


@dataclass(slots=True)
class SaLines:
    """An SA while its lines are read. Ages and limits become times when the moment of the dump is known."""

    source: str
    destination: str
    protocol: str = ""
    spi: int | None = None
    mode: str = ""
    state: State | None = None
    age: int | None = None
    """Seconds since it came into being."""
    added: float | None = None
    hard: int = 0
    """Seconds it may live; 0 for ever."""
    soft: int = 0
    bytes: int = 0
    packets: int = 0
    replay: int = 0
    replay_window: int = 0
    integrity: int = 0
    encryption: str = ""
    authentication: str = ""
    key_bits: int = 0
    complete: bool = False
    """Whether the last line of the form was there."""

    def sa(self, taken: float | None) -> KernelSa | None:
        """Give the SA, the dump having been taken at a time; None where too little was read of it."""
        if not self.protocol or self.spi is None:
            return None
        added = self.added
        if added is None and self.age is not None and self.age < FOR_EVER and taken is not None:
            added = taken - self.age
        values: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(KernelSa) if item.name in _SAME}
        return KernelSa(
            **values,
            state=self.state or self._state(added, taken),
            added=added,
            hard_expiry=added + self.hard if added is not None and 0 < self.hard < FOR_EVER else None,
        )

    def _state(self, added: float | None, taken: float | None) -> State:
        """Tell the state where the form does not name it: `ip xfrm state` has none."""
        if not (self.encryption or self.authentication or self.protocol == "ipcomp"):
            return "larval"
        past_soft = 0 < self.soft < FOR_EVER and added is not None and taken is not None and taken >= added + self.soft
        return "dying" if past_soft else "mature"


_SAME: Final = frozenset(item.name for item in fields(SaLines)) - {"state", "added"}
