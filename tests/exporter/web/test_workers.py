"""What needs a thread is answered on a host that has none left."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from anyio._backends._asyncio import WorkerThread

from racoon_exporter.web.authentication import Authenticator, Verdict
from racoon_exporter.web.workers import in_worker
from tests.exporter.web.client import get, status
from tests.exporter.web.test_authentication import USERS, Checks, basic

if TYPE_CHECKING:
    from tests.exporter.web.conftest import Serve


def refuse(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkerThread, "start", refuse)


@pytest.mark.usefixtures("no_threads")
def test_work_is_done_in_the_loop_where_no_thread_can_be_started() -> None:
    async def story() -> None:
        assert await in_worker(threading.current_thread) is threading.main_thread()
        assert await in_worker(int, "1f", base=16) == 31

    asyncio.run(story())


def test_work_is_done_once_and_what_it_raises_is_raised() -> None:
    def fail() -> None:
        done.append(threading.current_thread())
        raise RuntimeError("no such thing")

    async def story() -> None:
        with pytest.raises(RuntimeError, match="no such thing"):
            await in_worker(fail)

    done: list[threading.Thread] = []
    asyncio.run(story())
    assert len(done) == 1
    assert done != [threading.main_thread()]


@pytest.mark.usefixtures("no_threads")
@pytest.mark.parametrize("path", [b"/metrics", b"/-/ready", b"/-/healthy", b"/"])
def test_requests_are_answered_without_threads(serve: Serve, path: bytes) -> None:
    assert status(get(serve(), path)) == 200


@pytest.mark.usefixtures("no_threads")
def test_a_password_that_cannot_be_compared_is_answered_and_may_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever, and whoever comes later is compared."""

    async def story() -> None:
        authenticator = Authenticator(matches=Checks())
        asked = [authenticator.check(USERS, basic("alice", password), "") for password in ("alice", "alice", "wrong")]
        assert await asyncio.gather(*asked) == [Verdict.BUSY] * 3
        monkeypatch.undo()
        assert await authenticator.check(USERS, basic("alice", "alice"), "") is Verdict.ALLOWED

    asyncio.run(story())
