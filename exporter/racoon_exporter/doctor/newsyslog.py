"""newsyslog's configuration on NetBSD and FreeBSD: which line rotates a log, and what it says. Follows newsyslog.conf(5)."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from racoon_exporter.doctor.host import Host
from racoon_exporter.doctor.rights import there

CONFIGURATION: Final = "/etc/newsyslog.conf"
_DIRECTORIES: Final = ("/etc/newsyslog.conf.d", "/usr/local/etc/newsyslog.conf.d")
_LINE: Final = re.compile(
    r"(?P<log>\S+)\s+(?:(?P<owner>[\w.-]*):(?P<group>[\w.-]*)\s+)?(?P<mode>[0-7]{3,4})\s+(?P<count>\d+)\s+(?P<size>\S+)\s+(?P<when>\S+)"
    r"(?:\s+(?P<flags>[A-Za-z-]+))?(?:\s+(?P<pid>/\S+))?.*"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is for a log."""

    file: Path
    number: int
    log: str
    owner: str
    group: str
    mode: int
    count: int
    flags: str
    pid_file: str

    def covers(self, log: Path) -> bool:
        """Whether it rotates a log; a pattern needs the flag G, which NetBSD does not know."""
        return str(log) == self.log or ("G" in self.flags.upper() and fnmatch.fnmatchcase(str(log), self.log))


def lines(host: Host) -> Iterator[Line]:
    """Read all lines of a machine."""
    files = [host.path(CONFIGURATION)]
    for directory in map(host.path, _DIRECTORIES):
        if there(directory):
            files += sorted(directory.glob("*.conf"))
    for file in files:
        yield from _of(file)


def _of(file: Path) -> Iterator[Line]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for number, raw in enumerate(text.splitlines(), start=1):
        found = _LINE.fullmatch(raw.partition("#")[0].strip())
        if found:
            yield Line(
                file,
                number,
                found["log"],
                found["owner"] or "",
                found["group"] or "",
                int(found["mode"], 8),
                int(found["count"]),
                (found["flags"] or "").strip("-"),
                found["pid"] or "",
            )
