"""Messages that were said before: a gateway says the same of the same peers again and again, and only a number differs.

A *stem* is what such lines have in common from the level on, up to the number (an SPI or a pair of cookies) that differs:

    2026-01-15 08:30:02: INFO: IPsec-SA expired: ESP/Tunnel 192.0.2.1[500]->198.51.100.7[500] spi=241280704(0xe61a6c0)
    head                 stem                                                                 ending

The first such line is read properly. What was found (row, ends, peer) is kept under the stem, and is read again of no later
line; only its ending is. `Stems` keeps those that come a second time, as many as memory may hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from racoon_parsers.events import Event
from racoon_parsers.message import Message

_FIRST_STRANGERS: Final = 1024
_BITS: Final = 64
MOST_STEMS: Final = 32_768
"""Stems of one stream, a power of two."""
"""Bits of the filter for each stem that was met once, of which it sets two (a Bloom filter).

One in a thousand at most is taken for one that was met: what a flood of junk fills the room with.
"""

Number = int | str | None
"""What differs between the lines of a stem: an SPI, cookies, or nothing."""

MARK: Final = " spi"
"""What stands between a stem and its ending: racoon prints SPIs after ` spi=` and cookies after ` spi:`."""


class Ending(NamedTuple):
    """How a line ends in a number."""

    value: str
    """The name of the value in the message's event."""
    match: Callable[[str], re.Match[str] | None]
    """Matches all that follows `MARK`; its only group is the number."""
    read: Callable[[str], int | str]


def _ending(value: str, read: Callable[[str], int | str], pattern: str) -> Ending:
    return Ending(value, re.compile(pattern, re.ASCII).fullmatch, read)


_COOKIES: Final = "([0-9a-f]{16}:[0-9a-f]{16})"
ENDINGS: Final = (
    _ending("spi", int, r"=(\d{1,10}+)\(0x[0-9a-f]{1,8}+\)"),  # ipsec_doi.c: sadbsecas2str()
    _ending("spi", int, r"=(\d{1,10})\."),  # isakmp.c: purge_ipsec_spi()
    _ending("cookies", str, f":{_COOKIES}"),  # isakmp.c: isakmp_ph1expire() and others
    _ending("cookies", str, rf"={_COOKIES}\."),  # isakmp.c: purge_remote()
    _ending("cookies", str, rf"={_COOKIES}\) seems to be dead\."),  # isakmp_inf.c: isakmp_info_send_r_u()
)
"""The ways in which racoon goes on behind `MARK`, and what prints them."""

_NOTHING: Final = re.compile("")
_new: Final[Callable[[type[Event], Iterable[Any]], Event]] = tuple.__new__


