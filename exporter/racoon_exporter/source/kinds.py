"""The kinds of sources: a row each. What the configuration file calls them, how that is read, and what reads them.

A new kind is a row here and a room beside it, which only the row knows; what it needs beyond the exporter's own dependencies
it imports in `make`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from racoon_exporter.source import descriptors
from racoon_exporter.source.contract import Keeper, Source, StartAt
from racoon_exporter.source.files.one_shot import STDIN
from racoon_exporter.source.files.patterns import MANY_OPEN
from racoon_exporter.source.files.system import SYSTEM, System
from racoon_exporter.source.journal.journal import JOURNAL, JournalSource
from racoon_exporter.source.journal.journalctl import JournalOptions
from racoon_exporter.source.kafka.settings import KafkaOptions, read_options
from racoon_exporter.source.paths import Paths
from racoon_exporter.source.streams.fifo_stdin import StdinSource
from racoon_exporter.source.syslog.listen import ListenAddress
from racoon_exporter.source.syslog.receiver import MOST_CONNECTIONS, SyslogSource
from racoon_exporter.yaml_document import Section


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something to be read: of which kind, by which name, and how if there is more to say."""

    kind: str
    name: str
    options: object = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What sources need of the process they are in. `clock`, `system` and `stdin` are for tests."""

    start_at: StartAt = "beginning"
    """Where files and the journal are begun of which no position is known."""
    backfill: bool = False
    """Whether rotated files are read first then."""
    most_open: int = MANY_OPEN
    clock: Callable[[], float] = time.monotonic
    system: System = SYSTEM
    stdin: Callable[[], StdinSource] = StdinSource
    keeper: Keeper | None = None
    """Who keeps what follows from partitions."""
    partition_directory: Path | None = None
    """Where that is kept, where it is kept in files."""
    checkpoint_seconds: float = 10.0


HERE: Final = Surroundings()


class Kind(NamedTuple):
    """A kind of sources."""

    key: str
    """Its key among the sources of the configuration file."""
    read: Callable[[Section, Path], Wanted]
    """Reads a source of the configuration file, whose directory is given; what is wrong is noted in the section."""
    make: Callable[[Sequence[Wanted], Surroundings], Source]
    """Makes what reads one of the `groups` of the kind."""
    connections: Callable[[Wanted], int] = lambda _wanted: 0
    """How many descriptors it may take for others that connect."""


def paths(*names: str) -> tuple[Wanted, ...]:
    """Want files, globs, FIFOs, or `-` for standard input."""
    return tuple(Wanted("path", name) for name in names)


def journal(options: JournalOptions | None = None) -> Wanted:
    """Want the systemd journal."""
    return Wanted("journal", JOURNAL, options or JournalOptions())


def syslog(*addresses: str) -> tuple[Wanted, ...]:
    """Want what arrives at addresses."""
    return tuple(Wanted("syslog", address) for address in addresses)


def _read_path(section: Section, directory: Path) -> Wanted:
    name = _text(section, "path")
    return Wanted("path", name if name in {"", STDIN} else str(directory / name))


def _make_paths(wanted: Sequence[Wanted], around: Surroundings) -> Source:
    names = [each.name for each in wanted]
    if names == [STDIN]:
        return around.stdin()
    return Paths(
        names,
        start_at=around.start_at,
        backfill=around.backfill,
        clock=around.clock,
        system=around.system,
        most_open=around.most_open,
    )


def _read_journal(section: Section, _directory: Path) -> Wanted:
    options = section.section("journal", ("identifiers", "units"))
    identifiers, units = (tuple(entry.text for entry in options.entries(key) or ()) for key in ("identifiers", "units"))
    return journal(JournalOptions(identifiers, units))


def _make_journal(wanted: Sequence[Wanted], around: Surroundings) -> Source:
    (journal,) = wanted
    assert isinstance(journal.options, JournalOptions)
    return JournalSource(journal.options, start_at=around.start_at, clock=around.clock)


def _read_syslog(section: Section, _directory: Path) -> Wanted:
    name = _text(section, "syslog")
    try:
        if name:
            ListenAddress.read(name)
    except ValueError as error:
        section.note(str(error), "syslog")
    return Wanted("syslog", name)


def _make_syslog(wanted: Sequence[Wanted], around: Surroundings) -> Source:
    (address,) = wanted
    return SyslogSource(address.name, clock=around.clock)


def _syslog_connections(wanted: Wanted) -> int:
    return MOST_CONNECTIONS if wanted.name.startswith(("tcp:", "unix-stream:")) else 0


def _read_kafka(section: Section, directory: Path) -> Wanted:
    options = read_options(section, directory)
    return Wanted("kafka", options.name, options)


def _make_kafka(wanted: Sequence[Wanted], around: Surroundings) -> Source:
    (topics,) = wanted
    try:
        from racoon_exporter.source.kafka import client  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ValueError(f"{topics.name} needs confluent-kafka: pip install 'racoon-exporter[kafka]'") from error
    assert isinstance(topics.options, KafkaOptions)
    assert around.keeper is not None
    try:
        return client.source(
            topics.options,
            around.keeper,
            around.partition_directory,
            start_at=around.start_at,
            checkpoint_seconds=around.checkpoint_seconds,
            clock=around.clock,
        )
    except OSError as error:
        raise ValueError(f"{topics.name}: {error}") from error


def _text(section: Section, key: str) -> str:
    text = section.text(key) or ""
    if not text:
        section.note(f"{key} must not be empty", key)
    return text


SOURCES: Final = (
    Kind("path", _read_path, _make_paths),
    Kind("journal", _read_journal, _make_journal),
    Kind("syslog", _read_syslog, _make_syslog, _syslog_connections),
    Kind("kafka", _read_kafka, _make_kafka),
)


def make(group: Sequence[Wanted], around: Surroundings) -> Source:
    """Make what reads one of `groups`. Raises ValueError for what there cannot be."""
    return next(kind for kind in SOURCES if kind.key == group[0].kind).make(group, around)


def groups(wanted: Sequence[Wanted]) -> list[tuple[Wanted, ...]]:
    """Divide what is wanted into what is read by one object each: all files together, everything else by itself."""
    once = list({(each.kind, each.name): each for each in reversed(wanted)}.values())[::-1]
    found: list[tuple[Wanted, ...]] = []
    for kind in SOURCES:
        of_kind = [each for each in once if each.kind == kind.key]
        files = tuple(each for each in of_kind if _is_file(each))
        found += [(each,) for each in of_kind if not _is_file(each)]
        found += [files] if files else []
    return found


def _is_file(wanted: Wanted) -> bool:
    return wanted.kind == "path" and wanted.name != STDIN


def most_open(wanted: Sequence[Wanted]) -> int:
    """Raise the limit of open files, and say how many logs may be open beside what the other sources take."""
    connections = sum(kind.connections(each) for kind in SOURCES for each in wanted if each.kind == kind.key)
    return descriptors.for_files(descriptors.raise_limit(), connections=connections)
