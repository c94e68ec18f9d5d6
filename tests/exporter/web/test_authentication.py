from __future__ import annotations

import asyncio
import base64
import threading
from typing import TYPE_CHECKING

import bcrypt
import pytest

from racoon_exporter.web.authentication import Authenticator, Verdict, cost, credentials, nobodys, password_matches
from racoon_exporter.web.config import RateLimit
from racoon_exporter.web.token_bucket import TokenBucket
from tests.exporter.web.client import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USERS = {"alice": "$2b$04$hash of alice", "bob": "$2b$04$hash of bob"}


class Checks:
    """Stands for bcrypt: a hash is "hash of" and the password; counts what was compared."""

    def __init__(self) -> None:
        self.made: list[tuple[bytes, bytes]] = []

    def __call__(self, password: bytes, password_hash: bytes) -> bool:
        self.made.append((password, password_hash))
        return password_hash == b"$2b$04$hash of " + password


def basic(user: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (basic("alice", "sesame"), (b"alice", b"sesame")),
        (basic("alice", "a:b"), (b"alice", b"a:b")),
        (basic("", ""), (b"", b"")),
        (b"basic   " + base64.b64encode(b"a:b"), (b"a", b"b")),
        (b"Bearer abc", None),
        (b"Basic", None),
        (b"Basic " + base64.b64encode(b"no colon"), None),
        (b"Basic not base64!", None),
        (b"Basic YTpi\n", None),
        (b"", None),
    ],
)
def test_credentials_are_read_from_the_header(header: bytes, found: tuple[bytes, bytes] | None) -> None:
    assert credentials(header) == found


@pytest.mark.parametrize("version", [b"2a", b"2b", b"2y"])
def test_hashes_of_every_tool_are_compared(version: bytes) -> None:
    password_hash = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4)).replace(b"2b", version, 1)
    assert password_matches(b"sesame", password_hash)
    assert not password_matches(b"barley", password_hash)


def test_a_password_longer_than_bcrypt_reads_is_compared_as_htpasswd_and_go_do() -> None:
    password_hash = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4))
    assert password_matches(b"x" * 100, password_hash)
    assert not password_matches(b"x" * 71, password_hash)


def test_a_password_that_bcrypt_cannot_take_does_not_match() -> None:
    assert not password_matches(b"\x00", bcrypt.hashpw(b"sesame", bcrypt.gensalt(4)))


def test_a_password_is_compared_once_and_then_remembered() -> None:
    async def story() -> None:
        checks = Checks()
        authenticator = Authenticator(matches=checks)
        for _ in range(3):
            assert await authenticator.check(USERS, basic("alice", "alice"), "") is Verdict.ALLOWED
            assert await authenticator.check(USERS, basic("alice", "wrong"), "") is Verdict.DENIED
        assert len(checks.made) == 2

    asyncio.run(story())


def test_an_unknown_user_costs_a_comparison_and_is_never_let_in() -> None:
    async def story() -> None:
        checks = Checks()
        authenticator = Authenticator(matches=checks)
        assert await authenticator.check(USERS, basic("mallory", "alice"), "") is Verdict.DENIED
        assert checks.made == [(b"alice", nobodys(4))]
        assert await authenticator.check(USERS, basic("alice", "alice"), "") is Verdict.ALLOWED
        assert await authenticator.check(USERS, basic("mallory", "alice"), "") is Verdict.DENIED

    asyncio.run(story())


def test_a_refusal_costs_as_much_as_the_dearest_hash_whoever_is_named() -> None:
    """Else the time tells who exists: users may have hashes of different costs."""
    users = {"alice": "$2b$04$hash of alice", "bob": "$2b$07$hash of bob", "carol": "$2b$06$hash of carol"}

    async def rounds(user: str) -> int:
        checks = Checks()
        assert await Authenticator(matches=checks).check(users, basic(user, "wrong"), "") is Verdict.DENIED
        return sum(2 ** cost(password_hash) for _, password_hash in checks.made)

    async def story() -> None:
        assert [await rounds(user) for user in ("alice", "bob", "carol", "mallory")] == [2**7] * 4

    asyncio.run(story())


def test_a_hash_dearer_than_anybody_could_wait_for_costs_only_who_names_it() -> None:
    users = {"alice": "$2b$04$hash of alice", "bob": "$2b$31$hash of bob"}

    async def story() -> None:
        for user in ("alice", "mallory"):
            checks = Checks()
            await Authenticator(matches=checks).check(users, basic(user, "wrong"), "")
            assert sum(2 ** cost(password_hash) for _, password_hash in checks.made) == 2**14

    asyncio.run(story())


