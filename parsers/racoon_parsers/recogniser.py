"""A line that was taken apart, to a record: which message it holds, whose it is and when it was said.

A text that no row fits may have been changed on its way, or be spelled as only its dialect spells it: it is looked up in each
such form before it counts as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final

from racoon_parsers.catalogue import Catalogue
from racoon_parsers.clock import Clock
from racoon_parsers.debug_filter import DEBUG_LEVELS
from racoon_parsers.dialects import DIALECTS, SPELLINGS, Dialect, Spellings
from racoon_parsers.line import Line, is_racoon, split_inner
from racoon_parsers.message import Message
from racoon_parsers.record import LONGEST_TEXT, Record

_DUMP: Final = re.compile(r"\s*+(?:[0-9a-f]{2,}+\s*+)++$")
"""A dump on one line: groups of digits."""
_REPEATED: Final = "message repeated "
_MESSAGE_REPEATED: Final = re.compile(r"message repeated (?P<count>\d{1,6}) times: \[ ?(?P<record>.*)\]$", re.DOTALL)
LONGEST_RESPELLED: Final = 512
"""Characters of a text that are read where it was changed on its way; free text that stands last is cut there."""


class Recogniser:
    """Recognises the lines of one stream."""

    def __init__(self, catalogue: Catalogue, clock: Clock, gateway: str) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._gateway = gateway
        self._said: dict[str, str] = {}
        """What was said at one time, for dialects whose rules may log it twice: tag and text, and the first prefix; digests."""
        self._said_at: float | None = None

    def to_json(self) -> list[Any]:
        """Give what must be remembered to go on after a restart."""
        return [self._said_at, [list(item) for item in self._said.items()]]

    def restore(self, given: Any) -> None:
        """Go on from what `to_json` gave. Raises TypeError or ValueError on anything else."""
        self._said_at, said = given
        self._said = dict(item for item in said if len(item) == 2)  # an older version kept three: the texts

    def record(self, line: Line, number: int) -> Record | None:
        """Recognise a line's message, and how often it was said; None if the line is another program's."""
        if len(line.text) > LONGEST_TEXT:
            line = line._replace(text=line.text[:LONGEST_TEXT])
        repeated = _repeated(line) if _REPEATED in line.text else None
        line = line if repeated is None else repeated[0]
        record = self._of_dialect(line, number) if line.dialect else self._of_racoon(line, number)
        return record if record is None or repeated is None else record._replace(times=record.times and repeated[1])

    def _of_racoon(self, line: Line, number: int) -> Record | None:
        """Recognise the message of a line whose head all may have; None if it is another program's."""
        kind, stamp, inner, host, ident, pid, level, tag, _, text, _, _, needs = line
        message = self._catalogue.find(text)
        if message is None:
            if ident != "racoon" and not is_racoon(ident):
                return None
            message, text = known_otherwise(self._catalogue, text, level)
        elif ident != "racoon" and not is_racoon(ident) and not (level and inner):
            return None  # a container's name may stand there, but then racoon's own time follows
        if needs and (message is None or not _holds(message, text, line, own=True)):
            return None
        if inner:
            time = self._clock.combined(inner, kind, stamp)
        elif stamp:
            time = self._clock.time(kind, stamp)
        else:
            time = None
        return Record(time, self._gateway or host, ident, pid, level, tag, message, text, number)

    def _of_dialect(self, line: Line, number: int) -> Record | None:
        """Recognise the message of a line whose head only one dialect has; None if it is another program's, or IKEv2's."""
        dialect = DIALECTS[line.dialect]
        catalogue = self._catalogue.in_dialect(line.dialect)
        time = self._clock.time(line.kind, line.stamp) if line.stamp else None
        text, tag = _uncapitalised(dialect, line.text), line.tag
        message = catalogue.find(text)
        if message is None and dialect.capital and len(text) <= LONGEST_RESPELLED:
            message = catalogue.find(line.text)  # some of racoon's texts begin so
            text = text if message is None else line.text
        own = dialect.program.search(line.ident) is not None
        if message is None and (own or line.needs):
            message, text, tag = _spelled_otherwise(catalogue, dialect, text, tag, "" if text else line.level)
        if message is None:
            if line.needs or not own:
                return None
            if line.level in DEBUG_LEVELS:
                return self._dump(line, time, number)
            text = line.text
        elif not _holds(message, text, line, own=own):
            return None
        gateway = self._gateway or line.host
        record = Record(time, gateway, line.dialect, line.pid, line.level, tag, message, text, number)
        return record._replace(times=0) if dialect.copies and self._is_copy(record, line.text) else record

    def _is_copy(self, record: Record, logged: str) -> bool:
        """Whether a message was logged just now already, with another prefix: by a second rule, which is no second message."""
        if record.time != self._said_at:
            self._said_at = record.time
            self._said.clear()
        before = logged.removesuffix(record.text)
        prefix = digest(before) if before else _NO_PREFIX
        return self._said.setdefault(digest(f"{record.tag}\0{record.text}"), prefix) != prefix

    def _dump(self, line: Line, time: float | None, number: int) -> Record | None:
        """Take a debug line that no row knows: a dump of a packet is told by its digits, anything else is not racoon's."""
        if not _DUMP.match(line.text):
            return None
        message = self._catalogue.in_dialect(line.dialect).empty(line.level)
        return Record(time, self._gateway or line.host, line.dialect, line.pid, line.level, "", message, "", number)


