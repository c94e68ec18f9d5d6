"""Why a peer is not up, or what fails with it: one reason at a time, the same on the page, in metrics and in alerts. Pure."""

# ruff: noqa: D102  the protocol's names are those of `sa.model.Peer`

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from racoon_exporter.sa.model import Peer
from racoon_parsers.reasons import more_telling

FAILING_SECONDS: Final = 3600.0
"""A failure that nothing followed is news for so long."""
_SAME_STORY: Final = 120.0
"""Seconds within which a phase 1 failure explains that phase 2 found no phase 1."""
_SAME_TROUBLE: Final = 900.0
"""Seconds for which a reason stands against less telling ones: what is broken shows in several ways, turn by turn."""


class Failing(Protocol):
    """A peer's failures and successes; times as in `sa.model.Peer`."""

    @property
    def phase1_last_established(self) -> float | None: ...
    @property
    def phase1_last_failure(self) -> float | None: ...
    @property
    def phase1_last_reason(self) -> str | None: ...
    @property
    def phase2_last_established(self) -> float | None: ...
    @property
    def phase2_last_failure(self) -> float | None: ...
    @property
    def phase2_last_reason(self) -> str | None: ...
    @property
    def phase2_up(self) -> bool: ...
    @property
    def last_seen(self) -> float | None: ...


class Trouble(NamedTuple):
    """A failure, and the reason that stands for it."""

    time: float | None
    phase: int
    reason: str


def credit(peer: Failing) -> tuple[bool, float]:
    """Of several racoons of a gateway that know a peer, the one with which it is up is believed, else that heard of it last."""
    return peer.phase2_up, peer.last_seen or 0.0


def note_failure(peer: Peer, phase: int, now: float | None, reason: str, told_by: str | None = None) -> None:
    """Note that a negotiation failed. Its reason stands unless a more telling one was given for the same trouble."""
    if phase == 1:
        if _stands(peer.phase1_last_reason, peer.phase1_reason_at, now, reason, since=peer.phase1_last_established):
            peer.phase1_last_reason, peer.phase1_reason_at, peer.phase1_last_told_by = reason, now, told_by
        peer.phase1_last_failure = now
    else:
        if _stands(peer.phase2_last_reason, peer.phase2_reason_at, now, reason, since=peer.phase2_last_established):
            peer.phase2_last_reason, peer.phase2_reason_at, peer.phase2_last_told_by = reason, now, told_by
        peer.phase2_last_failure = now


def _stands(old: str | None, at: float | None, now: float | None, new: str, *, since: float | None) -> bool:
    """Tell whether a new reason takes the place of an old one: it is as telling, or the old one is of another trouble."""
    if old is None or at is None or now is None or now - at > _SAME_TROUBLE or (since is not None and since >= at):
        return True
    return more_telling(new, old) == new


def last_trouble(peer: Failing) -> Trouble | None:
    """Give the newest failure; where phase 2 only lacked a phase 1, the phase 1 that failed."""
    one = _trouble(peer.phase1_last_failure, 1, peer.phase1_last_reason)
    two = _trouble(peer.phase2_last_failure, 2, peer.phase2_last_reason)
    if one is None or two is None:
        return one or two
    if two.reason == "no_phase1" and abs((two.time or 0.0) - (one.time or 0.0)) <= _SAME_STORY:
        return one
    return one if (one.time or 0.0) >= (two.time or 0.0) else two


def is_failing(peer: Failing, now: float, within: float = FAILING_SECONDS) -> bool:
    """Whether the last word of either phase is a failure that is recent. A phase 2 that came about speaks for phase 1, too."""
    if peer.phase1_last_failure is None and peer.phase2_last_failure is None:
        return False
    first = max(peer.phase1_last_established or 0.0, peer.phase2_last_established or 0.0)
    if peer.phase1_last_reason == "xauth_failed":
        first = peer.phase2_last_established or 0.0  # refused after phase 1 was established
    return any(
        failed is not None and failed > established and now - failed < within
        for failed, established in (
            (peer.phase1_last_failure, first),
            (peer.phase2_last_failure, peer.phase2_last_established or 0.0),
        )
    )


def current_trouble(peer: Failing, now: float, *, permanent: bool) -> Trouble | None:
    """Give why a peer is not up or what fails with it; None where nothing does.

    Of a permanent peer that is down it is said however long ago it failed; others may be away, which is no trouble for long.
    """
    within = float("inf") if permanent and not peer.phase2_up else FAILING_SECONDS
    return last_trouble(peer) if is_failing(peer, now, within) else None


def _trouble(time: float | None, phase: int, reason: str | None) -> Trouble | None:
    return None if reason is None else Trouble(time, phase, reason)
