"""Work on the database that is not broken off in the middle."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

__all__ = ["unbroken"]

T = TypeVar("T")


async def unbroken(work: Awaitable[T], *, seconds: float) -> T:
    """Await it; who is cancelled meanwhile waits for its end, but no longer than this.

    SQLite's driver works in a thread, and tells its event loop what came of it. Were it given up halfway when a
    gateway stops, that loop may be closed by the time it tells.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
