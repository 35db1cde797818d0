"""The connections to Redis, and what is made of its absence."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from vivavoce.errors import LinkError

__all__ = ["PREFIX", "Link"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "vivavoce:"
"""What the names of all our keys begin with."""

TIMEOUT = 2.0
"""Seconds that a step may take."""

MOST_CONNECTIONS = 8
"""Connections to the server; a step that finds none free waits for one."""

QUIET_SECONDS = 60.0
"""Between two complaints in the log about a server that is gone."""


class Link:
    """Redis, which may be gone at any time."""

    def __init__(self, url: str) -> None:
        """Raises `ValueError` for an address that is none of Redis."""
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 1),  # once: the server may have been started anew since
        )
        self.redis = Redis.from_pool(pool)
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)
        self._steps: set[asyncio.Task[Any]] = set()
        self._complained = float("-inf")

    async def do(self, step: Awaitable[T]) -> T:
        """Return what Redis answers. Raises `LinkError`.

        Who does not wait any more leaves the step to itself. To cancel it would break its connection, and up to
        Python 3.11 it might not even notice: `asyncio.wait_for`, which it uses, can lose a cancellation.
        """
        task = asyncio.create_task(self._do(step))
        self._steps.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def complain(self, error: Exception) -> None:
        """Log that Redis is gone, now and then."""
        if time.monotonic() - self._complained >= QUIET_SECONDS:
            self._complained = time.monotonic()
            # The error may quote the address, with its password.
            _log.warning("this process is alone for now: Redis fails (%s)", type(error).__name__)

    async def close(self) -> None:
        """Let what is under way end, and close the connections."""
        await asyncio.gather(*self._steps, return_exceptions=True)
        await self.redis.aclose()

    async def _do(self, step: Awaitable[T]) -> T:
        try:
            async with self._places:
                return await step
        except (RedisError, OSError, TimeoutError) as error:
            self.complain(error)
            raise LinkError("The processes of this server cannot ask each other now.") from error

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._steps.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be there to hear of it
