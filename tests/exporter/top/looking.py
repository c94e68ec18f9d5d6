"""A `top` without a terminal that looks at a real server on a free loopback port, and what stands on its screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from racoon_exporter.top.client import Client
from racoon_exporter.top.screens import Top
from racoon_exporter.top.source import all_peers

Act = Callable[[Pilot[None]], Awaitable[None]]
SMALL, WIDE = (80, 24), (200, 50)
NEVER = 3600.0
"""Seconds between two looks of its own: tests ask with the key."""


def screen_of(app: Top) -> str:
    """Give what stands on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def settled(pilot: Pilot[None]) -> None:
    """Wait until what was asked is answered and shown."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def look(url: str, *keys: str, size: tuple[int, int] = SMALL, act: Act | None = None, client: Client | None = None) -> str:
    """Press keys, and give what stands on the screen then."""

    async def run() -> str:
        app = Top(asked, all_peers(asked), NEVER)
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            if act is not None:
                await act(pilot)
                await settled(pilot)
            return screen_of(app)

    asked = client or Client(url)
    try:
        return asyncio.run(run())
    finally:
        asked.close()
