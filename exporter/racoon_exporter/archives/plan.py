"""Units of work: logs that must be read one after the other, because they tell of the same gateways.

Order matters within a gateway and nowhere else. Logs that name the same host, or that are rotations of one another, are a
unit; a unit of many gateways is read by several workers at once, each of which minds its share of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from racoon_exporter.archives.survey import Sample
from racoon_exporter.source.stream_name import stream_of


@dataclass(frozen=True, slots=True)
class Unit:
    """Logs in the order in which they are to be read."""

    logs: tuple[Sample, ...]
    gateways: int
    """How many gateways their beginnings name."""
    both_ends: bool = False
    """Whether both ends of a negotiation stand in them: what one end calls silence, the other may explain."""

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(log.size for log in self.logs)

    @property
    def splits_by_gateway(self) -> bool:
        """Whether each gateway can be told of without the others: not where these explain each other's failures."""
        return self.gateways > 1 and not self.both_ends


def units(samples: Sequence[Sample], gateway_of: Callable[[str], str]) -> list[Unit]:
    """Group logs, in the order of the first of each group; within one the oldest log is first."""
    both = {(peer, local) for sample in samples for local, peer in sample.ends}
    begun = dict(_alike(sample.head for sample in samples if sample.first_line))
    groups: list[tuple[set[object], list[Sample]]] = []
    for sample in samples:
        marks = set(_marks(sample, gateway_of))
        if sample.first_line:
            marks.add(("beginning", begun[sample.head]))
        marks |= {("ends", frozenset(pair)) for pair in sample.ends & both}  # two gateways that negotiate with each other
        logs = [sample]
        for group in [group for group in groups if group[0] & marks]:
            groups.remove(group)
            marks |= group[0]
            logs = [*group[1], *logs]
        groups.append((marks, logs))
    place = {sample.path: index for index, sample in enumerate(samples)}
    for _, logs in groups:
        logs.sort(key=lambda log: place[log.path])
    groups.sort(key=lambda group: place[group[1][0].path])
    return [_unit(logs, gateway_of) for _, logs in groups]


def _marks(sample: Sample, gateway_of: Callable[[str], str]) -> Iterator[object]:
    """Give what a log has in common with others of its unit."""
    yield "stream", stream_of(sample.path)
    gateway = gateway_of(sample.path)
    for host in (gateway,) if gateway else sample.hosts:
        yield "gateway", host.casefold()


def _alike(heads: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Give with each beginning of a log the shortest that it begins with: copies under another name, some of which grew on."""
    shortest: bytes | None = None
    for head in sorted(set(heads)):
        if not shortest or not head.startswith(shortest):
            shortest = head
        yield head, shortest


def _unit(logs: list[Sample], gateway_of: Callable[[str], str]) -> Unit:
    names = {name for log in logs for name in ((gateway_of(log.path),) if gateway_of(log.path) else log.hosts)}
    ends = {pair for log in logs for pair in log.ends}
    both = any((peer, local) in ends for local, peer in ends) or any(log.identity is None for log in logs)
    return Unit(tuple(sorted(logs, key=lambda log: log.first_time or 0.0)), len(names), both)


def in_share(gateway: str, share: int, shares: int) -> bool:
    """Whether a gateway is among those that one of several workers minds."""
    return shares == 1 or zlib.crc32(gateway.casefold().encode("utf-8", "surrogatepass")) % shares == share
