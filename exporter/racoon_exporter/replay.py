"""`replay`: write a recorded log anew, with the present time, as a running racoon would write it.

For demonstrations and first steps: the exporter then has a log that grows. The bundled recording is of racoon 0.9.1, forty
minutes of rekeys, link cuts, restarts and deletes between two hosts (`tests/scenarios/lab/17-soak-chaos`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?=: )")
_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


class RecordedLine(NamedTuple):
    """A line of a recording."""

    after: float
    """Seconds after the first line."""
    text: str


def bundled() -> str:
    """Give the recording that comes with the program."""
    return files("racoon_exporter").joinpath("recording.log").read_text(encoding="utf-8")


def recorded(text: str) -> list[RecordedLine]:
    """Read a recording in racoon's file format; a line without time has that of the line before."""
    lines: list[RecordedLine] = []
    first: float | None = None
    after = 0.0
    for line in text.splitlines():
        stamp = _STAMP.match(line)
        if stamp is not None:
            moment = datetime.strptime(stamp[0], _FORMAT).astimezone().timestamp()
            first = moment if first is None else first
            after = max(after, moment - first)
        lines.append(RecordedLine(after, line))
    return lines


def at(line: RecordedLine, moment: float) -> str:
    """Give a line as it would be written at a moment, in this machine's local time."""
    return _STAMP.sub(datetime.fromtimestamp(moment).strftime(_FORMAT), line.text)  # noqa: DTZ006  racoon writes local time


def replay(
    lines: list[RecordedLine],
    write: Callable[[str], None],
    *,
    speed: float,
    head: float,
    now: Callable[[], float],
    wait: Callable[[float], bool],
) -> None:
    """Write a recording round after round until `wait`, given seconds, says that it is enough.

    The first `head` seconds of the recording are written at once, with times in the past; the rest follows in its time.
    """
    begun = now() - head / speed
    length = lines[-1].after + 1.0
    while True:
        for due, line in _due(lines, begun, speed):
            while (left := due - now()) > 0:
                if wait(left):
                    return
            write(at(line, due) + "\n")
        begun += length / speed


def _due(lines: list[RecordedLine], begun: float, speed: float) -> Iterator[tuple[float, RecordedLine]]:
    for line in lines:
        yield begun + line.after / speed, line


def append_to(path: Path) -> Callable[[str], None]:
    """Give a writer that opens, appends and closes for each line, as racoon does."""

    def write(text: str) -> None:
        with path.open("a", encoding="utf-8") as log:
            log.write(text)

    return write
