"""What is remembered: negotiations, SAs, peers, daemons. Plain records; `phase1.py`, `phase2.py` and `daemon.py` change them.

All times are seconds since the epoch, taken from the lines; None where no line told one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Final, Literal, TypeVar

from msgspec import Meta

from racoon_exporter.sa.counts import MOST, counters_from_json, counters_to_json
from racoon_exporter.sa.tables import IpsecState, IsakmpState, NegotiationState

Record = TypeVar("Record")

Time = Annotated[float, Meta(ge=-62_135_683_200, le=253_402_387_200)]
"""Seconds since the epoch; what has a year of four digits in some zone."""
Seconds = Annotated[float, Meta(ge=0, le=1e16)]
"""How long something lives or took; racoon.conf may say twelve digits of hours."""
Natural = Annotated[int, Meta(ge=0, le=MOST)]
Phase = Annotated[int, Meta(ge=1, le=2)]
Spi = Annotated[int, Meta(ge=0, lt=10**10)]
"""What stood in an SPI's place: it has 32 bits, and whoever may write the log writes any ten digits."""

Phase1End = Literal["expired", "deleted_by_peer", "dead_peer", "deleted_locally", "purged", "restart", "vanished"]
Outcome = Literal["established", "failed"]

UNATTRIBUTED: Final = "unattributed"
"""Peer of what no line ties to a peer."""
OTHER: Final = "other"
"""Peer under which strangers beyond the limit are counted."""
PSEUDO_PEERS: Final = frozenset({OTHER, UNATTRIBUTED})
"""What stands where a peer does and is none."""


@dataclass(slots=True, eq=False)
class Negotiation:
    """A phase 1 or phase 2 negotiation: collects evidence from its start to its end."""

    phase: Phase
    gateway: str
    local: str | None
    peer: str
    role: str | None
    exchange: str | None
    begun: Time | None
    cookies: str | None = None
    ended: Time | None = None
    state: NegotiationState = "negotiating"
    reason: str | None = None
    evidence: str | None = None
    """Most telling reason so far."""
    half: bool = False
    """Phase 2 whose inbound SA is there and whose outbound one is not yet."""
    message_id: str | None = None
    touched: Time | None = None
    """Time of the last line that belongs to it."""
    told_by: str | None = None
    """The gateway whose log named the reason, where it was the other end's."""

    @property
    def outcome(self) -> Outcome | None:
        """Its verdict; None while there is none, or where there never was one."""
        return self.state if self.state == "established" or self.state == "failed" else None  # noqa: PLR1714 (narrows the type)

    @property
    def waiting(self) -> bool:
        """Whether it is a phase 2 that waits for a phase 1 and has not begun."""
        return self.state == "waiting"


@dataclass(slots=True, eq=False)
class IsakmpSa:
    """An ISAKMP SA, named by its cookies."""

    gateway: str
    local: str | None
    peer: str
    cookies: str
    role: str | None
    exchange: str | None
    established: Time | None
    ended: Time | None = None
    end: Phase1End | None = None
    state: IsakmpState = "established"
    dying: Time | None = None
    purging: Time | None = None
    """When its teardown began."""
    purging_cause: Phase1End = "purged"
    """Why it is torn down, where a line before told."""
    lifetime: Seconds | None = None
    """Seconds it may live, where known."""
    xauth: bool = False
    """An XAuth login was asked for and not answered yet."""
    counted: bool = False
    """Its end was counted once, and taken back."""

    @property
    def name(self) -> str:
        """What lines call it."""
        return self.cookies


@dataclass(slots=True, eq=False)
class IpsecSa:
    """An IPsec SA: one direction of traffic."""

    gateway: str
    protocol: str
    mode: str | None
    source: str
    destination: str
    spi: Spi
    peer: str
    direction: str | None
    """`in` or `out`; None while unknown."""
    established: Time | None
    dying: Time | None = None
    ended: Time | None = None
    end: str | None = None
    state: IpsecState = "mature"
    lifetime: Seconds | None = None
    """Seconds from establishment to its hard expiry, where known."""
    orphan: bool = False
    """The daemon that made it crashed; the kernel keeps it until it expires."""
    counted: bool = False
    """Its end was counted once, and taken back."""
    outlived: bool = False
    """It lived longer than was learned from its peer's others."""

    @property
    def name(self) -> int:
        """What lines call it."""
        return self.spi