def digest(text: str) -> str:
    """Give what a text is known again by: it may hold a secret, which nothing that is remembered must."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


_NO_PREFIX: Final = digest("")


def _holds(message: Message, text: str, line: Line, *, own: bool) -> bool:
    """Whether a message is its program's, and as certain as a head that says little asks for (`Format.needs`)."""
    if line.ident and message.marks.get("program", "") != ("" if own else line.ident.partition(",")[0]):
        return False
    return not line.needs or (message.matches(text) and (line.needs == "known" or message.whole))


def _uncapitalised(dialect: Dialect, text: str) -> str:
    return text[:1].lower() + text[1:] if dialect.capital and text[1:2].islower() else text


def _forms(dialect: Dialect | None, text: str) -> Iterator[str]:
    """Give a text as it stands, and without what its dialect may put around it."""
    yield text
    for pattern, replacement in () if dialect is None else dialect.spellings:
        yield pattern.sub(replacement, text[:LONGEST_RESPELLED])


def _repeated(line: Line) -> tuple[Line, int] | None:
    """Read `message repeated 3 times: [ … ]`, as rsyslog and routers write it, behind what a dialect may put before."""
    for text in _forms(DIALECTS.get(line.dialect), line.text):
        found = _MESSAGE_REPEATED.match(text)
        inside = _inner_line(line, found["record"].strip()) if found else None
        if found is not None and inside is not None:
            return inside, int(found["count"])
    return None


def _inner_line(line: Line, text: str) -> Line | None:
    """Give a line as it would be if it held the record that stands within its own."""
    dialect = DIALECTS.get(line.dialect)
    if dialect is None or dialect.inner is None:
        inside = split_inner(text)
        return None if inside is None else line._replace(level=inside.level, tag=inside.tag, text=inside.text)
    found = dialect.inner.fullmatch(text)
    return None if found is None else line._replace(tag=found["tag"] or "", text=found["text"].strip())


def respelled(catalogue: Catalogue, rules: Spellings, text: str) -> tuple[Message, str] | None:
    """Find a text that a dialect spells in its own way, and give it as the row spells it."""
    text = text[:LONGEST_RESPELLED]
    found = catalogue.find(text)
    if found is not None:
        return found, text
    for pattern, replacement in rules:
        other = pattern.sub(replacement, text)
        if other != text:
            text = other
            found = catalogue.find(text)
            if found is not None:
                return found, text
    return None


def known_otherwise(catalogue: Catalogue, text: str, level: str) -> tuple[Message | None, str]:
    """Find a message whose text was changed on its way, or that only its level tells; and the text as it was."""
    if not text:
        return catalogue.empty(level), text
    forms = {text.partition("#012")[0].strip(), text.partition("\n")[0].strip()}
    if len(text) <= LONGEST_RESPELLED:
        forms.add(f"{text}.")
    for form in sorted(forms - {text, ""}, key=len, reverse=True):
        found = catalogue.find(form)
        if found is not None and found.matches(form):
            return found, text
    narrow = " ".join(text.split()) if len(text) <= LONGEST_RESPELLED else text
    found = catalogue.find(narrow) if narrow != text else None
    if found is not None and found.recognise(text) is not None:
        return found, text
    respelling = respelled(catalogue, SPELLINGS, text)
    if respelling is not None and respelling[0].matches(respelling[1]):
        return respelling
    return (catalogue.free_text if level in DEBUG_LEVELS else None), text


def _spelled_otherwise(
    catalogue: Catalogue, dialect: Dialect, text: str, tag: str, level: str
) -> tuple[Message | None, str, str]:
    """Find a text that its dialect spells in its own way, and the address that a prefix may have stood before."""
    respelling = respelled(catalogue, dialect.spellings, text)
    if respelling is not None:
        return *respelling, tag
    for form in _forms(dialect, text) if not tag else ():
        inside = dialect.inner.fullmatch(form) if dialect.inner else None
        found = catalogue.find(inside["text"]) if inside is not None and inside["tag"] else None
        if inside is not None and found is not None:
            return found, inside["text"], inside["tag"]
    return *known_otherwise(catalogue, text, level), tag