def test_a_right_password_costs_its_own_hash_only() -> None:
    async def story() -> None:
        checks = Checks()
        users = {"alice": "$2b$04$hash of alice", "bob": "$2b$07$hash of bob"}
        assert await Authenticator(matches=checks).check(users, basic("alice", "alice"), "") is Verdict.ALLOWED
        assert checks.made == [(b"alice", b"$2b$04$hash of alice")]

    asyncio.run(story())


def test_what_is_compared_beside_a_hash_takes_its_time() -> None:
    """bcrypt refuses at once what is no hash."""
    compared = []

    def matches(password: bytes, password_hash: bytes) -> bool:
        compared.append(password_hash)
        return bcrypt.checkpw(password, password_hash)

    async def story() -> None:
        users = {name: bcrypt.hashpw(b"sesame", bcrypt.gensalt(cost)).decode() for name, cost in (("alice", 4), ("bob", 6))}
        assert await Authenticator(matches=matches).check(users, basic("alice", "wrong"), "") is Verdict.DENIED

    asyncio.run(story())
    assert [cost(each) for each in compared] == [4, 4, 5]


def test_no_credentials_cost_nothing() -> None:
    async def story() -> None:
        checks = Checks()
        authenticator = Authenticator(matches=checks)
        assert await authenticator.check(USERS, None, "") is Verdict.DENIED
        assert await authenticator.check(USERS, b"Bearer x", "") is Verdict.DENIED
        assert checks.made == []

    asyncio.run(story())


def test_a_changed_hash_forgets_the_old_password() -> None:
    async def story() -> None:
        authenticator = Authenticator(matches=Checks())
        assert await authenticator.check({"alice": "$2b$04$hash of old"}, basic("alice", "old"), "") is Verdict.ALLOWED
        assert await authenticator.check({"alice": "$2b$04$hash of new"}, basic("alice", "old"), "") is Verdict.DENIED

    asyncio.run(story())


def test_a_user_named_like_the_parts_of_another_is_told_apart() -> None:
    async def story() -> None:
        authenticator = Authenticator(matches=Checks())
        assert await authenticator.check({"ab": "$2b$04$hash of c"}, basic("ab", "c"), "") is Verdict.ALLOWED
        assert await authenticator.check({"a": "$2b$04$hash of c"}, basic("a", "bc"), "") is Verdict.DENIED

    asyncio.run(story())


def test_guesses_do_not_push_out_verified_credentials() -> None:
    async def story() -> None:
        checks = Checks()
        authenticator = Authenticator(matches=checks, max_remembered=3)
        await authenticator.check(USERS, basic("alice", "alice"), "")
        for number in range(10):
            await authenticator.check(USERS, basic("alice", f"guess {number}"), "")
        before = len(checks.made)
        assert await authenticator.check(USERS, basic("alice", "alice"), "") is Verdict.ALLOWED
        assert len(checks.made) == before

    asyncio.run(story())


def test_no_password_stays_in_memory() -> None:
    async def story() -> Authenticator:
        authenticator = Authenticator(matches=Checks())
        await authenticator.check(USERS, basic("alice", "alice"), "")
        await authenticator.check(USERS, basic("alice", "s3cr3t guess"), "")
        return authenticator

    texts = list(texts_in(asyncio.run(story())))
    assert any(isinstance(text, bytes) for text in texts)
    assert not [text for text in texts if "s3cr3t" in str(text)]


def texts_in(item: object) -> Iterator[str | bytes]:
    """Yield every text that our own objects and the containers in them hold."""
    if isinstance(item, str | bytes):
        yield item
    elif isinstance(item, dict):
        for pair in item.items():
            yield from texts_in(pair)
    elif isinstance(item, list | tuple | set):
        for part in item:
            yield from texts_in(part)
    elif type(item).__module__.startswith("racoon_exporter"):
        yield from texts_in(vars(item))


def test_only_a_few_passwords_wait_and_fewer_of_one_client() -> None:
    async def story() -> None:
        compare = threading.Event()

        def slow(password: bytes, password_hash: bytes) -> bool:
            assert compare.wait(PATIENCE)
            return password_hash == b"$2b$04$hash of " + password

        authenticator = Authenticator(matches=slow, max_waiting=3, max_waiting_per_client=2)

        def ask(password: str, client: str) -> asyncio.Task[Verdict]:
            return asyncio.create_task(authenticator.check(USERS, basic("alice", password), client))

        flood = [ask(f"guess {number}", "192.0.2.1") for number in range(5)]
        scraper = [ask("alice", "198.51.100.1") for _ in range(3)]
        other = ask("alice?", "198.51.100.2")
        assert await other is Verdict.BUSY
        compare.set()
        assert [verdict is Verdict.BUSY for verdict in await asyncio.gather(*flood)] == [False, False, True, True, True]
        assert await asyncio.gather(*scraper) == [Verdict.ALLOWED] * 3
        assert await ask("alice?", "198.51.100.2") is Verdict.DENIED

    asyncio.run(story())


