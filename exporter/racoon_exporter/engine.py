"""From blocks of log to SA state and counts: the same engine follows a live log and reads old ones.

It joins the pure parts: one `LogReader` for each source, one `SaState` for all. It knows neither files nor the clock.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache
from typing import Any, Final

from racoon_exporter.availability.log import lapses
from racoon_exporter.availability.past import Past, bounds_for
from racoon_exporter.availability.past_json import past_to_json, restore_past
from racoon_exporter.availability.past_upgrade import begin_past
from racoon_exporter.decoding import block_lines
from racoon_exporter.sa import Known, SaState
from racoon_exporter.sa.checkpoint import Gather, upgraded
from racoon_exporter.sa.counts import MOST, counters_to_json
from racoon_exporter.sa.gateways import Gateways
from racoon_exporter.sa.handlers import HANDLERS, said_of
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.source.contract import Block
from racoon_exporter.source.stream_name import stream_of
from racoon_exporter.state_schema import check_engine
from racoon_parsers.catalogue import Catalogue
from racoon_parsers.clock import Clock
from racoon_parsers.debug_filter import DEBUG_LEVELS, DebugFilter
from racoon_parsers.line import LEVELS
from racoon_parsers.messages import catalogue as all_messages
from racoon_parsers.reader import IKEV2, LogReader
from racoon_parsers.reasons import severity_and_reason
from racoon_parsers.record import Origin, Record, record_of
from racoon_parsers.record_errors import RecordErrors
from racoon_parsers.stems import MOST_STEMS, Number, Stem, Tally

_LOGGER: Final = logging.getLogger("racoon_exporter")
_LEVELS: Final = frozenset((*LEVELS, "NOTICE", "none"))
"""racoon's levels, and Apple's."""
_GIVEN_AWAY: Final = 16
_LEAST_STEMS: Final = 256
"""Lines that the reader of a stream remembers, however many streams there are."""
_FORMER_STREAMS: Final = 256
"""Streams that are read no longer and may come back."""
_SEVERITY_IN_VALUES: Final = frozenset({"cert_error", "notify_received"})
"""Classes whose severity depends on what the message says."""
UNPARSED_REASONS: Final = ("not_racoon", "unknown_message", "too_long", "undecodable")
"""Why a line gave no event."""


@lru_cache(maxsize=1)
def _debug_filter_of(catalogue: Catalogue) -> DebugFilter:
    """Return what the engines of a catalogue share, such as those of all partitions of a topic."""
    return DebugFilter(catalogue.messages, lambda message: message.event in HANDLERS)


MessageKey = tuple[str, str, str]
"""Level, severity and event class."""


class Engine:
    """Reads blocks and keeps what follows from them. Not thread-safe: whoever shares it holds a lock."""

    hears_each = False
    """Whether `hear` is called for every line."""

    def __init__(
        self,
        zone: tzinfo,
        *,
        knowledge: Known | None = None,
        gateway_of: Callable[[str], str] = lambda _source: "",
        reference_of: Callable[[str], float | None] = lambda _source: None,
        catalogue: Catalogue | None = None,
        on_record: Callable[[Record, str], None] | None = None,
        taken_elsewhere: Callable[[Gateways], int] = lambda _ours: 0,
        peers_elsewhere: Callable[[SaState], int] = lambda _ours: 0,
        racoons_elsewhere: Callable[[SaState], Iterable[Mapping[Any, Racoon]]] = lambda _ours: (),
        strict: bool = False,
    ) -> None:
        """Take the settings. `on_record` is shown, with its source, each record that has state or is more than information.

        `taken_elsewhere` and `peers_elsewhere` tell how many gateways and peers other engines have that share the limits,
        `racoons_elsewhere` which racoons.
        With `strict`, an exception out of a record is raised: for tests that look for causes.
        """
        self._settings: dict[str, Any] = {
            "knowledge": knowledge,
            "gateway_of": gateway_of,
            "reference_of": reference_of,
            "catalogue": catalogue,
            "on_record": on_record,
            "taken_elsewhere": taken_elsewhere,
            "peers_elsewhere": peers_elsewhere,
            "racoons_elsewhere": racoons_elsewhere,
            "strict": strict,
        }
        self._on_record = on_record
        self._zone = zone
        self.gateway_of = gateway_of
        self._reference_of = reference_of
        self._catalogue = catalogue or all_messages()
        self.errors = record_errors(strict=strict)
        self.past = Past()
        """What is known of availability beside what the state remembers."""
        self._noted_origin: Origin | None = None
        self._noted_time = 0.0
        """Of the line that was noted last."""
        self.take_state(SaState(knowledge))
        self.readers: dict[str, LogReader] = {}
        self._most_stems = MOST_STEMS
        self._counts: dict[MessageKey, Tally] = {}
        self.unparsed: Counter[str] = Counter(dict.fromkeys(UNPARSED_REASONS, 0))
        self.first_line: dict[str, float] = {}
        """When each source begins, as far as it was read: it stays what it is."""
        self.last_line: dict[str, float] = {}
        """By source: time of the newest line."""
        self._parts: Mapping[str, Engine] = {}
        self._debug_filter = _debug_filter_of(self._catalogue)
        self._source = self._stream = ""
        """Where the lines come from that are read just now."""

    @property
    def parts(self) -> Mapping[str, Engine]:
        """The engines that are looked at as this one, by partition: itself, if it stands for no others."""
        return self._parts or {"": self}

    @parts.setter
    def parts(self, parts: Mapping[str, Engine]) -> None:
        self._parts = parts

    @classmethod
    def like(cls, other: Engine) -> Engine:
        """Make an engine of the same settings that has read nothing."""
        return cls(other._zone, **other._settings)

    def share_places(
        self,
        gateways: Callable[[Gateways], int],
        peers: Callable[[SaState], int],
        racoons: Callable[[SaState], Iterable[Mapping[Any, Racoon]]],
    ) -> None:
        """Share limits with others from now on, who have so many gateways and peers, and these racoons."""
        self._settings |= {"taken_elsewhere": gateways, "peers_elsewhere": peers, "racoons_elsewhere": racoons}
        self.take_state(self.state)

    def name_gateways(self, gateway_of: Callable[[str], str]) -> None:
        """Ask this from now on whose source one is; readers that there are keep what they were told."""
        self.gateway_of = self._settings["gateway_of"] = gateway_of

    def take_state(self, state: SaState) -> None:
        """Go on with another state."""
        self.state = state
        state.gateways.taken_elsewhere = self._settings["taken_elsewhere"]
        state.peers_elsewhere = self._settings["peers_elsewhere"]
        racoons_elsewhere = self._settings["racoons_elsewhere"]
        state.bounds.elsewhere = lambda: racoons_elsewhere(state)
        state.archive.leaving = self._keep
        self._bound_past()

    def learn(self, knowledge: Known) -> None:
        """Take what a changed configuration says."""
        self._settings["knowledge"] = knowledge
        self.state.learn(knowledge)
        self._bound_past()

    def _bound_past(self) -> None:
        """Keep the past of as many gateways as have a state, and of some whose place another took."""
        known = self.state.knowledge
        self.past.bounds = bounds_for(known.limits.gateways + len(known.gateways) + _GIVEN_AWAY)

    # reading

    def feed(self, block: Block) -> None:
        """Take the next block of a source. Never raises: what follows from it is in the counts of errors at worst."""
        try:
            self._feed(block)
        except Exception as error:  # noqa: BLE001  the next block is read, whatever this one was
            self.errors.note(error)

    def _feed(self, block: Block) -> None:
        reader = self.reader(block.source)
        lines, clean = block_lines(block.data)
        first = block.first_line
        if not clean:
            lines = self._decodable(reader, lines)
        ends_dropped = False
        if b"DEBUG" in block.data[:4096]:
            lines, ends_dropped = self._without_debug(reader, lines)
        self._source, self._stream = block.source, stream_of(block.source)
        reader.read(lines, first, self)
        self._note(reader, said=bool(lines))
        if ends_dropped:
            self.flush(block.source)  # what was read last ended before a line that was dropped: nothing goes on it

    def flush(self, source: str | None = None) -> None:
        """Nothing more comes for now: what was kept back is complete."""
        for name in list(self.readers) if source is None else [source]:
            reader = self.reader(name)
            self._source, self._stream = name, stream_of(name)
            records = reader.flush()
            for record in records:
                self.take(record)
            self._note(reader, said=bool(records))

    def finish(self) -> None:
        """Nothing more comes at all: decide what waits for a next line."""
        self.flush()
        self.state.settle()
        self.mend()

    def records(self, block: Block) -> Iterator[Record]:
        """Give a block's records without applying them, for `events`."""
        reader = self.reader(block.source)
        lines, _ = block_lines(block.data)
        yield from reader.feed(lines, block.first_line)

    def rest(self, source: str) -> Iterator[Record]:
        """Give the records kept back, without applying them."""
        yield from self.reader(source).flush()

    def reader(self, source: str) -> LogReader:
        """Give the reader of the stream a source belongs to."""
        stream = stream_of(source)
        reader = self.readers.get(stream)
        if reader is None:
            clock = Clock(self._zone, self._reference_of(source))
            gateway = self.gateway_of(source) or self.gateway_of(stream)
            reader = self.readers[stream] = LogReader(self._catalogue, clock, gateway=gateway, errors=self.errors)
            self._share_memory()
        return reader

    def _share_memory(self) -> None:
        """Let all streams together remember as many lines as one alone."""
        most = max(_LEAST_STEMS, MOST_STEMS >> (len(self.readers) - 1).bit_length())
        if most != self._most_stems:
            self._most_stems = most
            for reader in self.readers.values():
                reader.remember(most)
        else:
            self.readers[next(reversed(self.readers))].remember(most)

    def forget_sources(self, names: Collection[str]) -> None:
        """Drop what is remembered of sources that are read no longer: patterns may match ever new files.

        What the last few of them were like is kept in case they come back, and when the log of each gateway began.
        """
        self.last_line = {name: time for name, time in self.last_line.items() if name in names}
        streams = {stream_of(name) for name in names}
        gone = [stream for stream, reader in self.readers.items() if stream not in streams and not reader.holds]
        for stream in gone[:-_FORMER_STREAMS]:
            del self.readers[stream]
        former = [source for source in self.first_line if source not in names]
        if len(former) > _FORMER_STREAMS:
            first = {self._owner(source): source for source in sorted(former, key=lambda name: -self.first_line[name])}
            kept = {source for owner, source in first.items() if not owner or self.state.of_gateway(owner)}
            self.first_line = {name: time for name, time in self.first_line.items() if name in names or name in kept}

    def _owner(self, source: str) -> str:
        return self.state.gateways.spelled(self.gateway_of(source))

    def pass_over(self, source: str) -> None:
        """Count a line that is not to be read as one that nobody knows, and a record that waits for it as well.

        Reading it ended the process: it does not even reach the reader, which would look at what waits first.
        """
        reader = self.reader(source)
        kept = reader.to_json()
        lost = 1 + (kept["pending"] is not None)
        reader.restore(kept | {"pending": None, "continuations": [], "quoted": None})
        self.errors.number += lost
        self._count_unknown("", lost)

    # listening

    def prepare(self, stem: Stem, *, numbered: bool) -> None:
        """Say what is done with the lines of a stem: most act and are counted, and nobody needs to see them."""
        message, event = stem.message, stem.message.event
        said = said_of(stem, numbered=numbered)
        severity = severity_and_reason(message, stem.event(None))[0] if event in _SEVERITY_IN_VALUES else message.severity
        if said is None and stem.level in DEBUG_LEVELS:
            severity = "info"
            event = "other"
        if said is not None:
            stem.follows, stem.what = said
        stem.tally = self._count(stem.level or "none", severity, event)
        stem.shown = self._on_record is not None and (said is not None or severity != "info")
        stem.heard = stem.shown or self.hears_each
        stem.act = None if stem.heard else stem.follows

    def note(self, time: float, origin: Origin, stem: Stem) -> None:
        """Note when the log of a gateway was written: of lines of one time, the first is enough."""
        if time != self._noted_time or origin is not self._noted_origin:
            log = self.past.gateways.get(origin.gateway)
            if log is None or not log.goes_on(time):
                self._note_line(origin.gateway, time, stem.level)
            self._noted_time, self._noted_origin = time, origin if log is not None and log.informed else None

    def hear(self, time: float, origin: Origin, stem: Stem, number: Number, ending: str, line: int) -> None:
        """Take a line of a stem that somebody wants to see."""
        try:
            self.note(time, origin, stem)
            if stem.follows is not None:
                numbers = () if number is None else (number,)
                stem.follows(self.turn_to(time, origin), stem.what, *numbers)
            if stem.shown and self._on_record is not None:
                self._on_record(record_of(time, origin, stem, number, ending, line), self._source)
            stem.tally.number += 1
        except Exception as error:  # noqa: BLE001  whatever it is: the next record is taken
            self.fail(error, origin, stem)

    def turn_to(self, time: float, origin: Origin) -> Racoon:
        """Give the racoon that wrote a line, at the time of the line."""
        return self.state.turn_to(time, origin, "" if origin.gateway else self._stream)

    def fail(self, error: Exception, origin: Origin, stem: Stem) -> None:
        """Take that a line of a stem raised."""
        self._fail(error, (origin.gateway, origin.ident), stem.level)

    def take(self, record: Record) -> None:
        """Take a record. One that was said no time is a copy of the one before."""
        if not record.times:
            return
        try:
            self._take(record)
        except Exception as error:  # noqa: BLE001  whatever it is: the next record is taken
            self._fail(error, (record.gateway, record.ident), record.level, record.times)

    def _fail(self, error: Exception, racoon: tuple[str, str], level: str, times: int = 1) -> None:
        """Count a record that raised as one that nobody knows, and what it may have left half done as doubtful."""
        self.errors.note(error)
        gateway, ident = racoon
        self.state.doubt((gateway, ident, "" if gateway else self._stream))
        self._count_unknown(level, times)

    def _count_unknown(self, level: str, times: int) -> None:
        self._count(level or "none", "none", "unknown").number += times
        self.unparsed["unknown_message"] += times

    def mend(self) -> None:
        """Make what a failed record left half done whole again; before anybody looks at the state or keeps it."""
        for remark in self.state.mend():
            _LOGGER.error("%s", remark)

    def _take(self, record: Record) -> None:
        if record.time is not None:
            self._note_line(record.gateway, record.time, record.level)
            self._noted_origin = None
        message = record.message
        if message is None:
            self._count_unknown(record.level, record.times)
            return
        event = message.event
        if event in HANDLERS:
            self.state.apply(record, "" if record.gateway else self._stream)
            severity = severity_and_reason(message, record.event)[0] if event in _SEVERITY_IN_VALUES else message.severity
            if self._on_record is not None:
                self._on_record(record, self._source)
            self._count(record.level or "none", severity, event).number += record.times
        elif record.level in DEBUG_LEVELS:
            self._count(record.level, "info", "other").number += record.times
        else:
            if self._on_record is not None and message.severity != "info":
                self._on_record(record, self._source)
            self._count(record.level or "none", message.severity, event).number += record.times

    def _count(self, level: str, severity: str, event: str) -> Tally:
        """Give the count of a level, severity and event class."""
        if level not in _LEVELS:
            level = "other"  # a collector's word: whoever writes lines writes any
        count = self._counts.get((level, severity, event))
        if count is None:
            count = self._counts[level, severity, event] = Tally()
        return count

    @property
    def messages(self) -> Counter[MessageKey]:
        """Records by level, severity and event class."""
        return Counter({key: tally.number for key, tally in sorted(self._counts.items()) if tally.number})

    @messages.setter
    def messages(self, numbers: Mapping[MessageKey, int]) -> None:
        for key, number in numbers.items():
            self._count(*key).number = number

    def _note_line(self, gateway: str, time: float, level: str) -> None:
        """Note that a gateway's log was written, before anything follows from the line."""
        gateway = self.state.gateways.shown(gateway, self._stream)
        if self.past.line(gateway, time, level, lambda: self._has_sas(gateway)):
            self.past.forget_silences(gateway, lapses(self.state.archive.ipsec, gateway))

    def _has_sas(self, gateway: str) -> bool:
        return any(racoon.ipsec for racoon in self.state.of_gateway(gateway))

    def _keep(self, records: Sequence[Any]) -> None:
        """Keep of ended records that the state lets go what availability needs."""
        self.past.keep(records, lambda gateway, address: self.state.knowledge.at(gateway).expected(address) is not None)

    def _note(self, reader: LogReader, *, said: bool) -> None:
        """Note what a reader found out beside records."""
        last = reader.clock.last
        if said and last is not None:
            self.last_line[self._source] = last
            self.first_line.setdefault(self._source, last if reader.clock.first is None else reader.clock.first)
        self.unparsed["not_racoon"] += reader.not_racoon
        reader.not_racoon = 0
        if reader.ikev2:
            for level, count in reader.ikev2.items():
                self._count(level or "none", "info", IKEV2).number += count
            reader.ikev2.clear()

    def _decodable(self, reader: LogReader, lines: list[str]) -> list[str]:
        """Set lines aside that are neither UTF-8 nor racoon's: binary junk."""
        kept = []
        for line in lines:
            if "\\x" in line and reader.is_foreign(line):
                self.unparsed["undecodable"] += 1
            else:
                kept.append(line)
        return kept

    def _without_debug(self, reader: LogReader, lines: list[str]) -> tuple[list[str], bool]:
        """Drop debug lines that change nothing, and dumps, without looking closely at each; tell whether one was the last."""
        place = next((place for line in lines if "DEBUG" in line and (place := reader.debug_place(line)) is not None), None)
        if place is None:
            return lines, False
        kept, debug, debug2, dumps, continuations, ends_dropped = self._debug_filter.sift(lines, place)
        self._count("DEBUG", "info", "other").number += debug
        if debug2:
            self._count("DEBUG2", "info", "other").number += debug2
        reader.dump_lines += dumps
        reader.not_racoon += continuations
        return kept, ends_dropped


