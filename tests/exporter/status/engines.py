"""Engines that have read recordings or lines written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TypeVar

from racoon_exporter.engine import Engine
from racoon_exporter.sa import Expectation, Knowledge, Known, Limits
from racoon_exporter.source.contract import Block, SourceCounts, SourceStatus
from racoon_exporter.source.files.fingerprint import Fingerprint
from racoon_exporter.source.files.position import Position
from racoon_exporter.status import EventRing
from racoon_exporter.status.overview.facts import take_facts
from racoon_exporter.status.overview.view import Overview, PeerView, overview
from racoon_exporter.status.pages.context import PageContext, Wanted
from racoon_exporter.status.pages.status_page import page

T = TypeVar("T")
LAB = Path(__file__).parents[2] / "scenarios" / "lab"
PEER = "192.168.0.41"
_START = Position(0, 0, 0, 0, 0, Fingerprint.of(b""))
_LATEST = 1.9e9
ASSETS = {"icon.svg": "assets/icon.svg", "status.css": "assets/status.css", "status.js": "assets/status.js"}


def status(name: str = "racoon.log", **changed: object) -> SourceStatus:
    counted = {field.name for field in fields(SourceCounts)}
    counts = {"lines": 10, "bytes": 1000} | {key: value for key, value in changed.items() if key in counted}
    others = {"up": True} | {key: value for key, value in changed.items() if key not in counted}
    return SourceStatus(name=name, counts=SourceCounts(**counts), **others)  # type: ignore[arg-type]


@dataclass
class Gateway:
    """An engine with its ring and sources, as `serve` has them."""

    expected: Mapping[str, Expectation] | Known = field(default_factory=dict)
    zone: tzinfo = UTC
    history: int | None = None
    statuses: tuple[SourceStatus, ...] = (status(),)
    ring: EventRing = field(default_factory=EventRing)

    def __post_init__(self) -> None:
        known = self.expected
        knowledge = Knowledge(known, None, Limits(history=self.history)) if isinstance(known, Mapping) else known
        self.engine = Engine(self.zone, knowledge=knowledge, reference_of=lambda _: _LATEST, on_record=self.ring.add)
        self._line = 1

    def read(self, text: str | bytes, source: str = "racoon.log") -> Gateway:
        data = text.encode() if isinstance(text, str) else text
        self.engine.feed(Block(source, data, self._line, _START))
        self.engine.flush()
        self._line += data.count(b"\n")
        return self

    def take(self, copy: Callable[[Engine, tuple[SourceStatus, ...]], T]) -> T:
        return copy(self.engine, self.statuses)

    @property
    def now(self) -> float:
        return max((racoon.now for racoon in self.engine.state.racoons.values() if racoon.now is not None), default=0.0)

    def view(self, after: float = 0.0) -> Overview:
        return overview(self.take(take_facts), self.now + after)

    def peer(self, address: str = PEER, after: float = 0.0) -> PeerView:
        return next(peer for peer in self.view(after).peers if peer.address == address)

    def page(self, *query: str, after: float = 0.0) -> str:
        return page(PageContext(self.view(after), self.zone, "/metrics", ASSETS, Wanted(*query)), self.ring.newest(200))


def recording(name: str, host: str = "a", *, lines: int | None = None) -> bytes:
    """Give a recording's log, or its first lines."""
    data = (LAB / name / f"{host}.log").read_bytes()
    return data if lines is None else b"".join(data.splitlines(keepends=True)[:lines])


def until(name: str, text: str, host: str = "a") -> bytes:
    """Give a recording's log up to the first line with a text, and without it."""
    lines = recording(name, host).splitlines(keepends=True)
    return b"".join(lines[: next(number for number, line in enumerate(lines) if text.encode() in line)])


def permanent(name: str = "branch") -> dict[str, Expectation]:
    return {PEER: Expectation(name)}
