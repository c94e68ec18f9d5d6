"""Which TLS handshakes may begin: a client pays nothing for its ClientHello, the server a key exchange and a signature.

Three bounds keep that from being a way to stop the endpoint. A ClientHello that came before is a replay and gets nothing:
each carries 32 random bytes of its own (RFC 8446, 4.1.2). A network may begin only so many each second, and so may all
networks together that nobody has been served in yet. Who was served has a measure of his own, so that a flood of strangers
does not keep a scraper out, also where it opens a connection for each scrape.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from racoon_exporter.web.config import RateLimit
from racoon_exporter.web.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

_K = TypeVar("_K")
_V = TypeVar("_V")

#: What a record needs to have for its ClientHello to be told from others: two heads, the version, the random.
HELLO_BYTES = 5 + 4 + 2 + 32
_RANDOM = slice(HELLO_BYTES - 32, HELLO_BYTES)
_HANDSHAKE_RECORD = 22  # RFC 8446, 5.1: ContentType handshake
_CLIENT_HELLO = 1  # RFC 8446, 4: HandshakeType client_hello
#: Handshakes that may begin at once, whatever the rate: with a large RSA key these take a quarter of a second.
_MOST_AT_ONCE = 25
#: Networks that are remembered as served, those that came most often.
_MAX_SERVED = 64
#: Seconds after which a network that is served again counts as having come again.
_VISIT = 10.0
#: Networks whose rates are kept, and ClientHellos that are known again.
_MAX_REMEMBERED = 4096


@dataclass(slots=True)
class _Served:
    """A network that was served: its rate, how often it came, and when that was last counted."""

    bucket: TokenBucket
    visits: int
    counted_at: float


class Handshakes:
    """Decides for each ClientHello whether TLS may answer it."""

    def __init__(self, served: int, stranger: int, strangers: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the rates of a network that was served, of one that was not, and of all of these together.

        Those that come for the first time have the last once more: a flood from addresses that have been here does not keep out
        a scraper that is new.
        """
        self._clock = clock
        self._of_served = served
        self._of_stranger = stranger
        self._of_strangers = self._bucket(strangers)
        self._of_newcomers = self._bucket(strangers)
        self._strangers: dict[str, TokenBucket] = {}  # dicts keep order: the longest unused comes first
        self._served: dict[str, _Served] = {}
        self._hellos: dict[bytes, None] = {}

    def may_begin(self, network: str, hello: bytes) -> bool:
        """Tell whether ``network`` may have an answer to ``hello``, the first bytes of its connection."""
        if not is_client_hello(hello) or self._is_replayed(hello[_RANDOM]):
            return False
        if network in self._served:
            return self._served[network].bucket.take()
        known = self._strangers.get(network)
        if known is None and not self._of_newcomers.take():
            return False  # and it is a newcomer still
        bucket = known or self._bucket(self._of_stranger)
        remember(self._strangers, network, bucket)
        return bucket.take() and (known is None or self._of_strangers.take())

    def has_served(self, network: str) -> bool:
        """Tell whether ``network`` is one of those that were served."""
        return network in self._served

    def visits(self, network: str) -> int:
        """Tell how often ``network`` came and was served, 0 where that is not known of it.

        A scraper comes for years. A flood that is served as well, where no password is asked for, does not come as often.
        """
        served = self._served.get(network)
        return 0 if served is None else served.visits

    def came_less_often(self, network: str) -> bool:
        """Tell whether ``network`` was served, and another one came more often."""
        visits = self.visits(network)
        return visits > 0 and any(served.visits > visits for served in self._served.values())

    def note_served(self, network: str) -> None:
        """Note that a request from ``network`` was let in and answered."""
        now = self._clock()
        served = self._served.pop(network, None)
        if served is None:
            if len(self._served) >= _MAX_SERVED:
                del self._served[min(self._served, key=self.visits)]
            served = _Served(self._bucket(self._of_served), 1, now)
        elif now - served.counted_at >= _VISIT:
            served.visits += 1
            served.counted_at = now
        self._served[network] = served  # last, as the one that was served last

    def _is_replayed(self, random: bytes) -> bool:
        known = random in self._hellos
        remember(self._hellos, random, None)
        return known

    def _bucket(self, per_second: int) -> TokenBucket:
        return TokenBucket(RateLimit(1 / per_second, min(per_second, _MOST_AT_ONCE)), self._clock)


def is_client_hello(data: bytes) -> bool:
    """Tell whether the first bytes of a connection begin a TLS handshake, with a random that can be compared."""
    return len(data) >= HELLO_BYTES and data[0] == _HANDSHAKE_RECORD and data[5] == _CLIENT_HELLO


def could_become_client_hello(data: bytes) -> bool:
    """Tell whether more bytes could make a ClientHello of these."""
    return len(data) < HELLO_BYTES and data[:1] in (b"", bytes([_HANDSHAKE_RECORD]))


def remember(table: dict[_K, _V], key: _K, value: _V, bound: int = _MAX_REMEMBERED) -> None:
    """Put an entry last, and drop the first ones beyond the bound."""
    table.pop(key, None)
    table[key] = value
    if len(table) > bound:
        del table[next(iter(table))]
