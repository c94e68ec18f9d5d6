"""Requests begin a few in each turn of the event loop, those of who came most often first."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from racoon_exporter.web.application import WAITING, Guard
from racoon_exporter.web.config_reload import LiveConfig
from racoon_exporter.web.turns import AT_ONCE, Turns

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


def test_a_few_begin_at_once_and_then_a_few_in_each_turn() -> None:
    async def story() -> None:
        turns = Turns()
        begun: list[int] = []

        async def request(number: int) -> None:
            if not turns.is_mine():
                await turns.wait(0)
            begun.append(number)

        requests = [asyncio.create_task(request(number)) for number in range(5 * AT_ONCE)]
        sizes = []
        while len(begun) < len(requests):
            before = len(begun)
            await asyncio.sleep(0)
            sizes.append(len(begun) - before)
        assert max(sizes) == AT_ONCE
        assert begun == list(range(5 * AT_ONCE))
        await asyncio.sleep(0)
        assert turns.is_mine()

    asyncio.run(story())


def test_who_came_most_often_is_first() -> None:
    async def story() -> None:
        turns = Turns()
        begun: list[str] = []

        async def request(name: str, visits: int) -> None:
            await turns.wait(visits)
            begun.append(name)

        flood = [asyncio.create_task(request(f"flood {number}", 1)) for number in range(9 * AT_ONCE)]
        scraper = asyncio.create_task(request("scraper", 1000))
        await asyncio.gather(*flood, scraper)
        assert begun[0] == "scraper"

    asyncio.run(story())


def test_who_has_gone_takes_no_turn() -> None:
    async def story() -> None:
        turns = Turns()
        tasks = [asyncio.create_task(turns.wait(0)) for _ in range(3 * AT_ONCE)]
        await asyncio.sleep(0)
        for task in tasks[:-1]:
            task.cancel()
        await tasks[-1]
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not turns._waiting

    asyncio.run(story())


def test_a_flood_of_requests_lets_who_came_often_begin_first_and_waits_as_idle_ones_do() -> None:
    begun: list[str] = []
    waiting: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(scope["client"][0])
        await PlainTextResponse("")(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        del message

    def visits(network: str) -> int:
        return int(network == "scraper")

    async def story() -> None:
        guard = Guard(app, LiveConfig(None, logging.getLogger()), logging.getLogger(), visits=visits)
        clients = [f"flood {number}" for number in range(5 * AT_ONCE)] + ["scraper"]
        state = {WAITING: lambda task: waiting.append(task is not None)}
        await asyncio.gather(*(guard(scope_of(client) | {"state": state}, receive, send) for client in clients))

    asyncio.run(story())
    assert begun.index("scraper") == AT_ONCE
    assert len(begun) == 5 * AT_ONCE + 1
    assert waiting.count(True) == waiting.count(False) == 4 * AT_ONCE + 1


def scope_of(client: str) -> dict[str, object]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [],
        "client": (client, 1),
    }