class Tally:
    """A number that goes up."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


_UNCOUNTED: Final = Tally()


class Stem:
    """What lines that begin alike say, and what whoever listens does with them."""

    __slots__ = (
        "_event",
        "_place",
        "_text",
        "act",
        "follows",
        "heard",
        "level",
        "match",
        "message",
        "read",
        "shown",
        "tag",
        "tally",
        "used",
        "what",
    )

    def __init__(self, level: str, tag: str, message: Message, text: str, event: Event | None) -> None:
        self.level = level
        self.tag = tag
        self.message = message
        self.match: Callable[[str], re.Match[str] | None] = _NOTHING.fullmatch
        """Matches the ending."""
        self.read: Callable[[str], int | str] = str
        """Reads the number in it."""
        self.heard = True
        """Whether the listener hears each line for itself; if not, the reader does what follows."""
        self.shown = False
        """Whether the listener shows its lines to somebody."""
        self.act: Callable[..., None] | None = None
        """What a line does to the listener's subject: it is told `what`, and the number if there is one.

        None for nothing, and where the listener hears each line: what follows then is `follows`.
        """
        self.follows: Callable[..., None] | None = None
        """The same, whether the listener hears each line or not."""
        self.what: Any = None
        self.tally = _UNCOUNTED
        """Where its lines are counted."""
        self.used = True
        """Whether it was met since `Stems` looked last."""
        self._text = text
        self._event = event
        self._place = -1

    def text(self, ending: str) -> str:
        """Give the whole text of the message."""
        return f"{self._text}{MARK}{ending}" if self._place >= 0 else self._text

    def event(self, number: Number) -> Event:
        """Give the values of the message."""
        if self._event is None:
            self._event = self.message.read(self._text)
        if self._place < 0:
            return self._event
        values: list[Any] = [*self._event]
        values[self._place] = number
        return _new(type(self._event), values)

    def opened(self, ending: str) -> Stem | None:
        """Give the stem of this message and of others with other numbers; None if it does not end in a number it holds."""
        event = self.event(None)
        names: tuple[str, ...] = getattr(event, "_fields", ())
        for form in ENDINGS:
            found = form.match(ending)
            if found is not None and form.value in names:
                place = names.index(form.value)
                if event[place] != form.read(found[1]):
                    return None
                stem = Stem(self.level, self.tag, self.message, self._text.removesuffix(f"{MARK}{ending}"), event)
                stem.match, stem.read, stem._place = form.match, form.read, place
                return stem
        return None


class Stems:
    """The stems of one stream's messages.

    Anybody who sends packets to the gateway chooses what its log says, so neither many peers nor junk may fill the memory
    or push out what is useful. A stem is kept from the second time on that it comes, as long as there is room. Where there
    is none, those that nobody met for a while make it; if all are in use, the rest is read line by line, and no worse.
    """

    def __init__(self, most: int = MOST_STEMS) -> None:
        """Keep at most so many, a power of two."""
        self.whole: dict[str, Stem] = {}
        """By all of a line from its marks on: where nothing differs."""
        self.begun: dict[str, Stem] = {}
        """By what stands before `MARK`."""
        self._most = most
        self._patience = most
        self._forget_strangers(min(_FIRST_STRANGERS, 4 * most))

    def bound(self, most: int) -> None:
        """Keep at most so many from now on, a power of two. Where there are more, all are read anew."""
        if most != self._most:
            self._most = self._patience = most
            if len(self) > most:
                self.whole.clear()
                self.begun.clear()
            self._forget_strangers(min(_FIRST_STRANGERS, 4 * most))

    def meet(self, lead: str, mark: str, ending: str, stem: Stem) -> Stem | None:
        """Take a message that was read the long way, and the line from the marks on, parted at its first `MARK`.

        Give the stem of this message and of others with other numbers, if it is kept from now on.
        """
        if not self._was_met(lead):
            self._note_stranger(lead)
        elif len(self) < self._most or self._make_room():
            if not mark:
                self.whole[lead] = stem
            elif (opened := stem.opened(ending)) is not None:
                self.begun[lead] = opened
                return opened
        return None

    def __len__(self) -> int:
        """Give the number of stems that are kept."""
        return len(self.whole) + len(self.begun)

    def _places(self, lead: str) -> tuple[int, int]:
        """Give the two bits of a stem."""
        number = hash(lead)
        return number & self._mask, number >> 32 & self._mask

    def _was_met(self, lead: str) -> bool:
        one, other = self._places(lead)
        met = self._met_once
        return bool(met[one >> 3] >> (one & 7) & 1 and met[other >> 3] >> (other & 7) & 1)

    def _note_stranger(self, lead: str) -> None:
        if self._strangers == self._most_strangers:
            self._forget_strangers(min(4 * self._most_strangers, 4 * self._most))
        for place in self._places(lead):
            self._met_once[place >> 3] |= 1 << (place & 7)
        self._strangers += 1

    def _forget_strangers(self, most: int) -> None:
        """Have room for so many that were met once: for more than before, as most logs have few."""
        self._most_strangers = most
        self._strangers = 0
        self._met_once = bytearray(most * _BITS // 8)
        self._mask = most * _BITS - 1

    def _make_room(self) -> bool:
        """Forget the stems that were not met since the last look, which is not taken often."""
        self._patience -= 1
        if self._patience > 0:
            return False
        self._patience = self._most
        for known in (self.whole, self.begun):
            for lead in [lead for lead, stem in known.items() if not stem.used]:
                del known[lead]
            for stem in known.values():
                stem.used = False
        return len(self) < self._most
