"""What a state file holds, by type; `sa/schema.py` says it of the racoons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, NotRequired, TypedDict

from msgspec import Meta

from racoon_exporter.availability.past_json import GatewayShape
from racoon_exporter.sa.model import Natural, Seconds, Time
from racoon_exporter.sa.schema import StateShape, check, distinct, typed

ALL_PLACED: Final = 2
"""From this version on each source has a position in the state file, or `PASSES`."""
PASSES: Final = "passes"
"""Stands for the position of a source that has none: it is gone when it was read."""
MOST_SECONDS_AGO: Final = 1e12
SeenRow = tuple[str, str, str, Time, Annotated[float, Meta(ge=-MOST_SECONDS_AGO, le=MOST_SECONDS_AGO)]]
Line = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""Its number goes on from a count of lines."""
SaidRow = Annotated[list[str], Meta(min_length=2, max_length=3)]  # three where an older version wrote it
RecordRow = tuple[Time | None, str, str, str, str, str, str, Line, Natural]


class ReaderShape(TypedDict):
    """`LogReader.to_json`."""

    clock: Time | None
    pending: RecordRow | None
    pending_row: NotRequired[str | None]
    continuations: list[str]
    quoted: NotRequired[list[tuple[str, Line]] | None]
    last: RecordRow | None
    last_row: NotRequired[str | None]
    format: NotRequired[str]
    line: NotRequired[str]
    said: NotRequired[tuple[Time | None, list[SaidRow]]]


class EngineShape(TypedDict):
    """`engine.to_json`."""

    state: dict[str, Any]
    messages: list[tuple[str, str, str, Natural]]
    unparsed: dict[str, Natural]
    first_line: NotRequired[dict[str, Time]]
    record_errors: NotRequired[Natural]
    past: NotRequired[dict[str, GatewayShape]]
    last_line: dict[str, Time]
    readers: dict[str, ReaderShape]


class LiveShape(TypedDict):
    """`LiveEngine.to_json`, and when that was."""

    engine: dict[str, Any]
    seen: list[SeenRow]
    saved: Seconds


class AsideShape(TypedDict):
    """What is kept of a source that is read no longer (`former_sources`); its racoons are looked at when it comes back."""

    at: Seconds
    gateway: str
    position: Any
    counts: dict[str, Natural] | None
    reader: ReaderShape | None
    last_line: Time | None
    first_line: Time | None
    racoons: list[dict[str, Any]]
    seen: list[SeenRow]


class FileShape(LiveShape):
    """What `Follower` writes."""

    version: Natural
    positions: dict[str, Any]
    gateways: NotRequired[dict[str, str]]
    sources: dict[str, dict[str, Natural]]
    witnesses: NotRequired[dict[str, Any]]
    aside: NotRequired[dict[str, AsideShape]]


def check_engine(given: dict[str, Any]) -> StateShape:
    """Give the state in it by type. Raises ValueError, naming the place, where this is nothing that `engine.to_json` gives."""
    engine = typed(given, EngineShape)
    distinct("messages", (row[:3] for row in engine["messages"]))
    return check(engine["state"])


def check_file(given: dict[str, Any]) -> None:
    """Raise ValueError where this is nothing that a follower writes, but for the engine, which `check_engine` looks at."""
    file = typed(given, FileShape)
    distinct("seen", (racoon[:3] for racoon in file["seen"]))
    if file["version"] >= ALL_PLACED and not file["sources"].keys() <= file["positions"].keys():
        raise ValueError("positions: a source was read, and nothing says how far")


def check_partition(given: Mapping[str, Any]) -> None:
    """Raise ValueError where this is nothing that is kept of a partition, but for the engine, which `check_engine` looks at."""
    kept = typed(dict(given), LiveShape)
    distinct("seen", (racoon[:3] for racoon in kept["seen"]))
