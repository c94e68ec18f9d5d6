"""HTTP basic authentication against bcrypt hashes (RFC 7617), as the toolkit does it.

bcrypt is slow on purpose (a cost of 10 takes some 50 ms), so it runs in a worker thread, one password at a time, and what
was found out is remembered: a scrape pays for it once. Guessing from many connections cannot pile up work: only a few
passwords wait at once, and fewer per client.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import secrets
from collections import Counter, OrderedDict
from enum import Enum
from typing import TYPE_CHECKING

import bcrypt
from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: bcrypt reads this many bytes of a password; htpasswd and Go cut the rest off silently, Python's bcrypt 5 refuses it.
_MAX_PASSWORD = 72


class Verdict(Enum):
    """What became of a request's credentials."""

    ALLOWED = "allowed"
    DENIED = "denied"
    BUSY = "busy"  # too many passwords are being checked; the client may come again


def credentials(authorization: bytes) -> tuple[bytes, bytes] | None:
    """Return user and password of an Authorization header, None where it holds none."""
    scheme, _, parameter = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user, colon, password = base64.b64decode(parameter.strip(b" "), validate=True).partition(b":")
    except binascii.Error:
        return None
    return (user, password) if colon else None


def password_matches(password: bytes, password_hash: bytes) -> bool:
    """Compare a password with a bcrypt hash; slow. A password that bcrypt cannot take (a NUL in it) does not match."""
    try:
        return bcrypt.checkpw(password[:_MAX_PASSWORD], password_hash)
    except ValueError:
        return False


class Authenticator:
    """Checks credentials and remembers the result. To be used from one event loop.

    Remembered are keyed hashes of user, bcrypt hash and password, with a key that lives as long as this object: never a
    password, and nothing that outlives a change of the bcrypt hash.
    """

    def __init__(
        self,
        *,
        matches: Callable[[bytes, bytes], bool] = password_matches,
        max_remembered: int = 100,
        max_waiting: int = 32,
        max_waiting_per_client: int = 4,
    ) -> None:
        self._matches = matches
        self._key = secrets.token_bytes(32)
        # Apart, so that guesses cannot push out the scraper's verified credentials.
        self._right = _Remembered(max_remembered)
        self._wrong = _Remembered(max_remembered)
        self._waiting: dict[bytes, asyncio.Task[bool]] = {}
        self._waiting_by_client: Counter[str] = Counter()
        self._max_waiting = max_waiting
        self._max_waiting_per_client = max_waiting_per_client
        self._one_at_a_time = asyncio.Lock()

    async def check(self, users: Mapping[str, str], authorization: bytes | None, client: str) -> Verdict:
        """Check an Authorization header. ``users`` must not be empty; ``client`` is the network it came from."""
        found = None if authorization is None else credentials(authorization)
        if found is None:
            return Verdict.DENIED
        user, password = found
        password_hash = users.get(user.decode(errors="surrogateescape"))
        # An unknown user costs a bcrypt as well, of the same cost: the time does not tell who exists.
        compared = (password_hash or next(iter(users.values()))).encode()
        digest = self._digest(user, compared, password, known=password_hash is not None)
        if digest in self._right:
            return Verdict.ALLOWED
        if digest in self._wrong:
            return Verdict.DENIED
        waiting = self._waiting.get(digest)
        if waiting is None:
            if self._is_full(client):
                return Verdict.BUSY
            self._waiting_by_client[client] += 1
            waiting = asyncio.create_task(self._compare(digest, password, compared, client, known=password_hash is not None))
            self._waiting[digest] = waiting
        return Verdict.ALLOWED if await asyncio.shield(waiting) else Verdict.DENIED

    def _is_full(self, client: str) -> bool:
        return len(self._waiting) >= self._max_waiting or self._waiting_by_client[client] >= self._max_waiting_per_client

    async def _compare(self, digest: bytes, password: bytes, password_hash: bytes, client: str, *, known: bool) -> bool:
        try:
            async with self._one_at_a_time:
                matched = await run_in_threadpool(self._matches, password, password_hash)
        finally:
            del self._waiting[digest]
            self._waiting_by_client[client] -= 1
            self._waiting_by_client += Counter()  # drops zeros
        allowed = matched and known
        (self._right if allowed else self._wrong).add(digest)
        return allowed

    def _digest(self, *parts: bytes, known: bool) -> bytes:
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._key, message + bytes([known]), "sha256")


class _Remembered:
    """A bounded set that forgets what was asked for longest ago."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, item: bytes) -> bool:
        if item not in self._items:
            return False
        self._items.move_to_end(item)
        return True

    def add(self, item: bytes) -> None:
        self._items[item] = None
        while len(self._items) > self._limit:
            self._items.popitem(last=False)
