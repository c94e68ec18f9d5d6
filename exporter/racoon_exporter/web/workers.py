"""Work that takes time, done in a thread beside the event loop; where the system has none left, in the loop itself.

Threads that had nothing to do for ten seconds are gone, so a scrape begins one. A host that refuses it (a service's limit of
tasks, a container's of processes) would have every scrape answered 500: everybody waits for one that is put together instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

#: What Python says then (`thread_start` in its _threadmodule.c); RuntimeError says many things.
_NO_THREAD = "can't start new thread"


async def in_worker(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do something in a worker thread, or here if there can be none."""
    try:
        return await run_in_threadpool(work, *args, **kwargs)
    except RuntimeError as error:
        if str(error) != _NO_THREAD:
            raise
    return work(*args, **kwargs)


__all__ = ["in_worker"]
