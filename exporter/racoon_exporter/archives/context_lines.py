"""What the lines beside a line say of it: which end of an SA is the peer, and why a negotiation failed.

For `events`, which prints a line at a time. SA state (`sa`) weighs more than this, and is what the metrics follow.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final, NamedTuple, TypeVar

from racoon_exporter.sa.heard import NOT_EVIDENCE
from racoon_exporter.sa.tables import EVIDENCE
from racoon_parsers.record import Record

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_FAILURES: Final = frozenset({"phase1_failed", "phase2_failed"})
_BEGINNINGS: Final = frozenset({"phase1_start", "phase1_established"})
_UNTOLD: Final = frozenset({None, "timeout"})
"""Reasons that say only that it did not go on."""
_NEAR: Final = 4
"""Lines within which a cause and the failure it caused stand, as racoon prints both of one packet."""
_MOST: Final = 1024
"""Gateways or peers remembered."""


def notes(record: Record) -> bool:
    """Whether a record may tell something of those that follow."""
    event = "" if record.message is None else record.message.event
    return event in _BEGINNINGS or event in EVIDENCE


class _Cause(NamedTuple):
    reason: str
    line: int
    time: str | None
    peer: str | None


class ContextLines:
    """Completes the objects of `events`, one stream's in order."""

    def __init__(self) -> None:
        self._locals: OrderedDict[tuple[str | None, str], None] = OrderedDict()
        self._last: _Cause | None = None
        self._of_peer: OrderedDict[tuple[str | None, str], _Cause] = OrderedDict()

    def complete(self, given: dict[str, Any]) -> dict[str, Any]:
        """Add the peer and the reason that other lines tell; `reason_line` is the line that told a reason."""
        self._learn(given)
        if "peer" not in given and "source" in given:
            peer = self._other_end(given)
            if peer is not None:
                given["peer"] = peer
        if given["event"] in _FAILURES and given.get("reason") in _UNTOLD:
            cause = self._cause(given)
            if cause is not None:
                given |= {"reason": cause.reason, "reason_line": cause.line}
        return given

    def _learn(self, given: dict[str, Any]) -> None:
        gateway, peer, reason = given.get("gateway"), given.get("peer"), given.get("reason")
        if "local" in given:
            _remember(self._locals, (gateway, given["local"]), None)
        if given["event"] in _BEGINNINGS and peer is not None:
            self._of_peer.pop((gateway, peer), None)
        if given["event"] in EVIDENCE and reason is not None and given["severity"] not in NOT_EVIDENCE:
            self._last = _Cause(reason, given["line"], given.get("time"), peer)
            if peer is not None:
                _remember(self._of_peer, (gateway, peer), self._last)

    def _other_end(self, given: dict[str, Any]) -> str | None:
        """Give the end of an SA that is not ours, where earlier lines told which is."""
        ends = [given.get("source"), given.get("destination")]
        ours = [end for end in ends if (given.get("gateway"), end) in self._locals]
        return next((end for end in ends if end not in ours), None) if len(ours) == 1 else None

    def _cause(self, given: dict[str, Any]) -> _Cause | None:
        peer, last = given.get("peer"), self._last
        if given.get("reason") == "timeout":  # what the peer's packets showed while it was tried
            return None if peer is None else self._of_peer.get((given.get("gateway"), peer))
        if last is None or abs(given["line"] - last.line) > _NEAR or last.time != given.get("time"):
            return None
        return last if last.peer == peer or None in (last.peer, peer) else None


def _remember(table: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > _MOST:
        table.popitem(last=False)
