"""How many peers that nobody configured there may be in all: whoever writes the log names any peer at any gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_REFUSALS: Final = 1024
"""Refusals after which it is looked again whether peers went: counting costs a look at each gateway."""


class PeerPlaces:
    """The places of peers, shared by all racoons."""

    def __init__(self, count: Callable[[], int]) -> None:
        """Let `count` tell how many are taken."""
        self.count = count
        self._taken: int | None = None
        """No fewer than there were when it was counted last, and since."""
        self._refused = 0

    def take(self, most: int) -> bool:
        """Take a place of so many, if there is one."""
        if self._taken is None or (self._taken >= most and self._refused % _REFUSALS == 0):
            self._taken = self.count()
        if self._taken >= most:
            self._refused += 1
            return False
        self._taken += 1
        return True
