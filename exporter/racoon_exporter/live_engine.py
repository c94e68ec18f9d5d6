"""An engine that follows live logs: it knows when each racoon was last read, and lets time pass while a log is silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.sa import SaState

if TYPE_CHECKING:
    from racoon_exporter.sa.racoon import Racoon
    from racoon_exporter.source import Block


Key = tuple[str, str, str]
"""Gateway, name and stream of a racoon."""
ReadAt = dict[Key, tuple[float, float]]


class LiveEngine:
    """Not thread-safe: whoever shares it holds the reader's turn."""

    def __init__(self, engine: Engine, monotonic: Callable[[], float], read_at: ReadAt | None = None) -> None:
        """Follow with `engine`; `monotonic` gives seconds."""
        self.engine = engine
        engine.state.two_ends.catching_up = True
        self.pending = False
        """Whether a record may be kept back that the next line may still belong to."""
        self.aged = False
        """Whether time passed for a racoon since whoever asks set this back."""
        self._monotonic = monotonic
        self._read_at: ReadAt = read_at or {}
        """By racoon: time of its last line, and when that was read on the monotonic clock."""
        self._failed_to_age: set[Key] = set()
        """Racoons whose time stands still until their next line, as it raised to let it pass."""

    def feed(self, block: Block) -> None:
        """Take the next block."""
        self.engine.feed(block)
        self._note_times(self._monotonic())
        self.pending = True

    def pass_over(self, block: Block) -> None:
        """Take a line that must not be read."""
        self.engine.pass_over(block.source)

    def flush(self) -> None:
        """Complete what was kept back: nothing more comes for now."""
        if self.pending:
            self.engine.flush()
            self._note_times(self._monotonic())
            self.pending = False

    def let_time_pass(self) -> None:
        """Let the log's time pass as fast as ours, where all was read that there is: an SA that nobody ends expires."""
        now = self._monotonic()
        for key, (log_time, read_at) in self._read_at.items():
            racoon = self.engine.state.racoons.get(key)
            until = log_time + now - read_at
            if racoon is not None and key not in self._failed_to_age and racoon.next_look <= until:
                self._age(key, racoon, until)
        self.engine.state.two_ends.caught_up()

    def _note_times(self, now: float) -> None:
        racoons = self.engine.state.racoons
        if len(self._read_at) > len(racoons):
            self._read_at = {key: times for key, times in self._read_at.items() if key in racoons}
        for key, racoon in racoons.items():
            known = self._read_at.get(key)
            if racoon.now is not None and (known is None or known[0] != racoon.now):
                self._read_at[key] = (racoon.now, now)
                self._failed_to_age.discard(key)

    def _age(self, key: Key, racoon: Racoon, until: float) -> None:
        try:
            racoon.pass_time(until)
        except Exception as error:  # noqa: BLE001  time goes on for the others
            self.engine.errors.note(error)
            self.engine.state.doubt(key)
            self._failed_to_age.add(key)
        self.aged = True

    # keeping

    def to_json(self) -> dict[str, Any]:
        """Give what the engine knows, and how long ago each racoon was read, for a checkpoint."""
        now = self._monotonic()
        self.engine.mend()
        return {
            "engine": to_json(self.engine),
            "seen": [[*key, log_time, now - read_at] for key, (log_time, read_at) in self._read_at.items()],
        }

    def resumed(self, content: dict[str, Any], away: float) -> Self:
        """Give one of the same settings that goes on from what `to_json` gave `away` seconds ago.

        Raises KeyError, TypeError, ValueError, IndexError or AttributeError on anything else.
        """
        engine = Engine.like(self.engine)
        engine.state = SaState(self.engine.state.knowledge)
        restore(engine, content["engine"])
        now = self._monotonic()
        seen = {
            (gateway, ident, stream): (float(time), now - float(ago) - away)
            for gateway, ident, stream, time, ago in content["seen"]
        }
        resumed = type(self)(engine, self._monotonic, seen)
        resumed.pending = True  # a record may have been kept back
        return resumed
