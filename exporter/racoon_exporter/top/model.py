"""What is shown of the peers, worked out from the API's answers: order, filter, words. Pure.

An answer may be of an older exporter, which does not know every key, or of one that was made to mislead: whatever is in it, all
text of it is made visible, and what is missing is a dash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from racoon_exporter.status.overview.view import STATES
from racoon_exporter.top.answers import NOTHING, list_of, number_of, part, seconds_between, text_of
from racoon_exporter.wording.natural_order import natural
from racoon_exporter.wording.words import count, duration

WORDS: Final = {
    "down": "DOWN",
    "failing": "failing",
    "unknown": "not known",
    "gone": "gone",
    "up": "up",
    "idle": "idle",
}
"""States in words of at most nine letters; capitals stand where a terminal has no colours."""
_RANKS: Final[Mapping[str, int]] = {state: rank for rank, state in enumerate(STATES)}


@dataclass(frozen=True, slots=True)
class Row:
    """A peer in the table."""

    gateway: str
    address: str
    name: str
    kind: str
    state: str
    seconds: float | None
    """How long it has been so; None where it was never up."""
    reason: str
    inbound: int
    outbound: int
    flaps: int
    seen: float | None
    """Seconds since it was last heard of."""
    asked_as: tuple[tuple[str, str], ...]
    """Parameters by which the exporter knows it."""

    @property
    def key(self) -> str:
        """What tells it from others."""
        return f"{self.gateway}\0{self.address}"

    @property
    def word(self) -> str:
        """Its state."""
        return WORDS.get(self.state, self.state)


@dataclass(frozen=True, slots=True)
class Sight:
    """An answer of the exporter to who its peers are."""

    time: str
    """When it was given, by the exporter's clock."""
    rows: tuple[Row, ...]

    @property
    def several(self) -> bool:
        """Whether the peers are of more than one gateway."""
        return len({row.gateway for row in self.rows}) > 1

    @property
    def summary(self) -> str:
        """Say how many peers are in each state."""
        known = Counter(row.state for row in self.rows if row.kind != "stranger")
        parts = [f"{known[state]} {WORDS[state]}" for state in STATES if known[state]]
        strangers = sum(1 for row in self.rows if row.kind == "stranger")
        return ", ".join([*parts, *([count(strangers, "stranger")] if strangers else [])]) or "no peers"


def sight(body: Any) -> Sight:
    """Read an answer of `/api/v1/peers`."""
    now = part(body, "time")
    return Sight(text_of(now), tuple(row_of(peer, now) for peer in list_of(body, "peers")))


def row_of(peer: Mapping[str, Any], now: object) -> Row:
    """Read a peer of an answer that was given at a time."""
    address = text_of(peer.get("address") or peer.get("peer"))
    return Row(
        gateway="" if not peer.get("gateway") else text_of(peer.get("gateway")),
        address=address,
        name=address if not peer.get("name") else text_of(peer.get("name")),
        kind=text_of(peer.get("kind")),
        state=text_of(peer.get("state")),
        seconds=seconds_between(peer.get("since"), now),
        reason=text_of(_reason(peer)),
        inbound=number_of(part(peer, "phase2", "inbound_sas")),
        outbound=number_of(part(peer, "phase2", "outbound_sas")),
        flaps=number_of(part(peer, "phase2", "flaps")),
        seen=seconds_between(peer.get("last_seen"), now),
        asked_as=tuple((key, value) for key in ("peer", "gateway") if isinstance(value := peer.get(key), str) and value),
    )


def _reason(peer: Mapping[str, Any]) -> object:
    """Give why it is not up; an older exporter tells the last failure only."""
    if "reason" in peer or peer.get("state") == "up":
        return peer.get("reason")
    return part(peer, "last_failure", "reason")


def length(seconds: float | None) -> str:
    """Write how long something has been so."""
    return NOTHING if seconds is None else duration(seconds)


# order and filter


def _urgency(row: Row) -> tuple[Any, ...]:
    return row.kind == "stranger", _RANKS.get(row.state, len(_RANKS)), row.kind != "permanent", *_by_name(row)


def _by_name(row: Row) -> tuple[Any, ...]:
    return natural(row.name), natural(row.gateway)


ORDERS: Final[Mapping[str, Callable[[Row], Any]]] = {
    "worst first": _urgency,
    "name": _by_name,
    "gateway": lambda row: (natural(row.gateway), *_urgency(row)),
    "newest change": lambda row: (row.seconds is None, row.seconds or 0.0, *_by_name(row)),
    "longest so": lambda row: (row.seconds is None, -(row.seconds or 0.0), *_by_name(row)),
    "flaps": lambda row: (-row.flaps, *_by_name(row)),
    "reason": lambda row: (row.reason == NOTHING, row.reason, *_by_name(row)),
}
"""Orders of the table, in the order in which the key goes round."""


def matches(row: Row, wanted: str) -> bool:
    """Whether each word is part of what is said of a peer: its name, address, gateway, kind, state or reason."""
    said = f"{row.name} {row.address} {row.gateway} {row.kind} {row.state} {row.word} {row.reason}".casefold()
    return all(word in said for word in wanted.casefold().split())


def chosen(rows: Iterable[Row], order: str, wanted: str) -> list[Row]:
    """Give the rows that are asked for, in an order."""
    return sorted((row for row in rows if matches(row, wanted)), key=ORDERS[order])


def next_order(order: str, step: int = 1) -> str:
    """Give the order that comes after one."""
    names: Sequence[str] = list(ORDERS)
    return names[(names.index(order) + step) % len(names)]


__all__ = ["ORDERS", "WORDS", "Row", "Sight", "chosen", "length", "matches", "next_order", "row_of", "sight"]
