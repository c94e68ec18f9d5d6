"""How much of a log is read at once: what takes no longer than somebody who wants to look may wait."""

from __future__ import annotations

from typing import Final

MOST_BYTES: Final = 64 * 1024
"""Which usual lines fill within some milliseconds."""
LEAST_BYTES: Final = 2 * 1024
"""About twenty lines."""
TURN_SECONDS: Final = 0.02
"""Those who look wait for a turn, and for another that began before they could."""


class BlockSize:
    """Follows what lines cost just now: those that a stranger sends may cost a hundred times as much as usual ones."""

    def __init__(self) -> None:
        self.bytes = MOST_BYTES
        """To ask for next."""

    def note(self, size: int, seconds: float) -> None:
        """Take note of how long a block of so many bytes took. It shrinks at once, and grows step by step."""
        fitting = MOST_BYTES if seconds <= 0 else int(size * TURN_SECONDS / seconds)
        self.bytes = max(LEAST_BYTES, min(fitting, 2 * self.bytes, MOST_BYTES))
