"""A recorded scenario: its logs, and the tables of what the kernel and racoonctl saw; see tests/scenarios/README.md."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import IO, TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from racoon_parsers.racoon_conf import parse_racoon_conf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

LIMIT = 2.0
"""Seconds by which a time of `history` may differ from the kernel's: lines have whole seconds, and are written a bit late."""

_HALF_HOUR = 1800
_ROLES = {"I": "initiator", "R": "responder"}
_EXCHANGES = {"M": "main", "A": "aggressive", "B": "base"}
_ESTABLISHED_STATE = "9"
_END_LINES = ("IPsec-SA expired", "purged IPsec-SA", "purging", "pfkey DELETE received")
_DAEMON_LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d).*(?:caught signal \d|racoon (?:process \d+ )?shutdown|@\(#\)ipsec-tools )"
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
_LEVEL = re.compile(r"^[A-Z]+: ")
"""What stands before the text of a cited line in some tables: its level."""
_LISTENS = re.compile(r"(?P<address>[0-9A-Fa-f.:]+(?:%\w+)?)\[\d+\] used (?:as isakmp port|for NAT-T)")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that names an SA, as the truth tables cite it: its time of day in seconds (the log's zone) and how it begins."""

    time_of_day: int
    text: str

    def near(self, moment: datetime) -> bool:
        """Whether the line is from about this moment. Zones differ by whole half hours, so only the rest is compared."""
        away = (self.time_of_day - moment.timestamp()) % _HALF_HOUR
        return min(away, _HALF_HOUR - away) <= LIMIT


@dataclass(frozen=True, slots=True)
class KernelSa:
    """An SA as the kernel had it. Times are the kernel's notifications; None where there was none."""

    protocol: str
    source: str
    destination: str
    spi: int
    mode: str
    added: datetime
    soft_expired: datetime | None
    removed: datetime | None
    how_removed: str
    lines: tuple[LogLine, ...]

    @property
    def established_logged(self) -> bool:
        """Whether the log tells that this SA came to be."""
        return any(line.text.startswith("IPsec-SA established") for line in self.lines)

    @property
    def soft_expiry_logged(self) -> bool:
        """Whether the log tells its soft expiry."""
        moment = self.soft_expired
        return moment is not None and any(line.text.startswith("IPsec-SA expired") and line.near(moment) for line in self.lines)

    def end_logged(self, daemon: tuple[datetime, ...]) -> bool:
        """Whether the log tells its end: a line that names it, or a stop or start of racoon at that moment."""
        moment = self.removed
        if moment is None:
            return False
        named = any(line.text.startswith(_END_LINES) and line.near(moment) for line in self.lines)
        return named or any(abs((moment - at).total_seconds()) <= LIMIT for at in daemon)


@dataclass(frozen=True, slots=True)
class IsakmpSa:
    """An ISAKMP-SA as racoonctl listed it, sampled every few seconds; `established` if the log could tell so."""

    cookies: str
    role: str
    exchange: str
    established: bool
    last_seen: datetime | None = None
    gone: datetime | None = None
    """The first sample without it; None where the table does not tell."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host of a scenario: its logs, oldest first, and its tables, None where nothing was recorded."""

    scenario: str
    name: str
    logs: tuple[Path, ...]
    zone: str
    addresses: frozenset[str]
    daemon: tuple[datetime, ...]
    kernel: tuple[KernelSa, ...] | None  # None where nobody watched the kernel
    isakmp: tuple[IsakmpSa, ...] | None


def hosts(directory: Path, zone: str) -> Iterator[Host]:
    """Yield the hosts of a scenario that have a log and a table, of the kernel's SAs or of ISAKMP-SAs."""
    for name in sorted({path.name.split(".")[0] for path in directory.glob("*-truth.tsv")}):
        logs = _logs(directory, name)
        if not logs:
            continue
        kernel = _table(directory / f"{name}.sa-truth.tsv", _kernel_sas)
        cited = ".log" in logs[0].name  # the tables cite no lines of a syslog
        isakmp = _table(directory / f"{name}.phase1-truth.tsv", partial(_isakmp_sas, cited=cited))
        if not kernel and isakmp is None:
            continue  # a table without rows, made though nothing was sampled
        lines = [line for log in logs for line in _lines(log)]
        yield Host(
            scenario=directory.name,
            name=name,
            logs=logs,
            zone=zone,
            addresses=_addresses(directory / f"{name}.racoon.conf", lines),
            daemon=tuple(moment for line in lines for moment in _daemon_moments(line, zone)),
            kernel=kernel,
            isakmp=isakmp,
        )


def _logs(directory: Path, name: str) -> tuple[Path, ...]:
    """Return X.log and X.log.N, oldest first, compressed or not; where there is none, X.syslog likewise.

    The first line of each rotated file tells its place: the highest number may be the oldest or the newest.
    """
    for stem in ("log", "syslog"):
        form = re.compile(rf"{re.escape(name)}\.{stem}(?:\.(?P<age>\d+))?(?:\.(?:gz|bz2|xz))?")
        found = [path for path in directory.iterdir() if form.fullmatch(path.name)]
        if found:
            return tuple(sorted(found, key=lambda path: (not _age(form, path), _first_time(path))))
    return ()


def _age(form: re.Pattern[str], path: Path) -> bool:
    match = form.fullmatch(path.name)
    return match is not None and match["age"] is not None


def _first_time(path: Path) -> str:
    """Return the time of the first line that has one, as written; empty for a file without."""
    return next((match[0] for line in _lines(path) if (match := _TIME.match(line))), "")


def _open(path: Path) -> IO[bytes]:
    match path.suffix:
        case ".gz":
            return io.BufferedReader(gzip.GzipFile(path))
        case ".bz2":
            return bz2.open(path)
        case ".xz":
            return lzma.open(path)
        case _:
            return path.open("rb")


def _lines(path: Path) -> Iterator[str]:
    with _open(path) as file:
        for line in file:
            yield line.decode("utf-8", errors="replace")


def _addresses(conf: Path, lines: list[str]) -> frozenset[str]:
    """Return the host's own addresses: those racoon says it listens on, or was told to."""
    found = {match["address"] for line in lines if (match := _LISTENS.search(line))}
    if conf.exists():
        listen = parse_racoon_conf(conf.read_text(encoding="utf-8", errors="replace")).listen
        found |= {endpoint.address for endpoint in (*listen.isakmp, *listen.isakmp_natt)}
    return frozenset(found)


def _daemon_moments(line: str, zone: str) -> tuple[datetime, ...]:
    """Return when a start or stop line was written; both readings where a clock hour comes twice."""
    match = _DAEMON_LINE.match(line)
    if match is None:
        return ()
    local = datetime.fromisoformat(match["time"]).replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _table(path: Path, read: Callable[[Path], Iterator[T]]) -> tuple[T, ...] | None:
    return tuple(read(path)) if path.exists() else None


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _kernel_sas(table: Path) -> Iterator[KernelSa]:
    for row in _rows(table):
        added = _moment(row["kernel_added"])
        if added is None:
            continue  # larval only: a reserved SPI, never an SA
        yield KernelSa(
            protocol=row["proto"].lower(),
            source=row["src"],
            destination=row["dst"],
            spi=int(row["spi"]),
            mode=row["mode"].lower(),
            added=added,
            soft_expired=_moment(row["kernel_soft_expired"]),
            removed=_moment(row["kernel_removed"]),
            how_removed=row["how_removed"],
            lines=tuple(_log_lines(row["log_lines"])),
        )


def _isakmp_sas(table: Path, *, cited: bool) -> Iterator[IsakmpSa]:
    for row in _rows(table):
        yield IsakmpSa(
            cookies=row["cookies"],
            role=_ROLES.get(row["side"], row["side"]),
            exchange=_EXCHANGES.get(row["exchange"], row["exchange"]),
            established=_ESTABLISHED_STATE in row["states"].split(",")
            and (not cited or "ISAKMP-SA established" in row.get("log_lines", "ISAKMP-SA established")),
            last_seen=_moment(row["last_sampled"]),
            gone=_moment(row.get("next_sample_without", "-")),
        )


def _moment(text: str) -> datetime | None:
    return None if text in {"", "-"} else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _log_lines(text: str) -> Iterator[LogLine]:
    for part in text.split("; ") if text != "-" else ():
        time, _, line = part.partition(" ")
        line = _LEVEL.sub("", line)
        try:
            hours, minutes, seconds = (int(number) for number in time.removesuffix(":").split(":"))
        except ValueError:
            continue  # a `;` inside of a cited line
        yield LogLine(round(timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()), line)
