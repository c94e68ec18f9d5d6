"""What is read of a log: a record of racoon, and who said it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

from racoon_parsers.events import REMARK, Event
from racoon_parsers.message import Message
from racoon_parsers.stems import Number, Stem

LONGEST_TEXT: Final = 1024
"""Characters of a message that are read: what RFC 3164 lets one have. racoon prints some hundred; free text that stands
last, such as a certificate's subject, is cut there."""


class Record(NamedTuple):
    """One record of racoon: a message with its circumstances."""

    time: float | None
    """Seconds since the epoch; None where the line has none."""
    gateway: str
    """Host the line names, or the configured one, or ""."""
    ident: str
    """Name under which racoon runs."""
    pid: str
    level: str
    """racoon's word for its level, or ""."""
    tag: str
    """Address before the level, 0.8 and later: usually the peer's."""
    message: Message | None
    """What was said; None if no row of the catalogue fits."""
    text: str
    number: int
    """Number of the line, from 1."""
    times: int = 1
    """How often it was said (`last message repeated 3 times`)."""

    values: Event | None = None
    """The message's values, where finding it read them."""

    @property
    def event(self) -> Event:
        """The message's values."""
        if self.values is not None:
            return self.values
        return REMARK if self.message is None else self.message.read(self.text)

    def reads(self, message: Message | None, text: str) -> Record:
        """Give the record with what it turned out to be: what was read of it before counts no more."""
        return self._replace(message=message, text=text, values=None)


class Origin:
    """Who wrote a line."""

    __slots__ = ("gateway", "ident", "known", "pid", "sure")

    def __init__(self, gateway: str, ident: str, pid: str) -> None:
        self.gateway = gateway
        self.ident = ident
        self.pid = pid
        self.known: Any = None
        """What the listener knows by this origin, so that it is looked up once and not with each line."""
        self.sure: object = None
        """What must still be there for that to hold; both are the listener's."""


Heard = tuple[float, Origin, Stem, Number, str, int]
"""What `Listener.hear` is told: time, who wrote it, the stem, the number and the ending that holds it, the line."""


class Listener(Protocol):
    """Takes what a reader reads, in the order of the lines."""

    def prepare(self, stem: Stem, *, numbered: bool) -> None:
        """Say what is done with the lines of a stem, which differ in a number or in nothing."""

    def note(self, time: float, origin: Origin, stem: Stem) -> None:
        """Take note of a line that it does not hear: of the first at a time and of an origin, perhaps of some after it."""

    def turn_to(self, time: float, origin: Origin) -> Any:
        """Give what the stems act upon whose lines come now, until another time or another origin."""

    def fail(self, error: Exception, origin: Origin, stem: Stem) -> None:
        """Take that a line of a stem raised as it acted."""

    def hear(self, time: float, origin: Origin, stem: Stem, number: Number, ending: str, line: int) -> None:
        """Take a message like one that was said before; `record_of` makes a record of it."""

    def take(self, record: Record) -> None:
        """Take a record that was read the long way."""


def record_of(time: float, origin: Origin, stem: Stem, number: Number, ending: str, line: int) -> Record:
    """Give the record that `Listener.hear` was told."""
    gateway, ident, pid = origin.gateway, origin.ident, origin.pid
    return Record(time, gateway, ident, pid, stem.level, stem.tag, stem.message, stem.text(ending), line, 1, stem.event(number))


class Records(list[Record]):
    """A listener that keeps what it hears."""

    take = list.append

    def prepare(self, stem: Stem, *, numbered: bool) -> None:
        """Hear each line."""

    def note(self, time: float, origin: Origin, stem: Stem) -> None:
        """Hear each line."""

    def turn_to(self, time: float, origin: Origin) -> None:
        """No line acts."""

    def fail(self, error: Exception, origin: Origin, stem: Stem) -> None:
        """No line acts."""

    def hear(self, time: float, origin: Origin, stem: Stem, number: Number, ending: str, line: int) -> None:
        """Keep a message as a record."""
        self.append(record_of(time, origin, stem, number, ending, line))
