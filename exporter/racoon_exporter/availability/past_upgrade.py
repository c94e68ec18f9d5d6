"""What the state file of an older version tells of the past: it kept ended records only."""

from __future__ import annotations

from collections.abc import Iterable

from racoon_exporter.availability.past import Past
from racoon_exporter.sa.archive import Archive


def begin_past(past: Past, archive: Archive, last_lines: Iterable[float]) -> None:
    """Begin with the oldest SA that is remembered of each gateway; silences of that time are not known."""
    last = max(last_lines, default=None)
    for sa in archive.ipsec:
        log = past.of(sa.gateway)
        log.informed = True
        for time in (sa.established, sa.ended):
            if time is not None and (log.first is None or time < log.first):
                log.first = time
        log.last = log.newest = last if last is not None else sa.ended


__all__ = ["begin_past"]
