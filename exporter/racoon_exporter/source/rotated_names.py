"""How rotated files of a log are named: the one place that knows. Names only.

logrotate and newsyslog write `LOG.1` (the youngest) to `LOG.N`, or with `dateext` `LOG-20260131`; with `extension .log`
the number stands before the extension: `racoon.1.log`. Programs put a time behind the date, and scripts keep one `LOG.old`.
Each may be compressed. multilog, svlogd and s6-log write to `current` and keep `@TAI64N.s` beside it, or `.u` where they were
stopped before all was done. RouterOS writes to `LOG.0.txt`, and renames it to `LOG.1.txt`. Editors, people and programs that
pack or move a file put copies of it beside it, which are no rotated files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

COMPRESSED: Final = (".gz", ".bz2", ".xz")
"""Compressions that can be read."""
UNREAD: Final = (".zst", ".lz4", ".lzma", ".lzo", ".lz", ".Z", ".zip", ".7z", ".br")
"""Those that cannot: such a file is no log, and nothing is known of what it holds."""
_TIME: Final = r"[-_.T]?\d{2}(?:[-:]\d{2}){1,2}(?:\.\d{1,9})?|[-_.T]?\d{2,10}|-\d"
SUFFIX: Final = rf"(?:\.(?:(?P<number>\d{{1,4}})|old)|[-._](?P<date>\d{{4}}-?\d{{2}}-?\d{{2}}(?:(?:{_TIME})Z?)?|\d{{9,11}}))"
PACKED: Final = r"(?P<packed>\.(?:gz|bz2|xz))?"
AFTER: Final = re.compile(rf"(?P<stem>.+?){SUFFIX}{PACKED}", re.DOTALL)
BEFORE_EXTENSION: Final = re.compile(rf"(?P<stem>.+?){SUFFIX}(?P<extension>\.[^.\d][^.]*?){PACKED}", re.DOTALL)

CURRENT: Final = "current"
BESIDE_CURRENT: Final = re.compile(r"@(?P<date>[0-9a-f]{24})\.(?P<state>[su])")
FIRST: Final = re.compile(r"(?P<stem>.+)\.0\.txt", re.DOTALL)
AFTER_FIRST: Final = re.compile(r"(?P<stem>.+)\.(?P<number>[1-9]\d{0,3})\.txt", re.DOTALL)
COPY: Final = re.compile(
    r"(?P<log>.+?)(?:~|\.(?:bak|backup|copy|orig|sav|save|tmp|temp|part|partial|dpkg-[a-z]+|rpm(?:new|orig|save)))", re.DOTALL
)
_SEPARATORS: Final = "-._"


def bases_of(name: str) -> Iterator[str]:
    """Give the logs that a file of this name would be a rotated one of, or a copy of that or of the log."""
    if copy := COPY.fullmatch(name):
        yield copy["log"]
        for base in bases_of(copy["log"]):
            yield from (base, *bases_of(base))
    for pattern in (AFTER, BEFORE_EXTENSION):
        match = pattern.fullmatch(name)
        if match and match.groupdict().get("extension") not in COMPRESSED:
            yield match["stem"] + match.groupdict().get("extension", "")
    if match := AFTER_FIRST.fullmatch(name):
        yield f"{match['stem']}.0.txt"
    if BESIDE_CURRENT.fullmatch(name):
        yield CURRENT


@lru_cache(maxsize=4096)
def names_of(log: str) -> tuple[re.Pattern[str], ...]:
    """Give the patterns of the names that rotated files of a log have; each has the group `date`, `number`, or both."""
    stem, extension = _parts(log)
    patterns = [re.compile(f"{re.escape(log)}{SUFFIX}{PACKED}")]
    if extension:
        patterns.append(re.compile(f"{re.escape(stem)}{SUFFIX}{re.escape(extension)}{PACKED}"))
    if first := FIRST.fullmatch(log):
        patterns.append(re.compile(rf"{re.escape(first['stem'])}\.(?P<number>[1-9]\d{{0,3}})\.txt"))
    if log == CURRENT:
        patterns.append(BESIDE_CURRENT)
    return tuple(patterns)


def beginnings_of(log: str) -> Iterator[str]:
    """Give what the names of a log's rotated files begin with, one of these each."""
    first = FIRST.fullmatch(log)
    stem = first["stem"] if first else _parts(log)[0]
    yield from (f"{stem}{separator}" for separator in _SEPARATORS)
    if log == CURRENT:
        yield "@"


def _parts(log: str) -> tuple[str, str]:
    """Divide a log's name into what stands before its extension, and that; a name may begin with a dot."""
    at = log.rfind(".")
    return (log[:at], log[at:]) if at > 0 else (log, "")


def is_packed(name: str) -> bool:
    """Whether a file is compressed, by its name; what can be read or not."""
    return name.endswith((*COMPRESSED, *UNREAD))


def may_be_packed(name: str) -> bool:
    """Whether a rotated file may be compressed: multilog and others give it to a program before its name ends in `.s`."""
    return name.endswith(COMPRESSED) or (name.endswith(".s") and BESIDE_CURRENT.fullmatch(name) is not None)


__all__ = [
    "AFTER",
    "BEFORE_EXTENSION",
    "BESIDE_CURRENT",
    "COMPRESSED",
    "CURRENT",
    "bases_of",
    "beginnings_of",
    "is_packed",
    "may_be_packed",
    "names_of",
]
