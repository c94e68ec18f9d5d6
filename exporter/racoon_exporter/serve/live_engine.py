"""An engine that follows live logs: it knows when each racoon was last read, and lets time pass while a log is silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.sa.checkpoint import Gather
from racoon_exporter.sa.gateways import Key
from racoon_exporter.serve.silent_time import ReadAt, SilentTime
from racoon_exporter.source.stream_name import stream_of
from racoon_exporter.state_schema import MOST_SECONDS_AGO

if TYPE_CHECKING:
    from racoon_exporter.sa.racoon import Racoon
    from racoon_exporter.source import Block


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
        self._silent_time = SilentTime(read_at or {}, engine.state.racoons)

    def feed(self, block: Block) -> None:
        """Take the next block."""
        self.engine.feed(block)
        self._note_times(self._monotonic(), stream_of(block.source))
        self.pending = True

    def pass_over(self, block: Block) -> None:
        """Take a line that must not be read."""
        self.engine.pass_over(block.source)

    def flush(self) -> None:
        """Complete what was kept back: nothing more comes for now."""
        if self.pending:
            for stream in list(self.engine.readers):
                self.engine.flush(stream)
                self._note_times(self._monotonic(), stream)
            self.pending = False

    def let_time_pass(self) -> None:
        """Let the log's time pass as fast as ours, where all was read that there is: an SA that nobody ends expires."""
        state = self.engine.state
        for key, racoon, until in self._silent_time.due(state.racoons, self._monotonic()):
            self._age(key, racoon, until)
        if state.two_ends.catching_up:
            state.two_ends.caught_up()
            self.look_anew()

    def look_anew(self) -> None:
        """Work out anew when something of any racoon is due."""
        self._silent_time.look_anew(self.engine.state.racoons)

    def look_at(self, racoon: Racoon) -> None:
        """Work out when something of a racoon is due that changed without a line."""
        self._silent_time.look_at([(racoon.key, racoon)])

    def _note_times(self, now: float, stream: str) -> None:
        state = self.engine.state
        heard = state.take_heard()
        self._silent_time.note(heard, state.racoons, now)
        for key in heard & state.racoons.keys():
            racoon = state.racoons[key]
            racoon.changed()
            racoon.note_heard_in(stream)

    def _age(self, key: Key, racoon: Racoon, until: float) -> None:
        racoon.changed()
        try:
            racoon.pass_time(until)
        except Exception as error:  # noqa: BLE001  time goes on for the others
            self.engine.errors.note(error)
            self.engine.state.doubt(key)
            self._silent_time.stop(key)
        self.aged = True

    # keeping

    def to_json(self, gather: Gather = list) -> dict[str, Any]:
        """Give what the engine knows, and how long ago each racoon was read, for a checkpoint; `gather` as for its state."""
        now = self._monotonic()
        self.engine.mend()
        return {
            "engine": to_json(self.engine, gather),
            "seen": [
                [*key, log_time, min(now - read_at, MOST_SECONDS_AGO)]
                for key, (log_time, read_at) in self._silent_time.read_at.items()
            ],
        }

    def resumed(self, content: dict[str, Any], away: float) -> Self:
        """Give one of the same settings that goes on from what `to_json` gave `away` seconds ago.

        Raises KeyError, TypeError, ValueError, IndexError or AttributeError on anything else.
        """
        engine = Engine.like(self.engine)
        restore(engine, content["engine"])
        now = self._monotonic()
        seen = {
            (gateway, ident, stream): (float(time), now - float(ago) - away)
            for gateway, ident, stream, time, ago in content["seen"]
        }
        resumed = type(self)(engine, self._monotonic, seen)
        resumed.pending = True  # a record may have been kept back
        return resumed
