"""A fleet of gateways of three kinds, whose lines tell whole stories: what follows does not depend on when they are read."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

BEGUN: Final = datetime(2026, 1, 15, 8, 0, tzinfo=UTC)
Spelling = Callable[[datetime, str, str], str]


def _ipsec_tools(at: datetime, gateway: str, text: str) -> str:
    return f"<30>{at:%b %d %H:%M:%S} {gateway} racoon[812]: {text}"


def _f5(at: datetime, gateway: str, text: str) -> str:
    del gateway
    return f"{at:%Y-%m-%d %H:%M:%S}: {text}"


def _routeros(at: datetime, gateway: str, text: str) -> str:
    del gateway
    level, _, rest = text.partition(": ")
    return f"<30>{at:%b %d %H:%M:%S} MikroTik ipsec,{'error' if level == 'ERROR' else 'info'} {rest}"


SPELLINGS: Final[tuple[Spelling, ...]] = (_ipsec_tools, _f5, _routeros)


def peer_of(gateway: int, number: int) -> str:
    """Give the address of a peer of a gateway."""
    high, low = divmod(gateway, 256)
    return f"198.{51 + high}.{low}.{number}"


@dataclass(slots=True)
class Gateway:
    """A racoon with three peers."""

    number: int
    chance: random.Random
    at: datetime = BEGUN
    spis: Iterator[int] = field(init=False)
    negotiations: int = 0

    def __post_init__(self) -> None:
        self.spis = iter(range(self.number * 100_000 + 1000, (self.number + 1) * 100_000))
        self.at += timedelta(seconds=self.number % 50 * 17)  # clocks differ by minutes

    @property
    def name(self) -> str:
        return f"site-{self.number:03d}"

    def round(self) -> list[str]:
        """Tell of one peer each time: established, failed, rekeyed or gone; most often of more than one."""
        stories = (self._established, self._established, self._failed, self._dead)
        return [line for _ in range(self.chance.randint(1, 3)) for line in self.chance.choice(stories)()]

    def last(self) -> list[str]:
        """Say something an hour later, so that nothing is left that waits for its time."""
        self.at += timedelta(hours=1)
        return [*self._established(), *self._established()]

    def _say(self, text: str, seconds: int = 1) -> str:
        self.at += timedelta(seconds=seconds)
        return SPELLINGS[self.number % len(SPELLINGS)](self.at, self.name, text)

    def _ends(self) -> tuple[str, str, str]:
        peer = peer_of(self.number, self.chance.randint(1, 3))
        self.negotiations += 1
        high, low = divmod(self.number, 256)
        return f"10.{high}.{low}.1", peer, f"{self.number:08x}{self.negotiations:08x}"

    def _established(self) -> list[str]:
        local, peer, cookie = self._ends()
        one, two = next(self.spis), next(self.spis)
        cookies = f"{cookie}:0123456789abcdef"
        return [
            self._say(f"INFO: initiate new phase 1 negotiation: {local}[500]<=>{peer}[500]", 20),
            self._say(f"INFO: ISAKMP-SA established {local}[500]-{peer}[500] spi:{cookies}"),
            self._say(f"INFO: initiate new phase 2 negotiation: {local}[500]<=>{peer}[500]"),
            self._say(f"INFO: IPsec-SA established: ESP/Tunnel {peer}[500]->{local}[500] spi={one}(0x{one:x})"),
            self._say(f"INFO: IPsec-SA established: ESP/Tunnel {local}[500]->{peer}[500] spi={two}(0x{two:x})", 0),
            self._say(f"INFO: ISAKMP-SA expired {local}[500]-{peer}[500] spi:{cookies}", 30),
            self._say(f"INFO: ISAKMP-SA deleted {local}[500]-{peer}[500] spi:{cookies}"),
        ]

    def _failed(self) -> list[str]:
        local, peer, cookie = self._ends()
        return [
            self._say(f"INFO: initiate new phase 1 negotiation: {local}[500]<=>{peer}[500]", 20),
            self._say(f"ERROR: phase1 negotiation failed due to time up. {cookie}:0000000000000000", 61),
        ]

    def _dead(self) -> list[str]:
        _, peer, _ = self._ends()
        return [self._say(f"INFO: DPD: remote (ISAKMP-SA {peer}[500]) seems to be dead.", 5)]