def record_errors(*, strict: bool = False) -> RecordErrors:
    """Count exceptions out of records, and say each kind once in our log."""
    return RecordErrors(_tell, strict=strict)


def _tell(kind: str) -> None:
    _LOGGER.error("a record could not be read (%s): it is counted as an unknown message, and reading goes on", kind)


def to_json(engine: Engine, gather: Gather = list) -> dict[str, Any]:
    """Give what the engine knows, for a checkpoint; `gather` as for its state."""
    return {
        "state": engine.state.to_json(gather),
        "messages": counters_to_json(engine.messages),
        "unparsed": {reason: min(count, MOST) for reason, count in engine.unparsed.items()},
        "first_line": engine.first_line,
        "record_errors": min(engine.errors.number, MOST),
        "past": past_to_json(engine.past),
        "last_line": engine.last_line,
        "readers": {name: reader.to_json() for name, reader in engine.readers.items()},
    }


def restore(engine: Engine, given: dict[str, Any]) -> None:
    """Go on from what `to_json` gave, now or with an older layout. Raises on anything else; the engine is then unusable."""
    state = given["state"] | {"racoons": [upgraded(racoon) for racoon in given["state"]["racoons"]]}
    checked = check_engine(given | {"state": state})
    engine.take_state(SaState.from_json(state, engine.state.knowledge, checked["archive"]))
    engine.messages = Counter({(level, severity, event): count for level, severity, event, count in given["messages"]})
    engine.unparsed.update({reason: count for reason, count in given["unparsed"].items() if reason in UNPARSED_REASONS})
    engine.errors.number = int(given.get("record_errors", 0))
    engine.last_line = dict(given["last_line"])
    engine.first_line = dict(given.get("first_line", {}))  # older versions did not keep it
    if "past" in given:
        restore_past(engine.past, given["past"])
    else:
        begin_past(engine.past, engine.state.archive, engine.last_line.values())
    for name, item in given["readers"].items():
        engine.reader(name).restore(item)


__all__ = [
    "UNPARSED_REASONS",
    "Engine",
    "record_errors",
    "restore",
    "to_json",
]
