"""Which requests begin next: a few in each turn of the event loop, those of who came most often first.

Every step of an answer is a turn of the loop, a scrape takes some fifteen. Where hundreds of connections hold one request
behind the other, each turn would begin one of each, and a scrape would take as long as thousands of these.
"""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from itertools import count

#: Requests begun in one turn: some three milliseconds.
AT_ONCE = 8


class Turns:
    """Lets requests begin. To be used from one event loop."""

    def __init__(self) -> None:
        self._begun = 0
        self._is_turning = False
        self._number = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    def is_mine(self) -> bool:
        """Tell whether a request may begin at once, and count it if so."""
        if self._waiting or self._begun >= AT_ONCE:
            return False
        self._begun += 1
        self._turn_soon()
        return True

    async def wait(self, visits: int) -> None:
        """Wait until a request of somebody who came so often may begin."""
        turn = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (-visits, next(self._number), turn))
        self._turn_soon()
        await turn

    def _turn_soon(self) -> None:
        if not self._is_turning:
            self._is_turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._is_turning = False
        self._begun = 0
        while self._waiting and self._begun < AT_ONCE:
            _, _, turn = heappop(self._waiting)
            if not turn.done():  # its client has gone
                turn.set_result(None)
                self._begun += 1
        if self._begun:
            self._turn_soon()
