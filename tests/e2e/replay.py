"""Play a recorded log again: the same lines in the same order, now, and faster."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(?:\.\d+\+00:00|(?=: ))")
"""racoon's own time, or that of syslog in RFC 3339."""
_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Line:
    """A recorded line and how many seconds after the first it was written."""

    after: float
    text: str


def recorded(path: Path, *, stop_before: str | None = None) -> Iterator[Line]:
    """Yield the lines of a recording up to the first that contains `stop_before`."""
    first = after = None
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if stop_before is not None and stop_before in text:
            return
        if found := _TIME.match(text):
            moment = datetime.strptime(f"{found[1]} {found[3]}", _FORMAT).replace(tzinfo=UTC).timestamp()
            first = moment if first is None else first
            after = moment - first
        yield Line(after or 0.0, text)


def merged(paths: Iterable[Path], *, stop_before: str | None = None) -> list[Line]:
    """Return the lines of several recordings of the same time in the order of their times, as one syslog would have them."""
    return sorted((line for path in paths for line in recorded(path, stop_before=stop_before)), key=lambda line: line.after)


def at_present(text: str, now: float) -> str:
    """Return the line with its time, if it has one, replaced by `now` in UTC."""
    moment = datetime.fromtimestamp(now, UTC)
    return _TIME.sub(lambda found: moment.isoformat() if found[2] == "T" else moment.strftime(_FORMAT), text)


class Replay(Thread):
    """Append recorded lines to `log`, `speed` times as fast as they were recorded, stamped with the time of writing.

    racoon opens, appends and closes its log for each line, and so does this.
    """

    def __init__(self, lines: list[Line], log: Path, speed: float, *, stamp: bool = True) -> None:
        """With `stamp` off the lines keep their recorded times, where a story is about how much of the log's time passes."""
        super().__init__(name=f"replay-{log.parent.name}", daemon=True)
        self._lines, self._log, self._speed, self._stamp = lines, log, speed, stamp
        self._stop_asked = Event()

    def run(self) -> None:
        begun = time.monotonic()
        for line in self._lines:
            due = begun + line.after / self._speed
            if self._stop_asked.wait(max(0.0, due - time.monotonic())):
                return
            text = at_present(line.text, time.time()) if self._stamp else line.text
            with self._log.open("a", encoding="utf-8") as log:
                log.write(text + "\n")

    def stop(self) -> None:
        """End the replay before its time."""
        self._stop_asked.set()
