"""Logs of months, of gateways whose every outage is scripted: begin, end, reason.

python -m tests.exporter.archives.year FOLDER --gateways 8 --peers 100 --days 365
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

START: Final = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
LIFETIME: Final = 28800
SOFT: Final = LIFETIME * 8 // 10
PHASE1_LIFETIME: Final = 86400
_EXPIRED: Final = "INFO: IPsec-SA expired: ESP/Tunnel"
_NO_ANSWER: Final = "0" * 16


class Scripted(NamedTuple):
    """An outage as it is written into the log."""

    gateway: str
    peer: str
    begin: float
    end: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class Script:
    """What happens."""

    gateways: int = 2
    peers: int = 5
    days: int = 30
    seed: int = 1
    outages: int = 6
    """Of each peer."""

    def of(self, gateway: int, peer: int) -> list[tuple[int, int]]:
        """Give a peer's outages: seconds after the start, and how long."""
        dice = random.Random(f"{self.seed} {gateway} {peer}")
        slot = self.days * 86400 // (self.outages + 1)
        return [
            (slot * (1 + number) + dice.randrange(slot // 2), dice.choice((7, 65, 600, 5000, 30000)))
            for number in range(self.outages)
        ]

    def of_peer(self, gateway: int, peer: int) -> list[Scripted]:
        """Give a peer's outages as they are written."""
        return [
            Scripted(
                f"gw{gateway}", address(peer), START + begin, START + begin + seconds, "no_response" if seconds >= 600 else None
            )
            for begin, seconds in self.of(gateway, peer)
        ]

    def all(self) -> list[Scripted]:
        """Give every outage."""
        pairs = [(gateway, peer) for gateway in range(self.gateways) for peer in range(self.peers)]
        return [one for pair in pairs for one in self.of_peer(*pair)]

    def begun(self, peer: int) -> float:
        """Give the time of a peer's first SA."""
        return START + 60.0 + peer + 1

    @property
    def end(self) -> float:
        """Give the time of the last line."""
        return START + self.days * 86400


def address(peer: int) -> str:
    return f"10.{peer // 65536}.{peer // 256 % 256}.{peer % 256}"


class _Peer:
    """What one peer makes a gateway say: (time, text) in order."""

    def __init__(self, script: Script, gateway: int, peer: int) -> None:
        self._dice = random.Random(f"life {script.seed} {gateway} {peer}")
        self._outages = script.of(gateway, peer)
        self._begun = START + 60.0 + peer
        self._end = script.end
        self._peer = address(peer)
        self._ends = f"192.0.2.1[500]-{self._peer}[500]"
        self._pair = f"192.0.2.1[500]<=>{self._peer}[500]"

    def lines(self) -> Iterator[tuple[float, str]]:
        begin = self._begun
        for offset, seconds in [*self._outages, (int(self._end - START), 0)]:
            yield from self._session(begin, START + offset)
            if not seconds:
                return
            yield from self._silence(START + offset, seconds)
            begin = START + offset + seconds - 1

    def _session(self, begin: float, end: float) -> Iterator[tuple[float, str]]:
        """From the first phase 1 to the death of the peer."""
        events: list[tuple[float, int, str]] = []
        cookies, since = self._cookies(), begin
        events += self._phase1(begin, cookies)
        while since + PHASE1_LIFETIME < end:
            after, now = self._cookies(), since + PHASE1_LIFETIME
            events += self._phase1(now - 1, after)
            events += [(now, 0, f"INFO: ISAKMP-SA expired {self._ends} spi:{cookies}")]
            events += [(now + 1, 0, f"INFO: ISAKMP-SA deleted {self._ends} spi:{cookies}")]
            cookies, since = after, now
        alive = []
        now = begin + 1
        while now < end:
            pair = (self._spi(), self._spi())
            events += [(now, 5, f"INFO: initiate new phase 2 negotiation: {self._pair}")]
            events += [
                (now, 6, f"INFO: IPsec-SA established: ESP/Tunnel 192.0.2.1[500]->{self._peer}[500] spi={spi}(0x{spi:x})")
                for spi in pair
            ]
            for when in (now + SOFT, now + LIFETIME):
                if when < end:
                    events += [
                        (
                            when,
                            4,
                            f"{_EXPIRED} {self._peer}[500]->192.0.2.1[500] spi={pair[0]}(0x{pair[0]:x})",
                        ),
                        (
                            when,
                            4,
                            f"{_EXPIRED} 192.0.2.1[500]->{self._peer}[500] spi={pair[1]}(0x{pair[1]:x})",
                        ),
                    ]
            alive.append((now + LIFETIME, pair))
            now += SOFT + 1
        if end < self._end:
            dead = [spi for over, pair in alive if over > end for spi in pair]
            said = [
                f"[{self._peer}] INFO: DPD: remote (ISAKMP-SA spi={cookies}) seems to be dead.",
                f"INFO: purging ISAKMP-SA spi={cookies}.",
                *(f"INFO: purged IPsec-SA spi={spi}." for spi in dead),
                f"INFO: purged ISAKMP-SA spi={cookies}.",
                f"INFO: ISAKMP-SA deleted {self._ends} spi:{cookies}",
            ]
            events += [(end, 10 + number, text) for number, text in enumerate(said)]
        yield from ((when, text) for when, _, text in sorted(events))

    def _silence(self, begin: float, seconds: int) -> Iterator[tuple[float, str]]:
        """Attempts that nobody answers."""
        now = begin + 30
        while now + 60 < begin + seconds:
            yield now, f"INFO: initiate new phase 1 negotiation: {self._pair}"
            yield now, "INFO: begin Identity Protection mode."
            yield now + 50, f"ERROR: phase1 negotiation failed due to time up. {self._dice.getrandbits(64):016x}:{_NO_ANSWER}"
            now += 600

    def _phase1(self, begin: float, cookies: str) -> list[tuple[float, int, str]]:
        return [
            (begin, 0, f"INFO: initiate new phase 1 negotiation: {self._pair}"),
            (begin, 1, "INFO: begin Identity Protection mode."),
            (begin, 2, f"INFO: ISAKMP-SA established {self._ends} spi:{cookies}"),
        ]

    def _cookies(self) -> str:
        return f"{self._dice.getrandbits(64) | 1:016x}:{self._dice.getrandbits(64) | 1:016x}"

    def _spi(self) -> int:
        return self._dice.randrange(1 << 20, 1 << 28)


def write(script: Script, folder: Path, *, central: bool = False) -> list[Path]:
    """Write a log for each gateway, or one for all."""
    streams = [
        [((when, gateway, peer), f"gw{gateway}", text) for when, text in _Peer(script, gateway, peer).lines()]
        if script.peers * script.days < 10_000
        else _lazily(script, gateway, peer)
        for gateway in range(script.gateways)
        for peer in range(script.peers)
    ]
    size = script.peers
    groups = [streams] if central else [streams[first : first + size] for first in range(0, len(streams), size)]
    paths = []
    for number, group in enumerate(groups):
        path = folder / ("central.log" if central else f"gw{number}.log")
        with path.open("w") as file:
            for (when, *_), host, text in heapq.merge(*group, key=lambda item: item[0]):
                stamp = datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds")
                file.write(f"{stamp} {host} racoon: {text}\n")
        paths.append(path)
    return paths


def _lazily(script: Script, gateway: int, peer: int) -> Iterator[tuple[tuple[float, int, int], str, str]]:
    for when, text in _Peer(script, gateway, peer).lines():
        yield (when, gateway, peer), f"gw{gateway}", text


def main() -> None:
    parser = argparse.ArgumentParser(description="Write logs with a known script of outages.")
    parser.add_argument("folder", type=Path)
    for name, default in (("gateways", 8), ("peers", 100), ("days", 365)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--central", action="store_true")
    given = vars(parser.parse_args())
    folder, central = given.pop("folder"), given.pop("central")
    for path in write(Script(**given), folder, central=central):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
