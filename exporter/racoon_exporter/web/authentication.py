"""HTTP basic authentication against bcrypt hashes (RFC 7617), as the toolkit does it.

bcrypt is slow on purpose (a cost of 10 takes some 50 ms), so it runs in a worker thread, one password at a time, and what
was found out is remembered: a scrape pays for it once. Guessing from many connections cannot pile up work: only a few
passwords wait at once, and fewer per client. Guessing from many networks keeps nobody out for long: who was let in before comes
first, then who was denied or turned away least, also where all places are taken.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import bcrypt
from starlette.concurrency import run_in_threadpool

from racoon_exporter.web.handshakes import remember

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: A refusal takes as long as a hash of this cost at most, some second: by a dearer one anybody could keep others waiting.
_DEAREST = 14
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


def cost(password_hash: bytes) -> int:
    """Return the cost of a bcrypt hash; one more takes twice as long."""
    return int(password_hash.split(b"$")[2])


def nobodys(cost: int) -> bytes:
    """Return a hash of a cost whose password nobody knows."""
    return b"$2b$%02d$%b" % (cost, b"." * 53)


@dataclass(eq=False, slots=True)
class _Guess:
    """A password that waits to be compared, or is."""

    digest: bytes
    password: bytes
    password_hash: bytes
    dearest: int
    """The cost of the dearest hash of any user, within bounds."""
    known: bool
    client: str
    verdict: asyncio.Future[Verdict]


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
        self._let_in: dict[str, None] = {}
        self._refused: dict[str, int] = {}  # how often, by client, since it was let in
        self._waiting: dict[bytes, _Guess] = {}  # dicts keep order: the first to come is the first
        self._compared: _Guess | None = None
        self._max_waiting = max_waiting
        self._max_waiting_per_client = max_waiting_per_client
        self._comparing: asyncio.Task[None] | None = None

    async def check(self, users: Mapping[str, str], authorization: bytes | None, client: str) -> Verdict:
        """Check an Authorization header. ``users`` must not be empty; ``client`` is the network it came from."""
        found = None if authorization is None else credentials(authorization)
        if found is None:
            return Verdict.DENIED
        user, password = found
        password_hash = users.get(user.decode(errors="surrogateescape"))
        # An unknown user costs a bcrypt as well, the dearest: the time does not tell who exists.
        dearest = min(_DEAREST, max(cost(each.encode()) for each in users.values()))
        compared = nobodys(dearest) if password_hash is None else password_hash.encode()
        digest = self._digest(user, compared, password, known=password_hash is not None)
        if digest in self._right:
            return Verdict.ALLOWED
        if digest in self._wrong:
            return Verdict.DENIED
        guess = self._waiting.get(digest)
        if guess is None:
            if not self._has_place(client):
                return Verdict.BUSY
            verdict = asyncio.get_running_loop().create_future()
            known = password_hash is not None
            guess = self._waiting[digest] = _Guess(digest, password, compared, dearest, known, client, verdict)
            if self._comparing is None:
                self._comparing = asyncio.create_task(self._compare_all())
        return await asyncio.shield(guess.verdict)

    def _has_place(self, client: str) -> bool:
        """Tell whether a client's password may wait; where all places are taken, another one may have to go for it."""
        if sum(guess.client == client for guess in self._waiting.values()) >= self._max_waiting_per_client:
            return False
        if len(self._waiting) < self._max_waiting:
            return True
        last = max((guess for guess in self._waiting.values() if guess is not self._compared), key=self._turn, default=None)
        if last is None or self._turn(last) <= self._rank(client):
            self._note_refused(client)
            return False
        del self._waiting[last.digest]
        last.verdict.set_result(Verdict.BUSY)
        return True

    def _turn(self, guess: _Guess) -> tuple[bool, int]:
        return self._rank(guess.client)

    def _rank(self, client: str) -> tuple[bool, int]:
        """Say who comes first, the least of all."""
        return client not in self._let_in, self._refused.get(client, 0)

    async def _compare_all(self) -> None:
        try:
            while self._waiting:
                self._compared = min(self._waiting.values(), key=self._turn)
                await self._compare(self._compared)
        finally:
            self._comparing = self._compared = None

    async def _compare(self, guess: _Guess) -> None:
        try:
            matched = await run_in_threadpool(self._is_right, guess)
        except (RuntimeError, MemoryError):  # no thread can be started: whoever waits may come again
            guess.verdict.set_result(Verdict.BUSY)
        else:
            self._note(guess, allowed=matched and guess.known)
        finally:
            del self._waiting[guess.digest]

    def _is_right(self, guess: _Guess) -> bool:
        """Compare; who is refused has waited as long as if his hash were the dearest, whatever its cost."""
        if self._matches(guess.password, guess.password_hash):
            return True
        for each in range(cost(guess.password_hash), guess.dearest):  # as long again, twice that, ...
            self._matches(guess.password, nobodys(each))
        return False

    def _note(self, guess: _Guess, *, allowed: bool) -> None:
        (self._right if allowed else self._wrong).add(guess.digest)
        if allowed:
            remember(self._let_in, guess.client, None)
            self._refused.pop(guess.client, None)
        else:
            self._note_refused(guess.client)
        guess.verdict.set_result(Verdict.ALLOWED if allowed else Verdict.DENIED)

    def _note_refused(self, client: str) -> None:
        remember(self._refused, client, self._refused.get(client, 0) + 1)

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
