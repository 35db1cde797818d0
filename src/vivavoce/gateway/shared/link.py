"""The connections to Redis, and what is made of its absence."""

import logging
import time
from collections.abc import Awaitable
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from vivavoce.errors import LinkDown

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
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MOST_CONNECTIONS,
            timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
        )
        self.redis = Redis.from_pool(pool)
        self._complained = float("-inf")

    async def do(self, step: Awaitable[T]) -> T:
        """Return what Redis answers. Raises `LinkDown`."""
        try:
            return await step
        except (RedisError, OSError, TimeoutError) as error:
            self.complain(error)
            raise LinkDown("The processes of this server cannot ask each other now.") from error

    def complain(self, error: Exception) -> None:
        """Log that Redis is gone, now and then."""
        if time.monotonic() - self._complained >= QUIET_SECONDS:
            self._complained = time.monotonic()
            # The error may quote the address, with its password.
            _log.warning("this process is alone for now: Redis fails (%s)", type(error).__name__)

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()
