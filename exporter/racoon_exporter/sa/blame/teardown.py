"""Why SAs go: what a line says before those that tell of their ends."""

from __future__ import annotations

from typing import Any, Final

from racoon_exporter.sa.blame.refusals import close_in_time
from racoon_exporter.sa.model import Phase1End
from racoon_exporter.sa.sa_table import GRACE
from racoon_exporter.sa.shared_bounds import Share, whole

_MOST: Final = 4096
_JUST_NOW: Final = 2.0


class Teardowns:
    """What was said of teardowns that may follow."""

    __slots__ = ("_causes", "_initial_contact", "_share")

    def __init__(self, share: Share = whole) -> None:
        self._share = share
        self._causes: dict[str, tuple[float | None, Phase1End]] = {}
        """By peer or cookies."""
        self._initial_contact: tuple[float | None, str] | None = None

    def explain(self, key: str, cause: Phase1End, now: float | None) -> None:
        """Say why the teardown that may follow happens, of a peer or of cookies."""
        self._causes[key] = (now, cause)
        most = self._share(_MOST)
        while len(self._causes) > most:
            del self._causes[next(iter(self._causes))]

    def cause(self, *keys: str, now: float | None) -> Phase1End | None:
        """Give the cause told for a peer or cookies within the last seconds."""
        for key in keys:
            told = self._causes.get(key)
            if told is not None and (now is None or told[0] is None or now - told[0] <= GRACE):
                return told[1]
        return None

    def contacted(self, address: str, at: float | None) -> None:
        """The peer holds no older SAs (RFC 2407, section 4.6.3.3): what is purged now goes for that."""
        self._initial_contact = (at, address)

    def made_contact(self, address: str, now: float | None) -> bool:
        """Whether a peer has just said that it holds no older SAs."""
        contact = self._initial_contact
        return contact is not None and contact[1] == address and close_in_time(contact[0], now, _JUST_NOW)

    # keeping

    def to_json(self) -> dict[str, Any]:
        """Give everything, for a checkpoint."""
        return {
            "causes": [[key, *told] for key, told in self._causes.items()],
            "initial_contact": self._initial_contact,
        }

    def restore(self, given: dict[str, Any]) -> None:
        """Go on from what `to_json` gave."""
        self._causes = {key: (when, cause) for key, when, cause in given["causes"]}
        contact = given["initial_contact"]
        self._initial_contact = None if contact is None else (contact[0], contact[1])
