"""Rotated files beside a log: which there are, and which is older. Names and dates only; nothing is opened here."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from racoon_exporter.source.files.folders import Folders, regular
from racoon_exporter.source.files.position import Identity
from racoon_exporter.source.rotated_names import bases_of, may_be_packed, names_of

STEADY_LOOKS = 20
"""A listing counts when the next one is the same; so often it is tried."""


class UnsteadyError(OSError):
    """Files are being renamed so fast that it cannot be told which is which: to be tried again."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.EAGAIN, "its rotated files are being renamed", path)


@dataclass(frozen=True, slots=True)
class Sibling:
    """A rotated file: where it is, which file, its size in bytes as stored and its last change in nanoseconds."""

    path: str
    number: int | None
    date: str
    identity: Identity
    size: int
    mtime_ns: int

    @property
    def packed(self) -> bool:
        """Whether it is compressed, or may be."""
        return may_be_packed(os.path.basename(self.path))  # noqa: PTH119 - paths are text here

    @property
    def by_name(self) -> tuple[str, int]:
        """Sorts the oldest first as the names tell it."""
        return (self.date, -(self.number or 0))

    @property
    def by_age(self) -> tuple[int, str, int]:
        """Sorts the oldest first by last change; names decide where that is the same."""
        return (self.mtime_ns, *self.by_name)


def siblings(logs: Sequence[str], folders: Folders) -> list[Sibling]:
    """Return the rotated files of a log that has, or had, these paths, the oldest first as the names tell it.

    Where a file stands both plain and compressed (gzip is at work) only the plain one counts. Directories that cannot be
    listed give nothing. Raises UnsteadyError while they are renamed.
    """
    before = _listed(logs, folders)
    for _ in range(STEADY_LOOKS):
        # A rotation renames one file after the other; a listing made meanwhile shows some twice and others not at all.
        after = _listed(logs, folders)
        if _places(before) == _places(after):
            return after
        before = after
    raise UnsteadyError(logs[0])


def _places(rotated: Iterable[Sibling]) -> list[tuple[str, Identity]]:
    return [(sibling.path, sibling.identity) for sibling in rotated]


def _listed(logs: Sequence[str], folders: Folders) -> list[Sibling]:
    found: dict[tuple[str, str, int | None], Sibling] = {}
    for log in dict.fromkeys(logs):
        for sibling in _beside(log, folders):
            key = (log, sibling.date, sibling.number)
            if key not in found or found[key].packed:
                found[key] = sibling
    once = {sibling.identity: sibling for sibling in found.values()}  # one directory may have two spellings
    return in_order(once.values())


def in_order(rotated: Iterable[Sibling]) -> list[Sibling]:
    """Return the oldest first by name; where numbers and dates are mixed, the kind with the latest change comes last."""
    groups: dict[bool, list[Sibling]] = {}
    for sibling in rotated:
        groups.setdefault(sibling.number is None, []).append(sibling)
    by_latest = sorted(groups.values(), key=lambda group: max(sibling.mtime_ns for sibling in group))
    return [sibling for group in by_latest for sibling in sorted(group, key=lambda sibling: sibling.by_name)]


def oldest_first(rotated: Iterable[Sibling]) -> list[Sibling]:
    """Return the oldest first by last change; where some were compressed, and perhaps dated anew by that, names decide.

    Of those without compressed ones the last change decides, as scripts number files in either direction.
    """
    by_age = sorted(rotated, key=lambda sibling: sibling.by_age)
    series: dict[tuple[str, bool], list[int]] = {}
    for at, sibling in enumerate(by_age):
        series.setdefault((Path(sibling.path).parent.as_posix(), sibling.number is None), []).append(at)
    in_order = list(by_age)
    for places in series.values():
        files = [by_age[at] for at in places]
        if any(each.packed for each in files):
            for at, sibling in zip(places, sorted(files, key=lambda each: each.by_name), strict=True):
                in_order[at] = sibling
    return in_order


def bases(path: str) -> Iterator[str]:
    """Return the logs that `path` would be a rotated file of, by its name."""
    rotated = Path(path)
    return (str(rotated.with_name(name)) for name in bases_of(rotated.name))


def is_rotated(name: str, log: str) -> bool:
    """Whether a file of this name is a rotated one of the log with that name."""
    return _matched(name, log) is not None


def _matched(name: str, log: str) -> dict[str, str | None] | None:
    match = next(filter(None, (pattern.fullmatch(name) for pattern in names_of(log))), None)
    return None if match is None else match.groupdict()


def _beside(log: str, folders: Folders) -> Iterator[Sibling]:
    directory, name = Path(log).parent, Path(log).name
    for entry in folders.at(str(directory)).beside(log):
        held = _matched(entry, name)
        if held is None:
            continue
        number, date = held.get("number"), held.get("date")
        candidate = f"{directory}/{entry}"
        status = regular(candidate, folders.system)
        if status is not None:
            yield sibling_at(candidate, status, number=int(number) if number else None, date=date or "")


def sibling_at(path: str, status: os.stat_result, *, number: int | None = None, date: str = "") -> Sibling:
    """Return what stands at a path as a rotated file."""
    identity = Identity.of(status)
    return Sibling(path, number, date, identity, status.st_size, status.st_mtime_ns)


def named(logs: Iterable[str], identity: Identity, folders: Folders) -> str | None:
    """Return the path of the file with this identity in the directory of one of the logs, whatever its name."""
    for directory in dict.fromkeys(Path(log).parent for log in logs):
        candidate = folders.at(str(directory)).place_of(identity)
        status = None if candidate is None else regular(candidate, folders.system)
        if status is not None and Identity.of(status) == identity:
            return candidate
    return None
