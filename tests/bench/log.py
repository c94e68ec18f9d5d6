"""The log that is generated: its parameters, the writer, and the tally of what was written."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal, TextIO

from tests.bench.debug import DebugBlocks
from tests.bench.messages import Kind

START: Final = 1_768_465_802
"""2026-01-15 08:30:02 UTC."""
Format = Literal["file", "syslog"]

_CHUNK: Final = 4096
"""Lines written at once."""
_LINES_PER_LIFETIME: Final = 13
"""Lines that a peer of the mixture causes in one lifetime of an IPsec SA, failing peers included."""
_SHORTEST: Final = 300
"""Seconds; with shorter lifetimes a slow phase 1 would outlast the SAs under it."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Which log to make."""

    seed: int = 1
    peers: int = 1000
    lines: int = 400_000
    """The log ends with the first step of a negotiation that reaches so many."""
    seconds: int = 86_400
    """About so much log time; the lifetime of SAs follows from it."""
    format: Format = "file"
    gateways: int = 1
    """Hosts that write the log (syslog format): each peer is one host's."""
    addresses: int | None = None
    """Addresses that the peers share, one after another; None where each has its own."""
    debug: bool = False
    """As racoon writes it with `-d` (file format only): debug lines around each step."""
    debug_share: float = 0.96
    """Share of debug lines, dumps among them, in a debug log."""

    @property
    def phase2_lifetime(self) -> int:
        """Seconds an IPsec SA lives, so that the wished lines fill the wished time."""
        lines = self.lines * (1 - self.debug_share) if self.debug else self.lines
        return max(_SHORTEST, round(self.seconds * self.peers * _LINES_PER_LIFETIME / max(lines, 1)))


@dataclass(slots=True)
class Tally:
    """What was written, and what follows from it for one who understands it."""

    lines: int = 0
    debug_lines: int = 0
    """Debug lines among them, dumps included."""
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Records other than debug ones, by level and event class."""
    phase1_established: Counter[str] = field(default_factory=Counter)
    """By peer."""
    phase2_established: Counter[str] = field(default_factory=Counter)
    """Pairs of IPsec SAs, by peer."""
    phase1_failures: Counter[str] = field(default_factory=Counter)
    """By reason."""
    phase2_failures: Counter[str] = field(default_factory=Counter)
    """By reason."""
    dead_peers: Counter[str] = field(default_factory=Counter)
    """By peer."""
    ipsec_ended: Counter[str] = field(default_factory=Counter)
    """By cause."""
    isakmp_alive: set[str] = field(default_factory=set)
    """Cookies."""
    ipsec_alive: set[int] = field(default_factory=set)
    """SPIs."""
    seconds: float = 0.0
    """From the first line to the last."""


class Log:
    """Writes records at the time its clock shows, and tallies them."""

    def __init__(self, parameters: Parameters, out: TextIO) -> None:
        self.tally = Tally()
        self.host = "gateway"
        """Who writes the next records of a syslog."""
        self.now = float(START)
        """Seconds since the epoch."""
        self._out = out
        self._format = parameters.format
        self._share = parameters.debug_share
        self._blocks = DebugBlocks(parameters.seed) if parameters.debug else None
        self._pending: list[str] = []
        self._second = -1
        self._head = self._stamp = ""

    def at(self, now: float) -> None:
        """Set the clock."""
        self.now = now
        self.tally.seconds = now - START
        if int(now) != self._second:
            self._second = int(now)
            day = time.gmtime(self._second)
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", day)
            syslog = f"{time.strftime('%b', day)} {day.tm_mday:2d} {time.strftime('%H:%M:%S', day)}"
            self._head = f"{self._stamp}: " if self._format == "file" else syslog

    def record(self, kind: Kind, values: dict[str, str | int]) -> None:
        """Write a record."""
        tag = f"[{values[kind.tag]}] " if kind.tag else ""
        head = self._head if self._format == "file" else f"{self._head} {self.host} racoon: "
        self._pending.append(f"{head}{tag}{kind.level}: {kind.template.format_map(values)}\n")
        self.tally.lines += 1
        self.tally.messages[kind.level, kind.event] += 1
        if len(self._pending) >= _CHUNK:
            self.flush()

    def debug(self, step: str, values: dict[str, str | int]) -> None:
        """Write the debug lines of a step, unless the log has its share of them."""
        tally = self.tally
        if self._blocks is None or tally.debug_lines > self._share * tally.lines:
            return
        lines = self._blocks.lines(step, self._stamp, values)
        self._pending += lines
        tally.lines += len(lines)
        tally.debug_lines += len(lines)

    def flush(self) -> None:
        """Hand what was said to the file."""
        self._out.write("".join(self._pending))
        self._pending.clear()
