"""Negotiations that were refused before they began, and what a line told of a peer that does not negotiate yet."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from racoon_exporter.sa.archive import Archive, Places
from racoon_exporter.sa.model import Negotiation
from racoon_exporter.sa.negotiations import Negotiations
from racoon_exporter.sa.shared_bounds import Share, whole

_SAME_REFUSAL: Final = 60.0
"""Seconds within which a peer's retries are the same refusal, and a reason waits for its failure line."""
_SAME_PACKET: Final = 1.0
"""Seconds between the lines of one packet: times have whole seconds."""
_MOST: Final = 1024

Name = tuple[int | str | None, ...]
"""Phase, peer, reason and what else names a refusal."""


def close_in_time(one: float | None, other: float | None, seconds: float = _SAME_PACKET) -> bool:
    """Whether two times are at most some seconds apart, those between the lines of one packet if none are given.

    Lines without time are in order and close.
    """
    return one is None or other is None or abs(one - other) <= seconds


class Refusals:
    """Refusals whose retries are not counted again."""

    __slots__ = ("_archive", "_gateway", "_negotiations", "_reasons", "_refused", "_share")

    def __init__(self, gateway: str, negotiations: Negotiations, archive: Archive, share: Share = whole) -> None:
        self._gateway = gateway
        self._negotiations = negotiations
        self._archive = archive
        self._share = share
        self._refused: OrderedDict[Name, Negotiation] = OrderedDict()
        self._reasons: OrderedDict[str, tuple[float | None, str]] = OrderedDict()
        """By peer: the last evidence that found no negotiation, for a failure line that follows."""

    def __iter__(self) -> Iterator[Negotiation]:
        return iter(self._refused.values())

    def refuse(
        self, address: str, phase: int, reason: str, role: str | None, *key: str | None, at: float | None, now: float | None
    ) -> None:
        """Count a negotiation that was refused before it began. The peer's retries are the same refusal."""
        name = (phase, address, reason, *key)
        refused = self._refused.get(name)
        if refused is not None and close_in_time(refused.begun, at, _SAME_REFUSAL):
            refused.ended = at
            self._archive.changed()
            return
        negotiation = Negotiation(phase, self._gateway, None, address, role, None, at)
        self._negotiations.begin(negotiation, at)
        self._negotiations.fail(negotiation, reason, at, now=now)
        self._refused[name] = negotiation
        most = self._share(_MOST)
        while len(self._refused) > most:
            self._refused.popitem(last=False)

    def just_now(self, phase: int, at: float | None) -> Negotiation | None:
        """Give the refusal of a phase that the line before told."""
        for negotiation in reversed(self._refused.values()):
            if negotiation.phase == phase and close_in_time(negotiation.ended, at):
                return negotiation
        return None

    def remember_reason(self, address: str, reason: str, at: float | None) -> None:
        """Keep evidence about a peer that does not negotiate for the failure line that may follow."""
        self._reasons[address] = (at, reason)
        self._reasons.move_to_end(address)
        most = self._share(_MOST)
        while len(self._reasons) > most:
            self._reasons.popitem(last=False)

    def take_reason(self, address: str, now: float | None) -> str | None:
        """Give evidence about a peer that found no negotiation, if it is recent, and forget it."""
        told = self._reasons.pop(address, None)
        return told[1] if told is not None and close_in_time(told[0], now, _SAME_REFUSAL) else None

    # keeping

    def to_json(self, places: Places) -> dict[str, Any]:
        """Give everything, for a checkpoint. Refusals are named by their place in the archive."""
        refused = [(key, places.get(id(negotiation))) for key, negotiation in self._refused.items()]
        return {
            "refusals": [[list(key), place] for key, place in refused if place is not None],
            "recent": [[address, *told] for address, told in self._reasons.items()],
        }

    def restore(self, given: dict[str, Any]) -> None:
        """Go on from what `to_json` gave."""
        archived = self._archive.negotiations
        self._refused = OrderedDict((tuple(key), archived[place]) for key, place in given["refusals"])
        self._reasons = OrderedDict((address, (when, reason)) for address, when, reason in given["recent"])
