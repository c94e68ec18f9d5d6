"""Lines to records: the pure middle between a source of lines and the SA state.

A `LogReader` holds what one stream of lines needs remembered: the format, the clock, and the record that the next line may
still belong to (`multiline.py`). Records glued on one line (racoon leaves out the newline of some debug messages) are taken
apart, dumps are passed over, repetitions counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from operator import length_hint
from typing import Any, Final

from racoon_parsers.catalogue import Catalogue
from racoon_parsers.clock import Clock
from racoon_parsers.debug_filter import DEBUG_LEVELS, DUMP_GROUPS, GLUED
from racoon_parsers.dialects import DIALECTS
from racoon_parsers.heads import Heads, split_marks
from racoon_parsers.line import STAMPS, Line, LineSplitter, is_racoon, split_inner
from racoon_parsers.masking import mask_unknown, masked, masked_text
from racoon_parsers.multiline import Multiline
from racoon_parsers.recogniser import Recogniser, digest
from racoon_parsers.record import LONGEST_TEXT, Heard, Listener, Record, Records, record_of
from racoon_parsers.record_errors import RecordErrors
from racoon_parsers.stems import MARK, MOST_STEMS, Number, Stem, Stems

IKEV2: Final = "ikev2"
"""The class of lines about the other protocol of a daemon that speaks both."""
_LONGEST_STEM: Final = 384
"""Characters of a line that may be like others: racoon prints fewer, and what is longer is looked at for itself each time."""
_LAST_REPEATED: Final = re.compile(
    rf"(?:(?:<\d{{1,5}}+>)?+(?:(?P<rfc3164>{STAMPS['rfc3164']})|(?P<iso>{STAMPS['iso']})))?.{{0,60}}?\s"
    r"(?:--- )?last message repeated (?P<count>\d{1,6}) times?(?: ---)?+\s*+$"
)


class LogReader:
    """Reads the lines of one stream. Feed it lines in order; it gives the records that are complete.

    The last record is kept back until the next line shows that nothing more belongs to it, or `flush` says that nothing
    more will come for now. No text makes it raise.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        clock: Clock,
        *,
        gateway: str = "",
        shortcuts: bool = True,
        errors: RecordErrors | None = None,
    ) -> None:
        """Without `shortcuts` each line is read for itself, which gives the same, slowly."""
        self.errors = errors or RecordErrors()
        self._catalogue = catalogue
        self._splitter = LineSplitter()
        self._recogniser = Recogniser(catalogue, clock, gateway)
        self._gateway = gateway
        self._multiline = Multiline(catalogue)
        self.clock = clock
        self.not_racoon = 0
        """Lines of other programs, and text that belongs to no record."""
        self.ikev2: Counter[str] = Counter()
        """Lines of a daemon that speaks IKEv2 as well, about that, by their level."""
        self.dump_lines = 0
        """Lines of hexadecimal dumps."""
        self._heads = Heads(clock, gateway)
        self._stems = Stems()
        self._records = Records()
        self._listener: Listener = self._records
        """Whose stems these are."""
        self._line = ""
        """A digest of the last line read slowly, of a format that has lines twice."""
        self._shortcuts = shortcuts
        self._most_stems = MOST_STEMS

    def remember(self, most: int) -> None:
        """Remember at most so many lines that others may be like, a power of two: streams share the memory for them."""
        self._most_stems = most
        self._stems.bound(most)

    @property
    def holds(self) -> bool:
        """Whether a record is kept back."""
        return self._multiline.record is not None

    def read_text(self, text: str) -> Record | None:
        """Read one message that stands alone, without the head of a log line, as somebody quotes it."""
        inside = split_inner(text)
        record = None if inside is None else self._recogniser.record(inside, 1)
        if record is not None and record.message is not None:
            return record
        return next(self._alone(text), record)

    def _alone(self, text: str) -> Iterator[Record]:
        """Read a message as each dialect that has heads of its own writes it."""
        for name, dialect in DIALECTS.items():
            inside = dialect.inner.fullmatch(text.strip()) if dialect.own and dialect.inner else None
            if inside is not None:
                line = Line("", "", "", "", "", "", "", inside["tag"] or "", "", inside["text"].strip(), 0, name, "known")
                record = self._recogniser.record(line, 1)
                if record is not None:
                    yield record

    def is_foreign(self, line: str) -> bool:
        """Whether a line is another program's, or no text at all."""
        parsed = self._splitter.peek(line)
        if parsed is None:
            return True
        if parsed.dialect:
            return DIALECTS[parsed.dialect].program.search(parsed.ident) is None
        return not is_racoon(parsed.ident)

    def debug_place(self, line: str) -> int | None:
        """Give the place of the marks in a debug line of racoon; None for any other line, and where a location follows."""
        parsed = self._splitter.peek(line)
        if parsed is None or parsed.level not in DEBUG_LEVELS or not is_racoon(parsed.ident):
            return None
        head = f"[{parsed.tag}] {parsed.level}: " if parsed.tag else f"{parsed.level}: "
        place = line.find(head)
        return place if place >= 0 and line[place + len(head) :].strip() == parsed.text else None

    def to_json(self) -> dict[str, Any]:
        """Give what must be remembered to go on after a restart."""
        return {
            "clock": self.clock.last,
            **self._multiline.to_json(),
            "format": self._splitter.tried_first,
            "line": self._line,
            "said": self._recogniser.to_json(),
        }

    def restore(self, given: dict[str, Any]) -> None:
        """Go on from what `to_json` gave. Raises KeyError, TypeError or ValueError on anything else."""
        self.clock.resume(given["clock"])
        self._multiline.restore(given)
        self._splitter.try_first(given.get("format", ""))  # older versions did not keep it
        self._line = given.get("line", "")
        self._recogniser.restore(given.get("said", (None, [])))

    def feed(self, lines: Iterable[str], first: int = 1) -> list[Record]:
        """Read lines without their newlines, numbered from `first`."""
        self._records.clear()
        self.read(lines, first, self._records)
        return list(self._records)

    def read(self, lines: Iterable[str], first: int, listener: Listener) -> None:
        """Let somebody hear what the lines say. A line whose reading raises is an unknown message."""
        if listener is not self._listener:
            self._listener, self._stems = listener, Stems(self._most_stems)
        lines = list(lines)
        left = iter(lines)
        while not self._read(left, first + len(lines), listener):
            continue

    def _read(self, lines: Iterator[str], end: int, listener: Listener) -> bool:  # noqa: C901, PLR0912, PLR0915  a call costs too much here
        """Read on, until a line whose reading raises; False if there was one.

        This is the loop that every line goes through, from the line to what it does. Most have the head of the line before,
        and say what was said before (`heads.py`, `stems.py`): their parts are compared and looked up, and what their stem does
        is called. All others go through `_read_line`, which is what a line means; this is only a faster way to the same. The
        last line is held back here as well. `end` is the number of the line behind the last: a line's own is what is left from
        it, and is asked for rarely.
        """
        heads, whole, begun = self._heads, self._stems.whole, self._stems.begun
        held: Stem | None = None
        held_number: Number = None
        held_ending = ""
        subject: Any = None
        """What stems act upon, once it is asked for at this time and of this origin."""
        moved = True
        """Whether the line has another head than the one before that had a stem."""
        head, time, origin = heads.head, heads.time, heads.origin
        line = ""
        number: Number
        try:
            for line in lines:
                stem: Stem | None
                rest = line.removeprefix(head)
                if rest is line:
                    rest = heads.turn_to(line)
                    moved = True
                lead, mark, ending = rest.partition(MARK)
                if not mark:
                    stem, number = whole.get(lead), None
                elif (stem := begun.get(lead)) is not None:
                    match, read = stem.match, stem.read  # called as methods of the stem they take longer
                    found = match(ending)
                    if found is None:
                        stem = None
                    else:
                        number = read(found[1])
                if stem is None:
                    stem, number = self._recognise(rest, lead, mark, ending, listener), None
                    if stem is None:
                        if held is not None:
                            number_held = end - length_hint(lines) - 2
                            self._multiline.hold(record_of(time, origin, held, held_number, held_ending, number_held))
                            held = None
                        self._read_slowly(line, end - length_hint(lines) - 1, listener)
                        head, moved = heads.head, True
                        continue
                if held is not None:
                    act = held.act
                    if act is not None:
                        try:
                            if subject is None:
                                listener.note(time, origin, held)
                                subject = listener.turn_to(time, origin)
                            if held_number is None:
                                act(subject, held.what)
                            else:
                                act(subject, held.what, held_number)
                            held.tally.number += 1
                        except Exception as error:  # noqa: BLE001  whatever it is: the next record is taken
                            listener.fail(error, origin, held)
                    elif held.heard:
                        listener.hear(time, origin, held, held_number, held_ending, end - length_hint(lines) - 2)
                    else:
                        try:
                            if subject is None:
                                listener.note(time, origin, held)
                            held.tally.number += 1
                        except Exception as error:  # noqa: BLE001  as above
                            listener.fail(error, origin, held)
                elif self._multiline.record is not None:
                    self._release(listener)
                held, held_number, held_ending = stem, number, ending
                stem.used = True
                if moved:
                    head, time, origin = heads.head, heads.time, heads.origin
                    subject, moved = None, False
            if held is not None:
                self._multiline.hold(record_of(time, origin, held, held_number, held_ending, end - 1))
        except Exception as error:  # noqa: BLE001  whatever it is: the next line is read
            self.errors.note(error)
            number_of_line = end - length_hint(lines) - 1
            heard = None if held is None else (time, origin, held, held_number, held_ending, number_of_line - 1)
            self._pass_over(line, number_of_line, heard, listener)
            return False
        return True

    def _pass_over(self, line: str, number: int, held: Heard | None, listener: Listener) -> None:
        """Take a line whose reading raised as a message that nobody knows, and begin anew behind it."""
        self._heads.forget()
        before = self._multiline.drop()
        if held is not None:
            listener.hear(*held)
        elif before is not None:
            listener.take(before)
        listener.take(
            Record(
                None,
                self._gateway,
                "racoon",
                "",
                "",
                "",
                None,
                mask_unknown(line[:LONGEST_TEXT].strip(), self._catalogue),
                number,
            )
        )

    def _release(self, listener: Listener) -> None:
        records: list[Record] = []
        self._complete(records)
        for record in records:
            listener.take(record)

    def _read_slowly(self, line: str, number: int, listener: Listener) -> None:
        records: list[Record] = []
        self._read_line(line, number, records)
        for record in records:
            listener.take(record)

    def _recognise(self, rest: str, lead: str, mark: str, ending: str, listener: Listener) -> Stem | None:
        """Read what follows a known head; None where more must be known to read it."""
        parts = split_marks(rest) if self._shortcuts and len(rest) <= _LONGEST_STEM else None
        if parts is None:
            return None
        tag, level, text = parts
        found = self._catalogue.recognise(text)
        if found is None:
            return None
        message, event = found
        read = event is not None and message.has_values  # then each of its values was
        if message.glued or message.secret or masked_text(message, text, self._catalogue, matches=read) != text:
            return None
        stem = Stem(level, tag, message, text, event)
        listener.prepare(stem, numbered=False)
        opened = self._stems.meet(lead, mark, ending, stem)
        if opened is not None:
            listener.prepare(opened, numbered=True)
        return stem

    def flush(self) -> list[Record]:
        """Give the record that was kept back, as nothing more belongs to it."""
        records = Records()
        before = self._multiline.record
        try:
            self._read_lines(self._multiline.unquote(), records)
            self._complete(records)
        except Exception as error:  # noqa: BLE001  whatever it is: the next line is read
            self.errors.note(error)
            if before is not None:
                self._pass_over(before.text, before.number, None, records)
        return records

    def _read_line(self, line: str, number: int, records: list[Record]) -> None:
        """Read a line whose head is not like that of the line before."""
        if DUMP_GROUPS.match(line):
            self.dump_lines += 1
            return
        if self._multiline.is_quoting:
            self._read_lines(self._multiline.quote(line, number), records)
            return
        parsed = self._splitter.split(line)
        record = None if parsed is None else self._recogniser.record(parsed, number)
        if parsed is None or (record is None and parsed.needs):
            self._headless(line, number, records)
            return
        self._complete(records)
        if record is None or (record.message is not None and record.message.event == IKEV2):
            self._set_aside(record)
            return
        if self._splitter.format.doubled:
            before, self._line = self._line, digest(line)
            if self._line == before:
                record = record._replace(times=0)
        self._heads.learn(line, parsed, record.time)
        if record.message is None or record.message.glued:
            record = self._unglue(record, parsed, number, records)
        known = record.message is not None and record.message is not self._catalogue.free_text
        raw = bool(parsed.inner or (parsed.head and self._splitter.format.raw))
        if self._multiline.begin(record, may_quote=raw and not known):
            self._heads.forget()

    def _read_lines(self, lines: Iterable[tuple[str, int]], records: list[Record]) -> None:
        for line, number in lines:
            self._read_line(line, number, records)

    def _complete(self, records: list[Record]) -> None:
        """Give the record that is held, as nothing more belongs to it."""
        self.not_racoon += self._multiline.complete(records)

    def _set_aside(self, record: Record | None) -> None:
        """Count a line of another program, or of the other protocol of one that speaks both."""
        if record is None:
            self.not_racoon += 1
        else:
            self.ikev2[record.level] += record.times
        self._multiline.close()

    def _headless(self, line: str, number: int, records: list[Record]) -> None:
        """Take a line that does not begin a record."""
        if not line or line.isspace():
            return
        repeated = _LAST_REPEATED.match(line)
        if repeated:
            self._complete(records)
            again = self._repeated(repeated, number)
            if again is not None:
                records.append(again)
                return
        elif self._multiline.take(line):
            return
        self.not_racoon += 1

    def _repeated(self, repeated: re.Match[str], number: int) -> Record | None:
        """Say the last record again, at the time by which it had been repeated."""
        if not self._multiline.can_repeat:
            return None
        kind = "iso" if repeated["iso"] else "rfc3164"
        time = self.clock.time(kind, repeated[kind]) if repeated[kind] else None
        return self._multiline.repeat(number, int(repeated["count"]), time)

    def _unglue(self, record: Record, line: Line, number: int, records: list[Record]) -> Record:
        """Split where racoon left out the newline of a message: another record of its own follows on the same line."""
        glued = GLUED.search(record.text)
        if glued is None:
            return record
        first = self._catalogue.find(record.text[: glued.start()].strip())
        if first is None or not first.glued:
            return record
        before = record._replace(message=first, text=record.text[: glued.start()].strip())
        records.append(masked(before, self._catalogue.in_dialect(before.ident)))
        inside = LineSplitter().split(record.text[glued.start() :])  # the stream keeps its format
        if inside is None:
            return record._replace(message=first)
        outer = line._replace(level=inside.level, tag=inside.tag, text=inside.text)
        following = self._recogniser.record(inside if not line.stamp else outer, number)
        return record if following is None else following


__all__ = ["IKEV2", "LogReader", "Record"]