@dataclass(slots=True, eq=False)
class DaemonRun:
    """One life of a racoon process."""

    gateway: str
    started: Time | None
    stopped: Time | None = None
    version: str | None = None
    end: str | None = None
    openssl: str | None = None


@dataclass(slots=True, eq=False)
class Peer:
    """A remote address, and what is counted for it."""

    address: str
    stranger: bool = True
    """Nobody configured it and no SA of it ever came up."""
    proved: bool = False
    """An SA of it came up: whatever is configured, it is no stranger any more."""
    last_seen: Time | None = None
    phase1_last_established: Time | None = None
    phase1_last_failure: Time | None = None
    phase1_last_reason: str | None = None
    phase1_last_told_by: str | None = None
    """The gateway whose log named it, where it was the other end's."""
    phase1_reason_at: Time | None = None
    """When a phase 1 last failed for just that reason."""
    phase2_last_established: Time | None = None
    phase2_last_failure: Time | None = None
    phase2_last_reason: str | None = None
    phase2_last_told_by: str | None = None
    authentication: str | None = None
    """What it proves itself with, `psk` or `signature`; configured, or seen."""
    phase2_reason_at: Time | None = None
    phase1_duration: Seconds | None = None
    """Seconds that the last negotiation took that came up."""
    phase1_lifetime: Seconds | None = None
    """Seconds; learned or configured."""
    phase1_proofs: Natural = 0
    """How many ISAKMP SAs lived for just that long."""
    phase1_age: Seconds | None = None
    """Seconds the last ISAKMP SA lived that ended as if expired: two of the same age tell the lifetime."""
    phase2_lifetime: Seconds | None = None
    unflushed: tuple[Time, Time] | None = None
    """From when to when lines about its SAs prove that nobody flushed them silently."""
    nat: bool | None = None
    phase1_up: bool = False
    """Whether an ISAKMP SA was alive after the last event."""
    phase1_since: Time | None = None
    """When `phase1_up` last changed."""
    phase2_up: bool = False
    """As it was after the last event; a change from up to down is a flap."""
    since: Time | None = None
    """When `phase2_up` last changed."""
    counters: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """(metric, label values without the peer) to count."""


def _name_by(kind: type[Any], field_name: str) -> None:
    """Let a record's name be one of its fields, and no call: it is asked for with nearly every line about SAs."""
    kind.name = vars(kind)[field_name]


_name_by(IsakmpSa, "cookies")
_name_by(IpsecSa, "spi")

HISTORY: Final = {"phase1": IsakmpSa, "ipsec": IpsecSa, "negotiations": Negotiation, "daemon": DaemonRun}
"""The tables of `history`."""


class _Fields(dict[type[Any], tuple[tuple[str, Any], ...]]):
    """By kind of record: its fields and their defaults, looked up once."""

    def __missing__(self, kind: type[Any]) -> tuple[tuple[str, Any], ...]:
        known = self[kind] = tuple((item.name, item.default) for item in fields(kind))
        return known


_FIELDS: Final = _Fields()


def to_json(record: Any) -> dict[str, Any]:
    """Give a record's fields that differ from their defaults; `from_json` turns them back."""
    given: dict[str, Any] = {}
    for name, default in _FIELDS[type(record)]:
        value = getattr(record, name)
        if value is not default:
            given[name] = counters_to_json(value) if isinstance(value, Counter) else value
    return given


def from_json(kind: type[Record], given: dict[str, Any]) -> Record:
    """Make a record of what `to_json` gave. Raises TypeError or ValueError on anything else."""
    values = dict(given)
    if kind is Negotiation and "state" not in values:
        values["state"] = _state_of(values)
    if "counters" in values:
        values["counters"] = counters_from_json(values["counters"])
    return kind(**values)


def as_made(kind: type[Record], rows: Sequence[dict[str, Any]], records: Sequence[Record]) -> list[Record]:
    """Give the records that were made of rows by type alone; those of an older layout, or of none, as `from_json` has it."""
    names = {name for name, _ in _FIELDS[kind]}
    stated = {"state"} if kind is Negotiation else set()
    return [
        record if stated <= row.keys() <= names else from_json(kind, row) for row, record in zip(rows, records, strict=True)
    ]


def _state_of(values: dict[str, Any]) -> str:
    """Give the state of a negotiation of an older state file, which had no such field: it followed from three others."""
    outcome, waiting = values.pop("outcome", None), values.pop("waiting", False)
    unfinished = "waiting" if waiting else "negotiating"
    return str(outcome or ("abandoned" if values.get("ended") is not None else unfinished))