class SlowChecks:
    """Stands for bcrypt that waits to be told how many passwords it may compare."""

    def __init__(self) -> None:
        self.may_end = threading.Semaphore(0)
        self.made: list[bytes] = []

    def __call__(self, password: bytes, password_hash: bytes) -> bool:
        self.made.append(password)
        assert self.may_end.acquire(timeout=PATIENCE)
        return password_hash == b"$2b$04$hash of " + password


async def asked(
    authenticator: Authenticator, password: str, client: str, users: Mapping[str, str] = USERS
) -> asyncio.Task[Verdict]:
    """Ask, and let the question come to where it waits."""
    task = asyncio.create_task(authenticator.check(users, basic("alice", password), client))
    await asyncio.sleep(0)
    return task


def test_who_was_let_in_comes_before_a_flood_of_guesses_and_takes_a_place() -> None:
    """A scraper whose password has a new hash: that of every network was asked anew, and a flood had all places for ever."""

    async def story() -> None:
        checks = SlowChecks()
        authenticator = Authenticator(matches=checks, max_waiting=3)
        checks.may_end.release()
        assert await (await asked(authenticator, "alice", "198.51.100.1")) is Verdict.ALLOWED
        flood = [await asked(authenticator, f"guess {number}", f"192.0.2.{number}") for number in range(4)]
        assert await flood[3] is Verdict.BUSY
        scraper = await asked(authenticator, "new", "198.51.100.1", {"alice": "$2b$04$hash of new"})
        assert await flood[1] is Verdict.BUSY
        checks.may_end.release(3)
        assert [await each for each in (scraper, flood[0], flood[2])] == [Verdict.ALLOWED, Verdict.DENIED, Verdict.DENIED]
        assert checks.made == [b"alice", b"guess 0", b"new", b"guess 2"]

    asyncio.run(story())


def test_who_has_not_guessed_yet_comes_before_who_has() -> None:
    """A scraper that nobody knows, as after a restart: networks that guess again and again do not keep it out."""

    async def story() -> None:
        checks = SlowChecks()
        authenticator = Authenticator(matches=checks, max_waiting=3)
        checks.may_end.release(3)
        for number in range(3):
            assert await (await asked(authenticator, f"guess {number}", f"192.0.2.{number}")) is Verdict.DENIED
        flood = [await asked(authenticator, f"again {number}", f"192.0.2.{number}") for number in range(3)]
        scraper = await asked(authenticator, "alice", "198.51.100.1")
        assert await flood[1] is Verdict.BUSY
        assert await (await asked(authenticator, "more", "192.0.2.0")) is Verdict.BUSY
        checks.may_end.release(3)
        assert [await each for each in (scraper, flood[0], flood[2])] == [Verdict.ALLOWED, Verdict.DENIED, Verdict.DENIED]
        assert checks.made[3:] == [b"again 0", b"alice", b"again 2"]

    asyncio.run(story())


def test_who_asks_often_is_last_though_nothing_was_compared_yet() -> None:
    """A flood from many networks, the passwords of which take minutes to compare."""

    async def story() -> None:
        checks = SlowChecks()
        authenticator = Authenticator(matches=checks, max_waiting=2)
        flood = [await asked(authenticator, f"guess {number}", f"192.0.2.{number % 4}") for number in range(16)]
        assert [await each for each in flood[2:]] == [Verdict.BUSY] * 14
        scraper = await asked(authenticator, "alice", "198.51.100.1")
        checks.may_end.release(2)
        assert [await each for each in (scraper, *flood[:2])] == [Verdict.ALLOWED, Verdict.DENIED, Verdict.BUSY]

    asyncio.run(story())


def test_networks_that_guessed_are_remembered_in_bounds() -> None:
    async def story() -> None:
        authenticator = Authenticator(matches=Checks())
        for number in range(4_100):
            await authenticator.check(USERS, basic("alice", f"guess {number}"), f"network {number}")
        assert len(authenticator._refused) == 4096

    asyncio.run(story())


def test_a_bucket_gives_a_burst_and_then_one_each_interval() -> None:
    now = 100.0
    bucket = TokenBucket(RateLimit(interval=2.0, burst=3), lambda: now)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now += 1.9
    assert not bucket.take()
    now += 0.2
    assert [bucket.take() for _ in range(2)] == [True, False]
    now += 1000
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_a_bucket_without_burst_gives_nothing() -> None:
    now = 0.0
    bucket = TokenBucket(RateLimit(interval=1.0, burst=0), lambda: now)
    assert not bucket.take()
    now += 10
    assert not bucket.take()
